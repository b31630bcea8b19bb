// SPDX-License-Identifier: Apache-2.0
// A connection's state machine: bytes in, requests to the handler one after the other, replies
// out. A handler that answers within its call lets the loop in http1_advance() go on; after a later
// answer the next request is begun from a posted call, never from inside http_respond().
#include "parser.h"
#include "server.h"

enum { DISPATCHES_PER_TURN = 16 }; // of one connection's pipelined requests

static void advance_posted(void *context);

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

// A request in clear where TLS is spoken: the same address with https.
static void redirect(struct http_connection *connection) {
    struct http_exchange *exchange = &connection->exchange;
    const struct http_header *host = http_request_header(&exchange->request, "host");
    struct bytes target = exchange->request.target;
    struct buffer location = {0};
    bool known = host != NULL && host->value.size > 0 && target.data[0] == '/';
    if (!known || buffer_append_format(&location, "https://%.*s%.*s", (int)host->value.size,
                                       (const char *)host->value.data, (int)target.size,
                                       (const char *)target.data) != STATUS_OK) {
        exchange_refuse(exchange, 400, "this port speaks TLS");
    } else {
        struct http_header header = {bytes_of_string("Location"), buffer_bytes(&location)};
        http_respond(exchange,
                     &(struct http_response){.status = 308, .headers = &header, .header_count = 1});
    }
    buffer_done(&location);
}

static void begin(struct http_connection *connection, const struct http_request *request) {
    exchange_begin(&connection->exchange, request);
    connection->continue_sent = false;
    http_connection_enter(connection, PHASE_RUNNING, -1);
}

static void dispatch(struct http_connection *connection) {
    begin(connection, http_parser_request(connection->parser));
    struct http_server *server = connection->server;
    connection->dispatching = true;
    if (connection->redirects)
        redirect(connection);
    else
        server->handler(&connection->exchange, server->context);
    connection->dispatching = false;
}

// Answers what the parser refused; the reply closes the connection.
static void refuse(struct http_connection *connection) {
    const char *message = NULL;
    int status = http_parser_error(connection->parser, &message);
    begin(connection, parser_request_so_far(connection->parser));
    exchange_refuse(&connection->exchange, status, message);
}

static void await_head(struct http_connection *connection) {
    const struct http_server *server = connection->server;
    if (http_parser_buffered(connection->parser) > 0) {
        http_connection_enter(connection, PHASE_HEAD, server->options.header_timeout_ms);
    } else if (connection->ended || server->draining) {
        http_connection_finish(connection, LINGER_MS);
    } else {
        http_connection_enter(connection, PHASE_IDLE, server->options.idle_timeout_ms);
    }
}

static void await_body(struct http_connection *connection) {
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    http_connection_enter(connection, PHASE_BODY, connection->server->options.body_timeout_ms);
    if (connection->continue_sent || !http_parser_expects_continue(connection->parser)) return;
    connection->continue_sent = true;
    struct bytes part = bytes_of_string(go_on);
    if (connection_write(connection->socket, &part, 1) != STATUS_OK)
        http_connection_close(connection);
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

void http1_feed(struct http_connection *connection, struct bytes bytes) {
    http_parser_feed(connection->parser, bytes);
    http1_advance(connection);
    throttle(connection);
}

void http1_drained(struct http_connection *connection) {
    throttle(connection);
    http1_advance(connection);
}

// ---- replies ----------------------------------------------------------------------------------

static void advance_posted(void *context) {
    struct http_connection *connection = context;
    connection->posted = false;
    if (connection->socket == NULL)
        http_connection_release_if_unused(connection);
    else
        http1_advance(connection);
}

// Whether the connection ends with the reply being sent.
static bool is_last(const struct http_connection *connection) {
    const struct http_server *server = connection->server;
    return http_parser_state(connection->parser) != HTTP_PARSE_DONE || server->draining ||
           connection->redirects || !http_parser_keep_alive(connection->parser) ||
           connection->requests + 1 >= server->options.requests_max ||
           (connection->ended && http_parser_buffered(connection->parser) == 0);
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

void http1_respond(struct http_connection *connection, const struct http_response *response) {
    struct http_exchange *exchange = &connection->exchange;
    if (connection->phase == PHASE_CLOSING) { // the client is gone
        exchange_end(exchange);
        http_connection_release_if_unused(connection);
        return;
    }
    bool last = is_last(connection);
    enum status status = response_send(connection, response, last);
    exchange_end(exchange);
    connection->requests++;
    if (status != STATUS_OK)
        http_connection_close(connection);
    else if (last)
        http_connection_finish(connection, LINGER_MS);
    else
        next_request(connection);
}
