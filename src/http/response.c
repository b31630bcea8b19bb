// SPDX-License-Identifier: Apache-2.0
// Formats a reply straight into the server's output buffer and sends it with one call.
#include "base/log.h"
#include "parser.h"
#include "server.h"
#include "text.h"

enum { HEAD_FIXED_MAX = 320 }; // status line and the headers that the server adds

static bool is_reserved(struct bytes name) {
    static const char *const reserved[] = {"date", "connection", "x-request-id", "content-length",
                                           "transfer-encoding"};
    static const size_t sizes[] = {4, 10, 12, 14, 17};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        if (name.size == sizes[i] && http_name_equal(name, reserved[i])) return true;
    return false;
}

bool response_check(const struct http_response *response, const char **ret_problem) {
    const char *problem = NULL;
    if (response->status < 200 || response->status > 599) problem = "invalid status of a response";
    for (size_t i = 0; i < response->header_count && problem == NULL; i++) {
        const struct http_header *header = &response->headers[i];
        if (header->name.size == 0 || !text_all(header->name, TEXT_TOKEN))
            problem = "invalid header name in a response";
        else if (!text_all(header->value, TEXT_VALUE))
            problem = "invalid header value in a response";
        else if (is_reserved(header->name))
            problem = "a response sets a header that is the server's";
    }
    if (problem == NULL) return true;
    *ret_problem = problem;
    log_warn("http", "%s", problem);
    return false;
}

static char *put(char *place, const void *data, size_t size) {
    memcpy(place, data, size);
    return place + size;
}

static char *put_text(char *place, const char *text) {
    return put(place, text, strlen(text));
}

static char *put_bytes(char *place, struct bytes bytes) {
    return bytes.size == 0 ? place : put(place, bytes.data, bytes.size);
}

static char *put_status_line(char *place, int status) {
    if (status == 200) return put_text(place, "HTTP/1.1 200 OK\r\n");
    place = put_text(place, "HTTP/1.1 ");
    place = text_put_number(place, (uint64_t)status);
    place = put_text(place, " ");
    place = put_text(place, text_reason(status));
    return put_text(place, "\r\n");
}

static char *put_headers(char *place, const struct http_response *response) {
    for (size_t i = 0; i < response->header_count; i++) {
        place = put_bytes(place, response->headers[i].name);
        place = put_text(place, ": ");
        place = put_bytes(place, response->headers[i].value);
        place = put_text(place, "\r\n");
    }
    return place;
}

static char *put_own_headers(char *place, struct http_connection *connection,
                             const struct http_response *response, bool close) {
    const struct http_request *request = &connection->exchange.request;
    if (response_has_length(response)) {
        place = put_text(place, "Content-Length: ");
        place = text_put_number(place, response->body.size);
        place = put_text(place, "\r\n");
    }
    if (close)
        place = put_text(place, "Connection: close\r\n");
    else if (request->minor_version == 0)
        place = put_text(place, "Connection: keep-alive\r\n");
    place = put_text(place, "Date: ");
    place = put(place, connection->server->date, DATE_SIZE);
    place = put_text(place, "\r\nX-Request-Id: ");
    place = put(place, request->id, 32);
    return put_text(place, "\r\n\r\n");
}

static size_t headers_size(const struct http_response *response) {
    size_t size = HEAD_FIXED_MAX;
    for (size_t i = 0; i < response->header_count; i++)
        size += response->headers[i].name.size + response->headers[i].value.size + 4;
    return size;
}

bool response_has_body(const struct http_exchange *exchange, const struct http_response *response) {
    return exchange->request.method != HTTP_HEAD && response->status != 204 &&
           response->status != 304;
}

// A 204 has no length (RFC 9110 §8.6); that of a 304 is unknown when no body was given.
bool response_has_length(const struct http_response *response) {
    return response->status != 204 && !(response->status == 304 && response->body.size == 0);
}

enum status response_send(struct http_connection *connection, const struct http_response *response,
                          bool close) {
    struct http_server *server = connection->server;
    struct buffer *output = &server->output;
    struct bytes body =
        response_has_body(&connection->exchange, response) ? response->body : bytes_of(NULL, 0);
    bool copied = body.size <= BODY_COPIED_MAX;
    size_t bound = headers_size(response) + (copied ? body.size : 0);
    buffer_clear(output);
    enum status status = buffer_reserve(output, bound);
    if (status != STATUS_OK) return status;

    int64_t now_ms = server_clock(server);
    char *place = (char *)output->data;
    place = put_status_line(place, response->status);
    place = put_headers(place, response);
    place = put_own_headers(place, connection, response, close);
    if (copied) place = put_bytes(place, body);
    output->size = (size_t)(place - (char *)output->data);
    ASSERT(output->size <= bound);

    struct bytes parts[2] = {buffer_bytes(output), body};
    status = connection_write(connection->socket, parts, copied ? 1 : 2);
    if (server->options.access_log)
        access_log_add(&connection->exchange, response->status, body.size, now_ms);
    return status;
}
