// SPDX-License-Identifier: Apache-2.0
// What the files of this folder share: the inside of a loop.
#pragma once

#include <stdatomic.h>
#include <uv.h>

#include "base/list.h"
#include "base/thread.h"
#include "net/net.h"

enum { LOOP_READ_BUFFER_SIZE = 64 * 1024 };

struct loop_call {
    void (*function)(void *context);
    void *context;
};

struct loop_calls {
    struct loop_call *items;
    size_t count, capacity;
};

struct loop {
    uv_loop_t uv;
    uv_async_t wake;
    uv_prepare_t before_poll;
    uv_idle_t busy; // active: the loop polls without blocking
    bool (*turn)(void *context);
    void *turn_context;
    atomic_bool stopping;
    bool ending;       // loop_free() was called
    struct mutex lock; // guards `posted`
    struct loop_calls posted;
    struct loop_calls running; // taken from `posted`; the two swap so that neither reallocates
    struct list gathered;      // connections whose replies wait for the end of the turn
    size_t gathered_count;
    struct list lingering;   // connections that wait for the peer's end, by `linger_node`
    uv_timer_t linger_timer; // active while there are any
    uint8_t read_buffer[LOOP_READ_BUFFER_SIZE]; // one read is handed over before the next begins
};

// Runs connection_linger_sweep() every so often until `lingering` is empty.
void loop_linger(struct loop *loop, struct list *node);
// Sends what connections have gathered (connection.c).
void connection_send_gathered(struct loop *loop);
// Closes those whose time is over (connection.c).
void connection_linger_sweep(struct loop *loop);
