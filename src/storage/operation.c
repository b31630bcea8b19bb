// SPDX-License-Identifier: Apache-2.0
#include "storage/operation.h"

enum status operation_encode(struct buffer *buffer, const struct operation *operation) {
    ASSERT(operation->value.size <= UINT32_MAX);
    size_t size = operation_encoded_size(operation->value.size);
    enum status status = buffer_reserve(buffer, size);
    if (status != STATUS_OK) return status;

    uint8_t *out = buffer->data + buffer->size;
    out[0] = (uint8_t)operation->kind;
    out[1] = 0;
    store_le16(out + 2, 0);
    store_le32(out + 4, operation->id);
    memcpy(out + 8, operation->key.bytes, sizeof operation->key.bytes);
    store_le32(out + 24, (uint32_t)operation->value.size);
    store_le32(out + 28, 0);
    size_t end = OPERATION_HEADER_SIZE + operation->value.size;
    if (operation->value.size > 0)
        memcpy(out + OPERATION_HEADER_SIZE, operation->value.data, operation->value.size);
    memset(out + end, 0, size - end);
    buffer->size += size;
    return STATUS_OK;
}

enum status operation_decode(struct bytes *payload, struct operation *ret) {
    if (payload->size == 0) return STATUS_END;
    if (payload->size < OPERATION_HEADER_SIZE) return STATUS_CORRUPT;
    const uint8_t *in = payload->data;
    uint64_t value_size = load_le32(in + 24);
    uint64_t size = operation_encoded_size((size_t)value_size);
    if (size > payload->size) return STATUS_CORRUPT;
    if (in[0] < OPERATION_PUT || in[0] > OPERATION_EVENT) return STATUS_CORRUPT;
    if (in[1] != 0 || load_le16(in + 2) != 0 || load_le32(in + 28) != 0) return STATUS_CORRUPT;

    ret->kind = (enum operation_kind)in[0];
    ret->id = load_le32(in + 4);
    memcpy(ret->key.bytes, in + 8, sizeof ret->key.bytes);
    ret->value = bytes_of(in + OPERATION_HEADER_SIZE, (size_t)value_size);
    payload->data += size;
    payload->size -= (size_t)size;
    return STATUS_OK;
}
