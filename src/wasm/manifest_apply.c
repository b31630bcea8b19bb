// SPDX-License-Identifier: Apache-2.0
// Brings the catalogue to what the manifest declares. Nothing is ever dropped or changed.
#include "wasm/wasm.h"

// What the catalogue holds under the names of one declaration, copied out of the view.
struct found {
    bool store, index;
    enum key_type key_type;
    bool same_field;
};

static void look_up(const struct catalog *catalog, const char *store_name, const char *index_name,
                    const char *field, struct found *ret) {
    *ret = (struct found){.store = false};
    const struct store_info *store = catalog_store(catalog, bytes_of_string(store_name));
    if (store == NULL) return;
    ret->store = true;
    ret->key_type = store->key_type;
    if (index_name == NULL) return;
    const struct index_info *index = store_index(store, bytes_of_string(index_name));
    ret->index = index != NULL;
    ret->same_field = index != NULL && strcmp(index->field, field) == 0;
}

static enum status find(struct reader *reader, const char *store, const char *index,
                        const char *field, struct found *ret, struct error *error) {
    struct view view;
    enum status status = view_begin(reader, READ_LATEST, &view);
    if (status != STATUS_OK)
        return error_set(error, status, "manifest: the catalogue cannot be read");
    look_up(view_catalog(&view), store, index, field, ret);
    view_end(&view);
    return STATUS_OK;
}

static enum status apply_store(struct storage *storage, struct reader *reader,
                               const struct manifest_store *store, struct error *error) {
    struct found found;
    enum status status = find(reader, store->name, NULL, NULL, &found, error);
    if (status != STATUS_OK) return status;
    if (found.store && found.key_type != store->key_type)
        return error_set(error, STATUS_INVALID,
                         "manifest: store \"%s\" has keys of type %s, the module declares %s",
                         store->name, key_type_name(found.key_type),
                         key_type_name(store->key_type));
    if (found.store) return STATUS_OK;
    uint32_t id;
    return storage_create_store(storage, bytes_of_string(store->name), store->key_type, &id, NULL,
                                error);
}

static enum status apply_index(struct storage *storage, struct reader *reader,
                               const struct manifest_index *index, struct error *error) {
    struct found found;
    enum status status = find(reader, index->store, index->name, index->field, &found, error);
    if (status != STATUS_OK) return status;
    if (found.index && !found.same_field)
        return error_set(error, STATUS_INVALID,
                         "manifest: index \"%s\" of store \"%s\" is on another field than \"%s\"",
                         index->name, index->store, index->field);
    if (found.index) return STATUS_OK;
    uint32_t id;
    return storage_create_index(storage, bytes_of_string(index->store),
                                bytes_of_string(index->name), bytes_of_string(index->field), &id,
                                NULL, error);
}

static enum status apply_all(const struct manifest *manifest, struct storage *storage,
                             struct reader *reader, struct error *error) {
    for (size_t i = 0; i < manifest->store_count; i++) {
        enum status status = apply_store(storage, reader, &manifest->stores[i], error);
        if (status != STATUS_OK) return status;
    }
    for (size_t i = 0; i < manifest->index_count; i++) {
        enum status status = apply_index(storage, reader, &manifest->indexes[i], error);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

enum status manifest_apply(const struct manifest *manifest, struct engine *engine,
                           struct error *error) {
    struct storage *storage = engine_storage(engine);
    struct reader *reader;
    enum status status = reader_open(storage, &reader);
    if (status != STATUS_OK)
        return error_set(error, status, "manifest: the catalogue cannot be read");
    status = apply_all(manifest, storage, reader, error);
    reader_close(reader);
    if (status != STATUS_OK) return status;
    status = storage_wait_indexes(storage);
    if (status != STATUS_OK) return error_set(error, status, "manifest: an index build failed");
    return STATUS_OK;
}
