// SPDX-License-Identifier: Apache-2.0
// The guest host: modules, their manifests, compiled-code cache, instances, handlers on fibers.
// docs/ABI.md is the contract with guests. Wasmtime is seen by runtime.c alone.
//
// Threads. Runtime and module: any, counted. A worker and all that runs in it: its loop's thread.
#pragma once

#include "engine/engine.h"
#include "http/http.h"

struct wasm_options {
    int64_t workers;                // loops that will run guests
    int64_t running_max;            // instances running at once, of the process
    int64_t suspended_max;          // suspended handlers, of the process
    int64_t queue_max;              // requests waiting for an instance, per worker: then 503
    int64_t pool_min;               // instances kept ready per worker
    int64_t memory_bytes_max;       // per instance
    int64_t memory_bytes_total_max; // of all guests: beyond it none is added, those done are let go
    int64_t deadline_ms;            // wall clock of one call
    int64_t host_budget_us;         // one slice of a host call, and of guest code (an epoch)
    int64_t response_bytes_max;
    int64_t recycle_requests;    // an instance is replaced after so many; 0: never
    bool isolation_request;      // a fresh instance for each request
    const char *cache_directory; // NULL: $XDG_STATE_HOME/planck/code or ~/.local/state/planck/code
    const char *compiler;        // program run with --compile-module; NULL: this process's own
};
struct wasm_options wasm_options_default(void);

struct wasm_runtime;
// Creates the engine with its pool limits, and the thread that advances epochs.
CHECKED enum status wasm_runtime_new(const struct wasm_options *options, struct wasm_runtime **ret,
                                     struct error *error);
void wasm_runtime_free(struct wasm_runtime *runtime); // all modules and workers must be gone

// ---- module -----------------------------------------------------------------------------------
struct manifest_route {
    enum http_method method;
    char *path;
    bool transaction; // each request of it runs as one
};
struct manifest_store {
    char *name;
    enum key_type key_type;
};
struct manifest_index {
    char *store, *name, *field;
};
struct manifest {
    char *service, *version; // "" when not declared
    struct manifest_route *routes;
    size_t route_count;
    struct manifest_store *stores;
    size_t store_count;
    struct manifest_index *indexes;
    size_t index_count;
};
// From the text of the section. STATUS_INVALID with the line.
CHECKED enum status manifest_parse(struct bytes text, struct manifest **ret, struct error *error);
void manifest_free(struct manifest *manifest);
// Creates missing stores and indexes and waits for index builds; refuses contradictions.
CHECKED enum status manifest_apply(const struct manifest *manifest, struct engine *engine,
                                   struct error *error);

struct wasm_module;
// Reads, checks imports and exports, compiles (in a niced child process with limits) or takes the
// compiled code from the cache. STATUS_INVALID lists what is wrong or missing.
CHECKED enum status wasm_module_load(struct wasm_runtime *runtime, const char *path,
                                     struct wasm_module **ret, struct error *error);
const struct manifest *wasm_module_manifest(const struct wasm_module *module);
bool wasm_module_from_cache(const struct wasm_module *module);
void wasm_module_unref(struct wasm_module *module);
// Entry of the compiling child: `planck --compile-module` runs it. Reads the module on standard
// input and writes the artefact to standard output. Returns the exit code.
int wasm_compile_main(void);

// ---- worker -----------------------------------------------------------------------------------
struct wasm_worker;
// Instantiates pool_min instances and runs their `init`. The session is used for their host calls
// (role WRITE). `config` is the BSON document given to `init`.
CHECKED enum status wasm_worker_new(struct wasm_runtime *runtime, struct wasm_module *module,
                                    struct loop *loop, struct session *session, struct bytes config,
                                    struct wasm_worker **ret, struct error *error);
void wasm_worker_free(struct wasm_worker *worker); // nothing may be running

// A request of a route with POST, PUT, PATCH or DELETE is one transaction unless the manifest says
// otherwise. It begins with the first packet that needs it, is committed when the guest has
// answered below 400, and is forgotten otherwise. When the commit conflicts, the response is thrown
// away and the handler runs again on another instance, up to 5 times in all.
//
// Statuses other than STATUS_OK, and those of a commit that failed (status_http() has their code):
// STATUS_TRAP (trap, bad pointer, abort, bad return: 500),
// STATUS_INTERNAL (returned without a response: 500), STATUS_TIMEOUT (504), STATUS_BUSY (no
// instance free and the queue full: 503), STATUS_NO_MEMORY (of the host: 503), STATUS_CANCELLED.
struct wasm_result {
    enum status status;            // STATUS_OK: `response` is the guest's
    const char *reason;            // text for the log when not OK
    struct http_response response; // valid during the callback only
    uint64_t sequence;             // the reply may leave when storage_ack() reaches it
};
typedef void wasm_done(const struct wasm_result *result, void *context);

struct wasm_call;
// Runs the route's handler for the request; `done` is called exactly once, maybe before this
// returns. The read point follows from the method. `request` and what both point to must live until
// `done`; `match` itself is copied when that is needed. *ret_call can be cancelled until `done`; it
// is NULL when `done` was called already. May be called from inside `done` (the call then waits for
// the next turn), never from a host function.
void wasm_worker_call(struct wasm_worker *worker, const struct http_request *request,
                      const struct http_match *match, wasm_done *done, void *context,
                      struct wasm_call **ret_call);
// The client went away: the handler is dropped at its next suspension; `done` gets CANCELLED.
void wasm_call_cancel(struct wasm_call *call);
// Runs ready fibers, one slice each; true when some remain ready. Called from the loop's turn.
bool wasm_worker_turn(struct wasm_worker *worker);
size_t wasm_worker_running(const struct wasm_worker *worker);
