// SPDX-License-Identifier: Apache-2.0
// The catalogue: making, sharing and looking up.
#include "storage/catalog.h"

#include <stdlib.h>

#include "base/hash.h"
#include "storage/catalog_internal.h"

struct catalog *catalog_new(void) {
    struct catalog *catalog = calloc(1, sizeof *catalog);
    if (catalog == NULL) return NULL;
    atomic_init(&catalog->references, 1);
    catalog->next_store_id = 1;
    catalog->next_index_id = 1;
    return catalog;
}

struct catalog *catalog_ref(const struct catalog *catalog) {
    struct catalog *shared = (struct catalog *)(uintptr_t)catalog;
    uint32_t before = atomic_fetch_add_explicit(&shared->references, 1, memory_order_relaxed);
    ASSERT(before > 0);
    return shared;
}

static void unref_waiting(const struct catalog_table *waiting) {
    for (size_t i = 0; i < waiting->capacity; i++)
        catalog_unref_index((struct catalog_index *)(uintptr_t)waiting->slots[i].item);
}

void catalog_unref(const struct catalog *catalog) {
    if (catalog == NULL) return;
    struct catalog *shared = (struct catalog *)(uintptr_t)catalog;
    uint32_t before = atomic_fetch_sub_explicit(&shared->references, 1, memory_order_acq_rel);
    ASSERT(before > 0);
    if (before != 1) return;
    for (size_t i = 0; i < shared->store_count; i++) catalog_unref_store(shared->stores[i]);
    unref_waiting(&shared->waiting);
    free(shared->stores);
    free(shared->waiting.slots);
    free(shared->names.slots);
    free(shared->ids.slots);
    free(shared->indexes.slots);
    free(shared);
}

static enum status copy_stores(const struct catalog *catalog, struct catalog *copy) {
    size_t room = catalog->store_count + 1; // most changes add one
    copy->stores = malloc(room * sizeof(struct catalog_store *));
    if (copy->stores == NULL) return STATUS_NO_MEMORY;
    copy->store_capacity = room;
    for (size_t i = 0; i < catalog->store_count; i++) {
        copy->stores[i] = catalog->stores[i];
        atomic_fetch_add_explicit(&copy->stores[i]->references, 1, memory_order_relaxed);
    }
    copy->store_count = catalog->store_count;
    return STATUS_OK;
}

enum status catalog_copy(const struct catalog *catalog, struct catalog **ret) {
    if (catalog->waiting.count > 0) return STATUS_CORRUPT; // indexes of stores that never came
    struct catalog *copy = catalog_new();
    if (copy == NULL) return STATUS_NO_MEMORY;
    copy->next_store_id = catalog->next_store_id;
    copy->next_index_id = catalog->next_index_id;
    enum status status = copy_stores(catalog, copy);
    if (status == STATUS_OK) status = catalog_table_copy(&catalog->names, &copy->names);
    if (status == STATUS_OK) status = catalog_table_copy(&catalog->ids, &copy->ids);
    if (status == STATUS_OK) status = catalog_table_copy(&catalog->indexes, &copy->indexes);
    if (status != STATUS_OK) {
        catalog_unref(copy);
        return status;
    }
    *ret = copy;
    return STATUS_OK;
}

// ---- look-ups -------------------------------------------------------------------------------

uint32_t catalog_next_store_id(const struct catalog *catalog) {
    return catalog->next_store_id;
}

uint32_t catalog_next_index_id(const struct catalog *catalog) {
    return catalog->next_index_id;
}

const struct store_info *catalog_store(const struct catalog *catalog, struct bytes name) {
    uint64_t hash = hash_bytes(name, 0);
    size_t position = SIZE_MAX;
    const struct catalog_store *store;
    while ((store = catalog_table_find(&catalog->names, hash, &position)) != NULL)
        if (bytes_equal_string(name, store->info.name)) return &store->info;
    return NULL;
}

const struct store_info *catalog_store_by_id(const struct catalog *catalog, uint32_t id) {
    size_t position = SIZE_MAX;
    const struct catalog_store *store = catalog_table_find(&catalog->ids, id, &position);
    return store != NULL ? &store->info : NULL;
}

const struct index_info *catalog_index_by_id(const struct catalog *catalog, uint32_t id) {
    size_t position = SIZE_MAX;
    const struct catalog_index *index = catalog_table_find(&catalog->indexes, id, &position);
    return index != NULL ? &index->info : NULL;
}

size_t catalog_store_count(const struct catalog *catalog) {
    return catalog->store_count;
}

const struct store_info *catalog_store_at(const struct catalog *catalog, size_t position) {
    ASSERT(position < catalog->store_count);
    return &catalog->stores[position]->info;
}

const struct index_info *store_index(const struct store_info *store, struct bytes name) {
    for (size_t i = 0; i < store->index_count; i++)
        if (bytes_equal_string(name, store->indexes[i]->name)) return store->indexes[i];
    return NULL;
}
