// SPDX-License-Identifier: Apache-2.0
// A worker: one thread with its loop, its HTTP server, its session and its guest instances. A
// request is parsed, handled and answered here. Replies that depend on a sequence which is not yet
// acknowledged are held until it is (external synchrony).
#pragma once

#include "base/thread.h"
#include "wasm/wasm.h"

struct worker;

struct worker_options {
    struct engine *engine;
    struct wasm_runtime *runtime;
    struct wasm_module *module;
    const struct http_router *router; // routes are positions in the module's manifest
    struct http_options http;
    struct bytes config; // given to the guests' init
    unsigned number;
};

// Instances are made and `init` runs before it returns. The thread starts with worker_start().
CHECKED enum status worker_new(const struct worker_options *options, struct worker **ret,
                               struct error *error);
CHECKED enum status worker_start(struct worker *worker);
struct loop *worker_loop(struct worker *worker);
// Any thread: hands over a connected socket; `remote` is copied.
void worker_adopt(struct worker *worker, int descriptor, const char *remote);
// Any thread: connections of this worker, those on the way included.
size_t worker_connections(const struct worker *worker);
// Any thread: finishes running requests (for at most `grace_ms`), then ends the thread.
void worker_drain(struct worker *worker, uint64_t grace_ms);
void worker_join(struct worker *worker);
void worker_free(struct worker *worker); // not started, or joined; NULL is fine
