// SPDX-License-Identifier: Apache-2.0
// A server on a loop of its own thread, and a blocking client that waits with poll (ten seconds at
// most). The handler answers by path:
//   /echo   200 with method, target and body        /size/N  200 with N bytes
//   /later  keeps the exchange until release()      /post    as /echo, from a posted call
//   /bad-header, /bad-status, /error                what http_respond() makes of them
#pragma once

#include "base/thread.h"
#include "http/http.h"
#include "test.h"

struct harness {
    struct loop *loop;
    struct listener *listener;
    struct http_server *server;
    struct http_options options;
    struct thread thread;
    uint16_t port;
    uint64_t grace_ms;
    struct mutex lock; // guards the rest
    struct condition changed;
    struct http_exchange *held;
    int held_count, cancelled_count;
    _Atomic int handled_count;
    bool drained;
    size_t connections; // as sampled by harness_connections()
    bool sampled;
};

void harness_start(struct harness *harness, const struct http_options *options);
// Drains, stops and checks that nothing is left.
void harness_stop(struct harness *harness);
// Begins the drain without waiting.
void harness_drain(struct harness *harness, uint64_t grace_ms);
// Wait until that many exchanges were held or cancelled in all.
void harness_wait_held(struct harness *harness, int count);
void harness_wait_cancelled(struct harness *harness, int count);
void harness_wait_drained(struct harness *harness);
// Answers the exchange held by /later.
void harness_release(struct harness *harness);
size_t harness_connections(struct harness *harness);

struct client {
    int descriptor;
    struct buffer in;
};
struct reply {
    int status;
    char head[4096];
    struct bytes body; // valid until the next reply is read
};
void client_open(struct client *client, const struct harness *harness);
void client_close(struct client *client);
void client_reset(struct client *client); // closes with a RST
void client_send(struct client *client, const char *text);
void client_end(struct client *client); // closes our direction
// Reads one reply; a body is expected unless `head_only`.
void client_reply(struct client *client, bool head_only, struct reply *ret);
int client_status(struct client *client);
// Waits for the server's end; fails when bytes come first.
void client_expect_end(struct client *client);
// Bytes that can be read, waiting for some; 0 at the end (a reset counts as one).
size_t client_read_some(struct client *client);
const char *reply_header(const struct reply *reply, const char *name);
