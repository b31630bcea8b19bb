// SPDX-License-Identifier: Apache-2.0
// The inside of struct http_server, and what its files share. A connection object lives until its
// socket is closed, its exchange is answered and no posted call is on its way.
#pragma once

#include "base/list.h"
#include "http/http.h"

enum {
    REMOTE_MAX = 64,
    DATE_SIZE = 29,          // "Sat, 21 Nov 2026 02:17:15 GMT"
    TIME_SIZE = 19,          // "2026-11-21T02:17:15"
    LINGER_MS = 2000,        // for the client to read the last reply
    PIPELINED_MAX = 65536,   // bytes held beyond the running request before reading pauses
    UNSENT_MAX = 262144,     // unsent bytes of a connection before it is not read any more
    BODY_COPIED_MAX = 16384, // a larger body is sent from where it is
    LOG_GATHERED_MAX = 65536,
};

enum http_phase {
    PHASE_IDLE,    // between requests
    PHASE_HEAD,    // a head has begun
    PHASE_BODY,    // a body is awaited
    PHASE_RUNNING, // a handler owes an answer
    PHASE_CLOSING, // nothing is parsed or sent any more
};

struct http_exchange {
    struct http_request request;
    struct arena arena;
    void (*on_cancel)(void *context);
    void *cancel_context;
    uint64_t started_ns;
    bool running;
};

struct http_connection {
    struct list node; // in server->connections
    struct http_server *server;
    struct connection *socket; // NULL when closed
    struct http_parser *parser;
    struct http_exchange exchange;
    enum http_phase phase;
    uint64_t deadline_ms;       // of the phase; UINT64_MAX: none
    uint64_t write_deadline_ms; // 0: nothing is unsent
    uint64_t written_bytes;     // in all, of which the socket took
    uint64_t taken_bytes;       // this many when last looked at
    int64_t requests;           // answered
    bool dispatching;           // inside the handler's call
    bool continue_sent;
    bool ended;  // the client closed its direction
    bool paused; // reading is
    bool posted; // http1_advance() is
    char remote[REMOTE_MAX];
};

struct http_server {
    struct loop *loop;
    struct http_options options;
    http_handler *handler;
    void *context;
    struct list connections;
    size_t connection_count;
    struct timer *sweep; // runs while there are connections
    uint64_t sweep_ms;
    bool draining;
    uint64_t drain_deadline_ms;
    void (*on_done)(void *context);
    void *done_context;
    struct buffer output; // the head (and small body) of the reply being sent
    struct buffer log;
    uint64_t id_prefix, id_counter;
    int64_t second; // that `date` and `time` show
    char date[DATE_SIZE + 1];
    char time[TIME_SIZE + 1];
};

// server.c: forgets and frees a connection; its socket is closed.
void server_release(struct http_connection *connection);
// Milliseconds since 1970; keeps `date` and `time` of the server at that second.
int64_t server_clock(struct http_server *server);
// A new request id: 32 hex digits and a NUL.
void server_request_id(struct http_server *server, char ret_id[33]);

// http1.c: one connection's life.
extern const struct connection_events http1_events;
// Goes on with what was received, as far as it can.
void http1_advance(struct http_connection *connection);
// Ends a request that did not arrive in time with a 408.
void http1_time_out(struct http_connection *connection);
// Closes after what is unsent was sent.
void http1_finish(struct http_connection *connection, uint64_t linger_ms);
void http1_close(struct http_connection *connection);
CHECKED enum status http1_write(struct http_connection *connection, const struct bytes *parts,
                                size_t count);

// response.c: whether status and headers may be sent; `ret_problem` says what may not.
bool response_check(const struct http_response *response, const char **ret_problem);
// Formats, sends and logs.
CHECKED enum status response_send(struct http_connection *connection,
                                  const struct http_response *response, bool close);

// access_log.c
void access_log_add(struct http_connection *connection, int status, size_t body_bytes,
                    int64_t now_ms);
void access_log_flush(struct http_server *server);
