// SPDX-License-Identifier: Apache-2.0
#include "storage/ddl.h"

#include "base/crc.h"
#include "storage/commit.h"
#include "storage/flusher.h"

struct ddl {
    struct storage *storage;
    struct bytes store, name, field;
    enum key_type key_type;
    struct error *error;
    struct buffer value;
    struct buffer payload;
    struct operation operation;
    uint32_t id;
    uint64_t sequence;
};

// Fills `operation` from the current catalogue, under the commit lock. STATUS_END: nothing to do.
typedef enum status ddl_describe(struct ddl *ddl, const struct catalog *catalog);

enum status ddl_note(struct buffer *buffer, uint64_t sequence, const struct operation *operation) {
    enum status status = buffer_append(buffer, &sequence, sizeof sequence);
    return status == STATUS_OK ? operation_encode(buffer, operation) : status;
}

static enum status prepare_locked(struct ddl *ddl, ddl_describe *describe,
                                  struct catalog **ret_catalog) {
    struct storage *storage = ddl->storage;
    buffer_clear(&ddl->value);
    buffer_clear(&ddl->payload);
    enum status status = describe(ddl, storage->version->catalog);
    if (status != STATUS_OK) return status;
    status = operation_encode(&ddl->payload, &ddl->operation);
    if (status == STATUS_OK)
        status = buffer_reserve(&storage->ddl, ddl->payload.size + sizeof(uint64_t));
    if (status == STATUS_OK) status = wal_reserve(storage->wal, ddl->payload.size);
    if (status != STATUS_OK) return status;
    return catalog_apply(storage->version->catalog, &ddl->operation, ret_catalog);
}

static enum status commit_locked(struct ddl *ddl, ddl_describe *describe) {
    struct storage *storage = ddl->storage;
    struct catalog *catalog;
    enum status status = prepare_locked(ddl, describe, &catalog);
    if (status != STATUS_OK) return status;
    const struct storage_version *before = storage->version;
    struct storage_version *after = version_new(before->number + 1, catalog, NULL,
                                                before->generations, before->generation_count);
    catalog_unref(catalog);
    if (after == NULL) return STATUS_NO_MEMORY;
    struct bytes payload = buffer_bytes(&ddl->payload);
    ddl->sequence = commit_append(storage, 1, payload, crc32c(0, payload.data, payload.size));
    status = ddl_note(&storage->ddl, ddl->sequence, &ddl->operation);
    ASSERT(status == STATUS_OK); // reserved
    storage_swap_version(storage, after);
    commit_publish(storage);
    return STATUS_OK;
}

static enum status ddl_commit(struct ddl *ddl, ddl_describe *describe) {
    struct storage *storage = ddl->storage;
    if (ddl->error != NULL) ddl->error->status = STATUS_OK;
    enum status status = commit_allowed(storage, ddl->error);
    while (status == STATUS_OK) {
        mutex_lock(&storage->commit_lock);
        status = commit_locked(ddl, describe);
        mutex_unlock(&storage->commit_lock);
        if (status != STATUS_PENDING) break;
        status = wal_prepare(storage->wal, ddl->payload.size);
    }
    buffer_done(&ddl->value);
    buffer_done(&ddl->payload);
    if (status == STATUS_OK) storage_notify(storage, STORAGE_VERSION);
    if (status != STATUS_OK && ddl->error != NULL && ddl->error->status != status)
        error_set(ddl->error, status, "the catalogue was not changed: %s", status_text(status));
    return status;
}

// ---- stores ---------------------------------------------------------------------------------

static enum status no_store(struct ddl *ddl) {
    return error_set(ddl->error, STATUS_NO_STORE, "there is no store \"%.*s\"",
                     (int)ddl->store.size, (const char *)ddl->store.data);
}

static enum status describe_create_store(struct ddl *ddl, const struct catalog *catalog) {
    if (catalog_store(catalog, ddl->store) != NULL)
        return error_set(ddl->error, STATUS_EXISTS, "the store \"%.*s\" exists",
                         (int)ddl->store.size, (const char *)ddl->store.data);
    ddl->id = catalog_next_store_id(catalog);
    enum status status = catalog_encode_store(&ddl->value, ddl->id, ddl->store, ddl->key_type);
    ddl->operation = (struct operation){
        .kind = OPERATION_CREATE_STORE, .id = ddl->id, .value = buffer_bytes(&ddl->value)};
    return status;
}

enum status storage_create_store(struct storage *storage, struct bytes name, enum key_type key_type,
                                 uint32_t *ret_id, uint64_t *ret_sequence, struct error *error) {
    enum status status = catalog_check_name(name, error);
    if (status != STATUS_OK) return status;
    struct ddl ddl = {.storage = storage, .store = name, .key_type = key_type, .error = error};
    status = ddl_commit(&ddl, describe_create_store);
    if (status != STATUS_OK) return status;
    if (ret_id != NULL) *ret_id = ddl.id;
    if (ret_sequence != NULL) *ret_sequence = ddl.sequence;
    return STATUS_OK;
}

static enum status describe_drop_store(struct ddl *ddl, const struct catalog *catalog) {
    const struct store_info *store = catalog_store(catalog, ddl->store);
    if (store == NULL) return no_store(ddl);
    ddl->operation = (struct operation){.kind = OPERATION_DROP_STORE, .id = store->id};
    return STATUS_OK;
}

enum status storage_drop_store(struct storage *storage, struct bytes name, uint64_t *ret_sequence,
                               struct error *error) {
    struct ddl ddl = {.storage = storage, .store = name, .error = error};
    enum status status = ddl_commit(&ddl, describe_drop_store);
    if (status != STATUS_OK) return status;
    if (ret_sequence != NULL) *ret_sequence = ddl.sequence;
    flusher_request(storage);
    return STATUS_OK;
}

// ---- indexes --------------------------------------------------------------------------------

static enum status describe_create_index(struct ddl *ddl, const struct catalog *catalog) {
    const struct store_info *store = catalog_store(catalog, ddl->store);
    if (store == NULL) return no_store(ddl);
    if (store_index(store, ddl->name) != NULL)
        return error_set(ddl->error, STATUS_EXISTS, "the index \"%.*s\" exists",
                         (int)ddl->name.size, (const char *)ddl->name.data);
    ddl->id = catalog_next_index_id(catalog);
    enum status status = catalog_encode_index(&ddl->value, ddl->id, store->id, ddl->name,
                                              ddl->field, INDEX_BUILDING);
    ddl->operation = (struct operation){
        .kind = OPERATION_CREATE_INDEX, .id = ddl->id, .value = buffer_bytes(&ddl->value)};
    return status;
}

enum status storage_create_index(struct storage *storage, struct bytes store, struct bytes name,
                                 struct bytes field, uint32_t *ret_id, uint64_t *ret_sequence,
                                 struct error *error) {
    enum status status = catalog_check_name(name, error);
    if (status != STATUS_OK) return status;
    if (!doc_path_valid(field))
        return error_set(error, STATUS_INVALID, "the field of an index is not a valid path");
    struct ddl ddl = {
        .storage = storage, .store = store, .name = name, .field = field, .error = error};
    status = ddl_commit(&ddl, describe_create_index);
    if (status != STATUS_OK) return status;
    if (ret_id != NULL) *ret_id = ddl.id;
    if (ret_sequence != NULL) *ret_sequence = ddl.sequence;
    flusher_request(storage);
    return STATUS_OK;
}

static enum status describe_drop_index(struct ddl *ddl, const struct catalog *catalog) {
    const struct store_info *store = catalog_store(catalog, ddl->store);
    if (store == NULL) return no_store(ddl);
    const struct index_info *index = store_index(store, ddl->name);
    if (index == NULL)
        return error_set(ddl->error, STATUS_NO_INDEX, "there is no index \"%.*s\"",
                         (int)ddl->name.size, (const char *)ddl->name.data);
    ddl->operation = (struct operation){.kind = OPERATION_DROP_INDEX, .id = index->id};
    return STATUS_OK;
}

enum status storage_drop_index(struct storage *storage, struct bytes store, struct bytes name,
                               uint64_t *ret_sequence, struct error *error) {
    struct ddl ddl = {.storage = storage, .store = store, .name = name, .error = error};
    enum status status = ddl_commit(&ddl, describe_drop_index);
    if (status != STATUS_OK) return status;
    if (ret_sequence != NULL) *ret_sequence = ddl.sequence;
    flusher_request(storage);
    return STATUS_OK;
}

static enum status describe_index_ready(struct ddl *ddl, const struct catalog *catalog) {
    const struct index_info *index = catalog_index_by_id(catalog, ddl->id);
    if (index == NULL || index->state == INDEX_READY) return STATUS_END;
    ddl->operation = (struct operation){.kind = OPERATION_INDEX_READY, .id = index->id};
    return STATUS_OK;
}

enum status ddl_index_ready(struct storage *storage, uint32_t index_id) {
    struct ddl ddl = {.storage = storage, .id = index_id};
    enum status status = ddl_commit(&ddl, describe_index_ready);
    return status == STATUS_END ? STATUS_OK : status;
}
