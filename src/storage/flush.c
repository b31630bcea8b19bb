// SPDX-License-Identifier: Apache-2.0
// Frozen generations to disk. The order of the steps is what recovery and readers rely on:
//
// 1. The log is made durable through the last sequence, so that `ack` is at or past everything
//    that the index will hold.
// 2. Newest versions, DDL and a footer go to the value log; it is synced.
// 3. All changes of secondary indexes, then 4. all of the primary tree go to the index in bounded
//    transactions, and the checkpoint in the last. Until readers have that one, the frozen
//    generations shadow what is half-written. After a crash in step 3 every primary entry is still
//    the old one, so replay works out the same changes again; after a crash in step 4 the
//    secondary tree is complete, and replay, which may then meet newer documents in the primary
//    tree than the ones it replaces, ends with the same puts and only repeats deletions.
// 5. A version without those generations; then the log lets go of its segments.
#include <stdlib.h>

#include "base/metrics.h"
#include "storage/commit.h"
#include "storage/flusher.h"
#include "storage/history.h"
#include "storage/merge.h"

#define TRANSACTION_PAGES_MAX 16384

struct flush {
    struct storage *storage;
    struct frozen *frozen[MERGE_GENERATIONS_MAX]; // newest first, as are `generations`
    struct generation *generations[MERGE_GENERATIONS_MAX];
    size_t count;
    const struct catalog *catalog; // as of the last sequence
    uint64_t last_sequence;
    uint64_t operations;
    struct vlog_pointer *pointers; // of the primary entries in the order of the merges
    size_t pointer_count, pointer_capacity, next_pointer;
    struct index_writer *writer;
    size_t entries; // in this transaction
    uint64_t transactions;
    struct merge merge;
};

// The oldest ones, as many as a merge can take.
static void take_frozen(struct flush *flush) {
    struct storage *storage = flush->storage;
    struct frozen *oldest_first[MERGE_GENERATIONS_MAX];
    mutex_lock(&storage->commit_lock);
    for (struct list *node = storage->frozen.next; node != &storage->frozen; node = node->next) {
        if (flush->count == MERGE_GENERATIONS_MAX) break;
        oldest_first[flush->count++] = container_of(node, struct frozen, node);
    }
    mutex_unlock(&storage->commit_lock);
    ASSERT(flush->count > 0);
    for (size_t i = 0; i < flush->count; i++) {
        flush->frozen[i] = oldest_first[flush->count - 1 - i];
        flush->generations[i] = flush->frozen[i]->generation;
    }
    flush->catalog = flush->frozen[0]->catalog;
    flush->last_sequence = atomic_load(&flush->generations[0]->last_sequence);
    ASSERT(flush->last_sequence >= atomic_load(&storage->checkpoint));
}

// ---- value log ------------------------------------------------------------------------------

static enum status add_pointer(struct flush *flush, const struct vlog_pointer *pointer) {
    if (flush->pointer_count == flush->pointer_capacity) {
        size_t capacity = flush->pointer_capacity == 0 ? 4096 : flush->pointer_capacity * 2;
        struct vlog_pointer *grown = realloc(flush->pointers, capacity * sizeof *grown);
        if (grown == NULL) return STATUS_NO_MEMORY;
        flush->pointers = grown;
        flush->pointer_capacity = capacity;
    }
    flush->pointers[flush->pointer_count++] = *pointer;
    return STATUS_OK;
}

static void key_of(struct bytes bytes, struct key *ret) {
    ASSERT(bytes.size == sizeof ret->bytes);
    memcpy(ret->bytes, bytes.data, sizeof ret->bytes);
}

static enum status log_store(struct flush *flush, uint32_t store_id) {
    struct bytes bytes;
    const struct version *version;
    merge_begin(&flush->merge, flush->generations, flush->count, MEMTABLE_STORE, store_id);
    while (merge_next(&flush->merge, &bytes, &version)) {
        struct key key;
        key_of(bytes, &key);
        struct vlog_pointer pointer;
        enum status status =
            vlog_append(flush->storage->vlog, version->tombstone ? OPERATION_DELETE : OPERATION_PUT,
                        store_id, &key, version->sequence, version_bytes(version), &pointer);
        if (status == STATUS_OK) status = add_pointer(flush, &pointer);
        if (status != STATUS_OK) return status;
        flush->operations++;
    }
    return STATUS_OK;
}

static enum status log_ddl(struct flush *flush, const struct frozen *frozen) {
    struct bytes rest = buffer_bytes(&frozen->ddl);
    while (rest.size > 0) {
        ASSERT(rest.size > sizeof(uint64_t));
        uint64_t sequence = load_le64(rest.data);
        rest = bytes_of(rest.data + sizeof sequence, rest.size - sizeof sequence);
        struct operation operation;
        enum status status = operation_decode(&rest, &operation);
        if (status != STATUS_OK) return status;
        struct vlog_pointer pointer;
        status = vlog_append(flush->storage->vlog, (uint8_t)operation.kind, operation.id,
                             &operation.key, sequence, operation.value, &pointer);
        if (status != STATUS_OK) return status;
        flush->operations++;
    }
    return STATUS_OK;
}

static enum status log_footer(struct flush *flush) {
    uint8_t value[16];
    store_le64(value, flush->last_sequence);
    store_le64(value + 8, flush->operations);
    struct key none = {0};
    struct vlog_pointer pointer;
    return vlog_append(flush->storage->vlog, VLOG_GENERATION_FOOTER, 0, &none, flush->last_sequence,
                       bytes_of(value, sizeof value), &pointer);
}

// Calls `function` for each store of the catalogue.
static enum status each_store(struct flush *flush,
                              enum status (*function)(struct flush *flush, uint32_t store_id)) {
    for (size_t i = 0; i < catalog_store_count(flush->catalog); i++) {
        enum status status = function(flush, catalog_store_at(flush->catalog, i)->id);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

static enum status write_value_log(struct flush *flush) {
    enum status status = STATUS_OK;
    for (size_t i = flush->count; i-- > 0 && status == STATUS_OK;)
        status = log_ddl(flush, flush->frozen[i]);
    if (status == STATUS_OK) status = each_store(flush, log_store);
    if (status == STATUS_OK) status = log_footer(flush);
    if (status == STATUS_OK) status = vlog_flush(flush->storage->vlog, true);
    return status;
}

// ---- index transactions ---------------------------------------------------------------------

static enum status begin_transaction(struct flush *flush) {
    enum status status = index_write_begin(flush->storage->index, &flush->writer);
    if (status != STATUS_OK) return status;
    flush->entries = 0;
    struct vlog_position tail = vlog_tail(flush->storage->vlog);
    uint8_t value[16] = {0};
    store_le32(value, tail.segment);
    store_le64(value + 8, tail.offset);
    return index_put_meta(flush->writer, META_VLOG_TAIL, bytes_of(value, sizeof value));
}

static enum status end_transaction(struct flush *flush, bool last) {
    flusher_free_retired(flush->storage);
    enum status status = dead_save(&flush->storage->dead, flush->writer);
    if (status != STATUS_OK) return status;
    struct index_writer *writer = flush->writer;
    flush->writer = NULL;
    flush->transactions++;
    status = index_write_commit(writer, last);
    if (status != STATUS_OK) return status;
    uint64_t stop_after = atomic_load(&flush->storage->stop_after_transactions);
    if (stop_after != 0 && flush->transactions == stop_after)
        atomic_store(&flush->storage->abandon, true);
    return STATUS_OK;
}

// After each entry: ends the transaction and begins the next when it has become large.
static enum status step(struct flush *flush) {
    struct storage *storage = flush->storage;
    flush->entries++;
    bool large =
        flush->entries >= storage->transaction_entries_max ||
        (flush->entries % 64 == 0 && index_write_pages(flush->writer) >= TRANSACTION_PAGES_MAX);
    if (!large) return STATUS_OK;
    enum status status = end_transaction(flush, false);
    if (status != STATUS_OK) return status;
    if (atomic_load(&storage->abandon)) return STATUS_CANCELLED;
    return begin_transaction(flush);
}

static enum status write_index(struct flush *flush, uint32_t index_id) {
    struct bytes entry;
    const struct version *version;
    merge_begin(&flush->merge, flush->generations, flush->count, MEMTABLE_INDEX, index_id);
    while (merge_next(&flush->merge, &entry, &version)) {
        enum status status = version->tombstone
                                 ? index_delete_secondary(flush->writer, index_id, entry)
                                 : index_put_secondary(flush->writer, index_id, entry);
        if (status == STATUS_OK) status = step(flush);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

static enum status write_indexes(struct flush *flush, uint32_t store_id) {
    const struct store_info *store = catalog_store_by_id(flush->catalog, store_id);
    for (size_t i = 0; i < store->index_count; i++) {
        enum status status = write_index(flush, store->indexes[i]->id);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

static enum status write_primary(struct flush *flush, uint32_t store_id) {
    struct bytes bytes;
    const struct version *version;
    merge_begin(&flush->merge, flush->generations, flush->count, MEMTABLE_STORE, store_id);
    while (merge_next(&flush->merge, &bytes, &version)) {
        struct key key;
        key_of(bytes, &key);
        ASSERT(flush->next_pointer < flush->pointer_count);
        ASSERT(version->sequence <= flush->last_sequence);
        struct index_entry entry = {.sequence = version->sequence,
                                    .pointer = flush->pointers[flush->next_pointer++]};
        struct index_entry old;
        // Appending is tried always: it is given up at the first key that is not the greatest.
        enum status status = version->tombstone
                                 ? index_delete(flush->writer, store_id, &key, &old)
                                 : index_put(flush->writer, store_id, &key, &entry, true, &old);
        if (status == STATUS_OK && old.sequence != 0)
            status = dead_add(&flush->storage->dead, &old.pointer);
        if (status == STATUS_OK) status = step(flush);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

static enum status save_catalog_entry(struct bytes name, struct bytes value, void *context) {
    return index_put_catalog(context, name, value);
}

static enum status write_checkpoint(struct flush *flush) {
    struct storage *storage = flush->storage;
    enum status status = catalog_store_changes(storage->checkpoint_catalog, flush->catalog,
                                               save_catalog_entry, flush->writer);
    if (status == STATUS_OK)
        status = drop_note(storage, flush->writer, storage->checkpoint_catalog, flush->catalog);
    if (status != STATUS_OK) return status;
    uint8_t value[8];
    store_le64(value, flush->last_sequence);
    return index_put_meta(flush->writer, META_CHECKPOINT, bytes_of(value, sizeof value));
}

static enum status write_trees(struct flush *flush) {
    enum status status = begin_transaction(flush);
    if (status == STATUS_OK) status = each_store(flush, write_indexes);
    if (status == STATUS_OK) status = each_store(flush, write_primary);
    ASSERT(status != STATUS_OK || flush->next_pointer == flush->pointer_count);
    if (status == STATUS_OK) status = write_checkpoint(flush);
    if (status == STATUS_OK) return end_transaction(flush, true);
    index_write_abort(flush->writer);
    return status;
}

// ---- afterwards -----------------------------------------------------------------------------

// Swaps in a version without what was flushed, which are the last of the list.
static enum status drop_generations(struct flush *flush) {
    struct storage *storage = flush->storage;
    mutex_lock(&storage->commit_lock);
    struct storage_version *before = storage->version;
    ASSERT(before->generation_count > flush->count);
    size_t kept = before->generation_count - flush->count;
    ASSERT(before->generations[kept] == flush->generations[0]);
    struct storage_version *after =
        version_new(before->number + 1, before->catalog, NULL, before->generations, kept);
    if (after != NULL) {
        for (size_t i = 0; i < flush->count; i++) list_remove(&flush->frozen[i]->node);
        atomic_fetch_sub(&storage->frozen_count, flush->count);
        storage_swap_version(storage, after);
    }
    mutex_unlock(&storage->commit_lock);
    return after == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

static enum status flush_finish(struct flush *flush) {
    struct storage *storage = flush->storage;
    catalog_unref(storage->checkpoint_catalog);
    storage->checkpoint_catalog = catalog_ref(flush->catalog);
    history_keep(storage, flush->generations, flush->count);
    enum status status = drop_generations(flush);
    if (status != STATUS_OK) return status;
    ASSERT(flush->last_sequence <= wal_durable(storage->wal));
    atomic_store(&storage->checkpoint, flush->last_sequence);
    wal_release(storage->wal, flush->last_sequence);
    for (size_t i = 0; i < flush->count; i++) frozen_free(flush->frozen[i]);
    atomic_fetch_add(&storage->flush_count, 1);
    metric_add(METRIC_storage_flushes, (int64_t)flush->count);
    storage_report_memory(storage);
    storage_notify(storage, STORAGE_VERSION);
    return STATUS_OK;
}

enum status flush_run(struct storage *storage) {
    struct flush *flush = calloc(1, sizeof *flush);
    if (flush == NULL) return STATUS_NO_MEMORY;
    flush->storage = storage;
    take_frozen(flush);
    enum status status = wal_sync(storage->wal, flush->last_sequence);
    if (status == STATUS_OK) {
        ASSERT(wal_durable(storage->wal) >= flush->last_sequence);
        status = write_value_log(flush);
    }
    if (status == STATUS_OK) status = write_trees(flush);
    if (status == STATUS_OK) status = flush_finish(flush);
    free(flush->pointers);
    free(flush);
    return status;
}
