// SPDX-License-Identifier: Apache-2.0
// Event loop, timers, listeners and byte-stream connections over libuv, TLS by OpenSSL (both seen
// by this folder only). Everything belongs to the thread that runs the loop, but for loop_post()
// and loop_stop(). Callbacks never run inside the call that asked for them, unless said.
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

// ---- TLS ------------------------------------------------------------------------------------
// Certificate and settings of a server, shared by the connections of all threads.
struct tls_context;
struct tls_options {
    const char *certificate_file; // PEM, the chain behind it
    const char *key_file;         // PEM, not encrypted
    bool allow_tls_1_2;           // else TLS 1.3 only
    const char *const *protocols; // for ALPN, the best first, ended by NULL; NULL: no ALPN
};
// STATUS_INVALID when the files do not hold a certificate and its key.
CHECKED enum status tls_context_new(const struct tls_options *options, struct tls_context **ret,
                                    struct error *error);
// Any thread: reads the files again. New connections get what they hold, existing ones keep what
// they have; on failure everything stays as it is.
CHECKED enum status tls_context_reload(struct tls_context *context, struct error *error);
void tls_context_free(struct tls_context *context); // after its connections; NULL is fine

// A certificate of one's own in `directory` (made when absent, mode 0700): ca.pem and ca_key.pem, a
// small authority that signs nothing else, cert.pem and key.pem, for this host's names and
// addresses, localhost and `address`. Made when something is missing, does not belong together,
// lacks a name or ends within 30 days; the authority stays the same while it can. `*ret_made`:
// whether it was.
CHECKED enum status tls_certificate_ensure(const char *directory, const char *address,
                                           bool *ret_made, struct error *error);

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
    // With TLS only: the handshake is done, or the peer's first byte was not TLS and everything
    // goes in clear (connection_secure() tells). Nothing may be written before.
    void (*on_ready)(void *context);
};
// Takes over a connected socket and starts reading. On failure the socket is closed.
CHECKED enum status connection_open(struct loop *loop, int descriptor,
                                    const struct connection_events *events, void *context,
                                    struct connection **ret);
// As connection_open(), with TLS. A handshake that fails ends in on_end(true).
CHECKED enum status connection_open_tls(struct loop *loop, int descriptor, struct tls_context *tls,
                                        const struct connection_events *events, void *context,
                                        struct connection **ret);
// Whether what goes over it is encrypted.
bool connection_secure(const struct connection *connection);
// The protocol that ALPN agreed on; "" without.
const char *connection_protocol(const struct connection *connection);
void connection_pause(struct connection *connection);
void connection_resume(struct connection *connection);
// Sends before the loop polls again, a large write at once; what the socket does not take is copied
// and sent later. At most 8 parts.
// STATUS_CLOSED after a failure (then no on_end follows), finish or close; STATUS_NO_MEMORY. The
// connection must be closed after either.
CHECKED enum status connection_write(struct connection *connection, const struct bytes *parts,
                                     size_t count);
// Bytes that wait for the socket to take them, as they go over the wire.
size_t connection_unsent(const struct connection *connection);
// Bytes that the socket took since the start; it stands still while the peer takes nothing.
uint64_t connection_sent(const struct connection *connection);
// Sends what is unsent, then closes our direction, waits for the peer's end for at most
// `linger_ms` while discarding what it sends (so that the last reply is not lost to a reset),
// closes. Of the events only on_closed follows.
void connection_finish(struct connection *connection, uint64_t linger_ms);
// Closes at once, with a reset when bytes are unsent. on_closed follows in a later turn.
void connection_close(struct connection *connection);
