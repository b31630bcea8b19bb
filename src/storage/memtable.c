// SPDX-License-Identifier: Apache-2.0
#include "storage/memtable.h"

#include "base/hash.h"
#include "storage/generation.h"
#include "storage/hash_index.h"
#include "storage/skiplist.h"

struct memtable {
    struct generation *generation; // outlives it, not counted
    _Atomic(struct memtable *) created_next;
    enum memtable_kind kind;
    uint32_t id;
    _Atomic uint64_t count;
    _Atomic uint64_t last;    // sequence of the last put
    struct hash_index hashes; // MEMTABLE_STORE only
    struct skiplist list;
};

enum { FIRST_KEYS = 4 }; // room of the hash index of a new memtable

uint64_t memtable_height_seed(enum memtable_kind kind, uint32_t id, uint64_t generation_number) {
    return hash_words((uint64_t)kind << 32 | id, generation_number);
}

struct memtable *memtable_create(struct generation *generation, enum memtable_kind kind,
                                 uint32_t id) {
    size_t head_size = skiplist_node_size(0, SKIPLIST_HEIGHT_MAX);
    struct memtable *memtable = generation_allocate(generation, sizeof *memtable + head_size, 8);
    if (memtable == NULL) return NULL;
    memtable->generation = generation;
    memtable->kind = kind;
    memtable->id = id;
    memtable->hashes.seed = generation->hash_seed;
    uint64_t seed = memtable_height_seed(kind, id, generation->number);
    skiplist_init(&memtable->list, (struct memtable_node *)(memtable + 1), seed);
    return memtable_prepare(memtable, FIRST_KEYS) ? memtable : NULL;
}

bool memtable_prepare(struct memtable *memtable, size_t new_keys) {
    if (memtable->kind != MEMTABLE_STORE) return true;
    if (hash_index_has_room(&memtable->hashes, new_keys)) return true;
    size_t count = memtable->hashes.count + new_keys;
    void *memory = generation_allocate(memtable->generation, hash_index_table_size(count), 64);
    if (memory == NULL) return false;
    hash_index_use_table(&memtable->hashes, memory, count);
    return true;
}

struct memtable *memtable_created_next(const struct memtable *memtable) {
    return atomic_load_explicit(&memtable->created_next, memory_order_acquire);
}

void memtable_set_created_next(struct memtable *memtable, struct memtable *next) {
    atomic_store_explicit(&memtable->created_next, next, memory_order_release);
}

enum memtable_kind memtable_kind(const struct memtable *memtable) {
    return memtable->kind;
}

uint32_t memtable_id(const struct memtable *memtable) {
    return memtable->id;
}

uint64_t memtable_count(const struct memtable *memtable) {
    return atomic_load_explicit(&memtable->count, memory_order_relaxed);
}

uint64_t memtable_last(const struct memtable *memtable) {
    return atomic_load_explicit(&memtable->last, memory_order_relaxed);
}

// ---- writing --------------------------------------------------------------------------------

size_t memtable_put_overhead(void) {
    size_t alignment =
        8 - 1; // generation_take() rounds up, once for the node, once for the version
    return skiplist_node_size(0, SKIPLIST_HEIGHT_MAX) + alignment + offsetof(struct version, data) +
           alignment;
}

static struct version *newest_of(const struct memtable_node *node) {
    return atomic_load_explicit(&node->newest, memory_order_acquire);
}

static struct version *version_create(struct generation *generation, struct version *older,
                                      uint64_t sequence, bool tombstone, struct bytes value) {
    struct version *version =
        generation_take(generation, offsetof(struct version, data) + value.size);
    version->older = older;
    version->sequence = sequence;
    version->size = (uint32_t)value.size;
    version->tombstone = tombstone;
    if (value.size > 0) memcpy(version->data, value.data, value.size);
    return version;
}

// The node of `key` for the writer, or NULL; then `list.path` is the place for a new one.
static struct memtable_node *find_or_place(struct memtable *memtable, struct bytes key) {
    if (memtable->kind == MEMTABLE_STORE) {
        ASSERT(key.size == HASH_INDEX_KEY_SIZE);
        struct memtable_node *node = hash_index_find(&memtable->hashes, key.data);
        if (node != NULL) return node;
        skiplist_find_place(&memtable->list, key);
        return NULL;
    }
    struct memtable_node *node = skiplist_find_place(&memtable->list, key);
    return node != NULL && skiplist_equal(node, key) ? node : NULL;
}

static void add_version(struct memtable *memtable, struct memtable_node *node, uint64_t sequence,
                        bool tombstone, struct bytes value) {
    struct version *older = newest_of(node);
    ASSERT(older->sequence <= sequence);
    struct version *version =
        version_create(memtable->generation, older, sequence, tombstone, value);
    atomic_store_explicit(&node->newest, version, memory_order_release);
}

void memtable_put(struct memtable *memtable, struct bytes key, uint64_t sequence, bool tombstone,
                  struct bytes value) {
    ASSERT(key.size <= UINT32_MAX && value.size <= UINT32_MAX);
    atomic_store_explicit(&memtable->last, sequence, memory_order_relaxed);
    struct memtable_node *node = find_or_place(memtable, key);
    if (node != NULL) {
        add_version(memtable, node, sequence, tombstone, value);
        return;
    }
    // The node lies before its version, so that a scan goes forward through memory.
    uint32_t height = skiplist_random_height(&memtable->list);
    void *memory = generation_take(memtable->generation, skiplist_node_size(key.size, height));
    struct version *version =
        version_create(memtable->generation, NULL, sequence, tombstone, value);
    node = skiplist_insert(&memtable->list, memory, key, height, version);
    if (memtable->kind == MEMTABLE_STORE) hash_index_insert(&memtable->hashes, node);
    uint64_t count = atomic_load_explicit(&memtable->count, memory_order_relaxed);
    atomic_store_explicit(&memtable->count, count + 1, memory_order_relaxed);
}

// ---- reading --------------------------------------------------------------------------------

static struct memtable_node *find(const struct memtable *memtable, struct bytes key) {
    if (memtable->kind == MEMTABLE_STORE) {
        ASSERT(key.size == HASH_INDEX_KEY_SIZE);
        return hash_index_find(&memtable->hashes, key.data);
    }
    struct memtable_node *node = skiplist_seek(&memtable->list, key);
    return node != NULL && skiplist_equal(node, key) ? node : NULL;
}

const struct version *memtable_node_version(const struct memtable_node *node, uint64_t sequence) {
    const struct version *version = newest_of(node);
    while (version != NULL && version->sequence > sequence) version = version->older;
    return version;
}

const struct version *memtable_get(const struct memtable *memtable, struct bytes key,
                                   uint64_t sequence) {
    const struct memtable_node *node = find(memtable, key);
    return node == NULL ? NULL : memtable_node_version(node, sequence);
}

uint64_t memtable_newest(const struct memtable *memtable, struct bytes key) {
    const struct memtable_node *node = find(memtable, key);
    return node == NULL ? 0 : newest_of(node)->sequence;
}

void memtable_seek(struct memtable_cursor *cursor, const struct memtable *memtable,
                   struct bytes key) {
    cursor->memtable = memtable;
    cursor->node = skiplist_seek(&memtable->list, key);
}

void memtable_seek_before(struct memtable_cursor *cursor, const struct memtable *memtable,
                          struct bytes key) {
    cursor->memtable = memtable;
    cursor->node = skiplist_seek_before(&memtable->list, key);
}

void memtable_cursor_next(struct memtable_cursor *cursor) {
    ASSERT(cursor->node != NULL);
    const struct memtable_node *node = skiplist_next(cursor->node, 0);
    if (node != NULL) __builtin_prefetch(skiplist_next(node, 0));
    cursor->node = node;
}

void memtable_cursor_previous(struct memtable_cursor *cursor) {
    ASSERT(cursor->node != NULL);
    cursor->node = skiplist_seek_before(&cursor->memtable->list, memtable_node_key(cursor->node));
}

struct bytes memtable_node_key(const struct memtable_node *node) {
    return skiplist_key(node);
}
