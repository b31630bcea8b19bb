// SPDX-License-Identifier: Apache-2.0
// What the files of the storage engine share: the engine's own struct. Its parts and their locks:
//
//   commit lock     sequences, the log's tail, the active generation, the list of frozen ones,
//                   every swap of `version`. No system call and no waiting under it, but for
//                   DDL, freezing and the end of a flush, which allocate.
//   version lock    only taking a reference to `version` and swapping the pointer. After the
//                   commit lock when both are held.
//   work lock       what is asked of the flusher and how far it is. May be taken under the commit
//                   lock; only the version lock may be taken under it.
//   history lock    live transactions and what is kept for them (history.h). A leaf.
//   flusher thread  owns the index writer, the value log's tail, `checkpoint_catalog`, `drops`,
//                   `builds` and `dead`; before the thread starts and after it was joined,
//                   storage_open() and storage_close() do.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "base/list.h"
#include "base/thread.h"
#include "storage/index.h"
#include "storage/version.h"
#include "storage/wal.h"

#define LISTENERS_MAX 64

// Entries of the index's `meta` tree (docs/FILE_FORMAT.md).
#define META_CHECKPOINT "checkpoint"
#define META_EPOCH "epoch"
#define META_CLEAN "clean"
#define META_VLOG_TAIL "vlog_tail"
#define META_DEAD "dead:"
#define META_DROP "drop:"

// A frozen generation, with what the flusher needs to know of it beside its memtables.
struct frozen {
    struct list node; // oldest first
    struct generation *generation;
    struct catalog *catalog; // as of its last sequence
    struct buffer ddl;       // {u64 sequence, encoded operation} …, in order
};

struct listener {
    void (*function)(enum storage_event event, void *context);
    void *context;
};

// Bytes of value-log records that nothing in the index refers to any more, by segment.
struct dead_bytes {
    uint64_t *segments;
    bool *changed; // since it was last written to the index
    size_t count;
    _Atomic uint64_t total;
};

// A store or an index that was dropped, whose entries are still to be deleted.
struct drop {
    bool secondary;
    uint32_t id;
};

// How far the backfill of an index has come.
struct build {
    uint32_t index_id; // 0: no build is under way
    bool begun;        // `after` holds
    struct key after;
    size_t slice; // entries in the next slice, so that it takes about BUILD_SLICE_NS
};

// What live transactions may conflict with (history.h).
struct history {
    struct mutex lock;
    struct list members; // of struct history_member: live transactions
    struct list kept;    // flushed generations that one of them may need, oldest first
    uint64_t bytes;      // of those
    uint64_t floor;      // newest sequence of what is neither kept nor in the version
};

struct storage {
    struct storage_options options;
    char *path;
    struct file *lock_file;
    struct index *index;
    struct vlog *vlog;
    struct wal *wal;
    uint64_t epoch;

    struct mutex commit_lock;
    uint64_t next_sequence;
    int64_t last_commit_time_ns;
    uint64_t next_generation_number;
    struct buffer ddl;  // of the active generation, as in struct frozen
    struct list frozen; // of struct frozen
    _Atomic size_t frozen_count;
    _Atomic bool full; // the active generation is, and could not be frozen

    struct mutex version_lock;
    struct storage_version *version;
    _Atomic uint64_t version_number;

    struct mutex readers_lock;
    struct list readers; // of struct reader

    struct history history;

    struct mutex listeners_lock;
    struct listener listeners[LISTENERS_MAX];

    struct mutex work_lock;
    struct condition work;     // the flusher waits for something to do
    struct condition progress; // others wait for the flusher
    bool stop;
    bool work_pending;
    bool freeze_requested;
    bool disk_full;                  // the flusher's last attempt met a full disk; it tries again
    uint64_t full_attempts;          // how many did
    struct storage_version *retired; // of which the last reference is gone; by next_retired
    _Atomic bool abandon;
    _Atomic int failure; // enum status: why the flusher gave up
    struct thread flusher;

    _Atomic uint64_t checkpoint;
    _Atomic uint64_t flush_count;
    _Atomic int64_t reported_bytes; // of memory, in the gauge
    struct catalog *checkpoint_catalog;
    struct drop *drops;
    size_t drop_count, drop_capacity;
    struct build build;
    struct dead_bytes dead;

    // Bounds on one index transaction. Tests lower them, and stop a flush part way.
    _Atomic size_t transaction_entries_max;
    _Atomic uint64_t stop_after_transactions; // 0: never
};

// Takes a reference to the current version.
struct storage_version *storage_take_version(struct storage *storage);
// Under the commit lock: `version` (whose reference passes over) becomes the current one.
void storage_swap_version(struct storage *storage, struct storage_version *version);
void storage_notify(struct storage *storage, enum storage_event event);

// Sets the gauge of memtable memory; returns the bytes.
uint64_t storage_report_memory(struct storage *storage);

static inline enum status storage_failure(const struct storage *storage) {
    return (enum status)atomic_load_explicit(&storage->failure, memory_order_relaxed);
}
