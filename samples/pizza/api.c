// SPDX-License-Identifier: Apache-2.0
// The JSON API of the menu.
#include "shop.h"

#define LIMIT_DEFAULT 20
#define LIMIT_MAX 100

static void write_product(struct pk_out *out, struct pk_document product) {
    pk_json_object(out, NULL);
    pk_json_int(out, "id", pk_get_int(product, "_id", 0));
    pk_json_text(out, "sku", pk_get_text(product, "sku"));
    pk_json_text(out, "name", pk_get_text(product, "name"));
    pk_json_text(out, "description", pk_get_text(product, "description"));
    pk_json_text(out, "category", pk_get_text(product, "category"));
    pk_json_int(out, "price", pk_get_int(product, "price", 0));
    pk_json_text(out, "currency", PK_TEXT(CURRENCY));
    pk_json_text(out, "image", pk_get_text(product, "image"));
    pk_json_value(out, "tags", pk_get(product, "tags"));
    pk_json_end(out);
}

void api_categories(struct pk_request *request) {
    struct pk_select *query = pk_from("categories");
    struct pk_result result;
    struct pk_document category;
    if (pk_run(query, &result) != PK_OK) {
        pk_fail(request, 500, "internal", pk_error_message());
        return;
    }
    struct pk_out *out = pk_json(request);
    pk_json_object(out, NULL);
    pk_json_array(out, "items");
    while (pk_result_next(&result, &category)) {
        pk_json_object(out, NULL);
        pk_json_text(out, "slug", pk_get_text(category, "slug"));
        pk_json_text(out, "name", pk_get_text(category, "name"));
        pk_json_int(out, "products", pk_get_int(category, "products", 0));
        pk_json_end(out);
    }
    pk_json_end(out);
    pk_json_end(out);
}

// GET /api/products?category=&q=&limit=&after=
void api_products(struct pk_request *request) {
    struct pk_text limit_text = pk_query(request, "limit");
    struct pk_text after = pk_query(request, "after");
    int64_t limit = LIMIT_DEFAULT;
    if (limit_text.size > 0 &&
        (!pk_text_to_int(limit_text, &limit) || limit < 1 || limit > LIMIT_MAX)) {
        pk_fail(request, 400, "invalid_limit", PK_TEXT("limit must be a number from 1 to 100"));
        return;
    }
    struct pk_select *query = pk_from("products");
    where_menu(query, pk_query(request, "category"), pk_query(request, "q"));
    pk_limit(query, limit);
    if (after.size > 0) pk_after(query, after);
    struct pk_result result;
    enum pk_status status = pk_run(query, &result);
    if (status != PK_OK) {
        bool bad_cursor = status == PK_INVALID;
        pk_fail(request, bad_cursor ? 400 : 500, bad_cursor ? "invalid_cursor" : "internal",
                pk_error_message());
        return;
    }
    struct pk_out *out = pk_json(request);
    struct pk_document product;
    pk_json_object(out, NULL);
    pk_json_array(out, "items");
    while (pk_result_next(&result, &product)) write_product(out, product);
    pk_json_end(out);
    if (result.next.data != NULL)
        pk_json_text(out, "next", result.next);
    else
        pk_json_null(out, "next");
    pk_json_end(out);
}

void api_product(struct pk_request *request) {
    int64_t id;
    struct pk_document product;
    if (!pk_text_to_int(pk_param(request, "id"), &id) ||
        pk_find("products", pk_key_int(id), &product) != PK_OK) {
        pk_fail(request, 404, "not_found", PK_TEXT("there is no such product"));
        return;
    }
    write_product(pk_json(request), product);
}
