// SPDX-License-Identifier: Apache-2.0
// Event loop, timers, listeners and byte-stream connections over libuv (seen by this folder only).
// Everything belongs to the thread that runs the loop, but for loop_post() and loop_stop().
// Callbacks never run inside the call that asked for them, unless said.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

// ---- loop -----------------------------------------------------------------------------------
struct loop;
CHECKED enum status loop_new(struct loop **ret);
// All timers, listeners and connections must be closed; runs the loop until they are. Posted
// calls that have not run are dropped.
void loop_free(struct loop *loop);
// Runs until loop_stop().
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop); // any thread
// Any thread: runs `function(context)` on the loop, in order of posting. One wake-up serves many.
// What a posted call posts runs in a later turn.
void loop_post(struct loop *loop, void (*function)(void *context), void *context);
// `function` runs once each turn, after all I/O callbacks and before the loop polls again; when it
// returns true the loop polls without blocking and calls it again in the next turn (a run queue
// with work left). One per loop.
void loop_set_turn(struct loop *loop, bool (*function)(void *context), void *context);
// Milliseconds of the loop's clock, cached at the start of the turn.
uint64_t loop_now_ms(const struct loop *loop);

struct timer;
CHECKED enum status timer_new(struct loop *loop, void (*function)(void *context), void *context,
                              struct timer **ret);
// Restarts if running. `repeat_ms` 0: once.
void timer_start(struct timer *timer, uint64_t delay_ms, uint64_t repeat_ms);
void timer_stop(struct timer *timer);
void timer_free(struct timer *timer); // NULL is fine

// ---- listener -------------------------------------------------------------------------------
struct listener;
struct listener_options {
    const char *address; // "127.0.0.1", "::" (IPv4 too), …
    uint16_t port;       // 0: a free one
    int backlog;         // 0: the system's maximum
};
// `on_accept` gets each accepted socket (non-blocking, close-on-exec, TCP_NODELAY set) and owns it;
// `remote` is "address:port" text. When descriptors run out it pauses and tries again.
CHECKED enum status listener_open(struct loop *loop, const struct listener_options *options,
                                  void (*on_accept)(int descriptor, const char *remote,
                                                    void *context),
                                  void *context, struct listener **ret, struct error *error);
uint16_t listener_port(const struct listener *listener);
void listener_close(struct listener *listener); // NULL is fine

// ---- connection -----------------------------------------------------------------------------
struct connection;
struct connection_events {
    // Bytes arrived; valid during the call only. Not called while reading is paused.
    void (*on_read)(struct bytes bytes, void *context);
    // The peer closed its direction, or the connection failed (noticed while paused, too). After
    // it no more on_read; after a failure connection_close() is all that is left to do.
    void (*on_end)(bool failed, void *context);
    // Unsent bytes fell to zero after a write that could not be sent at once.
    void (*on_drained)(void *context);
    // The last callback; the connection is freed after it.
    void (*on_closed)(void *context);
};
// Takes over a connected socket and starts reading. On failure the socket is closed.
CHECKED enum status connection_open(struct loop *loop, int descriptor,
                                    const struct connection_events *events, void *context,
                                    struct connection **ret);
void connection_pause(struct connection *connection);
void connection_resume(struct connection *connection);
// Sends at once what the socket takes; the rest is copied and sent later. At most 8 parts.
// STATUS_CLOSED after a failure (then no on_end follows), finish or close; STATUS_NO_MEMORY. The
// connection must be closed after either.
CHECKED enum status connection_write(struct connection *connection, const struct bytes *parts,
                                     size_t count);
size_t connection_unsent(const struct connection *connection);
// Sends what is unsent, then closes our direction, waits for the peer's end for at most
// `linger_ms` while discarding what it sends (so that the last reply is not lost to a reset),
// closes. Of the events only on_closed follows.
void connection_finish(struct connection *connection, uint64_t linger_ms);
// Closes at once, with a reset when bytes are unsent. on_closed follows in a later turn.
void connection_close(struct connection *connection);
