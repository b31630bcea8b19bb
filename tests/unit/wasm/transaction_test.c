// SPDX-License-Identifier: Apache-2.0
// A request is a transaction: what a handler wrote and when it stays, conflicts and attempts.
#include "base/metrics.h"
#include "fixture.h"

struct service {
    struct engine *engine;
    struct session *session;
    struct reader *reader; // of the test
    struct fixture fixture;
    uint32_t store_id;
};

static void open_service(struct service *service, const struct wasm_options *options) {
    struct error error = {0};
    struct storage_options storage = storage_options_default();
    char path[512];
    snprintf(path, sizeof path, "%s/data", test_directory());
    if (engine_open(path, &storage, &service->engine, &error) != STATUS_OK)
        test_fail(__FILE__, __LINE__, "%s", error.message);
    CHECK_OK(storage_create_store(engine_storage(service->engine), bytes_of_string("things"),
                                  KEY_INT64, &service->store_id, NULL, &error));
    CHECK_OK(session_open(service->engine, PERMISSION_WRITE, &service->session));
    CHECK_OK(reader_open(engine_storage(service->engine), &service->reader));
    fixture_open_session(&service->fixture, "transactions", options, service->session);
}

static void close_service(struct service *service) {
    fixture_close(&service->fixture);
    CHECK_EQUAL(0, metric_get(METRIC_wasm_instances));
    reader_close(service->reader);
    session_close(service->session);
    engine_close(service->engine);
}

static struct key key_of(int64_t id) {
    struct doc_value value = doc_value_int(id);
    struct key key;
    CHECK_OK(key_from_value(KEY_INT64, &value, &key, NULL));
    return key;
}

static void put(struct service *service, int64_t id, int64_t n) {
    struct buffer buffer = {0};
    struct doc_builder builder;
    doc_builder_begin(&builder, &buffer);
    doc_add_int(&builder, "_id", id);
    doc_add_int(&builder, "n", n);
    CHECK_OK(doc_builder_finish(&builder));
    struct write write = {.kind = WRITE_PUT,
                          .store_id = service->store_id,
                          .key = key_of(id),
                          .document = buffer_bytes(&buffer)};
    struct write_result result;
    CHECK_OK(
        storage_write(engine_storage(service->engine), service->reader, &write, 1, &result, NULL));
    buffer_done(&buffer);
}

// The `n` of the document, or -1.
static int64_t value(struct service *service, int64_t id) {
    struct view view;
    struct key key = key_of(id);
    struct bytes document;
    int64_t n = -1;
    CHECK_OK(view_begin(service->reader, READ_LATEST, &view));
    if (storage_get(&view, service->store_id, &key, &document, NULL) == STATUS_OK)
        CHECK(doc_get_int(document, "n", &n));
    view_end(&view);
    return n;
}

TEST(what_fails_or_refuses_leaves_nothing) {
    static const struct {
        const char *route;
        enum status status;
        int http;
        int64_t left;
    } rows[] = {
        {"POST /refuse", STATUS_OK, 400, -1},
        {"POST /trap", STATUS_TRAP, 0, -1},
        {"POST /loop", STATUS_TIMEOUT, 0, -1},
        {"POST /trap-after-respond", STATUS_TRAP, 0, -1},
        {"GET /begin", STATUS_OK, 200, -1}, // no transaction of its route's, and no commit
        {"POST /increment", STATUS_OK, 200, 1},
        {"POST /commit", STATUS_OK, 400, 5}, // what it has committed stays, and no more
        {"POST /alone", STATUS_OK, 400, 88},
    };
    struct service service;
    struct reply reply = {0};
    struct wasm_options options = fixture_options();
    options.deadline_ms = 200;
    open_service(&service, &options);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fixture_request(&service.fixture, rows[i].route, NULL, &reply);
        CHECK_STATUS(rows[i].status, reply.status);
        if (rows[i].http != 0) CHECK_EQUAL(rows[i].http, reply.http_status);
        CHECK_EQUAL(rows[i].left, value(&service, 1));
        if (reply.http_status == 200 && rows[i].left > 0)
            CHECK_EQUAL(storage_visible(engine_storage(service.engine)), reply.sequence);
    }
    close_service(&service);
}

// Eight that read the same number: each but the first must run again.
TEST(no_update_is_lost) {
    struct service service;
    static struct reply replies[8];
    struct wasm_options options = fixture_options();
    options.running_max = 8;
    options.host_budget_us = 200;
    options.deadline_ms = 20000;
    open_service(&service, &options);
    int64_t expected = 0, before = metric_get(METRIC_wasm_retries);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 8; i++)
            fixture_begin(&service.fixture, "POST /increment", NULL, bytes_of("", 0), &replies[i]);
        for (int i = 0; i < 8; i++) {
            fixture_wait(&service.fixture, &replies[i]);
            if (replies[i].status == STATUS_OK)
                expected++;
            else
                CHECK_STATUS(STATUS_CONFLICT, replies[i].status);
        }
        CHECK_EQUAL(expected, value(&service, 1));
    }
    CHECK(expected >= 3 && metric_get(METRIC_wasm_retries) > before);
    close_service(&service);
}

// Begins an increment and writes to the same document at every turn until it has lost `losses`
// times or has ended; how often it has lost. A handler that runs through within one turn does not.
static int64_t lose(struct service *service, int64_t losses, struct reply *reply) {
    int64_t before = metric_get(METRIC_wasm_retries);
    fixture_begin(&service->fixture, "POST /increment", NULL, bytes_of("", 0), reply);
    while (reply->count == 0 && metric_get(METRIC_wasm_retries) - before < losses) {
        put(service, 1, value(service, 1) + 1);
        wasm_worker_turn(service->fixture.worker);
    }
    return metric_get(METRIC_wasm_retries) - before;
}

TEST(attempts_are_bounded_and_each_has_another_instance) {
    struct service service;
    struct reply reply = {0};
    struct wasm_options options = fixture_options();
    int successes = 0;
    options.host_budget_us = 100;
    options.deadline_ms = 20000;
    open_service(&service, &options);
    int64_t lost;
    while (lost = lose(&service, INT64_MAX, &reply), reply.status == STATUS_OK) successes++;
    CHECK_STATUS(STATUS_CONFLICT, reply.status);
    CHECK(strstr(reply.reason, "changed meanwhile") != NULL);
    CHECK_EQUAL(4, lost);
    // Then undisturbed: the instance that succeeds has not run in vain before.
    do {
        lost = lose(&service, 2, &reply);
        int64_t before = value(&service, 1);
        bool ended = reply.count > 0;
        fixture_wait(&service.fixture, &reply);
        if (!ended) CHECK_EQUAL(before + 1, value(&service, 1));
        CHECK_STATUS(STATUS_OK, reply.status);
        CHECK(atoi(reply.body) <= ++successes);
    } while (lost < 2);
    // One whose client goes away between two attempts ends.
    while (lose(&service, 1, &reply), reply.count > 0) continue;
    int64_t before = value(&service, 1);
    wasm_call_cancel(reply.call);
    fixture_wait(&service.fixture, &reply);
    CHECK_STATUS(STATUS_CANCELLED, reply.status);
    CHECK_EQUAL(before, value(&service, 1));
    close_service(&service);
}

TEST(write_skew_is_refused_and_run_again) {
    struct service service;
    struct reply first = {0}, second = {0};
    struct wasm_options options = fixture_options();
    options.host_budget_us = 200;
    options.deadline_ms = 20000;
    open_service(&service, &options);
    put(&service, 1, 1);
    put(&service, 2, 1);
    fixture_begin(&service.fixture, "DELETE /leave/:id", "1", bytes_of("", 0), &first);
    fixture_begin(&service.fixture, "DELETE /leave/:id", "2", bytes_of("", 0), &second);
    fixture_wait(&service.fixture, &first);
    fixture_wait(&service.fixture, &second);
    CHECK_STATUS(STATUS_OK, first.status);
    CHECK_STATUS(STATUS_OK, second.status);
    CHECK_EQUAL(200 + 409, first.http_status + second.http_status);
    CHECK_EQUAL(0, value(&service, 1) + value(&service, 2)); // one is there, one is not
    close_service(&service);
}
