// SPDX-License-Identifier: Apache-2.0
#include "storage/hash_index.h"

#include "base/hash.h"

enum {
    SLOTS_MIN = 8,
    TAG_BITS = 16,
    ADDRESS_BITS = 64 - TAG_BITS,
};

struct hash_table {
    size_t mask; // number of slots - 1
    _Alignas(64) _Atomic uintptr_t slots[];
};

// Both factors of the product in hash_words() depend on the seed.
static uint64_t hash_of(uint64_t seed, const uint8_t *key) {
    return hash_words(load_le64(key) ^ seed, load_le64(key + 8) ^ (seed << 32 | seed >> 32));
}

// The place comes from the low bits of the hash, the tag from the high ones.
static uintptr_t slot_of(const struct memtable_node *node, uint64_t hash) {
    uintptr_t address = (uintptr_t)node;
    ASSERT(address >> ADDRESS_BITS == 0);
    return address | (uintptr_t)(hash >> ADDRESS_BITS << ADDRESS_BITS);
}

static struct memtable_node *slot_node(uintptr_t slot) {
    return (struct memtable_node *)(slot & (((uintptr_t)1 << ADDRESS_BITS) - 1));
}

static size_t slot_count_for(size_t count) {
    size_t slots = SLOTS_MIN;
    while (slots / 2 < count) slots *= 2;
    return slots;
}

size_t hash_index_table_size(size_t count) {
    return sizeof(struct hash_table) + slot_count_for(count) * sizeof(_Atomic uintptr_t);
}

static struct hash_table *writer_table(const struct hash_index *index) {
    return atomic_load_explicit(&index->table, memory_order_relaxed);
}

bool hash_index_has_room(const struct hash_index *index, size_t extra) {
    const struct hash_table *table = writer_table(index);
    return table != NULL && index->count + extra <= (table->mask + 1) / 2;
}

static void place(struct hash_table *table, uint64_t seed, struct memtable_node *node) {
    uint64_t hash = hash_of(seed, skiplist_key(node).data);
    size_t position = hash & table->mask;
    while (atomic_load_explicit(&table->slots[position], memory_order_relaxed) != 0)
        position = (position + 1) & table->mask;
    atomic_store_explicit(&table->slots[position], slot_of(node, hash), memory_order_release);
}

void hash_index_use_table(struct hash_index *index, void *memory, size_t count) {
    ASSERT(count >= index->count);
    struct hash_table *table = memory;
    const struct hash_table *old = writer_table(index);
    table->mask = slot_count_for(count) - 1;
    if (old != NULL) {
        for (size_t position = 0; position <= old->mask; position++) {
            uintptr_t slot = atomic_load_explicit(&old->slots[position], memory_order_relaxed);
            if (slot != 0) place(table, index->seed, slot_node(slot));
        }
    }
    atomic_store_explicit(&index->table, table, memory_order_release);
}

struct memtable_node *hash_index_find(const struct hash_index *index, const uint8_t *key) {
    const struct hash_table *table = atomic_load_explicit(&index->table, memory_order_acquire);
    uint64_t hash = hash_of(index->seed, key);
    for (size_t position = hash & table->mask;; position = (position + 1) & table->mask) {
        uintptr_t slot = atomic_load_explicit(&table->slots[position], memory_order_acquire);
        if (slot == 0) return NULL;
        if ((slot ^ hash) >> ADDRESS_BITS != 0) continue;
        struct memtable_node *node = slot_node(slot);
        if (memcmp(skiplist_key(node).data, key, HASH_INDEX_KEY_SIZE) == 0) return node;
    }
}

void hash_index_insert(struct hash_index *index, struct memtable_node *node) {
    ASSERT(hash_index_has_room(index, 1));
    place(writer_table(index), index->seed, node);
    index->count++;
}
