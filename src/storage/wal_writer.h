// SPDX-License-Identifier: Apache-2.0
// The log's state, and the part of it that does I/O: preparing segments, resident windows, group
// commit, releasing. wal.c holds what runs under the commit lock.
//
// The segments form a chain: oldest -> ... -> unsynced -> ... -> current, and `next` waits outside.
// `mutex` is never held during I/O, but while populating nothing is: pins keep the mapping.
#pragma once

#include <stdalign.h>

#include "base/thread.h"
#include "storage/wal.h"
#include "storage/wal_segment.h"

#define WAL_CACHE_LINE 64
#define WAL_SPARE_MAX 3 // released files kept for recycling

struct wal {
    // Commit lock.
    alignas(WAL_CACHE_LINE) _Atomic(struct wal_segment *) current; // stored under it, read by all
    uint64_t next_sequence;
    uint64_t epoch;
    int64_t commit_time_ns;             // of the newest record
    _Atomic(struct wal_segment *) next; // prepared; taken under the commit lock
    _Atomic bool failed;                // a sync failed: final

    alignas(WAL_CACHE_LINE) _Atomic uint64_t visible;
    alignas(WAL_CACHE_LINE) _Atomic uint64_t durable; // writer thread

    // Set at open.
    alignas(WAL_CACHE_LINE) struct file_system *fs;
    struct clock *clock;
    char *directory;
    uint64_t segment_bytes;
    uint64_t interval_ns; // 0: only on request
    uint64_t window;      // bytes made resident ahead of the tail
    void (*on_durable)(void *context, bool failed);
    void *context;
    _Atomic uint64_t bytes; // in the chain
    struct thread thread;

    struct mutex mutex;        // guards all below
    struct condition wake;     // for the writer thread
    struct condition progress; // durable advanced, a segment was prepared, or a failure
    bool waiting;              // the writer thread waits on `wake`
    bool stopping;
    bool abandoned;
    bool failure_untold;  // `on_durable` has not been told of it
    bool preparing;       // somebody prepares a segment
    uint64_t retry_at_ns; // writer thread: no preparing ahead before, after a failure
    uint64_t next_number;
    uint64_t requested;   // sequence that somebody wants durable
    uint64_t asks;        // requests since the last sync began
    uint64_t gather_asks; // asks that a sync waits for, for a moment
    uint64_t gather_until_ns;
    uint64_t sync_begun_ns; // the last one
    uint64_t synced_offset; // tail of `synced_segment` at the last sync: the size of a batch
    struct wal_segment *synced_segment;
    struct wal_segment *oldest;     // chain
    struct wal_segment *unsynced;   // first one not wholly synced; moved by the writer thread
    uint64_t spares[WAL_SPARE_MAX]; // numbers of files of `segment_bytes` to recycle
    size_t spare_count;
};

// Makes `segment`'s bytes up to `end` (and a window on) resident, and lets go of those well behind
// the tail. Mutex held; let go meanwhile.
void wal_populate(struct wal *wal, struct wal_segment *segment, uint64_t end);
// Prepares a segment of at least `size` bytes as `next`, which must be empty, and nobody preparing.
// A failed sync of the directory is final: STATUS_READ_ONLY. Mutex held; let go meanwhile.
CHECKED enum status wal_make_next(struct wal *wal, uint64_t size);
// Takes a released or unused file of segment `number` in for recycling. False: remove it. Mutex
// held, or before the thread runs.
bool wal_keep_spare(struct wal *wal, uint64_t number, uint64_t size);
// The current segment is so full that the next one is due. Any thread.
bool wal_wants_next(struct wal *wal);
// Wakes the writer thread if it waits. Mutex held.
void wal_wake(struct wal *wal);
void wal_writer_main(void *wal);
