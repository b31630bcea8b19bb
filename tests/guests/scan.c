// SPDX-License-Identifier: Apache-2.0
// A handler that looks at every document of a store, beside one that reads a single one.
#include "planck.h"

static void scan(struct pk_request *request) {
    struct pk_select *query = pk_from("things");
    pk_where_text(query, "text", PK_CONTAINS, PK_TEXT("needle"));
    int64_t count = -1;
    if (pk_count(query, &count) != PK_OK) {
        pk_fail(request, 500, "internal", pk_error_message());
        return;
    }
    pk_write_int(pk_plain(request), count);
}

static void quick(struct pk_request *request) {
    struct pk_document document;
    if (pk_find("things", pk_key_int(7), &document) != PK_OK) {
        pk_fail(request, 500, "internal", pk_error_message());
        return;
    }
    pk_json_document(pk_json(request), NULL, document);
}

#define ROUTES(ROUTE)                                                                              \
    ROUTE(GET, "/scan", scan)                                                                      \
    ROUTE(GET, "/quick", quick)
PK_SERVICE("scan", "1.0.0")
PK_STORE("things", "int64")
PK_ROUTES(ROUTES)
