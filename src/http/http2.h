// SPDX-License-Identifier: Apache-2.0
// What the files of HTTP/2 share: a connection's session and its streams. nghttp2 does the framing,
// the flow control and most of the validation; it is fed with what arrives and asked for what to
// send once a turn, never from inside its own callbacks.
#pragma once

#include <nghttp2/nghttp2.h>

#include "server.h"

enum drain_step { DRAIN_NONE, DRAIN_ANNOUNCED, DRAIN_LAST };

struct http2 {
    struct http_connection *connection;
    nghttp2_session *session;
    struct list streams; // also those that the client gave up while their handler runs
    size_t stream_count;
    int32_t newest_id;
    struct list unflushed;     // in server->unflushed
    size_t bodies_bytes;       // held of requests that are not answered
    uint64_t deadline_ms;      // of a connection without streams
    uint64_t head_deadline_ms; // of the header list that is arriving; 0: none
    // Counts since `second_ms`.
    uint64_t second_ms;
    int64_t control_frames, data_frames_sent, resets;
    enum drain_step drain;
    bool greeted;   // the client's first SETTINGS came
    bool ending;    // the session is being terminated; what arrives is ignored
    bool releasing; // inside http2_closed()
};

struct http2_stream {
    struct http_exchange exchange; // its arena holds the request's head
    struct list node;              // in http2->streams, or in server->spare_streams
    struct http2 *http2;
    int32_t id;
    struct http_request request; // as far as it has come
    struct http_header *headers;
    size_t header_count, header_capacity, header_bytes;
    struct bytes method, scheme, path, authority;
    int refusal; // status of a head that is refused, 0
    const char *refusal_message;
    bool expects_continue;
    bool complete; // the request has arrived whole
    bool answered;
    bool closed; // the session does not know it any more
    struct buffer body;
    struct buffer reply;
    size_t reply_sent, reply_seen; // when the sweep last looked
    uint64_t deadline_ms;          // of the body, then of the reply's progress; 0: none
};

// http2_stream.c
// NULL without memory.
struct http2_stream *http2_stream_new(struct http2 *http2, int32_t id);
// The session does not know it any more: cancels the handler, or frees it.
void http2_stream_closed(struct http2_stream *stream);
void http2_stream_header(struct http2_stream *stream, struct bytes name, struct bytes value);
// The head has arrived; `last`: there is no body.
void http2_stream_head_complete(struct http2_stream *stream, bool last);
void http2_stream_data(struct http2_stream *stream, struct bytes bytes);
void http2_stream_complete(struct http2_stream *stream);
void http2_stream_sweep(struct http2_stream *stream, uint64_t now_ms);
// Ends it with a RST_STREAM.
void http2_stream_reset(struct http2_stream *stream, uint32_t code);

// http2.c: something is to be sent in this turn.
void http2_wake(struct http2 *http2);
