// SPDX-License-Identifier: Apache-2.0
// The C guest library of Planck: write a service as handlers in C, compile it to one .wasm.
//
//     #include "planck.h"
//     static void hello(struct pk_request *request) {
//         struct pk_out *out = pk_html(request);
//         pk_raw(out, "<h1>Hello, ");
//         pk_escape(out, pk_param(request, "name"));
//         pk_raw(out, "</h1>");
//     }
//     #define ROUTES(ROUTE) ROUTE(GET, "/hello/:name", hello)
//     PK_SERVICE("hello", "1.0.0")
//     PK_ROUTES(ROUTES)
//
// Build (see sdk/c/README.md): clang --target=wasm32 -O2 -ffreestanding -nostdlib … service.c
// planck.c
//
// Memory. Everything that these functions return lives until the handler returns: it lies in a
// per-request arena that is then reset, so nothing is freed and nothing leaks. Running out of
// memory ends the request with an error; no function returns NULL for that reason. Reading
// documents and requests allocates nothing: values point into the request or the reply. Texts are
// views (`struct pk_text`), not NUL-terminated; PK_TEXT("…") makes one of a literal.
#ifndef PLANCK_H
#define PLANCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// ---- texts ----------------------------------------------------------------------------------
struct pk_text {
    const char *data; // NULL: absent
    size_t size;
};
#define PK_TEXT(literal) ((struct pk_text){("" literal), sizeof(literal) - 1})
struct pk_text pk_text_of(const char *string); // of a NUL-terminated string
bool pk_text_equal(struct pk_text a, struct pk_text b);
bool pk_text_is(struct pk_text text, const char *string);
struct pk_text pk_text_trim(struct pk_text text); // without surrounding white space
// Decimal integer in full; false when it is not one, or does not fit.
bool pk_text_to_int(struct pk_text text, int64_t *ret);
void *pk_allocate(size_t size); // in the request's arena, aligned to 8, not zeroed

// ---- status of database operations (the codes of docs/PROTOCOL.md) -----------------------------
enum pk_status {
    PK_OK = 0,
    PK_INVALID = 1,
    PK_NOT_FOUND = 2,
    PK_DUPLICATE_KEY = 3,
    PK_CONFLICT = 4,
    PK_NO_STORE = 5,
    PK_FORBIDDEN = 8,
    PK_TOO_LARGE = 9,
    PK_UNSUPPORTED = 10,
    PK_READ_ONLY = 21,
};
// The message of the last operation that failed in this request.
struct pk_text pk_error_message(void);

// ---- requests -------------------------------------------------------------------------------
enum pk_method { PK_GET = 1, PK_HEAD, PK_POST, PK_PUT, PK_PATCH, PK_DELETE, PK_OPTIONS };
struct pk_request;
typedef void pk_handler(struct pk_request *request);

enum pk_method pk_request_method(const struct pk_request *request);
struct pk_text pk_request_path(const struct pk_request *request);
struct pk_text pk_request_id(const struct pk_request *request);
struct pk_text pk_request_body(const struct pk_request *request);
// Absent (data NULL) when there is no such value. Parameters are named as in the route's pattern;
// query and form values are percent-decoded; header names in lower case.
struct pk_text pk_param(const struct pk_request *request, const char *name);
struct pk_text pk_query(const struct pk_request *request, const char *name);
struct pk_text pk_header(const struct pk_request *request, const char *name);
struct pk_text pk_cookie(const struct pk_request *request, const char *name);
// Fields of an application/x-www-form-urlencoded body.
struct pk_text pk_form(const struct pk_request *request, const char *name);
// All fields in order: start with *cursor = 0; false at the end.
bool pk_form_next(const struct pk_request *request, size_t *cursor, struct pk_text *ret_name,
                  struct pk_text *ret_value);
bool pk_is_json(const struct pk_request *request);      // Content-Type
bool pk_prefers_html(const struct pk_request *request); // Accept

// ---- documents: reading in place ---------------------------------------------------------------
struct pk_document { // a BSON document or array; data NULL: none
    const uint8_t *data;
    size_t size;
};
enum pk_type {
    PK_MISSING = 0,
    PK_TYPE_DOUBLE = 0x01,
    PK_TYPE_TEXT = 0x02,
    PK_TYPE_DOCUMENT = 0x03,
    PK_TYPE_ARRAY = 0x04,
    PK_TYPE_BINARY = 0x05,
    PK_TYPE_BOOL = 0x08,
    PK_TYPE_DATE = 0x09,
    PK_TYPE_NULL = 0x0a,
    PK_TYPE_INT32 = 0x10,
    PK_TYPE_INT64 = 0x12,
};
struct pk_value {
    enum pk_type type;
    uint8_t subtype;             // BINARY
    struct pk_text text;         // TEXT, BINARY
    struct pk_document document; // DOCUMENT, ARRAY
    int64_t integer;             // INT32, INT64, DATE (ms), BOOL
    double number;               // DOUBLE, INT32, INT64
};
// `path`: "name" or "address.city" or "lines.0.quantity".
struct pk_value pk_get(struct pk_document document, const char *path);
struct pk_text pk_get_text(struct pk_document document, const char *path); // absent unless a text
int64_t pk_get_int(struct pk_document document, const char *path, int64_t fallback);
double pk_get_double(struct pk_document document, const char *path, double fallback);
bool pk_get_bool(struct pk_document document, const char *path, bool fallback);
struct pk_document pk_get_document(struct pk_document document, const char *path); // or array
struct pk_iterator {
    const uint8_t *next;
    const uint8_t *end;
};
struct pk_iterator pk_iterate(struct pk_document document);
bool pk_next(struct pk_iterator *iterator, struct pk_text *ret_name, struct pk_value *ret_value);

// JSON text to a document (numbers without fraction and exponent become INT64, else DOUBLE). On
// failure false, and what and where in `ret_error` (may be NULL).
bool pk_json_parse(struct pk_text json, struct pk_document *ret, struct pk_text *ret_error);

// ---- documents: building -----------------------------------------------------------------------
struct pk_builder;
struct pk_builder *pk_document_begin(void); // in the request's arena
struct pk_document pk_document_end(struct pk_builder *builder);
// In arrays `name` is ignored and may be NULL.
void pk_add_text(struct pk_builder *builder, const char *name, struct pk_text value);
void pk_add_int(struct pk_builder *builder, const char *name, int64_t value);
void pk_add_double(struct pk_builder *builder, const char *name, double value);
void pk_add_bool(struct pk_builder *builder, const char *name, bool value);
void pk_add_null(struct pk_builder *builder, const char *name);
void pk_add_date(struct pk_builder *builder, const char *name, int64_t milliseconds);
void pk_add_value(struct pk_builder *builder, const char *name, struct pk_value value);
void pk_add_document(struct pk_builder *builder, const char *name, struct pk_document value);
void pk_add_array(struct pk_builder *builder, const char *name, struct pk_document value);
void pk_begin_document(struct pk_builder *builder, const char *name);
void pk_begin_array(struct pk_builder *builder, const char *name);
void pk_end(struct pk_builder *builder);

// ---- database -------------------------------------------------------------------------------
struct pk_key {
    uint8_t kind; // internal
    int64_t integer;
    struct pk_text text;
    uint8_t uuid[16];
};
struct pk_key pk_key_int(int64_t value);
struct pk_key pk_key_text(struct pk_text value);
// The 36-character form; false when it is not one.
bool pk_key_uuid(struct pk_text text, struct pk_key *ret);
struct pk_key pk_key_new(void); // a new UUID v7
void pk_add_key(struct pk_builder *builder, const char *name, struct pk_key key);
// Writes a UUID value (BINARY subtype 4), an integer or a text as the text that URLs carry.
struct pk_text pk_value_to_text(struct pk_value value);

enum pk_status pk_find(const char *store, struct pk_key key, struct pk_document *ret);
// `_id` is generated when absent in a uuid store; `ret_id` (may be NULL) is the id as a value.
enum pk_status pk_insert(const char *store, struct pk_document document, struct pk_value *ret_id);
enum pk_status pk_put(const char *store, struct pk_document document);
enum pk_status pk_replace(const char *store, struct pk_document document);
// Sets the fields of `changes` (dotted names allowed); `ret` (may be NULL) is the new document.
enum pk_status pk_update(const char *store, struct pk_key key, struct pk_document changes,
                         struct pk_document *ret);
enum pk_status pk_delete(const char *store, struct pk_key key);

// Several writes, in any stores, that happen together or not at all.
struct pk_batch;
struct pk_batch *pk_batch_begin(void);
void pk_batch_insert(struct pk_batch *batch, const char *store, struct pk_document document);
void pk_batch_put(struct pk_batch *batch, const char *store, struct pk_document document);
void pk_batch_replace(struct pk_batch *batch, const char *store, struct pk_document document);
void pk_batch_delete(struct pk_batch *batch, const char *store, struct pk_key key);
enum pk_status pk_batch_commit(struct pk_batch *batch);

// ---- queries --------------------------------------------------------------------------------
//     struct pk_select *query = pk_from("products");
//     pk_where_text(query, "category", PK_EQ, category);
//     pk_order_by(query, "price", PK_ASCENDING);
//     pk_limit(query, 20);
//     struct pk_result result;
//     if (pk_run(query, &result) != PK_OK) …
//     while (pk_result_next(&result, &document)) …
struct pk_select;
enum pk_compare {
    PK_EQ,
    PK_NE,
    PK_LT,
    PK_LE,
    PK_GT,
    PK_GE,
    PK_CONTAINS, // texts
    PK_STARTS_WITH,
    PK_ENDS_WITH,
    PK_CONTAINS_ANY_CASE,
};
enum pk_direction { PK_ASCENDING, PK_DESCENDING };
struct pk_select *pk_from(const char *store);
// Conditions of one level hold together; inside pk_any_begin() … pk_any_end() any one of them does.
void pk_where_text(struct pk_select *query, const char *path, enum pk_compare compare,
                   struct pk_text value);
void pk_where_int(struct pk_select *query, const char *path, enum pk_compare compare,
                  int64_t value);
void pk_where_double(struct pk_select *query, const char *path, enum pk_compare compare,
                     double value);
void pk_where_bool(struct pk_select *query, const char *path, bool value);
void pk_where_key(struct pk_select *query, const char *path, enum pk_compare compare,
                  struct pk_key key);
void pk_where_exists(struct pk_select *query, const char *path);
void pk_any_begin(struct pk_select *query);
void pk_any_end(struct pk_select *query);
void pk_order_by(struct pk_select *query, const char *path, enum pk_direction direction);
void pk_limit(struct pk_select *query, int64_t limit);
void pk_skip(struct pk_select *query, int64_t skip);
// Goes on behind an earlier result: its `next`, as text. One that is not well formed: PK_INVALID.
void pk_after(struct pk_select *query, struct pk_text cursor);
void pk_fields(struct pk_select *query, const char *path); // keep only `_id` and the named ones

struct pk_result {
    uint32_t count;          // documents in this result
    struct pk_text next;     // cursor (base64url) of what follows; absent when nothing does
    struct pk_document rest; // internal
};
enum pk_status pk_run(struct pk_select *query, struct pk_result *ret);
bool pk_result_next(struct pk_result *result, struct pk_document *ret);
enum pk_status pk_count(struct pk_select *query, int64_t *ret);

// ---- responses ------------------------------------------------------------------------------
// A response is sent when the handler returns. Without anything else it is 200 with an empty body.
struct pk_out; // the body being written
void pk_set_status(struct pk_request *request, int status);
void pk_set_header(struct pk_request *request, const char *name, struct pk_text value);
void pk_redirect(struct pk_request *request, int status, struct pk_text location);
// {"error": {"code", "message"}} with that status; what the body held is dropped.
void pk_fail(struct pk_request *request, int status, const char *code, struct pk_text message);

// Begin a body of that content type.
struct pk_out *pk_html(struct pk_request *request);
struct pk_out *pk_json(struct pk_request *request);
struct pk_out *pk_plain(struct pk_request *request);
struct pk_out *pk_body(struct pk_request *request, const char *content_type);

// Unescaped: for markup that is written in the source only.
void pk_raw_text(struct pk_out *out, struct pk_text text);
#define pk_raw(out, literal) pk_raw_text((out), PK_TEXT(literal))
void pk_escape(struct pk_out *out, struct pk_text text);     // HTML text and quoted attributes
void pk_escape_url(struct pk_out *out, struct pk_text text); // one component of a URL
void pk_write_int(struct pk_out *out, int64_t value);
void pk_write_cents(struct pk_out *out, int64_t cents); // 1250 -> 12.50

// JSON: commas are written where they belong; `name` is NULL in arrays and at the top.
void pk_json_object(struct pk_out *out, const char *name);
void pk_json_array(struct pk_out *out, const char *name);
void pk_json_end(struct pk_out *out);
void pk_json_text(struct pk_out *out, const char *name, struct pk_text value);
void pk_json_int(struct pk_out *out, const char *name, int64_t value);
void pk_json_double(struct pk_out *out, const char *name, double value);
void pk_json_bool(struct pk_out *out, const char *name, bool value);
void pk_json_null(struct pk_out *out, const char *name);
// A whole document or value. UUIDs are written in their 36-character form, dates as RFC 3339.
void pk_json_document(struct pk_out *out, const char *name, struct pk_document document);
void pk_json_value(struct pk_out *out, const char *name, struct pk_value value);

// ---- the host -------------------------------------------------------------------------------
enum pk_level { PK_DEBUG, PK_INFO, PK_WARN, PK_ERROR };
void pk_log(enum pk_level level, struct pk_text message);
int64_t pk_now_ms(void); // since 1970
void pk_random(void *data, size_t size);
_Noreturn void pk_abort(const char *reason); // ends the request with a 500

// ---- declarations (the manifest) ---------------------------------------------------------------
// Each adds a line to the custom section `planck.manifest`. Literals only; no quotes inside.
#define PK_MANIFEST_LINE(line)                                                                     \
    __asm__(".section .custom_section.planck.manifest,\"\",@\n" line ".ascii \"\\n\"\n.text\n");
#define PK_SERVICE(name, version)                                                                  \
    PK_MANIFEST_LINE(".ascii \"{\\\"service\\\": {\\\"name\\\": \\\"\"\n.ascii " #name             \
                     "\n.ascii \"\\\", \\\"version\\\": \\\"\"\n.ascii " #version                  \
                     "\n.ascii \"\\\"}}\"\n")
#define PK_STORE(name, key_type)                                                                   \
    PK_MANIFEST_LINE(".ascii \"{\\\"store\\\": {\\\"name\\\": \\\"\"\n.ascii " #name               \
                     "\n.ascii \"\\\", \\\"key_type\\\": \\\"\"\n.ascii " #key_type                \
                     "\n.ascii \"\\\"}}\"\n")
#define PK_INDEX(store, name, field)                                                               \
    PK_MANIFEST_LINE(".ascii \"{\\\"index\\\": {\\\"store\\\": \\\"\"\n.ascii " #store             \
                     "\n.ascii \"\\\", \\\"name\\\": \\\"\"\n.ascii " #name                        \
                     "\n.ascii \"\\\", \\\"field\\\": \\\"\"\n.ascii " #field                      \
                     "\n.ascii \"\\\"}}\"\n")

struct pk_route {
    const char *pattern;
    pk_handler *handler;
};
#define PK_ROUTE_LINE(method, pattern, handler)                                                    \
    PK_MANIFEST_LINE(".ascii \"{\\\"route\\\": {\\\"method\\\": \\\"" #method                      \
                     "\\\", \\\"path\\\": \\\"\"\n.ascii " #pattern "\n.ascii \"\\\"}}\"\n")
#define PK_ROUTE_ENTRY(method, pattern, handler) {pattern, handler},
// In exactly one file, after the handlers.
#define PK_ROUTES(ROUTES)                                                                          \
    ROUTES(PK_ROUTE_LINE)                                                                          \
    const struct pk_route pk_routes[] = {ROUTES(PK_ROUTE_ENTRY)};                                  \
    const uint32_t pk_route_count = sizeof pk_routes / sizeof pk_routes[0];

// A service may define this: it runs once per instance, before the first request.
void pk_init(struct pk_document config);

#ifdef __cplusplus
}
#endif
#endif
