// SPDX-License-Identifier: Apache-2.0
// Opening, closing, and what runs under the commit lock.
#include "storage/wal.h"

#include <stdlib.h>

#include "base/limits.h"
#include "storage/wal_recover.h"
#include "storage/wal_writer.h"

#define WINDOW_BYTES (512 * KIB)
#define WINDOW_BYTES_SYNCED (128 * KIB) // with interval 0: each sync writes what it made dirty
#define PREFETCH_BYTES 512              // ahead of the tail: a record of usual size
#define PAYLOAD_MAX (UINT32_MAX - 64 * KIB)

// ---- opening --------------------------------------------------------------------------------

static void nothing_durable(void *context, bool failed) {
}

static enum status wal_new(const struct wal_options *options, struct wal **ret) {
    struct wal *wal = aligned_alloc(WAL_CACHE_LINE, sizeof *wal);
    if (wal == NULL) return STATUS_NO_MEMORY;
    memset(wal, 0, sizeof *wal);
    wal->directory = strdup(options->directory);
    if (wal->directory == NULL) {
        free(wal);
        return STATUS_NO_MEMORY;
    }
    wal->fs = options->fs;
    wal->clock = options->clock;
    wal->segment_bytes = (options->segment_bytes + 4 * KIB - 1) & ~(4 * KIB - 1);
    wal->interval_ns = (uint64_t)options->flush_interval_ms * 1000000;
    wal->window = options->flush_interval_ms > 0 ? WINDOW_BYTES : WINDOW_BYTES_SYNCED;
    wal->on_durable = options->on_durable != NULL ? options->on_durable : nothing_durable;
    wal->context = options->context;
    mutex_init(&wal->mutex);
    condition_init(&wal->wake);
    condition_init(&wal->progress);
    *ret = wal;
    return STATUS_OK;
}

static void wal_free(struct wal *wal) {
    struct wal_segment *segment = wal->oldest;
    while (segment != NULL) {
        struct wal_segment *following = atomic_load(&segment->following);
        wal_segment_free(segment);
        segment = following;
    }
    wal_segment_free(atomic_load(&wal->next));
    condition_done(&wal->progress);
    condition_done(&wal->wake);
    mutex_done(&wal->mutex);
    free(wal->directory);
    free(wal);
}

static void chain_push(struct wal *wal, struct wal_segment *segment) {
    struct wal_segment *before = atomic_load_explicit(&wal->current, memory_order_relaxed);
    atomic_fetch_add_explicit(&wal->bytes, segment->size, memory_order_relaxed);
    atomic_store_explicit(&wal->current, segment, memory_order_release);
    if (before == NULL)
        wal->oldest = segment;
    else // last: who sees it sees that `before` is not current any more
        atomic_store_explicit(&before->following, segment, memory_order_release);
}

// Takes over what recovery found: the chain, files to recycle; removes the rest.
static enum status adopt_files(struct wal *wal, const struct wal_recovery *recovery) {
    bool removed = false;
    for (size_t i = 0; i < recovery->found_count; i++) {
        const struct wal_found *found = &recovery->found[i];
        wal->next_number = found->number + 1;
        enum status status = STATUS_OK;
        if (found->linked) {
            struct wal_segment *segment = NULL;
            status = wal_segment_new(found->number, found->size, &segment);
            if (status != STATUS_OK) return status;
            segment->last_sequence = found->last_sequence;
            chain_push(wal, segment);
            continue;
        }
        // A whole header beyond the end belongs to the lost tail: it must go before new writes.
        bool lost = found->valid && (recovery->last == NULL || found > recovery->last);
        if (!lost && wal_keep_spare(wal, found->number, found->size)) continue;
        status = wal_segment_remove(wal->fs, wal->directory, found->number);
        if (status != STATUS_OK) return status;
        removed = true;
    }
    return removed ? wal->fs->sync_directory(wal->fs, wal->directory) : STATUS_OK;
}

static void begin_segment(struct wal *wal, struct wal_segment *segment, uint64_t previous_sequence,
                          uint64_t durable) {
    struct wal_segment *previous = atomic_load_explicit(&wal->current, memory_order_relaxed);
    struct wal_segment_header header = {
        .number = segment->number,
        .epoch = wal->epoch,
        .base_sequence = wal->next_sequence,
        .durable = durable,
        .previous_sequence = previous_sequence,
        .previous_segment = previous == NULL ? 0 : previous->number,
    };
    if (previous != NULL) previous->last_sequence = previous_sequence;
    atomic_store_explicit(&segment->header_unsynced, true, memory_order_relaxed);
    wal_segment_header_encode(segment->address, &header);
    chain_push(wal, segment);
}

// The numbers of this run. After an unclean stop they skip more than the lost tail can have held.
static void number_run(struct wal *wal, const struct wal_recovery *recovery) {
    const struct wal_options *options = recovery->options;
    uint64_t last = recovery->expected - 1;
    if (last < options->checkpoint) last = options->checkpoint;
    bool fresh = recovery->found_count == 0 && options->checkpoint == 0 && options->epoch == 0;
    bool skip = !recovery->clean && !fresh;
    wal->next_sequence = last + 1 + (skip ? WAL_SEQUENCE_SKIP : 0);
    wal->epoch = recovery->epoch + (recovery->clean && recovery->epoch > 0 ? 0 : 1);
    wal->commit_time_ns = recovery->commit_time_ns;
    atomic_store(&wal->visible, wal->next_sequence - 1);
    atomic_store(&wal->durable, wal->next_sequence - 1);
}

// The header of the first segment must be durable before any number of this run is given.
static enum status start_run(struct wal *wal, const struct wal_recovery *recovery) {
    number_run(wal, recovery);
    mutex_lock(&wal->mutex);
    enum status status = wal_make_next(wal, wal->segment_bytes);
    mutex_unlock(&wal->mutex);
    if (status != STATUS_OK) return status == STATUS_READ_ONLY ? STATUS_IO : status;
    struct wal_segment *segment = atomic_exchange(&wal->next, NULL);
    begin_segment(wal, segment, recovery->expected - 1, wal->next_sequence - 1);
    wal->unsynced = segment;
    wal->synced_segment = segment;
    wal->synced_offset = WAL_SEGMENT_HEADER_SIZE;
    status = file_sync(segment->file);
    atomic_store_explicit(&segment->header_unsynced, false, memory_order_relaxed);
    return status;
}

static enum status start(struct wal *wal, const struct wal_recovery *recovery) {
    wal->next_number = 1;
    enum status status = adopt_files(wal, recovery);
    if (status == STATUS_OK) status = start_run(wal, recovery);
    if (status != STATUS_OK)
        return error_set(recovery->error, status, "%s: no log segment can be begun: %s",
                         wal->directory, status_text(status));
    wal_release(wal, recovery->options->checkpoint);
    wal->sync_begun_ns = clock_monotonic_ns(wal->clock);
    status = thread_start(&wal->thread, "log writer", wal_writer_main, wal);
    if (status != STATUS_OK) return error_set(recovery->error, status, "log writer: no thread");
    return STATUS_OK;
}

static enum status recover_and_start(const struct wal_options *options,
                                     struct wal_recovery *recovery, struct wal **ret) {
    enum status status = wal_recover(recovery);
    if (status != STATUS_OK) return status;
    struct wal *wal = NULL;
    status = wal_new(options, &wal);
    if (status != STATUS_OK) return error_set(recovery->error, status, "the log: no memory");
    status = start(wal, recovery);
    if (status != STATUS_OK) {
        wal_free(wal);
        return status;
    }
    *ret = wal;
    return STATUS_OK;
}

enum status wal_open(const struct wal_options *options, wal_replay_function *replay, void *context,
                     struct wal **ret, struct wal_recovered *ret_recovered, struct error *error) {
    ASSERT(options->segment_bytes >= 64 * KIB && options->flush_interval_ms >= 0);
    struct wal_recovery recovery = {
        .options = options, .replay = replay, .context = context, .error = error};
    struct wal *wal = NULL;
    enum status status = recover_and_start(options, &recovery, &wal);
    if (status == STATUS_OK) {
        *ret_recovered = (struct wal_recovered){
            .last_sequence = recovery.last_replayed,
            .next_sequence = wal->next_sequence,
            .epoch = wal->epoch,
            .records = recovery.records,
            .torn = recovery.torn,
        };
        *ret = wal;
    }
    wal_recovery_done(&recovery);
    return status;
}

void wal_close(struct wal *wal, bool abandon) {
    if (wal == NULL) return;
    mutex_lock(&wal->mutex);
    wal->stopping = true;
    wal->abandoned = abandon;
    wal_wake(wal);
    mutex_unlock(&wal->mutex);
    thread_join(&wal->thread);
    wal_free(wal);
}

// ---- under the commit lock ------------------------------------------------------------------

static inline uint64_t load_sequence(const _Atomic uint64_t *sequence) {
    return atomic_load_explicit(sequence, memory_order_acquire);
}

static inline uint64_t tail_of(const struct wal_segment *segment) {
    return atomic_load_explicit(&segment->offset, memory_order_relaxed);
}

static inline bool has_room(const struct wal_segment *segment, uint64_t size) {
    return size <= segment->size - tail_of(segment);
}

static inline bool is_resident(const struct wal_segment *segment, uint64_t size) {
    return tail_of(segment) + size <=
           atomic_load_explicit(&segment->populated, memory_order_acquire);
}

enum status wal_reserve(struct wal *wal, size_t payload_size) {
    uint64_t size = wal_record_size(payload_size);
    if (payload_size > PAYLOAD_MAX) return STATUS_TOO_LARGE;
    if (atomic_load_explicit(&wal->failed, memory_order_relaxed)) return STATUS_READ_ONLY;
    struct wal_segment *segment = atomic_load_explicit(&wal->current, memory_order_relaxed);
    if (!has_room(segment, size)) {
        // Even when the next one is too small as well, taking it makes way for a larger one.
        segment = atomic_exchange_explicit(&wal->next, NULL, memory_order_acq_rel);
        if (segment == NULL) return STATUS_PENDING;
        begin_segment(wal, segment, wal->next_sequence - 1, load_sequence(&wal->durable));
    }
    return has_room(segment, size) && is_resident(segment, size) ? STATUS_OK : STATUS_PENDING;
}

// The tail's lines are never in a cache: fetching them for the next record now costs it nothing.
static inline void prefetch_tail(const struct wal_segment *segment, uint64_t offset) {
    for (uint64_t line = 0; line < PREFETCH_BYTES; line += WAL_CACHE_LINE)
        __builtin_prefetch(segment->address + offset + line, 1);
}

void wal_append(struct wal *wal, uint64_t first_sequence, uint32_t operation_count,
                int64_t commit_time_ns, struct bytes payload, uint32_t payload_crc) {
    struct wal_segment *segment = atomic_load_explicit(&wal->current, memory_order_relaxed);
    uint64_t offset = tail_of(segment), size = wal_record_size(payload.size);
    ASSERT(size <= segment->size - offset);
    ASSERT(first_sequence == wal->next_sequence && operation_count > 0);
    if (commit_time_ns > wal->commit_time_ns) wal->commit_time_ns = commit_time_ns;
    wal->next_sequence = first_sequence + operation_count;

    struct wal_record_header header = {
        .payload_crc = payload_crc,
        .payload_size = (uint32_t)payload.size,
        .operation_count = operation_count,
        .segment = segment->number,
        .epoch = wal->epoch,
        .first_sequence = first_sequence,
        .commit_time_ns = wal->commit_time_ns,
        .durable = atomic_load_explicit(&wal->durable, memory_order_relaxed),
    };
    uint8_t *out = segment->address + offset;
    wal_record_header_encode(out, &header);
    if (payload.size > 0) memcpy(out + WAL_RECORD_HEADER_SIZE, payload.data, payload.size);
    size_t end = WAL_RECORD_HEADER_SIZE + payload.size;
    memset(out + end, 0, size - end);
    atomic_store_explicit(&segment->offset, offset + size, memory_order_relaxed);
    prefetch_tail(segment, offset + size);
}

void wal_publish(struct wal *wal, uint64_t sequence) {
    ASSERT(sequence < wal->next_sequence);
    ASSERT(sequence >= atomic_load_explicit(&wal->visible, memory_order_relaxed));
    atomic_store_explicit(&wal->visible, sequence, memory_order_release);
}

// ---- from any thread ------------------------------------------------------------------------

// One step towards room for `size` bytes; STATUS_PENDING: look again. Mutex held.
static enum status prepare_step(struct wal *wal, uint64_t size) {
    if (atomic_load_explicit(&wal->failed, memory_order_acquire)) return STATUS_READ_ONLY;
    struct wal_segment *segment = atomic_load_explicit(&wal->current, memory_order_acquire);
    if (!has_room(segment, size)) segment = atomic_load_explicit(&wal->next, memory_order_acquire);
    if (segment == NULL && wal->preparing) {
        condition_wait(&wal->progress, &wal->mutex);
        return STATUS_PENDING;
    }
    if (segment == NULL) {
        enum status status = wal_make_next(wal, WAL_SEGMENT_HEADER_SIZE + size);
        return status == STATUS_OK ? STATUS_PENDING : status;
    }
    if (!has_room(segment, size) || is_resident(segment, size)) return STATUS_OK;
    wal_populate(wal, segment, tail_of(segment) + size);
    return STATUS_PENDING;
}

enum status wal_prepare(struct wal *wal, size_t payload_size) {
    uint64_t size = wal_record_size(payload_size);
    if (payload_size > PAYLOAD_MAX) return STATUS_TOO_LARGE;
    mutex_lock(&wal->mutex);
    enum status status;
    do {
        status = prepare_step(wal, size);
    } while (status == STATUS_PENDING);
    if (status == STATUS_OK && wal_wants_next(wal)) wal_wake(wal);
    mutex_unlock(&wal->mutex);
    return status;
}

uint64_t wal_visible(const struct wal *wal) {
    return load_sequence(&wal->visible);
}

uint64_t wal_durable(const struct wal *wal) {
    return load_sequence(&wal->durable);
}

enum status wal_health(const struct wal *wal) {
    bool failed = atomic_load_explicit(&wal->failed, memory_order_acquire);
    return failed ? STATUS_READ_ONLY : STATUS_OK;
}

uint64_t wal_bytes(const struct wal *wal) {
    return atomic_load_explicit(&wal->bytes, memory_order_relaxed);
}

// Mutex held.
static void ask(struct wal *wal, uint64_t sequence) {
    if (sequence > wal->requested) wal->requested = sequence;
    wal->asks++;
    wal_wake(wal);
}

void wal_request_sync(struct wal *wal, uint64_t sequence) {
    uint64_t visible = load_sequence(&wal->visible);
    if (sequence > visible) sequence = visible;
    if (sequence <= load_sequence(&wal->durable)) return;
    mutex_lock(&wal->mutex);
    ask(wal, sequence);
    mutex_unlock(&wal->mutex);
}

enum status wal_sync(struct wal *wal, uint64_t sequence) {
    ASSERT(sequence <= load_sequence(&wal->visible));
    if (sequence <= load_sequence(&wal->durable)) return STATUS_OK;
    mutex_lock(&wal->mutex);
    ask(wal, sequence);
    while (sequence > load_sequence(&wal->durable) && wal_health(wal) == STATUS_OK)
        condition_wait(&wal->progress, &wal->mutex);
    mutex_unlock(&wal->mutex);
    return sequence <= load_sequence(&wal->durable) ? STATUS_OK : STATUS_IO;
}

// Takes the oldest segment off the chain if it is not needed any more, else NULL. Mutex held.
static struct wal_segment *pop_released(struct wal *wal, uint64_t checkpoint) {
    struct wal_segment *segment = wal->oldest;
    if (segment == wal->unsynced || segment->last_sequence > checkpoint || segment->pins > 0)
        return NULL;
    struct wal_segment *following = atomic_load_explicit(&segment->following, memory_order_acquire);
    // Recovery must find a segment to begin with: until the next one's header is durable, this is
    // it.
    if (atomic_load_explicit(&following->header_unsynced, memory_order_acquire)) return NULL;
    wal->oldest = following;
    atomic_fetch_sub_explicit(&wal->bytes, segment->size, memory_order_relaxed);
    return segment;
}

// One segment at a time, so that no file is removed under the mutex.
static bool release_one(struct wal *wal, uint64_t checkpoint) {
    mutex_lock(&wal->mutex);
    struct wal_segment *segment = pop_released(wal, checkpoint);
    bool remove = segment != NULL && !wal_keep_spare(wal, segment->number, segment->size);
    mutex_unlock(&wal->mutex);
    if (segment == NULL) return false;
    // A file that cannot be removed is in nobody's way: recovery begins behind it.
    if (remove) wal_segment_remove(wal->fs, wal->directory, segment->number);
    wal_segment_free(segment);
    return true;
}

void wal_release(struct wal *wal, uint64_t checkpoint) {
    ASSERT(checkpoint <= load_sequence(&wal->durable));
    while (release_one(wal, checkpoint)) {
    }
}
