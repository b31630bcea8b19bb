// SPDX-License-Identifier: Apache-2.0
// The server over real sockets: what a client sees.
#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "harness.h"

#define HOST "Host: a\r\n"

static struct harness harness;
static struct client client;
static struct reply reply;

static void start(void) {
    harness_start(&harness, NULL);
    client_open(&client, &harness);
}

static void stop(void) {
    client_close(&client);
    harness_stop(&harness);
}

static bool is_hex(const char *text, size_t size) {
    return strlen(text) == size && strspn(text, "0123456789abcdef") == size;
}

TEST(a_reply_is_complete) {
    start();
    client_send(&client, "POST /echo?x=1 HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello");
    client_reply(&client, false, &reply);
    CHECK_EQUAL(200, reply.status);
    CHECK_BYTES("POST /echo?x=1 hello", reply.body);
    CHECK(strcmp(reply_header(&reply, "content-type"), "text/plain") == 0);
    CHECK(is_hex(reply_header(&reply, "x-request-id"), 32));
    const char *date = reply_header(&reply, "date");
    CHECK(strlen(date) == 29 && strcmp(date + 25, " GMT") == 0 && date[3] == ',');
    CHECK(reply_header(&reply, "connection") == NULL);
    stop();
}

TEST(a_connection_is_kept_alive) {
    start();
    char ids[100][33];
    for (int i = 0; i < 100; i++) {
        client_send(&client, i % 2 == 0 ? "GET /echo HTTP/1.1\r\n" HOST "\r\n"
                                        : "GET /post HTTP/1.1\r\n" HOST "\r\n");
        client_reply(&client, false, &reply);
        CHECK_EQUAL(200, reply.status);
        snprintf(ids[i], sizeof ids[i], "%s", reply_header(&reply, "x-request-id"));
        for (int k = 0; k < i; k++) CHECK(strcmp(ids[k], ids[i]) != 0);
    }
    CHECK_EQUAL(1, harness_connections(&harness));
    stop();
}

static void check_close(const char *request, bool closes, const char *connection) {
    client_open(&client, &harness);
    client_send(&client, request);
    client_reply(&client, false, &reply);
    CHECK_EQUAL(200, reply.status);
    const char *value = reply_header(&reply, "connection");
    CHECK(connection == NULL ? value == NULL : value != NULL && strcmp(value, connection) == 0);
    if (closes) {
        client_expect_end(&client);
    } else {
        client_send(&client, request);
        CHECK_EQUAL(200, client_status(&client));
    }
    client_close(&client);
}

TEST(connection_headers) {
    harness_start(&harness, NULL);
    check_close("GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", true, "close");
    check_close("GET / HTTP/1.1\r\n" HOST "\r\n", false, NULL);
    check_close("GET / HTTP/1.0\r\n\r\n", true, "close");
    check_close("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", false, "keep-alive");
    harness_stop(&harness);
}

static void pipeline(const char *path) {
    start();
    struct buffer requests = {0};
    for (int i = 0; i < 50; i++)
        CHECK_OK(buffer_append_format(
            &requests, "POST %s?%d HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n%02d", path, i, i));
    CHECK_OK(buffer_append(&requests, "", 1));
    client_send(&client, (const char *)requests.data);
    for (int i = 0; i < 50; i++) {
        char expected[64];
        snprintf(expected, sizeof expected, "POST %s?%d %02d", path, i, i);
        client_reply(&client, false, &reply);
        CHECK_BYTES(expected, reply.body);
    }
    buffer_done(&requests);
    stop();
}

TEST(fifty_pipelined_requests_are_answered_in_order) {
    pipeline("/echo");
}

TEST(fifty_pipelined_requests_answered_later_stay_in_order) {
    pipeline("/post");
}

TEST(a_pipelined_request_waits_for_the_one_before) {
    start();
    client_send(&client, "GET /later HTTP/1.1\r\n" HOST "\r\nGET /echo HTTP/1.1\r\n" HOST "\r\n");
    harness_wait_held(&harness, 1);
    harness_connections(&harness); // a turn passes
    CHECK_EQUAL(1, harness.handled_count);
    harness_release(&harness);
    client_reply(&client, false, &reply);
    CHECK_BYTES("GET /later ", reply.body);
    client_reply(&client, false, &reply);
    CHECK_BYTES("GET /echo ", reply.body);
    stop();
}

TEST(head_has_the_length_but_no_body) {
    start();
    client_send(&client,
                "HEAD /size/100 HTTP/1.1\r\n" HOST "\r\nGET /echo HTTP/1.1\r\n" HOST "\r\n");
    client_reply(&client, true, &reply);
    CHECK_EQUAL(200, reply.status);
    CHECK(strcmp(reply_header(&reply, "content-length"), "100") == 0);
    client_reply(&client, false, &reply);
    CHECK_BYTES("GET /echo ", reply.body);
    client_send(&client, "GET /no-content HTTP/1.1\r\n" HOST "\r\n");
    client_reply(&client, false, &reply);
    CHECK_EQUAL(204, reply.status);
    CHECK(reply_header(&reply, "content-length") == NULL);
    stop();
}

TEST(continue_is_sent_when_the_body_is_awaited) {
    start();
    client_send(&client,
                "POST /echo HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    client_reply(&client, false, &reply);
    CHECK_EQUAL(100, reply.status);
    client_send(&client, "abc");
    client_reply(&client, false, &reply);
    CHECK_BYTES("POST /echo abc", reply.body);
    // A body that came along needs no invitation; a refused one gets none.
    client_send(&client, "POST /echo HTTP/1.1\r\n" HOST
                         "Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc");
    CHECK_EQUAL(200, client_status(&client));
    client_send(&client, "POST /echo HTTP/1.1\r\n" HOST
                         "Expect: 100-continue\r\nContent-Length: 999999999\r\n\r\n");
    CHECK_EQUAL(413, client_status(&client));
    client_expect_end(&client);
    stop();
}

TEST(an_unknown_expectation_fails) {
    start();
    client_send(&client, "POST /echo HTTP/1.1\r\n" HOST "Expect: magic\r\n\r\n");
    CHECK_EQUAL(417, client_status(&client));
    client_expect_end(&client);
    stop();
}

TEST(a_chunked_body_arrives_whole) {
    start();
    client_send(&client,
                "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nab");
    client_send(&client, "c\r\n2\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n");
    client_reply(&client, false, &reply);
    CHECK_BYTES("POST /echo abcde", reply.body);
    stop();
}

TEST(errors_are_documents) {
    start();
    client_send(&client, "GET /error HTTP/1.1\r\n" HOST "\r\n");
    client_reply(&client, false, &reply);
    CHECK_EQUAL(405, reply.status);
    CHECK(strcmp(reply_header(&reply, "allow"), "GET, POST") == 0);
    CHECK(strcmp(reply_header(&reply, "content-type"), "application/json") == 0);
    char expected[256];
    snprintf(expected, sizeof expected,
             "{\"error\": {\"code\": \"forbidden\", \"message\": \"a <b> \\\"c\\\"\", "
             "\"request_id\": \"%s\"}}\n",
             reply_header(&reply, "x-request-id"));
    CHECK_BYTES(expected, reply.body);
    client_send(&client, "GET /error HTTP/1.1\r\n" HOST "Accept: text/html, */*;q=0.8\r\n\r\n");
    client_reply(&client, false, &reply);
    CHECK(strcmp(reply_header(&reply, "content-type"), "text/html; charset=utf-8") == 0);
    const char *escaped = "a &lt;b&gt; &quot;c&quot;";
    CHECK(memmem(reply.body.data, reply.body.size, escaped, strlen(escaped)) != NULL);
    client_send(&client, "GET /error HTTP/1.1\r\n" HOST
                         "Accept: text/html;q=0.2, application/json;q=0.5\r\n\r\n");
    client_reply(&client, false, &reply);
    CHECK(strcmp(reply_header(&reply, "content-type"), "application/json") == 0);
    stop();
}

TEST(a_bad_response_becomes_a_500) {
    start();
    static const char *const paths[] = {"/bad-header", "/own-header", "/bad-status"};
    for (int i = 0; i < 3; i++) {
        char request[128];
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n" HOST "\r\n", paths[i]);
        client_send(&client, request);
        client_reply(&client, false, &reply);
        CHECK_EQUAL(500, reply.status);
        CHECK(reply_header(&reply, "set-cookie") == NULL);
    }
    stop();
}

TEST(a_malformed_request_is_answered_and_ends_the_connection) {
    start();
    client_send(&client, "GET /echo HTTP/1.1\r\n" HOST "\r\nGET / HTTP/1.1\n" HOST "\n");
    CHECK_EQUAL(200, client_status(&client));
    client_reply(&client, false, &reply);
    CHECK_EQUAL(400, reply.status);
    CHECK(strcmp(reply_header(&reply, "connection"), "close") == 0);
    client_expect_end(&client);
    stop();
}

TEST(a_client_that_closed_its_direction_gets_its_answers) {
    start();
    client_send(&client, "GET /post?1 HTTP/1.1\r\n" HOST "\r\nGET /post?2 HTTP/1.1\r\n" HOST "\r\n"
                         "GET /later HTTP/1.1\r\n" HOST "\r\n");
    client_end(&client);
    CHECK_EQUAL(200, client_status(&client));
    CHECK_EQUAL(200, client_status(&client));
    harness_wait_held(&harness, 1);
    harness_release(&harness);
    client_reply(&client, false, &reply);
    CHECK_BYTES("GET /later ", reply.body);
    client_expect_end(&client);
    stop();
}

TEST(a_request_cut_off_is_refused) {
    start();
    client_send(&client, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\nabc");
    client_end(&client);
    CHECK_EQUAL(400, client_status(&client));
    client_expect_end(&client);
    stop();
}

TEST(a_lost_client_cancels_its_exchange) {
    start();
    client_send(&client, "GET /later HTTP/1.1\r\n" HOST "\r\n");
    harness_wait_held(&harness, 1);
    client_reset(&client);
    harness_wait_cancelled(&harness, 1);
    harness_stop(&harness);
}

TEST(a_large_reply_arrives_whole) {
    start();
    client_send(&client, "GET /size/20000000 HTTP/1.1\r\n" HOST "\r\n"
                         "GET /echo HTTP/1.1\r\n" HOST "\r\n");
    client_reply(&client, false, &reply);
    CHECK_EQUAL(20000000, reply.body.size);
    for (size_t i = 0; i < reply.body.size; i++)
        if (reply.body.data[i] != 'z') test_fail(__FILE__, __LINE__, "wrong byte at %zu", i);
    client_reply(&client, false, &reply);
    CHECK_BYTES("GET /echo ", reply.body);
    stop();
}

TEST(a_thousand_connections_one_after_the_other) {
    harness_start(&harness, NULL);
    for (int i = 0; i < 1000; i++) {
        client_open(&client, &harness);
        client_send(&client, "GET /echo HTTP/1.1\r\n" HOST "\r\n");
        CHECK_EQUAL(200, client_status(&client));
        client_close(&client);
    }
    // The last ones may still be closing; stopping checks that none is left.
    CHECK(harness_connections(&harness) < 1000);
    harness_stop(&harness);
}

TEST(each_request_is_logged_on_a_line_of_its_own) {
    struct http_options options = http_options_default();
    char path[256], text[4096] = {0}, wanted[256];
    snprintf(path, sizeof path, "%s/log", test_directory());
    int log = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    CHECK(log >= 0);
    log_set_descriptor(log);
    harness_start(&harness, &options);
    client_open(&client, &harness);
    client_send(&client, "GET /echo/\"x\\?secret=1 HTTP/1.1\r\n" HOST "\r\n");
    client_reply(&client, false, &reply);
    snprintf(wanted, sizeof wanted, "\"id\": \"%s\"}\n", reply_header(&reply, "x-request-id"));
    client_send(&client, "nonsense\r\n");
    CHECK_EQUAL(400, client_status(&client));
    client_expect_end(&client);
    client_close(&client);
    harness_stop(&harness);
    log_set_descriptor(2);
    CHECK(pread(log, text, sizeof text - 1, 0) > 0);
    close(log);
    unlink(path);
    CHECK(strstr(text, "\"scope\": \"access\", \"method\": \"GET\", "
                       "\"path\": \"/echo/\\\"x\\\\\", \"status\": 200, \"bytes\": ") != NULL);
    CHECK(strstr(text, wanted) != NULL);
    CHECK(strstr(text, "secret") == NULL);
    CHECK(strstr(text, "\"method\": \"-\", \"path\": \"\", \"status\": 400") != NULL);
    const char *newline = strchr(text, '\n');
    CHECK(newline != NULL && newline[1] == '{' && strchr(newline + 1, '\n') != NULL);
}
