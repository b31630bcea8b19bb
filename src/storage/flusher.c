// SPDX-License-Identifier: Apache-2.0
#include "storage/flusher.h"

#include "base/log.h"
#include "storage/commit.h"
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
        if (status != STATUS_OK) {
            give_up(storage, status);
            more = false;
        }
        mutex_lock(&storage->work_lock);
        condition_broadcast(&storage->progress);
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

enum status storage_flush(struct storage *storage) {
    uint64_t target = wal_visible(storage->wal);
    if (atomic_load(&storage->checkpoint) >= target) return STATUS_OK;
    flusher_request(storage);
    mutex_lock(&storage->work_lock);
    while (atomic_load(&storage->checkpoint) < target && storage_failure(storage) == STATUS_OK &&
           !atomic_load(&storage->abandon))
        condition_wait(&storage->progress, &storage->work_lock);
    mutex_unlock(&storage->work_lock);
    if (atomic_load(&storage->checkpoint) >= target) return STATUS_OK;
    return atomic_load(&storage->abandon) ? STATUS_CANCELLED : storage_failure(storage);
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
    while (building(storage) && storage_failure(storage) == STATUS_OK)
        condition_wait(&storage->progress, &storage->work_lock);
    mutex_unlock(&storage->work_lock);
    return storage_failure(storage);
}
