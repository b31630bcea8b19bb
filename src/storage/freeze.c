// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "storage/commit.h"
#include "storage/flusher.h"

void frozen_free(struct frozen *frozen) {
    if (frozen == NULL) return;
    generation_unref(frozen->generation);
    catalog_unref(frozen->catalog);
    buffer_done(&frozen->ddl);
    free(frozen);
}

// Under the commit lock; takes over `frozen` and `next` on success.
static enum status freeze_locked(struct storage *storage, struct frozen *frozen,
                                 struct generation *next) {
    struct storage_version *before = storage->version;
    next->number = storage->next_generation_number;
    next->first_sequence = storage->next_sequence;
    struct storage_version *after = version_new(before->number + 1, before->catalog, next,
                                                before->generations, before->generation_count);
    if (after == NULL) return STATUS_NO_MEMORY;
    storage->next_generation_number++;
    frozen->generation = generation_ref(version_active(before));
    frozen->catalog = catalog_ref(before->catalog);
    frozen->ddl = storage->ddl;
    storage->ddl = (struct buffer){0};
    list_push_back(&storage->frozen, &frozen->node);
    atomic_store_explicit(&frozen->generation->last_sequence, storage->next_sequence - 1,
                          memory_order_release);
    atomic_fetch_add(&storage->frozen_count, 1);
    atomic_store(&storage->full, false);
    storage_swap_version(storage, after);
    return STATUS_OK;
}

enum status commit_freeze(struct storage *storage, const struct generation *active) {
    struct frozen *frozen = calloc(1, sizeof *frozen);
    struct generation *next = generation_new(0, 0);
    if (frozen == NULL || next == NULL) {
        free(frozen);
        generation_unref(next);
        return STATUS_NO_MEMORY;
    }
    enum status status = STATUS_OK;
    bool done = false;
    mutex_lock(&storage->commit_lock);
    if (active == NULL || version_active(storage->version) == active) {
        status = freeze_locked(storage, frozen, next);
        done = status == STATUS_OK;
    }
    mutex_unlock(&storage->commit_lock);
    generation_unref(next); // the version has its own reference
    if (done)
        flusher_wake(storage);
    else
        free(frozen);
    return status;
}

static bool may_freeze(struct storage *storage) {
    return atomic_load(&storage->frozen_count) < (size_t)storage->options.generations_max;
}

void commit_note_size(struct storage *storage, const struct generation *active) {
    uint64_t bytes = atomic_load_explicit(&active->bytes, memory_order_relaxed);
    if (bytes < (uint64_t)storage->options.memtable_bytes) return;
    // A write that finds no room or memory for freezing leaves it to the next, which waits.
    if (!may_freeze(storage) || commit_freeze(storage, active) != STATUS_OK) {
        mutex_lock(&storage->commit_lock);
        if (version_active(storage->version) == active) atomic_store(&storage->full, true);
        mutex_unlock(&storage->commit_lock);
    }
}

enum status commit_make_room(struct storage *storage) {
    mutex_lock(&storage->work_lock);
    while (!may_freeze(storage) && atomic_load(&storage->full) &&
           storage_failure(storage) == STATUS_OK && !storage->disk_full)
        condition_wait(&storage->progress, &storage->work_lock);
    bool stuck = storage->disk_full && !may_freeze(storage) && atomic_load(&storage->full);
    mutex_unlock(&storage->work_lock);
    if (storage_failure(storage) != STATUS_OK) return STATUS_READ_ONLY;
    if (stuck) return STATUS_NO_SPACE; // the flusher cannot make room for now
    if (!atomic_load(&storage->full)) return STATUS_OK;
    struct storage_version *version = storage_take_version(storage);
    const struct generation *active = version_active(version);
    enum status status = STATUS_OK;
    // Another writer may have frozen the full one meanwhile.
    if (atomic_load(&active->bytes) >= (uint64_t)storage->options.memtable_bytes)
        status = commit_freeze(storage, active);
    version_unref(version);
    return status;
}
