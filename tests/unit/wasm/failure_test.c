// SPDX-License-Identifier: Apache-2.0
// Every way in which a guest can fail (docs/ABI.md, "Failures"): the status, the reason, what
// becomes of the instance, and that the next request is served.
#include "base/clock.h"
#include "base/metrics.h"
#include "base/thread.h"
#include "fixture.h"
#include "stub_engine.h"

struct failure {
    const char *route;
    enum status status;
    const char *reason; // a part of it
    bool kept;          // the instance serves on
};

static const struct failure failures[] = {
    {"GET /trap", STATUS_TRAP, "unreachable", false},
    {"GET /bad-pointer", STATUS_TRAP, "body outside of memory", false},
    {"GET /bad-request-pointer", STATUS_TRAP, "host_request: pointers outside", false},
    {"GET /bad-headers", STATUS_TRAP, "headers outside of memory", false},
    {"GET /second-respond", STATUS_TRAP, "second response", false},
    {"GET /no-respond", STATUS_INTERNAL, "without a response", true},
    {"GET /huge", STATUS_TRAP, "body too large", false},
    {"GET /abort", STATUS_TRAP, "as I please", false},
    {"GET /nonzero", STATUS_TRAP, "process returned 7", false},
    {"GET /forbidden-header", STATUS_TRAP, "belongs to the server", false},
    {"GET /deep", STATUS_TRAP, "call stack exhausted", false},
    {"GET /memory", STATUS_TRAP, "out of memory", false},
    {"GET /request-while-pending", STATUS_TRAP, "a reply is pending", false},
    {"GET /wait-without-pending", STATUS_TRAP, "no reply is pending", false},
};
#define FAILURE_COUNT (sizeof failures / sizeof *failures)

static void check_failure(struct fixture *fixture, const struct failure *failure) {
    struct reply reply = {0}, count = {0};
    fixture_request(fixture, "GET /count", NULL, &count);
    int before = atoi(count.body);
    fixture_request(fixture, failure->route, NULL, &reply);
    if (reply.status != failure->status || strstr(reply.reason, failure->reason) == NULL)
        test_fail(__FILE__, __LINE__, "%s: %s, %s", failure->route, status_text(reply.status),
                  reply.reason);
    fixture_request(fixture, "GET /count", NULL, &count);
    CHECK_STATUS(STATUS_OK, count.status);
    CHECK_EQUAL(failure->kept ? before + 2 : 1, atoi(count.body));
}

TEST(each_failure_has_its_status_and_the_next_request_is_served) {
    struct fixture fixture;
    fixture_open(&fixture, "behaviours", NULL);
    stub_engine.pending_slices = 3;
    for (size_t i = 0; i < FAILURE_COUNT; i++) check_failure(&fixture, &failures[i]);
    CHECK(metric_get(METRIC_wasm_traps) > 10);
    fixture_close(&fixture);
}

TEST(a_thousand_rounds_of_failures_leak_no_instance) {
    struct fixture fixture;
    fixture_open(&fixture, "behaviours", NULL);
    stub_engine.pending_slices = 3;
    for (size_t i = 0; i < 1000; i++) {
        check_failure(&fixture, &failures[i % FAILURE_COUNT]);
        CHECK(metric_get(METRIC_wasm_instances) <= 2);
        CHECK(stub_engine.calls_alive <= 2);
    }
    fixture_close(&fixture);
    CHECK_EQUAL(0, metric_get(METRIC_wasm_instances));
    CHECK_EQUAL(0, stub_engine.calls_alive);
}

TEST(a_response_given_before_a_nonzero_return_counts) {
    struct fixture fixture;
    struct reply reply = {0};
    fixture_open(&fixture, "behaviours", NULL);
    fixture_request(&fixture, "GET /nonzero-after-respond", NULL, &reply);
    CHECK_STATUS(STATUS_OK, reply.status);
    CHECK_BYTES("given", bytes_of_string(reply.body));
    fixture_close(&fixture);
}

TEST(an_endless_handler_meets_its_deadline_while_others_are_served) {
    struct fixture fixture;
    struct reply loop = {0}, quick = {0};
    struct wasm_options options = fixture_options();
    options.deadline_ms = 300;
    fixture_open(&fixture, "behaviours", &options);
    uint64_t start = clock_monotonic_ns(clock_system()), longest = 0;
    int served = 0;
    fixture_begin(&fixture, "GET /loop", NULL, bytes_of("", 0), &loop);
    while (loop.count == 0) {
        uint64_t begun = clock_monotonic_ns(clock_system());
        fixture_request(&fixture, "GET /echo/:text", "quick", &quick);
        uint64_t took = clock_monotonic_ns(clock_system()) - begun;
        CHECK_STATUS(STATUS_OK, quick.status);
        if (took > longest) longest = took;
        served++;
        wasm_worker_turn(fixture.worker);
    }
    CHECK_STATUS(STATUS_TIMEOUT, loop.status);
    CHECK(strstr(loop.reason, "deadline") != NULL);
    uint64_t took = loop.time_ns - start;
    CHECK(took >= 300000000 && took < 5000000000);
    CHECK(served > 10);
    CHECK(longest < 300000000); // never as long as the other's deadline
    CHECK_EQUAL(1, metric_get(METRIC_wasm_timeouts));
    fixture_close(&fixture);
}

// More endless handlers than may run: those that wait meet their deadlines as well.
TEST(endless_handlers_cannot_keep_others_out_for_longer_than_their_deadline) {
    struct fixture fixture;
    static struct reply loops[12];
    struct reply reply = {0};
    struct wasm_options options = fixture_options();
    options.deadline_ms = 100;
    fixture_open(&fixture, "behaviours", &options);
    for (int i = 0; i < 12; i++)
        fixture_begin(&fixture, "GET /loop", NULL, bytes_of("", 0), &loops[i]);
    for (int i = 0; i < 12; i++) {
        if (loops[i].count == 0) wasm_worker_turn(fixture.worker);
        while (loops[i].count == 0) {
            wasm_worker_turn(fixture.worker);
            CHECK(clock_monotonic_ns(clock_system()) > 0);
        }
        CHECK_STATUS(STATUS_TIMEOUT, loops[i].status);
    }
    fixture_request(&fixture, "GET /echo/:text", "free", &reply);
    CHECK_BYTES("free", bytes_of_string(reply.body));
    fixture_close(&fixture);
}

// Two guests that each take more than half of what all may have: one of them goes, and what it held
// is counted no longer.
TEST(guests_that_hold_too_much_memory_in_all_are_let_go) {
    struct fixture fixture;
    struct reply busy = {0}, reply = {0}, count = {0};
    static char body[3 << 20];
    struct wasm_options options = fixture_options();
    options.pool_min = 2;
    options.memory_bytes_max = options.memory_bytes_total_max = 4 << 20;
    options.response_bytes_max = 4 << 20;
    fixture_open(&fixture, "behaviours", &options);
    for (int i = 0; i < 5; i++) {
        fixture_begin(&fixture, "POST /echo/:text", "x", bytes_of(body, sizeof body), &reply);
        fixture_wait(&fixture, &reply);
        fixture_begin(&fixture, "GET /busy", NULL, bytes_of("", 0), &busy);
        fixture_begin(&fixture, "POST /echo/:text", "x", bytes_of(body, sizeof body), &reply);
        fixture_wait(&fixture, &reply);
        CHECK_STATUS(STATUS_OK, reply.status);
        fixture_wait(&fixture, &busy);
        CHECK_STATUS(STATUS_OK, busy.status);
        fixture_request(&fixture, "GET /count", NULL, &count);
        CHECK_STATUS(STATUS_OK, count.status);
        CHECK(metric_get(METRIC_wasm_instances) <= 2);
    }
    fixture_close(&fixture);
}

TEST(a_guest_that_uses_wasi_finds_what_is_promised) {
    struct fixture fixture;
    struct reply reply = {0};
    fixture_open(&fixture, "wasi", NULL);
    struct wasm_call *call;
    static struct http_match match;
    struct http_request plain = {.method = HTTP_GET,
                                 .path = bytes_of_string("/"),
                                 .query = bytes_of("", 0),
                                 .id = "0123456789abcdef0123456789abcdef"};
    wasm_worker_call(fixture.worker, &plain, &match, fixture_done, &reply, &call);
    fixture_wait(&fixture, &reply);
    CHECK_STATUS(STATUS_OK, reply.status);
    CHECK_EQUAL(200, reply.http_status);
    for (const char *code = "01"; *code != '\0'; code++) {
        reply = (struct reply){0};
        plain.query = bytes_of(code, 1);
        wasm_worker_call(fixture.worker, &plain, &match, fixture_done, &reply, &call);
        fixture_wait(&fixture, &reply);
        CHECK_STATUS(*code == '0' ? STATUS_OK : STATUS_TRAP, reply.status);
    }
    fixture_close(&fixture);
}

// ---- several workers ----------------------------------------------------------------------------

struct peer {
    struct fixture fixture; // with a worker of its own in a shared runtime
    struct thread thread;
};

// Echoes, traps and busy handlers, so that instances come and go while the ticker looks on. Memory
// and stacks of an instance that goes may come back in another thread, by way of locks that are
// Rust's and that the thread sanitizer does not know: under it the instances stay.
static void run_peer(void *context) {
    struct peer *peer = context;
    struct reply reply = {0};
    for (int i = 0; i < 200; i++) {
        fixture_request(&peer->fixture, "GET /echo/:text", "x", &reply);
        CHECK_STATUS(STATUS_OK, reply.status);
#ifndef THREAD_SANITIZED
        fixture_request(&peer->fixture, "GET /trap", NULL, &reply);
        CHECK_STATUS(STATUS_TRAP, reply.status);
#endif
        if (i % 50 == 0) fixture_request(&peer->fixture, "GET /busy", NULL, &reply);
    }
}

TEST(workers_of_several_threads_share_a_runtime) {
    static struct peer peers[3];
    struct wasm_options options = fixture_options();
    struct error error;
    options.workers = 3;
    fixture_open(&peers[0].fixture, "behaviours", &options);
    for (int i = 1; i < 3; i++) {
        struct fixture *fixture = &peers[i].fixture;
        fixture->runtime = peers[0].fixture.runtime;
        fixture->module = peers[0].fixture.module;
        CHECK_OK(loop_new(&fixture->loop));
        CHECK_OK(wasm_worker_new(fixture->runtime, fixture->module, fixture->loop, NULL,
                                 bytes_of("\5\0\0\0", 5), &fixture->worker, &error));
    }
    for (int i = 0; i < 3; i++)
        CHECK_OK(thread_start(&peers[i].thread, "worker", run_peer, &peers[i]));
    for (int i = 0; i < 3; i++) thread_join(&peers[i].thread);
    for (int i = 1; i < 3; i++) {
        wasm_worker_free(peers[i].fixture.worker);
        loop_free(peers[i].fixture.loop);
    }
    fixture_close(&peers[0].fixture);
    CHECK_EQUAL(0, metric_get(METRIC_wasm_instances));
#ifndef THREAD_SANITIZED
    CHECK_EQUAL(600, metric_get(METRIC_wasm_traps));
#endif
}
