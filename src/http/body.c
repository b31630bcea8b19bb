// SPDX-License-Identifier: Apache-2.0
// Bodies: by Content-Length, or chunked (RFC 9112 §7.1), which is decoded in place.
#include "parser.h"
#include "text.h"

enum {
    CHUNK_DIGITS_MAX = 15,
    CHUNK_EXTENSION_MAX = 256,
    CHUNK_LINE_MAX = CHUNK_DIGITS_MAX + CHUNK_EXTENSION_MAX + 2,
};

bool parser_body_length(struct http_parser *parser) {
    size_t arrived = parser_held(parser) - parser->head_end;
    if (arrived > 0) parser->body_begun = true;
    if (arrived < parser->length) return false;
    parser->body_size = (size_t)parser->length;
    parser->at = parser->head_end + parser->body_size;
    parser->step = STEP_DONE;
    return true;
}

static bool begin_chunk(struct http_parser *parser, struct bytes line) {
    size_t digits = 0;
    uint64_t size = 0;
    while (digits < line.size && text_hex_value(line.data[digits]) >= 0) {
        if (digits == CHUNK_DIGITS_MAX) return parser_fail(parser, 400, "malformed chunk size");
        size = size * 16 + (uint64_t)text_hex_value(line.data[digits]);
        digits++;
    }
    struct bytes extension = bytes_of(line.data + digits, line.size - digits);
    if (digits == 0 || (extension.size > 0 && extension.data[0] != ';'))
        return parser_fail(parser, 400, "malformed chunk size");
    if (extension.size > CHUNK_EXTENSION_MAX || !text_all(extension, TEXT_VALUE))
        return parser_fail(parser, 400, "malformed chunk extension");
    if (size > parser->limits.body_bytes_max - parser->body_size)
        return parser_fail(parser, 413, "request body is too large");
    parser->length = size;
    parser->step = size == 0 ? STEP_TRAILERS : STEP_CHUNK_DATA;
    return true;
}

bool parser_chunk_size(struct http_parser *parser) {
    if (parser_held(parser) > parser->at) parser->body_begun = true;
    struct bytes line;
    enum line_result result =
        parser_line(parser, parser->at + CHUNK_LINE_MAX, 400, "chunk size line is too long", &line);
    return result == LINE_COMPLETE && begin_chunk(parser, line);
}

bool parser_chunk_data(struct http_parser *parser) {
    size_t held = parser_held(parser) - parser->at;
    size_t count = held < parser->length ? held : (size_t)parser->length;
    if (count == 0) return false;
    uint8_t *base = parser->held.data + parser->begin;
    memmove(base + parser->head_end + parser->body_size, base + parser->at, count);
    parser->body_size += count;
    parser->at += count;
    parser->scanned = parser->at;
    parser->length -= count;
    if (parser->length > 0) return false;
    parser->step = STEP_CHUNK_END;
    return true;
}

bool parser_chunk_end(struct http_parser *parser) {
    size_t held = parser_held(parser) - parser->at;
    const uint8_t *p = parser_at(parser, parser->at);
    if ((held >= 1 && p[0] != '\r') || (held >= 2 && p[1] != '\n'))
        return parser_fail(parser, 400, "malformed end of chunk");
    if (held < 2) return false;
    parser->at += 2;
    parser->scanned = parser->at;
    parser->step = STEP_CHUNK_SIZE;
    return true;
}

// Trailers are checked like headers and thrown away.
bool parser_trailer_line(struct http_parser *parser) {
    struct bytes line;
    size_t begin = parser->at;
    size_t left = parser->limits.header_bytes_max - parser->trailer_bytes;
    enum line_result result =
        parser_line(parser, begin + left, 431, "request trailers are too large", &line);
    if (result != LINE_COMPLETE) return false;
    parser->trailer_bytes += parser->at - begin;
    if (line.size == 0) {
        parser->step = STEP_DONE;
        return true;
    }
    struct http_header ignored;
    if (++parser->trailer_count > parser->limits.header_count_max)
        return parser_fail(parser, 431, "too many request trailers");
    return parser_header_split(parser, line, &ignored);
}
