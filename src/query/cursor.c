// SPDX-License-Identifier: Apache-2.0
#include "query/cursor.h"

#include "base/crc.h"

#define CURSOR_VERSION 1
#define HEADER_SIZE 13

// FNV-1a: clients keep cursors, so this must be the same in every process and version.
static uint64_t hash_on(uint64_t hash, const void *data, size_t size) {
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++) hash = (hash ^ bytes[i]) * 0x100000001b3ULL;
    return hash;
}

static uint64_t order_hash(const struct form *form, uint32_t store_id) {
    uint64_t hash = hash_on(0xcbf29ce484222325ULL, &store_id, sizeof store_id);
    for (size_t i = 0; i < form->sort_count; i++) {
        const struct sort_field *field = &form->sort[i];
        uint8_t end[2] = {0, field->descending};
        hash = hash_on(hash, field->path.data, field->path.size);
        hash = hash_on(hash, end, sizeof end);
    }
    uint8_t direction = form->key_descending;
    return hash_on(hash, &direction, 1);
}

enum status cursor_write(struct buffer *buffer, const struct form *form, uint32_t store_id,
                         struct bytes sort_key) {
    uint8_t header[HEADER_SIZE];
    header[0] = CURSOR_VERSION;
    store_le64(header + 1, order_hash(form, store_id));
    store_le32(header + 9, crc32c(0, sort_key.data, sort_key.size));
    buffer_clear(buffer);
    enum status status = buffer_append(buffer, header, sizeof header);
    return status == STATUS_OK ? buffer_append(buffer, sort_key.data, sort_key.size) : status;
}

// Every encoded value has at least its first byte.
enum status cursor_read(struct bytes cursor, const struct form *form, uint32_t store_id,
                        struct bytes *ret_sort_key, struct error *error) {
    if (cursor.size < HEADER_SIZE + form->sort_count + KEY_SIZE || cursor.data[0] != CURSOR_VERSION)
        return error_set(error, STATUS_INVALID, "after: not a cursor of this query");
    if (load_le64(cursor.data + 1) != order_hash(form, store_id))
        return error_set(error, STATUS_INVALID,
                         "after: the cursor is of another store or another sort");
    struct bytes sort_key = bytes_of(cursor.data + HEADER_SIZE, cursor.size - HEADER_SIZE);
    if (load_le32(cursor.data + 9) != crc32c(0, sort_key.data, sort_key.size))
        return error_set(error, STATUS_INVALID, "after: the cursor is damaged");
    if (form->sort_count == 0 && sort_key.size != KEY_SIZE)
        return error_set(error, STATUS_INVALID, "after: the cursor is damaged");
    *ret_sort_key = sort_key;
    return STATUS_OK;
}
