// SPDX-License-Identifier: Apache-2.0
#include "parser.h"

#include <stdlib.h>

enum {
    HELD_FIRST = 4096,     // bytes; most requests fit
    HELD_KEPT_MAX = 65536, // capacity kept from one request to the next
    HEADERS_FIRST = 32,
};

bool parser_allocate_headers(struct http_parser *parser, size_t capacity) {
    struct header_place *places = realloc(parser->places, capacity * sizeof *places);
    if (places != NULL) parser->places = places;
    struct http_header *headers = realloc(parser->headers, capacity * sizeof *headers);
    if (headers != NULL) parser->headers = headers;
    if (places == NULL || headers == NULL) return false;
    parser->header_capacity = capacity;
    return true;
}

enum status http_parser_new(const struct http_parser_limits *limits, struct http_parser **ret) {
    ASSERT(limits->header_bytes_max <= UINT32_MAX / 2);
    struct http_parser *parser = calloc(1, sizeof *parser);
    if (parser == NULL) return STATUS_NO_MEMORY;
    parser->limits = *limits;
    if (!parser_allocate_headers(parser, HEADERS_FIRST)) {
        http_parser_free(parser);
        return STATUS_NO_MEMORY;
    }
    *ret = parser;
    return STATUS_OK;
}

void http_parser_free(struct http_parser *parser) {
    if (parser == NULL) return;
    buffer_done(&parser->held);
    buffer_done(&parser->ahead);
    free(parser->places);
    free(parser->headers);
    free(parser);
}

bool parser_fail(struct http_parser *parser, int status, const char *message) {
    parser->step = STEP_ERROR;
    parser->error = status;
    parser->error_message = message;
    return false;
}

enum line_result parser_line(struct http_parser *parser, size_t bound, int too_long,
                             const char *message, struct bytes *ret) {
    size_t held = parser_held(parser);
    const uint8_t *from = parser_at(parser, parser->scanned);
    const uint8_t *end = held > parser->scanned ? memchr(from, '\n', held - parser->scanned) : NULL;
    size_t line_end = end != NULL ? parser->scanned + (size_t)(end - from) + 1 : held;
    if (line_end > bound) {
        parser_fail(parser, too_long, message);
        return LINE_FAILED;
    }
    parser->scanned = line_end;
    if (end == NULL) return LINE_INCOMPLETE;
    const uint8_t *begin = parser_at(parser, parser->at);
    if (end == begin || end[-1] != '\r') {
        parser_fail(parser, 400, "line ends without a carriage return");
        return LINE_FAILED;
    }
    *ret = bytes_of(begin, (size_t)(end - begin) - 1);
    parser->at = line_end;
    return LINE_COMPLETE;
}

// Turns offsets into views: from here on nothing moves until the reset.
static void publish(struct http_parser *parser) {
    struct http_request *request = &parser->request;
    for (size_t i = 0; i < parser->header_count; i++) {
        const struct header_place *place = &parser->places[i];
        parser->headers[i].name = bytes_of(parser_at(parser, place->name), place->name_size);
        parser->headers[i].value = bytes_of(parser_at(parser, place->value), place->value_size);
    }
    request->major_version = 1;
    request->headers = parser->headers;
    request->header_count = parser->header_count;
    request->target = parser->target_is_root
                          ? bytes_of_string("/")
                          : bytes_of(parser_at(parser, parser->target), parser->target_size);
    const uint8_t *mark = memchr(request->target.data, '?', request->target.size);
    size_t path_size = mark == NULL ? request->target.size : (size_t)(mark - request->target.data);
    request->path = bytes_of(request->target.data, path_size);
    size_t skipped = mark == NULL ? path_size : path_size + 1;
    request->query = bytes_of(request->target.data + skipped, request->target.size - skipped);
    request->body = bytes_of(parser_at(parser, parser->head_end), parser->body_size);
}

static bool take_step(struct http_parser *parser) {
    switch (parser->step) {
    case STEP_REQUEST_LINE:
        return parser_request_line(parser);
    case STEP_HEADERS:
        return parser_header_line(parser);
    case STEP_BODY_LENGTH:
        return parser_body_length(parser);
    case STEP_CHUNK_SIZE:
        return parser_chunk_size(parser);
    case STEP_CHUNK_DATA:
        return parser_chunk_data(parser);
    case STEP_CHUNK_END:
        return parser_chunk_end(parser);
    case STEP_TRAILERS:
        return parser_trailer_line(parser);
    case STEP_DONE:
        publish(parser);
        return false;
    case STEP_ERROR:
        return false;
    }
    UNREACHABLE();
}

// Moves what is not parsed yet down to the end of the decoded body, so that the framing of chunks
// does not pile up.
static void drop_framing(struct http_parser *parser) {
    if (!parser->chunked || parser->step < STEP_CHUNK_SIZE || parser->step > STEP_TRAILERS) return;
    size_t decoded = parser->head_end + parser->body_size;
    ASSERT(decoded <= parser->at);
    size_t gap = parser->at - decoded;
    if (gap == 0) return;
    uint8_t *base = parser->held.data + parser->begin;
    memmove(base + decoded, base + parser->at, parser_held(parser) - parser->at);
    parser->held.size -= gap;
    parser->at -= gap;
    parser->scanned -= gap;
}

// Bytes that arrive while a finished request is looked at.
static void keep_ahead(struct http_parser *parser, struct bytes bytes) {
    bool fits = parser->ahead.size == 0 && parser->held.capacity - parser->held.size >= bytes.size;
    struct buffer *place = fits ? &parser->held : &parser->ahead;
    if (buffer_append(place, bytes.data, bytes.size) != STATUS_OK) parser->lost = true;
}

static bool take_in(struct http_parser *parser, struct bytes bytes) {
    if (parser->held.capacity == 0 && buffer_reserve(&parser->held, HELD_FIRST) != STATUS_OK)
        return false;
    bool fits = parser->held.capacity - parser->held.size >= bytes.size;
    if (!fits && parser->begin > 0) {
        buffer_consume(&parser->held, parser->begin);
        parser->begin = 0;
    }
    return buffer_append(&parser->held, bytes.data, bytes.size) == STATUS_OK;
}

enum http_parse_state http_parser_feed(struct http_parser *parser, struct bytes bytes) {
    if (parser->step == STEP_DONE) {
        if (bytes.size > 0) keep_ahead(parser, bytes);
        return HTTP_PARSE_DONE;
    }
    if (parser->step == STEP_ERROR) return HTTP_PARSE_ERROR;
    if (bytes.size > 0 && !take_in(parser, bytes)) parser->lost = true;
    if (parser->lost) {
        parser_fail(parser, 503, "out of memory");
        return HTTP_PARSE_ERROR;
    }
    if (parser->held.data == NULL) return HTTP_PARSE_HEAD;
    while (take_step(parser)) {
    }
    drop_framing(parser);
    return http_parser_state(parser);
}

void http_parser_reset(struct http_parser *parser) {
    ASSERT(parser->step == STEP_DONE);
    parser->begin += parser->at;
    if (parser->begin == parser->held.size) {
        parser->begin = parser->held.size = 0;
        if (parser->held.capacity > HELD_KEPT_MAX) buffer_done(&parser->held);
    }
    parser->at = parser->scanned = 0;
    parser->step = STEP_REQUEST_LINE;
    parser->request = (struct http_request){0};
    parser->target_size = 0;
    parser->header_count = parser->trailer_count = 0;
    parser->head_end = parser->body_size = parser->trailer_bytes = 0;
    parser->length = 0;
    parser->host_count = 0;
    parser->skipped_empty_line = parser->target_is_root = false;
    parser->authority_size = 0;
    parser->has_length = parser->chunked = parser->expects_continue = parser->body_begun = false;
    parser->asks_close = parser->asks_keep_alive = false;
    if (parser->ahead.size == 0) return;
    if (!take_in(parser, buffer_bytes(&parser->ahead))) parser->lost = true;
    buffer_done(&parser->ahead);
}

enum http_parse_state http_parser_state(const struct http_parser *parser) {
    if (parser->step <= STEP_HEADERS) return HTTP_PARSE_HEAD;
    if (parser->step == STEP_DONE) return HTTP_PARSE_DONE;
    return parser->step == STEP_ERROR ? HTTP_PARSE_ERROR : HTTP_PARSE_BODY;
}

bool http_parser_expects_continue(const struct http_parser *parser) {
    return parser->expects_continue && !parser->body_begun &&
           http_parser_state(parser) == HTTP_PARSE_BODY;
}

bool http_parser_keep_alive(const struct http_parser *parser) {
    if (parser->asks_close) return false;
    return parser->request.minor_version >= 1 || parser->asks_keep_alive;
}

size_t http_parser_buffered(const struct http_parser *parser) {
    if (parser->step <= STEP_HEADERS) return parser_held(parser);
    if (parser->step != STEP_DONE) return 0;
    return parser_held(parser) - parser->at + parser->ahead.size;
}

const struct http_request *http_parser_request(const struct http_parser *parser) {
    ASSERT(parser->step == STEP_DONE);
    return &parser->request;
}

void parser_give_back(struct http_parser *parser) {
    if (parser->step == STEP_REQUEST_LINE && parser_held(parser) == 0 && parser->begin == 0)
        buffer_done(&parser->held);
}

void parser_abort(struct http_parser *parser, int status, const char *message) {
    ASSERT(parser->step != STEP_DONE);
    if (parser->step != STEP_ERROR) parser_fail(parser, status, message);
}

const struct http_request *parser_request_so_far(struct http_parser *parser) {
    ASSERT(parser->step == STEP_ERROR);
    if (parser->target_size > 0 || parser->target_is_root) publish(parser);
    return &parser->request;
}

int http_parser_error(const struct http_parser *parser, const char **ret_message) {
    ASSERT(parser->step == STEP_ERROR);
    *ret_message = parser->error_message;
    return parser->error;
}
