// SPDX-License-Identifier: Apache-2.0
#include "base/limits.h"
#include "test.h"
#include "wire/wire.h"

static void ping(struct buffer *buffer) {
    size_t start;
    CHECK_OK(packet_begin(buffer, OP_PING, 0x1122334455667788, &start));
    struct doc_builder builder;
    doc_builder_begin(&builder, buffer);
    CHECK_OK(doc_builder_finish(&builder));
    CHECK_OK(packet_finish(buffer, start, 0, 0, 1));
}

TEST(packet_round_trip) {
    struct buffer buffer = {0};
    ping(&buffer);
    struct packet packet;
    CHECK_OK(packet_decode(buffer_bytes(&buffer), &packet, NULL));
    CHECK_EQUAL(OP_PING, packet.op);
    CHECK_EQUAL(1, packet.count);
    CHECK_EQUAL(0x1122334455667788, packet.correlation_id);
    struct bytes document;
    CHECK_OK(packet_next_document(&packet.body, &document, NULL));
    CHECK_EQUAL(DOC_EMPTY_SIZE, document.size);
    CHECK_STATUS(STATUS_END, packet_next_document(&packet.body, &document, NULL));
    buffer_done(&buffer);
}

// Any single wrong byte in the fields that have one right value is refused.
TEST(packet_header_is_checked) {
    struct buffer buffer = {0};
    ping(&buffer);
    struct packet packet;
    for (size_t size = 0; size < buffer.size; size++)
        CHECK_STATUS(STATUS_MALFORMED, packet_decode(bytes_of(buffer.data, size), &packet, NULL));
    struct error error;
    store_le32(buffer.data, PACKET_SIZE_MAX + 1);
    CHECK_STATUS(STATUS_TOO_LARGE, packet_decode(buffer_bytes(&buffer), &packet, &error));
    CHECK_EQUAL(0, error.offset);
    store_le32(buffer.data, (uint32_t)buffer.size);
    store_le16(buffer.data + 6, 8);
    CHECK_STATUS(STATUS_MALFORMED, packet_decode(buffer_bytes(&buffer), &packet, &error));
    CHECK_EQUAL(6, error.offset);
    buffer_done(&buffer);
}

TEST(packet_document_length_is_checked) {
    uint8_t body[] = {200, 0, 0, 0, 0};
    struct bytes left = bytes_of(body, sizeof body), document;
    CHECK_STATUS(STATUS_MALFORMED, packet_next_document(&left, &document, NULL));
    body[0] = 4;
    CHECK_STATUS(STATUS_MALFORMED, packet_next_document(&left, &document, NULL));
    left.size = 3;
    CHECK_STATUS(STATUS_MALFORMED, packet_next_document(&left, &document, NULL));
}

TEST(packet_error_replaces_what_was_begun) {
    struct buffer buffer = {0};
    CHECK_OK(buffer_append_string(&buffer, "kept"));
    CHECK_OK(buffer_append_string(&buffer, "half a reply"));
    struct error error;
    error_set_at(&error, STATUS_DUPLICATE_KEY, 17, "document %d exists", 3);
    CHECK_OK(packet_error(&buffer, 4, OP_INSERT, 9, &error, 2));
    CHECK(memcmp(buffer.data, "kept", 4) == 0);
    struct packet packet;
    CHECK_OK(packet_decode(bytes_of(buffer.data + 4, buffer.size - 4), &packet, NULL));
    CHECK_EQUAL(STATUS_DUPLICATE_KEY, packet.status);
    CHECK_EQUAL(PACKET_REPLY | PACKET_ERROR | PACKET_TRAILER, packet.flags);
    struct bytes trailer, text;
    CHECK_OK(packet_next_document(&packet.body, &trailer, NULL));
    CHECK(doc_get_string(trailer, "code", &text));
    CHECK_BYTES("duplicate_key", text);
    int64_t number;
    CHECK(doc_get_int(trailer, "failed", &number) && number == 2);
    CHECK(doc_get_int(trailer, "offset", &number) && number == 17);
    buffer_done(&buffer);
}

TEST(op_table) {
    CHECK(op_find(0) == NULL && op_find(7) == NULL && op_find(19) == NULL &&
          op_find(65535) == NULL);
    CHECK_EQUAL(PERMISSION_ADMIN, op_find(OP_DROP_STORE)->permission);
    CHECK(op_find(OP_INSERT)->mutates && !op_find(OP_QUERY)->mutates);
    CHECK_EQUAL(BATCH_OPS_MAX, op_find(OP_INSERT)->documents_max);
}
