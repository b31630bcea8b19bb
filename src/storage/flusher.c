// SPDX-License-Identifier: Apache-2.0
#include "storage/flusher.h"

#include "base/log.h"
#include "storage/commit.h"

#define RETRY_NS 1000000000ULL // after the disk was full
#include "storage/history.h"

void flusher_wake(struct storage *storage) {
    mutex_lock(&storage->work_lock);
    storage->work_pending = true;
    condition_signal(&storage->work);
    mutex_unlock(&storage->work_lock);
}

void flusher_request(struct storage *storage) {
    mutex_lock(&storage->work_lock);
    storage->freeze_requested = true;
    storage->work_pending = true;
    condition_signal(&storage->work);
    mutex_unlock(&storage->work_lock);
}

void flusher_retire(struct storage *storage, struct storage_version *version) {
    mutex_lock(&storage->work_lock);
    version->next_retired = storage->retired;
    storage->retired = version;
    storage->work_pending = true;
    condition_signal(&storage->work);
    mutex_unlock(&storage->work_lock);
}

void flusher_free_retired(struct storage *storage) {
    mutex_lock(&storage->work_lock);
    struct storage_version *version = storage->retired;
    storage->retired = NULL;
    mutex_unlock(&storage->work_lock);
    while (version != NULL) {
        struct storage_version *next = version->next_retired;
        version_free(version);
        version = next;
    }
}

static void give_up(struct storage *storage, enum status status) {
    if (status == STATUS_CANCELLED) return;
    log_error("storage", "flush failed (%s): %s is read-only until it is opened again",
              status_text(status), storage->path);
    mutex_lock(&storage->work_lock);
    atomic_store(&storage->failure, (int)status);
    condition_broadcast(&storage->progress);
    mutex_unlock(&storage->work_lock);
    storage_notify(storage, STORAGE_FAILED);
}

// Does the most urgent piece of work; `ret_more` is false when there was none.
static enum status work_once(struct storage *storage, bool freeze, bool *ret_more) {
    *ret_more = true;
    if (freeze && wal_visible(storage->wal) > atomic_load(&storage->checkpoint)) {
        enum status status = commit_freeze(storage, NULL);
        if (status != STATUS_OK) return status;
    }
    if (atomic_load(&storage->frozen_count) > 0) return flush_run(storage);
    enum status status = drop_run(storage, ret_more);
    if (status != STATUS_OK || *ret_more) return status;
    return build_run(storage, ret_more);
}

// What the aborted transaction had counted is as the index has it again.
static enum status reload_dead(struct storage *storage) {
    struct index_reader *reader;
    enum status status = index_reader_open(storage->index, &reader);
    if (status != STATUS_OK) return status;
    dead_done(&storage->dead);
    status = dead_load(&storage->dead, reader);
    index_reader_close(reader);
    return status;
}

// The work is tried again later, or when somebody asks for it. Until then writes are taken as long
// as there is memory for them. Under the work lock.
static void wait_for_space(struct storage *storage) {
    if (!storage->disk_full) log_warn("storage", "no space to flush: %s", storage->path);
    storage->disk_full = true;
    storage->full_attempts++;
    condition_broadcast(&storage->progress);
    if (!storage->stop && !storage->work_pending)
        condition_wait_for(&storage->work, &storage->work_lock, RETRY_NS);
}

static void flusher_run(void *context) {
    struct storage *storage = context;
    bool more = true;
    mutex_lock(&storage->work_lock);
    while (!storage->stop) {
        if (!more && !storage->work_pending) {
            condition_wait(&storage->work, &storage->work_lock);
            continue;
        }
        bool freeze = storage->freeze_requested;
        storage->freeze_requested = storage->work_pending = false;
        mutex_unlock(&storage->work_lock);
        flusher_free_retired(storage);
        history_prune(storage);
        enum status status = STATUS_OK;
        if (storage_failure(storage) == STATUS_OK && !atomic_load(&storage->abandon))
            status = work_once(storage, freeze, &more);
        else
            more = false;
        bool full = status == STATUS_NO_SPACE;
        if (full) status = reload_dead(storage);
        if (status != STATUS_OK) give_up(storage, status);
        more = status == STATUS_OK && (more || full);
        mutex_lock(&storage->work_lock);
        if (full && status == STATUS_OK) {
            wait_for_space(storage);
        } else {
            storage->disk_full = false;
            condition_broadcast(&storage->progress);
        }
    }
    mutex_unlock(&storage->work_lock);
}

enum status flusher_start(struct storage *storage) {
    return thread_start(&storage->flusher, "flusher", flusher_run, storage);
}

void flusher_stop(struct storage *storage, bool abandon) {
    if (abandon) atomic_store(&storage->abandon, true);
    mutex_lock(&storage->work_lock);
    storage->stop = true;
    condition_signal(&storage->work);
    mutex_unlock(&storage->work_lock);
    thread_join(&storage->flusher);
}

// Waits for progress; false when the flusher gave up, or found the disk full since `attempts`.
static bool await_progress(struct storage *storage, uint64_t attempts) {
    if (storage_failure(storage) != STATUS_OK || atomic_load(&storage->abandon)) return false;
    if (storage->full_attempts != attempts) return false;
    condition_wait(&storage->progress, &storage->work_lock);
    return true;
}

static enum status no_progress(struct storage *storage) {
    if (storage_failure(storage) != STATUS_OK) return storage_failure(storage);
    return atomic_load(&storage->abandon) ? STATUS_CANCELLED : STATUS_NO_SPACE;
}

enum status storage_flush(struct storage *storage) {
    uint64_t target = wal_visible(storage->wal);
    if (atomic_load(&storage->checkpoint) >= target) return STATUS_OK;
    mutex_lock(&storage->work_lock);
    uint64_t attempts = storage->full_attempts;
    mutex_unlock(&storage->work_lock);
    flusher_request(storage);
    mutex_lock(&storage->work_lock);
    while (atomic_load(&storage->checkpoint) < target && await_progress(storage, attempts)) {
    }
    mutex_unlock(&storage->work_lock);
    return atomic_load(&storage->checkpoint) >= target ? STATUS_OK : no_progress(storage);
}

static bool building(struct storage *storage) {
    struct storage_version *version = storage_take_version(storage);
    const struct catalog *catalog = version->catalog;
    bool found = false;
    for (size_t i = 0; i < catalog_store_count(catalog); i++) {
        const struct store_info *store = catalog_store_at(catalog, i);
        for (size_t k = 0; k < store->index_count; k++)
            found = found || store->indexes[k]->state == INDEX_BUILDING;
    }
    version_unref(version);
    return found;
}

enum status storage_wait_indexes(struct storage *storage) {
    mutex_lock(&storage->work_lock);
    uint64_t attempts = storage->full_attempts;
    while (building(storage) && await_progress(storage, attempts)) {
    }
    mutex_unlock(&storage->work_lock);
    return building(storage) ? no_progress(storage) : storage_failure(storage);
}
