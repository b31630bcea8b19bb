// SPDX-License-Identifier: Apache-2.0
// One JSON line a request, gathered and written in batches.
#include "base/clock.h"
#include "base/log.h"
#include "server.h"
#include "text.h"

enum { PATH_LOGGED_MAX = 1024, LINE_FIXED_MAX = 512 };

static char *put_text(char *place, const char *text) {
    size_t size = strlen(text);
    memcpy(place, text, size);
    return place + size;
}

static char *put_time(char *place, const struct http_server *server, int64_t now_ms) {
    memcpy(place, server->time, TIME_SIZE);
    place += TIME_SIZE;
    int milliseconds = (int)(now_ms % 1000);
    *place++ = '.';
    *place++ = (char)('0' + milliseconds / 100);
    *place++ = (char)('0' + milliseconds / 10 % 10);
    *place++ = (char)('0' + milliseconds % 10);
    return put_text(place, "Z");
}

// Adds to the log what was put behind its end.
static void commit(struct buffer *log, const char *end) {
    log->size = (size_t)(end - (char *)log->data);
    ASSERT(log->size <= log->capacity);
}

static enum status add_front(struct http_exchange *exchange, int64_t now_ms) {
    struct http_server *server = exchange->connection->server;
    const struct http_request *request = &exchange->request;
    struct buffer *log = &server->log;
    enum status status = buffer_reserve(log, LINE_FIXED_MAX);
    if (status != STATUS_OK) return status;
    char *place = (char *)log->data + log->size;
    place = put_text(place, "{\"time\": \"");
    place = put_time(place, server, now_ms);
    place = put_text(place, "\", \"scope\": \"access\", \"method\": \"");
    place = put_text(place, request->method == 0 ? "-" : http_method_name(request->method));
    place = put_text(place, "\", \"path\": \"");
    commit(log, place);
    struct bytes path = request->path;
    if (path.size > PATH_LOGGED_MAX) path.size = PATH_LOGGED_MAX;
    return log_escape(log, path);
}

static enum status add_rest(struct http_exchange *exchange, int status_code, size_t body_bytes) {
    struct http_connection *connection = exchange->connection;
    struct buffer *log = &connection->server->log;
    enum status status = buffer_reserve(log, LINE_FIXED_MAX);
    if (status != STATUS_OK) return status;
    uint64_t spent_ns = clock_monotonic_ns(clock_system()) - exchange->started_ns;
    char *place = (char *)log->data + log->size;
    place = put_text(place, "\", \"status\": ");
    place = text_put_number(place, (uint64_t)status_code);
    place = put_text(place, ", \"bytes\": ");
    place = text_put_number(place, body_bytes);
    place = put_text(place, ", \"us\": ");
    place = text_put_number(place, spent_ns / 1000);
    place = put_text(place, ", \"remote\": \"");
    place = put_text(place, connection->remote);
    place = put_text(place, "\", \"id\": \"");
    place = put_text(place, exchange->request.id);
    place = put_text(place, "\"}\n");
    commit(log, place);
    return STATUS_OK;
}

void access_log_add(struct http_exchange *exchange, int status, size_t body_bytes, int64_t now_ms) {
    struct http_server *server = exchange->connection->server;
    struct buffer *log = &server->log;
    size_t before = log->size;
    // Without memory the line is lost, not the request.
    if (add_front(exchange, now_ms) != STATUS_OK ||
        add_rest(exchange, status, body_bytes) != STATUS_OK)
        log->size = before;
    if (log->size >= LOG_GATHERED_MAX) access_log_flush(server);
}

void access_log_flush(struct http_server *server) {
    if (server->log.size == 0) return;
    log_write_lines(buffer_bytes(&server->log));
    buffer_clear(&server->log);
}
