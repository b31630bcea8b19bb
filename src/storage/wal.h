// SPDX-License-Identifier: Apache-2.0
// The commit log: numbered segments `wal/<16 hex digits>.wal`, zero-filled and recycled ahead of
// use, written through a mapping under the engine's commit lock, synced by a log writer thread.
// The bytes are in docs/FILE_FORMAT.md, "Write-ahead log".
//
// Segment header (64 bytes, then records aligned to 8): magic, CRC32C, format version, segment
// number, epoch, base sequence (first that may follow), durable sequence when it was begun, and
// what it continues: last sequence and segment number before it.
// Record header (64 bytes): magic, header CRC32C, payload CRC32C, payload size, operation count,
// segment number, epoch, first sequence, commit time (ns, never decreasing), durable sequence known
// when it was written. Segment numbers are never given twice, so a recycled segment's old records
// never pass.
//
// Recovery. Records are replayed in order from segment to segment. A bad record is corruption when
// its sequence is <= the checkpoint, or <= the durable sequence that any later valid record or
// segment header states; else it is the torn end: the log is cut there and all that follows,
// in later segments too, is discarded (zeroed or removed, synced) before new writes.
//
// Syncing. With an interval, the writer thread looks by itself: once an interval when idle, every
// 50 ms or less while something is unsynced; finished segments are synced as they come. With
// interval 0 it sleeps until wal_request_sync() or wal_sync(). A failed sync is final: the log is
// read-only, durable stays. Sequences are given without gaps (asserted).
//
// Threads: wal_reserve/append/publish under the caller's commit lock; the rest from any thread.
#pragma once

#include <stdatomic.h>

#include "base/clock.h"
#include "base/file.h"
#include "storage/operation.h"

struct wal;

struct wal_record { // as replayed
    uint64_t first_sequence;
    uint32_t operation_count;
    uint64_t epoch;
    uint64_t durable;
    int64_t commit_time_ns;
    struct bytes payload;
};
// A status other than STATUS_OK ends the recovery with it.
typedef enum status wal_replay_function(const struct wal_record *record, void *context);

struct wal_options {
    struct file_system *fs;
    struct clock *clock;
    const char *directory;  // exists
    uint64_t segment_bytes; // >= 64 KiB, rounded up to pages
    int64_t flush_interval_ms;
    bool repair;
    // From the index: sequences up to `checkpoint` are in value log and index.
    uint64_t checkpoint;
    uint64_t epoch;  // last one known to the index
    bool clean_stop; // the index says that the last stop was clean at `checkpoint`
    // Called on the log writer thread after durable advanced, or when the log failed (failed true,
    // once). May be NULL.
    void (*on_durable)(void *context, bool failed);
    void *context;
};

// Sequences skip ahead by this after an unclean stop: more than a lost tail can have held.
#define WAL_SEQUENCE_SKIP (1ULL << 32)

struct wal_recovered {
    uint64_t last_sequence; // of the last replayed record, or the checkpoint
    uint64_t next_sequence; // the first to be given now (skipped ahead after an unclean stop)
    uint64_t epoch;         // of this run: higher than any before after an unclean stop
    uint64_t records;       // replayed
    bool torn;              // a torn end was cut
};

// Opens the log: recovers (records above the checkpoint go to `replay`, in order), cuts a torn
// end, starts a fresh segment and the log writer thread. visible = durable = next_sequence - 1.
CHECKED enum status wal_open(const struct wal_options *options, wal_replay_function *replay,
                             void *context, struct wal **ret, struct wal_recovered *ret_recovered,
                             struct error *error);
// Syncs (unless failed or `abandon`), stops the thread, frees.
void wal_close(struct wal *wal, bool abandon);

// Under the commit lock: makes sure that a record with `payload_size` bytes fits. STATUS_PENDING:
// release the lock, call wal_prepare() and begin again. STATUS_READ_ONLY after a failed sync.
// STATUS_TOO_LARGE beyond what a record can hold (nearly 4 GiB).
CHECKED enum status wal_reserve(struct wal *wal, size_t payload_size);
// Without the lock: makes the pages ahead of the tail resident, or waits until the next segment
// (large enough for such a record) is ready, preparing it itself if nobody does. After a refusal
// it may be tried again: it succeeds when space returns.
// STATUS_NO_SPACE, STATUS_IO, STATUS_READ_ONLY.
CHECKED enum status wal_prepare(struct wal *wal, size_t payload_size);
// Under the commit lock after wal_reserve() said OK; cannot fail. Copies the payload into the log.
void wal_append(struct wal *wal, uint64_t first_sequence, uint32_t operation_count,
                int64_t commit_time_ns, struct bytes payload, uint32_t payload_crc);
// Under the commit lock, after everything up to `sequence` was linked into memory: makes it
// visible to readers and to the log writer.
void wal_publish(struct wal *wal, uint64_t sequence);

uint64_t wal_visible(const struct wal *wal); // acquire load
uint64_t wal_durable(const struct wal *wal);
enum status wal_health(const struct wal *wal);
uint64_t wal_bytes(const struct wal *wal); // in segments that are still needed

// Asks for a sync without waiting. Takes the log's own mutex: not under the commit lock.
void wal_request_sync(struct wal *wal, uint64_t sequence);
// Waits until `sequence`, which is visible, is durable. STATUS_IO when it can never become so.
CHECKED enum status wal_sync(struct wal *wal, uint64_t sequence);
// Everything up to `checkpoint` (<= durable) is elsewhere: whole segments below it are kept for
// recycling or removed.
void wal_release(struct wal *wal, uint64_t checkpoint);
