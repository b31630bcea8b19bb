// SPDX-License-Identifier: Apache-2.0
// The host with the real engine behind it: what the manifest makes, and host calls end to end.
#include "base/metrics.h"
#include "fixture.h"

struct database {
    struct engine *engine;
    struct session *session;
};

static struct manifest *parse(const char *text) {
    struct manifest *manifest;
    struct error error = {0};
    if (manifest_parse(bytes_of_string(text), &manifest, &error) != STATUS_OK)
        test_fail(__FILE__, __LINE__, "%s", error.message);
    return manifest;
}

static void open_database(struct database *database) {
    struct error error = {0};
    struct storage_options options = storage_options_default();
    char path[512];
    snprintf(path, sizeof path, "%s/data", test_directory());
    if (engine_open(path, &options, &database->engine, &error) != STATUS_OK)
        test_fail(__FILE__, __LINE__, "%s", error.message);
    CHECK_OK(session_open(database->engine, PERMISSION_WRITE, &database->session));
}

static void close_database(struct database *database) {
    session_close(database->session);
    engine_close(database->engine);
}

static enum status apply(struct engine *engine, const char *text, struct error *error) {
    struct manifest *manifest = parse(text);
    enum status status = manifest_apply(manifest, engine, error);
    manifest_free(manifest);
    return status;
}

#define STORE "{\"store\": {\"name\": \"things\", \"key_type\": \"int64\"}}\n"
#define INDEX "{\"index\": {\"store\": \"things\", \"name\": \"by_x\", \"field\": \"x\"}}\n"

TEST(a_manifest_is_applied_once_and_contradictions_are_refused) {
    struct database database;
    struct error error = {0};
    open_database(&database);
    CHECK_OK(apply(database.engine, STORE INDEX, &error));
    CHECK_OK(apply(database.engine, STORE INDEX, &error));
    CHECK_STATUS(STATUS_INVALID,
                 apply(database.engine, "{\"store\": {\"name\": \"things\"}}", &error));
    CHECK(strstr(error.message, "int64") != NULL && strstr(error.message, "uuid") != NULL);
    CHECK_STATUS(STATUS_INVALID,
                 apply(database.engine,
                       STORE "{\"index\": {\"store\": \"things\", \"name\": \"by_x\", "
                             "\"field\": \"y\"}}",
                       &error));
    CHECK(strstr(error.message, "another field") != NULL);
    struct reader *reader;
    struct view view;
    CHECK_OK(reader_open(engine_storage(database.engine), &reader));
    CHECK_OK(view_begin(reader, READ_LATEST, &view));
    CHECK_EQUAL(1, catalog_store_count(view_catalog(&view)));
    CHECK_EQUAL(1, catalog_store_at(view_catalog(&view), 0)->index_count);
    view_end(&view);
    reader_close(reader);
    close_database(&database);
}

TEST(a_guest_writes_and_reads_and_may_not_change_the_catalogue) {
    struct database database;
    struct fixture fixture;
    struct reply reply = {0};
    struct error error;
    open_database(&database);
    CHECK_OK(apply(database.engine, STORE, &error));
    fixture_open_session(&fixture, "behaviours", NULL, database.session);
    fixture_request(&fixture, "POST /things", NULL, &reply);
    CHECK_STATUS(STATUS_OK, reply.status);
    CHECK_BYTES("0", bytes_of_string(reply.body));
    CHECK(reply.sequence > 0);
    fixture_request(&fixture, "GET /create-store", NULL, &reply);
    CHECK_EQUAL(STATUS_FORBIDDEN, atoi(reply.body));
    fixture_request(&fixture, "GET /scan", NULL, &reply);
    CHECK_EQUAL(STATUS_OK, load_le32(reply.body + 16));
    CHECK_EQUAL(1, load_le32(reply.body + 20));
    fixture_close(&fixture);
    close_database(&database);
}

// With a budget of next to nothing a query of many documents takes many slices.
TEST(a_scan_of_many_documents_leaves_room_for_others) {
    struct database database;
    struct fixture fixture;
    struct reply reply = {0}, quick = {0};
    struct error error;
    struct wasm_options options = fixture_options();
    options.host_budget_us = 20;
    open_database(&database);
    CHECK_OK(apply(database.engine, STORE, &error));
    fixture_open_session(&fixture, "behaviours", &options, database.session);
    for (int i = 0; i < 900; i++) {
        fixture_request(&fixture, "POST /things", NULL, &reply);
        CHECK_BYTES("0", bytes_of_string(reply.body));
    }
    int between = 0;
    for (int round = 0; round < 20 && between == 0; round++) {
        fixture_begin(&fixture, "GET /scan", NULL, bytes_of("", 0), &reply);
        while (reply.count == 0) {
            fixture_request(&fixture, "GET /echo/:text", "quick", &quick);
            CHECK_STATUS(STATUS_OK, quick.status);
            between++;
            wasm_worker_turn(fixture.worker);
        }
        CHECK_STATUS(STATUS_OK, reply.status);
        CHECK_EQUAL(900, load_le32(reply.body + 20));
    }
    CHECK(between > 0);
    // One that is cancelled while it sleeps gives its view and its instance back.
    fixture_begin(&fixture, "GET /scan", NULL, bytes_of("", 0), &reply);
    if (reply.call != NULL) wasm_call_cancel(reply.call);
    fixture_wait(&fixture, &reply);
    fixture_close(&fixture);
    CHECK_EQUAL(0, metric_get(METRIC_wasm_instances));
    close_database(&database);
}
