// SPDX-License-Identifier: Apache-2.0
// The inside of struct http_parser. `held` is what was received; the current request begins at
// `begin` and all offsets count from there, so that bytes may be moved until the request is done.
// From then until the reset nothing moves (the request's views point into it): what arrives and
// does not fit behind goes to `ahead`.
//
// Every decision is taken when a line is complete or a bound is passed, never on how the bytes were
// cut into pieces; feeding byte by byte gives the same result as feeding at once.
#pragma once

#include "http/http.h"

enum parser_step {
    STEP_REQUEST_LINE,
    STEP_HEADERS,
    STEP_BODY_LENGTH, // Content-Length
    STEP_CHUNK_SIZE,
    STEP_CHUNK_DATA,
    STEP_CHUNK_END, // the CRLF behind the data
    STEP_TRAILERS,
    STEP_DONE,
    STEP_ERROR,
};

struct header_place { // offsets from `begin`
    uint32_t name, name_size, value, value_size;
};

struct http_parser {
    struct http_parser_limits limits;
    struct buffer held;
    struct buffer ahead;
    size_t begin;
    size_t at;      // all before it is parsed
    size_t scanned; // [at, scanned) holds no LF
    enum parser_step step;
    bool lost; // bytes were dropped for want of memory
    int error;
    const char *error_message;
    // the head
    uint32_t target, target_size; // offsets, origin form
    bool skipped_empty_line;
    bool target_is_root; // an absolute target without a path
    uint32_t authority, authority_size;
    size_t header_count, header_capacity, trailer_count;
    struct header_place *places;
    struct http_header *headers;
    size_t head_end;
    int host_count;
    uint32_t host, host_size;
    bool has_length, chunked, expects_continue, body_begun;
    bool asks_close, asks_keep_alive;
    // the body, decoded: [head_end, head_end + body_size)
    uint64_t length; // Content-Length, or what is left of the chunk
    size_t body_size;
    size_t trailer_bytes;
    struct http_request request;
};

static inline const uint8_t *parser_at(const struct http_parser *parser, size_t offset) {
    return parser->held.data + parser->begin + offset;
}
// Bytes held of the current request (and behind it).
static inline size_t parser_held(const struct http_parser *parser) {
    return parser->held.size - parser->begin;
}
// Makes room for `capacity` headers; false without memory.
bool parser_allocate_headers(struct http_parser *parser, size_t capacity);
// Frees the buffer of a parser that holds nothing; the next bytes bring a new one.
void parser_give_back(struct http_parser *parser);
// Sets the error and returns false.
bool parser_fail(struct http_parser *parser, int status, const char *message);

// Ends a request that is not complete, as if it were refused.
void parser_abort(struct http_parser *parser, int status, const char *message);
// What is known of a refused request: method 0, target and headers empty where they are not.
const struct http_request *parser_request_so_far(struct http_parser *parser);

enum line_result { LINE_COMPLETE, LINE_INCOMPLETE, LINE_FAILED };
// The next line without its CRLF, and moves behind it. A line (with its end) that passes offset
// `bound` fails with `too_long`; one that ends in a bare LF with 400.
enum line_result parser_line(struct http_parser *parser, size_t bound, int too_long,
                             const char *message, struct bytes *ret);

// Each takes one step and returns false when it needs more bytes or failed (step says which).
bool parser_request_line(struct http_parser *parser); // head.c
bool parser_header_line(struct http_parser *parser);
bool parser_header_split(struct http_parser *parser, struct bytes line, struct http_header *ret);
bool parser_body_length(struct http_parser *parser); // body.c
bool parser_chunk_size(struct http_parser *parser);
bool parser_chunk_data(struct http_parser *parser);
bool parser_chunk_end(struct http_parser *parser);
bool parser_trailer_line(struct http_parser *parser);
