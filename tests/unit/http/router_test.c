// SPDX-License-Identifier: Apache-2.0
#include "http/http.h"
#include "test.h"

static struct http_router *router;
static struct arena arena;

static void add(enum http_method method, const char *pattern, uint32_t route) {
    struct error error;
    if (router == NULL) CHECK_OK(http_router_new(&router));
    CHECK_OK(http_router_add(router, method, bytes_of_string(pattern), route, &error));
}

static enum status match(enum http_method method, const char *path, struct http_match *ret) {
    return http_router_match(router, method, bytes_of_string(path), &arena, ret);
}

static void done(void) {
    http_router_free(router);
    arena_done(&arena);
}

static void check_route(const char *path, uint32_t route, size_t count, const char *first,
                        const char *second) {
    struct http_match found;
    CHECK_OK(match(HTTP_GET, path, &found));
    CHECK_EQUAL(route, found.route);
    CHECK_EQUAL(count, found.param_count);
    if (count > 0) CHECK_BYTES(first, found.params[0]);
    if (count > 1) CHECK_BYTES(second, found.params[1]);
}

static void check_none(const char *path) {
    struct http_match found;
    CHECK_STATUS(STATUS_NOT_FOUND, match(HTTP_GET, path, &found));
}

TEST(router_paths) {
    add(HTTP_GET, "/", 1);
    add(HTTP_GET, "/products", 2);
    add(HTTP_GET, "/products/new", 3);
    add(HTTP_GET, "/products/:id", 4);
    add(HTTP_GET, "/products/:id/reviews/:review", 5);
    add(HTTP_GET, "/files/*path", 6);
    add(HTTP_GET, "/products/", 7);
    add(HTTP_GET, "/a b", 8);
    check_route("/", 1, 0, "", "");
    check_route("/products", 2, 0, "", "");
    check_route("/products/", 7, 0, "", "");
    check_route("/products/new", 3, 0, "", "");
    check_route("/products/%6eew", 3, 0, "", "");
    check_route("/products/17", 4, 1, "17", "");
    check_route("/products/new/reviews/2", 5, 2, "new", "2");
    check_route("/files/", 6, 1, "", "");
    check_route("/files/a/b%20c//d", 6, 1, "a/b c//d", "");
    check_route("/products/a%2Fb%c3%A9", 4, 1, "a/b\xc3\xa9", "");
    check_route("/a%20b", 8, 0, "", "");
    check_none("");
    check_none("*");
    check_none("/files");
    check_none("//");
    check_none("/Products");
    check_none("/products/1/");
    check_none("/products/1/reviews");
    check_none("/products/1/reviews/");
    done();
}

TEST(router_prefers_the_more_literal) {
    add(HTTP_GET, "/*all", 1);
    add(HTTP_GET, "/a/*rest", 2);
    add(HTTP_GET, "/:x/b", 3);
    add(HTTP_GET, "/a/b/c", 4);
    add(HTTP_GET, "/a/:y/d", 5);
    check_route("/a/b/c", 4, 0, "", "");
    check_route("/a/b/d", 5, 1, "b", "");
    check_route("/a/b/e", 2, 1, "b/e", "");
    check_route("/a/b", 2, 1, "b", "");
    check_route("/z/b", 3, 1, "z", "");
    check_route("/z/c", 1, 1, "z/c", "");
    check_route("/", 1, 1, "", "");
    done();
}

TEST(router_methods) {
    add(HTTP_GET, "/x", 1);
    add(HTTP_POST, "/x", 2);
    add(HTTP_DELETE, "/:any", 3);
    add(HTTP_HEAD, "/h", 4);
    add(HTTP_GET, "/h", 5);
    struct http_match found;
    CHECK_OK(match(HTTP_POST, "/x", &found));
    CHECK_EQUAL(2, found.route);
    CHECK_OK(match(HTTP_HEAD, "/x", &found));
    CHECK_EQUAL(1, found.route);
    CHECK_OK(match(HTTP_HEAD, "/h", &found));
    CHECK_EQUAL(4, found.route);
    CHECK_OK(match(HTTP_DELETE, "/x", &found));
    CHECK_EQUAL(3, found.route);
    CHECK_STATUS(STATUS_FORBIDDEN, match(HTTP_PUT, "/x", &found));
    CHECK(strcmp(found.allow, "GET, HEAD, POST, DELETE") == 0);
    CHECK_STATUS(STATUS_FORBIDDEN, match(HTTP_GET, "/other", &found));
    CHECK(strcmp(found.allow, "DELETE") == 0);
    CHECK_STATUS(STATUS_NOT_FOUND, match(HTTP_GET, "/other/one", &found));
    done();
}

TEST(router_refuses_bad_encoding) {
    add(HTTP_GET, "/:x", 1);
    static const char *const paths[] = {"/%", "/%4", "/%zz", "/a%00b", "/a%", "/no/%g0"};
    struct http_match found;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        CHECK_STATUS(STATUS_MALFORMED, match(HTTP_GET, paths[i], &found));
    done();
}

TEST(router_refuses_bad_patterns) {
    add(HTTP_GET, "/a/:id", 1);
    static const char *const invalid[] = {"",       "a",     "/:",     "/*",   "/*rest/more",
                                          "/:a/:a", "/:1a",  "/a%20b", "/a?b", "/:a-b",
                                          "/x*",    "/\x01", "/:a/*a"};
    struct error error;
    for (size_t i = 0; i < sizeof invalid / sizeof invalid[0]; i++) {
        CHECK_STATUS(STATUS_INVALID,
                     http_router_add(router, HTTP_GET, bytes_of_string(invalid[i]), 2, &error));
        CHECK(error.message[0] != '\0');
    }
    CHECK_STATUS(STATUS_EXISTS,
                 http_router_add(router, HTTP_GET, bytes_of_string("/a/:other"), 2, &error));
    CHECK_OK(http_router_add(router, HTTP_PUT, bytes_of_string("/a/:other"), 2, &error));
    struct buffer deep = {0};
    for (int i = 0; i <= HTTP_PARAMS_MAX; i++) CHECK_OK(buffer_append_format(&deep, "/:p%d", i));
    CHECK_STATUS(STATUS_INVALID, http_router_add(router, HTTP_GET, buffer_bytes(&deep), 2, &error));
    buffer_done(&deep);
    done();
}
