// SPDX-License-Identifier: Apache-2.0
#include "planck.h"

static void list(struct pk_request *request) {
    struct pk_select *query = pk_from("notes");
    pk_order_by(query, "at", PK_DESCENDING);
    pk_limit(query, 20);
    struct pk_result result;
    if (pk_run(query, &result) != PK_OK) return pk_fail(request, 500, "query", pk_error_message());
    struct pk_out *out = pk_html(request);
    pk_raw(out, "<form method=post><input name=text></form><ul>");
    for (struct pk_document note; pk_result_next(&result, &note);) {
        pk_raw(out, "<li>");
        pk_escape(out, pk_get_text(note, "text"));
    }
    pk_raw(out, "</ul>");
}

static void add(struct pk_request *request) {
    struct pk_text text = pk_text_trim(pk_form(request, "text"));
    if (text.size == 0) return pk_fail(request, 400, "invalid", PK_TEXT("text is missing"));
    struct pk_builder *note = pk_document_begin();
    pk_add_text(note, "text", text);
    pk_add_date(note, "at", pk_now_ms());
    if (pk_insert("notes", pk_document_end(note), NULL) != PK_OK)
        return pk_fail(request, 500, "insert", pk_error_message());
    pk_redirect(request, 303, PK_TEXT("/"));
}

#define ROUTES(ROUTE) ROUTE(GET, "/", list) ROUTE(POST, "/", add)
PK_SERVICE("notes", "1.0.0")
PK_STORE("notes", "uuid")
PK_INDEX("notes", "by_at", "at")
PK_ROUTES(ROUTES)
