// SPDX-License-Identifier: Apache-2.0
#include "storage/replay.h"

#include "storage/commit.h"
#include "storage/ddl.h"

void replay_done(struct replay *replay) {
    batch_done(&replay->batch);
}

// What was under the key before. The index may be half-written by a flush that did not end, and
// so hold a newer document than the one that the operation replaced: flush.c says why that is fine.
static enum status find_old(struct replay *replay, const struct operation *operation,
                            struct bytes *ret) {
    struct storage *storage = replay->storage;
    struct storage_version *version = storage->version;
    // A snapshot of what has been replayed so far; sequences bound nothing here.
    struct reader reader = {.storage = storage};
    struct snapshot snapshot = {.reader = &reader,
                                .version = version,
                                .generation_count = version->generation_count,
                                .index = replay->index};
    struct found found;
    enum status status =
        snapshot_find(&snapshot, UINT64_MAX, operation->id, &operation->key, &found);
    *ret = (struct bytes){0};
    if (status != STATUS_OK || !found.exists) return status;
    return snapshot_document(&snapshot, operation->id, &operation->key, &found, ret);
}

static enum status replay_write(struct replay *replay, const struct operation *operation) {
    const struct store_info *store =
        catalog_store_by_id(replay->storage->version->catalog, operation->id);
    if (store == NULL) return STATUS_CORRUPT;
    struct bytes old = {0};
    enum status status = store->index_count > 0 ? find_old(replay, operation, &old) : STATUS_OK;
    if (status == STATUS_OK) status = batch_room(&replay->batch, replay->batch.operation_count + 1);
    if (status == STATUS_OK)
        status = batch_add(&replay->batch, store, operation, old, false, false);
    return status;
}

static enum status replay_ddl(struct replay *replay, const struct operation *operation,
                              uint64_t sequence) {
    struct storage *storage = replay->storage;
    struct catalog *catalog;
    enum status status = catalog_apply(storage->version->catalog, operation, &catalog);
    if (status != STATUS_OK) return status;
    const struct storage_version *before = storage->version;
    struct storage_version *after = version_new(before->number + 1, catalog, NULL,
                                                before->generations, before->generation_count);
    catalog_unref(catalog);
    if (after == NULL) return STATUS_NO_MEMORY;
    storage_swap_version(storage, after);
    return ddl_note(&storage->ddl, sequence, operation);
}

// DDL stands alone in its record.
static enum status replay_operations(struct replay *replay, const struct wal_record *record) {
    struct bytes payload = record->payload;
    struct operation operation;
    uint32_t count = 0;
    enum status status;
    while ((status = operation_decode(&payload, &operation)) == STATUS_OK) {
        bool write = operation.kind == OPERATION_PUT || operation.kind == OPERATION_DELETE;
        if (operation.kind == OPERATION_EVENT) return STATUS_CORRUPT; // not of this version
        if (!write && record->operation_count != 1) return STATUS_CORRUPT;
        if (count++ == record->operation_count) return STATUS_CORRUPT;
        status = write ? replay_write(replay, &operation)
                       : replay_ddl(replay, &operation, record->first_sequence);
        if (status != STATUS_OK) return status;
    }
    if (status != STATUS_END) return status;
    return count == record->operation_count ? STATUS_OK : STATUS_CORRUPT;
}

enum status replay_record(const struct wal_record *record, void *context) {
    struct replay *replay = context;
    struct storage *storage = replay->storage;
    struct generation *active = version_active(storage->version);
    if (atomic_load(&active->bytes) >= (uint64_t)storage->options.memtable_bytes) {
        enum status status = commit_freeze(storage, active);
        if (status != STATUS_OK) return status;
    }
    batch_clear(&replay->batch);
    enum status status = replay_operations(replay, record);
    if (status == STATUS_OK)
        status = batch_reserve(&replay->batch, version_active(storage->version));
    if (status != STATUS_OK) return status;
    batch_apply(&replay->batch, record->first_sequence);
    storage->next_sequence = record->first_sequence + record->operation_count;
    storage->last_commit_time_ns = record->commit_time_ns;
    return STATUS_OK;
}
