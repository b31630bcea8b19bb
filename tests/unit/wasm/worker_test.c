// SPDX-License-Identifier: Apache-2.0
// Calls of a well-behaved guest: what it gets, what comes back, in which order.
#include <time.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "fixture.h"
#include "stub_engine.h"

TEST(a_request_reaches_the_guest_and_its_reply_comes_back) {
    struct fixture fixture;
    struct reply reply = {0};
    fixture_open(&fixture, "behaviours", NULL);
    fixture_request(&fixture, "GET /echo/:text", "hello", &reply);
    CHECK_STATUS(STATUS_OK, reply.status);
    CHECK_EQUAL(200, reply.http_status);
    CHECK_BYTES("hello", bytes_of_string(reply.body));
    fixture_begin(&fixture, "POST /echo/:text", "x", bytes_of_string("a body"), &reply);
    fixture_wait(&fixture, &reply);
    CHECK_EQUAL(201, reply.http_status);
    CHECK_BYTES("a body", bytes_of_string(reply.body));
    fixture_close(&fixture);
}

TEST(headers_arrive_in_lower_case_and_the_request_id_too) {
    struct fixture fixture;
    struct http_header headers[] = {{bytes_of_string("Accept"), bytes_of_string("text/html")},
                                    {bytes_of_string("X-Long-NAME"), bytes_of_string("")}};
    struct reply reply = {.request = {.headers = headers, .header_count = 2}};
    fixture_open(&fixture, "behaviours", NULL);
    fixture_request(&fixture, "GET /headers", NULL, &reply);
    CHECK_STATUS(STATUS_OK, reply.status);
    CHECK_EQUAL(2, reply.header_count);
    CHECK_BYTES("x-accept", bytes_of_string(reply.headers[0][0]));
    CHECK_BYTES("text/html", bytes_of_string(reply.headers[0][1]));
    CHECK_BYTES("x-x-long-name", bytes_of_string(reply.headers[1][0]));
    CHECK_BYTES("", bytes_of_string(reply.headers[1][1]));
    CHECK_BYTES("0123456789abcdef0123456789abcdef", bytes_of_string(reply.body));
    fixture_close(&fixture);
}

TEST(a_large_body_gets_a_larger_buffer_and_one_too_large_for_memory_is_a_failure) {
    struct fixture fixture;
    struct reply reply = {0};
    static char body[8 << 20];
    memset(body, 'b', sizeof body);
    fixture_open(&fixture, "behaviours", NULL);
    fixture_begin(&fixture, "POST /echo/:text", "x", bytes_of(body, 300000), &reply);
    fixture_wait(&fixture, &reply);
    CHECK_EQUAL(201, reply.http_status);
    CHECK_EQUAL(300000, reply.body_size);
    fixture_begin(&fixture, "POST /echo/:text", "x", bytes_of(body, sizeof body), &reply);
    fixture_wait(&fixture, &reply);
    CHECK_STATUS(STATUS_TRAP, reply.status);
    CHECK(strstr(reply.reason, "planck_alloc") != NULL);
    fixture_request(&fixture, "GET /echo/:text", "after", &reply);
    CHECK_BYTES("after", bytes_of_string(reply.body));
    fixture_close(&fixture);
}

TEST(safe_methods_read_at_ack_and_the_reply_depends_on_what_its_calls_saw) {
    struct fixture fixture;
    struct reply reply = {0};
    fixture_open(&fixture, "behaviours", NULL);
    stub_engine.sequence = 41;
    fixture_request(&fixture, "GET /create-store", NULL, &reply);
    CHECK_EQUAL(READ_ACK, stub_engine.last_point);
    CHECK_EQUAL(41, reply.sequence);
    fixture_request(&fixture, "POST /things", NULL, &reply);
    CHECK_EQUAL(READ_LATEST, stub_engine.last_point);
    fixture_request(&fixture, "GET /echo/:text", "x", &reply);
    CHECK_EQUAL(0, reply.sequence);
    fixture_close(&fixture);
}

TEST(a_long_query_is_resumed_in_slices_and_its_reply_is_whole) {
    struct fixture fixture;
    struct reply reply = {0}, quick = {0};
    fixture_open(&fixture, "behaviours", NULL);
    stub_engine.pending_slices = 50;
    stub_engine.reply_padding = 1000;
    stub_engine.sequence = 7;
    fixture_begin(&fixture, "GET /scan", NULL, bytes_of("", 0), &reply);
    CHECK_EQUAL(0, reply.count);
    for (int i = 0; i < 10; i++) wasm_worker_turn(fixture.worker);
    CHECK(stub_engine.resumed >= 9 && stub_engine.resumed <= 10); // one slice a turn
    fixture_request(&fixture, "GET /echo/:text", "meanwhile", &quick);
    CHECK_BYTES("meanwhile", bytes_of_string(quick.body));
    CHECK_EQUAL(0, reply.count);
    fixture_wait(&fixture, &reply);
    CHECK_STATUS(STATUS_OK, reply.status);
    CHECK_EQUAL(50, stub_engine.resumed);
    CHECK_EQUAL(1000 + 24 + 23, reply.body_size);
    CHECK_EQUAL('p', reply.body[reply.body_size - 1]);
    CHECK_EQUAL(7, reply.sequence);
    CHECK(!stub_engine.packet_changed);
    fixture_close(&fixture);
}

TEST(an_endless_query_ends_at_the_deadline) {
    struct fixture fixture;
    struct reply reply = {0};
    struct wasm_options options = fixture_options();
    options.deadline_ms = 50;
    fixture_open(&fixture, "behaviours", &options);
    stub_engine.pending_slices = -1;
    fixture_request(&fixture, "GET /scan", NULL, &reply);
    CHECK_STATUS(STATUS_TIMEOUT, reply.status);
    stub_engine.pending_slices = 0;
    fixture_request(&fixture, "GET /scan", NULL, &reply);
    CHECK_STATUS(STATUS_OK, reply.status);
    fixture_close(&fixture);
}

TEST(a_reply_that_is_not_waited_for_does_not_reach_the_next_request) {
    struct fixture fixture;
    struct reply reply = {0};
    fixture_open(&fixture, "behaviours", NULL);
    stub_engine.pending_slices = 5;
    for (int i = 0; i < 3; i++) {
        fixture_request(&fixture, "GET /never-wait", NULL, &reply);
        CHECK_STATUS(STATUS_OK, reply.status);
    }
    CHECK(!stub_engine.dispatched_while_pending);
    fixture_request(&fixture, "GET /wait-without-pending", NULL, &reply);
    CHECK_STATUS(STATUS_TRAP, reply.status);
    CHECK_BYTES("host_wait: no reply is pending", bytes_of_string(reply.reason));
    fixture_close(&fixture);
}

TEST(requests_beyond_the_queue_are_refused_and_the_others_are_all_served) {
    struct fixture fixture;
    static struct reply replies[8];
    struct reply reply = {0};
    struct wasm_options options = fixture_options();
    options.running_max = 1;
    options.suspended_max = 0;
    options.queue_max = 7;
    fixture_open(&fixture, "behaviours", &options);
    for (int i = 0; i < 8; i++)
        fixture_begin(&fixture, "GET /busy", NULL, bytes_of("", 0), &replies[i]);
    fixture_begin(&fixture, "GET /busy", NULL, bytes_of("", 0), &reply);
    CHECK_STATUS(STATUS_BUSY, reply.status);
    CHECK_EQUAL(8, wasm_worker_running(fixture.worker));
    for (int i = 0; i < 8; i++) {
        fixture_wait(&fixture, &replies[i]);
        CHECK_STATUS(STATUS_OK, replies[i].status);
    }
    for (int i = 1; i < 8; i++) CHECK(replies[i].time_ns >= replies[i - 1].time_ns);
    CHECK_EQUAL(1, metric_get(METRIC_wasm_instances));
    fixture_close(&fixture);
}

// What was resumed goes behind all others.
TEST(a_long_query_goes_on_beside_endless_handlers) {
    struct fixture fixture;
    struct reply loops[2] = {0}, scan = {0};
    struct wasm_options options = fixture_options();
    options.pool_min = 3;
    fixture_open(&fixture, "behaviours", &options);
    stub_engine.pending_slices = 20;
    fixture_begin(&fixture, "GET /loop", NULL, bytes_of("", 0), &loops[0]);
    fixture_begin(&fixture, "GET /scan", NULL, bytes_of("", 0), &scan);
    fixture_begin(&fixture, "GET /loop", NULL, bytes_of("", 0), &loops[1]);
    fixture_wait(&fixture, &scan);
    CHECK_STATUS(STATUS_OK, scan.status);
    CHECK_EQUAL(0, loops[0].count + loops[1].count);
    for (int i = 0; i < 2; i++) {
        wasm_call_cancel(loops[i].call);
        fixture_wait(&fixture, &loops[i]);
    }
    fixture_close(&fixture);
}

TEST(a_cancelled_call_ends_and_so_does_one_that_waits) {
    struct fixture fixture;
    struct reply running = {0}, waiting = {0}, after = {0};
    struct wasm_options options = fixture_options();
    options.running_max = 1;
    options.suspended_max = 0;
    fixture_open(&fixture, "behaviours", &options);
    fixture_begin(&fixture, "GET /loop", NULL, bytes_of("", 0), &running);
    fixture_begin(&fixture, "GET /loop", NULL, bytes_of("", 0), &waiting);
    fixture_begin(&fixture, "GET /echo/:text", "after", bytes_of("", 0), &after);
    wasm_call_cancel(waiting.call);
    fixture_wait(&fixture, &waiting);
    CHECK_STATUS(STATUS_CANCELLED, waiting.status);
    CHECK_EQUAL(0, running.count);
    wasm_call_cancel(running.call);
    fixture_wait(&fixture, &running);
    CHECK_STATUS(STATUS_CANCELLED, running.status);
    fixture_wait(&fixture, &after);
    CHECK_BYTES("after", bytes_of_string(after.body));
    fixture_close(&fixture);
}

static void count_until(struct fixture *fixture, const char *expected) {
    struct reply reply = {0};
    fixture_request(fixture, "GET /count", NULL, &reply);
    CHECK_BYTES(expected, bytes_of_string(reply.body));
}

TEST(instances_are_recycled_by_count_and_fresh_ones_serve_isolated_requests) {
    struct fixture fixture;
    struct wasm_options options = fixture_options();
    options.recycle_requests = 3;
    fixture_open(&fixture, "behaviours", &options);
    count_until(&fixture, "1");
    count_until(&fixture, "2");
    count_until(&fixture, "3");
    count_until(&fixture, "1");
    fixture_close(&fixture);
    options.recycle_requests = 0;
    options.isolation_request = true;
    fixture_open(&fixture, "behaviours", &options);
    for (int i = 0; i < 20; i++) count_until(&fixture, "1");
    fixture_close(&fixture);
    CHECK_EQUAL(0, metric_get(METRIC_wasm_instances));
}

// ---- with the real loop -------------------------------------------------------------------------

struct chain {
    struct fixture *fixture;
    struct reply reply;
    int left;
};

static bool turn(void *context) {
    struct fixture *fixture = context;
    return wasm_worker_turn(fixture->worker);
}

static void on_chain(const struct wasm_result *result, void *context) {
    struct chain *chain = context;
    CHECK_STATUS(STATUS_OK, result->status);
    if (--chain->left == 0) {
        loop_stop(chain->fixture->loop);
        return;
    }
    struct wasm_call *call;
    wasm_worker_call(chain->fixture->worker, &chain->reply.request, &chain->reply.match, on_chain,
                     chain, &call);
}

static void begin_chain(void *context) {
    struct chain *chain = context;
    chain->left++;
    on_chain(&(struct wasm_result){.status = STATUS_OK}, chain);
}

TEST(a_call_may_be_made_from_inside_done_without_recursion) {
    struct fixture fixture;
    struct chain chain = {.fixture = &fixture, .left = 20000};
    struct wasm_options options = fixture_options();
    options.pool_min = 2; // one is idle while the other's `done` runs
    fixture_open(&fixture, "behaviours", &options);
    fixture_request(&fixture, "GET /echo/:text", "x", &chain.reply);
    loop_set_turn(fixture.loop, turn, &fixture);
    loop_post(fixture.loop, begin_chain, &chain);
    loop_run(fixture.loop);
    CHECK_EQUAL(0, chain.left);
    fixture_close(&fixture);
}

static void stop_loop(void *context) {
    loop_stop(context);
}

// The ticker sleeps when no guest runs, and the worker asks for no turns.
TEST(an_idle_runtime_uses_no_processor_time) {
    struct fixture fixture;
    struct reply reply = {0};
    struct timer *timer;
    fixture_open(&fixture, "behaviours", NULL);
    fixture_request(&fixture, "GET /busy", NULL, &reply);
    loop_set_turn(fixture.loop, turn, &fixture);
    CHECK_OK(timer_new(fixture.loop, stop_loop, fixture.loop, &timer));
    timer_start(timer, 200, 0); // until the ticker is asleep
    loop_run(fixture.loop);
    struct timespec before, after;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    timer_start(timer, 500, 0);
    loop_run(fixture.loop);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    int64_t used_ns = (after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec;
    CHECK(used_ns < 3000000);
    timer_free(timer);
    fixture_close(&fixture);
}
