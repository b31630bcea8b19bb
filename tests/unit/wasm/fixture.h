// SPDX-License-Identifier: Apache-2.0
// A runtime with one module and one worker, and requests to it.
#pragma once

#include "test.h"
#include "wasm/wasm.h"

struct fixture {
    struct wasm_options options;
    struct wasm_runtime *runtime;
    struct wasm_module *module;
    struct loop *loop;
    struct wasm_worker *worker;
    struct session *session;
};

// Options for tests: compiled code in the test's directory, compiled by the helper program.
struct wasm_options fixture_options(void);
// `guest` is the name of a file of tests/guests.
void fixture_open(struct fixture *fixture, const char *guest, const struct wasm_options *options);
// With a session of the real engine.
void fixture_open_session(struct fixture *fixture, const char *guest,
                          const struct wasm_options *options, struct session *session);
void fixture_close(struct fixture *fixture);
const char *fixture_guest_path(const char *guest);

struct reply {
    int count; // how often `done` was called
    enum status status;
    int http_status;
    uint64_t sequence;
    char reason[1100];
    char body[4096]; // its beginning
    size_t body_size;
    size_t header_count;
    char headers[16][2][64];
    uint64_t time_ns; // when it came
    struct wasm_call *call;
    // What was asked; it lives as long as the call.
    struct http_request request;
    struct http_match match;
};

// Notes a result in the `struct reply` that `context` is.
void fixture_done(const struct wasm_result *result, void *context);
// Begins a request for the route of that path in the manifest ("GET /echo/:text"); `param` may be
// NULL. Turns of the worker do the rest.
void fixture_begin(struct fixture *fixture, const char *route, const char *param, struct bytes body,
                   struct reply *reply);
// Turns until the reply is there.
void fixture_wait(struct fixture *fixture, struct reply *reply);
// Both.
void fixture_request(struct fixture *fixture, const char *route, const char *param,
                     struct reply *reply);
