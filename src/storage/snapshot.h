// SPDX-License-Identifier: Apache-2.0
// A reader's way to the data: snapshots {version, index transaction, checkpoint} that are assembled
// anew only when the version has changed, and point look-ups in them.
//
// Assembly. Take the version, then move the index reader to the newest commit and read its
// checkpoint C. A view loads its sequence S first and checks then that the version is still the
// current one: what was written into a newer generation is visible only after that version was
// swapped in, so S never promises what the snapshot does not hold. Generations whose last sequence
// is <= C are in the index and ignored. The flusher makes the log durable through what it flushes
// before it writes the index, so S (>= durable) is at or past every index entry: asserted.
//
// Everything here belongs to the reader's thread; counts are not atomic.
#pragma once

#include "storage/batch.h"
#include "storage/state.h"

#define SNAPSHOT_TOPS 16
#define SPARE_INDEX_READERS 4

// The greatest key of a store in the snapshot's index, so that ascending inserts need no look-up.
struct snapshot_top {
    uint32_t store_id;
    bool empty; // the index has none
    struct key key;
};

struct snapshot {
    struct list node; // in the reader's list
    struct reader *reader;
    struct storage_version *version;
    size_t generation_count; // without those that are in the index
    struct index_reader *index;
    uint64_t checkpoint;
    uint64_t views; // views, and 1 while it is the reader's current one
    uint64_t begun_ns;
    size_t top_count;
    struct snapshot_top tops[SNAPSHOT_TOPS];
};

struct reader {
    struct list node; // in storage->readers
    struct storage *storage;
    struct snapshot *current; // or NULL
    struct list snapshots;
    _Atomic uint64_t oldest_ns; // begin of the oldest snapshot; 0: none
    struct index_reader *spares[SPARE_INDEX_READERS];
    size_t spare_count;
    struct batch batch; // for writes
};

struct found {
    bool exists;
    uint64_t sequence;             // of the newest operation on the key; 0: none is known
    const struct version *version; // where it is: in memory …
    struct index_entry entry;      // … or else in the value log
};

// What a view at `sequence` sees under the key. Absence is not a failure.
CHECKED enum status snapshot_find(const struct snapshot *snapshot, uint64_t sequence,
                                  uint32_t store_id, const struct key *key, struct found *ret);
// The same when the key is likely to be new.
CHECKED enum status snapshot_find_new(struct snapshot *snapshot, uint64_t sequence,
                                      uint32_t store_id, const struct key *key, struct found *ret);
// What the view sees under the key, a transaction's own writes (with sequence 0) included.
// `likely_new`: it is probably not there.
bool transaction_find(struct transaction *transaction, uint32_t store_id, const struct key *key,
                      struct found *ret); // transaction.h
CHECKED static inline enum status view_find(const struct view *view, uint32_t store_id,
                                            const struct key *key, bool likely_new,
                                            struct found *ret) {
    if (__builtin_expect(view->transaction != NULL, 0) &&
        transaction_find(view->transaction, store_id, key, ret))
        return STATUS_OK;
    if (likely_new) return snapshot_find_new(view->snapshot, view->sequence, store_id, key, ret);
    return snapshot_find(view->snapshot, view->sequence, store_id, key, ret);
}
// The document that was found.
CHECKED enum status snapshot_document(const struct snapshot *snapshot, uint32_t store_id,
                                      const struct key *key, const struct found *found,
                                      struct bytes *ret);
