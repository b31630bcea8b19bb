// SPDX-License-Identifier: Apache-2.0
// Bounds of sizes, times and numbers, and the graceful end.
#include <sys/socket.h>

#include "harness.h"

#define HOST "Host: a\r\n"

static struct harness harness;
static struct client client;
static struct reply reply;

static struct http_options quiet(void) {
    struct http_options options = http_options_default();
    options.access_log = false;
    return options;
}

static struct http_options small(void) {
    struct http_options options = quiet();
    options.header_bytes_max = 400;
    options.header_count_max = 4;
    options.body_bytes_max = 100;
    return options;
}

static void check_refused(int status, const char *before, size_t count, const char *after) {
    client_open(&client, &harness);
    client_send(&client, before);
    char filler[1024] = {0};
    memset(filler, 'x', count);
    client_send(&client, filler);
    client_send(&client, after);
    CHECK_EQUAL(status, client_status(&client));
    client_expect_end(&client);
    client_close(&client);
}

TEST(oversize_requests) {
    struct http_options options = small();
    harness_start(&harness, &options);
    check_refused(414, "GET /", 500, " HTTP/1.1\r\n" HOST "\r\n");
    check_refused(431, "GET / HTTP/1.1\r\n" HOST "X: ", 500, "\r\n\r\n");
    check_refused(431, "GET / HTTP/1.1\r\n" HOST "a:\r\nb:\r\nc:\r\nd:\r\n", 0, "\r\n");
    check_refused(413, "POST / HTTP/1.1\r\n" HOST "Content-Length: 101\r\n\r\n", 101, "");
    check_refused(413, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n65\r\n", 101,
                  "\r\n0\r\n\r\n");
    harness_stop(&harness);
}

// The reply must reach a client that goes on sending what is not wanted.
TEST(a_refusal_is_not_lost_to_a_reset) {
    harness_start(&harness, NULL);
    client_open(&client, &harness);
    client_send(&client, "POST / HTTP/1.1\r\n" HOST "Content-Length: 900000000\r\n\r\n");
    static char filler[65537];
    memset(filler, 'x', sizeof filler - 1);
    for (int i = 0; i < 64; i++) client_send(&client, filler);
    CHECK_EQUAL(413, client_status(&client));
    client_expect_end(&client);
    client_close(&client);
    harness_stop(&harness);
}

TEST(a_slow_head_times_out) {
    struct http_options options = quiet();
    options.header_timeout_ms = 50;
    harness_start(&harness, &options);
    client_open(&client, &harness);
    client_send(&client, "GET / HTTP/1.1\r\nHos");
    CHECK_EQUAL(408, client_status(&client));
    client_expect_end(&client);
    client_close(&client);
    harness_stop(&harness);
}

TEST(a_slow_body_times_out) {
    struct http_options options = quiet();
    options.body_timeout_ms = 50;
    harness_start(&harness, &options);
    client_open(&client, &harness);
    client_send(&client, "POST / HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\nabc");
    CHECK_EQUAL(408, client_status(&client));
    client_expect_end(&client);
    client_close(&client);
    harness_stop(&harness);
}

TEST(an_idle_connection_is_closed_without_a_word) {
    struct http_options options = quiet();
    options.idle_timeout_ms = 50;
    harness_start(&harness, &options);
    client_open(&client, &harness);
    client_expect_end(&client);
    client_close(&client);
    client_open(&client, &harness);
    client_send(&client, "GET / HTTP/1.1\r\n" HOST "\r\n");
    CHECK_EQUAL(200, client_status(&client));
    client_expect_end(&client);
    client_close(&client);
    harness_stop(&harness);
}

TEST(a_running_handler_has_no_timeout_here) {
    struct http_options options = quiet();
    options.idle_timeout_ms = options.header_timeout_ms = options.body_timeout_ms = 20;
    harness_start(&harness, &options);
    struct client idle;
    client_open(&client, &harness);
    client_send(&client, "GET /later HTTP/1.1\r\n" HOST "\r\n");
    harness_wait_held(&harness, 1);
    client_open(&idle, &harness); // its end tells that the times have passed
    client_expect_end(&idle);
    client_close(&idle);
    harness_release(&harness);
    CHECK_EQUAL(200, client_status(&client));
    client_close(&client);
    harness_stop(&harness);
}

TEST(a_client_that_does_not_read_is_closed) {
    struct http_options options = quiet();
    options.write_timeout_ms = 50;
    harness_start(&harness, &options);
    client_open(&client, &harness);
    client_send(&client, "GET /size/30000000 HTTP/1.1\r\n" HOST "\r\n");
    // Waits for the server's verdict without reading.
    while (harness.handled_count == 0) harness_connections(&harness);
    while (harness_connections(&harness) > 0) {
    }
    while (client_read_some(&client) > 0) {
    }
    CHECK(client.in.size < 30000000);
    client_close(&client);
    harness_stop(&harness);
}

TEST(a_connection_has_a_number_of_requests) {
    struct http_options options = quiet();
    options.requests_max = 3;
    harness_start(&harness, &options);
    client_open(&client, &harness);
    for (int i = 1; i <= 3; i++) {
        client_send(&client, "GET / HTTP/1.1\r\n" HOST "\r\n");
        client_reply(&client, false, &reply);
        CHECK_EQUAL(i == 3, reply_header(&reply, "connection") != NULL);
    }
    client_expect_end(&client);
    client_close(&client);
    harness_stop(&harness);
}

TEST(connections_are_bounded) {
    struct http_options options = quiet();
    options.connections_max = 1;
    harness_start(&harness, &options);
    struct client second;
    client_open(&client, &harness);
    client_send(&client, "GET / HTTP/1.1\r\n" HOST "\r\n");
    CHECK_EQUAL(200, client_status(&client));
    client_open(&second, &harness);
    CHECK_EQUAL(503, client_status(&second));
    client_expect_end(&second);
    client_close(&second);
    client_send(&client, "GET / HTTP/1.1\r\n" HOST "\r\n");
    CHECK_EQUAL(200, client_status(&client));
    client_close(&client);
    harness_stop(&harness);
}

// Far more than is held ahead: the server stops reading, and loses nothing.
TEST(a_flood_of_pipelined_requests_is_held_back) {
    harness_start(&harness, NULL);
    client_open(&client, &harness);
    client_send(&client, "GET /later HTTP/1.1\r\n" HOST "\r\n");
    harness_wait_held(&harness, 1);
    static const char request[] = "GET /0123456789 HTTP/1.1\r\n" HOST "\r\n";
    for (int i = 0; i < 5000; i++) client_send(&client, request);
    harness_release(&harness);
    for (int i = 0; i < 5001; i++) CHECK_EQUAL(200, client_status(&client));
    client_close(&client);
    harness_stop(&harness);
}

// A client that sends without end while its first request runs finds the way blocked: the server
// has had turns enough to read, and did not.
TEST(reading_pauses_while_too_much_is_held_ahead) {
    struct http_options options = quiet();
    harness_start(&harness, &options);
    client_open(&client, &harness);
    client_send(&client, "GET /later HTTP/1.1\r\n" HOST "\r\n");
    harness_wait_held(&harness, 1);
    static char filler[65536];
    size_t sent = 0;
    for (int blocked = 0; blocked < 10; harness_connections(&harness)) {
        ssize_t put = send(client.descriptor, filler, sizeof filler, MSG_DONTWAIT | MSG_NOSIGNAL);
        blocked = put > 0 ? 0 : blocked + 1;
        if (put > 0) sent += (size_t)put;
        CHECK(sent < 100000000);
    }
    harness_release(&harness);
    CHECK_EQUAL(200, client_status(&client));
    client_close(&client);
    harness_stop(&harness);
}

TEST(draining_lets_what_runs_finish) {
    harness_start(&harness, NULL);
    struct client idle;
    client_open(&client, &harness);
    client_open(&idle, &harness);
    client_send(&idle, "GET / HTTP/1.1\r\n" HOST "\r\n");
    CHECK_EQUAL(200, client_status(&idle));
    client_send(&client, "GET /later HTTP/1.1\r\n" HOST "\r\n");
    harness_wait_held(&harness, 1);
    harness_drain(&harness, 60000);
    client_expect_end(&idle);
    client_close(&idle);
    harness_release(&harness);
    client_reply(&client, false, &reply);
    CHECK_EQUAL(200, reply.status);
    CHECK(strcmp(reply_header(&reply, "connection"), "close") == 0);
    client_expect_end(&client);
    client_close(&client);
    harness_wait_drained(&harness);
    CHECK_EQUAL(0, harness.cancelled_count);
}

TEST(draining_ends_after_its_grace) {
    struct http_options options = quiet();
    options.idle_timeout_ms = 1000;
    harness_start(&harness, &options);
    client_open(&client, &harness);
    client_send(&client, "GET /later HTTP/1.1\r\n" HOST "\r\n");
    harness_wait_held(&harness, 1);
    harness_drain(&harness, 50);
    client_expect_end(&client);
    client_close(&client);
    harness_wait_drained(&harness);
    CHECK_EQUAL(1, harness.cancelled_count);
}
