// SPDX-License-Identifier: Apache-2.0
// The log writer thread.
#include "storage/wal_writer.h"

#include "base/limits.h"
#include "base/log.h"

#define NS_PER_MS 1000000ULL
#define TICK_NS (50 * NS_PER_MS)          // while there is something unsynced or unprepared
#define IDLE_NS (3600 * 1000 * NS_PER_MS) // when only a request can bring work
#define RETRY_NS (1000 * NS_PER_MS)       // after preparing ahead failed
#define GATHER_SHARE 20                   // a sync waits at most 1/20 of the last one's time
#define GATHER_MIN_NS 10000               // less is not worth a wait
#define PAGE 4096ULL

void wal_wake(struct wal *wal) {
    if (wal->waiting) condition_signal(&wal->wake);
}

bool wal_wants_next(struct wal *wal) {
    if (atomic_load_explicit(&wal->next, memory_order_acquire) != NULL) return false;
    struct wal_segment *current = atomic_load_explicit(&wal->current, memory_order_acquire);
    return atomic_load_explicit(&current->offset, memory_order_relaxed) > current->size / 4;
}

bool wal_keep_spare(struct wal *wal, uint64_t number, uint64_t size) {
    if (size != wal->segment_bytes || wal->spare_count == WAL_SPARE_MAX) return false;
    wal->spares[wal->spare_count++] = number;
    return true;
}

// ---- preparing ------------------------------------------------------------------------------

void wal_populate(struct wal *wal, struct wal_segment *segment, uint64_t end) {
    uint64_t begin = atomic_load_explicit(&segment->populated, memory_order_relaxed);
    end = (end + wal->window - 1) / wal->window * wal->window;
    if (end > segment->size) end = segment->size;
    uint64_t tail = atomic_load_explicit(&segment->offset, memory_order_relaxed) & ~(PAGE - 1);
    uint64_t evict = segment->evicted;
    segment->evicted = tail > evict ? tail : evict;
    segment->pins++;
    mutex_unlock(&wal->mutex);
    if (end > begin) file_populate(segment->file, segment->address, begin, end - begin);
    if (tail > evict) file_evict(segment->file, segment->address, evict, tail - evict);
    mutex_lock(&wal->mutex);
    segment->pins--;
    condition_broadcast(&wal->progress);
    if (end > atomic_load_explicit(&segment->populated, memory_order_relaxed))
        atomic_store_explicit(&segment->populated, end, memory_order_release);
}

// The writer thread tells the listener. Mutex held.
static void fail_finally(struct wal *wal, const char *what, enum status status) {
    if (atomic_load_explicit(&wal->failed, memory_order_relaxed)) return;
    log_error("wal", "%s failed (%s): no more writes are taken", what, status_text(status));
    atomic_store_explicit(&wal->failed, true, memory_order_release);
    wal->failure_untold = true;
    condition_broadcast(&wal->progress);
    wal_wake(wal);
}

static enum status prepare_file(struct wal *wal, uint64_t number, uint64_t spare, uint64_t size,
                                struct wal_segment **ret) {
    if (spare != 0) return wal_segment_recycle(wal->fs, wal->directory, spare, number, size, ret);
    return wal_segment_create(wal->fs, wal->directory, number, size, ret);
}

enum status wal_make_next(struct wal *wal, uint64_t size) {
    ASSERT(!wal->preparing);
    wal->preparing = true;
    if (size < wal->segment_bytes) size = wal->segment_bytes;
    size = (size + PAGE - 1) & ~(PAGE - 1);
    uint64_t number = wal->next_number++, spare = 0;
    if (size == wal->segment_bytes && wal->spare_count > 0) spare = wal->spares[--wal->spare_count];
    mutex_unlock(&wal->mutex);
    struct wal_segment *segment = NULL;
    enum status status = prepare_file(wal, number, spare, size, &segment);
    mutex_lock(&wal->mutex);
    if (status == STATUS_OK) {
        wal_populate(wal, segment, WAL_SEGMENT_HEADER_SIZE);
        ASSERT(atomic_load(&wal->next) == NULL);
        atomic_store_explicit(&wal->next, segment, memory_order_release);
    } else if (status == STATUS_READ_ONLY) {
        fail_finally(wal, "syncing the log's directory", status);
    }
    wal->preparing = false;
    condition_broadcast(&wal->progress);
    return status;
}

static bool wants_prepare(struct wal *wal, uint64_t now) {
    return !wal->preparing && now >= wal->retry_at_ns && wal_wants_next(wal);
}

// Ahead of need; who needs it at once learns of a failure from wal_prepare().
static void prepare_ahead(struct wal *wal) {
    enum status status = wal_make_next(wal, wal->segment_bytes);
    if (status == STATUS_OK) return;
    wal->retry_at_ns = clock_monotonic_ns(wal->clock) + RETRY_NS;
    if (status != STATUS_READ_ONLY)
        log_warn("wal", "a log segment cannot be prepared: %s", status_text(status));
}

// ---- syncing --------------------------------------------------------------------------------

// The finished segment was synced: it needs no mapping and no file any more.
static void leave_segment(struct wal *wal, struct wal_segment *segment,
                          struct wal_segment *following) {
    mutex_lock(&wal->mutex);
    while (segment->pins > 0) condition_wait(&wal->progress, &wal->mutex);
    mutex_unlock(&wal->mutex);
    wal_segment_close(segment); // nobody pins it again: it is neither current nor next
    mutex_lock(&wal->mutex);
    wal->unsynced = following; // from here on it may be released
    mutex_unlock(&wal->mutex);
}

// Syncs the chain up to the current segment, or (not `all`) only the finished ones. Sets
// `ret_durable` to what is durable then. No lock held.
static enum status sync_chain(struct wal *wal, bool all, uint64_t *ret_durable) {
    uint64_t visible = atomic_load_explicit(&wal->visible, memory_order_acquire);
    struct wal_segment *segment = wal->unsynced;
    for (;;) {
        // Loaded before the sync: only then is the sync of all of a finished segment.
        struct wal_segment *following =
            atomic_load_explicit(&segment->following, memory_order_acquire);
        if (following == NULL && !all) return STATUS_OK;
        enum status status = file_sync(segment->file);
        if (status != STATUS_OK) return status;
        atomic_store_explicit(&segment->header_unsynced, false, memory_order_release);
        uint64_t reached = following != NULL && segment->last_sequence < visible
                               ? segment->last_sequence
                               : visible;
        if (reached > *ret_durable) *ret_durable = reached;
        if (following == NULL) return STATUS_OK;
        leave_segment(wal, segment, following);
        segment = following;
    }
}

// A sync writes the pages back and so protects them: as much as the last batch took is made
// writable again, before the next batch runs into faults.
static void restore_window(struct wal *wal) {
    struct wal_segment *segment = wal->unsynced;
    uint64_t tail = atomic_load_explicit(&segment->offset, memory_order_relaxed);
    uint64_t before = segment == wal->synced_segment ? wal->synced_offset : 0;
    uint64_t batch = tail > before ? tail - before : PAGE;
    if (batch > wal->window) batch = wal->window;
    uint64_t end = tail + batch;
    uint64_t populated = atomic_load_explicit(&segment->populated, memory_order_relaxed);
    if (end > populated) end = populated;
    uint64_t begin = tail & ~(PAGE - 1);
    if (end > begin) file_populate(segment->file, segment->address, begin, end - begin);
    wal->synced_segment = segment;
    wal->synced_offset = tail;
}

static void finish_sync(struct wal *wal, uint64_t durable, uint64_t asks) {
    uint64_t now = clock_monotonic_ns(wal->clock);
    wal->gather_asks = wal->asks + asks;
    wal->gather_until_ns = now + (now - wal->sync_begun_ns) / GATHER_SHARE;
    bool advanced = durable > atomic_load_explicit(&wal->durable, memory_order_relaxed);
    ASSERT(durable <= atomic_load_explicit(&wal->visible, memory_order_acquire));
    atomic_store_explicit(&wal->durable, durable, memory_order_release);
    if (!advanced) return;
    condition_broadcast(&wal->progress);
    mutex_unlock(&wal->mutex);
    wal->on_durable(wal->context, false);
    mutex_lock(&wal->mutex);
}

static void run_sync(struct wal *wal, bool all) {
    uint64_t asks = wal->asks;
    if (all) {
        wal->asks = 0;
        wal->sync_begun_ns = clock_monotonic_ns(wal->clock);
    }
    uint64_t durable = atomic_load_explicit(&wal->durable, memory_order_relaxed);
    mutex_unlock(&wal->mutex);
    enum status status = sync_chain(wal, all, &durable);
    if (status == STATUS_OK && all) restore_window(wal);
    mutex_lock(&wal->mutex);
    if (status != STATUS_OK)
        fail_finally(wal, "syncing the log", status);
    else
        finish_sync(wal, durable, asks);
}

// Waits a moment for those whom the last sync has just released, or the committers would split
// into two cohorts that take turns.
static void gather(struct wal *wal) {
    while (!wal->stopping && wal->asks < wal->gather_asks) {
        uint64_t now = clock_monotonic_ns(wal->clock);
        if (now + GATHER_MIN_NS >= wal->gather_until_ns) return;
        wal->waiting = true;
        condition_wait_for(&wal->wake, &wal->mutex, wal->gather_until_ns - now);
        wal->waiting = false;
    }
}

static bool has_unsynced(struct wal *wal) {
    return atomic_load_explicit(&wal->visible, memory_order_acquire) >
           atomic_load_explicit(&wal->durable, memory_order_relaxed);
}

static bool wants_sync(struct wal *wal, uint64_t now) {
    if (!has_unsynced(wal)) return false;
    if (wal->requested > atomic_load_explicit(&wal->durable, memory_order_relaxed)) return true;
    return wal->interval_ns > 0 && now - wal->sync_begun_ns >= wal->interval_ns;
}

// With an interval, finished segments are synced as they come: one sync at the end of the interval
// would have to write them all.
static bool wants_early_sync(struct wal *wal) {
    return wal->interval_ns > 0 &&
           atomic_load_explicit(&wal->unsynced->following, memory_order_acquire) != NULL;
}

// Appenders never wake this thread, so with an interval it looks for itself: at each interval when
// idle, more often when there is work ahead.
static uint64_t pause_ns(struct wal *wal, uint64_t now) {
    uint64_t pause = wal->interval_ns > 0 ? wal->interval_ns : IDLE_NS;
    if (atomic_load_explicit(&wal->failed, memory_order_relaxed)) return IDLE_NS;
    if (wal->interval_ns > 0 && has_unsynced(wal)) {
        uint64_t since = now - wal->sync_begun_ns;
        uint64_t left = wal->interval_ns > since ? wal->interval_ns - since : 1;
        pause = left < TICK_NS ? left : TICK_NS;
    }
    if (wal_wants_next(wal) && pause > TICK_NS)
        pause = wal->retry_at_ns > now + TICK_NS ? wal->retry_at_ns - now : TICK_NS;
    return pause;
}

static void tell_failure(struct wal *wal) {
    wal->failure_untold = false;
    mutex_unlock(&wal->mutex);
    wal->on_durable(wal->context, true);
    mutex_lock(&wal->mutex);
}

static void run_once(struct wal *wal) {
    uint64_t now = clock_monotonic_ns(wal->clock);
    bool failed = atomic_load_explicit(&wal->failed, memory_order_relaxed);
    if (wal->failure_untold) {
        tell_failure(wal);
    } else if (!failed && wants_prepare(wal, now)) {
        prepare_ahead(wal);
    } else if (!failed && wants_sync(wal, now)) {
        gather(wal);
        run_sync(wal, true);
    } else if (!failed && wants_early_sync(wal)) {
        run_sync(wal, false);
    } else {
        wal->waiting = true;
        condition_wait_for(&wal->wake, &wal->mutex, pause_ns(wal, now));
        wal->waiting = false;
    }
}

void wal_writer_main(void *context) {
    struct wal *wal = context;
    mutex_lock(&wal->mutex);
    while (!wal->stopping) run_once(wal);
    bool failed = atomic_load_explicit(&wal->failed, memory_order_relaxed);
    if (!wal->abandoned && !failed && has_unsynced(wal)) run_sync(wal, true);
    if (wal->failure_untold) tell_failure(wal);
    mutex_unlock(&wal->mutex);
}
