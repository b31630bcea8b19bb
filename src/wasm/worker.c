// SPDX-License-Identifier: Apache-2.0
// A worker: its instances, its run queue, the calls that wait for an instance.
//
// Every instance that has guest code to run is in the run queue, one that sleeps in host_wait too
// (its slices belong to the engine), so a turn looks at each of them, at their deadlines and at
// whether their client is still there. Nothing of this folder runs while the run queue is empty but
// a timer while calls wait for an instance that cannot be made yet.
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "wasm/instance.h"
#include "wasm/module.h"

#define WAITING_CHECK_MS 20
#define ATTEMPTS 5            // of a request whose commit conflicts
#define BACKOFF_NS 50000ULL   // most that the second attempt waits; later ones twice the last
#define RETRY_NS 100000000ULL // after an instance could not be made
#define TURN_SLICES 2         // a turn that took this many slices' time lets the loop poll

struct wasm_worker {
    struct wasm_runtime *runtime;
    struct wasm_module *module;
    struct session *session;
    struct presence *presence;
    struct timer *timer;
    struct buffer config;
    const struct wasm_options *options;
    size_t running_max, live_max;

    struct list run;                      // instances with work
    struct list idle;                     // warm instances
    struct list waiting;                  // calls without an instance
    struct list retries;                  // calls whose next attempt waits for its time
    struct list spare;                    // call structures for reuse
    size_t live, warming, busy, sleeping; // instances; sleeping of busy: in host_wait
    size_t run_count, idle_count, waiting_count, retry_count;
    uint64_t retry_ns; // no new instance before this time
    bool inside;       // guest code or a `done` is running
    bool timer_running;
    bool sweep; // a waiting call was cancelled
};

static uint64_t now_ns(void) {
    return clock_monotonic_ns(clock_system());
}

// ---- calls --------------------------------------------------------------------------------------

static struct wasm_call *take_call(struct wasm_worker *worker) {
    if (list_empty(&worker->spare)) return calloc(1, sizeof(struct wasm_call));
    struct wasm_call *call = container_of(worker->spare.next, struct wasm_call, node);
    list_remove(&call->node);
    return call;
}

// Tells the caller and takes the structure back.
static void end_call(struct wasm_call *call, const struct wasm_result *result) {
    struct wasm_worker *worker = call->worker;
    wasm_done *function = call->done;
    void *context = call->context;
    list_push_front(&worker->spare, &call->node);
    bool outer = worker->inside;
    worker->inside = true;
    function(result, context);
    worker->inside = outer;
}

static void end_waiting_call(struct wasm_call *call, enum status status, const char *reason) {
    list_remove(&call->node);
    call->worker->waiting_count--;
    struct wasm_result result = {.status = status, .reason = reason};
    end_call(call, &result);
}

// ---- instances ----------------------------------------------------------------------------------

static void push_run(struct wasm_worker *worker, struct instance *instance) {
    list_push_back(&worker->run, &instance->node);
    worker->run_count++;
}

static void push_idle(struct wasm_worker *worker, struct instance *instance) {
    list_push_front(&worker->idle, &instance->node); // the last used one is warm in the caches
    worker->idle_count++;
}

static struct instance *take_idle(struct wasm_worker *worker) {
    if (list_empty(&worker->idle)) return NULL;
    struct instance *instance = container_of(worker->idle.next, struct instance, node);
    list_remove(&instance->node);
    worker->idle_count--;
    return instance;
}

static void drop_instance(struct wasm_worker *worker, struct instance *instance) {
    ASSERT(worker->live > 0);
    worker->live--;
    instance_free(instance);
}

static bool create_instance(struct wasm_worker *worker) {
    struct instance_options options = {
        .worker = worker,
        .runtime = worker->runtime,
        .code = module_code(worker->module),
        .presence = worker->presence,
        .session = worker->session,
        .config = buffer_bytes(&worker->config),
        .deadline_ns = now_ns() + (uint64_t)worker->options->deadline_ms * 1000000,
    };
    struct instance *instance;
    if (instance_new(&options, &instance) != STATUS_OK) return false;
    worker->live++;
    worker->warming++;
    push_run(worker, instance);
    return true;
}

static bool may_create(struct wasm_worker *worker) {
    if (worker->live >= worker->live_max || runtime_memory_exhausted(worker->runtime)) return false;
    if (worker->busy - worker->sleeping + worker->warming >= worker->running_max) return false;
    return worker->retry_ns == 0 || now_ns() >= worker->retry_ns;
}

static bool wants_instance(const struct wasm_worker *worker) {
    size_t ready = worker->idle_count + worker->warming;
    size_t pool_min = (size_t)worker->options->pool_min;
    if (worker->waiting_count > ready) return true;
    if (worker->options->isolation_request) return ready < pool_min;
    return worker->live < pool_min;
}

static void set_timer(struct wasm_worker *worker, bool wanted) {
    if (wanted == worker->timer_running) return;
    worker->timer_running = wanted;
    if (wanted)
        timer_start(worker->timer, WAITING_CHECK_MS, WAITING_CHECK_MS);
    else
        timer_stop(worker->timer);
}

// Gives idle instances to waiting calls and makes the instances that are wanted.
static void dispatch(struct wasm_worker *worker) {
    while (!list_empty(&worker->waiting) && !list_empty(&worker->idle)) {
        struct wasm_call *call = container_of(worker->waiting.next, struct wasm_call, node);
        struct instance *instance = take_idle(worker);
        list_remove(&call->node);
        worker->waiting_count--;
        worker->busy++;
        instance_start(instance, call);
        push_run(worker, instance);
    }
    while (wants_instance(worker) && may_create(worker)) {
        if (!create_instance(worker)) worker->retry_ns = now_ns() + RETRY_NS;
    }
    bool short_of_instances = wants_instance(worker);
    set_timer(worker, worker->waiting_count > 0 || short_of_instances);
}

// ---- slices -------------------------------------------------------------------------------------

static void count_outcome(enum status status) {
    if (status == STATUS_TRAP) metric_add(METRIC_wasm_traps, 1);
    if (status == STATUS_TIMEOUT) metric_add(METRIC_wasm_timeouts, 1);
}

static bool worth_keeping(const struct wasm_worker *worker, const struct instance *instance) {
    const struct wasm_options *options = worker->options;
    bool worn =
        options->recycle_requests > 0 && instance->requests >= (uint64_t)options->recycle_requests;
    return !worn && !options->isolation_request && !runtime_memory_exhausted(worker->runtime);
}

// A commit that lost against another runs again on another instance: this one may remember in its
// memory what never was. False: no more attempts.
static bool try_again(struct wasm_worker *worker, struct instance *instance,
                      struct outcome outcome) {
    struct wasm_call *call = instance->call;
    bool lost = outcome.status == STATUS_CONFLICT || outcome.status == STATUS_SNAPSHOT_TOO_OLD;
    if (!lost || call_committed(instance->operation) || ++call->attempts >= ATTEMPTS) return false;
    uint64_t most = BACKOFF_NS << call->attempts;
    call->not_before_ns = now_ns() + random_below(random_system(), most);
    metric_add(METRIC_wasm_host_calls, instance->host_calls);
    metric_add(METRIC_wasm_retries, 1);
    list_push_back(&worker->retries, &call->node);
    worker->retry_count++;
    instance->call = NULL;
    worker->busy--;
    drop_instance(worker, instance);
    return true;
}

// Gives calls to waiting ones whose next attempt is due.
static void take_retries(struct wasm_worker *worker) {
    uint64_t now = now_ns();
    for (struct list *node = worker->retries.next, *next; node != &worker->retries; node = next) {
        struct wasm_call *call = container_of(node, struct wasm_call, node);
        next = node->next;
        if (now < call->not_before_ns && !call->cancelled) continue;
        list_remove(node);
        worker->retry_count--;
        list_push_front(&worker->waiting, node);
        worker->waiting_count++;
    }
}

static void finish_call(struct wasm_worker *worker, struct instance *instance,
                        struct outcome outcome) {
    struct wasm_call *call = instance->call;
    struct wasm_result result = {.status = outcome.status, .sequence = instance->sequence};
    if (outcome.status == STATUS_OK) {
        result.response = (struct http_response){.status = instance->response.status,
                                                 .headers = instance->response.headers,
                                                 .header_count = instance->response.header_count,
                                                 .body = instance->response.body};
    } else {
        result.reason = instance->reason;
        count_outcome(outcome.status);
    }
    metric_add(METRIC_wasm_host_calls, instance->host_calls);
    instance->call = NULL;
    end_call(call, &result);
    worker->busy--;
    if (outcome.keep && worth_keeping(worker, instance) && instance_reset(instance))
        push_idle(worker, instance);
    else
        drop_instance(worker, instance);
}

static void finish_warming(struct wasm_worker *worker, struct instance *instance) {
    worker->warming--;
    worker->retry_ns = now_ns() + RETRY_NS;
    log_error("wasm", "an instance could not be made ready: %s", instance->reason);
    drop_instance(worker, instance);
}

static void note_sleep(struct wasm_worker *worker, struct instance *instance, bool before) {
    bool after = instance->wait == WAIT_ASLEEP;
    if (before && !after) worker->sleeping--;
    if (!before && after) worker->sleeping++;
}

// One slice of an instance that is in no list; true when the call's work goes on.
static bool run_slice(struct wasm_worker *worker, struct instance *instance) {
    struct outcome outcome;
    bool asleep = instance->wait == WAIT_ASLEEP;
    ASSERT(!worker->inside);
    worker->inside = true;
    enum slice_end end = instance_slice(instance, &outcome);
    worker->inside = false;
    if (end == SLICE_MORE) {
        note_sleep(worker, instance, asleep);
        push_run(worker, instance);
        return true;
    }
    if (asleep) worker->sleeping--;
    if (end == SLICE_WARM) {
        worker->warming--;
        worker->retry_ns = 0;
        push_idle(worker, instance);
    } else if (instance->call == NULL) {
        finish_warming(worker, instance);
    } else if (try_again(worker, instance, outcome)) {
        return true;
    } else {
        finish_call(worker, instance, outcome);
    }
    return false;
}

// A call that is not to go on: its client went away, or its time is over while it slept.
static bool give_up(struct wasm_worker *worker, struct instance *instance) {
    struct wasm_call *call = instance->call;
    if (call == NULL) return false;
    bool late = instance->wait == WAIT_ASLEEP && now_ns() >= instance->deadline_ns;
    if (!call->cancelled && !late) return false;
    if (instance->wait == WAIT_ASLEEP) worker->sleeping--;
    instance_refuse(instance, call->cancelled ? "the client went away" : "deadline passed");
    struct outcome outcome = {.status = call->cancelled ? STATUS_CANCELLED : STATUS_TIMEOUT,
                              .keep = false};
    finish_call(worker, instance, outcome);
    return true;
}

// Ends waiting calls that were cancelled or whose time is over.
static void sweep_waiting(struct wasm_worker *worker) {
    uint64_t now = now_ns();
    worker->sweep = false;
    for (struct list *node = worker->waiting.next, *next; node != &worker->waiting; node = next) {
        struct wasm_call *call = container_of(node, struct wasm_call, node);
        next = node->next;
        if (call->cancelled)
            end_waiting_call(call, STATUS_CANCELLED, "the client went away");
        else if (now >= call->deadline_ns)
            end_waiting_call(call, STATUS_TIMEOUT, "deadline passed before an instance was free");
    }
}

bool wasm_worker_turn(struct wasm_worker *worker) {
    ASSERT(!worker->inside);
    if (worker->retry_count > 0) take_retries(worker);
    if (worker->sweep) sweep_waiting(worker);
    if (wants_instance(worker) || worker->waiting_count > 0) dispatch(worker);
    if (list_empty(&worker->run)) return worker->retry_count > 0;
    uint64_t end = now_ns() + (uint64_t)worker->options->host_budget_us * 1000 * TURN_SLICES;
    for (size_t left = worker->run_count; left > 0 && !list_empty(&worker->run); left--) {
        struct instance *instance = container_of(worker->run.next, struct instance, node);
        list_remove(&instance->node);
        worker->run_count--;
        if (!give_up(worker, instance)) run_slice(worker, instance);
        if (now_ns() >= end) break;
    }
    dispatch(worker);
    return !list_empty(&worker->run) || worker->retry_count > 0;
}

// ---- the facade ---------------------------------------------------------------------------------

static bool is_transaction(const struct wasm_worker *worker, const struct http_request *request,
                           const struct http_match *match) {
    if (http_method_safe(request->method)) return false;
    const struct manifest *manifest = wasm_module_manifest(worker->module);
    if (match == NULL || match->route >= manifest->route_count) return true;
    return manifest->routes[match->route].transaction;
}

static void fill_call(struct wasm_call *call, struct wasm_worker *worker,
                      const struct http_request *request, const struct http_match *match,
                      wasm_done *function, void *context) {
    list_init(&call->node);
    call->worker = worker;
    call->request = request;
    call->match = match;
    call->done = function;
    call->context = context;
    call->cancelled = false;
    call->attempts = 0;
    call->transaction = is_transaction(worker, request, match);
    if (call->transaction && match != NULL) { // another attempt needs it later
        call->match_copy = *match;
        call->match = &call->match_copy;
    }
    call->deadline_ns = now_ns() + (uint64_t)worker->options->deadline_ms * 1000000;
}

static void wait_for_instance(struct wasm_worker *worker, struct wasm_call *call) {
    if (call->match != NULL && call->match != &call->match_copy) {
        call->match_copy = *call->match;
        call->match = &call->match_copy;
    }
    list_push_back(&worker->waiting, &call->node);
    worker->waiting_count++;
    if (!worker->inside) dispatch(worker);
}

static void refuse_call(wasm_done *function, void *context, enum status status,
                        const char *reason) {
    struct wasm_result result = {.status = status, .reason = reason};
    function(&result, context);
}

// Waiting calls that a new or idle instance will take at once do not count as a queue.
static bool queue_full(const struct wasm_worker *worker) {
    return worker->waiting_count >= (size_t)worker->options->queue_max + worker->idle_count;
}

void wasm_worker_call(struct wasm_worker *worker, const struct http_request *request,
                      const struct http_match *match, wasm_done *function, void *context,
                      struct wasm_call **ret_call) {
    *ret_call = NULL;
    metric_add(METRIC_wasm_calls, 1);
    struct instance *instance =
        worker->inside || worker->waiting_count > 0 ? NULL : take_idle(worker);
    if (instance == NULL && queue_full(worker)) {
        refuse_call(function, context, STATUS_BUSY, "no instance is free and the queue is full");
        return;
    }
    struct wasm_call *call = take_call(worker);
    if (call == NULL) {
        if (instance != NULL) push_idle(worker, instance);
        refuse_call(function, context, STATUS_NO_MEMORY, "no memory for a call");
        return;
    }
    fill_call(call, worker, request, match, function, context);
    if (instance == NULL) {
        wait_for_instance(worker, call);
        *ret_call = call;
        return;
    }
    worker->busy++;
    instance_start(instance, call);
    // When it ended, `done` may have freed what `ret_call` points to.
    if (run_slice(worker, instance)) *ret_call = call;
    if (worker->waiting_count > 0) dispatch(worker);
}

void wasm_call_cancel(struct wasm_call *call) {
    call->cancelled = true;
    call->worker->sweep = true;
}

size_t wasm_worker_running(const struct wasm_worker *worker) {
    return worker->busy + worker->waiting_count + worker->retry_count;
}

static void on_timer(void *context) {
    struct wasm_worker *worker = context;
    sweep_waiting(worker);
    dispatch(worker);
}

// ---- making and ending --------------------------------------------------------------------------

static void set_bounds(struct wasm_worker *worker) {
    const struct wasm_options *options = worker->options;
    int64_t running = options->running_max / options->workers;
    int64_t sleeping = options->suspended_max / options->workers;
    if (running < 1) running = 1;
    int64_t live = running + sleeping;
    if (live < options->pool_min) live = options->pool_min;
    ASSERT(live * options->workers <= runtime_guests_max(worker->runtime));
    worker->running_max = (size_t)running;
    worker->live_max = (size_t)live;
}

// The first instances are warmed here, so that a module whose `init` fails is refused at start.
static enum status warm_pool(struct wasm_worker *worker, struct error *error) {
    int64_t wanted = worker->options->pool_min > 0 ? worker->options->pool_min : 1;
    for (int64_t i = 0; i < wanted; i++) {
        if (!create_instance(worker))
            return error_set(error, STATUS_NO_MEMORY, "wasm: no memory for an instance");
        struct instance *instance = container_of(worker->run.next, struct instance, node);
        list_remove(&instance->node);
        worker->run_count--;
        struct outcome outcome;
        enum slice_end end;
        while ((end = instance_slice(instance, &outcome)) == SLICE_MORE) continue;
        worker->warming--;
        if (end == SLICE_WARM) {
            push_idle(worker, instance);
            continue;
        }
        error_set(error, STATUS_INVALID, "an instance could not be made ready by init: %s",
                  instance->reason);
        drop_instance(worker, instance);
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

static enum status start(struct wasm_worker *worker, struct loop *loop, struct bytes config,
                         struct error *error) {
    enum status status = buffer_append(&worker->config, config.data, config.size);
    if (status == STATUS_OK)
        status = presence_new(runtime_ticker(worker->runtime), &worker->presence);
    if (status == STATUS_OK) status = timer_new(loop, on_timer, worker, &worker->timer);
    if (status != STATUS_OK) return error_set(error, status, "wasm: no memory for a worker");
    return warm_pool(worker, error);
}

enum status wasm_worker_new(struct wasm_runtime *runtime, struct wasm_module *module,
                            struct loop *loop, struct session *session, struct bytes config,
                            struct wasm_worker **ret, struct error *error) {
    struct wasm_worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL) return error_set(error, STATUS_NO_MEMORY, "wasm: no memory for a worker");
    worker->runtime = runtime;
    worker->module = module_ref(module);
    worker->session = session;
    worker->options = runtime_options(runtime);
    list_init(&worker->run);
    list_init(&worker->idle);
    list_init(&worker->waiting);
    list_init(&worker->retries);
    list_init(&worker->spare);
    set_bounds(worker);
    enum status status = start(worker, loop, config, error);
    if (status != STATUS_OK) {
        wasm_worker_free(worker);
        return status;
    }
    *ret = worker;
    return STATUS_OK;
}

static void free_instances(struct list *list) {
    while (!list_empty(list)) instance_free(container_of(list->next, struct instance, node));
}

void wasm_worker_free(struct wasm_worker *worker) {
    if (worker == NULL) return;
    ASSERT(worker->busy == 0 && worker->waiting_count == 0 && !worker->inside);
    free_instances(&worker->run); // those that were being warmed
    free_instances(&worker->idle);
    while (!list_empty(&worker->spare)) {
        struct wasm_call *call = container_of(worker->spare.next, struct wasm_call, node);
        list_remove(&call->node);
        free(call);
    }
    timer_free(worker->timer);
    presence_free(worker->presence);
    buffer_done(&worker->config);
    wasm_module_unref(worker->module);
    free(worker);
}
