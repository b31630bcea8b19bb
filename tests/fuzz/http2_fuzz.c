// SPDX-License-Identifier: Apache-2.0
// A server on arbitrary bytes behind HTTP/2's preface, over a socket pair and a loop that is run by
// hand. The first byte says how they are cut, and whether the preface and SETTINGS are given for
// free. Some requests are answered at once, some later, some not before the client is gone.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "http/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HELD_MAX = 64, LATE = 0x80 };

static struct {
    struct loop *loop;
    struct http_server *server;
    struct http_exchange *held[HELD_MAX];
    size_t held_count;
    struct bytes input;
    size_t piece;
    int client;
    bool drained;
} fuzz;

static void check_request(const struct http_request *request) {
    ASSERT(request->major_version == 1 || request->major_version == 2);
    ASSERT(request->path.size > 0 &&
           (request->path.data[0] == '/' || request->path.data[0] == '*'));
    ASSERT(request->body.size <= 512 && request->header_count <= 17);
    uint64_t sum = 0;
    for (size_t i = 0; i < request->header_count; i++)
        for (size_t k = 0; k < request->headers[i].value.size; k++)
            sum += request->headers[i].value.data[k];
    for (size_t i = 0; i < request->body.size; i++) sum += request->body.data[i];
    ASSERT(sum < UINT64_MAX);
}

static void answer(struct http_exchange *exchange) {
    static uint8_t body[100000];
    const struct http_request *request = http_exchange_request(exchange);
    struct http_header header = {bytes_of_string("Content-Type"), bytes_of_string("text/plain")};
    http_respond(exchange,
                 &(struct http_response){
                     .status = 200,
                     .headers = &header,
                     .header_count = 1,
                     .body = bytes_of(body, request->path.size % 3 == 0 ? sizeof body : 10)});
}

static void on_cancel(void *context) {
    struct http_exchange *exchange = context;
    for (size_t i = 0; i < fuzz.held_count; i++)
        if (fuzz.held[i] == exchange) fuzz.held[i] = fuzz.held[--fuzz.held_count];
    answer(exchange);
}

static void handle(struct http_exchange *exchange, void *context) {
    (void)context;
    const struct http_request *request = http_exchange_request(exchange);
    check_request(request);
    if (request->path.size % 2 == 0 || fuzz.held_count == HELD_MAX) {
        answer(exchange);
        return;
    }
    fuzz.held[fuzz.held_count++] = exchange;
    http_exchange_on_cancel(exchange, on_cancel, exchange);
}

static void release_some(void) {
    while (fuzz.held_count > 0) {
        struct http_exchange *exchange = fuzz.held[--fuzz.held_count];
        answer(exchange);
    }
}

static void take_replies(void) {
    static uint8_t sink[65536];
    while (recv(fuzz.client, sink, sizeof sink, MSG_DONTWAIT) > 0) continue;
}

static void on_drained(void *context) {
    (void)context;
    fuzz.drained = true;
    loop_stop(fuzz.loop);
}

// One piece a turn; at the end the client hangs up.
static bool on_turn(void *context) {
    (void)context;
    http_server_turn(fuzz.server);
    if (fuzz.drained) return false;
    take_replies();
    if (fuzz.input.size > 0) {
        size_t size = fuzz.input.size < fuzz.piece ? fuzz.input.size : fuzz.piece;
        ssize_t put = send(fuzz.client, fuzz.input.data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        size_t gone = put < 0 ? fuzz.input.size : (size_t)put;
        fuzz.input = bytes_of(fuzz.input.data + gone, fuzz.input.size - gone);
        if (fuzz.input.size % 3 == 0) release_some();
    } else if (fuzz.client >= 0) {
        close(fuzz.client);
        fuzz.client = -1;
        http_server_drain(fuzz.server, 0, on_drained, NULL);
    }
    return true;
}

static void serve(struct bytes input, size_t piece, bool free_greeting) {
    static const char greeting[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
    struct http_options options = http_options_default();
    options.header_bytes_max = 1024;
    options.header_count_max = 16;
    options.body_bytes_max = 512;
    options.http2_streams_max = 8;
    options.http2_bodies_bytes_max = 1024;
    // Short, so that the sweep that ends everything comes soon.
    options.header_timeout_ms = options.body_timeout_ms = options.write_timeout_ms = 40;
    options.access_log = false;
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) abort();
    memset(&fuzz, 0, sizeof fuzz);
    fuzz.input = input;
    fuzz.piece = piece;
    fuzz.client = pair[1];
    if (loop_new(&fuzz.loop) != STATUS_OK) abort();
    if (http_server_new(fuzz.loop, &options, handle, NULL, &fuzz.server) != STATUS_OK) abort();
    http_server_adopt(fuzz.server, pair[0], "fuzz");
    if (free_greeting) {
        ssize_t put = send(fuzz.client, greeting, sizeof greeting - 1, MSG_NOSIGNAL);
        ASSERT(put == sizeof greeting - 1);
    }
    loop_set_turn(fuzz.loop, on_turn, NULL);
    loop_run(fuzz.loop);
    ASSERT(fuzz.held_count == 0 && http_server_connections(fuzz.server) == 0);
    http_server_free(fuzz.server);
    loop_free(fuzz.loop);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static bool quiet;
    if (!quiet) log_set_descriptor(open("/dev/null", O_WRONLY | O_CLOEXEC));
    quiet = true;
    if (size < 2) return 0;
    size_t piece = (size_t)(data[0] & ~LATE) * 64 + 1;
    serve(bytes_of(data + 1, size - 1), piece, (data[0] & LATE) != 0);
    return 0;
}
