// SPDX-License-Identifier: Apache-2.0
#include "storage/transaction.h"

#include <stdlib.h>

#include "storage/commit.h"
#include "storage/history.h"

struct read_key {
    uint32_t store_id;
    struct key key;
};

struct transaction {
    struct reader *reader;
    enum isolation isolation;
    struct view base; // the snapshot alone
    struct history_member member;
    uint64_t begun_ns;
    struct generation *writes; // NULL: none yet
    uint64_t write_count;
    // What a serializable one has read.
    struct read_key *keys;
    size_t key_count, key_capacity;
    struct transaction_range *ranges;
    size_t range_count, range_capacity;
    struct arena arena;  // of the ranges' bounds
    enum status failure; // noting a read failed: it cannot commit
};

// ---- life -----------------------------------------------------------------------------------

enum status transaction_begin(struct reader *reader, enum isolation isolation,
                              struct transaction **ret) {
    struct storage *storage = reader->storage;
    struct transaction *transaction = calloc(1, sizeof *transaction);
    if (transaction == NULL) return STATUS_NO_MEMORY;
    transaction->reader = reader;
    transaction->isolation = isolation;
    transaction->arena.limit = (size_t)storage->options.transaction_bytes_max;
    transaction->arena.block_size = 4096;
    transaction->begun_ns = clock_monotonic_ns(storage->options.clock);
    list_init(&transaction->member.node);
    for (;;) {
        enum status status = view_begin(reader, READ_LATEST, &transaction->base);
        if (status != STATUS_OK) {
            free(transaction);
            return status;
        }
        transaction->member.sequence = transaction->base.sequence;
        if (history_enter(storage, &transaction->member)) break;
        view_end(&transaction->base);
    }
    *ret = transaction;
    return STATUS_OK;
}

void transaction_abort(struct transaction *transaction) {
    if (transaction == NULL) return;
    history_leave(transaction->reader->storage, &transaction->member);
    view_end(&transaction->base);
    generation_unref(transaction->writes);
    free(transaction->keys);
    free(transaction->ranges);
    arena_done(&transaction->arena);
    free(transaction);
}

static enum status check_age(const struct transaction *transaction, struct error *error) {
    const struct storage_options *options = &transaction->reader->storage->options;
    uint64_t age = clock_monotonic_ns(options->clock) - transaction->begun_ns;
    if (age / 1000000 <= (uint64_t)options->transaction_age_max_ms) return STATUS_OK;
    return error_set(error, STATUS_SNAPSHOT_TOO_OLD, "the transaction is older than %lld ms",
                     (long long)options->transaction_age_max_ms);
}

static void make_view(const struct transaction *transaction, struct view *ret) {
    *ret = transaction->base;
    ret->transaction = (struct transaction *)transaction;
    ret->snapshot->views++;
}

enum status transaction_view(struct transaction *transaction, struct view *ret) {
    enum status status = check_age(transaction, NULL);
    if (status == STATUS_OK) status = transaction->failure;
    if (status == STATUS_OK) make_view(transaction, ret);
    return status;
}

// ---- what is read ---------------------------------------------------------------------------

static size_t bytes_taken(const struct transaction *transaction) {
    size_t written = transaction->writes == NULL ? 0 : atomic_load(&transaction->writes->bytes);
    return written + transaction->key_capacity * sizeof *transaction->keys +
           transaction->range_capacity * sizeof *transaction->ranges +
           transaction->arena.total_bytes;
}

static enum status check_size(const struct transaction *transaction, size_t more) {
    size_t most = (size_t)transaction->reader->storage->options.transaction_bytes_max;
    size_t taken = bytes_taken(transaction);
    return taken > most || more > most - taken ? STATUS_TOO_LARGE : STATUS_OK;
}

// Room for one more element of a growing array.
static bool grow(struct transaction *transaction, void **items, size_t count, size_t *capacity,
                 size_t size) {
    if (count < *capacity) return true;
    size_t wanted = *capacity == 0 ? 16 : *capacity * 2;
    transaction->failure = check_size(transaction, (wanted - *capacity) * size);
    if (transaction->failure != STATUS_OK) return false;
    void *grown = realloc(*items, wanted * size);
    if (grown == NULL) transaction->failure = STATUS_NO_MEMORY;
    if (grown == NULL) return false;
    *items = grown;
    *capacity = wanted;
    return true;
}

static void note_key(struct transaction *transaction, uint32_t store_id, const struct key *key) {
    if (transaction->isolation != ISOLATION_SERIALIZABLE || transaction->failure != STATUS_OK)
        return;
    if (transaction->key_count > 0) { // a document that is read and then written
        const struct read_key *last = &transaction->keys[transaction->key_count - 1];
        if (last->store_id == store_id && key_compare(&last->key, key) == 0) return;
    }
    if (!grow(transaction, (void **)&transaction->keys, transaction->key_count,
              &transaction->key_capacity, sizeof *transaction->keys))
        return;
    transaction->keys[transaction->key_count++] =
        (struct read_key){.store_id = store_id, .key = *key};
}

static bool copy_bound(struct transaction *transaction, struct bytes *bound) {
    if (bound->data == NULL) return true;
    // An empty bound is one all the same.
    uint8_t *copy = arena_allocate(&transaction->arena, bound->size + 1, 1);
    if (copy == NULL) return false;
    memcpy(copy, bound->data, bound->size);
    *bound = bytes_of(copy, bound->size);
    return true;
}

void transaction_note_range(struct transaction *transaction,
                            const struct transaction_range *range) {
    if (transaction->isolation != ISOLATION_SERIALIZABLE || transaction->failure != STATUS_OK)
        return;
    if (!grow(transaction, (void **)&transaction->ranges, transaction->range_count,
              &transaction->range_capacity, sizeof *transaction->ranges))
        return;
    struct transaction_range copy = *range;
    if (!copy_bound(transaction, &copy.lower) || !copy_bound(transaction, &copy.upper) ||
        !copy_bound(transaction, &copy.last)) {
        transaction->failure = STATUS_TOO_LARGE;
        return;
    }
    transaction->ranges[transaction->range_count++] = copy;
}

const struct generation *transaction_writes(const struct transaction *transaction) {
    return transaction->writes;
}

bool transaction_find(struct transaction *transaction, uint32_t store_id, const struct key *key,
                      struct found *ret) {
    const struct memtable *memtable =
        transaction->writes == NULL
            ? NULL
            : generation_memtable(transaction->writes, MEMTABLE_STORE, store_id);
    const struct version *version =
        memtable == NULL
            ? NULL
            : memtable_get(memtable, bytes_of(key->bytes, sizeof key->bytes), UINT64_MAX);
    if (version == NULL) {
        note_key(transaction, store_id, key);
        return false;
    }
    *ret = (struct found){.exists = !version->tombstone, .version = version};
    return true;
}

// ---- what is written ------------------------------------------------------------------------

bool transaction_has_writes(const struct transaction *transaction) {
    return transaction->write_count > 0;
}

// Into the private generation: as a commit does into the active one.
static enum status apply(struct transaction *transaction, struct commit *commit) {
    struct batch *batch = &commit->reader->batch;
    size_t operations = batch->operation_count + batch->delta_count;
    size_t worst = operations * 256 + batch->value_bytes + batch->delta_bytes.size;
    enum status status = check_size(transaction, worst);
    if (status != STATUS_OK)
        return error_set(commit->error, status, "the transaction is larger than %lld bytes",
                         (long long)commit->storage->options.transaction_bytes_max);
    if (transaction->writes == NULL) transaction->writes = generation_new(0, 1);
    if (transaction->writes == NULL) return STATUS_NO_MEMORY;
    status = batch_reserve(batch, transaction->writes);
    if (status != STATUS_OK) return status;
    batch_apply(batch, 1 + transaction->write_count);
    transaction->write_count += batch->operation_count;
    return STATUS_OK;
}

enum status transaction_write(struct transaction *transaction, const struct write *writes,
                              size_t count, struct write_result *ret, struct error *error) {
    ASSERT(count > 0);
    struct reader *reader = transaction->reader;
    struct commit commit = {.storage = reader->storage,
                            .reader = reader,
                            .writes = writes,
                            .count = count,
                            .result = ret,
                            .error = error};
    *ret = (struct write_result){0};
    if (error != NULL) error->status = STATUS_OK;
    enum status status = commit_allowed(reader->storage, error);
    if (status == STATUS_OK) status = check_age(transaction, error);
    if (status == STATUS_OK) status = commit_check_distinct(&commit);
    if (status == STATUS_OK) {
        make_view(transaction, &commit.view);
        status = commit_prepare(&commit, false);
        view_end(&commit.view);
    }
    if (status == STATUS_OK) status = apply(transaction, &commit);
    if (status != STATUS_OK && error != NULL && error->status != status)
        return error_set(error, status, "the write failed: %s", status_text(status));
    return status;
}

// ---- validation -----------------------------------------------------------------------------

static uint64_t newest_of(const struct generation *generation, uint32_t store_id,
                          const struct key *key) {
    const struct memtable *memtable = generation_memtable(generation, MEMTABLE_STORE, store_id);
    return memtable == NULL ? 0
                            : memtable_newest(memtable, bytes_of(key->bytes, sizeof key->bytes));
}

static bool behind(const struct transaction_range *range, struct bytes key) {
    if (range->last.data != NULL) return bytes_compare(key, range->last) > 0;
    return range->upper.data != NULL && bytes_compare(key, range->upper) >= 0;
}

// The sequence of something in the range that was written after `since`, or 0.
static uint64_t newer_in_range(const struct generation *generation,
                               const struct transaction_range *range, uint64_t since) {
    uint32_t id = range->kind == MEMTABLE_STORE ? range->store_id : range->index_id;
    const struct memtable *memtable = generation_memtable(generation, range->kind, id);
    if (memtable == NULL || memtable_last(memtable) <= since) return 0;
    struct memtable_cursor cursor;
    memtable_seek(&cursor, memtable, range->lower);
    for (; cursor.node != NULL; memtable_cursor_next(&cursor)) {
        if (behind(range, memtable_node_key(cursor.node))) return 0;
        const struct version *version = memtable_node_version(cursor.node, UINT64_MAX);
        if (version->sequence > since) return version->sequence;
    }
    return 0;
}

// The sequence of something that was read and then written after `since`, or 0.
static uint64_t newer_than_read(const struct transaction *transaction,
                                const struct generation *generation, uint64_t since) {
    for (size_t i = 0; i < transaction->key_count; i++) {
        const struct read_key *read = &transaction->keys[i];
        uint64_t newest = newest_of(generation, read->store_id, &read->key);
        if (newest > since) return newest;
    }
    for (size_t i = 0; i < transaction->range_count; i++) {
        uint64_t newest = newer_in_range(generation, &transaction->ranges[i], since);
        if (newest != 0) return newest;
    }
    return 0;
}

bool transaction_unchanged(const struct transaction *transaction, const struct generation *active,
                           uint64_t sequence) {
    return newer_than_read(transaction, active, sequence) == 0;
}

static uint64_t newer_than_written(const struct transaction *transaction,
                                   const struct generation *generation) {
    size_t position = 0;
    const struct memtable *memtable;
    while ((memtable = generation_next(transaction->writes, &position)) != NULL) {
        if (memtable_kind(memtable) != MEMTABLE_STORE) continue;
        const struct memtable *other =
            generation_memtable(generation, MEMTABLE_STORE, memtable_id(memtable));
        if (other == NULL || memtable_last(other) <= transaction->base.sequence) continue;
        struct memtable_cursor cursor;
        memtable_seek(&cursor, memtable, (struct bytes){0});
        for (; cursor.node != NULL; memtable_cursor_next(&cursor)) {
            uint64_t newest = memtable_newest(other, memtable_node_key(cursor.node));
            if (newest > transaction->base.sequence) return newest;
        }
    }
    return 0;
}

// Writes to what was dropped are not in any memtable: nothing read may be gone.
static bool reads_exist(const struct transaction *transaction, const struct catalog *catalog) {
    uint32_t known = 0;
    for (size_t i = 0; i < transaction->key_count; i++) {
        uint32_t id = transaction->keys[i].store_id;
        if (id != known && catalog_store_by_id(catalog, id) == NULL) return false;
        known = id;
    }
    for (size_t i = 0; i < transaction->range_count; i++) {
        const struct transaction_range *range = &transaction->ranges[i];
        if (catalog_store_by_id(catalog, range->store_id) == NULL) return false;
        if (range->kind == MEMTABLE_INDEX && catalog_index_by_id(catalog, range->index_id) == NULL)
            return false;
    }
    return true;
}

static enum status refuse(struct commit *commit, enum status status, uint64_t depends_on,
                          const char *why) {
    commit->result->depends_on = depends_on;
    return error_set(commit->error, status, "%s", why);
}

// Against everything up to the commit's view.
static enum status validate(struct commit *commit) {
    const struct transaction *transaction = commit->transaction;
    uint64_t since = transaction->base.sequence;
    if (!reads_exist(transaction, view_catalog(&commit->view)))
        return refuse(commit, STATUS_CONFLICT, commit->view.sequence,
                      "what the transaction has read was dropped");
    struct history_list newer;
    enum status status =
        history_newer(commit->storage, commit->view.snapshot->version, since, &newer);
    if (status == STATUS_SNAPSHOT_TOO_OLD)
        return refuse(commit, status, commit->view.sequence,
                      "the history of conflicts does not reach back to the transaction's snapshot");
    if (status != STATUS_OK) return status;
    for (size_t i = 0; i < newer.count && status == STATUS_OK; i++) {
        uint64_t found = newer_than_written(transaction, newer.generations[i]);
        if (found != 0)
            status = refuse(commit, STATUS_CONFLICT, found,
                            "a document that the transaction writes was changed meanwhile");
        found = status == STATUS_OK ? newer_than_read(transaction, newer.generations[i], since) : 0;
        if (found != 0)
            status = refuse(commit, STATUS_CONFLICT, found,
                            "what the transaction has read was changed meanwhile");
    }
    history_list_done(&newer);
    return status;
}

// ---- commit ---------------------------------------------------------------------------------

// The last write of one key, as an operation of the log; what it replaces is in the snapshot.
static enum status add_operation(struct commit *commit, const struct store_info *store,
                                 const struct memtable_node *node) {
    const struct transaction *transaction = commit->transaction;
    const struct snapshot *snapshot = transaction->base.snapshot;
    const struct version *version = memtable_node_version(node, UINT64_MAX);
    struct operation operation = {.kind = OPERATION_PUT, .id = store->id};
    memcpy(operation.key.bytes, memtable_node_key(node).data, sizeof operation.key.bytes);
    if (version->tombstone)
        operation.kind = OPERATION_DELETE;
    else
        operation.value = version_bytes(version);
    struct found found = {0};
    struct bytes old = {0};
    if (store->index_count > 0 || version->tombstone) {
        enum status status =
            snapshot_find(snapshot, transaction->base.sequence, store->id, &operation.key, &found);
        if (status == STATUS_OK && found.exists && store->index_count > 0)
            status = snapshot_document(snapshot, store->id, &operation.key, &found, &old);
        if (status != STATUS_OK) return status;
    }
    // Written and deleted again.
    if (version->tombstone && !found.exists) return STATUS_OK;
    return batch_add(&commit->reader->batch, store, &operation, old, true, true);
}

static enum status add_store(struct commit *commit, const struct memtable *memtable) {
    const struct catalog *catalog = view_catalog(&commit->view);
    const struct store_info *store = catalog_store_by_id(catalog, memtable_id(memtable));
    if (store == NULL)
        return refuse(commit, STATUS_NO_STORE, commit->view.sequence,
                      "a store that the transaction writes was dropped");
    struct batch *batch = &commit->reader->batch;
    enum status status = batch_room(batch, batch->operation_count + memtable_count(memtable));
    struct memtable_cursor cursor;
    memtable_seek(&cursor, memtable, (struct bytes){0});
    for (; cursor.node != NULL && status == STATUS_OK; memtable_cursor_next(&cursor))
        status = add_operation(commit, store, cursor.node);
    return status;
}

static enum status fill_batch(struct commit *commit) {
    enum status status = STATUS_OK;
    size_t position = 0;
    const struct memtable *memtable;
    batch_clear(&commit->reader->batch);
    while (status == STATUS_OK &&
           (memtable = generation_next(commit->transaction->writes, &position)) != NULL)
        if (memtable_kind(memtable) == MEMTABLE_STORE) status = add_store(commit, memtable);
    return status;
}

static enum status attempt(struct commit *commit) {
    enum status status = view_begin(commit->reader, READ_LATEST, &commit->view);
    if (status != STATUS_OK) return status;
    status = validate(commit);
    if (status == STATUS_OK) status = fill_batch(commit);
    if (status == STATUS_OK && commit->reader->batch.operation_count > 0)
        status = commit_prepared(commit);
    view_end(&commit->view);
    return status;
}

enum status transaction_commit(struct transaction *transaction, struct write_result *ret,
                               struct error *error) {
    struct commit commit = {.storage = transaction->reader->storage,
                            .reader = transaction->reader,
                            .transaction = transaction,
                            .result = ret,
                            .error = error};
    *ret = (struct write_result){0};
    if (error != NULL) error->status = STATUS_OK;
    enum status status = STATUS_OK;
    if (transaction_has_writes(transaction)) {
        status = commit_may_begin(&commit);
        if (status == STATUS_OK) status = check_age(transaction, error);
        if (status == STATUS_OK) status = transaction->failure;
        if (status == STATUS_OK) {
            do {
                status = attempt(&commit);
            } while (status == STATUS_BUSY);
        }
        status = commit_conclude(&commit, status, transaction->write_count);
    }
    transaction_abort(transaction);
    return status;
}
