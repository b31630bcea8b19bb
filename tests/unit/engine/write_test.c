// SPDX-License-Identifier: Apache-2.0
// insert, put, replace, update, delete, write: what they do, what they refuse, all or nothing.
#include "base/limits.h"
#include "fixture.h"

static void open_with_stores(struct database *database) {
    database_open(database);
    CHECK_REPLY(SEND(database, OP_CREATE_STORE, "{\"store\": \"n\", \"key_type\": \"int64\"}"));
    CHECK_REPLY(SEND(database, OP_CREATE_STORE, "{\"store\": \"u\"}"));
    CHECK_REPLY(SEND(database, OP_CREATE_STORE, "{\"store\": \"t\", \"key_type\": \"string\"}"));
}

static int64_t count_of(struct database *database, const char *form) {
    struct reply reply = SEND(database, OP_COUNT, form);
    int64_t count;
    CHECK_REPLY(reply);
    CHECK(doc_get_int(reply.trailer, "count", &count));
    return count;
}

static int64_t sequence_of(const struct reply *reply) {
    int64_t sequence;
    CHECK_REPLY(*reply);
    CHECK(doc_get_int(reply->trailer, "sequence", &sequence) && sequence > 0);
    return sequence;
}

#define N "{\"store\": \"n\"}"
#define U "{\"store\": \"u\"}"
#define GET1 "{\"store\": \"n\", \"id\": 1}"

TEST(insert) {
    struct database database;
    open_with_stores(&database);
    struct reply reply =
        SEND(&database, OP_INSERT, N, "{\"_id\": 1, \"a\": 1}", "{\"b\": 2, \"_id\": 2}");
    CHECK_REPLY(reply);
    CHECK_JSON("{\"ids\":[1,2]}", reply.trailer);
    CHECK(call_sequence(database.call) > 0);
    reply = SEND(&database, OP_GET, "{\"store\": \"n\", \"id\": 2}");
    CHECK_JSON("{\"_id\":2,\"b\":2}", reply.documents[0]);
    reply = SEND(&database, OP_INSERT, N, "{\"_id\": 3}", "{\"_id\": 2}", "{\"_id\": 4}");
    CHECK_STATUS(STATUS_DUPLICATE_KEY, reply.status);
    CHECK_EQUAL(1, reply.failed);
    CHECK_EQUAL(2, count_of(&database, N));
    reply = SEND(&database, OP_INSERT, N, "{\"_id\": 5}", "{\"_id\": \"x\"}");
    CHECK_ERROR(STATUS_INVALID, "the store's key is an int32 or int64, not string", reply);
    CHECK_EQUAL(1, reply.failed);
    reply = SEND(&database, OP_INSERT, N, "{\"a\": 5}");
    CHECK_ERROR(STATUS_INVALID, "the document has no _id", reply);
    CHECK_EQUAL(0, reply.failed);
    CHECK_ERROR(STATUS_NO_STORE, "there is no store 'x'",
                SEND(&database, OP_INSERT, "{\"store\": \"x\"}", "{}"));
    CHECK_STATUS(STATUS_MALFORMED, SEND(&database, OP_INSERT, N).status);
    CHECK_STATUS(STATUS_INVALID,
                 SEND(&database, OP_INSERT, "{\"store\": \"n\", \"id\": 1}", "{}").status);
    CHECK_EQUAL(2, count_of(&database, N));
    database_close(&database);
}

TEST(a_key_twice_in_one_request_is_refused) {
    struct database database;
    open_with_stores(&database);
    struct reply reply = SEND(&database, OP_INSERT, N, "{\"_id\": 1}", "{\"_id\": 1}");
    CHECK(reply.status != STATUS_OK);
    CHECK_EQUAL(1, reply.failed);
    CHECK_EQUAL(0, count_of(&database, N));
    database_close(&database);
}

TEST(generated_ids_ascend) {
    struct database database;
    open_with_stores(&database);
    uint8_t last[16] = {0};
    for (int i = 0; i < 20; i++) {
        struct reply reply = SEND(&database, OP_INSERT, U, "{\"a\": 1}", "{\"a\": 2}");
        CHECK_REPLY(reply);
        static const char *const paths[] = {"ids.0", "ids.1"};
        for (int j = 0; j < 2; j++) {
            struct doc_value id = doc_get_path(reply.trailer, bytes_of_string(paths[j]));
            CHECK(id.type == DOC_BINARY && id.binary_subtype == 4 && id.payload.size == 16);
            CHECK(memcmp(id.payload.data, last, 16) > 0);
            memcpy(last, id.payload.data, 16);
        }
    }
    struct reply reply = SEND(&database, OP_QUERY, U);
    CHECK_EQUAL(40, reply.count);
    struct doc_iterator iterator;
    struct bytes name;
    struct doc_value value;
    doc_iterate(&iterator, reply.documents[39]);
    CHECK(doc_next(&iterator, &name, &value) && bytes_equal_string(name, "_id"));
    CHECK(memcmp(value.payload.data, last, 16) == 0);
    CHECK_STATUS(STATUS_INVALID, SEND(&database, OP_PUT, U, "{\"a\": 1}").status);
    CHECK_STATUS(STATUS_INVALID, SEND(&database, OP_INSERT, U, "{\"_id\": 5}").status);
    database_close(&database);
}

TEST(put_and_replace) {
    struct database database;
    open_with_stores(&database);
    struct reply reply = SEND(&database, OP_PUT, N, "{\"_id\": 1, \"a\": 1}", "{\"_id\": 2}");
    int64_t first = sequence_of(&reply);
    reply = SEND(&database, OP_PUT, N, "{\"_id\": 1, \"a\": 2}");
    int64_t second = sequence_of(&reply);
    CHECK(second > first);
    CHECK_ERROR(STATUS_NOT_FOUND, "there is no document with this key",
                SEND(&database, OP_REPLACE, N, "{\"_id\": 7}"));
    char head[100];
    snprintf(head, sizeof head, "{\"store\": \"n\", \"expected_sequence\": %lld}",
             (long long)second);
    reply = SEND(&database, OP_REPLACE, head, "{\"_id\": 1, \"a\": 3}");
    CHECK(sequence_of(&reply) > second);
    CHECK_ERROR(STATUS_CONFLICT, "the document is not at the expected sequence",
                SEND(&database, OP_REPLACE, head, "{\"_id\": 1, \"a\": 4}"));
    reply = SEND(&database, OP_GET, GET1);
    CHECK_JSON("{\"_id\":1,\"a\":3}", reply.documents[0]);
    CHECK_ERROR(STATUS_INVALID, "field 'expected_sequence' must be a positive integer",
                SEND(&database, OP_REPLACE, "{\"store\": \"n\", \"expected_sequence\": 0}",
                     "{\"_id\": 1}"));
    CHECK_STATUS(STATUS_MALFORMED,
                 SEND(&database, OP_REPLACE, N, "{\"_id\": 1}", "{\"_id\": 2}").status);
    database_close(&database);
}

TEST(update) {
    struct database database;
    open_with_stores(&database);
    struct reply reply =
        SEND(&database, OP_PUT, N, "{\"_id\": 1, \"a\": 1, \"n\": {\"x\": [1, 2]}}");
    int64_t sequence = sequence_of(&reply);
    reply =
        SEND(&database, OP_UPDATE,
             "{\"store\": \"n\", \"id\": 1, \"set\": {\"a\": 2, \"n.x.1\": 7, \"n.y.z\": true}}");
    CHECK_REPLY(reply);
    CHECK_EQUAL(1, reply.count);
    CHECK(reply.trailer.data == NULL);
    CHECK_JSON("{\"_id\":1,\"a\":2,\"n\":{\"x\":[1,7],\"y\":{\"z\":true}}}", reply.documents[0]);
    reply = SEND(&database, OP_GET, GET1);
    CHECK_JSON("{\"_id\":1,\"a\":2,\"n\":{\"x\":[1,7],\"y\":{\"z\":true}}}", reply.documents[0]);
    char head[100];
    snprintf(head, sizeof head,
             "{\"store\": \"n\", \"id\": 1, \"set\": {\"a\": 3}, \"expected_sequence\": %lld}",
             (long long)sequence);
    CHECK_ERROR(STATUS_CONFLICT, "the document is not at the expected sequence",
                SEND(&database, OP_UPDATE, head));
    CHECK_ERROR(STATUS_NOT_FOUND, "there is no such document",
                SEND(&database, OP_UPDATE, "{\"store\": \"n\", \"id\": 2, \"set\": {\"a\": 2}}"));
    CHECK_ERROR(STATUS_INVALID, "_id cannot be changed",
                SEND(&database, OP_UPDATE, "{\"store\": \"n\", \"id\": 1, \"set\": {\"_id\": 2}}"));
    CHECK_STATUS(STATUS_INVALID, SEND(&database, OP_UPDATE,
                                      "{\"store\": \"n\", \"id\": 1, \"set\": {\"_id.x\": 2}}")
                                     .status);
    CHECK_ERROR(STATUS_INVALID, "field 'set' must be a document",
                SEND(&database, OP_UPDATE, "{\"store\": \"n\", \"id\": 1, \"set\": 2}"));
    CHECK_ERROR(STATUS_INVALID, "field 'set' is missing", SEND(&database, OP_UPDATE, GET1));
    CHECK_STATUS(
        STATUS_INVALID,
        SEND(&database, OP_UPDATE, "{\"store\": \"n\", \"id\": 1, \"set\": {\"a.b\": 2}}").status);
    CHECK_STATUS(STATUS_INVALID, SEND(&database, OP_UPDATE,
                                      "{\"store\": \"n\", \"id\": \"1\", \"set\": {\"a\": 2}}")
                                     .status);
    CHECK_STATUS(
        STATUS_NO_STORE,
        SEND(&database, OP_UPDATE, "{\"store\": \"x\", \"id\": 1, \"set\": {\"a\": 2}}").status);
    database_close(&database);
}

TEST(delete) {
    struct database database;
    open_with_stores(&database);
    struct reply reply = SEND(&database, OP_PUT, N, "{\"_id\": 1}", "{\"_id\": 2}");
    int64_t sequence = sequence_of(&reply);
    CHECK_STATUS(
        STATUS_CONFLICT,
        SEND(&database, OP_DELETE, "{\"store\": \"n\", \"id\": 1, \"expected_sequence\": 99999}")
            .status);
    reply = SEND(&database, OP_DELETE, GET1);
    CHECK(sequence_of(&reply) > sequence);
    CHECK_ERROR(STATUS_NOT_FOUND, "there is no document with this key",
                SEND(&database, OP_DELETE, GET1));
    CHECK_ERROR(STATUS_NOT_FOUND, "there is no such document in 'n'",
                SEND(&database, OP_GET, GET1));
    CHECK_EQUAL(1, count_of(&database, N));
    CHECK_ERROR(STATUS_INVALID, "field 'id' is missing", SEND(&database, OP_DELETE, N));
    CHECK_STATUS(STATUS_NO_STORE,
                 SEND(&database, OP_DELETE, "{\"store\": \"x\", \"id\": 1}").status);
    database_close(&database);
}

#define ITEM(op, store, rest) "{\"op\": \"" op "\", \"store\": \"" store "\"" rest "}"

TEST(write_is_one_transaction) {
    struct database database;
    open_with_stores(&database);
    CHECK_REPLY(
        SEND(&database, OP_PUT, N, "{\"_id\": 1, \"a\": 1}", "{\"_id\": 2}", "{\"_id\": 3}"));
    struct reply reply = SEND(
        &database, OP_WRITE,
        "{\"writes\": [" ITEM("insert", "t", "") ", " ITEM("delete", "n", ", \"id\": 2") ", " ITEM(
            "replace", "n", "") ", " ITEM("put", "n", "") "]}",
        "{\"_id\": \"k\"}", "{\"_id\": 1, \"a\": 2}", "{\"_id\": 9}");
    CHECK_REPLY(reply);
    CHECK(sequence_of(&reply) > 0);
    struct bytes ids;
    CHECK(doc_get_array(reply.trailer, "ids", &ids));
    CHECK_JSON("{\"0\":\"k\",\"1\":2,\"2\":1,\"3\":9}", ids);
    CHECK_EQUAL(3, count_of(&database, N));
    CHECK_EQUAL(1, count_of(&database, "{\"store\": \"t\"}"));

    // The last of them is refused: nothing of it is there.
    reply = SEND(&database, OP_WRITE,
                 "{\"writes\": [" ITEM("put", "t", "") ", " ITEM(
                     "delete", "n", ", \"id\": 1") ", " ITEM("insert", "n", "") "]}",
                 "{\"_id\": \"new\"}", "{\"_id\": 3}");
    CHECK_STATUS(STATUS_DUPLICATE_KEY, reply.status);
    CHECK_EQUAL(2, reply.failed);
    CHECK_EQUAL(3, count_of(&database, N));
    CHECK_EQUAL(1, count_of(&database, "{\"store\": \"t\"}"));
    reply = SEND(&database, OP_GET, GET1);
    CHECK_JSON("{\"_id\":1,\"a\":2}", reply.documents[0]);
    database_close(&database);
}

TEST(write_refusals) {
    struct database database;
    open_with_stores(&database);
    static const struct {
        const char *head, *message;
        int64_t failed;
    } rows[] = {
        {"{}", "field 'writes' is missing", -1},
        {"{\"writes\": {}}", "field 'writes' must be an array", -1},
        {"{\"writes\": []}", "1 to 100000 writes, not 0", -1},
        {"{\"writes\": [1]}", "'writes' must hold documents", 0},
        {"{\"writes\": [{\"op\": \"put\"}]}", "field 'store' is missing", 0},
        {"{\"writes\": [" ITEM("upsert", "n", "") "]}", "op must be insert, put, replace or delete",
         0},
        {"{\"writes\": [" ITEM("put", "n", ", \"x\": 1") "]}", "unknown field 'x'", 0},
        {"{\"writes\": [" ITEM("put", "n", ", \"id\": 1") "]}", "'id' goes with delete only", 0},
        {"{\"writes\": [" ITEM("put", "n", "") ", " ITEM("delete", "n", "") "]}",
         "delete needs an 'id'", 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct reply reply = SEND(&database, OP_WRITE, rows[i].head, "{\"_id\": 5}");
        CHECK_ERROR(STATUS_INVALID, rows[i].message, reply);
        CHECK_EQUAL(rows[i].failed, reply.failed);
    }
    struct reply reply = SEND(&database, OP_WRITE,
                              "{\"writes\": [" ITEM("put", "n", "") ", " ITEM("put", "x", "") "]}",
                              "{\"_id\": 5}", "{\"_id\": 5}");
    CHECK_ERROR(STATUS_NO_STORE, "there is no store 'x'", reply);
    CHECK_EQUAL(1, reply.failed);
    reply = SEND(&database, OP_WRITE, "{\"writes\": [" ITEM("put", "n", "") "]}");
    CHECK_ERROR(STATUS_MALFORMED, "the packet has fewer documents than its header states", reply);
    reply = SEND(&database, OP_WRITE, "{\"writes\": [" ITEM("put", "n", "") "]}", "{\"_id\": 5}",
                 "{\"_id\": 6}");
    CHECK_STATUS(STATUS_MALFORMED, reply.status);
    reply = SEND(&database, OP_WRITE, "{\"writes\": [" ITEM("delete", "n", ", \"id\": 1") "]}");
    CHECK_STATUS(STATUS_NOT_FOUND, reply.status);
    CHECK_EQUAL(0, reply.failed);
    CHECK_EQUAL(0, count_of(&database, N));
    database_close(&database);
}

// {"_id": 1, "a": <text>} of `size` bytes.
static struct bytes sized_document(size_t size) {
    struct buffer buffer = {0};
    struct doc_builder builder;
    size_t overhead = 4 + 13 + 8 + 1; // the document's ends, _id, a without its text
    uint8_t *text = calloc(1, size);
    CHECK(text != NULL);
    memset(text, 'x', size);
    doc_builder_begin(&builder, &buffer);
    doc_add_int(&builder, "_id", 1);
    doc_add_string(&builder, "a", bytes_of(text, size - overhead));
    CHECK_OK(doc_builder_finish(&builder));
    free(text);
    CHECK_EQUAL(size, buffer.size);
    return buffer_bytes(&buffer);
}

TEST(documents_have_a_greatest_size) {
    struct database database;
    open_with_stores(&database);
    struct bytes largest[] = {fixture_document(N), sized_document(DOCUMENT_SIZE_MAX)};
    CHECK_REPLY(send_packet(&database, make_packet_of(OP_PUT, largest, 2)));
    struct bytes larger[] = {fixture_document(N), sized_document(DOCUMENT_SIZE_MAX + 1)};
    struct reply reply = send_packet(&database, make_packet_of(OP_PUT, larger, 2));
    CHECK_STATUS(STATUS_TOO_LARGE, reply.status);
    CHECK_EQUAL(0, reply.failed);
    // One that grows too large.
    CHECK_STATUS(
        STATUS_TOO_LARGE,
        SEND(&database, OP_UPDATE, "{\"store\": \"n\", \"id\": 1, \"set\": {\"b\": 1}}").status);
    reply = SEND(&database, OP_GET, GET1);
    CHECK_REPLY(reply);
    CHECK_EQUAL(DOCUMENT_SIZE_MAX, reply.documents[0].size);
    free((void *)largest[1].data);
    free((void *)larger[1].data);
    database_close(&database);
}

// A write's packet that states more or fewer documents than it has is refused, and writes nothing.
TEST(write_counts_its_documents) {
    struct database database;
    database_open(&database);
    CHECK_REPLY(
        SEND(&database, OP_CREATE_STORE, "{\"store\": \"counted\", \"key_type\": \"int64\"}"));
    struct bytes packet =
        make_packet(OP_WRITE, "{\"writes\": [{\"op\": \"put\", \"store\": \"counted\"}]}",
                    "{\"_id\": 1}", NULL);
    uint8_t copy[512];
    CHECK(packet.size <= sizeof copy);
    memcpy(copy, packet.data, packet.size);
    store_le32(copy + 20, 3);
    CHECK_ERROR(STATUS_MALFORMED, "the packet states 3 documents and has 2",
                send_packet(&database, bytes_of(copy, packet.size)));
    CHECK_ERROR(STATUS_NOT_FOUND, "there is no such document in 'counted'",
                SEND(&database, OP_GET, "{\"store\": \"counted\", \"id\": 1}"));
    store_le32(copy + 20, 2);
    CHECK_REPLY(send_packet(&database, bytes_of(copy, packet.size)));
    database_close(&database);
}
