// SPDX-License-Identifier: Apache-2.0
// get, query and count through packets; queries in slices.
#include "base/limits.h"
#include "fixture.h"

#define MANY 20000

// Documents {"_id": i, "a": i * 7919 % MANY, "c": i % 10}.
static void fill(struct database *database) {
    CHECK_REPLY(SEND(database, OP_CREATE_STORE, "{\"store\": \"s\", \"key_type\": \"int64\"}"));
    CHECK_REPLY(SEND(database, OP_CREATE_INDEX,
                     "{\"store\": \"s\", \"index\": \"by_c\", \"field\": \"c\"}"));
    struct buffer buffer = {0};
    size_t start;
    CHECK_OK(packet_begin(&buffer, OP_PUT, 1, &start));
    struct bytes head = fixture_document("{\"store\": \"s\"}");
    CHECK_OK(buffer_append(&buffer, head.data, head.size));
    for (int64_t i = 0; i < MANY; i++) {
        struct doc_builder builder;
        doc_builder_begin(&builder, &buffer);
        doc_add_int(&builder, "_id", i);
        doc_add_int(&builder, "a", i * 7919 % MANY);
        doc_add_int(&builder, "c", i % 10);
        CHECK_OK(doc_builder_finish(&builder));
    }
    CHECK_OK(packet_finish(&buffer, start, 0, 0, MANY + 1));
    CHECK_REPLY(send_packet(database, buffer_bytes(&buffer)));
    buffer_done(&buffer);
    CHECK_OK(storage_wait_indexes(engine_storage(database->engine)));
}

TEST(get) {
    struct database database;
    database_open(&database);
    CHECK_REPLY(SEND(&database, OP_CREATE_STORE, "{\"store\": \"t\", \"key_type\": \"string\"}"));
    CHECK_REPLY(SEND(&database, OP_INSERT, "{\"store\": \"t\"}", "{\"_id\": \"k\", \"a\": 1}"));
    struct reply reply = SEND(&database, OP_GET, "{\"store\": \"t\", \"id\": \"k\"}");
    CHECK_REPLY(reply);
    CHECK_EQUAL(1, reply.count);
    CHECK(reply.trailer.data == NULL);
    CHECK_JSON("{\"_id\":\"k\",\"a\":1}", reply.documents[0]);
    CHECK_ERROR(STATUS_NOT_FOUND, "there is no such document in 't'",
                SEND(&database, OP_GET, "{\"store\": \"t\", \"id\": \"x\"}"));
    CHECK_ERROR(STATUS_INVALID, "the store's key is a string of at most 15 bytes, not int32",
                SEND(&database, OP_GET, "{\"store\": \"t\", \"id\": 1}"));
    CHECK_ERROR(STATUS_NO_STORE, "there is no store 'x'",
                SEND(&database, OP_GET, "{\"store\": \"x\", \"id\": 1}"));
    CHECK_ERROR(STATUS_INVALID, "field 'id' is missing",
                SEND(&database, OP_GET, "{\"store\": \"t\"}"));
    CHECK_ERROR(STATUS_INVALID, "unknown field '_id'",
                SEND(&database, OP_GET, "{\"store\": \"t\", \"_id\": \"k\"}"));
    CHECK_STATUS(STATUS_MALFORMED, SEND(&database, OP_GET, "{\"store\": \"t\"}", "{}").status);
    database_close(&database);
}

TEST(query_and_count) {
    struct database database;
    database_open(&database);
    fill(&database);
    struct reply reply = SEND(&database, OP_QUERY,
                              "{\"store\": \"s\", \"filter\": {\"op\": \"lt\", \"field\": \"a\", "
                              "\"value\": 3}, \"sort\": [{\"field\": \"a\"}], \"limit\": 2, "
                              "\"fields\": [\"a\"]}");
    CHECK_REPLY(reply);
    CHECK_EQUAL(2, reply.count);
    CHECK_JSON("{\"_id\":0,\"a\":0}", reply.documents[0]);
    CHECK(doc_get(reply.documents[1], bytes_of_string("a")).integer == 1);
    CHECK(doc_get(reply.trailer, bytes_of_string("next")).type == DOC_BINARY);
    reply = SEND(&database, OP_QUERY,
                 "{\"store\": \"s\", \"filter\": {\"op\": \"eq\", \"field\": "
                 "\"_id\", \"value\": 5}}");
    CHECK_EQUAL(1, reply.count);
    CHECK_JSON("{\"next\":null}", reply.trailer);
    reply = SEND(&database, OP_COUNT,
                 "{\"store\": \"s\", \"filter\": {\"op\": \"eq\", \"field\": "
                 "\"c\", \"value\": 3}}");
    CHECK_REPLY(reply);
    CHECK_EQUAL(0, reply.count);
    CHECK_JSON("{\"count\":2000}", reply.trailer);
    CHECK_ERROR(STATUS_INVALID, "unknown field 'sort'",
                SEND(&database, OP_COUNT, "{\"store\": \"s\", \"sort\": []}"));
    CHECK_ERROR(STATUS_NO_STORE, "there is no store 'x'",
                SEND(&database, OP_QUERY, "{\"store\": \"x\"}"));
    CHECK_ERROR(STATUS_INVALID, "filter.op: unknown operator 'like'",
                SEND(&database, OP_QUERY, "{\"store\": \"s\", \"filter\": {\"op\": \"like\"}}"));
    database_close(&database);
}

static size_t run_in_slices(struct database *database, struct bytes packet) {
    size_t slices = 1;
    enum status status = engine_dispatch(database->call, packet, READ_ACK, 0);
    for (; status == STATUS_PENDING; slices++) status = engine_resume(database->call, 0);
    CHECK_OK(status);
    return slices;
}

TEST(a_tiny_budget_changes_nothing) {
    struct database database;
    database_open(&database);
    fill(&database);
    static const struct {
        enum op op;
        const char *form;
    } rows[] = {
        {OP_QUERY, "{\"store\": \"s\", \"limit\": 100000}"},
        {OP_QUERY, "{\"store\": \"s\", \"limit\": 15000, \"sort\": [{\"field\": \"a\"}]}"},
        {OP_QUERY,
         "{\"store\": \"s\", \"limit\": 500, \"filter\": {\"op\": \"lt\", \"field\": "
         "\"a\", \"value\": 9000}, \"sort\": [{\"field\": \"c\", \"descending\": true}]}"},
        {OP_QUERY,
         "{\"store\": \"s\", \"filter\": {\"op\": \"gt\", \"field\": \"c\", \"value\": 5}}"},
        {OP_COUNT, "{\"store\": \"s\"}"},
        {OP_COUNT,
         "{\"store\": \"s\", \"filter\": {\"op\": \"lt\", \"field\": \"a\", \"value\": 77}}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bytes packet = make_packet(rows[i].op, rows[i].form, NULL);
        CHECK_REPLY(send_packet(&database, packet));
        struct bytes reply = call_reply(database.call);
        uint8_t *whole = malloc(reply.size);
        CHECK(whole != NULL);
        memcpy(whole, reply.data, reply.size);
        size_t size = reply.size;
        CHECK(run_in_slices(&database, packet) > 10);
        CHECK(bytes_equal(bytes_of(whole, size), call_reply(database.call)));
        free(whole);
    }
    database_close(&database);
}

// What a pending query sees is what was there when it began.
TEST(a_pending_query_keeps_its_view) {
    struct database database;
    database_open(&database);
    fill(&database);
    struct bytes packet = make_packet(OP_COUNT, "{\"store\": \"s\"}", NULL);
    CHECK_STATUS(STATUS_PENDING, engine_dispatch(database.call, packet, READ_ACK, 0));
    struct database other = {.engine = database.engine};
    CHECK_OK(session_open(database.engine, PERMISSION_WRITE, &other.session));
    CHECK_OK(call_new(other.session, &other.call));
    CHECK_REPLY(SEND(&other, OP_DELETE, "{\"store\": \"s\", \"id\": 19999}"));
    CHECK_REPLY(SEND(&other, OP_PUT, "{\"store\": \"s\"}", "{\"_id\": 50000}", "{\"_id\": 50001}"));
    enum status status;
    do status = engine_resume(database.call, 0);
    while (status == STATUS_PENDING);
    CHECK_OK(status);
    struct reply reply = take_reply(&database);
    CHECK_JSON("{\"count\":20000}", reply.trailer);
    // A call that is given up while it is pending, and one that takes another packet.
    CHECK_STATUS(STATUS_PENDING, engine_dispatch(database.call, packet, READ_ACK, 0));
    reply = SEND(&database, OP_COUNT, "{\"store\": \"s\"}");
    CHECK_JSON("{\"count\":20001}", reply.trailer);
    CHECK_STATUS(STATUS_PENDING, engine_dispatch(database.call, packet, READ_ACK, 0));
    call_free(other.call);
    session_close(other.session);
    database_close(&database);
}

TEST(a_reply_can_be_too_large) {
    struct database database;
    database_open(&database);
    CHECK_REPLY(SEND(&database, OP_CREATE_STORE, "{\"store\": \"s\", \"key_type\": \"int64\"}"));
    static char text[8 * MIB];
    memset(text, 'x', sizeof text - 1);
    for (int64_t i = 0; i < 7; i++) {
        struct buffer buffer = {0};
        struct doc_builder builder;
        doc_builder_begin(&builder, &buffer);
        doc_add_int(&builder, "_id", i);
        doc_add_string(&builder, "a", bytes_of(text, sizeof text - 1));
        CHECK_OK(doc_builder_finish(&builder));
        struct bytes documents[] = {fixture_document("{\"store\": \"s\"}"), buffer_bytes(&buffer)};
        CHECK_REPLY(send_packet(&database, make_packet_of(OP_PUT, documents, 2)));
        buffer_done(&buffer);
    }
    struct reply reply = SEND(&database, OP_QUERY, "{\"store\": \"s\"}");
    CHECK_STATUS(STATUS_TOO_LARGE, reply.status);
    CHECK(strstr(reply.message, "the reply grows too large at document 5") != NULL);
    CHECK_EQUAL(7, SEND(&database, OP_QUERY, "{\"store\": \"s\", \"fields\": []}").count);
    CHECK_EQUAL(5, SEND(&database, OP_QUERY, "{\"store\": \"s\", \"limit\": 5}").count);
    database_close(&database);
}
