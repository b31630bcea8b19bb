// SPDX-License-Identifier: Apache-2.0
// A connection that speaks HTTP/2: its session, what limits it, its end.
#include "http2.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/log.h"
#include "parser.h"

enum {
    STREAM_WINDOW = 256 * KIB,
    CONNECTION_WINDOW = 1 * MIB,
    GATHERED_MAX = 64 * KIB,           // frames that are sent by one call
    CONTROL_FRAMES_PER_DATA_FRAME = 2, // window updates that our own sending calls for
};

void http2_wake(struct http2 *http2) {
    if (list_empty(&http2->unflushed))
        list_push_back(&http2->connection->server->unflushed, &http2->unflushed);
}

// Says why and closes when that is sent. Streams that run are cancelled then.
static void terminate(struct http2 *http2, uint32_t code, const char *why) {
    if (http2->ending) return;
    http2->ending = true;
    if (code != NGHTTP2_NO_ERROR)
        log_info("http", "HTTP/2 connection from %s ended: %s", http2->connection->remote, why);
    if (nghttp2_session_terminate_session(http2->session, code) != 0)
        http_connection_close(http2->connection);
    http2_wake(http2);
}

// ---- rates ------------------------------------------------------------------------------------

static void count_from_now(struct http2 *http2) {
    uint64_t now_ms = loop_now_ms(http2->connection->server->loop);
    if (now_ms - http2->second_ms < 1000) return;
    http2->second_ms = now_ms;
    http2->control_frames = http2->data_frames_sent = http2->resets = 0;
}

static void count_control_frame(struct http2 *http2) {
    count_from_now(http2);
    int64_t allowed = http2->connection->server->options.http2_control_frames_max +
                      http2->data_frames_sent * CONTROL_FRAMES_PER_DATA_FRAME;
    if (++http2->control_frames > allowed)
        terminate(http2, NGHTTP2_ENHANCE_YOUR_CALM, "too many control frames");
}

// Streams that the client ends early, and those that it makes us end (which costs us as much).
static void count_reset(struct http2 *http2) {
    count_from_now(http2);
    if (++http2->resets > http2->connection->server->options.http2_resets_max)
        terminate(http2, NGHTTP2_ENHANCE_YOUR_CALM, "too many streams were reset");
}

// ---- callbacks of the session -----------------------------------------------------------------

// A request may not begin on a stream below one that has begun (RFC 9113 §5.1.1), which the session
// passes over in silence.
static void check_order(struct http2 *http2, int32_t id) {
    if (id > http2->newest_id)
        http2->newest_id = id;
    else if (http2->drain == DRAIN_NONE && nghttp2_session_find_stream(http2->session, id) == NULL)
        terminate(http2, NGHTTP2_PROTOCOL_ERROR, "a stream out of order");
}

static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *head, void *context) {
    (void)session;
    if (head->type == NGHTTP2_HEADERS)
        check_order(context, head->stream_id);
    else if (head->type != NGHTTP2_DATA)
        count_control_frame(context);
    return 0;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *context) {
    struct http2 *http2 = context;
    struct http_connection *connection = http2->connection;
    const struct http_options *options = &connection->server->options;
    int32_t id = frame->hd.stream_id;
    http2->head_deadline_ms =
        loop_now_ms(connection->server->loop) + (uint64_t)options->header_timeout_ms;
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    // Handlers of streams that were given up still run: they are not to pile up either.
    struct http2_stream *stream = NULL;
    if (!http2->ending && (int64_t)http2->stream_count < 2 * options->http2_streams_max)
        stream = http2_stream_new(http2, id);
    if (stream == NULL)
        return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
    nghttp2_session_set_stream_user_data(session, id, stream);
    if (++connection->requests >= options->requests_max)
        nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_NO_ERROR, NULL, 0);
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags,
                     void *context) {
    (void)flags, (void)context;
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0; // trailers are thrown away
    struct http2_stream *stream =
        nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (stream != NULL)
        http2_stream_header(stream, bytes_of(name, name_size), bytes_of(value, value_size));
    return 0;
}

// Without this a malformed header would be left out in silence.
static int on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame,
                             const uint8_t *name, size_t name_size, const uint8_t *value,
                             size_t value_size, uint8_t flags, void *context) {
    (void)name, (void)name_size, (void)value, (void)value_size, (void)flags, (void)context;
    nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                              NGHTTP2_PROTOCOL_ERROR);
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

// The last word about a connection that drains: what came until now is answered, nothing else.
static void announce_last(struct http2 *http2) {
    if (http2->drain != DRAIN_ANNOUNCED) return;
    http2->drain = DRAIN_LAST;
    nghttp2_submit_goaway(http2->session, NGHTTP2_FLAG_NONE,
                          nghttp2_session_get_last_proc_stream_id(http2->session), NGHTTP2_NO_ERROR,
                          NULL, 0);
    http2_wake(http2);
}

static void on_message_frame(struct http2 *http2, struct http2_stream *stream,
                             const nghttp2_frame *frame) {
    bool last = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (frame->hd.type == NGHTTP2_HEADERS) {
        http2->head_deadline_ms = 0;
        if (stream != NULL && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
            http2_stream_head_complete(stream, last);
    } else if (frame->hd.length == frame->data.padlen && !last) {
        count_control_frame(http2); // data without data
    }
    if (stream != NULL && last) http2_stream_complete(stream);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *context) {
    struct http2 *http2 = context;
    const struct http_server *server = http2->connection->server;
    if (http2->ending) return 0;
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_DATA:
        on_message_frame(http2, nghttp2_session_get_stream_user_data(session, frame->hd.stream_id),
                         frame);
        break;
    case NGHTTP2_SETTINGS:
        if (http2->greeted) break;
        http2->greeted = true;
        http2->deadline_ms = loop_now_ms(server->loop) + (uint64_t)server->options.idle_timeout_ms;
        break;
    case NGHTTP2_PING:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) announce_last(http2);
        break;
    case NGHTTP2_RST_STREAM:
        count_reset(http2);
        break;
    }
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                   size_t size, void *context) {
    (void)flags, (void)context;
    struct http2_stream *stream = nghttp2_session_get_stream_user_data(session, id);
    if (stream != NULL) http2_stream_data(stream, bytes_of(data, size));
    return 0;
}

static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *context) {
    struct http2 *http2 = context;
    uint8_t type = frame->hd.type;
    if (type == NGHTTP2_DATA) http2->data_frames_sent++;
    if (type == NGHTTP2_RST_STREAM && frame->rst_stream.error_code != NGHTTP2_NO_ERROR &&
        frame->rst_stream.error_code != NGHTTP2_REFUSED_STREAM)
        count_reset(http2);
    if (type != NGHTTP2_DATA && type != NGHTTP2_HEADERS) return 0;
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
    // The answer came before the request was whole: the rest of it is not wanted (RFC 9113 §8.1).
    struct http2_stream *stream =
        nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (stream != NULL && !stream->complete) http2_stream_reset(stream, NGHTTP2_NO_ERROR);
    return 0;
}

static int on_stream_closed(nghttp2_session *session, int32_t id, uint32_t code, void *context) {
    (void)context, (void)code;
    struct http2_stream *stream = nghttp2_session_get_stream_user_data(session, id);
    if (stream != NULL) http2_stream_closed(stream);
    return 0;
}

// ---- the session ------------------------------------------------------------------------------

static nghttp2_session_callbacks *make_callbacks(void) {
    nghttp2_session_callbacks *callbacks = NULL;
    if (nghttp2_session_callbacks_new(&callbacks) != 0) return NULL;
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, on_invalid_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_closed);
    return callbacks;
}

static enum status make_session(struct http2 *http2, const struct http_options *options) {
    nghttp2_option *option = NULL;
    nghttp2_session_callbacks *callbacks = make_callbacks();
    int failed = callbacks == NULL || nghttp2_option_new(&option) != 0;
    if (!failed) {
        nghttp2_option_set_max_continuations(option, (size_t)options->http2_continuations_max);
        failed = nghttp2_session_server_new2(&http2->session, callbacks, http2, option);
    }
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return failed ? STATUS_NO_MEMORY : STATUS_OK;
}

static enum status submit_settings(struct http2 *http2, const struct http_options *options) {
    const nghttp2_settings_entry entries[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, (uint32_t)options->http2_streams_max},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)options->header_bytes_max},
    };
    nghttp2_session *session = http2->session;
    size_t count = sizeof entries / sizeof entries[0];
    int failed = nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, entries, count);
    if (!failed)
        failed =
            nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, CONNECTION_WINDOW);
    return failed ? STATUS_NO_MEMORY : STATUS_OK;
}

enum status http2_start(struct http_connection *connection) {
    const struct http_options *options = &connection->server->options;
    struct http2 *http2 = calloc(1, sizeof *http2);
    if (http2 == NULL) return STATUS_NO_MEMORY;
    http2->connection = connection;
    list_init(&http2->streams);
    list_init(&http2->unflushed);
    http2->second_ms = loop_now_ms(connection->server->loop);
    http2->deadline_ms = http2->second_ms + (uint64_t)options->header_timeout_ms;
    enum status status = make_session(http2, options);
    if (status == STATUS_OK) status = submit_settings(http2, options);
    if (status != STATUS_OK) {
        http2_free(http2);
        return status;
    }
    http_parser_free(connection->parser);
    connection->parser = NULL;
    connection->http2 = http2;
    http_connection_enter(connection, PHASE_STREAMS, -1);
    http2_wake(http2);
    return STATUS_OK;
}

void http2_free(struct http2 *http2) {
    if (http2 == NULL) return;
    ASSERT(http2->stream_count == 0);
    list_remove(&http2->unflushed);
    nghttp2_session_del(http2->session);
    free(http2);
}

bool http2_unused(const struct http2 *http2) {
    return http2 == NULL || (http2->stream_count == 0 && !http2->releasing);
}

// ---- in and out -------------------------------------------------------------------------------

void http2_feed(struct http_connection *connection, struct bytes bytes) {
    struct http2 *http2 = connection->http2;
    if (connection->phase == PHASE_CLOSING || http2->ending || bytes.size == 0) return;
    ssize_t taken = nghttp2_session_mem_recv(http2->session, bytes.data, bytes.size);
    if (taken < 0) {
        uint32_t code = taken == NGHTTP2_ERR_FLOODED ? NGHTTP2_ENHANCE_YOUR_CALM
                        : taken == NGHTTP2_ERR_NOMEM ? NGHTTP2_INTERNAL_ERROR
                                                     : NGHTTP2_PROTOCOL_ERROR;
        terminate(http2, code, nghttp2_strerror((int)taken));
    }
    http2_wake(http2);
}

// Whether nothing more is to come in either direction.
static bool is_over(const struct http2 *http2) {
    if (nghttp2_session_want_write(http2->session)) return false;
    if (http2->connection->ended && http2->stream_count == 0) return true;
    // A session takes its first farewell for the last.
    if (http2->drain == DRAIN_ANNOUNCED && !http2->ending) return false;
    return !nghttp2_session_want_read(http2->session);
}

static void throttle(struct http_connection *connection, bool pause) {
    if (pause == connection->paused) return;
    connection->paused = pause;
    if (pause)
        connection_pause(connection->socket);
    else
        connection_resume(connection->socket);
}

static enum status send_gathered(struct http_connection *connection) {
    struct buffer *output = &connection->server->output;
    if (output->size == 0) return STATUS_OK;
    struct bytes part = buffer_bytes(output);
    enum status status = connection_write(connection->socket, &part, 1);
    buffer_clear(output);
    return status;
}

// Sends frames until there is none or the client does not keep up.
static void flush(struct http2 *http2) {
    struct http_connection *connection = http2->connection;
    if (connection->phase == PHASE_CLOSING) return;
    struct buffer *output = &connection->server->output;
    enum status status = STATUS_OK;
    ssize_t size = 0;
    buffer_clear(output);
    while (status == STATUS_OK && connection_unsent(connection->socket) <= UNSENT_MAX) {
        const uint8_t *frame = NULL;
        size = nghttp2_session_mem_send(http2->session, &frame);
        if (size <= 0) break;
        status = buffer_append(output, frame, (size_t)size);
        if (status == STATUS_OK && output->size >= GATHERED_MAX) status = send_gathered(connection);
    }
    if (status == STATUS_OK) status = send_gathered(connection);
    if (status != STATUS_OK || size < 0)
        http_connection_close(connection);
    else if (is_over(http2))
        http_connection_finish(connection, LINGER_MS);
    else
        throttle(connection, connection_unsent(connection->socket) > UNSENT_MAX);
}

void http2_flush_all(struct http_server *server) {
    while (!list_empty(&server->unflushed)) {
        struct http2 *http2 = container_of(server->unflushed.next, struct http2, unflushed);
        list_remove(&http2->unflushed);
        flush(http2);
    }
}

void http2_drained(struct http_connection *connection) {
    flush(connection->http2);
}

// ---- time and end -----------------------------------------------------------------------------

// The client sends nothing more; requests that have not arrived whole never will.
void http2_ended(struct http_connection *connection) {
    struct http2 *http2 = connection->http2;
    for (struct list *node = http2->streams.next; node != &http2->streams; node = node->next) {
        struct http2_stream *stream = container_of(node, struct http2_stream, node);
        if (!stream->complete && !stream->closed) http2_stream_reset(stream, NGHTTP2_STREAM_CLOSED);
    }
    http2_wake(http2);
}

void http2_sweep(struct http_connection *connection, uint64_t now_ms) {
    struct http2 *http2 = connection->http2;
    struct list *head = &http2->streams;
    for (struct list *node = head->next, *next; node != head; node = next) {
        next = node->next;
        http2_stream_sweep(container_of(node, struct http2_stream, node), now_ms);
    }
    announce_last(http2);
    if (http2->head_deadline_ms != 0 && now_ms >= http2->head_deadline_ms)
        terminate(http2, NGHTTP2_ENHANCE_YOUR_CALM, "a request's headers took too long");
    if (!http2->greeted && now_ms >= http2->deadline_ms)
        terminate(http2, NGHTTP2_SETTINGS_TIMEOUT, "no SETTINGS came");
    if (http2->stream_count == 0 && now_ms >= http2->deadline_ms)
        terminate(http2, NGHTTP2_NO_ERROR, "idle");
}

void http2_drain(struct http_connection *connection) {
    struct http2 *http2 = connection->http2;
    if (http2->drain != DRAIN_NONE || http2->ending) return;
    http2->drain = DRAIN_ANNOUNCED;
    // The answer to the ping comes behind every request that crossed the announcement.
    nghttp2_submit_shutdown_notice(http2->session);
    nghttp2_submit_ping(http2->session, NGHTTP2_FLAG_NONE, NULL);
    http2_wake(http2);
}

void http2_closed(struct http_connection *connection) {
    struct http2 *http2 = connection->http2;
    list_remove(&http2->unflushed);
    http2->releasing = true;
    struct list *head = &http2->streams;
    // A cancelled handler may make others answer at once: none may look at the session any more.
    struct list gone;
    list_init(&gone);
    while (!list_empty(head)) {
        struct list *node = head->next;
        list_remove(node);
        list_push_back(&gone, node);
    }
    while (!list_empty(&gone)) {
        struct http2_stream *stream = container_of(gone.next, struct http2_stream, node);
        list_remove(&stream->node);
        list_push_back(head, &stream->node);
        http2_stream_closed(stream);
    }
    http2->releasing = false;
}
