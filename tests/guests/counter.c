// SPDX-License-Identifier: Apache-2.0
// A counter that is read and then written, and handlers that write in vain.
#include "planck.h"

static int64_t current(void) {
    struct pk_document document;
    if (pk_find("counters", pk_key_int(1), &document) != PK_OK) return 0;
    return pk_get_int(document, "n", 0);
}

static void write_counter(int64_t n) {
    struct pk_builder *builder = pk_document_begin();
    pk_add_int(builder, "_id", 1);
    pk_add_int(builder, "n", n);
    if (pk_put("counters", pk_document_end(builder)) != PK_OK)
        pk_abort("the counter cannot be written");
}

static void show(struct pk_request *request) {
    pk_write_int(pk_plain(request), current());
}

static void increment(struct pk_request *request) {
    int64_t n = current() + 1;
    write_counter(n);
    pk_write_int(pk_plain(request), n);
}

static void refuse(struct pk_request *request) {
    write_counter(-1);
    pk_fail(request, 400, "refused", PK_TEXT("on second thoughts"));
}

static void trap(struct pk_request *request) {
    (void)request;
    write_counter(-2);
    __builtin_trap();
}

#define ROUTES(ROUTE)                                                                              \
    ROUTE(GET, "/counter", show)                                                                   \
    ROUTE(POST, "/counter", increment)                                                             \
    ROUTE(POST, "/refuse", refuse)                                                                 \
    ROUTE(POST, "/trap", trap)
PK_SERVICE("counter", "1.0.0")
PK_STORE("counters", "int64")
PK_ROUTES(ROUTES)
