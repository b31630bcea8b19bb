// SPDX-License-Identifier: Apache-2.0
#include "harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WAIT_MS = 10000 };

// ---- the server's side --------------------------------------------------------------------------

static void answer_echo(struct http_exchange *exchange) {
    const struct http_request *request = http_exchange_request(exchange);
    struct buffer body = {0};
    CHECK_OK(buffer_append_format(&body, "%s %.*s ", http_method_name(request->method),
                                  (int)request->target.size, (const char *)request->target.data));
    CHECK_OK(buffer_append(&body, request->body.data, request->body.size));
    struct http_header header = {bytes_of_string("Content-Type"), bytes_of_string("text/plain")};
    http_respond(exchange, &(struct http_response){.status = 200,
                                                   .headers = &header,
                                                   .header_count = 1,
                                                   .body = buffer_bytes(&body)});
    buffer_done(&body);
}

static void answer_size(struct http_exchange *exchange, size_t size) {
    uint8_t *body = malloc(size + 1);
    memset(body, 'z', size);
    http_respond(exchange, &(struct http_response){.status = 200, .body = bytes_of(body, size)});
    free(body);
}

static void answer_with_header(struct http_exchange *exchange, int status, const char *name,
                               const char *value) {
    struct http_header header = {bytes_of_string(name), bytes_of_string(value)};
    http_respond(exchange,
                 &(struct http_response){.status = status, .headers = &header, .header_count = 1});
}

static void on_cancel(void *context) {
    struct harness *harness = context;
    mutex_lock(&harness->lock);
    struct http_exchange *exchange = harness->held;
    harness->held = NULL;
    harness->cancelled_count++;
    condition_broadcast(&harness->changed);
    mutex_unlock(&harness->lock);
    answer_echo(exchange);
}

static void hold(struct harness *harness, struct http_exchange *exchange) {
    http_exchange_on_cancel(exchange, on_cancel, harness);
    mutex_lock(&harness->lock);
    harness->held = exchange;
    harness->held_count++;
    condition_broadcast(&harness->changed);
    mutex_unlock(&harness->lock);
}

static void answer_posted(void *context) {
    answer_echo(context);
}

static void handle(struct http_exchange *exchange, void *context) {
    struct harness *harness = context;
    struct bytes path = http_exchange_request(exchange)->path;
    harness->handled_count++;
    CHECK(arena_zalloc(http_exchange_arena(exchange), 100) != NULL);
    if (bytes_equal_string(path, "/later"))
        hold(harness, exchange);
    else if (bytes_equal_string(path, "/post"))
        loop_post(harness->loop, answer_posted, exchange);
    else if (path.size > 6 && memcmp(path.data, "/size/", 6) == 0)
        answer_size(exchange, strtoul((const char *)path.data + 6, NULL, 10));
    else if (bytes_equal_string(path, "/bad-header"))
        answer_with_header(exchange, 200, "X-Split", "a\r\nSet-Cookie: b");
    else if (bytes_equal_string(path, "/own-header"))
        answer_with_header(exchange, 200, "content-LENGTH", "7");
    else if (bytes_equal_string(path, "/bad-status"))
        answer_with_header(exchange, 99, "X", "y");
    else if (bytes_equal_string(path, "/no-content"))
        answer_with_header(exchange, 204, "X", "y");
    else if (bytes_equal_string(path, "/error"))
        http_respond_error(exchange, 405, "forbidden", "a <b> \"c\"", "GET, POST");
    else
        answer_echo(exchange);
}

static void on_accept(int descriptor, const char *remote, void *context) {
    struct harness *harness = context;
    http_server_adopt(harness->server, descriptor, remote);
}

static bool on_turn(void *context) {
    struct harness *harness = context;
    http_server_turn(harness->server);
    return false;
}

static void run_loop(void *context) {
    struct harness *harness = context;
    loop_run(harness->loop);
}

void harness_start(struct harness *harness, const struct http_options *options) {
    memset(harness, 0, sizeof *harness);
    mutex_init(&harness->lock);
    condition_init(&harness->changed);
    harness->options = options != NULL ? *options : http_options_default();
    if (options == NULL) harness->options.access_log = false;
    CHECK_OK(loop_new(&harness->loop));
    CHECK_OK(http_server_new(harness->loop, &harness->options, handle, harness, &harness->server));
    struct error error;
    CHECK_OK(listener_open(harness->loop,
                           &(struct listener_options){.address = "127.0.0.1", .backlog = 128},
                           on_accept, harness, &harness->listener, &error));
    harness->port = listener_port(harness->listener);
    loop_set_turn(harness->loop, on_turn, harness);
    CHECK_OK(thread_start(&harness->thread, "server", run_loop, harness));
}

static void on_drained(void *context) {
    struct harness *harness = context;
    loop_set_turn(harness->loop, NULL, NULL);
    CHECK_EQUAL(0, http_server_connections(harness->server));
    http_server_free(harness->server);
    mutex_lock(&harness->lock);
    harness->drained = true;
    condition_broadcast(&harness->changed);
    mutex_unlock(&harness->lock);
    loop_stop(harness->loop);
}

static void begin_drain(void *context) {
    struct harness *harness = context;
    listener_close(harness->listener);
    http_server_drain(harness->server, harness->grace_ms, on_drained, harness);
}

void harness_drain(struct harness *harness, uint64_t grace_ms) {
    harness->grace_ms = grace_ms;
    loop_post(harness->loop, begin_drain, harness);
}

static void wait_until(struct harness *harness, const int *count, int wanted) {
    mutex_lock(&harness->lock);
    while (*count < wanted)
        if (!condition_wait_for(&harness->changed, &harness->lock, WAIT_MS * 1000000ULL))
            test_fail(__FILE__, __LINE__, "waited in vain");
    mutex_unlock(&harness->lock);
}

void harness_wait_held(struct harness *harness, int count) {
    wait_until(harness, &harness->held_count, count);
}

void harness_wait_cancelled(struct harness *harness, int count) {
    wait_until(harness, &harness->cancelled_count, count);
}

void harness_wait_drained(struct harness *harness) {
    mutex_lock(&harness->lock);
    while (!harness->drained)
        if (!condition_wait_for(&harness->changed, &harness->lock, WAIT_MS * 1000000ULL))
            test_fail(__FILE__, __LINE__, "waited in vain");
    mutex_unlock(&harness->lock);
    thread_join(&harness->thread);
    loop_free(harness->loop);
    condition_done(&harness->changed);
    mutex_done(&harness->lock);
}

void harness_stop(struct harness *harness) {
    harness_drain(harness, 100);
    harness_wait_drained(harness);
}

static void release_held(void *context) {
    struct harness *harness = context;
    mutex_lock(&harness->lock);
    struct http_exchange *exchange = harness->held;
    harness->held = NULL;
    mutex_unlock(&harness->lock);
    CHECK(exchange != NULL);
    answer_echo(exchange);
}

void harness_release(struct harness *harness) {
    loop_post(harness->loop, release_held, harness);
}

static void sample_connections(void *context) {
    struct harness *harness = context;
    mutex_lock(&harness->lock);
    harness->connections = http_server_connections(harness->server);
    harness->sampled = true;
    condition_broadcast(&harness->changed);
    mutex_unlock(&harness->lock);
}

size_t harness_connections(struct harness *harness) {
    mutex_lock(&harness->lock);
    harness->sampled = false;
    mutex_unlock(&harness->lock);
    loop_post(harness->loop, sample_connections, harness);
    mutex_lock(&harness->lock);
    while (!harness->sampled) condition_wait(&harness->changed, &harness->lock);
    size_t connections = harness->connections;
    mutex_unlock(&harness->lock);
    return connections;
}

// ---- the client's side --------------------------------------------------------------------------

void client_open(struct client *client, const struct harness *harness) {
    memset(client, 0, sizeof *client);
    client->descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(client->descriptor >= 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(harness->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CHECK(connect(client->descriptor, (struct sockaddr *)&address, sizeof address) == 0);
}

void client_close(struct client *client) {
    close(client->descriptor);
    buffer_done(&client->in);
}

void client_reset(struct client *client) {
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    CHECK(setsockopt(client->descriptor, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) == 0);
    client_close(client);
}

void client_send(struct client *client, const char *text) {
    size_t size = strlen(text);
    while (size > 0) {
        ssize_t put = send(client->descriptor, text, size, MSG_NOSIGNAL);
        CHECK(put > 0);
        text += put;
        size -= (size_t)put;
    }
}

void client_end(struct client *client) {
    CHECK(shutdown(client->descriptor, SHUT_WR) == 0);
}

size_t client_read_some(struct client *client) {
    struct pollfd wait = {.fd = client->descriptor, .events = POLLIN};
    if (poll(&wait, 1, WAIT_MS) != 1) test_fail(__FILE__, __LINE__, "the server is silent");
    CHECK_OK(buffer_reserve(&client->in, 65536));
    ssize_t got = recv(client->descriptor, client->in.data + client->in.size, 65536, 0);
    if (got < 0) CHECK(errno == ECONNRESET);
    if (got <= 0) return 0;
    client->in.size += (size_t)got;
    return (size_t)got;
}

const char *reply_header(const struct reply *reply, const char *name) {
    static char value[512];
    for (const char *line = strstr(reply->head, "\r\n"); line != NULL;
         line = strstr(line + 2, "\r\n")) {
        size_t size = strlen(name);
        if (strncasecmp(line + 2, name, size) != 0 || line[2 + size] != ':') continue;
        const char *begin = line + 2 + size + 2;
        snprintf(value, sizeof value, "%.*s", (int)strcspn(begin, "\r"), begin);
        return value;
    }
    return NULL;
}

void client_reply(struct client *client, bool head_only, struct reply *ret) {
    const uint8_t *end = NULL;
    memset(ret, 0, sizeof *ret);
    while (client->in.size == 0 ||
           (end = memmem(client->in.data, client->in.size, "\r\n\r\n", 4)) == NULL)
        if (client_read_some(client) == 0) test_fail(__FILE__, __LINE__, "end before a reply");
    size_t head = (size_t)(end - client->in.data) + 4;
    CHECK(head < sizeof ret->head);
    memcpy(ret->head, client->in.data, head);
    CHECK(memcmp(ret->head, "HTTP/1.1 ", 9) == 0);
    ret->status = atoi(ret->head + 9);
    const char *length = reply_header(ret, "content-length");
    size_t body = length == NULL || head_only ? 0 : strtoul(length, NULL, 10);
    while (client->in.size < head + body)
        if (client_read_some(client) == 0) test_fail(__FILE__, __LINE__, "end within a reply");
    // The body moves out, so that the next reply begins at the start of the buffer.
    static uint8_t *kept;
    kept = realloc(kept, body + 1);
    memcpy(kept, client->in.data + head, body);
    buffer_consume(&client->in, head + body);
    ret->body = bytes_of(kept, body);
}

int client_status(struct client *client) {
    struct reply reply;
    client_reply(client, false, &reply);
    return reply.status;
}

void client_expect_end(struct client *client) {
    CHECK_EQUAL(0, client->in.size);
    CHECK_EQUAL(0, client_read_some(client));
}
