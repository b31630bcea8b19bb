// SPDX-License-Identifier: Apache-2.0
// The request line and the headers (RFC 9112 §3, §5, §6).
#include "parser.h"
#include "text.h"

static const char *const too_large = "request headers are too large";

static uint32_t offset_of(const struct http_parser *parser, const uint8_t *place) {
    return (uint32_t)(place - parser_at(parser, 0));
}

static bool parse_version(struct http_parser *parser, struct bytes version) {
    bool well_formed = version.size == 8 && memcmp(version.data, "HTTP/", 5) == 0 &&
                       version.data[6] == '.' && version.data[5] >= '0' && version.data[5] <= '9' &&
                       version.data[7] >= '0' && version.data[7] <= '9';
    if (!well_formed) return parser_fail(parser, 400, "malformed request line");
    if (version.data[5] != '1' || version.data[7] > '1')
        return parser_fail(parser, 505, "only HTTP/1.0 and HTTP/1.1 are served");
    parser->request.minor_version = (uint8_t)(version.data[7] - '0');
    return true;
}

// "http://host:port/path": the authority is compared with Host when the head is complete.
static bool absolute_target(struct http_parser *parser, struct bytes target) {
    size_t scheme = 0;
    if (target.size > 7 &&
        text_equal_ignoring_case(bytes_of(target.data, 7), bytes_of_string("http://")))
        scheme = 7;
    else if (target.size > 8 &&
             text_equal_ignoring_case(bytes_of(target.data, 8), bytes_of_string("https://")))
        scheme = 8;
    if (scheme == 0) return parser_fail(parser, 400, "malformed request target");
    struct bytes rest = bytes_of(target.data + scheme, target.size - scheme);
    const uint8_t *slash = memchr(rest.data, '/', rest.size);
    size_t size = slash == NULL ? rest.size : (size_t)(slash - rest.data);
    if (size == 0 || !text_all(bytes_of(rest.data, size), TEXT_HOST))
        return parser_fail(parser, 400, "malformed request target");
    parser->authority = offset_of(parser, rest.data);
    parser->authority_size = (uint32_t)size;
    parser->target_is_root = slash == NULL;
    parser->target = offset_of(parser, rest.data + size);
    parser->target_size = (uint32_t)(rest.size - size);
    return true;
}

static bool parse_target(struct http_parser *parser, struct bytes target) {
    if (target.size == 0 || !text_all(target, TEXT_TARGET))
        return parser_fail(parser, 400, "malformed request target");
    bool origin = target.data[0] == '/';
    bool asterisk = bytes_equal_string(target, "*") && parser->request.method == HTTP_OPTIONS;
    if (!origin && !asterisk) return absolute_target(parser, target);
    parser->target = offset_of(parser, target.data);
    parser->target_size = (uint32_t)target.size;
    return true;
}

static bool parse_request_line(struct http_parser *parser, struct bytes line) {
    const uint8_t *first = memchr(line.data, ' ', line.size);
    if (first == NULL) return parser_fail(parser, 400, "malformed request line");
    struct bytes method = bytes_of(line.data, (size_t)(first - line.data));
    struct bytes rest = bytes_of(first + 1, line.size - method.size - 1);
    const uint8_t *second = memchr(rest.data, ' ', rest.size);
    if (second == NULL || method.size == 0 || !text_all(method, TEXT_TOKEN))
        return parser_fail(parser, 400, "malformed request line");
    struct bytes target = bytes_of(rest.data, (size_t)(second - rest.data));
    if (!parse_version(parser, bytes_of(second + 1, rest.size - target.size - 1))) return false;
    if (!http_method_parse(method, &parser->request.method))
        return parser_fail(parser, 501, "this method is not served");
    return parse_target(parser, target);
}

bool parser_request_line(struct http_parser *parser) {
    struct bytes line;
    enum line_result result = parser_line(parser, parser->limits.header_bytes_max, 414,
                                          "request target is too long", &line);
    if (result != LINE_COMPLETE) return false;
    if (line.size == 0) {
        // One empty line before a request is to be ignored (RFC 9112 §2.2).
        if (parser->skipped_empty_line) return parser_fail(parser, 400, "malformed request line");
        parser->skipped_empty_line = true;
        return true;
    }
    if (!parse_request_line(parser, line)) return false;
    parser->step = STEP_HEADERS;
    return true;
}

bool parser_header_split(struct http_parser *parser, struct bytes line, struct http_header *ret) {
    if (line.data[0] == ' ' || line.data[0] == '\t')
        return parser_fail(parser, 400, "a header may not be folded");
    size_t size = 0;
    while (size < line.size && text_is(line.data[size], TEXT_TOKEN)) size++;
    if (size == 0 || size == line.size || line.data[size] != ':')
        return parser_fail(parser, 400, "malformed header name");
    ret->name = bytes_of(line.data, size);
    ret->value = text_trim(bytes_of(line.data + size + 1, line.size - size - 1));
    if (!text_all(ret->value, TEXT_VALUE))
        return parser_fail(parser, 400, "malformed header value");
    return true;
}

static bool take_host(struct http_parser *parser, struct bytes value) {
    if (++parser->host_count > 1) return parser_fail(parser, 400, "more than one Host");
    if (!text_all(value, TEXT_HOST)) return parser_fail(parser, 400, "malformed Host");
    parser->host = offset_of(parser, value.data);
    parser->host_size = (uint32_t)value.size;
    return true;
}

static bool take_content_length(struct http_parser *parser, struct bytes value) {
    uint64_t length = 0;
    if (value.size == 0) return parser_fail(parser, 400, "malformed Content-Length");
    for (size_t i = 0; i < value.size; i++) {
        uint8_t c = value.data[i];
        if (c < '0' || c > '9' || length > (UINT64_MAX - 9) / 10)
            return parser_fail(parser, 400, "malformed Content-Length");
        length = length * 10 + (uint64_t)(c - '0');
    }
    if (parser->has_length && parser->length != length)
        return parser_fail(parser, 400, "differing Content-Length");
    parser->has_length = true;
    parser->length = length;
    return true;
}

static bool take_transfer_encoding(struct http_parser *parser, struct bytes value) {
    if (parser->chunked || !http_name_equal(value, "chunked"))
        return parser_fail(parser, 400, "unsupported Transfer-Encoding");
    parser->chunked = true;
    return true;
}

static bool take_expect(struct http_parser *parser, struct bytes value) {
    if (parser->request.minor_version == 0) return true; // RFC 9110 §10.1.1
    if (!http_name_equal(value, "100-continue"))
        return parser_fail(parser, 417, "this expectation cannot be met");
    parser->expects_continue = true;
    return true;
}

static bool take_connection(struct http_parser *parser, struct bytes value) {
    struct bytes element;
    while (text_next_element(&value, &element)) {
        if (http_name_equal(element, "close")) parser->asks_close = true;
        if (http_name_equal(element, "keep-alive")) parser->asks_keep_alive = true;
    }
    return true;
}

// The headers that frame the message or concern the connection.
static bool interpret(struct http_parser *parser, const struct http_header *header) {
    static const struct {
        const char *name;
        size_t size;
        bool (*take)(struct http_parser *parser, struct bytes value);
    } known[] = {
        {"host", 4, take_host},
        {"expect", 6, take_expect},
        {"connection", 10, take_connection},
        {"content-length", 14, take_content_length},
        {"transfer-encoding", 17, take_transfer_encoding},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (header->name.size == known[i].size && http_name_equal(header->name, known[i].name))
            return known[i].take(parser, header->value);
    return true;
}

static bool check_host(struct http_parser *parser) {
    if (parser->request.minor_version >= 1 && parser->host_count == 0)
        return parser_fail(parser, 400, "Host is missing");
    if (parser->authority_size == 0 || parser->host_count == 0) return true;
    struct bytes host = bytes_of(parser_at(parser, parser->host), parser->host_size);
    struct bytes authority = bytes_of(parser_at(parser, parser->authority), parser->authority_size);
    if (!text_equal_ignoring_case(host, authority))
        return parser_fail(parser, 400, "request target and Host differ");
    return true;
}

static bool end_of_head(struct http_parser *parser) {
    parser->head_end = parser->at;
    if (!check_host(parser)) return false;
    if (parser->chunked) {
        if (parser->has_length)
            return parser_fail(parser, 400, "both Transfer-Encoding and Content-Length");
        if (parser->request.minor_version == 0)
            return parser_fail(parser, 400, "Transfer-Encoding in HTTP/1.0");
        parser->step = STEP_CHUNK_SIZE;
        return true;
    }
    if (parser->length > parser->limits.body_bytes_max)
        return parser_fail(parser, 413, "request body is too large");
    parser->step = parser->length > 0 ? STEP_BODY_LENGTH : STEP_DONE;
    return true;
}

static bool make_room_for_header(struct http_parser *parser) {
    if (parser->header_count == parser->limits.header_count_max)
        return parser_fail(parser, 431, "too many request headers");
    if (parser->header_count < parser->header_capacity) return true;
    if (!parser_allocate_headers(parser, parser->header_capacity * 2))
        return parser_fail(parser, 503, "out of memory");
    return true;
}

bool parser_header_line(struct http_parser *parser) {
    struct bytes line;
    enum line_result result =
        parser_line(parser, parser->limits.header_bytes_max, 431, too_large, &line);
    if (result != LINE_COMPLETE) return false;
    if (line.size == 0) return end_of_head(parser);
    struct http_header header;
    if (!make_room_for_header(parser) || !parser_header_split(parser, line, &header)) return false;
    parser->places[parser->header_count++] = (struct header_place){
        .name = offset_of(parser, header.name.data),
        .name_size = (uint32_t)header.name.size,
        .value = offset_of(parser, header.value.data),
        .value_size = (uint32_t)header.value.size,
    };
    return interpret(parser, &header);
}
