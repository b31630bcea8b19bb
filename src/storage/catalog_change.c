// SPDX-License-Identifier: Apache-2.0
// Changes to a catalogue that nobody else holds yet.
#include <stdlib.h>

#include "storage/catalog_internal.h"

// Where the name is, or would be, among the sorted stores.
static size_t sorted_position(const struct catalog *catalog, struct bytes name) {
    size_t low = 0, high = catalog->store_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (bytes_compare(bytes_of_string(catalog->stores[middle]->info.name), name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static enum status make_room(struct catalog *catalog) {
    if (catalog->store_count < catalog->store_capacity) return STATUS_OK;
    size_t capacity = catalog->store_capacity < 8 ? 8 : catalog->store_capacity * 2;
    struct catalog_store **stores =
        realloc(catalog->stores, capacity * sizeof(struct catalog_store *));
    if (stores == NULL) return STATUS_NO_MEMORY;
    catalog->stores = stores;
    catalog->store_capacity = capacity;
    return STATUS_OK;
}

// Takes the reference over, also when it fails.
static enum status insert_store(struct catalog *catalog, struct catalog_store *store) {
    enum status status = make_room(catalog);
    if (status == STATUS_OK) status = catalog_table_add(&catalog->names, store->name_hash, store);
    if (status != STATUS_OK) {
        catalog_unref_store(store);
        return status;
    }
    status = catalog_table_add(&catalog->ids, store->info.id, store);
    if (status != STATUS_OK) {
        catalog_table_remove(&catalog->names, store->name_hash, store);
        catalog_unref_store(store);
        return status;
    }
    size_t position = sorted_position(catalog, bytes_of_string(store->info.name));
    memmove(catalog->stores + position + 1, catalog->stores + position,
            (catalog->store_count - position) * sizeof(struct catalog_store *));
    catalog->stores[position] = store;
    catalog->store_count++;
    return STATUS_OK;
}

enum status catalog_add_store(struct catalog *catalog, uint32_t id, enum key_type key_type,
                              struct bytes name) {
    if (id == 0 || id == UINT32_MAX || catalog_store_by_id(catalog, id) != NULL ||
        catalog_store(catalog, name) != NULL)
        return STATUS_CORRUPT;
    struct catalog_store *store = catalog_new_store(id, key_type, name, 0);
    if (store == NULL) return STATUS_NO_MEMORY;
    enum status status = insert_store(catalog, store);
    if (status == STATUS_OK && id >= catalog->next_store_id) catalog->next_store_id = id + 1;
    return status;
}

// Puts `changed` (the reference is taken over) in the place of the store of the same id and name.
static void replace_store(struct catalog *catalog, struct catalog_store *changed) {
    size_t position = sorted_position(catalog, bytes_of_string(changed->info.name));
    struct catalog_store *old = catalog->stores[position];
    ASSERT(old->info.id == changed->info.id);
    catalog_table_replace(&catalog->names, old->name_hash, old, changed);
    catalog_table_replace(&catalog->ids, old->info.id, old, changed);
    catalog->stores[position] = changed;
    catalog_unref_store(old);
}

// Replaces the index's store by one with `added` and without `removed` (either may be NULL).
static enum status change_indexes(struct catalog *catalog, uint32_t store_id,
                                  const struct index_info *removed, struct index_info *added) {
    const struct store_info *store = catalog_store_by_id(catalog, store_id);
    ASSERT(store != NULL);
    struct catalog_store *changed = catalog_store_with(store, removed, added);
    if (changed == NULL) return STATUS_NO_MEMORY;
    replace_store(catalog, changed);
    return STATUS_OK;
}

static bool index_id_fits(const struct catalog *catalog, uint32_t id) {
    return id != 0 && id != UINT32_MAX && catalog_index_by_id(catalog, id) == NULL;
}

// The store, checked, holds the index from now on.
static enum status attach_index(struct catalog *catalog, struct catalog_index *index) {
    const struct store_info *store = catalog_store_by_id(catalog, index->info.store_id);
    if (store == NULL || store_index(store, bytes_of_string(index->info.name)) != NULL)
        return STATUS_CORRUPT;
    uint32_t id = index->info.id;
    enum status status = catalog_table_add(&catalog->indexes, id, index);
    if (status != STATUS_OK) return status;
    status = change_indexes(catalog, index->info.store_id, NULL, &index->info);
    if (status != STATUS_OK) {
        catalog_table_remove(&catalog->indexes, id, index);
        return status;
    }
    if (id >= catalog->next_index_id) catalog->next_index_id = id + 1;
    return STATUS_OK;
}

enum status catalog_add_index(struct catalog *catalog,
                              const struct catalog_index_definition *definition) {
    if (!index_id_fits(catalog, definition->id)) return STATUS_CORRUPT;
    struct catalog_index *index = catalog_new_index(definition);
    if (index == NULL) return STATUS_NO_MEMORY;
    enum status status = attach_index(catalog, index);
    catalog_unref_index(index); // the store has its own reference
    return status;
}

enum status catalog_wait_index(struct catalog *catalog,
                               const struct catalog_index_definition *definition) {
    if (!index_id_fits(catalog, definition->id)) return STATUS_CORRUPT;
    struct catalog_index *index = catalog_new_index(definition);
    if (index == NULL) return STATUS_NO_MEMORY;
    enum status status = catalog_table_add(&catalog->waiting, definition->store_id, index);
    if (status != STATUS_OK) catalog_unref_index(index);
    return status;
}

enum status catalog_attach_waiting(struct catalog *catalog, uint32_t store_id) {
    for (;;) {
        size_t position = SIZE_MAX;
        struct catalog_index *index = (struct catalog_index *)(uintptr_t)catalog_table_find(
            &catalog->waiting, store_id, &position);
        if (index == NULL) return STATUS_OK;
        catalog_table_remove(&catalog->waiting, store_id, index);
        enum status status =
            index_id_fits(catalog, index->info.id) ? attach_index(catalog, index) : STATUS_CORRUPT;
        catalog_unref_index(index);
        if (status != STATUS_OK) return status;
    }
}

enum status catalog_remove_store(struct catalog *catalog, uint32_t id) {
    const struct store_info *info = catalog_store_by_id(catalog, id);
    if (info == NULL) return STATUS_CORRUPT;
    struct catalog_store *store = catalog_store_of(info);
    for (size_t i = 0; i < info->index_count; i++)
        catalog_table_remove(&catalog->indexes, info->indexes[i]->id,
                             catalog_index_of(info->indexes[i]));
    catalog_table_remove(&catalog->names, store->name_hash, store);
    catalog_table_remove(&catalog->ids, id, store);
    size_t position = sorted_position(catalog, bytes_of_string(info->name));
    ASSERT(catalog->stores[position] == store);
    catalog->store_count--;
    memmove(catalog->stores + position, catalog->stores + position + 1,
            (catalog->store_count - position) * sizeof(struct catalog_store *));
    catalog_unref_store(store);
    return STATUS_OK;
}

enum status catalog_remove_index(struct catalog *catalog, uint32_t id) {
    const struct index_info *info = catalog_index_by_id(catalog, id);
    if (info == NULL) return STATUS_CORRUPT;
    const struct catalog_index *index = catalog_index_of(info);
    enum status status = change_indexes(catalog, info->store_id, info, NULL);
    if (status == STATUS_OK) catalog_table_remove(&catalog->indexes, id, index);
    return status;
}

enum status catalog_ready_index(struct catalog *catalog, uint32_t id) {
    const struct index_info *info = catalog_index_by_id(catalog, id);
    if (info == NULL) return STATUS_CORRUPT;
    struct catalog_index_definition definition = {
        .id = id,
        .store_id = info->store_id,
        .state = INDEX_READY,
        .name = bytes_of_string(info->name),
        .field = bytes_of_string(info->field),
    };
    const struct catalog_index *old = catalog_index_of(info);
    struct catalog_index *ready = catalog_new_index(&definition);
    if (ready == NULL) return STATUS_NO_MEMORY;
    enum status status = change_indexes(catalog, info->store_id, info, &ready->info);
    if (status == STATUS_OK) catalog_table_replace(&catalog->indexes, id, old, ready);
    catalog_unref_index(ready);
    return status;
}
