// SPDX-License-Identifier: Apache-2.0
// The conformance service in C, the reference: tests/e2e/conformance/README.md says what each route
// does, and the same tests run against the same service in every other language.
#include "planck.h"

#define LIST_LIMIT 20

// ---- failures ---------------------------------------------------------------------------------

static void fail_database(struct pk_request *request, enum pk_status status) {
    switch (status) {
    case PK_INVALID:
        return pk_fail(request, 400, "invalid", pk_error_message());
    case PK_NOT_FOUND:
        return pk_fail(request, 404, "not_found", pk_error_message());
    case PK_DUPLICATE_KEY:
        return pk_fail(request, 409, "duplicate_key", pk_error_message());
    default:
        return pk_fail(request, 500, "database", pk_error_message());
    }
}

static bool read_body(struct pk_request *request, struct pk_document *ret) {
    struct pk_text error;
    if (pk_json_parse(pk_request_body(request), ret, &error)) return true;
    pk_fail(request, 400, "malformed", error);
    return false;
}

static void respond_document(struct pk_request *request, struct pk_document document) {
    pk_json_document(pk_json(request), NULL, document);
}

// ---- requests and responses -------------------------------------------------------------------

static void hello(struct pk_request *request) {
    struct pk_out *out = pk_html(request);
    pk_raw(out, "<h1>Hello, ");
    pk_escape(out, pk_param(request, "name"));
    pk_raw(out, "</h1>");
}

static struct pk_text method_name(const struct pk_request *request) {
    static const char *const names[] = {
        [PK_GET] = "GET",     [PK_HEAD] = "HEAD",     [PK_POST] = "POST",       [PK_PUT] = "PUT",
        [PK_PATCH] = "PATCH", [PK_DELETE] = "DELETE", [PK_OPTIONS] = "OPTIONS",
    };
    return pk_text_of(names[pk_request_method(request)]);
}

static void echo(struct pk_request *request) {
    struct pk_out *out = pk_json(request);
    pk_json_object(out, NULL);
    pk_json_text(out, "method", method_name(request));
    pk_json_text(out, "path", pk_request_path(request));
    pk_json_object(out, "query");
    pk_json_text(out, "a", pk_query(request, "a"));
    pk_json_text(out, "b", pk_query(request, "b"));
    pk_json_text(out, "ä", pk_query(request, "ä"));
    pk_json_end(out);
    pk_json_text(out, "header", pk_header(request, "x-test"));
    pk_json_text(out, "cookie", pk_cookie(request, "session"));
    pk_json_bool(out, "json", pk_is_json(request));
    pk_json_bool(out, "html", pk_prefers_html(request));
    pk_json_end(out);
}

static void form(struct pk_request *request) {
    struct pk_out *out = pk_json(request);
    pk_json_object(out, NULL);
    pk_json_text(out, "name", pk_form(request, "name"));
    pk_json_array(out, "fields");
    struct pk_text name, value;
    for (size_t cursor = 0; pk_form_next(request, &cursor, &name, &value);) {
        pk_json_object(out, NULL);
        pk_json_text(out, "name", name);
        pk_json_text(out, "value", value);
        pk_json_end(out);
    }
    pk_json_end(out);
    pk_json_end(out);
}

static void json(struct pk_request *request) {
    struct pk_document document;
    if (read_body(request, &document)) respond_document(request, document);
}

static void body_size(struct pk_request *request) {
    struct pk_text body = pk_request_body(request);
    int64_t sum = 0;
    for (size_t i = 0; i < body.size; i++) sum += (uint8_t)body.data[i];
    struct pk_out *out = pk_json(request);
    pk_json_object(out, NULL);
    pk_json_int(out, "size", (int64_t)body.size);
    pk_json_int(out, "sum", sum);
    pk_json_end(out);
}

static void values(struct pk_request *request) {
    struct pk_out *out = pk_json(request);
    pk_json_object(out, NULL);
    pk_json_text(out, "text", PK_TEXT("é \"\\/\n\x01</script> 𝄞"));
    pk_json_int(out, "least", INT64_MIN);
    pk_json_int(out, "most", INT64_MAX);
    pk_json_array(out, "doubles");
    pk_json_double(out, NULL, 0.1);
    pk_json_double(out, NULL, -1.5e300);
    pk_json_double(out, NULL, 5e-324);
    pk_json_double(out, NULL, 100);
    pk_json_double(out, NULL, __builtin_inf());
    pk_json_end(out);
    pk_json_bool(out, "yes", true);
    pk_json_bool(out, "no", false);
    pk_json_null(out, "nothing");
    pk_json_array(out, "empty");
    pk_json_end(out);
    pk_json_object(out, "object");
    pk_json_end(out);
    pk_json_end(out);
}

static void redirect(struct pk_request *request) {
    struct pk_text to = pk_query(request, "to");
    pk_redirect(request, 303, to.data == NULL ? PK_TEXT("/hello/you") : to);
}

static void status(struct pk_request *request) {
    int64_t code;
    if (!pk_text_to_int(pk_param(request, "code"), &code) || code < 200 || code > 599)
        return pk_fail(request, 400, "invalid", PK_TEXT("code is 200 to 599"));
    pk_set_status(request, (int)code);
    pk_set_header(request, "X-Conformance", PK_TEXT("yes"));
    pk_set_header(request, "Set-Cookie", PK_TEXT("a=1; Path=/"));
    pk_set_header(request, "Set-Cookie", PK_TEXT("b=2; HttpOnly"));
    if (code != 204 && code != 304) pk_raw(pk_plain(request), "status");
}

static void bytes(struct pk_request *request) {
    uint8_t *data = pk_allocate(256);
    for (int i = 0; i < 256; i++) data[i] = (uint8_t)i;
    struct pk_text text = {(const char *)data, 256};
    pk_raw_text(pk_body(request, "application/octet-stream"), text);
}

// ---- notes: one store, a query ------------------------------------------------------------------

static bool note_key(struct pk_request *request, struct pk_key *ret) {
    if (pk_key_uuid(pk_param(request, "id"), ret)) return true;
    pk_fail(request, 400, "invalid", PK_TEXT("the id is not a UUID"));
    return false;
}

static void add_note(struct pk_request *request) {
    struct pk_document body;
    if (!read_body(request, &body)) return;
    struct pk_text title = pk_text_trim(pk_get_text(body, "title"));
    if (title.size == 0) return pk_fail(request, 400, "invalid", PK_TEXT("title is missing"));
    struct pk_key key = pk_key_new();
    struct pk_builder *note = pk_document_begin();
    pk_add_key(note, "_id", key);
    pk_add_text(note, "title", title);
    pk_add_int(note, "rank", pk_get_int(body, "rank", 0));
    pk_add_value(note, "tags", pk_get(body, "tags"));
    pk_add_date(note, "at", 1767323045678);
    struct pk_document document = pk_document_end(note);
    struct pk_value id;
    enum pk_status result = pk_insert("notes", document, &id);
    if (result != PK_OK) return fail_database(request, result);
    pk_set_status(request, 201);
    respond_document(request, document);
    pk_set_header(request, "X-Id", pk_value_to_text(id));
}

static void find_note(struct pk_request *request) {
    struct pk_key key;
    struct pk_document note;
    if (!note_key(request, &key)) return;
    enum pk_status result = pk_find("notes", key, &note);
    if (result != PK_OK) return fail_database(request, result);
    respond_document(request, note);
}

static void update_note(struct pk_request *request) {
    struct pk_key key;
    struct pk_document changes, note;
    if (!note_key(request, &key) || !read_body(request, &changes)) return;
    enum pk_status result = pk_update("notes", key, changes, &note);
    if (result != PK_OK) return fail_database(request, result);
    respond_document(request, note);
}

static void delete_note(struct pk_request *request) {
    struct pk_key key;
    if (!note_key(request, &key)) return;
    enum pk_status result = pk_delete("notes", key);
    if (result != PK_OK) return fail_database(request, result);
    pk_set_status(request, 204);
}

// The conditions that the query string names.
static struct pk_select *select_notes(struct pk_request *request) {
    struct pk_select *query = pk_from("notes");
    struct pk_text title = pk_query(request, "title"), tag = pk_query(request, "tag");
    int64_t rank;
    if (title.data != NULL) pk_where_text(query, "title", PK_CONTAINS_ANY_CASE, title);
    if (tag.data != NULL) pk_where_text(query, "tags", PK_CONTAINS, tag);
    if (pk_text_to_int(pk_query(request, "min"), &rank)) pk_where_int(query, "rank", PK_GE, rank);
    if (pk_text_to_int(pk_query(request, "outside"), &rank)) {
        pk_any_begin(query);
        pk_where_int(query, "rank", PK_LT, -rank);
        pk_where_int(query, "rank", PK_GT, rank);
        pk_any_end(query);
    }
    return query;
}

static void list_notes(struct pk_request *request) {
    struct pk_select *query = select_notes(request);
    bool down = pk_text_is(pk_query(request, "order"), "down");
    int64_t limit = LIST_LIMIT;
    pk_text_to_int(pk_query(request, "limit"), &limit);
    pk_order_by(query, "rank", down ? PK_DESCENDING : PK_ASCENDING);
    pk_limit(query, limit);
    pk_after(query, pk_query(request, "after"));
    if (pk_query(request, "short").data != NULL) pk_fields(query, "title");
    struct pk_result result;
    enum pk_status code = pk_run(query, &result);
    if (code != PK_OK) return fail_database(request, code);
    struct pk_out *out = pk_json(request);
    pk_json_object(out, NULL);
    pk_json_array(out, "notes");
    for (struct pk_document note; pk_result_next(&result, &note);)
        pk_json_document(out, NULL, note);
    pk_json_end(out);
    pk_json_text(out, "next", result.next);
    pk_json_end(out);
}

static void count_notes(struct pk_request *request) {
    int64_t count;
    enum pk_status result = pk_count(select_notes(request), &count);
    if (result != PK_OK) return fail_database(request, result);
    struct pk_out *out = pk_json(request);
    pk_json_object(out, NULL);
    pk_json_int(out, "count", count);
    pk_json_end(out);
}

// ---- accounts: several writes at once -----------------------------------------------------------

static struct pk_document account_document(struct pk_text name, int64_t balance) {
    struct pk_builder *account = pk_document_begin();
    pk_add_text(account, "_id", name);
    pk_add_int(account, "balance", balance);
    return pk_document_end(account);
}

static void put_account(struct pk_request *request) {
    struct pk_document body;
    if (!read_body(request, &body)) return;
    struct pk_document account =
        account_document(pk_param(request, "name"), pk_get_int(body, "balance", 0));
    enum pk_status result = pk_put("accounts", account);
    if (result != PK_OK) return fail_database(request, result);
    respond_document(request, account);
}

static void find_account(struct pk_request *request) {
    struct pk_document account;
    enum pk_status result = pk_find("accounts", pk_key_text(pk_param(request, "name")), &account);
    if (result != PK_OK) return fail_database(request, result);
    respond_document(request, account);
}

// Moves the amount. With a "receipt", a note is inserted in the same batch, under that id: one that
// is there already, and nothing is written.
static void transfer(struct pk_request *request) {
    struct pk_document body, from, to;
    struct pk_key receipt;
    if (!read_body(request, &body)) return;
    struct pk_text from_name = pk_get_text(body, "from"), to_name = pk_get_text(body, "to");
    int64_t amount = pk_get_int(body, "amount", 0);
    enum pk_status result = pk_find("accounts", pk_key_text(from_name), &from);
    if (result == PK_OK) result = pk_find("accounts", pk_key_text(to_name), &to);
    if (result != PK_OK) return fail_database(request, result);
    int64_t left = pk_get_int(from, "balance", 0) - amount;
    if (left < 0) return pk_fail(request, 409, "insufficient", PK_TEXT("not enough"));
    struct pk_document paid = account_document(to_name, pk_get_int(to, "balance", 0) + amount);
    struct pk_batch *batch = pk_batch_begin();
    pk_batch_replace(batch, "accounts", account_document(from_name, left));
    pk_batch_replace(batch, "accounts", paid);
    if (pk_key_uuid(pk_get_text(body, "receipt"), &receipt)) {
        struct pk_builder *note = pk_document_begin();
        pk_add_key(note, "_id", receipt);
        pk_add_text(note, "title", PK_TEXT("receipt"));
        pk_batch_insert(batch, "notes", pk_document_end(note));
    }
    result = pk_batch_commit(batch);
    if (result != PK_OK) return fail_database(request, result);
    respond_document(request, paid);
}

// ---- the host ---------------------------------------------------------------------------------

static void write_log(struct pk_request *request) {
    struct pk_document body;
    if (!read_body(request, &body)) return;
    pk_log((enum pk_level)pk_get_int(body, "level", PK_INFO), pk_get_text(body, "message"));
    pk_set_status(request, 204);
}

static void now(struct pk_request *request) {
    struct pk_builder *document = pk_document_begin();
    uint64_t random = 0;
    pk_random(&random, sizeof random);
    pk_add_int(document, "ms", pk_now_ms());
    pk_add_date(document, "date", pk_now_ms());
    pk_add_key(document, "id", pk_key_new());
    pk_add_int(document, "random", (int64_t)random);
    respond_document(request, pk_document_end(document));
}

static void date(struct pk_request *request) {
    int64_t milliseconds;
    if (!pk_text_to_int(pk_param(request, "ms"), &milliseconds))
        return pk_fail(request, 400, "invalid", PK_TEXT("ms is not an integer"));
    struct pk_builder *document = pk_document_begin();
    pk_add_date(document, "date", milliseconds);
    respond_document(request, pk_document_end(document));
}

static struct pk_text service_name;

void pk_init(struct pk_document config) {
    service_name = pk_get_text(config, "service");
}

static void service(struct pk_request *request) {
    struct pk_out *out = pk_json(request);
    pk_json_object(out, NULL);
    pk_json_text(out, "service", service_name);
    pk_json_end(out);
}

static void abort_request(struct pk_request *request) {
    pk_raw(pk_plain(request), "never sent");
    pk_abort("conformance abort");
}

static void trap(struct pk_request *request) {
    pk_raw(pk_plain(request), "never sent");
    __builtin_trap();
}

#define ROUTES(ROUTE)                                                                              \
    ROUTE(GET, "/hello/:name", hello)                                                              \
    ROUTE(GET, "/echo", echo)                                                                      \
    ROUTE(POST, "/echo", echo)                                                                     \
    ROUTE(PUT, "/echo", echo)                                                                      \
    ROUTE(PATCH, "/echo", echo)                                                                    \
    ROUTE(DELETE, "/echo", echo)                                                                   \
    ROUTE(POST, "/form", form)                                                                     \
    ROUTE(POST, "/json", json)                                                                     \
    ROUTE(POST, "/size", body_size)                                                                \
    ROUTE(GET, "/values", values)                                                                  \
    ROUTE(GET, "/redirect", redirect)                                                              \
    ROUTE(GET, "/status/:code", status)                                                            \
    ROUTE(GET, "/bytes", bytes)                                                                    \
    ROUTE(POST, "/notes", add_note)                                                                \
    ROUTE(GET, "/notes", list_notes)                                                               \
    ROUTE(GET, "/notes/count", count_notes)                                                        \
    ROUTE(GET, "/notes/:id", find_note)                                                            \
    ROUTE(PUT, "/notes/:id", update_note)                                                          \
    ROUTE(DELETE, "/notes/:id", delete_note)                                                       \
    ROUTE(PUT, "/accounts/:name", put_account)                                                     \
    ROUTE(GET, "/accounts/:name", find_account)                                                    \
    ROUTE(POST, "/transfer", transfer)                                                             \
    ROUTE(POST, "/log", write_log)                                                                 \
    ROUTE(GET, "/now", now)                                                                        \
    ROUTE(GET, "/date/:ms", date)                                                                  \
    ROUTE(GET, "/service", service)                                                                \
    ROUTE(GET, "/abort", abort_request)                                                            \
    ROUTE(GET, "/trap", trap)
PK_SERVICE("conformance", "1.0.0")
PK_STORE("notes", "uuid")
PK_INDEX("notes", "by_rank", "rank")
PK_STORE("accounts", "string")
PK_ROUTES(ROUTES)
