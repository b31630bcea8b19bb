// SPDX-License-Identifier: Apache-2.0
// Writes that are not yet in the index. A generation holds one memtable per store and per
// secondary index that was written in its time: a skiplist over byte keys (memcmp order) whose
// nodes carry version chains, newest first; memtables of stores also have a hash index over their
// 16-byte keys, so that a miss costs tens of ns.
//
// Keys. Store: the 16-byte primary key. Index: encoded value ++ 16-byte primary key, with an empty
// value in its versions.
//
// Threads: one writer at a time (under the commit lock), any number of lock-free readers. Memory
// comes from the generation's arena and goes with it; a generation is counted.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "base/arena.h"
#include "doc/doc.h"

enum memtable_kind { MEMTABLE_STORE, MEMTABLE_INDEX };

struct version { // immutable once linked
    struct version *older;
    uint64_t sequence;
    uint32_t size;
    bool tombstone;
    uint8_t data[]; // `size` bytes: the document
};
static inline struct bytes version_bytes(const struct version *version) {
    return bytes_of(version->data, version->size);
}

struct memtable;
struct memtable_node;

// Memory that is set aside for the puts that follow a generation_reserve().
struct generation_slice {
    uint8_t *next;
    uint8_t *end;
};

struct generation {
    struct arena arena;
    struct generation_slice slices[2]; // writer only; the first is the one in use
    _Atomic uint64_t reference_count;
    uint64_t number;                 // 1, 2, 3 … in order of creation
    uint64_t first_sequence;         // everything in it is >= this
    _Atomic uint64_t last_sequence;  // set when frozen: everything in it is <= this; else 0
    _Atomic uint64_t bytes;          // arena bytes in use, for the memory bound
    uint64_t hash_seed;              // of the hash indexes: random, nothing visible depends on it
    struct generation_table *tables; // kind and id -> memtable; lock-free for readers
};

// NULL when memory is exhausted. The reference is the caller's.
struct generation *generation_new(uint64_t number, uint64_t first_sequence);
struct generation *generation_ref(struct generation *generation);
void generation_unref(struct generation *generation);

// Lock-free; NULL when nothing was written there in this generation.
struct memtable *generation_memtable(const struct generation *generation, enum memtable_kind kind,
                                     uint32_t id);
// Iterates over the memtables of a generation in order of creation: start with *cursor = 0; NULL at
// the end. Lock-free; those created meanwhile may be met.
struct memtable *generation_next(const struct generation *generation, size_t *cursor);
enum memtable_kind memtable_kind(const struct memtable *memtable);
uint32_t memtable_id(const struct memtable *memtable);
uint64_t memtable_count(const struct memtable *memtable); // nodes (keys)
// The sequence of the last put; 0: none.
uint64_t memtable_last(const struct memtable *memtable);

// Writer only. After success the `operation_count` following memtable_put() calls to memtables of
// this generation with together at most `key_bytes` of keys and `value_bytes` of values cannot
// fail. Memtables that they need must have been made by generation_require() before. Reservations
// do not add up: each one stands alone, and what an earlier one left over is not counted on.
CHECKED enum status generation_reserve(struct generation *generation, size_t operation_count,
                                       size_t key_bytes, size_t value_bytes);
// The memtable, created when absent, with room in its hash index for `new_keys` more than it holds
// now (calls do not add up either). NULL when memory is exhausted.
struct memtable *generation_require(struct generation *generation, enum memtable_kind kind,
                                    uint32_t id, size_t new_keys);
// Adds a version; sequences of one key never decrease (an equal sequence replaces what readers see:
// used by index memtables when one operation both removes and adds the same entry). Readers find
// it at once: what hides it until the commit is visible is their own sequence.
void memtable_put(struct memtable *memtable, struct bytes key, uint64_t sequence, bool tombstone,
                  struct bytes value);

// The newest version of `key` with sequence <= `sequence`, or NULL. Lock-free.
const struct version *memtable_get(const struct memtable *memtable, struct bytes key,
                                   uint64_t sequence);
// The sequence of the newest version of `key`, or 0. For validation under the commit lock.
uint64_t memtable_newest(const struct memtable *memtable, struct bytes key);

// Cursors over keys in order. They see every node linked before the call, maybe later ones.
struct memtable_cursor {
    const struct memtable *memtable;
    const struct memtable_node *node; // NULL: past either end
};
// First node with key >= `key` (NULL data: the first of all).
void memtable_seek(struct memtable_cursor *cursor, const struct memtable *memtable,
                   struct bytes key);
// Last node with key < `key` (NULL data: the last of all).
void memtable_seek_before(struct memtable_cursor *cursor, const struct memtable *memtable,
                          struct bytes key);
void memtable_cursor_next(struct memtable_cursor *cursor);
void memtable_cursor_previous(struct memtable_cursor *cursor); // O(log n)
struct bytes memtable_node_key(const struct memtable_node *node);
// The version of the node that a reader at `sequence` sees, or NULL.
const struct version *memtable_node_version(const struct memtable_node *node, uint64_t sequence);
