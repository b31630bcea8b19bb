// SPDX-License-Identifier: Apache-2.0
// Writing documents: prepare at a view without any lock, then validate and link under the commit
// lock. First committer wins: whoever finds that a key changed since its view prepares again.
#include "storage/commit.h"

#include <stdlib.h>

#include "base/crc.h"
#include "base/limits.h"
#include "base/metrics.h"
#include "storage/transaction.h"

#define PAYLOAD_SIZE_MAX GIB

// ---- shared with DDL ------------------------------------------------------------------------

enum status commit_allowed(const struct storage *storage, struct error *error) {
    if (storage_health(storage) == STATUS_OK) return STATUS_OK;
    return error_set(error, STATUS_READ_ONLY, "the database is read-only after a failed write");
}

uint64_t commit_append(struct storage *storage, size_t count, struct bytes payload,
                       uint32_t payload_crc) {
    uint64_t first = storage->next_sequence;
    int64_t now = clock_realtime_ns(storage->options.clock);
    if (now > storage->last_commit_time_ns) storage->last_commit_time_ns = now;
    wal_append(storage->wal, first, (uint32_t)count, storage->last_commit_time_ns, payload,
               payload_crc);
    storage->next_sequence = first + count;
    return first;
}

void commit_publish(struct storage *storage) {
    wal_publish(storage->wal, storage->next_sequence - 1);
}

// ---- preparing ------------------------------------------------------------------------------

static enum status refuse(struct commit *commit, size_t position, enum status status,
                          uint64_t depends_on, const char *why) {
    commit->result->failed = position;
    commit->result->depends_on = depends_on;
    return error_set(commit->error, status, "%s", why);
}

static enum status check_existence(struct commit *commit, size_t position,
                                   const struct found *found) {
    const struct write *write = &commit->writes[position];
    uint64_t seen = found->sequence;
    // What is absent from memory is absent from the index as of its checkpoint.
    if (seen == 0) seen = commit->view.snapshot->checkpoint;
    if (write->expected_sequence != 0 &&
        (!found->exists || found->sequence != write->expected_sequence))
        return refuse(commit, position, STATUS_CONFLICT, seen,
                      "the document is not at the expected sequence");
    if (write->kind == WRITE_INSERT && found->exists)
        return refuse(commit, position, STATUS_DUPLICATE_KEY, seen,
                      "a document with this key exists");
    if ((write->kind == WRITE_REPLACE || write->kind == WRITE_DELETE) && !found->exists)
        return refuse(commit, position, STATUS_NOT_FOUND, seen,
                      "there is no document with this key");
    return STATUS_OK;
}

static enum status prepare_write(struct commit *commit, size_t position,
                                 const struct store_info *store, bool encode) {
    const struct write *write = &commit->writes[position];
    const struct view *view = &commit->view;
    if (write->document.size > DOCUMENT_SIZE_MAX)
        return refuse(commit, position, STATUS_TOO_LARGE, 0, "the document is too large");
    // A blind put needs to know what was there only for the sake of indexes.
    bool look_up =
        write->kind != WRITE_PUT || write->expected_sequence != 0 || store->index_count > 0;
    struct found found = {0};
    struct bytes old = {0};
    enum status status = STATUS_OK;
    if (look_up) {
        bool likely_new = write->kind == WRITE_INSERT || write->kind == WRITE_PUT;
        status = view_find(view, store->id, &write->key, likely_new, &found);
        if (status == STATUS_OK) status = check_existence(commit, position, &found);
        if (status == STATUS_OK && found.exists && store->index_count > 0)
            status = snapshot_document(view->snapshot, store->id, &write->key, &found, &old);
        if (status != STATUS_OK) return status;
    }
    struct operation operation = {.kind = OPERATION_PUT, .id = store->id, .key = write->key};
    if (write->kind == WRITE_DELETE) {
        operation.kind = OPERATION_DELETE;
    } else {
        operation.value = write->document;
    }
    return batch_add(&commit->reader->batch, store, &operation, old, look_up, encode);
}

enum status commit_prepare(struct commit *commit, bool encode) {
    struct batch *batch = &commit->reader->batch;
    const struct catalog *catalog = view_catalog(&commit->view);
    const struct store_info *store = NULL;
    batch_clear(batch);
    enum status status = batch_room(batch, commit->count);
    for (size_t i = 0; i < commit->count && status == STATUS_OK; i++) {
        uint32_t store_id = commit->writes[i].store_id;
        if (store == NULL || store->id != store_id) store = catalog_store_by_id(catalog, store_id);
        if (store == NULL) return refuse(commit, i, STATUS_NO_STORE, 0, "there is no such store");
        status = prepare_write(commit, i, store, encode);
        if (status == STATUS_OK && batch->payload.size > PAYLOAD_SIZE_MAX)
            status = refuse(commit, i, STATUS_TOO_LARGE, 0, "the transaction is too large");
    }
    return status;
}

// ---- a key may occur once -------------------------------------------------------------------

static int compare_writes(const void *a, const void *b, void *context) {
    const struct write *writes = context;
    const struct write *x = &writes[*(const uint32_t *)a], *y = &writes[*(const uint32_t *)b];
    if (x->store_id != y->store_id) return x->store_id < y->store_id ? -1 : 1;
    int order = key_compare(&x->key, &y->key);
    if (order != 0) return order;
    return *(const uint32_t *)a < *(const uint32_t *)b ? -1 : 1;
}

static bool ascending(const struct write *writes, size_t count) {
    for (size_t i = 1; i < count; i++)
        if (writes[i].store_id != writes[i - 1].store_id ||
            key_compare(&writes[i - 1].key, &writes[i].key) >= 0)
            return false;
    return true;
}

enum status commit_check_distinct(struct commit *commit) {
    const struct write *writes = commit->writes;
    if (commit->count < 2 || ascending(writes, commit->count)) return STATUS_OK;
    uint32_t *order = malloc(commit->count * sizeof *order);
    if (order == NULL) return STATUS_NO_MEMORY;
    for (size_t i = 0; i < commit->count; i++) order[i] = (uint32_t)i;
    qsort_r(order, commit->count, sizeof *order, compare_writes, (void *)writes);
    enum status status = STATUS_OK;
    for (size_t i = 1; i < commit->count && status == STATUS_OK; i++) {
        const struct write *before = &writes[order[i - 1]], *write = &writes[order[i]];
        if (before->store_id != write->store_id || key_compare(&before->key, &write->key) != 0)
            continue;
        status = refuse(commit, order[i],
                        write->kind == WRITE_INSERT ? STATUS_DUPLICATE_KEY : STATUS_INVALID, 0,
                        "a key occurs twice in one transaction");
    }
    free(order);
    return status;
}

// ---- committing -----------------------------------------------------------------------------

// The version is the one prepared against, so only the active generation can hold what is newer
// than the view.
static bool still_valid(const struct commit *commit) {
    const struct batch *batch = &commit->reader->batch;
    for (size_t i = 0; i < batch->operation_count; i++) {
        const struct batch_operation *item = &batch->operations[i];
        if (!item->looked_up) continue;
        const struct key *key = &item->operation.key;
        const struct memtable *memtable = batch->targets[item->target].memtable;
        if (memtable_newest(memtable, bytes_of(key->bytes, sizeof key->bytes)) >
            commit->view.sequence)
            return false;
    }
    return true;
}

// STATUS_BUSY: something changed, prepare again. STATUS_PENDING: the log needs a segment.
static enum status commit_locked(struct commit *commit) {
    struct storage *storage = commit->storage;
    struct batch *batch = &commit->reader->batch;
    if (storage->version != commit->view.snapshot->version) return STATUS_BUSY;
    struct generation *active = version_active(storage->version);
    enum status status = batch_reserve(batch, active);
    if (status != STATUS_OK) return status;
    if (!still_valid(commit)) return STATUS_BUSY;
    if (commit->transaction != NULL &&
        !transaction_unchanged(commit->transaction, active, commit->view.sequence))
        return STATUS_BUSY;
    status = wal_reserve(storage->wal, batch->payload.size);
    if (status != STATUS_OK) return status;
    uint64_t first = commit_append(storage, batch->operation_count, buffer_bytes(&batch->payload),
                                   commit->payload_crc);
    batch_apply(batch, first);
    commit_publish(storage);
    commit->result->first_sequence = first;
    commit->result->last_sequence = first + batch->operation_count - 1;
    return STATUS_OK;
}

enum status commit_prepared(struct commit *commit) {
    struct storage *storage = commit->storage;
    const struct buffer *payload = &commit->reader->batch.payload;
    if (payload->size > PAYLOAD_SIZE_MAX)
        return refuse(commit, 0, STATUS_TOO_LARGE, 0, "the transaction is too large");
    commit->payload_crc = crc32c(0, payload->data, payload->size);
    for (;;) {
        mutex_lock(&storage->commit_lock);
        enum status status = commit_locked(commit);
        mutex_unlock(&storage->commit_lock);
        if (status == STATUS_OK)
            commit_note_size(storage, version_active(commit->view.snapshot->version));
        if (status != STATUS_PENDING) return status;
        status = wal_prepare(storage->wal, payload->size);
        if (status != STATUS_OK)
            return error_set(commit->error, status, "the log cannot grow: %s", status_text(status));
    }
}

static enum status attempt(struct commit *commit) {
    enum status status = view_begin(commit->reader, READ_LATEST, &commit->view);
    if (status != STATUS_OK) return status;
    status = commit_prepare(commit, true);
    if (status == STATUS_OK) status = commit_prepared(commit);
    view_end(&commit->view);
    return status;
}

enum status commit_may_begin(struct commit *commit) {
    struct storage *storage = commit->storage;
    *commit->result = (struct write_result){0};
    if (commit->error != NULL) commit->error->status = STATUS_OK;
    enum status status = commit_allowed(storage, commit->error);
    if (status == STATUS_OK && atomic_load_explicit(&storage->full, memory_order_relaxed)) {
        reader_idle(commit->reader, true);
        status = commit_make_room(storage);
    }
    return status;
}

enum status commit_conclude(struct commit *commit, enum status status, size_t operations) {
    if (status != STATUS_OK) {
        if (commit->error != NULL && commit->error->status != status)
            return error_set(commit->error, status, "the write failed: %s", status_text(status));
        return status;
    }
    metric_add(METRIC_storage_commits, 1);
    metric_add(METRIC_storage_operations, (int64_t)operations);
    return STATUS_OK;
}

enum status storage_write(struct storage *storage, struct reader *reader,
                          const struct write *writes, size_t count, struct write_result *ret,
                          struct error *error) {
    ASSERT(count > 0 && reader->storage == storage);
    struct commit commit = {.storage = storage,
                            .reader = reader,
                            .writes = writes,
                            .count = count,
                            .result = ret,
                            .error = error};
    enum status status = commit_may_begin(&commit);
    if (status == STATUS_OK) status = commit_check_distinct(&commit);
    if (status == STATUS_OK) {
        do {
            status = attempt(&commit);
        } while (status == STATUS_BUSY);
    }
    return commit_conclude(&commit, status, count);
}
