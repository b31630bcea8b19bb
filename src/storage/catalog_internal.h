// SPDX-License-Identifier: Apache-2.0
// The catalogue's inside, for catalog*.c. A catalogue is changed in place only before anyone else
// holds it; stores and indexes are counted and shared between catalogues, and never change.
#pragma once

#include <stdatomic.h>
#include <stddef.h>

#include "base/list.h"
#include "storage/catalog.h"

struct catalog_index {
    _Atomic uint32_t references;
    struct index_info info;
};

struct catalog_store {
    _Atomic uint32_t references;
    uint64_t name_hash;
    struct store_info info; // holds a reference to each index
};

// Open addressing; keys need not be unique (hashes of names).
struct catalog_slot {
    uint64_t key;
    const void *item; // NULL: free
};
struct catalog_table {
    struct catalog_slot *slots;
    size_t capacity; // a power of two, or 0
    size_t count;
};
CHECKED enum status catalog_table_add(struct catalog_table *table, uint64_t key, const void *item);
// Replaces an item that is there.
void catalog_table_replace(struct catalog_table *table, uint64_t key, const void *old,
                           const void *item);
void catalog_table_remove(struct catalog_table *table, uint64_t key, const void *item);
// The next item under `key`; begin with *position = SIZE_MAX. NULL after the last.
const void *catalog_table_find(const struct catalog_table *table, uint64_t key, size_t *position);
CHECKED enum status catalog_table_copy(const struct catalog_table *table,
                                       struct catalog_table *ret);

struct catalog {
    _Atomic uint32_t references;
    uint32_t next_store_id;
    uint32_t next_index_id;
    struct catalog_store **stores; // sorted by name
    size_t store_count;
    size_t store_capacity;
    struct catalog_table names;   // hash of the name -> catalog_store
    struct catalog_table ids;     // store id -> catalog_store
    struct catalog_table indexes; // index id -> catalog_index
    struct catalog_table waiting; // while loading: store id -> index whose store has not come yet
};

static inline struct catalog_store *catalog_store_of(const struct store_info *info) {
    return container_of(info, struct catalog_store, info);
}
static inline struct catalog_index *catalog_index_of(const struct index_info *info) {
    return container_of(info, struct catalog_index, info);
}

struct catalog_index_definition {
    uint32_t id;
    uint32_t store_id;
    enum index_state state;
    struct bytes name;
    struct bytes field;
};

// Objects with one reference, their strings copied; NULL when memory is exhausted.
struct catalog_index *catalog_new_index(const struct catalog_index_definition *definition);
struct catalog_store *catalog_new_store(uint32_t id, enum key_type key_type, struct bytes name,
                                        size_t index_room);
// The store without `removed` and with `added` (either may be NULL).
struct catalog_store *catalog_store_with(const struct store_info *store,
                                         const struct index_info *removed,
                                         struct index_info *added);
void catalog_unref_index(struct catalog_index *index);
void catalog_unref_store(struct catalog_store *store);

// Changes in place. STATUS_CORRUPT when an id or name is there already or impossible, or when the
// id to change is unknown. What fails changes nothing.
CHECKED enum status catalog_add_store(struct catalog *catalog, uint32_t id, enum key_type key_type,
                                      struct bytes name);
CHECKED enum status catalog_remove_store(struct catalog *catalog, uint32_t id);
CHECKED enum status catalog_add_index(struct catalog *catalog,
                                      const struct catalog_index_definition *definition);
CHECKED enum status catalog_remove_index(struct catalog *catalog, uint32_t id);
CHECKED enum status catalog_ready_index(struct catalog *catalog, uint32_t id);
// Keeps an index until its store comes, and gives a store those that waited for it.
CHECKED enum status catalog_wait_index(struct catalog *catalog,
                                       const struct catalog_index_definition *definition);
CHECKED enum status catalog_attach_waiting(struct catalog *catalog, uint32_t store_id);

// A copy that shares the objects. STATUS_CORRUPT when indexes still wait for their store.
CHECKED enum status catalog_copy(const struct catalog *catalog, struct catalog **ret);
