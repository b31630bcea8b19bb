// SPDX-License-Identifier: Apache-2.0
// What the tests of memtables share.
#pragma once

#include "storage/memtable.h"
#include "test.h"

static inline struct bytes key_of(uint64_t number, uint8_t storage[16]) {
    store_be64(storage, number);
    store_be64(storage + 8, ~number);
    return bytes_of(storage, 16);
}

// One put with all that the writer has to prepare for it.
static inline void put(struct generation *generation, struct memtable *memtable, struct bytes key,
                       uint64_t sequence, bool tombstone, struct bytes value) {
    CHECK(generation_require(generation, memtable_kind(memtable), memtable_id(memtable), 1) ==
          memtable);
    CHECK_OK(generation_reserve(generation, 1, key.size, value.size));
    memtable_put(memtable, key, sequence, tombstone, value);
}
