// SPDX-License-Identifier: Apache-2.0
// A connection's socket events, and the choice of protocol: by ALPN, or by the first bytes.
#include "parser.h"
#include "server.h"

// The first line of what an HTTP/2 client begins with (RFC 9113 §3.4).
static const char preface[] = "PRI * HTTP/2.0\r\n";
enum { PREFACE_SIZE = sizeof preface - 1 };

void http_connection_enter(struct http_connection *connection, enum http_phase phase,
                           int64_t timeout_ms) {
    if (connection->phase == phase) return;
    connection->phase = phase;
    connection->deadline_ms =
        timeout_ms < 0 ? UINT64_MAX : loop_now_ms(connection->server->loop) + (uint64_t)timeout_ms;
}

void http_connection_finish(struct http_connection *connection, uint64_t linger_ms) {
    if (connection->phase == PHASE_CLOSING) return;
    http_connection_enter(connection, PHASE_CLOSING, -1);
    connection_finish(connection->socket, linger_ms);
}

void http_connection_close(struct http_connection *connection) {
    if (connection->socket == NULL) return;
    http_connection_enter(connection, PHASE_CLOSING, -1);
    connection_close(connection->socket);
}

void http_connection_release_if_unused(struct http_connection *connection) {
    if (connection->socket != NULL || connection->exchange.running || connection->posted ||
        !http2_unused(connection->http2))
        return;
    server_release(connection);
}

static bool start_http2(struct http_connection *connection) {
    connection->preface_possible = false;
    if (http2_start(connection) == STATUS_OK) return true;
    http_connection_close(connection);
    return false;
}

// What looked like the preface is a request after all, or the start of one.
static void feed_matched(struct http_connection *connection) {
    connection->preface_possible = false;
    if (connection->preface_matched > 0)
        http1_feed(connection, bytes_of(preface, connection->preface_matched));
}

static void match_preface(struct http_connection *connection, struct bytes bytes) {
    size_t matched = connection->preface_matched;
    size_t size = bytes.size < PREFACE_SIZE - matched ? bytes.size : PREFACE_SIZE - matched;
    if (memcmp(bytes.data, preface + matched, size) != 0) {
        feed_matched(connection);
        if (connection->phase != PHASE_CLOSING) http1_feed(connection, bytes);
        return;
    }
    connection->preface_matched += size;
    if (connection->preface_matched < PREFACE_SIZE) {
        http_connection_enter(connection, PHASE_HEAD,
                              connection->server->options.header_timeout_ms);
    } else if (start_http2(connection)) {
        http2_feed(connection, bytes_of(preface, PREFACE_SIZE));
        http2_feed(connection, bytes_of(bytes.data + size, bytes.size - size));
    }
}

static void on_read(struct bytes bytes, void *context) {
    struct http_connection *connection = context;
    if (connection->phase == PHASE_CLOSING) return;
    if (connection->http2 != NULL)
        http2_feed(connection, bytes);
    else if (connection->preface_possible)
        match_preface(connection, bytes);
    else
        http1_feed(connection, bytes);
}

static void on_ready(void *context) {
    struct http_connection *connection = context;
    if (connection->phase == PHASE_CLOSING) return;
    connection->redirects = !connection_secure(connection->socket);
    if (strcmp(connection_protocol(connection->socket), "h2") == 0)
        start_http2(connection);
    else
        http_connection_enter(connection, PHASE_IDLE, connection->server->options.idle_timeout_ms);
}

// A client that closes its direction may still read: it gets the answers to what it has sent.
static void on_end(bool failed, void *context) {
    struct http_connection *connection = context;
    if (!failed && connection->preface_possible) feed_matched(connection);
    connection->ended = true;
    if (failed || connection->phase == PHASE_HANDSHAKE)
        http_connection_close(connection);
    else if (connection->http2 != NULL)
        http2_ended(connection);
    else
        http1_advance(connection);
}

static void on_drained(void *context) {
    struct http_connection *connection = context;
    if (connection->http2 != NULL)
        http2_drained(connection);
    else
        http1_drained(connection);
}

static void on_closed(void *context) {
    struct http_connection *connection = context;
    struct http_exchange *exchange = &connection->exchange;
    connection->socket = NULL;
    connection->phase = PHASE_CLOSING;
    if (connection->http2 != NULL) http2_closed(connection);
    if (!exchange->running) {
        http_connection_release_if_unused(connection);
    } else if (exchange->on_cancel != NULL) {
        // It may answer, which frees the connection.
        exchange->on_cancel(exchange->cancel_context);
    }
}

const struct connection_events http_connection_events = {.on_read = on_read,
                                                         .on_end = on_end,
                                                         .on_drained = on_drained,
                                                         .on_closed = on_closed,
                                                         .on_ready = on_ready};
