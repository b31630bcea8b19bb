// SPDX-License-Identifier: Apache-2.0
// The catalogue's counted objects: stores and indexes.
#include <stdlib.h>

#include "base/hash.h"
#include "storage/catalog_internal.h"

static char *copy_string(struct bytes text) {
    char *copy = malloc(text.size + 1);
    if (copy == NULL) return NULL;
    if (text.size > 0) memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return copy;
}

void catalog_unref_index(struct catalog_index *index) {
    if (index == NULL) return;
    if (atomic_fetch_sub_explicit(&index->references, 1, memory_order_acq_rel) != 1) return;
    free(index->info.name);
    free(index->info.field);
    free(index);
}

void catalog_unref_store(struct catalog_store *store) {
    if (store == NULL) return;
    if (atomic_fetch_sub_explicit(&store->references, 1, memory_order_acq_rel) != 1) return;
    for (size_t i = 0; i < store->info.index_count; i++)
        catalog_unref_index(catalog_index_of(store->info.indexes[i]));
    free(store->info.indexes);
    free(store->info.name);
    free(store);
}

static struct index_info *ref_index(struct index_info *info) {
    atomic_fetch_add_explicit(&catalog_index_of(info)->references, 1, memory_order_relaxed);
    return info;
}

struct catalog_index *catalog_new_index(const struct catalog_index_definition *definition) {
    struct catalog_index *index = calloc(1, sizeof *index);
    if (index == NULL) return NULL;
    atomic_init(&index->references, 1);
    index->info = (struct index_info){
        .id = definition->id,
        .store_id = definition->store_id,
        .state = definition->state,
        .name = copy_string(definition->name),
        .field = copy_string(definition->field),
    };
    if (index->info.name != NULL && index->info.field != NULL) return index;
    catalog_unref_index(index);
    return NULL;
}

// A store without indexes but with room for `index_room`.
struct catalog_store *catalog_new_store(uint32_t id, enum key_type key_type, struct bytes name,
                                        size_t index_room) {
    struct catalog_store *store = calloc(1, sizeof *store);
    if (store == NULL) return NULL;
    atomic_init(&store->references, 1);
    store->name_hash = hash_bytes(name, 0);
    store->info = (struct store_info){.id = id, .key_type = key_type, .name = copy_string(name)};
    if (index_room > 0) store->info.indexes = calloc(index_room, sizeof(struct index_info *));
    if (store->info.name != NULL && (index_room == 0 || store->info.indexes != NULL)) return store;
    catalog_unref_store(store);
    return NULL;
}

// Where an index of this id belongs among indexes in order of id.
static size_t index_position(const struct store_info *store, uint32_t id) {
    size_t position = store->index_count;
    while (position > 0 && store->indexes[position - 1]->id > id) position--;
    return position;
}

struct catalog_store *catalog_store_with(const struct store_info *store,
                                         const struct index_info *removed,
                                         struct index_info *added) {
    struct catalog_store *changed = catalog_new_store(
        store->id, store->key_type, bytes_of_string(store->name), store->index_count + 1);
    if (changed == NULL) return NULL;
    struct store_info *info = &changed->info;
    for (size_t i = 0; i < store->index_count; i++)
        if (store->indexes[i] != removed)
            info->indexes[info->index_count++] = ref_index(store->indexes[i]);
    if (added == NULL) return changed;
    size_t position = index_position(info, added->id);
    memmove(info->indexes + position + 1, info->indexes + position,
            (info->index_count - position) * sizeof(struct index_info *));
    info->indexes[position] = ref_index(added);
    info->index_count++;
    return changed;
}
