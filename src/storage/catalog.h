// SPDX-License-Identifier: Apache-2.0
// The versioned catalogue: immutable sets of stores and indexes, counted. Each DDL operation makes
// a new one. Ids come from one counter for stores and one for indexes and are never reused.
// Any thread may read one that it holds a reference to.
#pragma once

#include "storage/operation.h"
#include "storage/storage.h"

struct catalog *catalog_new(void); // empty; NULL when memory is exhausted
struct catalog *catalog_ref(const struct catalog *catalog);
void catalog_unref(const struct catalog *catalog);

uint32_t catalog_next_store_id(const struct catalog *catalog);
uint32_t catalog_next_index_id(const struct catalog *catalog);

// Checks a name as storage.h says.
CHECKED enum status catalog_check_name(struct bytes name, struct error *error);

// Appends the DDL operation's value (BSON) to `buffer`; a new index is INDEX_BUILDING.
CHECKED enum status catalog_encode_store(struct buffer *buffer, uint32_t id, struct bytes name,
                                         enum key_type key_type);
CHECKED enum status catalog_encode_index(struct buffer *buffer, uint32_t id, uint32_t store_id,
                                         struct bytes name, struct bytes field,
                                         enum index_state state);

// The catalogue after one DDL operation (from the log: hostile until checked). STATUS_CORRUPT when
// it does not fit (unknown id, repeated id or name), STATUS_NO_MEMORY.
CHECKED enum status catalog_apply(const struct catalog *catalog, const struct operation *operation,
                                  struct catalog **ret);

// Persistence as entries of the index's `catalog` tree: one per store ("s" ++ u32 BE id), one per
// index ("i" ++ u32 BE id), one with the next ids ("n").
// Loading takes the entries in any order, of a new catalogue that nobody else holds.
// STATUS_CORRUPT, STATUS_NO_MEMORY.
CHECKED enum status catalog_load(struct catalog *catalog, struct bytes name, struct bytes value);
// After the last entry: STATUS_CORRUPT when an index's store is missing.
CHECKED enum status catalog_load_end(const struct catalog *catalog);
// Calls `write` for each entry that differs between `before` (NULL: none) and `after`; NULL value
// data deletes it.
CHECKED enum status catalog_store_changes(const struct catalog *before, const struct catalog *after,
                                          enum status (*write)(struct bytes name,
                                                               struct bytes value, void *context),
                                          void *context);
