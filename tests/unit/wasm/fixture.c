// SPDX-License-Identifier: Apache-2.0
#include "fixture.h"

#include <stdio.h>

#include "base/clock.h"

const char *fixture_guest_path(const char *guest) {
    static char path[512];
    snprintf(path, sizeof path, "%s/%s.wasm", GUEST_DIRECTORY, guest);
    return path;
}

struct wasm_options fixture_options(void) {
    static char cache[512];
    struct wasm_options options = wasm_options_default();
    snprintf(cache, sizeof cache, "%s/code", test_directory());
    options.cache_directory = cache;
    options.compiler = COMPILER;
    options.running_max = 4;
    options.suspended_max = 4;
    options.pool_min = 1;
    options.memory_bytes_max = 4 << 20;
    options.deadline_ms = 2000;
    options.response_bytes_max = 512 * 1024;
    return options;
}

void fixture_open_session(struct fixture *fixture, const char *guest,
                          const struct wasm_options *options, struct session *session) {
    struct error error = {0};
    static const char config[] = {5, 0, 0, 0, 0};
    *fixture = (struct fixture){.options = options == NULL ? fixture_options() : *options,
                                .session = session};
    CHECK_OK(wasm_runtime_new(&fixture->options, &fixture->runtime, &error));
    if (wasm_module_load(fixture->runtime, fixture_guest_path(guest), &fixture->module, &error) !=
        STATUS_OK)
        test_fail(__FILE__, __LINE__, "%s", error.message);
    CHECK_OK(loop_new(&fixture->loop));
    if (wasm_worker_new(fixture->runtime, fixture->module, fixture->loop, session,
                        bytes_of(config, sizeof config), &fixture->worker, &error) != STATUS_OK)
        test_fail(__FILE__, __LINE__, "%s", error.message);
}

void fixture_open(struct fixture *fixture, const char *guest, const struct wasm_options *options) {
    fixture_open_session(fixture, guest, options, NULL);
}

void fixture_close(struct fixture *fixture) {
    CHECK_EQUAL(0, wasm_worker_running(fixture->worker));
    wasm_worker_free(fixture->worker);
    wasm_module_unref(fixture->module);
    wasm_runtime_free(fixture->runtime);
    loop_free(fixture->loop);
}

static void copy_text(char *target, size_t size, struct bytes text) {
    size_t length = text.size < size ? text.size : size - 1;
    if (length > 0) memcpy(target, text.data, length);
    target[length] = '\0';
}

void fixture_done(const struct wasm_result *result, void *context) {
    struct reply *reply = context;
    reply->count++;
    reply->time_ns = clock_monotonic_ns(clock_system());
    reply->status = result->status;
    reply->sequence = result->sequence;
    CHECK((result->status == STATUS_OK) == (result->reason == NULL));
    if (result->status != STATUS_OK) {
        snprintf(reply->reason, sizeof reply->reason, "%s", result->reason);
        return;
    }
    const struct http_response *response = &result->response;
    reply->http_status = response->status;
    reply->body_size = response->body.size;
    copy_text(reply->body, sizeof reply->body, response->body);
    reply->header_count = response->header_count;
    for (size_t i = 0; i < response->header_count && i < 16; i++) {
        copy_text(reply->headers[i][0], 64, response->headers[i].name);
        copy_text(reply->headers[i][1], 64, response->headers[i].value);
    }
}

static uint32_t find_route(struct fixture *fixture, const char *route) {
    const struct manifest *manifest = wasm_module_manifest(fixture->module);
    for (size_t i = 0; i < manifest->route_count; i++) {
        char text[200];
        snprintf(text, sizeof text, "%s %s", http_method_name(manifest->routes[i].method),
                 manifest->routes[i].path);
        if (strcmp(text, route) == 0) return (uint32_t)i;
    }
    test_fail(__FILE__, __LINE__, "no route %s", route);
}

void fixture_begin(struct fixture *fixture, const char *route, const char *param, struct bytes body,
                   struct reply *reply) {
    struct http_header *headers =
        reply->request.headers != NULL ? (struct http_header *)reply->request.headers : NULL;
    size_t header_count = reply->request.header_count;
    struct bytes method = bytes_of(route, (size_t)(strchr(route, ' ') - route));
    *reply = (struct reply){.request = {.path = bytes_of_string("/the/path%20x"),
                                        .query = bytes_of_string(""),
                                        .headers = headers,
                                        .header_count = header_count,
                                        .body = body,
                                        .remote = bytes_of_string("127.0.0.1:1"),
                                        .id = "0123456789abcdef0123456789abcdef"}};
    CHECK(http_method_parse(method, &reply->request.method));
    reply->match.route = find_route(fixture, route);
    if (param != NULL) {
        reply->match.param_count = 1;
        reply->match.params[0] = bytes_of_string(param);
    }
    wasm_worker_call(fixture->worker, &reply->request, &reply->match, fixture_done, reply,
                     &reply->call);
    CHECK((reply->count == 1) == (reply->call == NULL));
}

void fixture_wait(struct fixture *fixture, struct reply *reply) {
    uint64_t end = clock_monotonic_ns(clock_system()) + 20000000000;
    while (reply->count == 0) {
        wasm_worker_turn(fixture->worker);
        CHECK(clock_monotonic_ns(clock_system()) < end);
    }
    CHECK_EQUAL(1, reply->count);
}

void fixture_request(struct fixture *fixture, const char *route, const char *param,
                     struct reply *reply) {
    fixture_begin(fixture, route, param, bytes_of("", 0), reply);
    fixture_wait(fixture, reply);
}
