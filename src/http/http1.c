// SPDX-License-Identifier: Apache-2.0
// A connection's state machine: bytes in, requests to the handler one after the other, replies
// out. A handler that answers within its call lets the loop in http1_advance() go on; after a later
// answer the next request is begun from a posted call, never from inside http_respond().
#include "base/clock.h"
#include "parser.h"
#include "server.h"

enum { DISPATCHES_PER_TURN = 16 }; // of one connection's pipelined requests

static void advance_posted(void *context);

static void enter(struct http_connection *connection, enum http_phase phase, int64_t timeout_ms) {
    if (connection->phase == phase) return;
    connection->phase = phase;
    connection->deadline_ms =
        timeout_ms < 0 ? UINT64_MAX : loop_now_ms(connection->server->loop) + (uint64_t)timeout_ms;
}

void http1_finish(struct http_connection *connection, uint64_t linger_ms) {
    if (connection->phase == PHASE_CLOSING) return;
    enter(connection, PHASE_CLOSING, -1);
    connection_finish(connection->socket, linger_ms);
}

void http1_close(struct http_connection *connection) {
    if (connection->socket == NULL) return;
    enter(connection, PHASE_CLOSING, -1);
    connection_close(connection->socket);
}

enum status http1_write(struct http_connection *connection, const struct bytes *parts,
                        size_t count) {
    for (size_t i = 0; i < count; i++) connection->written_bytes += parts[i].size;
    return connection_write(connection->socket, parts, count);
}

static bool clogged(const struct http_connection *connection) {
    return connection_unsent(connection->socket) > UNSENT_MAX;
}

// Reading stops while the client sends ahead or does not take what it asked for.
static void throttle(struct http_connection *connection) {
    if (connection->phase == PHASE_CLOSING) return;
    bool ahead =
        connection->exchange.running && http_parser_buffered(connection->parser) > PIPELINED_MAX;
    bool pause = ahead || clogged(connection);
    if (pause == connection->paused) return;
    connection->paused = pause;
    if (pause)
        connection_pause(connection->socket);
    else
        connection_resume(connection->socket);
}

static void begin_exchange(struct http_connection *connection, const struct http_request *request) {
    struct http_exchange *exchange = &connection->exchange;
    exchange->request = *request;
    exchange->request.remote = bytes_of_string(connection->remote);
    server_request_id(connection->server, exchange->request.id);
    exchange->started_ns = clock_monotonic_ns(clock_system());
    exchange->running = true;
    connection->continue_sent = false;
    enter(connection, PHASE_RUNNING, -1);
}

static void dispatch(struct http_connection *connection) {
    begin_exchange(connection, http_parser_request(connection->parser));
    struct http_server *server = connection->server;
    connection->dispatching = true;
    server->handler(&connection->exchange, server->context);
    connection->dispatching = false;
}

// Answers what the parser refused; the reply closes the connection.
static void refuse(struct http_connection *connection) {
    const char *message = NULL;
    int status = http_parser_error(connection->parser, &message);
    begin_exchange(connection, parser_request_so_far(connection->parser));
    const char *code = status == 408   ? "timeout"
                       : status == 413 ? "too_large"
                       : status == 414 ? "too_large"
                       : status == 431 ? "too_large"
                       : status >= 500 ? "unsupported"
                                       : "malformed";
    http_respond_error(&connection->exchange, status, code, message, NULL);
}

static void await_head(struct http_connection *connection) {
    const struct http_server *server = connection->server;
    if (http_parser_buffered(connection->parser) > 0) {
        enter(connection, PHASE_HEAD, server->options.header_timeout_ms);
    } else if (connection->ended || server->draining) {
        http1_finish(connection, LINGER_MS);
    } else {
        enter(connection, PHASE_IDLE, server->options.idle_timeout_ms);
    }
}

static void await_body(struct http_connection *connection) {
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    enter(connection, PHASE_BODY, connection->server->options.body_timeout_ms);
    if (connection->continue_sent || !http_parser_expects_continue(connection->parser)) return;
    connection->continue_sent = true;
    struct bytes part = bytes_of_string(go_on);
    if (http1_write(connection, &part, 1) != STATUS_OK) http1_close(connection);
}

// Goes on in the next turn, so that others get theirs.
static void advance_later(struct http_connection *connection) {
    if (connection->posted) return;
    connection->posted = true;
    loop_post(connection->server->loop, advance_posted, connection);
}

void http1_advance(struct http_connection *connection) {
    int dispatched = 0;
    while (connection->phase != PHASE_CLOSING && !connection->exchange.running &&
           !clogged(connection)) {
        enum http_parse_state state = http_parser_state(connection->parser);
        if (state == HTTP_PARSE_DONE && dispatched++ == DISPATCHES_PER_TURN) {
            advance_later(connection);
            return;
        }
        if (state == HTTP_PARSE_DONE) {
            dispatch(connection);
            continue;
        }
        bool unfinished = state != HTTP_PARSE_HEAD || http_parser_buffered(connection->parser) > 0;
        if (connection->ended && unfinished && state != HTTP_PARSE_ERROR) {
            parser_abort(connection->parser, 400, "the request is cut off");
            state = HTTP_PARSE_ERROR;
        }
        if (state == HTTP_PARSE_HEAD) await_head(connection);
        if (state == HTTP_PARSE_BODY) await_body(connection);
        if (state == HTTP_PARSE_ERROR) refuse(connection);
        return;
    }
}

void http1_time_out(struct http_connection *connection) {
    parser_abort(connection->parser, 408, "the request took too long");
    http1_advance(connection);
}

// ---- events of the socket ---------------------------------------------------------------------

static void on_read(struct bytes bytes, void *context) {
    struct http_connection *connection = context;
    if (connection->phase == PHASE_CLOSING) return;
    http_parser_feed(connection->parser, bytes);
    http1_advance(connection);
    throttle(connection);
}

// A client that closes its direction may still read: it gets the answers to what it has sent.
static void on_end(bool failed, void *context) {
    struct http_connection *connection = context;
    connection->ended = true;
    if (failed)
        http1_close(connection);
    else
        http1_advance(connection);
}

static void on_drained(void *context) {
    struct http_connection *connection = context;
    throttle(connection);
    http1_advance(connection);
}

static void release_if_unused(struct http_connection *connection) {
    if (connection->socket != NULL || connection->exchange.running || connection->posted) return;
    server_release(connection);
}

static void on_closed(void *context) {
    struct http_connection *connection = context;
    struct http_exchange *exchange = &connection->exchange;
    connection->socket = NULL;
    connection->phase = PHASE_CLOSING;
    if (!exchange->running) {
        release_if_unused(connection);
    } else if (exchange->on_cancel != NULL) {
        // It may answer, which frees the connection.
        exchange->on_cancel(exchange->cancel_context);
    }
}

const struct connection_events http1_events = {
    .on_read = on_read, .on_end = on_end, .on_drained = on_drained, .on_closed = on_closed};

// ---- exchanges --------------------------------------------------------------------------------

const struct http_request *http_exchange_request(const struct http_exchange *exchange) {
    return &exchange->request;
}

struct arena *http_exchange_arena(struct http_exchange *exchange) {
    return &exchange->arena;
}

void http_exchange_on_cancel(struct http_exchange *exchange, void (*function)(void *context),
                             void *context) {
    ASSERT(exchange->running);
    exchange->on_cancel = function;
    exchange->cancel_context = context;
}

static void advance_posted(void *context) {
    struct http_connection *connection = context;
    connection->posted = false;
    if (connection->socket == NULL)
        release_if_unused(connection);
    else
        http1_advance(connection);
}

// Whether the connection ends with the reply being sent.
static bool is_last(const struct http_connection *connection) {
    const struct http_server *server = connection->server;
    return http_parser_state(connection->parser) != HTTP_PARSE_DONE || server->draining ||
           !http_parser_keep_alive(connection->parser) ||
           connection->requests + 1 >= server->options.requests_max ||
           (connection->ended && http_parser_buffered(connection->parser) == 0);
}

static void end_exchange(struct http_connection *connection) {
    struct http_exchange *exchange = &connection->exchange;
    exchange->running = false;
    exchange->on_cancel = NULL;
    arena_reset(&exchange->arena);
}

static void next_request(struct http_connection *connection) {
    http_parser_reset(connection->parser);
    enum http_parse_state state = http_parser_feed(connection->parser, bytes_of(NULL, 0));
    throttle(connection);
    if (connection->dispatching) return; // http1_advance() goes on
    if (state == HTTP_PARSE_DONE)
        advance_later(connection);
    else
        http1_advance(connection);
}

void http_respond(struct http_exchange *exchange, const struct http_response *response) {
    struct http_connection *connection = container_of(exchange, struct http_connection, exchange);
    ASSERT(exchange->running);
    if (connection->phase == PHASE_CLOSING) { // the client is gone
        end_exchange(connection);
        release_if_unused(connection);
        return;
    }
    const char *problem = NULL;
    if (!response_check(response, &problem)) {
        http_respond_error(exchange, 500, "internal", problem, NULL);
        return;
    }
    bool last = is_last(connection);
    enum status status = response_send(connection, response, last);
    end_exchange(connection);
    connection->requests++;
    if (status != STATUS_OK)
        http1_close(connection);
    else if (last)
        http1_finish(connection, LINGER_MS);
    else
        next_request(connection);
}
