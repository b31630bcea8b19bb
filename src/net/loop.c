// SPDX-License-Identifier: Apache-2.0
#include "loop.h"

#include <stdlib.h>

enum { LINGER_SWEEP_MS = 100 };

static void run_posted(struct loop *loop) {
    mutex_lock(&loop->lock);
    struct loop_calls calls = loop->posted;
    loop->posted = loop->running;
    loop->posted.count = 0;
    loop->running = calls;
    mutex_unlock(&loop->lock);
    // What these calls post runs in a later turn: it goes to the other array.
    for (size_t i = 0; i < calls.count; i++) calls.items[i].function(calls.items[i].context);
    loop->running.count = 0;
}

static void on_wake(uv_async_t *handle) {
    struct loop *loop = handle->data;
    if (atomic_load(&loop->stopping)) {
        atomic_store(&loop->stopping, false);
        uv_stop(&loop->uv);
    }
    if (!loop->ending) run_posted(loop);
}

static void on_busy(uv_idle_t *handle) {
    // Its being active is what keeps the poll from blocking.
    (void)handle;
}

static void on_before_poll(uv_prepare_t *handle) {
    struct loop *loop = handle->data;
    bool again = loop->turn != NULL && loop->turn(loop->turn_context);
    connection_send_gathered(loop);
    if (again == (uv_is_active((uv_handle_t *)&loop->busy) != 0)) return;
    int failed = again ? uv_idle_start(&loop->busy, on_busy) : uv_idle_stop(&loop->busy);
    ASSERT(failed == 0);
}

static enum status init_handles(struct loop *loop) {
    // Only the wake-up needs the system (an eventfd) and can fail.
    if (uv_async_init(&loop->uv, &loop->wake, on_wake) != 0) return STATUS_LIMIT;
    loop->wake.data = loop;
    int failed = uv_prepare_init(&loop->uv, &loop->before_poll);
    failed |= uv_idle_init(&loop->uv, &loop->busy);
    failed |= uv_timer_init(&loop->uv, &loop->linger_timer);
    loop->before_poll.data = loop->busy.data = loop->linger_timer.data = loop;
    failed |= uv_prepare_start(&loop->before_poll, on_before_poll);
    ASSERT(failed == 0);
    return STATUS_OK;
}

enum status loop_new(struct loop **ret) {
    struct loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL) return STATUS_NO_MEMORY;
    if (uv_loop_init(&loop->uv) != 0) {
        free(loop);
        return STATUS_LIMIT;
    }
    enum status status = init_handles(loop);
    if (status != STATUS_OK) {
        uv_loop_close(&loop->uv);
        free(loop);
        return status;
    }
    mutex_init(&loop->lock);
    list_init(&loop->lingering);
    list_init(&loop->gathered);
    *ret = loop;
    return STATUS_OK;
}

void loop_free(struct loop *loop) {
    if (loop == NULL) return;
    loop->turn = NULL;
    loop->ending = true; // what posted calls are about may be gone
    uv_idle_stop(&loop->busy);
    // Without our own handles the loop ends when the callers' are closed.
    uv_unref((uv_handle_t *)&loop->wake);
    uv_unref((uv_handle_t *)&loop->before_poll);
    while (uv_run(&loop->uv, UV_RUN_DEFAULT) != 0) {
    }
    uv_close((uv_handle_t *)&loop->wake, NULL);
    uv_close((uv_handle_t *)&loop->before_poll, NULL);
    uv_close((uv_handle_t *)&loop->busy, NULL);
    uv_close((uv_handle_t *)&loop->linger_timer, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    int failed = uv_loop_close(&loop->uv);
    ASSERT(failed == 0);
    mutex_done(&loop->lock);
    free(loop->posted.items);
    free(loop->running.items);
    free(loop);
}

void loop_run(struct loop *loop) {
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *loop) {
    atomic_store(&loop->stopping, true);
    uv_async_send(&loop->wake);
}

void loop_post(struct loop *loop, void (*function)(void *context), void *context) {
    mutex_lock(&loop->lock);
    struct loop_calls *calls = &loop->posted;
    if (calls->count == calls->capacity) {
        size_t capacity = calls->capacity == 0 ? 64 : calls->capacity * 2;
        struct loop_call *items = realloc(calls->items, capacity * sizeof *items);
        ASSERT(items != NULL); // a call that may not be lost and has no way to fail
        calls->items = items;
        calls->capacity = capacity;
    }
    bool first = calls->count == 0;
    calls->items[calls->count++] = (struct loop_call){function, context};
    mutex_unlock(&loop->lock);
    if (first) uv_async_send(&loop->wake);
}

void loop_set_turn(struct loop *loop, bool (*function)(void *context), void *context) {
    loop->turn = function;
    loop->turn_context = context;
}

uint64_t loop_now_ms(const struct loop *loop) {
    return uv_now(&loop->uv);
}

static void on_linger_timer(uv_timer_t *handle) {
    struct loop *loop = handle->data;
    connection_linger_sweep(loop);
    if (list_empty(&loop->lingering)) uv_timer_stop(&loop->linger_timer);
}

void loop_linger(struct loop *loop, struct list *node) {
    list_push_back(&loop->lingering, node);
    if (uv_is_active((uv_handle_t *)&loop->linger_timer)) return;
    int failed =
        uv_timer_start(&loop->linger_timer, on_linger_timer, LINGER_SWEEP_MS, LINGER_SWEEP_MS);
    ASSERT(failed == 0);
}
