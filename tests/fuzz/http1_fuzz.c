// SPDX-License-Identifier: Apache-2.0
// The HTTP/1.1 parser on arbitrary bytes. The first byte says how they are cut; the outcome must be
// the one of feeding them whole, request after request. What was parsed goes to a router.
#include <stdlib.h>

#include "http/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PIPELINED_MAX = 16 };

static const struct http_parser_limits limits = {
    .header_bytes_max = 1024, .header_count_max = 16, .body_bytes_max = 512};

// The outcome of all requests of one input: a digest that two runs must share.
struct outcome {
    int requests, error;
    uint64_t digest;
};

static void mix(struct outcome *outcome, struct bytes bytes) {
    outcome->digest = outcome->digest * 31 + bytes.size + 1;
    for (size_t i = 0; i < bytes.size; i++)
        outcome->digest = outcome->digest * 0x100000001b3ULL + bytes.data[i];
}

static struct http_router *new_router(void) {
    static const char *const patterns[] = {"/", "/a", "/a/:b", "/a/:b/c/:d", "/f/*rest", "/:x/y"};
    struct http_router *router = NULL;
    if (http_router_new(&router) != STATUS_OK) abort();
    for (uint32_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++)
        if (http_router_add(router, HTTP_GET, bytes_of_string(patterns[i]), i, NULL) != STATUS_OK)
            abort();
    return router;
}

static void route(const struct http_request *request, struct outcome *outcome) {
    static struct http_router *router;
    if (router == NULL) router = new_router();
    struct arena arena = {0};
    struct http_match match;
    if (http_router_match(router, request->method, request->path, &arena, &match) == STATUS_OK) {
        for (size_t i = 0; i < match.param_count; i++) mix(outcome, match.params[i]);
    }
    arena_done(&arena);
}

static void take(const struct http_parser *parser, struct outcome *outcome) {
    const struct http_request *request = http_parser_request(parser);
    ASSERT(request->body.size <= limits.body_bytes_max);
    ASSERT(request->header_count <= limits.header_count_max);
    ASSERT(request->path.size > 0 &&
           (request->path.data[0] == '/' || request->path.data[0] == '*'));
    outcome->requests++;
    mix(outcome, request->target);
    mix(outcome, request->query);
    mix(outcome, request->body);
    for (size_t i = 0; i < request->header_count; i++) {
        mix(outcome, request->headers[i].name);
        mix(outcome, request->headers[i].value);
    }
    outcome->digest += http_parser_keep_alive(parser);
    route(request, outcome);
}

static struct outcome run(struct bytes input, size_t piece) {
    struct http_parser *parser = NULL;
    if (http_parser_new(&limits, &parser) != STATUS_OK) abort();
    struct outcome outcome = {0};
    for (size_t at = 0; at < input.size;) {
        size_t size = input.size - at < piece ? input.size - at : piece;
        enum http_parse_state state = http_parser_feed(parser, bytes_of(input.data + at, size));
        at += size;
        while (state == HTTP_PARSE_DONE && outcome.requests < PIPELINED_MAX) {
            take(parser, &outcome);
            http_parser_reset(parser);
            state = http_parser_feed(parser, bytes_of(NULL, 0));
        }
    }
    if (http_parser_state(parser) == HTTP_PARSE_ERROR) {
        const char *message = NULL;
        outcome.error = http_parser_error(parser, &message);
        mix(&outcome, bytes_of_string(message));
    }
    http_parser_free(parser);
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) return 0;
    struct bytes input = bytes_of(data + 1, size - 1);
    struct outcome whole = run(input, input.size);
    struct outcome pieces = run(input, (size_t)data[0] % 64 + 1);
    ASSERT(whole.requests == pieces.requests && whole.error == pieces.error);
    ASSERT(whole.digest == pieces.digest);
    return 0;
}
