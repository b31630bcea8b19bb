// SPDX-License-Identifier: Apache-2.0
#include "planck/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/list.h"
#include "base/log.h"
#include "base/metrics.h"

struct worker {
    struct worker_options options;
    struct storage *storage;
    struct loop *loop;
    struct http_server *http;
    struct session *session;
    struct wasm_worker *wasm;
    struct thread thread;
    struct list held; // struct reply, waiting for an acknowledgement
    int listener;     // storage_listen() handle, or -1
    uint64_t drain_grace_ms;
    uint64_t sync_wanted;        // newest sequence that a held reply waits for
    _Atomic size_t arriving;     // sockets handed over and not yet adopted
    _Atomic size_t connections;  // of the HTTP server, as of its last turn
    atomic_bool release_posted;  // a look at `held` is on its way
    atomic_bool version_changed; // cached snapshots should go
};

// What is known of a request while its handler runs and while its reply is held. It lives in the
// exchange's arena.
struct reply {
    struct worker *worker;
    struct http_exchange *exchange;
    struct wasm_call *call; // running handler, or NULL
    struct list held;
    uint64_t sequence;
    struct http_response response; // while held: copies in the arena
};

// ---- held replies ---------------------------------------------------------------------------

static void release_held(struct worker *worker) {
    uint64_t ack = storage_ack(worker->storage);
    bool failed = storage_health(worker->storage) != STATUS_OK;
    struct list *next;
    for (struct list *at = worker->held.next; at != &worker->held; at = next) {
        next = at->next;
        struct reply *reply = container_of(at, struct reply, held);
        if (reply->sequence <= ack) {
            list_remove(at);
            http_respond(reply->exchange, &reply->response);
        } else if (failed) {
            list_remove(at);
            http_respond_error(reply->exchange, 503, status_text(STATUS_READ_ONLY),
                               "the commit log failed: the outcome of this write is unknown", NULL);
        }
    }
}

static void on_release(void *context) {
    struct worker *worker = context;
    atomic_store(&worker->release_posted, false);
    release_held(worker);
}

static void on_storage_event(enum storage_event event, void *context) {
    struct worker *worker = context;
    if (event == STORAGE_VERSION) atomic_store(&worker->version_changed, true);
    if (!atomic_exchange(&worker->release_posted, true))
        loop_post(worker->loop, on_release, worker);
}

static bool copy_bytes(struct arena *arena, struct bytes from, struct bytes *ret) {
    *ret = arena_copy(arena, from);
    return ret->data != NULL || from.size == 0;
}

static bool copy_response(struct arena *arena, const struct http_response *from,
                          struct http_response *to) {
    struct http_header *headers = arena_allocate(arena, sizeof *headers * (from->header_count + 1),
                                                 _Alignof(struct http_header));
    if (headers == NULL) return false;
    for (size_t i = 0; i < from->header_count; i++)
        if (!copy_bytes(arena, from->headers[i].name, &headers[i].name) ||
            !copy_bytes(arena, from->headers[i].value, &headers[i].value))
            return false;
    *to = (struct http_response){from->status, headers, from->header_count, {0}};
    return copy_bytes(arena, from->body, &to->body);
}

static void hold(struct reply *reply, const struct http_response *response, uint64_t sequence) {
    struct worker *worker = reply->worker;
    if (!copy_response(http_exchange_arena(reply->exchange), response, &reply->response)) {
        http_respond_error(reply->exchange, 503, status_text(STATUS_NO_MEMORY),
                           "no memory to hold the reply until its writes are durable", NULL);
        return;
    }
    reply->sequence = sequence;
    list_push_back(&worker->held, &reply->held);
    if (sequence > worker->sync_wanted) worker->sync_wanted = sequence;
}

// ---- requests -------------------------------------------------------------------------------

static void respond_failure(struct reply *reply, const struct wasm_result *result) {
    const struct http_request *request = http_exchange_request(reply->exchange);
    if (result->status != STATUS_CANCELLED)
        log_warn("wasm", "request %s: %s: %s", request->id, status_text(result->status),
                 result->reason != NULL ? result->reason : "");
    static const struct {
        enum status status;
        int http;
        const char *message;
    } failures[] = {
        {STATUS_TIMEOUT, 504, "the handler took too long"},
        {STATUS_BUSY, 503, "too many requests are waiting"},
        {STATUS_NO_MEMORY, 500, "the handler ran out of memory"},
        {STATUS_TRAP, 500, "the handler failed"},
    };
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++)
        if (failures[i].status == result->status) {
            http_respond_error(reply->exchange, failures[i].http, status_text(result->status),
                               failures[i].message, NULL);
            return;
        }
    // Of a commit.
    static const enum status refusals[] = {STATUS_CONFLICT,  STATUS_SNAPSHOT_TOO_OLD,
                                           STATUS_TOO_LARGE, STATUS_READ_ONLY,
                                           STATUS_NO_SPACE,  STATUS_NO_STORE};
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
        if (refusals[i] == result->status) {
            http_respond_error(reply->exchange, status_http(result->status),
                               status_text(result->status),
                               "the changes of this request could not be committed", NULL);
            return;
        }
    http_respond_error(reply->exchange, 500, status_text(STATUS_INTERNAL), "the handler failed",
                       NULL);
}

static void on_handled(const struct wasm_result *result, void *context) {
    struct reply *reply = context;
    reply->call = NULL;
    http_exchange_on_cancel(reply->exchange, NULL, NULL);
    if (result->status != STATUS_OK)
        respond_failure(reply, result);
    else if (result->sequence <= storage_ack(reply->worker->storage))
        http_respond(reply->exchange, &result->response);
    else
        hold(reply, &result->response, result->sequence);
}

static void on_client_gone(void *context) {
    struct reply *reply = context;
    if (reply->call != NULL) wasm_call_cancel(reply->call);
}

static void respond_unrouted(struct http_exchange *exchange, enum status status,
                             const struct http_match *match) {
    if (status == STATUS_NOT_FOUND)
        http_respond_error(exchange, 404, "not_found", "there is no such page", NULL);
    else if (status == STATUS_FORBIDDEN)
        http_respond_error(exchange, 405, "method_not_allowed",
                           "this address does not take that method", match->allow);
    else if (status == STATUS_MALFORMED)
        http_respond_error(exchange, 400, "malformed", "the path is not well formed", NULL);
    else
        http_respond_error(exchange, 503, status_text(STATUS_NO_MEMORY), "no memory", NULL);
}

static void on_request(struct http_exchange *exchange, void *context) {
    struct worker *worker = context;
    const struct http_request *request = http_exchange_request(exchange);
    struct arena *arena = http_exchange_arena(exchange);
    struct http_match match;
    enum status status =
        http_router_match(worker->options.router, request->method, request->path, arena, &match);
    struct reply *reply = NULL;
    if (status == STATUS_OK) {
        reply = arena_zalloc(arena, sizeof *reply);
        if (reply == NULL) status = STATUS_NO_MEMORY;
    }
    if (status != STATUS_OK) {
        respond_unrouted(exchange, status, &match);
        return;
    }
    reply->worker = worker;
    reply->exchange = exchange;
    http_exchange_on_cancel(exchange, on_client_gone, reply);
    // When `done` runs inside the call, the exchange and `reply` with it may be gone afterwards:
    // the out-parameter is a local that is copied only while a handler runs.
    struct wasm_call *call = NULL;
    wasm_worker_call(worker->wasm, request, &match, on_handled, reply, &call);
    if (call != NULL) reply->call = call;
}

// ---- loop -----------------------------------------------------------------------------------

static bool on_turn(void *context) {
    struct worker *worker = context;
    bool more = wasm_worker_turn(worker->wasm);
    if (!list_empty(&worker->held) && worker->sync_wanted > storage_durable(worker->storage))
        storage_request_sync(worker->storage, worker->sync_wanted);
    http_server_turn(worker->http);
    atomic_store_explicit(&worker->connections, http_server_connections(worker->http),
                          memory_order_relaxed);
    if (atomic_load_explicit(&worker->version_changed, memory_order_relaxed) && !more) {
        atomic_store(&worker->version_changed, false);
        session_idle(worker->session, false);
    }
    return more;
}

struct arrival {
    struct worker *worker;
    int descriptor;
    char remote[80];
};

static void on_arrival(void *context) {
    struct arrival *arrival = context;
    struct worker *worker = arrival->worker;
    atomic_fetch_sub(&worker->arriving, 1);
    http_server_adopt(worker->http, arrival->descriptor, arrival->remote);
    free(arrival);
}

void worker_adopt(struct worker *worker, int descriptor, const char *remote) {
    struct arrival *arrival = malloc(sizeof *arrival);
    if (arrival == NULL) {
        close(descriptor);
        return;
    }
    arrival->worker = worker;
    arrival->descriptor = descriptor;
    snprintf(arrival->remote, sizeof arrival->remote, "%s", remote);
    atomic_fetch_add(&worker->arriving, 1);
    loop_post(worker->loop, on_arrival, arrival);
}

size_t worker_connections(const struct worker *worker) {
    return atomic_load_explicit(&worker->connections, memory_order_relaxed) +
           atomic_load_explicit(&worker->arriving, memory_order_relaxed);
}

static void on_drained(void *context) {
    struct worker *worker = context;
    loop_stop(worker->loop);
}

static void on_drain(void *context) {
    struct worker *worker = context;
    http_server_drain(worker->http, worker->drain_grace_ms, on_drained, worker);
}

void worker_drain(struct worker *worker, uint64_t grace_ms) {
    worker->drain_grace_ms = grace_ms;
    loop_post(worker->loop, on_drain, worker);
}

// ---- life -----------------------------------------------------------------------------------

static enum status open_parts(struct worker *worker, struct error *error) {
    const struct worker_options *options = &worker->options;
    enum status status = loop_new(&worker->loop);
    if (status == STATUS_OK)
        status = session_open(options->engine, PERMISSION_WRITE, &worker->session);
    if (status == STATUS_OK)
        status = http_server_new(worker->loop, &options->http, on_request, worker, &worker->http);
    if (status != STATUS_OK) return error_set(error, status, "worker: %s", status_text(status));
    status = wasm_worker_new(options->runtime, options->module, worker->loop, worker->session,
                             options->config, &worker->wasm, error);
    if (status != STATUS_OK) return status;
    worker->listener = storage_listen(worker->storage, on_storage_event, worker);
    loop_set_turn(worker->loop, on_turn, worker);
    session_idle(worker->session, true);
    return STATUS_OK;
}

enum status worker_new(const struct worker_options *options, struct worker **ret,
                       struct error *error) {
    struct worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL) return error_set(error, STATUS_NO_MEMORY, "no memory for a worker");
    worker->options = *options;
    worker->storage = engine_storage(options->engine);
    worker->listener = -1;
    list_init(&worker->held);
    enum status status = open_parts(worker, error);
    if (status != STATUS_OK) {
        worker_free(worker);
        return status;
    }
    *ret = worker;
    return STATUS_OK;
}

static void run(void *context) {
    struct worker *worker = context;
    loop_run(worker->loop);
}

enum status worker_start(struct worker *worker) {
    char name[16];
    snprintf(name, sizeof name, "worker-%u", worker->options.number);
    return thread_start(&worker->thread, name, run, worker);
}

struct loop *worker_loop(struct worker *worker) {
    return worker->loop;
}

void worker_join(struct worker *worker) {
    thread_join(&worker->thread);
}

void worker_free(struct worker *worker) {
    if (worker == NULL) return;
    if (worker->listener >= 0) storage_unlisten(worker->storage, worker->listener);
    if (worker->wasm != NULL) wasm_worker_free(worker->wasm);
    if (worker->http != NULL) http_server_free(worker->http);
    if (worker->loop != NULL) loop_free(worker->loop);
    if (worker->session != NULL) session_close(worker->session);
    free(worker);
}
