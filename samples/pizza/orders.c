// SPDX-License-Identifier: Apache-2.0
// Orders: taken from a form or as JSON, checked, priced on the server, written with their lines in
// one commit, shown as a page and as JSON.
#include "shop.h"

#define CUSTOMER_BYTES_MAX 80

struct line {
    int64_t product_id;
    int64_t quantity;
    struct pk_document product;
};
struct order {
    struct pk_text customer;
    struct line *lines;
    size_t line_count;
    int64_t total;
};
struct problem { // why an order is refused; `code` NULL: it is not
    const char *code;
    struct pk_text message;
};

static struct problem refuse(const char *code, const char *message) {
    return (struct problem){code, pk_text_of(message)};
}

// ---- reading --------------------------------------------------------------------------------

static struct problem add_line(struct order *order, int64_t product_id, int64_t quantity) {
    if (quantity < 1 || quantity > QUANTITY_MAX)
        return refuse("invalid_quantity", "a quantity must be a whole number from 1 to 99");
    if (order->line_count == ORDER_LINES_MAX)
        return refuse("too_many_lines", "an order has at most 100 lines");
    order->lines[order->line_count++] = (struct line){product_id, quantity, {NULL, 0}};
    return (struct problem){NULL, {NULL, 0}};
}

static bool is_integer(struct pk_value value) {
    return value.type == PK_TYPE_INT64 || value.type == PK_TYPE_INT32;
}

static struct problem read_json(const struct pk_request *request, struct order *order) {
    struct pk_document body;
    struct pk_text reason;
    if (!pk_json_parse(pk_request_body(request), &body, &reason))
        return (struct problem){"malformed", reason};
    order->customer = pk_text_trim(pk_get_text(body, "customer"));
    struct pk_value lines = pk_get(body, "lines");
    if (lines.type != PK_TYPE_ARRAY) return refuse("invalid_lines", "'lines' must be an array");
    struct pk_iterator iterator = pk_iterate(lines.document);
    struct pk_text name;
    struct pk_value line;
    while (pk_next(&iterator, &name, &line)) {
        if (line.type != PK_TYPE_DOCUMENT)
            return refuse("invalid_lines", "each line must be an object");
        struct pk_value product = pk_get(line.document, "product_id");
        struct pk_value quantity = pk_get(line.document, "quantity");
        if (!is_integer(product))
            return refuse("unknown_product", "'product_id' must be the number of a product");
        if (!is_integer(quantity))
            return refuse("invalid_quantity", "'quantity' must be a whole number from 1 to 99");
        struct problem problem = add_line(order, product.integer, quantity.integer);
        if (problem.code != NULL) return problem;
    }
    return (struct problem){NULL, {NULL, 0}};
}

// "quantity_17" -> 17.
static bool quantity_field(struct pk_text name, int64_t *ret_product) {
    struct pk_text prefix = PK_TEXT("quantity_");
    if (name.size <= prefix.size) return false;
    if (!pk_text_equal((struct pk_text){name.data, prefix.size}, prefix)) return false;
    return pk_text_to_int((struct pk_text){name.data + prefix.size, name.size - prefix.size},
                          ret_product);
}

// Fields: customer; pairs of product_id and quantity; or quantity_<product>, where an empty one or
// 0 means "none of this".
static struct problem read_form(const struct pk_request *request, struct order *order) {
    order->customer = pk_text_trim(pk_form(request, "customer"));
    int64_t product = -1, quantity;
    struct pk_text name, value;
    size_t cursor = 0;
    while (pk_form_next(request, &cursor, &name, &value)) {
        value = pk_text_trim(value);
        struct problem problem = {NULL, {NULL, 0}};
        if (pk_text_is(name, "product_id")) {
            if (!pk_text_to_int(value, &product))
                return refuse("unknown_product", "product_id must be the number of a product");
        } else if (pk_text_is(name, "quantity")) {
            if (!pk_text_to_int(value, &quantity)) quantity = 0;
            problem = add_line(order, product, quantity);
        } else if (quantity_field(name, &product)) {
            if (value.size == 0 || pk_text_is(value, "0")) continue;
            if (!pk_text_to_int(value, &quantity)) quantity = 0;
            problem = add_line(order, product, quantity);
        }
        if (problem.code != NULL) return problem;
    }
    return (struct problem){NULL, {NULL, 0}};
}

// Customer, products and total.
static struct problem check(struct order *order) {
    if (order->customer.size == 0) return refuse("invalid_customer", "please tell us your name");
    if (order->customer.size > CUSTOMER_BYTES_MAX)
        return refuse("invalid_customer", "the name is too long");
    if (order->line_count == 0) return refuse("no_lines", "the order has no lines");
    for (size_t i = 0; i < order->line_count; i++) {
        struct line *line = &order->lines[i];
        enum pk_status status = pk_find("products", pk_key_int(line->product_id), &line->product);
        if (status != PK_OK) return refuse("unknown_product", "there is no such product");
        order->total += line->quantity * pk_get_int(line->product, "price", 0);
    }
    return (struct problem){NULL, {NULL, 0}};
}

// ---- writing --------------------------------------------------------------------------------

static enum pk_status save(const struct order *order, struct pk_key id) {
    struct pk_batch *batch = pk_batch_begin();
    struct pk_builder *head = pk_document_begin();
    pk_add_key(head, "_id", id);
    pk_add_text(head, "customer", order->customer);
    pk_add_int(head, "total", order->total);
    pk_add_text(head, "currency", PK_TEXT(CURRENCY));
    pk_add_text(head, "status", PK_TEXT("received"));
    pk_add_date(head, "created_at", pk_now_ms());
    pk_batch_insert(batch, "orders", pk_document_end(head));
    for (size_t i = 0; i < order->line_count; i++) {
        const struct line *line = &order->lines[i];
        int64_t price = pk_get_int(line->product, "price", 0);
        struct pk_builder *item = pk_document_begin();
        pk_add_key(item, "_id", pk_key_new());
        pk_add_key(item, "order_id", id);
        pk_add_int(item, "position", (int64_t)i);
        pk_add_int(item, "product_id", line->product_id);
        pk_add_text(item, "name", pk_get_text(line->product, "name"));
        pk_add_int(item, "quantity", line->quantity);
        pk_add_int(item, "price", price);
        pk_add_int(item, "amount", price * line->quantity);
        pk_batch_insert(batch, "line_items", pk_document_end(item));
    }
    return pk_batch_commit(batch);
}

static enum pk_status find_lines(struct pk_key order, struct pk_result *ret) {
    struct pk_select *query = pk_from("line_items");
    pk_where_key(query, "order_id", PK_EQ, order);
    pk_order_by(query, "position", PK_ASCENDING);
    pk_limit(query, ORDER_LINES_MAX);
    return pk_run(query, ret);
}

// The order as it is stored; false when there is none (or it cannot be read).
static bool write_order(struct pk_request *request, struct pk_key id) {
    struct pk_document order, line;
    struct pk_result lines;
    if (pk_find("orders", id, &order) != PK_OK || find_lines(id, &lines) != PK_OK) return false;
    struct pk_out *out = pk_json(request);
    pk_json_object(out, NULL);
    pk_json_value(out, "id", pk_get(order, "_id"));
    pk_json_text(out, "customer", pk_get_text(order, "customer"));
    pk_json_text(out, "status", pk_get_text(order, "status"));
    pk_json_value(out, "created_at", pk_get(order, "created_at"));
    pk_json_array(out, "lines");
    while (pk_result_next(&lines, &line)) {
        pk_json_object(out, NULL);
        pk_json_int(out, "product_id", pk_get_int(line, "product_id", 0));
        pk_json_text(out, "name", pk_get_text(line, "name"));
        pk_json_int(out, "quantity", pk_get_int(line, "quantity", 0));
        pk_json_int(out, "price", pk_get_int(line, "price", 0));
        pk_json_int(out, "amount", pk_get_int(line, "amount", 0));
        pk_json_end(out);
    }
    pk_json_end(out);
    pk_json_int(out, "total", pk_get_int(order, "total", 0));
    pk_json_text(out, "currency", pk_get_text(order, "currency"));
    pk_json_end(out);
    return true;
}

// ---- handlers -------------------------------------------------------------------------------

// JSON is told by its brace whatever the client calls it: curl -d and others say "form" to
// anything.
static bool is_form(const struct pk_request *request) {
    struct pk_text body = pk_text_trim(pk_request_body(request));
    if (body.size > 0 && (body.data[0] == '{' || body.data[0] == '[')) return false;
    struct pk_text type = pk_header(request, "content-type");
    struct pk_text form = PK_TEXT("application/x-www-form-urlencoded");
    return type.size >= form.size && pk_text_equal((struct pk_text){type.data, form.size}, form);
}

static void refuse_order(struct pk_request *request, bool form, int status,
                         struct problem problem) {
    if (form && pk_prefers_html(request))
        page_problem(request, status, PK_TEXT("That order did not work out"), problem.message);
    else
        pk_fail(request, status, problem.code, problem.message);
}

static struct pk_text order_address(struct pk_key id, const char *prefix) {
    struct pk_value value = {.type = PK_TYPE_BINARY, .subtype = 4};
    value.text = (struct pk_text){(const char *)id.uuid, sizeof id.uuid};
    struct pk_text start = pk_text_of(prefix), text = pk_value_to_text(value);
    char *address = pk_allocate(start.size + text.size);
    __builtin_memcpy(address, start.data, start.size);
    __builtin_memcpy(address + start.size, text.data, text.size);
    return (struct pk_text){address, start.size + text.size};
}

void create_order(struct pk_request *request) {
    bool form = is_form(request);
    struct order order = {.lines = pk_allocate(ORDER_LINES_MAX * sizeof(struct line))};
    struct problem problem = form ? read_form(request, &order) : read_json(request, &order);
    if (problem.code == NULL) problem = check(&order);
    if (problem.code != NULL) {
        refuse_order(request, form, 400, problem);
        return;
    }
    struct pk_key id = pk_key_new();
    if (save(&order, id) != PK_OK) {
        pk_log(PK_ERROR, pk_error_message());
        refuse_order(request, form, 503, refuse("unavailable", "the order could not be written"));
        return;
    }
    if (form) {
        pk_redirect(request, 303, order_address(id, "/orders/"));
        return;
    }
    pk_set_header(request, "location", order_address(id, "/api/orders/"));
    if (!write_order(request, id)) pk_abort("the order that was written cannot be read");
    pk_set_status(request, 201);
}

void api_order(struct pk_request *request) {
    struct pk_key id;
    if (!pk_key_uuid(pk_param(request, "id"), &id) || !write_order(request, id))
        pk_fail(request, 404, "not_found", PK_TEXT("there is no such order"));
}

static void write_receipt(struct pk_out *out, struct pk_document order, struct pk_result *lines) {
    struct pk_document line;
    pk_raw(out, "<section class=\"receipt\"><h1>Thank you, ");
    pk_escape(out, pk_get_text(order, "customer"));
    pk_raw(out, "!</h1><p class=\"muted\">Your order is <strong>");
    pk_escape(out, pk_get_text(order, "status"));
    pk_raw(out, "</strong>. The oven is hot.</p><table><thead><tr><th>Dish</th><th>Price</th>"
                "<th>Quantity</th><th>Amount</th></tr></thead><tbody>");
    while (pk_result_next(lines, &line)) {
        pk_raw(out, "<tr><td><a href=\"/products/");
        pk_write_int(out, pk_get_int(line, "product_id", 0));
        pk_raw(out, "\">");
        pk_escape(out, pk_get_text(line, "name"));
        pk_raw(out, "</a></td><td>");
        write_price(out, pk_get_int(line, "price", 0));
        pk_raw(out, "</td><td>");
        pk_write_int(out, pk_get_int(line, "quantity", 0));
        pk_raw(out, "</td><td>");
        write_price(out, pk_get_int(line, "amount", 0));
        pk_raw(out, "</td></tr>");
    }
    pk_raw(out, "</tbody><tfoot><tr><th colspan=\"3\">Total</th><th>");
    write_price(out, pk_get_int(order, "total", 0));
    pk_raw(out, "</th></tr></tfoot></table><p class=\"muted\">Order ");
    pk_escape(out, pk_value_to_text(pk_get(order, "_id")));
    pk_raw(out, "</p><p><a class=\"button\" href=\"/\">Back to the menu</a></p></section>"
                "<script src=\"/basket.js\" data-empty defer></script>");
}

void order_page(struct pk_request *request) {
    struct pk_key id;
    struct pk_document order;
    struct pk_result lines;
    if (!pk_key_uuid(pk_param(request, "id"), &id) || pk_find("orders", id, &order) != PK_OK ||
        find_lines(id, &lines) != PK_OK) {
        page_problem(request, 404, PK_TEXT("We do not know this order"),
                     PK_TEXT("Perhaps the address was cut off?"));
        return;
    }
    struct pk_out *out = pk_html(request);
    page_begin(out, PK_TEXT("Your order"));
    write_receipt(out, order, &lines);
    page_end(out);
}
