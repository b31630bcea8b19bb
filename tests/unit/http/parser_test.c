// SPDX-License-Identifier: Apache-2.0
// Every input is fed whole, byte by byte and cut in two at each place; the outcomes must agree.
#include "http/http.h"
#include "http/parser.h"
#include "test.h"

#define HOST "Host: a\r\n"
#define GET_LINE "GET / HTTP/1.1\r\n"
#define POST_LINE "POST / HTTP/1.1\r\n" HOST
#define CHUNKED POST_LINE "Transfer-Encoding: chunked\r\n\r\n"

static const struct http_parser_limits limits = {
    .header_bytes_max = 512, .header_count_max = 8, .body_bytes_max = 64};

struct outcome {
    enum http_parse_state state;
    int error;
    char message[80];
    size_t buffered, header_count;
    bool keep_alive;
    struct bytes target, path, query, body;
    char text[1024];
    size_t text_size;
};

static struct bytes keep(struct outcome *outcome, struct bytes bytes) {
    CHECK(outcome->text_size + bytes.size <= sizeof outcome->text);
    uint8_t *place = (uint8_t *)outcome->text + outcome->text_size;
    if (bytes.size > 0) memcpy(place, bytes.data, bytes.size);
    outcome->text_size += bytes.size;
    return bytes_of(place, bytes.size);
}

static struct http_parser *new_parser(void) {
    struct http_parser *parser = NULL;
    CHECK_OK(http_parser_new(&limits, &parser));
    return parser;
}

static void look(const struct http_parser *parser, struct outcome *outcome) {
    memset(outcome, 0, sizeof *outcome);
    outcome->state = http_parser_state(parser);
    outcome->buffered = http_parser_buffered(parser);
    if (outcome->state == HTTP_PARSE_ERROR) {
        const char *message = NULL;
        outcome->error = http_parser_error(parser, &message);
        snprintf(outcome->message, sizeof outcome->message, "%s", message);
        outcome->buffered = 0;
    }
    if (outcome->state != HTTP_PARSE_DONE) return;
    const struct http_request *request = http_parser_request(parser);
    outcome->header_count = request->header_count;
    outcome->keep_alive = http_parser_keep_alive(parser);
    outcome->target = keep(outcome, request->target);
    outcome->path = keep(outcome, request->path);
    outcome->query = keep(outcome, request->query);
    outcome->body = keep(outcome, request->body);
    for (size_t i = 0; i < request->header_count; i++) {
        keep(outcome, request->headers[i].name);
        keep(outcome, request->headers[i].value);
    }
}

// Feeds in pieces of `step` bytes, the first of `first`. A copy of exact size shows overreads.
static void feed(struct bytes input, size_t first, size_t step, struct outcome *outcome) {
    struct http_parser *parser = new_parser();
    for (size_t at = 0; at < input.size;) {
        size_t size = at == 0 ? first : step;
        if (size > input.size - at) size = input.size - at;
        uint8_t *piece = malloc(size + 1);
        memcpy(piece, input.data + at, size);
        http_parser_feed(parser, bytes_of(piece, size));
        free(piece);
        at += size;
    }
    look(parser, outcome);
    http_parser_free(parser);
}

static void check_same(const struct outcome *a, const struct outcome *b, size_t cut) {
    bool same = a->state == b->state && a->error == b->error &&
                strcmp(a->message, b->message) == 0 && a->buffered == b->buffered &&
                a->header_count == b->header_count && a->keep_alive == b->keep_alive &&
                a->text_size == b->text_size && memcmp(a->text, b->text, a->text_size) == 0;
    if (!same)
        test_fail(__FILE__, __LINE__, "cut at %zu: state %d error %d \"%s\", whole %d %d \"%s\"",
                  cut, b->state, b->error, b->message, a->state, a->error, a->message);
}

static void parse(struct bytes input, struct outcome *ret) {
    feed(input, input.size, input.size, ret);
    struct outcome other;
    feed(input, 1, 1, &other);
    check_same(ret, &other, 1);
    for (size_t cut = 1; cut < input.size; cut++) {
        feed(input, cut, input.size, &other);
        check_same(ret, &other, cut);
    }
}

static void parse_text(const char *text, struct outcome *ret) {
    parse(bytes_of_string(text), ret);
}

static void check_refused(int status, const char *text) {
    struct outcome outcome;
    parse_text(text, &outcome);
    if (outcome.state != HTTP_PARSE_ERROR || outcome.error != status)
        test_fail(__FILE__, __LINE__, "state %d, status %d instead of %d for:\n%s", outcome.state,
                  outcome.error, status, text);
}

static void check_accepted(const char *text, const char *target, const char *body) {
    struct outcome outcome;
    parse_text(text, &outcome);
    if (outcome.state != HTTP_PARSE_DONE)
        test_fail(__FILE__, __LINE__, "state %d, %s for:\n%s", outcome.state, outcome.message,
                  text);
    CHECK_BYTES(target, outcome.target);
    CHECK_BYTES(body, outcome.body);
}

TEST(a_request_is_taken_apart) {
    struct outcome outcome;
    parse_text("GET /a%20b?x=1&y=?2 HTTP/1.1\r\nhost: example.org:80\r\nX-Empty:\r\n"
               "Accept: \t text/html , */* \t\r\n\r\n",
               &outcome);
    CHECK_EQUAL(HTTP_PARSE_DONE, outcome.state);
    CHECK_BYTES("/a%20b?x=1&y=?2", outcome.target);
    CHECK_BYTES("/a%20b", outcome.path);
    CHECK_BYTES("x=1&y=?2", outcome.query);
    CHECK_EQUAL(3, outcome.header_count);
    CHECK(outcome.keep_alive);
    const char *headers = "hostexample.org:80X-EmptyAccepttext/html , */*";
    size_t skipped = strlen("/a%20b?x=1&y=?2/a%20bx=1&y=?2");
    CHECK_BYTES(headers, bytes_of(outcome.text + skipped, outcome.text_size - skipped));
}

TEST(every_method_is_known) {
    static const char *const names[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
    for (int i = 0; i < 7; i++) {
        enum http_method method;
        CHECK(http_method_parse(bytes_of_string(names[i]), &method));
        CHECK(strcmp(http_method_name(method), names[i]) == 0);
        char text[64];
        snprintf(text, sizeof text, "%s /x HTTP/1.1\r\n" HOST "\r\n", names[i]);
        check_accepted(text, "/x", "");
    }
    enum http_method method;
    CHECK(!http_method_parse(bytes_of_string("get"), &method));
    CHECK(!http_method_parse(bytes_of_string(""), &method));
}

TEST(valid_forms) {
    check_accepted("GET / HTTP/1.0\r\n\r\n", "/", "");
    check_accepted("\r\n" GET_LINE HOST "\r\n", "/", "");
    check_accepted("OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "*", "");
    check_accepted("GET http://a/b?c HTTP/1.1\r\n" HOST "\r\n", "/b?c", "");
    check_accepted("GET HTTP://A HTTP/1.1\r\n" HOST "\r\n", "/", "");
    check_accepted(GET_LINE "Host:\r\n\r\n", "/", "");
    check_accepted(GET_LINE "Host: [::1]:80\r\n\r\n", "/", "");
    check_accepted(GET_LINE HOST "X: caf\xc3\xa9 \xff\r\n\r\n", "/", "");
    check_accepted(POST_LINE "\r\n", "/", "");
    check_accepted(POST_LINE "Content-Length: 0\r\n\r\n", "/", "");
    check_accepted(POST_LINE "Content-Length: 5\r\n\r\nhello", "/", "hello");
    check_accepted(POST_LINE "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", "/", "hello");
    check_accepted(POST_LINE "Content-Length: 0000000000000000000000005\r\n\r\nhello", "/",
                   "hello");
}

TEST(chunked_bodies) {
    check_accepted(CHUNKED "0\r\n\r\n", "/", "");
    check_accepted(CHUNKED "5\r\nhello\r\n0\r\n\r\n", "/", "hello");
    check_accepted(CHUNKED "1\r\na\r\n2\r\nbc\r\n003\r\ndef\r\n0\r\n\r\n", "/", "abcdef");
    check_accepted(CHUNKED "A\r\n0123456789\r\na\r\nabcdefghij\r\n000\r\n\r\n", "/",
                   "0123456789abcdefghij");
    check_accepted(CHUNKED "2;name=\"value\"\r\n\r\n\r\n0;last\r\nX-Sum: 1\r\nY: 2\r\n\r\n", "/",
                   "\r\n");
    check_accepted(POST_LINE "transfer-encoding: Chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", "/", "x");
}

TEST(incomplete_requests_wait) {
    struct outcome outcome;
    static const char *const heads[] = {"", "G", "GET / HTTP/1.1\r", GET_LINE HOST "\r",
                                        GET_LINE "Host: a"};
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        parse_text(heads[i], &outcome);
        CHECK_EQUAL(HTTP_PARSE_HEAD, outcome.state);
        CHECK_EQUAL(strlen(heads[i]), outcome.buffered);
    }
    static const char *const bodies[] = {POST_LINE "Content-Length: 2\r\n\r\n",
                                         CHUNKED,
                                         POST_LINE "Content-Length: 2\r\n\r\nx",
                                         CHUNKED "5\r\nhell",
                                         CHUNKED "5\r\nhello",
                                         CHUNKED "5\r\nhello\r\n0\r\n",
                                         CHUNKED "0\r\nA: b\r\n"};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        parse_text(bodies[i], &outcome);
        CHECK_EQUAL(HTTP_PARSE_BODY, outcome.state);
    }
}

TEST(malformed_request_lines) {
    static const char *const lines[] = {"GET\r\n",
                                        "GET /\r\n",
                                        "GET  / HTTP/1.1\r\n",
                                        "GET /  HTTP/1.1\r\n",
                                        "GET / HTTP/1.1 \r\n",
                                        " GET / HTTP/1.1\r\n",
                                        "G@T / HTTP/1.1\r\n",
                                        "GET / http/1.1\r\n",
                                        "GET / HTTP/11\r\n",
                                        "GET / HTTP/1.1x\r\n",
                                        "GET\t/\tHTTP/1.1\r\n",
                                        "GET x HTTP/1.1\r\n",
                                        "GET /a#b HTTP/1.1\r\n",
                                        "GET /\x01 HTTP/1.1\r\n",
                                        "GET /\x7f HTTP/1.1\r\n",
                                        "GET /\xc3\xa9 HTTP/1.1\r\n",
                                        "GET * HTTP/1.1\r\n",
                                        "GET a:80 HTTP/1.1\r\n",
                                        "GET http:// HTTP/1.1\r\n",
                                        "GET http:///x HTTP/1.1\r\n",
                                        "GET ftp://a/ HTTP/1.1\r\n",
                                        "GET http://u@a/ HTTP/1.1\r\n",
                                        "GET http://a?x HTTP/1.1\r\n",
                                        "GET / HTTP/1.1\n",
                                        "GET / HTTP/1.1\r\r\n",
                                        "\r\n\r\nGET / HTTP/1.1\r\n",
                                        "\nGET / HTTP/1.1\r\n"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        char text[128];
        snprintf(text, sizeof text, "%s" HOST "\r\n", lines[i]);
        check_refused(400, text);
    }
    check_refused(501, "BREW / HTTP/1.1\r\n" HOST "\r\n");
    check_refused(501, "CONNECT a:80 HTTP/1.1\r\n" HOST "\r\n");
    check_refused(501, "get / HTTP/1.1\r\n" HOST "\r\n");
    check_refused(505, "GET / HTTP/2.0\r\n" HOST "\r\n");
    check_refused(505, "PRI * HTTP/2.0\r\n\r\n");
    check_refused(505, "GET / HTTP/1.2\r\n" HOST "\r\n");
    check_refused(505, "GET / HTTP/0.9\r\n" HOST "\r\n");
}

TEST(malformed_headers) {
    static const char *const headers[] = {"X : y\r\n",
                                          "X\t: y\r\n",
                                          ": y\r\n",
                                          "X\r\n",
                                          "X y: z\r\n",
                                          " X: y\r\n",
                                          "\tX: y\r\n",
                                          "X: y\r\n folded\r\n",
                                          "X: y\r\n\tfolded\r\n",
                                          "X: a\rb\r\n",
                                          "X: y\n",
                                          "X: a\x01z\r\n",
                                          "X: a\x7fz\r\n",
                                          "X\x80: y\r\n",
                                          "X(: y\r\n",
                                          "X: y\r\r\n",
                                          "\n",
                                          "\r\r\n"};
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        char text[128];
        snprintf(text, sizeof text, GET_LINE HOST "%s\r\n", headers[i]);
        check_refused(400, text);
    }
    static const char nul_in_value[] = GET_LINE HOST "X: a\0b\r\n\r\n";
    struct outcome outcome;
    parse(bytes_of(nul_in_value, sizeof nul_in_value - 1), &outcome);
    CHECK_EQUAL(400, outcome.error);
}

TEST(the_host_must_be_clear) {
    check_refused(400, GET_LINE "\r\n");
    check_refused(400, GET_LINE HOST HOST "\r\n");
    check_refused(400, GET_LINE HOST "host: b\r\n\r\n");
    check_refused(400, "GET / HTTP/1.0\r\n" HOST HOST "\r\n");
    check_refused(400, GET_LINE "Host: a b\r\n\r\n");
    check_refused(400, GET_LINE "Host: a/b\r\n\r\n");
    check_refused(400, GET_LINE "Host: u@a\r\n\r\n");
    check_refused(400, "GET http://b/ HTTP/1.1\r\n" HOST "\r\n");
}

TEST(smuggling_by_content_length_is_refused) {
    static const char *const lengths[] = {"+5",
                                          "-5",
                                          "5 5",
                                          "5,5",
                                          "5, 5",
                                          "0x5",
                                          "5;",
                                          "",
                                          "\"5\"",
                                          "5.0",
                                          "99999999999999999999999",
                                          "\xb2"};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        char text[160];
        snprintf(text, sizeof text, POST_LINE "Content-Length: %s\r\n\r\nhello", lengths[i]);
        check_refused(400, text);
    }
    check_refused(400, POST_LINE "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!");
    check_refused(400, POST_LINE "Content-Length: 5\r\nContent-Length: 05x\r\n\r\nhello");
    check_refused(400, POST_LINE "Content-Length : 5\r\n\r\nhello");
    check_refused(400, POST_LINE "Content-Length\r\n: 5\r\n\r\nhello");
}

TEST(smuggling_by_transfer_encoding_is_refused) {
    static const char *const encodings[] = {"gzip",        "chunked, gzip",    "gzip, chunked",
                                            "identity",    "chunked, chunked", "xchunked",
                                            "chunked;q=1", "\"chunked\"",      "",
                                            "chunked,",    "\013chunked",      "chunked\x0c"};
    for (size_t i = 0; i < sizeof encodings / sizeof encodings[0]; i++) {
        char text[160];
        snprintf(text, sizeof text, POST_LINE "Transfer-Encoding: %s\r\n\r\n0\r\n\r\n",
                 encodings[i]);
        check_refused(400, text);
    }
    check_refused(400, POST_LINE
                  "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    check_refused(400, POST_LINE
                  "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n");
    check_refused(400,
                  POST_LINE "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n");
    check_refused(400,
                  POST_LINE "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    check_refused(400, POST_LINE "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n");
    check_refused(400, POST_LINE "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n");
    check_refused(400, "POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
}

TEST(smuggling_by_chunks_is_refused) {
    static const char *const chunks[] = {"0x5\r\nhello\r\n",
                                         "+5\r\nhello\r\n",
                                         "-1\r\n",
                                         " 5\r\nhello\r\n",
                                         "5 \r\nhello\r\n",
                                         "\r\n5\r\nhello\r\n",
                                         "g\r\n",
                                         "5\nhello\r\n",
                                         "5\rhello\r\n",
                                         "5\r\nhello\n0\r\n\r\n",
                                         "5\r\nhello0\r\n\r\n",
                                         "5\r\nhelloXX0\r\n\r\n",
                                         "5\r\nhell\r\n0\r\n\r\n",
                                         "0000000000000000\r\n\r\n",
                                         "1ffffffffffffffff\r\n",
                                         "5,x\r\nhello\r\n",
                                         "5;a\x01\r\nhello\r\n",
                                         "0\r\nX : y\r\n\r\n",
                                         "0\r\n folded\r\n\r\n",
                                         "0\r\nX: y\n\r\n",
                                         "0\r\n\n"};
    for (size_t i = 0; i < sizeof chunks / sizeof chunks[0]; i++) {
        char text[256];
        snprintf(text, sizeof text, CHUNKED "%s", chunks[i]);
        check_refused(400, text);
    }
}

// `count` bytes of `fill` between two texts.
static void check_padded(int status, const char *before, size_t count, const char *after) {
    char text[2048];
    size_t size = strlen(before);
    CHECK(size + count + strlen(after) < sizeof text);
    memcpy(text, before, size);
    memset(text + size, 'x', count);
    strcpy(text + size + count, after);
    struct outcome outcome;
    parse_text(text, &outcome);
    int got = outcome.state == HTTP_PARSE_ERROR ? outcome.error : 200;
    CHECK_EQUAL(status, got);
}

TEST(sizes_are_bounded) {
    size_t line = strlen("GET / HTTP/1.1\r\n"), head = line + strlen("Host: a\r\n\r\n");
    check_padded(200, "GET /", 512 - head, " HTTP/1.1\r\n" HOST "\r\n");
    check_padded(431, "GET /", 512 - head + 1, " HTTP/1.1\r\n" HOST "\r\n");
    check_padded(414, "GET /", 512 - line + 1, " HTTP/1.1\r\n" HOST "\r\n");
    check_padded(414, "GET /", 1000, "");
    check_padded(431, GET_LINE HOST "X: ", 1000, "");
    check_padded(431, GET_LINE HOST "X: ", 500, "\r\n\r\n");
    check_padded(400, CHUNKED "1;", 400, "\r\n");
    check_padded(400, CHUNKED "1;", 256, "\r\nx\r\n0\r\n\r\n");
    check_padded(200, CHUNKED "1;", 255, "\r\nx\r\n0\r\n\r\n");
    check_padded(431, CHUNKED "0\r\nX: ", 600, "");
    check_padded(200, CHUNKED "0\r\nX: ", 500, "\r\n\r\n");
    check_padded(200, POST_LINE "Content-Length: 64\r\n\r\n", 64, "");
    check_padded(200, CHUNKED "40\r\n", 64, "\r\n0\r\n\r\n");
    check_refused(413, POST_LINE "Content-Length: 65\r\n\r\n");
    check_refused(413, POST_LINE "Content-Length: 18446744073709551609\r\n\r\n");
    check_refused(413, CHUNKED "41\r\n");
    check_refused(413, CHUNKED "fffffffffffffff\r\n");
    check_padded(413, CHUNKED "40\r\n", 64, "\r\n1\r\n");
    check_accepted(GET_LINE HOST "b:\r\nc:\r\nd:\r\ne:\r\nf:\r\ng:\r\nh:\r\n\r\n", "/", "");
    check_refused(431, GET_LINE HOST "b:\r\nc:\r\nd:\r\ne:\r\nf:\r\ng:\r\nh:\r\ni:\r\n\r\n");
    check_refused(431, CHUNKED "0\r\na:\r\nb:\r\nc:\r\nd:\r\ne:\r\nf:\r\ng:\r\nh:\r\ni:\r\n\r\n");
}

TEST(expectations) {
    check_refused(417, POST_LINE "Expect: 200-ok\r\n\r\n");
    check_accepted("POST / HTTP/1.0\r\nExpect: 200-ok\r\n\r\n", "/", "");
    static const char head[] = POST_LINE "Expect: 100-Continue\r\nContent-Length: 2\r\n\r\n";
    struct http_parser *parser = new_parser();
    CHECK_EQUAL(HTTP_PARSE_BODY, http_parser_feed(parser, bytes_of_string(head)));
    CHECK(http_parser_expects_continue(parser));
    http_parser_feed(parser, bytes_of_string("x"));
    CHECK(!http_parser_expects_continue(parser));
    http_parser_free(parser);
    parser = new_parser();
    http_parser_feed(parser, bytes_of_string(POST_LINE "Expect: 100-continue\r\n\r\n"));
    CHECK_EQUAL(HTTP_PARSE_DONE, http_parser_state(parser));
    CHECK(!http_parser_expects_continue(parser));
    http_parser_free(parser);
}

static void check_keep_alive(bool expected, const char *text) {
    struct outcome outcome;
    parse_text(text, &outcome);
    CHECK_EQUAL(HTTP_PARSE_DONE, outcome.state);
    CHECK_EQUAL(expected, outcome.keep_alive);
}

TEST(keep_alive_is_understood) {
    check_keep_alive(true, GET_LINE HOST "\r\n");
    check_keep_alive(false, GET_LINE HOST "Connection: close\r\n\r\n");
    check_keep_alive(false, GET_LINE HOST "Connection: x , CLOSE\r\n\r\n");
    check_keep_alive(false, GET_LINE HOST "Connection: keep-alive\r\nConnection: close\r\n\r\n");
    check_keep_alive(true, GET_LINE HOST "Connection: closed\r\n\r\n");
    check_keep_alive(false, "GET / HTTP/1.0\r\n\r\n");
    check_keep_alive(true, "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
}

// Requests one after the other, the second arriving while the first is still looked at.
TEST(what_came_ahead_is_kept) {
    struct http_parser *parser = new_parser();
    http_parser_feed(parser, bytes_of_string(POST_LINE "Content-Length: 3\r\n\r\nonePOST /2 "));
    CHECK_EQUAL(HTTP_PARSE_DONE, http_parser_state(parser));
    CHECK_EQUAL(strlen("POST /2 "), http_parser_buffered(parser));
    const struct http_request *request = http_parser_request(parser);
    struct bytes body = request->body;
    http_parser_feed(parser, bytes_of_string("HTTP/1.1\r\n" HOST));
    static char filler[8192]; // beyond the capacity: what was handed over must stay in place
    memset(filler, 'y', sizeof filler);
    http_parser_feed(parser, bytes_of_string("Content-Length: 3\r\n\r\ntwo"));
    http_parser_feed(parser, bytes_of(filler, sizeof filler));
    CHECK_BYTES("one", body);
    http_parser_reset(parser);
    CHECK_EQUAL(HTTP_PARSE_DONE, http_parser_feed(parser, bytes_of(NULL, 0)));
    request = http_parser_request(parser);
    CHECK_BYTES("/2", request->path);
    CHECK_BYTES("two", request->body);
    CHECK_EQUAL(sizeof filler, http_parser_buffered(parser));
    http_parser_reset(parser);
    CHECK_EQUAL(HTTP_PARSE_ERROR, http_parser_feed(parser, bytes_of(NULL, 0)));
    http_parser_free(parser);
}

TEST(a_hundred_pipelined_requests) {
    struct http_parser *parser = new_parser();
    struct buffer input = {0};
    for (int i = 0; i < 100; i++)
        CHECK_OK(buffer_append_format(&input,
                                      "POST /%d HTTP/1.1\r\n" HOST
                                      "Transfer-Encoding: chunked\r\n\r\n2\r\n%02d\r\n0\r\n\r\n",
                                      i, i));
    http_parser_feed(parser, buffer_bytes(&input));
    for (int i = 0; i < 100; i++) {
        CHECK_EQUAL(HTTP_PARSE_DONE, http_parser_feed(parser, bytes_of(NULL, 0)));
        char path[8], body[8];
        snprintf(path, sizeof path, "/%d", i);
        snprintf(body, sizeof body, "%02d", i);
        CHECK_BYTES(path, http_parser_request(parser)->path);
        CHECK_BYTES(body, http_parser_request(parser)->body);
        http_parser_reset(parser);
    }
    CHECK_EQUAL(0, http_parser_buffered(parser));
    CHECK_EQUAL(HTTP_PARSE_HEAD, http_parser_feed(parser, bytes_of(NULL, 0)));
    buffer_done(&input);
    http_parser_free(parser);
}

TEST(the_framing_of_chunks_does_not_pile_up) {
    struct http_parser *parser = new_parser();
    http_parser_feed(parser, bytes_of_string(CHUNKED));
    char chunk[256];
    memset(chunk, 'x', sizeof chunk);
    memcpy(chunk, "1;", 2);
    memcpy(chunk + sizeof chunk - 6, "\r\ny\r\n", 5);
    for (int i = 0; i < 64; i++)
        CHECK_EQUAL(HTTP_PARSE_BODY, http_parser_feed(parser, bytes_of(chunk, sizeof chunk - 1)));
    CHECK(parser->held.size <= strlen(CHUNKED) + 64 + 2);
    CHECK_EQUAL(HTTP_PARSE_DONE, http_parser_feed(parser, bytes_of_string("0\r\n\r\n")));
    CHECK_EQUAL(64, http_parser_request(parser)->body.size);
    http_parser_free(parser);
}
