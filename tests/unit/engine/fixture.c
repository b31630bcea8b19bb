// SPDX-License-Identifier: Apache-2.0
#include "fixture.h"

#include <stdarg.h>

#include "base/limits.h"

#define CORRELATION 0x1122334455667788ULL

// ---- the engine -----------------------------------------------------------------------------

void database_open(struct database *database) {
    struct storage_options options = storage_options_default();
    struct error error = {0};
    options.wal_segment_bytes = (int64_t)MIB;
    options.vlog_segment_bytes = (int64_t)(4 * MIB);
    if (engine_open(test_directory(), &options, &database->engine, &error) != STATUS_OK)
        test_fail(__FILE__, __LINE__, "%s", error.message);
    CHECK_OK(session_open(database->engine, PERMISSION_ADMIN, &database->session));
    CHECK_OK(call_new(database->session, &database->call));
}

void database_role(struct database *database, enum permission role) {
    call_free(database->call);
    session_close(database->session);
    CHECK_OK(session_open(database->engine, role, &database->session));
    CHECK_OK(call_new(database->session, &database->call));
}

void database_close(struct database *database) {
    call_free(database->call);
    session_close(database->session);
    engine_close(database->engine);
}

// ---- packets --------------------------------------------------------------------------------

struct bytes make_packet_of(uint16_t op, const struct bytes *documents, size_t count) {
    struct buffer buffer = {0};
    size_t start;
    CHECK_OK(packet_begin(&buffer, op, CORRELATION, &start));
    for (size_t i = 0; i < count; i++)
        CHECK_OK(buffer_append(&buffer, documents[i].data, documents[i].size));
    CHECK_OK(packet_finish(&buffer, start, 0, 0, (uint32_t)count));
    struct bytes packet = fixture_copy(buffer_bytes(&buffer));
    buffer_done(&buffer);
    return packet;
}

struct bytes make_packet(enum op op, const char *head, ...) {
    struct bytes documents[16] = {fixture_document(head)};
    size_t count = 1;
    va_list arguments;
    va_start(arguments, head);
    for (const char *json; (json = va_arg(arguments, const char *)) != NULL; count++) {
        CHECK(count < 16);
        documents[count] = fixture_document(json);
    }
    va_end(arguments);
    return make_packet_of((uint16_t)op, documents, count);
}

static struct bytes take_document(struct bytes *body) {
    struct bytes document;
    CHECK_OK(packet_next_document(body, &document, NULL));
    return document;
}

static void take_error(struct reply *reply) {
    struct bytes code, message;
    CHECK_EQUAL(PACKET_REPLY | PACKET_ERROR | PACKET_TRAILER, reply->packet.flags);
    CHECK_EQUAL(0, reply->packet.count);
    CHECK(doc_get_string(reply->trailer, "code", &code));
    CHECK(bytes_equal_string(code, status_text(reply->status)));
    CHECK(doc_get_string(reply->trailer, "message", &message) && message.size > 0);
    reply->message = arena_string(&fixture_memory, message);
    doc_get_int(reply->trailer, "failed", &reply->failed);
}

// Takes the reply apart, checking what holds for every one.
struct reply take_reply(struct database *database) {
    struct reply reply = {.failed = -1};
    struct bytes bytes = fixture_copy(call_reply(database->call));
    CHECK_OK(packet_decode(bytes, &reply.packet, NULL));
    reply.status = (enum status)reply.packet.status;
    CHECK_EQUAL(reply.status, call_status(database->call));
    struct bytes body = reply.packet.body;
    reply.count = reply.packet.count;
    for (size_t i = 0; i < reply.count; i++) {
        struct bytes document = take_document(&body);
        if (i < sizeof reply.documents / sizeof reply.documents[0]) reply.documents[i] = document;
    }
    if (reply.packet.flags & PACKET_TRAILER) reply.trailer = take_document(&body);
    CHECK_EQUAL(0, body.size);
    CHECK_EQUAL(reply.status != STATUS_OK, (reply.packet.flags & PACKET_ERROR) != 0);
    CHECK(reply.packet.flags & PACKET_REPLY);
    if (reply.status != STATUS_OK) take_error(&reply);
    return reply;
}

struct reply send_packet(struct database *database, struct bytes packet) {
    CHECK_OK(engine_dispatch(database->call, packet, READ_LATEST, UINT64_MAX));
    struct reply reply = take_reply(database);
    if (packet.size >= PACKET_HEADER_SIZE) {
        CHECK_EQUAL(load_le16(packet.data + 4), reply.packet.op);
        CHECK(load_le64(packet.data + 8) == reply.packet.correlation_id);
    }
    return reply;
}
