// SPDX-License-Identifier: Apache-2.0
// The door itself: packets that are refused, permissions, the catalogue.
#include "base/limits.h"
#include "fixture.h"

TEST(ping) {
    struct database database;
    database_open(&database);
    struct reply reply = SEND(&database, OP_PING, "{}");
    CHECK_REPLY(reply);
    CHECK_EQUAL(0, reply.count);
    CHECK_JSON("{}", reply.trailer);
    CHECK_EQUAL(0, call_sequence(database.call));
    CHECK_ERROR(STATUS_INVALID, "unknown field 'x'", SEND(&database, OP_PING, "{\"x\": 1}"));
    database_close(&database);
}

static struct bytes changed(struct bytes packet, size_t offset, uint32_t value, size_t size) {
    memcpy((uint8_t *)packet.data + offset, &value, size);
    return packet;
}

TEST(malformed_packets_get_an_error) {
    struct database database;
    database_open(&database);
    struct bytes empty = fixture_document("{}");
    struct bytes ping = make_packet(OP_PING, "{}", NULL);
    for (size_t size = 0; size < ping.size; size++)
        CHECK_STATUS(STATUS_MALFORMED, send_packet(&database, bytes_of(ping.data, size)).status);
#define PING make_packet(OP_PING, "{}", NULL)
    CHECK_ERROR(STATUS_UNSUPPORTED, "unknown operation 99",
                send_packet(&database, make_packet_of(99, &empty, 1)));
    CHECK_ERROR(STATUS_UNSUPPORTED, "unknown operation 65535",
                send_packet(&database, make_packet_of(65535, &empty, 1)));
    CHECK_ERROR(STATUS_MALFORMED, "unknown packet flags 0x8",
                send_packet(&database, changed(PING, 6, 8, 2)));
    CHECK_ERROR(STATUS_MALFORMED, "a request has no flags and no status",
                send_packet(&database, changed(PING, 6, 1, 2)));
    CHECK_ERROR(STATUS_MALFORMED, "a request has no flags and no status",
                send_packet(&database, changed(PING, 16, 1, 4)));
    CHECK_STATUS(STATUS_MALFORMED, send_packet(&database, changed(PING, 20, 0, 4)).status);
    CHECK_STATUS(STATUS_MALFORMED, send_packet(&database, changed(PING, 20, 2, 4)).status);
    CHECK_STATUS(STATUS_MALFORMED, send_packet(&database, changed(PING, 24, 6, 4)).status);
    CHECK_STATUS(STATUS_MALFORMED, send_packet(&database, changed(PING, 28, 1, 1)).status);
    CHECK_STATUS(STATUS_TOO_LARGE,
                 send_packet(&database, changed(PING, 0, PACKET_SIZE_MAX + 1, 4)).status);
    CHECK_ERROR(STATUS_MALFORMED, "no head document",
                send_packet(&database, changed(make_packet_of(OP_PING, NULL, 0), 20, 1, 4)));
    struct bytes two[] = {empty, empty};
    CHECK_ERROR(STATUS_MALFORMED, "5 bytes behind the head document",
                send_packet(&database, changed(make_packet_of(OP_PING, two, 2), 20, 1, 4)));
    CHECK_REPLY(SEND(&database, OP_PING, "{}"));
    database_close(&database);
}

// Any damage to a packet gives a reply, never more.
TEST(damaged_packets_get_a_reply) {
    struct database database;
    struct random_seeded random;
    random_seeded_init(&random, test_seed());
    database_open(&database);
    CHECK_REPLY(SEND(&database, OP_CREATE_STORE, "{\"store\": \"s\"}"));
    struct bytes packets[] = {
        make_packet(OP_INSERT, "{\"store\": \"s\"}", "{\"a\": [1, {\"b\": \"text\"}]}", NULL),
        make_packet(OP_QUERY,
                    "{\"store\": \"s\", \"filter\": {\"op\": \"in\", \"field\": \"a\", \"values\": "
                    "[1, \"x\"]}, \"sort\": [{\"field\": \"b\"}]}",
                    NULL),
        make_packet(OP_WRITE, "{\"writes\": [{\"op\": \"insert\", \"store\": \"s\"}]}", "{}",
                    NULL)};
    for (int i = 0; i < 3000; i++) {
        uint8_t damaged[512];
        struct bytes packet = packets[i % 3];
        CHECK(packet.size <= sizeof damaged);
        memcpy(damaged, packet.data, packet.size);
        for (uint64_t count = 1 + random_below(&random.source, 3); count > 0; count--)
            damaged[4 + random_below(&random.source, packet.size - 4)] =
                (uint8_t)random_u64(&random.source);
        CHECK_OK(engine_dispatch(database.call, bytes_of(damaged, packet.size), READ_LATEST,
                                 UINT64_MAX));
        take_reply(&database);
    }
    database_close(&database);
}

TEST(permissions) {
    struct database database;
    database_open(&database);
    CHECK_REPLY(SEND(&database, OP_CREATE_STORE, "{\"store\": \"s\"}"));
    database_role(&database, PERMISSION_WRITE);
    CHECK_REPLY(SEND(&database, OP_INSERT, "{\"store\": \"s\"}", "{\"a\": 1}"));
    CHECK_ERROR(STATUS_FORBIDDEN, "CREATE_STORE is not allowed in this session",
                SEND(&database, OP_CREATE_STORE, "{\"store\": \"t\"}"));
    CHECK_STATUS(STATUS_FORBIDDEN, SEND(&database, OP_DROP_STORE, "{\"store\": \"s\"}").status);
    CHECK_STATUS(STATUS_FORBIDDEN, SEND(&database, OP_CREATE_INDEX, "{}").status);
    CHECK_STATUS(STATUS_FORBIDDEN, SEND(&database, OP_DROP_INDEX, "{}").status);
    database_role(&database, PERMISSION_READ);
    static const enum op writes[] = {OP_INSERT, OP_REPLACE, OP_UPDATE, OP_DELETE, OP_PUT, OP_WRITE};
    for (size_t i = 0; i < sizeof writes / sizeof writes[0]; i++)
        CHECK_STATUS(STATUS_FORBIDDEN,
                     SEND(&database, writes[i], "{\"store\": \"s\"}", "{}").status);
    CHECK_EQUAL(1, SEND(&database, OP_QUERY, "{\"store\": \"s\"}").count);
    CHECK_REPLY(SEND(&database, OP_COUNT, "{\"store\": \"s\"}"));
    CHECK_REPLY(SEND(&database, OP_CATALOG, "{}"));
    CHECK_REPLY(SEND(&database, OP_PING, "{}"));
    database_close(&database);
}

TEST(catalogue) {
    struct database database;
    database_open(&database);
    CHECK_EQUAL(0, SEND(&database, OP_CATALOG, "{}").count);
    struct reply reply = SEND(&database, OP_CREATE_STORE, "{\"store\": \"users\"}");
    CHECK_REPLY(reply);
    CHECK(call_sequence(database.call) > 0);
    int64_t id;
    CHECK(doc_get_int(reply.trailer, "id", &id) && id > 0);
    CHECK_REPLY(
        SEND(&database, OP_CREATE_STORE, "{\"store\": \"carts\", \"key_type\": \"int64\"}"));
    CHECK_REPLY(SEND(&database, OP_CREATE_INDEX,
                     "{\"store\": \"users\", \"index\": \"by_name\", \"field\": \"name.last\"}"));
    CHECK_OK(storage_wait_indexes(engine_storage(database.engine)));
    reply = SEND(&database, OP_CATALOG, "{}");
    CHECK_EQUAL(2, reply.count);
    struct bytes text, indexes;
    CHECK(doc_get_string(reply.documents[0], "store", &text));
    CHECK_BYTES("carts", text);
    CHECK(doc_get_string(reply.documents[0], "key_type", &text));
    CHECK_BYTES("int64", text);
    CHECK(doc_get_array(reply.documents[0], "indexes", &indexes) && indexes.size == DOC_EMPTY_SIZE);
    CHECK_BYTES("by_name",
                doc_get_path(reply.documents[1], bytes_of_string("indexes.0.index")).payload);
    CHECK_BYTES("name.last",
                doc_get_path(reply.documents[1], bytes_of_string("indexes.0.field")).payload);
    CHECK_BYTES("ready",
                doc_get_path(reply.documents[1], bytes_of_string("indexes.0.state")).payload);
    CHECK_REPLY(SEND(&database, OP_DROP_INDEX, "{\"store\": \"users\", \"index\": \"by_name\"}"));
    CHECK_REPLY(SEND(&database, OP_DROP_STORE, "{\"store\": \"users\"}"));
    CHECK_EQUAL(1, SEND(&database, OP_CATALOG, "{}").count);
    database_close(&database);
}

TEST(catalogue_errors) {
    struct database database;
    database_open(&database);
    CHECK_REPLY(SEND(&database, OP_CREATE_STORE, "{\"store\": \"s\"}"));
    CHECK_STATUS(STATUS_EXISTS, SEND(&database, OP_CREATE_STORE, "{\"store\": \"s\"}").status);
    CHECK_STATUS(STATUS_INVALID, SEND(&database, OP_CREATE_STORE, "{\"store\": \"a b\"}").status);
    CHECK_ERROR(STATUS_INVALID, "field 'store' is missing", SEND(&database, OP_CREATE_STORE, "{}"));
    CHECK_ERROR(STATUS_INVALID, "field 'store' is int32, a string is expected",
                SEND(&database, OP_CREATE_STORE, "{\"store\": 1}"));
    CHECK_ERROR(STATUS_INVALID, "field 'store' occurs twice",
                SEND(&database, OP_CREATE_STORE, "{\"store\": \"x\", \"store\": \"y\"}"));
    CHECK_ERROR(STATUS_INVALID, "unknown field 'stor'",
                SEND(&database, OP_CREATE_STORE, "{\"stor\": \"x\"}"));
    CHECK_ERROR(STATUS_INVALID, "key_type must be uuid, int64, object_id or string",
                SEND(&database, OP_CREATE_STORE, "{\"store\": \"x\", \"key_type\": \"int\"}"));
    CHECK_STATUS(STATUS_NO_STORE, SEND(&database, OP_DROP_STORE, "{\"store\": \"x\"}").status);
    CHECK_STATUS(STATUS_NO_STORE, SEND(&database, OP_CREATE_INDEX,
                                       "{\"store\": \"x\", \"index\": \"i\", \"field\": \"a\"}")
                                      .status);
    CHECK_STATUS(STATUS_INVALID, SEND(&database, OP_CREATE_INDEX,
                                      "{\"store\": \"s\", \"index\": \"i\", \"field\": \"a..b\"}")
                                     .status);
    CHECK_REPLY(
        SEND(&database, OP_CREATE_INDEX, "{\"store\": \"s\", \"index\": \"i\", \"field\": \"a\"}"));
    CHECK_STATUS(STATUS_EXISTS, SEND(&database, OP_CREATE_INDEX,
                                     "{\"store\": \"s\", \"index\": \"i\", \"field\": \"b\"}")
                                    .status);
    CHECK_STATUS(STATUS_NO_INDEX,
                 SEND(&database, OP_DROP_INDEX, "{\"store\": \"s\", \"index\": \"j\"}").status);
    CHECK_ERROR(STATUS_INVALID, "field 'index' is missing",
                SEND(&database, OP_DROP_INDEX, "{\"store\": \"s\"}"));
    CHECK_STATUS(STATUS_MALFORMED, SEND(&database, OP_CATALOG, "{}", "{}").status);
    database_close(&database);
}
