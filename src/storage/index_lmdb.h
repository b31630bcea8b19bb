// SPDX-License-Identifier: Apache-2.0
// What the files of the index share. Private to index*.c; with index_lmdb.h they are the only ones
// that see LMDB.
#pragma once

#include <lmdb.h>
#include <stdatomic.h>

#include "base/limits.h"
#include "storage/index.h"

#define INDEX_ID_SIZE 4 // the big-endian prefix of every key of a tree
#define INDEX_PRIMARY_KEY_SIZE (INDEX_ID_SIZE + 16)
#define INDEX_ENTRY_SIZE 24 // sequence, segment, size, offset
// Of a stored secondary key: prefix, encoded value, primary key.
#define INDEX_SECONDARY_KEY_MAX (INDEX_ID_SIZE + INDEX_VALUE_MAX + 16)
// Of a key to look for, which may be a stored one with a little behind it.
#define INDEX_SEARCH_KEY_MAX (INDEX_SECONDARY_KEY_MAX + 64)

enum index_tree { TREE_PRIMARY, TREE_SECONDARY, TREE_CATALOG, TREE_META, TREE_COUNT };

struct index {
    MDB_env *environment;
    MDB_dbi trees[TREE_COUNT];
    _Atomic bool writing; // a write transaction is open: there is only one at a time
};

// The status of an LMDB return code (0, one of its own, or an errno).
enum status index_status(int code);

static inline MDB_val index_value(struct bytes bytes) {
    return (MDB_val){.mv_size = bytes.size, .mv_data = (void *)(uintptr_t)bytes.data};
}
static inline struct bytes index_bytes_of(MDB_val value) {
    return bytes_of(value.mv_data, value.mv_size);
}
static inline void index_primary_key(uint8_t ret[INDEX_PRIMARY_KEY_SIZE], uint32_t store_id,
                                     const struct key *key) {
    store_be32(ret, store_id);
    memcpy(ret + INDEX_ID_SIZE, key->bytes, sizeof key->bytes);
}
static inline bool index_has_prefix(MDB_val key, uint32_t id) {
    return key.mv_size >= INDEX_ID_SIZE && load_be32(key.mv_data) == id;
}

void index_encode_entry(uint8_t ret[INDEX_ENTRY_SIZE], const struct index_entry *entry);
// STATUS_CORRUPT unless the value has the size of an entry.
CHECKED enum status index_decode_entry(MDB_val value, struct index_entry *ret);
