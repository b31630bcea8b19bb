// SPDX-License-Identifier: Apache-2.0
#include "planck.h"

static void hello(struct pk_request *request) {
    struct pk_out *out = pk_html(request);
    pk_raw(out, "<h1>Hello, ");
    pk_escape(out, pk_param(request, "name"));
    pk_raw(out, "</h1>");
}

#define ROUTES(ROUTE) ROUTE(GET, "/hello/:name", hello)
PK_SERVICE("hello", "1.0.0")
PK_ROUTES(ROUTES)
