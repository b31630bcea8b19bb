// SPDX-License-Identifier: Apache-2.0
// A stream: a request gathered and checked, and its reply. An object lives until the session has
// forgotten the stream and the exchange is answered.
#include <stdlib.h>

#include "base/limits.h"
#include "http2.h"
#include "text.h"

enum {
    HEADERS_FIRST = 16,
    HEADER_OVERHEAD = 32, // of a field in SETTINGS_MAX_HEADER_LIST_SIZE (RFC 9113 §6.5.2)
    SPARE_STREAMS_MAX = 256,
    SPARE_BYTES_MAX = 64 * 1024, // of memory kept with one
    OWN_HEADERS = 4,             // :status, content-length, date, x-request-id
};

static struct http_server *server_of(const struct http2_stream *stream) {
    return stream->http2->connection->server;
}

// ---- life -------------------------------------------------------------------------------------

static struct http2_stream *take_spare(struct http_server *server) {
    if (list_empty(&server->spare_streams)) {
        struct http2_stream *stream = calloc(1, sizeof *stream);
        if (stream == NULL) return NULL;
        stream->exchange.arena = (struct arena){.limit = ARENA_MAX, .block_size = ARENA_BLOCK};
        list_init(&stream->node);
        return stream;
    }
    struct list *node = server->spare_streams.next;
    list_remove(node);
    server->spare_stream_count--;
    return container_of(node, struct http2_stream, node);
}

struct http2_stream *http2_stream_new(struct http2 *http2, int32_t id) {
    struct http2_stream *spare = take_spare(http2->connection->server);
    if (spare == NULL) return NULL;
    *spare = (struct http2_stream){
        .exchange = {.arena = spare->exchange.arena, .connection = http2->connection},
        .http2 = http2,
        .id = id,
        .body = spare->body,
        .reply = spare->reply,
    };
    spare->exchange.stream = spare;
    list_push_back(&http2->streams, &spare->node);
    http2->stream_count++;
    return spare;
}

static void really_free(struct http2_stream *stream) {
    arena_done(&stream->exchange.arena);
    buffer_done(&stream->body);
    buffer_done(&stream->reply);
    free(stream);
}

static void make_spare(struct http_server *server, struct http2_stream *stream) {
    if (server->spare_stream_count == SPARE_STREAMS_MAX) {
        really_free(stream);
        return;
    }
    arena_reset(&stream->exchange.arena);
    if (stream->exchange.arena.total_bytes > SPARE_BYTES_MAX) arena_done(&stream->exchange.arena);
    buffer_clear(&stream->body);
    if (stream->body.capacity > SPARE_BYTES_MAX) buffer_done(&stream->body);
    buffer_clear(&stream->reply);
    if (stream->reply.capacity > SPARE_BYTES_MAX) buffer_done(&stream->reply);
    list_push_front(&server->spare_streams, &stream->node);
    server->spare_stream_count++;
}

void http2_free_spares(struct http_server *server) {
    while (!list_empty(&server->spare_streams)) {
        struct list *node = server->spare_streams.next;
        list_remove(node);
        really_free(container_of(node, struct http2_stream, node));
    }
    server->spare_stream_count = 0;
}

static void release_body(struct http2_stream *stream) {
    stream->http2->bodies_bytes -= stream->body.size;
    buffer_clear(&stream->body);
}

static void stream_free(struct http2_stream *stream) {
    struct http2 *http2 = stream->http2;
    struct http_connection *connection = http2->connection;
    struct http_server *server = connection->server;
    ASSERT(stream->closed && !stream->exchange.running);
    release_body(stream);
    list_remove(&stream->node);
    make_spare(server, stream);
    if (--http2->stream_count > 0) return;
    http2->deadline_ms = loop_now_ms(server->loop) + (uint64_t)server->options.idle_timeout_ms;
    if (connection->socket == NULL)
        http_connection_release_if_unused(connection);
    else
        http2_wake(http2);
}

void http2_stream_closed(struct http2_stream *stream) {
    struct http_exchange *exchange = &stream->exchange;
    stream->closed = true;
    if (!exchange->running)
        stream_free(stream);
    else if (exchange->on_cancel != NULL)
        exchange->on_cancel(exchange->cancel_context); // it may answer, which frees the stream
}

void http2_stream_reset(struct http2_stream *stream, uint32_t code) {
    nghttp2_submit_rst_stream(stream->http2->session, NGHTTP2_FLAG_NONE, stream->id, code);
    http2_wake(stream->http2);
}

// ---- the head ---------------------------------------------------------------------------------

static void refuse_head(struct http2_stream *stream, int status, const char *message) {
    if (stream->refusal != 0) return;
    stream->refusal = status;
    stream->refusal_message = message;
}

static bool make_room(struct http2_stream *stream) {
    if (stream->header_count < stream->header_capacity) return true;
    size_t capacity = stream->header_capacity == 0 ? HEADERS_FIRST : stream->header_capacity * 2;
    struct http_header *headers =
        arena_allocate(&stream->exchange.arena, capacity * sizeof *headers, sizeof(void *));
    if (headers == NULL) return false;
    if (stream->header_count > 0)
        memcpy(headers, stream->headers, stream->header_count * sizeof *headers);
    stream->headers = headers;
    stream->header_capacity = capacity;
    return true;
}

// Cookies may come in pieces (RFC 9113 §8.2.3); handlers see one header, as in HTTP/1.1.
static bool join_cookie(struct http2_stream *stream, struct bytes value) {
    struct http_header *cookie = NULL;
    for (size_t i = 0; i < stream->header_count && cookie == NULL; i++)
        if (bytes_equal_string(stream->headers[i].name, "cookie")) cookie = &stream->headers[i];
    if (cookie == NULL) return false;
    size_t size = cookie->value.size + 2 + value.size;
    uint8_t *joined = arena_allocate(&stream->exchange.arena, size, 1);
    if (joined == NULL) {
        refuse_head(stream, 503, "out of memory");
        return true;
    }
    memcpy(joined, cookie->value.data, cookie->value.size);
    memcpy(joined + cookie->value.size, "; ", 2);
    memcpy(joined + cookie->value.size + 2, value.data, value.size);
    cookie->value = bytes_of(joined, size);
    return true;
}

static void add_header(struct http2_stream *stream, struct bytes name, struct bytes value) {
    if (!make_room(stream))
        refuse_head(stream, 503, "out of memory");
    else
        stream->headers[stream->header_count++] = (struct http_header){name, value};
}

static void take_pseudo_header(struct http2_stream *stream, struct bytes name, struct bytes value) {
    if (bytes_equal_string(name, ":method"))
        stream->method = value;
    else if (bytes_equal_string(name, ":scheme"))
        stream->scheme = value;
    else if (bytes_equal_string(name, ":path"))
        stream->path = value;
    else if (bytes_equal_string(name, ":authority"))
        stream->authority = value;
    else
        refuse_head(stream, 400, "unknown pseudo-header");
}

void http2_stream_header(struct http2_stream *stream, struct bytes name, struct bytes value) {
    const struct http_options *options = &server_of(stream)->options;
    struct arena *arena = &stream->exchange.arena;
    stream->header_bytes += name.size + value.size + HEADER_OVERHEAD;
    if ((int64_t)stream->header_bytes > options->header_bytes_max)
        refuse_head(stream, 431, "request headers are too large");
    if ((int64_t)stream->header_count >= options->header_count_max)
        refuse_head(stream, 431, "too many request headers");
    if (stream->refusal != 0) return;
    value = text_trim(value);
    bool is_pseudo = name.size > 0 && name.data[0] == ':';
    if ((!is_pseudo && !text_all(name, TEXT_TOKEN)) || !text_all(value, TEXT_VALUE)) {
        refuse_head(stream, 400, "malformed header");
        return;
    }
    if (bytes_equal_string(name, "cookie") && join_cookie(stream, value)) return;
    struct bytes kept_name = arena_copy(arena, name), kept_value = arena_copy(arena, value);
    if (kept_name.data == NULL || (kept_value.data == NULL && value.size > 0))
        refuse_head(stream, 503, "out of memory");
    else if (is_pseudo)
        take_pseudo_header(stream, kept_name, kept_value);
    else
        add_header(stream, kept_name, kept_value);
}

static bool check_target(struct http2_stream *stream) {
    struct http_request *request = &stream->request;
    struct bytes path = stream->path;
    bool asterisk = bytes_equal_string(path, "*") && request->method == HTTP_OPTIONS;
    if (path.size == 0 || (path.data[0] != '/' && !asterisk) || !text_all(path, TEXT_TARGET))
        return false;
    const uint8_t *mark = memchr(path.data, '?', path.size);
    size_t size = mark == NULL ? path.size : (size_t)(mark - path.data);
    size_t skipped = mark == NULL ? size : size + 1;
    request->target = path;
    request->path = bytes_of(path.data, size);
    request->query = bytes_of(path.data + skipped, path.size - skipped);
    return true;
}

// :authority and Host mean the same and handlers look for Host.
static const char *check_authority(struct http2_stream *stream) {
    const struct http_header *host = NULL;
    for (size_t i = 0; i < stream->header_count; i++) {
        if (!bytes_equal_string(stream->headers[i].name, "host")) continue;
        if (host != NULL) return "more than one Host";
        host = &stream->headers[i];
    }
    if (host == NULL && stream->authority.data == NULL) return "Host is missing";
    struct bytes authority = stream->authority.data != NULL ? stream->authority : host->value;
    if (!text_all(authority, TEXT_HOST)) return "malformed Host";
    if (host != NULL && !text_equal_ignoring_case(host->value, authority))
        return ":authority and Host differ";
    if (host == NULL) add_header(stream, bytes_of_string("host"), authority);
    return NULL;
}

static const struct http_header *find_header(const struct http2_stream *stream, const char *name) {
    for (size_t i = 0; i < stream->header_count; i++)
        if (bytes_equal_string(stream->headers[i].name, name)) return &stream->headers[i];
    return NULL;
}

static void check_expectation(struct http2_stream *stream) {
    const struct http_header *expect = find_header(stream, "expect");
    if (expect == NULL) return;
    if (http_name_equal(expect->value, "100-continue"))
        stream->expects_continue = true;
    else
        refuse_head(stream, 417, "this expectation cannot be met");
}

// The session compares it with what comes; here a body that is too large is refused before it does.
static void check_length(struct http2_stream *stream) {
    const struct http_header *header = find_header(stream, "content-length");
    if (header == NULL) return;
    uint64_t length = 0, bound = (uint64_t)server_of(stream)->options.body_bytes_max;
    for (size_t i = 0; i < header->value.size && length <= bound; i++)
        length = length * 10 + (uint64_t)(header->value.data[i] - '0');
    if (length > bound) refuse_head(stream, 413, "request body is too large");
}

static void check_head(struct http2_stream *stream) {
    const char *problem = NULL;
    if (!http_method_parse(stream->method, &stream->request.method)) {
        refuse_head(stream, 501, "this method is not served");
    } else if (!http_name_equal(stream->scheme, "https") &&
               !http_name_equal(stream->scheme, "http")) {
        refuse_head(stream, 400, "unknown scheme");
    } else if (!check_target(stream)) {
        refuse_head(stream, 400, "malformed request target");
    } else if ((problem = check_authority(stream)) != NULL) {
        refuse_head(stream, 400, problem);
    } else {
        check_expectation(stream);
        check_length(stream);
    }
}

// ---- the request ------------------------------------------------------------------------------

static void begin(struct http2_stream *stream) {
    stream->request.major_version = 2;
    stream->request.headers = stream->headers;
    stream->request.header_count = stream->header_count;
    stream->request.body = buffer_bytes(&stream->body);
    stream->deadline_ms = 0;
    exchange_begin(&stream->exchange, &stream->request);
}

static void refuse(struct http2_stream *stream, int status, const char *message) {
    if (stream->answered || stream->exchange.running) return;
    begin(stream);
    exchange_refuse(&stream->exchange, status, message);
}

void http2_stream_head_complete(struct http2_stream *stream, bool last) {
    if (stream->refusal == 0) check_head(stream);
    stream->complete = last;
    if (stream->refusal != 0) {
        refuse(stream, stream->refusal, stream->refusal_message);
    } else if (!last) {
        struct http_server *server = server_of(stream);
        stream->deadline_ms = loop_now_ms(server->loop) + (uint64_t)server->options.body_timeout_ms;
        if (!stream->expects_continue) return;
        nghttp2_nv go_on = {(uint8_t *)(uintptr_t)":status", (uint8_t *)(uintptr_t)"100", 7, 3,
                            NGHTTP2_NV_FLAG_NONE};
        nghttp2_submit_headers(stream->http2->session, NGHTTP2_FLAG_NONE, stream->id, NULL, &go_on,
                               1, NULL);
    }
}

void http2_stream_data(struct http2_stream *stream, struct bytes bytes) {
    const struct http_options *options = &server_of(stream)->options;
    struct http2 *http2 = stream->http2;
    if (stream->answered || stream->exchange.running) return;
    if (bytes.size > (size_t)options->body_bytes_max - stream->body.size)
        refuse(stream, 413, "request body is too large");
    else if (http2->bodies_bytes + bytes.size > (size_t)options->http2_bodies_bytes_max)
        refuse(stream, 503, "too many request bodies at once");
    else if (buffer_append(&stream->body, bytes.data, bytes.size) != STATUS_OK)
        refuse(stream, 503, "out of memory");
    else
        http2->bodies_bytes += bytes.size;
}

void http2_stream_complete(struct http2_stream *stream) {
    stream->complete = true;
    if (stream->answered || stream->exchange.running) return;
    begin(stream);
    struct http_server *server = server_of(stream);
    server->handler(&stream->exchange, server->context);
}

// ---- the reply --------------------------------------------------------------------------------

static nghttp2_nv field(struct bytes name, struct bytes value) {
    return (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name.data,
                        .value = (uint8_t *)(uintptr_t)value.data,
                        .namelen = name.size,
                        .valuelen = value.size,
                        .flags = NGHTTP2_NV_FLAG_NONE};
}

// What concerns a connection of HTTP/1.1 has no place here (RFC 9113 §8.2.2).
static bool belongs_to_http1(struct bytes name) {
    static const char *const names[] = {"keep-alive", "proxy-connection", "upgrade"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (http_name_equal(name, names[i])) return true;
    return false;
}

static ssize_t read_reply(nghttp2_session *session, int32_t id, uint8_t *place, size_t size,
                          uint32_t *flags, nghttp2_data_source *source, void *context) {
    (void)session, (void)id, (void)context;
    struct http2_stream *stream = source->ptr;
    size_t left = stream->reply.size - stream->reply_sent;
    if (size > left) size = left;
    memcpy(place, stream->reply.data + stream->reply_sent, size);
    stream->reply_sent += size;
    if (size == left) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)size;
}

static bool submit(struct http2_stream *stream, const struct http_response *response, bool body) {
    struct http_server *server = server_of(stream);
    nghttp2_nv *fields =
        arena_allocate(&stream->exchange.arena,
                       (response->header_count + OWN_HEADERS) * sizeof *fields, sizeof(void *));
    if (fields == NULL) return false;
    char status[4], length[24];
    size_t count = 0;
    *text_put_number(status, (uint64_t)response->status) = '\0';
    fields[count++] = field(bytes_of_string(":status"), bytes_of(status, 3));
    for (size_t i = 0; i < response->header_count; i++)
        if (!belongs_to_http1(response->headers[i].name))
            fields[count++] = field(response->headers[i].name, response->headers[i].value);
    if (response_has_length(response)) {
        size_t size = (size_t)(text_put_number(length, response->body.size) - length);
        fields[count++] = field(bytes_of_string("content-length"), bytes_of(length, size));
    }
    fields[count++] = field(bytes_of_string("date"), bytes_of(server->date, DATE_SIZE));
    fields[count++] =
        field(bytes_of_string("x-request-id"), bytes_of(stream->exchange.request.id, 32));
    nghttp2_data_provider provider = {.source = {.ptr = stream}, .read_callback = read_reply};
    return nghttp2_submit_response(stream->http2->session, stream->id, fields, count,
                                   body ? &provider : NULL) == 0;
}

void http2_respond(struct http2_stream *stream, const struct http_response *response) {
    struct http_exchange *exchange = &stream->exchange;
    struct http_connection *connection = exchange->connection;
    struct http_server *server = connection->server;
    exchange->on_cancel = NULL;
    if (stream->closed) { // the client has given it up
        exchange->running = false;
        stream_free(stream);
        return;
    }
    int64_t now_ms = server_clock(server);
    bool body = response_has_body(exchange, response) && response->body.size > 0;
    bool kept = !body || buffer_append(&stream->reply, response->body.data, response->body.size) ==
                             STATUS_OK;
    if (!kept || !submit(stream, response, body)) {
        http2_stream_reset(stream, NGHTTP2_INTERNAL_ERROR);
    } else if (server->options.access_log) {
        access_log_add(exchange, response->status, body ? response->body.size : 0, now_ms);
    }
    exchange->running = false;
    stream->answered = true;
    release_body(stream);
    http2_wake(stream->http2);
}

// ---- time -------------------------------------------------------------------------------------

// A reply that the client's window holds up for too long: its stream ends, the others do not
// notice.
static void check_progress(struct http2_stream *stream, uint64_t now_ms) {
    uint64_t timeout_ms = (uint64_t)server_of(stream)->options.write_timeout_ms;
    if (stream->deadline_ms == 0 || stream->reply_sent != stream->reply_seen) {
        stream->reply_seen = stream->reply_sent;
        stream->deadline_ms = now_ms + timeout_ms;
    } else if (now_ms >= stream->deadline_ms) {
        stream->deadline_ms = now_ms + timeout_ms;
        http2_stream_reset(stream, NGHTTP2_CANCEL);
    }
}

void http2_stream_sweep(struct http2_stream *stream, uint64_t now_ms) {
    if (stream->closed || stream->exchange.running) return;
    if (stream->answered)
        check_progress(stream, now_ms);
    else if (stream->deadline_ms != 0 && now_ms >= stream->deadline_ms)
        refuse(stream, 408, "the request took too long");
}
