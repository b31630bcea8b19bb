// SPDX-License-Identifier: Apache-2.0
#include "query/table.h"

#include "base/hash.h"

#define CAPACITY_FIRST 64

// The slot of the key, or the free one where it belongs.
static struct table_entry **find_slot(const struct table *table, uint64_t hash, struct bytes key) {
    size_t i = hash & (table->capacity - 1);
    for (;; i = (i + 1) & (table->capacity - 1)) {
        struct table_entry *entry = table->slots[i];
        if (entry == NULL || (entry->hash == hash && bytes_equal(entry->key, key)))
            return &table->slots[i];
    }
}

static bool grow(struct table *table) {
    struct table larger = *table;
    larger.capacity = table->capacity == 0 ? CAPACITY_FIRST : table->capacity * 2;
    larger.slots = arena_zalloc(table->arena, larger.capacity * sizeof(void *));
    if (larger.slots == NULL) return false;
    for (size_t i = 0; i < table->capacity; i++) {
        struct table_entry *entry = table->slots[i];
        if (entry != NULL) *find_slot(&larger, entry->hash, entry->key) = entry;
    }
    *table = larger;
    return true;
}

struct table_entry *table_find(const struct table *table, struct bytes key) {
    return table->capacity == 0 ? NULL : *find_slot(table, hash_bytes(key, 0), key);
}

struct table_entry *table_add(struct table *table, struct bytes key) {
    if (table->count * 2 >= table->capacity && !grow(table)) return NULL;
    uint64_t hash = hash_bytes(key, 0);
    struct table_entry **slot = find_slot(table, hash, key);
    if (*slot != NULL) return *slot;
    struct table_entry *entry = arena_zalloc(table->arena, sizeof *entry + key.size);
    if (entry == NULL) return NULL;
    if (key.size > 0) memcpy(entry + 1, key.data, key.size);
    entry->hash = hash;
    entry->key = bytes_of(entry + 1, key.size);
    table->count++;
    *slot = entry;
    return entry;
}
