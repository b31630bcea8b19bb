// SPDX-License-Identifier: Apache-2.0
// The ordered half of a memtable: a skiplist of nodes with byte keys. It owns no memory and never
// removes a node. One writer; readers are lock-free: a node is complete before a release store
// links it, level by level from the bottom, and every load of a link acquires.
//
// The writer keeps the path of its last search, at every level the last node before the key, as a
// finger: the next search climbs from there only as far as it must, so that ascending keys cost
// O(1) each.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "base/bytes.h"

#define SKIPLIST_HEIGHT_MAX 12 // with one node in four rising a level: good for 16 M nodes

struct version;

struct memtable_node {
    uint64_t prefix; // the first 8 bytes of the key, big-endian, padded with zeros
    _Atomic(struct version *) newest;
    uint32_t key_size;
    uint32_t height;
    _Atomic(struct memtable_node *) next[]; // `height` links, then the key
};

struct skiplist {
    struct memtable_node *head;                      // has every link and no key
    struct memtable_node *path[SKIPLIST_HEIGHT_MAX]; // writer only
    uint64_t random;                                 // writer only
    _Atomic uint32_t height;                         // levels in use, at least 1
};

static inline struct bytes skiplist_key(const struct memtable_node *node) {
    return bytes_of((const uint8_t *)&node->next[node->height], node->key_size);
}
static inline struct memtable_node *skiplist_next(const struct memtable_node *node,
                                                  uint32_t level) {
    return atomic_load_explicit(&node->next[level], memory_order_acquire);
}
// The size of a node of that height with a key of `key_size` bytes.
static inline size_t skiplist_node_size(size_t key_size, uint32_t height) {
    return sizeof(struct memtable_node) + height * sizeof(_Atomic(struct memtable_node *)) +
           key_size;
}
bool skiplist_equal(const struct memtable_node *node, struct bytes key);

// `head` is zeroed memory for a node of SKIPLIST_HEIGHT_MAX without a key. Equal seeds give equal
// heights.
void skiplist_init(struct skiplist *list, struct memtable_node *head, uint64_t seed);
// The height that the next node shall have.
uint32_t skiplist_random_height(struct skiplist *list);
// Finds the place of `key` for the writer: the first node that is not before it, or NULL.
struct memtable_node *skiplist_find_place(struct skiplist *list, struct bytes key);
// Links a new node at the place of the skiplist_find_place() for its key just done. `memory` has
// skiplist_node_size() bytes.
struct memtable_node *skiplist_insert(struct skiplist *list, void *memory, struct bytes key,
                                      uint32_t height, struct version *newest);

// First node with key >= `key`; of all when `key.data` is NULL.
struct memtable_node *skiplist_seek(const struct skiplist *list, struct bytes key);
// Last node with key < `key`; of all when `key.data` is NULL.
struct memtable_node *skiplist_seek_before(const struct skiplist *list, struct bytes key);
