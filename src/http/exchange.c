// SPDX-License-Identifier: Apache-2.0
// A request and the answer that a handler owes, whichever protocol it came by.
#include "base/clock.h"
#include "server.h"

void exchange_begin(struct http_exchange *exchange, const struct http_request *request) {
    struct http_connection *connection = exchange->connection;
    exchange->request = *request;
    exchange->request.remote = bytes_of_string(connection->remote);
    server_request_id(connection->server, exchange->request.id);
    exchange->started_ns = clock_monotonic_ns(clock_system());
    exchange->running = true;
}

void exchange_refuse(struct http_exchange *exchange, int status, const char *message) {
    const char *code = status == 408   ? "timeout"
                       : status == 413 ? "too_large"
                       : status == 414 ? "too_large"
                       : status == 431 ? "too_large"
                       : status == 503 ? "busy"
                       : status >= 500 ? "unsupported"
                                       : "malformed";
    http_respond_error(exchange, status, code, message, NULL);
}

void exchange_end(struct http_exchange *exchange) {
    exchange->running = false;
    exchange->on_cancel = NULL;
    arena_reset(&exchange->arena);
}

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

void http_respond(struct http_exchange *exchange, const struct http_response *response) {
    ASSERT(exchange->running);
    const char *problem = NULL;
    // Nobody reads what is said to a client that is gone.
    if (exchange->connection->phase != PHASE_CLOSING && !response_check(response, &problem)) {
        http_respond_error(exchange, 500, "internal", problem, NULL);
        return;
    }
    if (exchange->stream != NULL)
        http2_respond(exchange->stream, response);
    else
        http1_respond(exchange->connection, response);
}
