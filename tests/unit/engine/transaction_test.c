// SPDX-License-Identifier: Apache-2.0
// Transactions through packets: what begins and ends them, that every operation runs inside.
#include "fixture.h"

#define S "{\"store\": \"s\"}"

static void open_store(struct database *database) {
    database_open(database);
    CHECK_REPLY(SEND(database, OP_CREATE_STORE, "{\"store\": \"s\", \"key_type\": \"int64\"}"));
    CHECK_REPLY(SEND(database, OP_CREATE_INDEX,
                     "{\"store\": \"s\", \"index\": \"by_n\", \"field\": \"n\"}"));
    CHECK_OK(storage_wait_indexes(engine_storage(database->engine)));
    CHECK_REPLY(SEND(database, OP_INSERT, S, "{\"_id\": 1, \"n\": 10}", "{\"_id\": 2, \"n\": 20}",
                     "{\"_id\": 3, \"n\": 30}"));
}

// A second call of the same session, as another handler on the same worker has.
static void open_other(struct database *database, struct database *ret) {
    *ret = *database;
    CHECK_OK(call_new(database->session, &ret->call));
}

static int64_t trailer_int(struct reply reply, const char *name) {
    int64_t value = -1;
    CHECK_REPLY(reply);
    CHECK(doc_get_int(reply.trailer, name, &value));
    return value;
}

static int64_t count(struct database *database) {
    return trailer_int(SEND(database, OP_COUNT, S), "count");
}

// The `n` of document `id`, or -1.
static int64_t value(struct database *database, int id) {
    char head[64];
    int64_t n = -1;
    snprintf(head, sizeof head, "{\"store\": \"s\", \"id\": %d}", id);
    struct reply reply = SEND(database, OP_GET, head);
    if (reply.status == STATUS_NOT_FOUND) return -1;
    CHECK_REPLY(reply);
    CHECK(doc_get_int(reply.documents[0], "n", &n));
    return n;
}

static enum status add_one(struct database *database, int id) {
    char head[96];
    snprintf(head, sizeof head, "{\"store\": \"s\", \"id\": %d, \"set\": {\"n\": %d}}", id,
             (int)value(database, id) + 1);
    return SEND(database, OP_UPDATE, head).status;
}

TEST(every_operation_runs_inside) {
    struct database database, other;
    open_store(&database);
    open_other(&database, &other);
    CHECK_REPLY(SEND(&database, OP_BEGIN, "{}"));
    CHECK(call_in_transaction(database.call));
    CHECK_REPLY(SEND(&database, OP_INSERT, S, "{\"_id\": 4, \"n\": 5}"));
    CHECK_EQUAL(0, trailer_int(SEND(&database, OP_PUT, S, "{\"_id\": 5, \"n\": 15}"), "sequence"));
    CHECK_REPLY(SEND(&database, OP_REPLACE, S, "{\"_id\": 1, \"n\": 25, \"old\": false}"));
    CHECK_REPLY(
        SEND(&database, OP_UPDATE, "{\"store\": \"s\", \"id\": 1, \"set\": {\"twice\": true}}"));
    CHECK_REPLY(SEND(&database, OP_UPDATE, "{\"store\": \"s\", \"id\": 2, \"set\": {\"m\": 1}}"));
    CHECK_REPLY(SEND(&database, OP_DELETE, "{\"store\": \"s\", \"id\": 3}"));
    CHECK_REPLY(SEND(&database, OP_WRITE,
                     "{\"writes\": [{\"op\": \"insert\", \"store\": \"s\"}, "
                     "{\"op\": \"delete\", \"store\": \"s\", \"id\": 5}]}",
                     "{\"_id\": 6, \"n\": 22}"));
    struct reply reply = SEND(&database, OP_GET, "{\"store\": \"s\", \"id\": 1}");
    CHECK_JSON("{\"_id\":1,\"n\":25,\"old\":false,\"twice\":true}", reply.documents[0]);
    reply = SEND(&database, OP_QUERY,
                 "{\"store\": \"s\", \"sort\": [{\"field\": \"n\", \"descending\": true}], "
                 "\"fields\": [\"n\"]}");
    CHECK_EQUAL(4, reply.count);
    CHECK_JSON("{\"_id\":1,\"n\":25}", reply.documents[0]);
    CHECK_JSON("{\"_id\":6,\"n\":22}", reply.documents[1]);
    CHECK_JSON("{\"_id\":2,\"n\":20}", reply.documents[2]);
    CHECK_JSON("{\"_id\":4,\"n\":5}", reply.documents[3]);
    reply = SEND(&database, OP_PQL, "{\"text\": \"s.filter(n >= 22).count()\"}");
    CHECK_EQUAL(2, trailer_int(reply, "count"));
    const char *above = "{\"store\": \"s\", \"filter\": {\"op\": \"ge\", \"field\": \"n\", "
                        "\"value\": 22}}";
    CHECK_EQUAL(2, trailer_int(SEND(&database, OP_COUNT, above), "count"));
    CHECK_EQUAL(1, trailer_int(SEND(&other, OP_COUNT, above), "count"));
    CHECK_EQUAL(3, count(&other));
    CHECK_EQUAL(10, value(&other, 1));
    uint64_t before = storage_visible(engine_storage(database.engine));
    int64_t sequence = trailer_int(SEND(&database, OP_COMMIT, "{}"), "sequence");
    CHECK_EQUAL(before + 5, sequence); // the documents 1, 2, 3, 4 and 6
    CHECK_EQUAL(sequence, call_sequence(database.call));
    CHECK(!call_in_transaction(database.call));
    CHECK_EQUAL(4, count(&other));
    CHECK_EQUAL(25, value(&other, 1));
    call_free(other.call);
    database_close(&database);
}

TEST(an_abort_forgets_and_so_does_the_end_of_the_call) {
    struct database database, other;
    open_store(&database);
    open_other(&database, &other);
    CHECK_REPLY(SEND(&database, OP_BEGIN, "{\"isolation\": \"serializable\"}"));
    CHECK_STATUS(STATUS_OK, add_one(&database, 1));
    CHECK_EQUAL(11, value(&database, 1));
    CHECK_REPLY(SEND(&database, OP_ABORT, "{}"));
    CHECK_EQUAL(10, value(&database, 1));
    CHECK_REPLY(SEND(&other, OP_BEGIN, "{}"));
    CHECK_STATUS(STATUS_OK, add_one(&other, 1));
    call_free(other.call);
    CHECK_EQUAL(10, value(&database, 1));
    database_close(&database);
}

TEST(a_lost_update_is_a_conflict) {
    struct database database, other;
    open_store(&database);
    open_other(&database, &other);
    CHECK_REPLY(SEND(&database, OP_BEGIN, "{\"isolation\": \"snapshot\"}"));
    CHECK_STATUS(STATUS_OK, add_one(&database, 1));
    CHECK_STATUS(STATUS_OK, add_one(&other, 1)); // by itself
    CHECK_ERROR(STATUS_CONFLICT, "a document that the transaction writes was changed meanwhile",
                SEND(&database, OP_COMMIT, "{}"));
    CHECK(call_sequence(database.call) > 0);
    CHECK(!call_in_transaction(database.call)); // it is gone
    CHECK_EQUAL(11, value(&database, 1));
    call_free(other.call);
    database_close(&database);
}

static enum status write_skew(struct database *database, struct database *other,
                              const char *isolation) {
    CHECK_REPLY(SEND(database, OP_BEGIN, isolation));
    CHECK_REPLY(SEND(other, OP_BEGIN, isolation));
    count(database);
    count(other);
    CHECK_REPLY(SEND(database, OP_DELETE, "{\"store\": \"s\", \"id\": 1}"));
    CHECK_REPLY(SEND(other, OP_DELETE, "{\"store\": \"s\", \"id\": 2}"));
    CHECK_REPLY(SEND(database, OP_COMMIT, "{}"));
    return SEND(other, OP_COMMIT, "{}").status;
}

TEST(write_skew_is_refused_when_serializable) {
    struct database database, other;
    open_store(&database);
    open_other(&database, &other);
    CHECK_STATUS(STATUS_CONFLICT,
                 write_skew(&database, &other, "{\"isolation\": \"serializable\"}"));
    CHECK_EQUAL(2, count(&database));
    CHECK_REPLY(SEND(&database, OP_PUT, S, "{\"_id\": 1}"));
    CHECK_STATUS(STATUS_OK, write_skew(&database, &other, "{}"));
    CHECK_EQUAL(1, count(&database));
    call_free(other.call);
    database_close(&database);
}

TEST(what_is_refused) {
    struct database database;
    open_store(&database);
    CHECK_ERROR(STATUS_INVALID, "no transaction is open", SEND(&database, OP_COMMIT, "{}"));
    CHECK_ERROR(STATUS_INVALID, "no transaction is open", SEND(&database, OP_ABORT, "{}"));
    CHECK_ERROR(STATUS_INVALID, "isolation is snapshot or serializable",
                SEND(&database, OP_BEGIN, "{\"isolation\": \"none\"}"));
    CHECK_ERROR(STATUS_INVALID, "unknown field 'x'", SEND(&database, OP_BEGIN, "{\"x\": 1}"));
    CHECK_REPLY(SEND(&database, OP_BEGIN, "{}"));
    CHECK_ERROR(STATUS_INVALID, "a transaction is open already", SEND(&database, OP_BEGIN, "{}"));
    CHECK_ERROR(STATUS_INVALID, "CREATE_STORE is not possible in a transaction",
                SEND(&database, OP_CREATE_STORE, "{\"store\": \"t\"}"));
    CHECK_ERROR(STATUS_INVALID, "unknown field 'x'", SEND(&database, OP_COMMIT, "{\"x\": 1}"));
    CHECK_EQUAL(1, SEND(&database, OP_CATALOG, "{}").count);
    // A refused write changes nothing, and the transaction goes on.
    CHECK_STATUS(STATUS_DUPLICATE_KEY,
                 SEND(&database, OP_INSERT, S, "{\"_id\": 9}", "{\"_id\": 1}").status);
    CHECK_EQUAL(3, count(&database));
    CHECK_STATUS(STATUS_CONFLICT, SEND(&database, OP_DELETE,
                                       "{\"store\": \"s\", \"id\": 1, \"expected_sequence\": 77}")
                                      .status);
    CHECK_EQUAL(0, trailer_int(SEND(&database, OP_COMMIT, "{}"), "sequence"));
    database_close(&database);
}

TEST(an_automatic_transaction_begins_with_the_first_document) {
    struct database database, other;
    uint64_t sequence;
    open_store(&database);
    open_other(&database, &other);
    call_set_automatic(database.call, true);
    CHECK_REPLY(SEND(&database, OP_PING, "{}"));
    CHECK_REPLY(SEND(&database, OP_COMMIT, "{}")); // of nothing
    CHECK(!call_in_transaction(database.call) && !call_committed(database.call));
    CHECK_STATUS(STATUS_OK, add_one(&database, 1));
    CHECK(call_in_transaction(database.call));
    CHECK_EQUAL(10, value(&other, 1));
    CHECK_OK(call_commit(database.call, &sequence, NULL));
    CHECK_EQUAL(storage_visible(engine_storage(database.engine)), sequence);
    CHECK_EQUAL(11, value(&other, 1));
    CHECK(!call_committed(database.call)); // not by a packet
    CHECK_STATUS(STATUS_OK, add_one(&database, 1));
    CHECK_REPLY(SEND(&database, OP_COMMIT, "{}"));
    CHECK(call_committed(database.call));
    CHECK_STATUS(STATUS_OK, add_one(&database, 1)); // in the next one
    call_abort(database.call);
    CHECK_EQUAL(12, value(&other, 1));
    // The handler may choose its isolation.
    call_set_automatic(database.call, true);
    CHECK(!call_committed(database.call));
    CHECK_REPLY(SEND(&database, OP_BEGIN, "{\"isolation\": \"serializable\"}"));
    CHECK_EQUAL(20, value(&database, 2));
    CHECK_STATUS(STATUS_OK, add_one(&database, 1));
    CHECK_STATUS(STATUS_OK, add_one(&other, 2));
    CHECK_STATUS(STATUS_CONFLICT, call_commit(database.call, &sequence, NULL));
    CHECK_OK(call_commit(database.call, &sequence, NULL)); // none is open
    CHECK_EQUAL(0, sequence);
    call_free(other.call);
    database_close(&database);
}

TEST(a_pending_query_ends_with_its_transaction) {
    struct database database;
    uint64_t sequence;
    open_store(&database);
    char document[64];
    for (int i = 10; i < 400; i++) {
        snprintf(document, sizeof document, "{\"_id\": %d, \"n\": %d}", i, i);
        CHECK_REPLY(SEND(&database, OP_INSERT, S, document));
    }
    CHECK_REPLY(SEND(&database, OP_BEGIN, "{\"isolation\": \"serializable\"}"));
    CHECK_STATUS(STATUS_OK, add_one(&database, 1));
    struct bytes packet = make_packet(OP_QUERY, S, NULL);
    CHECK_STATUS(STATUS_PENDING, engine_dispatch(database.call, packet, READ_LATEST, 0));
    CHECK_OK(call_commit(database.call, &sequence, NULL));
    CHECK_EQUAL(11, value(&database, 1));
    database_close(&database);
}
