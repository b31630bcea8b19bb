// SPDX-License-Identifier: Apache-2.0
// The guest that bench/http_bench.py and bench/startup_bench.py measure: one random document, one
// small page, many point reads, and bytes that cost nothing to make.
#include "planck.h"

#define DOCUMENTS 10000
#define POINT_READS 20

static uint64_t random_state = 1;

void pk_init(struct pk_document config) {
    pk_random(&random_state, sizeof random_state);
    random_state |= 1; // xorshift never leaves 0
}

// Without a host call: the figures are to show the reads.
static struct pk_key random_key(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return pk_key_int((int64_t)(random_state % DOCUMENTS) + 1);
}

static bool find(struct pk_request *request, struct pk_document *ret) {
    if (pk_find("documents", random_key(), ret) == PK_OK) return true;
    pk_fail(request, 500, "internal", pk_error_message());
    return false;
}

static void document(struct pk_request *request) {
    struct pk_document document;
    if (find(request, &document)) pk_json_document(pk_json(request), NULL, document);
}

static void categories(struct pk_request *request) {
    struct pk_result result;
    struct pk_document category;
    if (pk_run(pk_from("categories"), &result) != PK_OK) {
        pk_fail(request, 500, "internal", pk_error_message());
        return;
    }
    struct pk_out *out = pk_html(request);
    pk_raw(out, "<!doctype html><title>Categories</title><ul>");
    while (pk_result_next(&result, &category)) {
        pk_raw(out, "<li><a href=\"/?category=");
        pk_escape_url(out, pk_get_text(category, "slug"));
        pk_raw(out, "\">");
        pk_escape(out, pk_get_text(category, "name"));
        pk_raw(out, "</a> (");
        pk_write_int(out, pk_get_int(category, "products", 0));
        pk_raw(out, ")</li>");
    }
    pk_raw(out, "</ul>");
}

static void reads(struct pk_request *request) {
    int64_t sum = 0;
    for (int i = 0; i < POINT_READS; i++) {
        struct pk_document document;
        if (!find(request, &document)) return;
        sum += pk_get_int(document, "amount", 0);
    }
    struct pk_out *out = pk_json(request);
    pk_json_object(out, NULL);
    pk_json_int(out, "reads", POINT_READS);
    pk_json_int(out, "sum", sum);
    pk_json_end(out);
}

static void fixed(struct pk_request *request) {
    pk_raw(pk_plain(request), "fixed bytes\n");
}

#define ROUTES(ROUTE)                                                                              \
    ROUTE(GET, "/bench/document", document)                                                        \
    ROUTE(GET, "/bench/categories", categories)                                                    \
    ROUTE(GET, "/bench/reads", reads)                                                              \
    ROUTE(GET, "/bench/fixed", fixed)

PK_SERVICE("bench", "1.0.0")
PK_STORE("documents", "int64")
PK_STORE("categories", "int64")
PK_STORE("archive", "int64")
PK_ROUTES(ROUTES)
