// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "loop.h"

struct timer {
    uv_timer_t uv;
    void (*function)(void *context);
    void *context;
};

static void on_fire(uv_timer_t *handle) {
    struct timer *timer = handle->data;
    timer->function(timer->context);
}

static void on_closed(uv_handle_t *handle) {
    free(handle->data);
}

enum status timer_new(struct loop *loop, void (*function)(void *context), void *context,
                      struct timer **ret) {
    struct timer *timer = calloc(1, sizeof *timer);
    if (timer == NULL) return STATUS_NO_MEMORY;
    int failed = uv_timer_init(&loop->uv, &timer->uv);
    ASSERT(failed == 0);
    timer->uv.data = timer;
    timer->function = function;
    timer->context = context;
    *ret = timer;
    return STATUS_OK;
}

void timer_start(struct timer *timer, uint64_t delay_ms, uint64_t repeat_ms) {
    int failed = uv_timer_start(&timer->uv, on_fire, delay_ms, repeat_ms);
    ASSERT(failed == 0);
}

void timer_stop(struct timer *timer) {
    uv_timer_stop(&timer->uv);
}

void timer_free(struct timer *timer) {
    if (timer != NULL) uv_close((uv_handle_t *)&timer->uv, on_closed);
}
