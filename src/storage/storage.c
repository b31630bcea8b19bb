// SPDX-License-Identifier: Apache-2.0
// The engine's plumbing: options, sequences, listeners, figures.
#include "storage/storage.h"

#include "base/limits.h"
#include "base/metrics.h"
#include "storage/flusher.h"
#include "storage/snapshot.h"

struct storage_options storage_options_default(void) {
    return (struct storage_options){
        .flush_interval_ms = 1000,
        .wal_segment_bytes = (int64_t)(16 * MIB),
        .vlog_segment_bytes = (int64_t)GIB,
        .memtable_bytes = (int64_t)(64 * MIB),
        .generations_max = 4,
        .index_map_bytes = (int64_t)(1024 * GIB),
        .transaction_bytes_max = (int64_t)(64 * MIB),
        .transaction_age_max_ms = 60000,
        .history_bytes_max = (int64_t)(128 * MIB),
    };
}

// ---- sequences ------------------------------------------------------------------------------

uint64_t storage_visible(const struct storage *storage) {
    return wal_visible(storage->wal);
}

uint64_t storage_durable(const struct storage *storage) {
    return wal_durable(storage->wal);
}

uint64_t storage_ack(const struct storage *storage) {
    return storage->options.flush_interval_ms == 0 ? wal_durable(storage->wal)
                                                   : wal_visible(storage->wal);
}

uint64_t storage_checkpoint(const struct storage *storage) {
    return atomic_load_explicit(&storage->checkpoint, memory_order_acquire);
}

uint64_t storage_epoch(const struct storage *storage) {
    return storage->epoch;
}

enum status storage_health(const struct storage *storage) {
    if (wal_health(storage->wal) != STATUS_OK || storage_failure(storage) != STATUS_OK)
        return STATUS_READ_ONLY;
    return STATUS_OK;
}

enum status storage_sync(struct storage *storage, uint64_t sequence) {
    return wal_sync(storage->wal, sequence);
}

void storage_request_sync(struct storage *storage, uint64_t sequence) {
    wal_request_sync(storage->wal, sequence);
}

// ---- versions -------------------------------------------------------------------------------

struct storage_version *storage_take_version(struct storage *storage) {
    mutex_lock(&storage->version_lock);
    struct storage_version *version = version_ref(storage->version);
    mutex_unlock(&storage->version_lock);
    return version;
}

void storage_swap_version(struct storage *storage, struct storage_version *version) {
    struct storage_version *before = storage->version;
    ASSERT(before == NULL || version->number == before->number + 1);
    mutex_lock(&storage->version_lock);
    storage->version = version;
    atomic_store_explicit(&storage->version_number, version->number, memory_order_release);
    mutex_unlock(&storage->version_lock);
    // Not here: writers wait for the commit lock.
    if (before != NULL && version_drop(before)) flusher_retire(storage, before);
}

// ---- listeners ------------------------------------------------------------------------------

int storage_listen(struct storage *storage,
                   void (*function)(enum storage_event event, void *context), void *context) {
    int handle = -1;
    mutex_lock(&storage->listeners_lock);
    for (int i = 0; i < LISTENERS_MAX && handle < 0; i++) {
        if (storage->listeners[i].function != NULL) continue;
        storage->listeners[i] = (struct listener){.function = function, .context = context};
        handle = i;
    }
    mutex_unlock(&storage->listeners_lock);
    ASSERT(handle >= 0);
    return handle;
}

void storage_unlisten(struct storage *storage, int handle) {
    ASSERT(handle >= 0 && handle < LISTENERS_MAX);
    // Events are sent under the lock, so none can be under way afterwards.
    mutex_lock(&storage->listeners_lock);
    storage->listeners[handle] = (struct listener){0};
    mutex_unlock(&storage->listeners_lock);
}

void storage_notify(struct storage *storage, enum storage_event event) {
    mutex_lock(&storage->listeners_lock);
    for (int i = 0; i < LISTENERS_MAX; i++)
        if (storage->listeners[i].function != NULL)
            storage->listeners[i].function(event, storage->listeners[i].context);
    mutex_unlock(&storage->listeners_lock);
}

// ---- figures --------------------------------------------------------------------------------

static uint64_t oldest_view_ns(struct storage *storage) {
    uint64_t oldest = 0;
    mutex_lock(&storage->readers_lock);
    for (struct list *node = storage->readers.next; node != &storage->readers; node = node->next) {
        const struct reader *reader = container_of(node, struct reader, node);
        uint64_t begun = atomic_load_explicit(&reader->oldest_ns, memory_order_relaxed);
        if (begun != 0 && (oldest == 0 || begun < oldest)) oldest = begun;
    }
    mutex_unlock(&storage->readers_lock);
    return oldest;
}

uint64_t storage_report_memory(struct storage *storage) {
    uint64_t bytes = 0;
    struct storage_version *version = storage_take_version(storage);
    for (size_t i = 0; i < version->generation_count; i++)
        bytes += atomic_load(&version->generations[i]->bytes);
    version_unref(version);
    int64_t before = atomic_exchange(&storage->reported_bytes, (int64_t)bytes);
    metric_add(METRIC_storage_memtable_bytes, (int64_t)bytes - before);
    return bytes;
}

void storage_get_stats(struct storage *storage, struct storage_stats *ret) {
    *ret = (struct storage_stats){
        .frozen_generations = atomic_load(&storage->frozen_count),
        .wal_bytes = wal_bytes(storage->wal),
        .vlog_bytes = vlog_bytes(storage->vlog),
        .vlog_dead_bytes = atomic_load(&storage->dead.total),
        .index_bytes = index_bytes(storage->index),
        .flushes = atomic_load(&storage->flush_count),
    };
    ret->memtable_bytes = storage_report_memory(storage);
    uint64_t oldest = oldest_view_ns(storage);
    uint64_t now = clock_monotonic_ns(storage->options.clock);
    if (oldest != 0 && now > oldest) ret->oldest_view_age_ms = (now - oldest) / 1000000;
}
