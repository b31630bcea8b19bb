// SPDX-License-Identifier: Apache-2.0
#include "base/limits.h"
#include "wire/wire.h"

enum packet_offset {
    OFFSET_LENGTH = 0,
    OFFSET_OP = 4,
    OFFSET_FLAGS = 6,
    OFFSET_CORRELATION = 8,
    OFFSET_STATUS = 16,
    OFFSET_COUNT = 20,
};

#define FLAGS_KNOWN (PACKET_REPLY | PACKET_ERROR | PACKET_TRAILER)

enum status packet_decode(struct bytes bytes, struct packet *ret, struct error *error) {
    if (bytes.size < PACKET_HEADER_SIZE)
        return error_set(error, STATUS_MALFORMED, "packet of %zu bytes, the header has %d",
                         bytes.size, PACKET_HEADER_SIZE);
    uint32_t length = load_le32(bytes.data + OFFSET_LENGTH);
    if (length > PACKET_SIZE_MAX)
        return error_set_at(error, STATUS_TOO_LARGE, OFFSET_LENGTH,
                            "packet of %u bytes, at most %llu are allowed", length,
                            (unsigned long long)PACKET_SIZE_MAX);
    if (length != bytes.size)
        return error_set_at(error, STATUS_MALFORMED, OFFSET_LENGTH,
                            "packet states %u bytes and has %zu", length, bytes.size);
    uint16_t flags = load_le16(bytes.data + OFFSET_FLAGS);
    if ((flags & ~FLAGS_KNOWN) != 0)
        return error_set_at(error, STATUS_MALFORMED, OFFSET_FLAGS, "unknown packet flags 0x%x",
                            flags);
    *ret = (struct packet){
        .op = load_le16(bytes.data + OFFSET_OP),
        .flags = flags,
        .correlation_id = load_le64(bytes.data + OFFSET_CORRELATION),
        .status = load_le32(bytes.data + OFFSET_STATUS),
        .count = load_le32(bytes.data + OFFSET_COUNT),
        .body = bytes_of(bytes.data + PACKET_HEADER_SIZE, bytes.size - PACKET_HEADER_SIZE),
    };
    return STATUS_OK;
}

enum status packet_next_document(struct bytes *body, struct bytes *ret_document,
                                 struct error *error) {
    if (body->size == 0) return STATUS_END;
    uint32_t size = body->size < DOC_EMPTY_SIZE ? 0 : load_le32(body->data);
    if (size < DOC_EMPTY_SIZE || size > body->size)
        return error_set(error, STATUS_MALFORMED,
                         "document states %u bytes where the packet has %zu left", size,
                         body->size);
    struct bytes document = bytes_of(body->data, size);
    enum status status = doc_validate(document, error);
    if (status != STATUS_OK) return status;
    *ret_document = document;
    *body = bytes_of(body->data + size, body->size - size);
    return STATUS_OK;
}

enum status packet_begin(struct buffer *buffer, uint16_t op, uint64_t correlation_id,
                         size_t *ret_start) {
    uint8_t header[PACKET_HEADER_SIZE] = {0};
    store_le16(header + OFFSET_OP, op);
    store_le64(header + OFFSET_CORRELATION, correlation_id);
    size_t start = buffer->size;
    enum status status = buffer_append(buffer, header, sizeof header);
    if (status != STATUS_OK) return status;
    *ret_start = start;
    return STATUS_OK;
}

enum status packet_finish(struct buffer *buffer, size_t start, uint16_t flags,
                          uint32_t packet_status, uint32_t count) {
    ASSERT(start + PACKET_HEADER_SIZE <= buffer->size);
    size_t length = buffer->size - start;
    if (length > PACKET_SIZE_MAX) return STATUS_TOO_LARGE;
    uint8_t *header = buffer->data + start;
    store_le32(header + OFFSET_LENGTH, (uint32_t)length);
    store_le16(header + OFFSET_FLAGS, flags);
    store_le32(header + OFFSET_STATUS, packet_status);
    store_le32(header + OFFSET_COUNT, count);
    return STATUS_OK;
}

enum status packet_error(struct buffer *buffer, size_t start, uint16_t op, uint64_t correlation_id,
                         const struct error *error, int64_t failed) {
    ASSERT(start <= buffer->size);
    buffer->size = start;
    enum status status = packet_begin(buffer, op, correlation_id, &start);
    if (status != STATUS_OK) return status;
    struct doc_builder builder;
    doc_builder_begin(&builder, buffer);
    doc_add_string(&builder, "code", bytes_of_string(status_text(error->status)));
    doc_add_string(&builder, "message", bytes_of_string(error->message));
    if (error->offset >= 0) doc_add_int(&builder, "offset", error->offset);
    if (error->line > 0) {
        doc_add_int(&builder, "line", error->line);
        doc_add_int(&builder, "column", error->column);
    }
    if (failed >= 0) doc_add_int(&builder, "failed", failed);
    status = doc_builder_finish(&builder);
    if (status != STATUS_OK) return status;
    return packet_finish(buffer, start, PACKET_REPLY | PACKET_ERROR | PACKET_TRAILER,
                         (uint32_t)error->status, 0);
}
