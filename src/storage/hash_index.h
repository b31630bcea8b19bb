// SPDX-License-Identifier: Apache-2.0
// The point look-ups of a store's memtable: open addressing from 16-byte keys to nodes, at most
// half full. A slot holds the node's address with 16 bits of the key's hash above it, so that a
// look-up reads only nodes that almost surely match, and a miss costs one cache line.
//
// Clients choose keys: the seed is random, so that nobody can choose ones that collide.
//
// One writer; readers are lock-free. To grow, the writer fills a table of twice the size and
// publishes it; the old one stays in the arena for those who still read it. What they miss there
// is newer than the snapshot with which they came.
#pragma once

#include <stdatomic.h>

#include "base/bytes.h"
#include "storage/skiplist.h"

#define HASH_INDEX_KEY_SIZE 16

struct hash_table;
struct hash_index {
    _Atomic(struct hash_table *) table;
    size_t count;  // writer only
    uint64_t seed; // set once, before the first table
};

// The bytes of a table that holds `count` keys (aligned to 64, zeroed), for the two below.
size_t hash_index_table_size(size_t count);
// True when `extra` more keys have room.
bool hash_index_has_room(const struct hash_index *index, size_t extra);
// Moves everything into a table at `memory` that was sized for `count` keys, and publishes it.
void hash_index_use_table(struct hash_index *index, void *memory, size_t count);

// NULL when absent. `key` points to HASH_INDEX_KEY_SIZE bytes.
struct memtable_node *hash_index_find(const struct hash_index *index, const uint8_t *key);
// Adds a node whose key is absent. There must be room.
void hash_index_insert(struct hash_index *index, struct memtable_node *node);
