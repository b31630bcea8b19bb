// SPDX-License-Identifier: Apache-2.0
// A hash table from byte strings to pointers, in an arena whose limit bounds it. Keys are copied
// when they are new; looking up allocates nothing. One thread.
#pragma once

#include "base/arena.h"

struct table_entry {
    uint64_t hash;
    struct bytes key;
    void *value;
};

// Zero-initialised plus `arena` is an empty table.
struct table {
    struct arena *arena;
    struct table_entry **slots;
    size_t capacity, count;
};

// The entry of `key`; NULL when there is none.
struct table_entry *table_find(const struct table *table, struct bytes key);
// The entry of `key`, made when there is none (`value` NULL). NULL when memory is exhausted.
struct table_entry *table_add(struct table *table, struct bytes key);
