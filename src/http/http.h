// SPDX-License-Identifier: Apache-2.0
// The HTTP server: strict HTTP/1.1 (RFC 9110, RFC 9112) and HTTP/2 (RFC 9113) on `net`, one handler
// interface, routing. One `struct http_server` per worker loop; everything runs on that loop's
// thread. A request is handed over whole (head and body within limits); requests of one HTTP/1.1
// connection run one after the other, so a pipelined request sees what the one before it did.
// Streams of an HTTP/2 connection run beside each other. A connection speaks HTTP/2 when ALPN says
// so or, in clear, when it begins with HTTP/2's preface.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "net/net.h"

enum http_method {
    HTTP_GET = 1,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_PATCH,
    HTTP_DELETE,
    HTTP_OPTIONS,
};
const char *http_method_name(enum http_method method);
bool http_method_parse(struct bytes name, enum http_method *ret);
static inline bool http_method_safe(enum http_method method) {
    return method == HTTP_GET || method == HTTP_HEAD || method == HTTP_OPTIONS;
}

struct http_header {
    struct bytes name;  // as sent (HTTP/2: lower case); compare with http_name_equal()
    struct bytes value; // without surrounding whitespace
};
// ASCII case-insensitive.
bool http_name_equal(struct bytes name, const char *text);

struct http_request { // views into the exchange's memory
    enum http_method method;
    uint8_t major_version; // 1 or 2
    uint8_t minor_version; // HTTP/1.0 or HTTP/1.1; else 0
    struct bytes target;   // as sent, origin form
    struct bytes path;     // before '?', still percent-encoded, begins with '/' or is "*"
    struct bytes query;    // after '?', still encoded, maybe empty
    const struct http_header *headers; // HTTP/2: :authority as host, cookies joined
    size_t header_count;
    struct bytes body;
    struct bytes remote; // "127.0.0.1:50312"
    char id[33];         // request id: 32 hex digits
};
// The first header of that name, or NULL.
const struct http_header *http_request_header(const struct http_request *request, const char *name);

struct http_response {
    int status;
    const struct http_header *headers; // without Content-Length, Connection, Date,
    size_t header_count;               // Transfer-Encoding, X-Request-Id: those are the server's
    struct bytes body;                 // copied
};

struct http_options {         // all bounds are per connection unless said
    int64_t header_bytes_max; // request line and headers: 431 (414 for the line alone)
    int64_t header_count_max;
    int64_t body_bytes_max;    // 413
    int64_t header_timeout_ms; // first byte to end of head: 408
    int64_t body_timeout_ms;   // head to end of body: 408
    int64_t idle_timeout_ms;   // between requests: closed
    int64_t write_timeout_ms;  // a peer (or stream) that takes nothing for this long is closed
    int64_t requests_max;      // per connection, then Connection: close
    int64_t connections_max;   // of this server (worker)
    bool access_log;           // one JSON line a request, written in batches
    // TLS. A request in clear is redirected to https.
    struct tls_context *tls; // NULL: in clear; it must outlive the server
    int64_t handshake_timeout_ms;
    // HTTP/2. A connection beyond one of the rates ends with ENHANCE_YOUR_CALM.
    bool http2;
    int64_t http2_streams_max;        // at once
    int64_t http2_bodies_bytes_max;   // request bodies held at once: 503
    int64_t http2_control_frames_max; // a second: all but requests and their data
    int64_t http2_resets_max;         // a second: streams the client ends early or misuses
    int64_t http2_continuations_max;  // frames of one header list behind the first
};
// For tls_options.protocols; `http_protocols_without_http2` leaves "h2" out.
extern const char *const http_protocols[];
extern const char *const http_protocols_without_http2[];
struct http_options http_options_default(void);

struct http_server;
struct http_exchange;
// Called once per request. The handler answers exactly once with http_respond(), now or later.
typedef void http_handler(struct http_exchange *exchange, void *context);

CHECKED enum status http_server_new(struct loop *loop, const struct http_options *options,
                                    http_handler *handler, void *context, struct http_server **ret);
// Takes over a connected socket.
void http_server_adopt(struct http_server *server, int descriptor, const char *remote);
size_t http_server_connections(const struct http_server *server);
// Graceful end: idle connections close, running exchanges finish with Connection: close or behind a
// GOAWAY;
// `on_done` runs when none is left. Connections still there after `grace_ms` are closed.
void http_server_drain(struct http_server *server, uint64_t grace_ms,
                       void (*on_done)(void *context), void *context);
// After on_done.
void http_server_free(struct http_server *server);

const struct http_request *http_exchange_request(const struct http_exchange *exchange);
// Memory that lives until the exchange is answered and gone.
struct arena *http_exchange_arena(struct http_exchange *exchange);
// `function` runs when the connection was lost before the answer (the exchange stays valid until
// http_respond(), which must still be called and does nothing then). NULL clears it. A client that
// merely closed its own direction still gets its answer.
void http_exchange_on_cancel(struct http_exchange *exchange, void (*function)(void *context),
                             void *context);
// Answers. Everything is copied or sent before it returns; the exchange is invalid afterwards.
// A response to HEAD and a 304 is sent without its body but with its length (a 304 without a body
// has none), a 204 without both. Status (200 to 599), header names and values are checked: a bad
// one (CR, LF, NUL, not a token, one of the server's own) makes the answer a 500.
void http_respond(struct http_exchange *exchange, const struct http_response *response);
// An error document: JSON {"error": {"code", "message", "request_id"}} unless the client prefers
// text/html, then a small page. `allow` (may be NULL) is the Allow header of a 405.
void http_respond_error(struct http_exchange *exchange, int status, const char *code,
                        const char *message, const char *allow);
// Sends what HTTP/2 connections have gathered and writes out the access log; to be called once a
// turn of the loop.
void http_server_turn(struct http_server *server);

// ---- parsing (pure; also the fuzz target's entry) ---------------------------------------------
// Strict incremental parser of one request. Refused as 400: bare LF, obsolete folding, whitespace
// before a colon, any Transfer-Encoding but exactly "chunked", Transfer-Encoding with
// Content-Length, differing or malformed Content-Length, controls in names or values, a missing or
// repeated Host in HTTP/1.1, absolute or authority targets that do not fit, chunk sizes that are
// not plain hex, chunk extensions beyond 256 bytes, trailers beyond the header bound.
struct http_parser;
struct http_parser_limits {
    size_t header_bytes_max, header_count_max, body_bytes_max;
};
enum http_parse_state {
    HTTP_PARSE_HEAD,  // wants more bytes of the head
    HTTP_PARSE_BODY,  // head complete, wants more bytes of the body
    HTTP_PARSE_DONE,  // http_parser_request() is complete
    HTTP_PARSE_ERROR, // http_parser_error() tells the status; the connection must close
};
CHECKED enum status http_parser_new(const struct http_parser_limits *limits,
                                    struct http_parser **ret);
void http_parser_free(struct http_parser *parser);
// Makes it ready for the next request; keeps bytes that were received beyond the last one.
void http_parser_reset(struct http_parser *parser);
// Takes bytes (copied) and parses as far as it can; with no bytes it goes on with what it holds.
enum http_parse_state http_parser_feed(struct http_parser *parser, struct bytes bytes);
enum http_parse_state http_parser_state(const struct http_parser *parser);
// Whether the head asked for "100-continue" and the body has not begun to arrive.
bool http_parser_expects_continue(const struct http_parser *parser);
bool http_parser_keep_alive(const struct http_parser *parser);
// Bytes held beyond the current request, or of a head begun.
size_t http_parser_buffered(const struct http_parser *parser);
const struct http_request *http_parser_request(const struct http_parser *parser);
// HTTP status (400, 408, 413, 414, 417, 431, 501, 503 without memory, 505) and reason of
// HTTP_PARSE_ERROR.
int http_parser_error(const struct http_parser *parser, const char **ret_message);

// ---- routing --------------------------------------------------------------------------------
// Patterns: "/", "/products/:id", "/files/*path" (the rest, last only). Literal segments win over
// parameters, parameters over rest; patterns that could not be told apart are refused.
#define HTTP_PARAMS_MAX 16
struct http_router;
CHECKED enum status http_router_new(struct http_router **ret);
void http_router_free(struct http_router *router);
// STATUS_INVALID (message), STATUS_EXISTS for the same method and shape.
CHECKED enum status http_router_add(struct http_router *router, enum http_method method,
                                    struct bytes pattern, uint32_t route, struct error *error);
struct http_match {
    uint32_t route;
    size_t param_count;
    struct bytes params[HTTP_PARAMS_MAX]; // percent-decoded, in pattern order
    char allow[64];                       // for STATUS_FORBIDDEN
};
// STATUS_OK; STATUS_NOT_FOUND; STATUS_FORBIDDEN when the path exists for other methods (`allow` is
// filled); STATUS_MALFORMED for bad percent-encoding or an encoded NUL. HEAD falls back to GET.
// Decoded parameters are in `arena`.
CHECKED enum status http_router_match(const struct http_router *router, enum http_method method,
                                      struct bytes path, struct arena *arena,
                                      struct http_match *ret);
