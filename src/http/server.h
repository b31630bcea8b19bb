// SPDX-License-Identifier: Apache-2.0
// The inside of struct http_server, and what its files share. A connection object lives until its
// socket is closed, its exchanges are answered and no posted call is on its way. It begins as
// HTTP/1.1; `http2` is set when it turns out to speak HTTP/2.
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
    ARENA_BLOCK = 16 * 1024,
    ARENA_MAX = 64 * 1024 * 1024,
};

enum http_phase {
    PHASE_HANDSHAKE,
    PHASE_IDLE,    // between requests
    PHASE_HEAD,    // a head has begun
    PHASE_BODY,    // a body is awaited
    PHASE_RUNNING, // a handler owes an answer
    PHASE_STREAMS, // HTTP/2, which has timeouts of its own
    PHASE_CLOSING, // nothing is parsed or sent any more
};

struct http_exchange {
    struct http_request request;
    struct arena arena;
    struct http_connection *connection;
    struct http2_stream *stream; // NULL: HTTP/1.1
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
    struct http2 *http2; // NULL: HTTP/1.1
    enum http_phase phase;
    uint64_t deadline_ms;       // of the phase; UINT64_MAX: none
    uint64_t write_deadline_ms; // 0: nothing is unsent
    uint64_t taken_bytes;       // by the socket when last looked at
    int64_t requests;           // answered (HTTP/2: begun)
    size_t preface_matched;     // leading bytes that HTTP/2 would begin with
    bool preface_possible;      // nothing else has come yet
    bool redirects;             // in clear where TLS is spoken
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
    struct list unflushed; // struct http2 with something to send
    struct list spare_streams;
    size_t spare_stream_count;
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

// connection.c: what both protocols share, and which one it is.
extern const struct connection_events http_connection_events;
void http_connection_enter(struct http_connection *connection, enum http_phase phase,
                           int64_t timeout_ms);
// Closes after what is unsent was sent.
void http_connection_finish(struct http_connection *connection, uint64_t linger_ms);
void http_connection_close(struct http_connection *connection);
// Frees it when nothing holds it any more.
void http_connection_release_if_unused(struct http_connection *connection);

// exchange.c: makes a request of the connection an exchange that runs.
void exchange_begin(struct http_exchange *exchange, const struct http_request *request);
// Answers a request that is not handed over.
void exchange_refuse(struct http_exchange *exchange, int status, const char *message);
void exchange_end(struct http_exchange *exchange);

// http1.c: one connection's life.
void http1_feed(struct http_connection *connection, struct bytes bytes);
// Goes on with what was received, as far as it can.
void http1_advance(struct http_connection *connection);
void http1_drained(struct http_connection *connection);
// Ends a request that did not arrive in time with a 408.
void http1_time_out(struct http_connection *connection);
void http1_respond(struct http_connection *connection, const struct http_response *response);

// http2.c: the same for HTTP/2. What is to be sent goes out in http2_flush_all(), once a turn.
CHECKED enum status http2_start(struct http_connection *connection);
void http2_feed(struct http_connection *connection, struct bytes bytes);
void http2_ended(struct http_connection *connection);
void http2_drained(struct http_connection *connection);
void http2_sweep(struct http_connection *connection, uint64_t now_ms);
void http2_drain(struct http_connection *connection);
// The socket is gone: cancels what runs.
void http2_closed(struct http_connection *connection);
void http2_free(struct http2 *http2); // NULL is fine
bool http2_unused(const struct http2 *http2);
void http2_flush_all(struct http_server *server);
void http2_respond(struct http2_stream *stream, const struct http_response *response);
void http2_free_spares(struct http_server *server);

// response.c
bool response_has_body(const struct http_exchange *exchange, const struct http_response *response);
// Whether it tells its length.
bool response_has_length(const struct http_response *response);
// Whether status and headers may be sent; `ret_problem` says what may not.
bool response_check(const struct http_response *response, const char **ret_problem);
// Formats, sends and logs.
CHECKED enum status response_send(struct http_connection *connection,
                                  const struct http_response *response, bool close);

// access_log.c
void access_log_add(struct http_exchange *exchange, int status, size_t body_bytes, int64_t now_ms);
void access_log_flush(struct http_server *server);
