// SPDX-License-Identifier: Apache-2.0
// A hash table from numbers to the catalogue's objects that is copied by one memcpy.
#include <stdlib.h>

#include "base/hash.h"
#include "storage/catalog_internal.h"

#define CAPACITY_FIRST 16

static size_t place_of(const struct catalog_table *table, uint64_t key) {
    return (size_t)hash_words(key, 0) & (table->capacity - 1);
}

static void insert(struct catalog_table *table, uint64_t key, const void *item) {
    size_t place = place_of(table, key);
    while (table->slots[place].item != NULL) place = (place + 1) & (table->capacity - 1);
    table->slots[place] = (struct catalog_slot){key, item};
}

static enum status grow(struct catalog_table *table) {
    struct catalog_table grown = {
        .capacity = table->capacity != 0 ? table->capacity * 2 : CAPACITY_FIRST,
        .count = table->count,
    };
    grown.slots = calloc(grown.capacity, sizeof *grown.slots);
    if (grown.slots == NULL) return STATUS_NO_MEMORY;
    for (size_t i = 0; i < table->capacity; i++)
        if (table->slots[i].item != NULL) insert(&grown, table->slots[i].key, table->slots[i].item);
    free(table->slots);
    *table = grown;
    return STATUS_OK;
}

enum status catalog_table_add(struct catalog_table *table, uint64_t key, const void *item) {
    if (table->count * 2 >= table->capacity) {
        enum status status = grow(table);
        if (status != STATUS_OK) return status;
    }
    insert(table, key, item);
    table->count++;
    return STATUS_OK;
}

const void *catalog_table_find(const struct catalog_table *table, uint64_t key, size_t *position) {
    if (table->capacity == 0) return NULL;
    size_t place =
        *position == SIZE_MAX ? place_of(table, key) : (*position + 1) & (table->capacity - 1);
    for (; table->slots[place].item != NULL; place = (place + 1) & (table->capacity - 1)) {
        if (table->slots[place].key != key) continue;
        *position = place;
        return table->slots[place].item;
    }
    return NULL;
}

static size_t position_of(const struct catalog_table *table, uint64_t key, const void *item) {
    size_t position = SIZE_MAX;
    const void *found;
    do {
        found = catalog_table_find(table, key, &position);
        ASSERT(found != NULL);
    } while (found != item);
    return position;
}

void catalog_table_replace(struct catalog_table *table, uint64_t key, const void *old,
                           const void *item) {
    table->slots[position_of(table, key, old)].item = item;
}

// Entries behind the hole move up when the hole lies between their own place and where they are.
void catalog_table_remove(struct catalog_table *table, uint64_t key, const void *item) {
    size_t mask = table->capacity - 1;
    size_t hole = position_of(table, key, item);
    for (size_t i = (hole + 1) & mask; table->slots[i].item != NULL; i = (i + 1) & mask) {
        size_t home = place_of(table, table->slots[i].key);
        if (((i - home) & mask) < ((i - hole) & mask)) continue;
        table->slots[hole] = table->slots[i];
        hole = i;
    }
    table->slots[hole] = (struct catalog_slot){0};
    table->count--;
}

enum status catalog_table_copy(const struct catalog_table *table, struct catalog_table *ret) {
    struct catalog_table copy = *table;
    if (table->capacity > 0) {
        copy.slots = malloc(table->capacity * sizeof *copy.slots);
        if (copy.slots == NULL) return STATUS_NO_MEMORY;
        memcpy(copy.slots, table->slots, table->capacity * sizeof *copy.slots);
    }
    *ret = copy;
    return STATUS_OK;
}
