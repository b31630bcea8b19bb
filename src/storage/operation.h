// SPDX-License-Identifier: Apache-2.0
// What a commit consists of: the operations inside a log record's payload. Encoding (little-endian,
// each operation padded to 8 bytes; docs/FILE_FORMAT.md):
//   u8 kind, u8 flags, u16 zero, u32 id (store or index), 16 bytes key, u32 value size, u32 zero,
//   value, zero padding
// Operation i of a record has sequence first_sequence + i.
#pragma once

#include "doc/doc.h"

enum operation_kind { // on disk, in log and value log
    OPERATION_PUT = 1,
    OPERATION_DELETE = 2,
    OPERATION_CREATE_STORE = 3, // value: BSON {id, name, key_type}
    OPERATION_DROP_STORE = 4,   // id
    OPERATION_CREATE_INDEX = 5, // value: BSON {id, store_id, name, field}
    OPERATION_INDEX_READY = 6,  // id
    OPERATION_DROP_INDEX = 7,   // id
    OPERATION_EVENT = 8,        // reserved for the bus: value is the event
};

struct operation {
    enum operation_kind kind;
    uint32_t id;
    struct key key;
    struct bytes value;
};

#define OPERATION_HEADER_SIZE 32

static inline size_t operation_encoded_size(size_t value_size) {
    return (OPERATION_HEADER_SIZE + value_size + 7) & ~(size_t)7;
}
CHECKED enum status operation_encode(struct buffer *buffer, const struct operation *operation);
// Takes the next operation off `payload` (hostile until checked). STATUS_END when it is empty,
// STATUS_CORRUPT when it is not well formed.
CHECKED enum status operation_decode(struct bytes *payload, struct operation *ret);
