// SPDX-License-Identifier: Apache-2.0
// Conflict history: what was written since the snapshot of the oldest live transaction, where it
// has left the version. A flushed generation that holds something newer than a live transaction is
// kept here until no such transaction is left, or until all that is kept takes more than
// `history_bytes_max`: then the oldest goes, and a transaction that would have needed it is
// refused with STATUS_SNAPSHOT_TOO_OLD.
//
// Any thread; one lock, under which no other is taken.
#pragma once

#include "storage/state.h"

// A live transaction's place in the history.
struct history_member {
    struct list node;
    uint64_t sequence; // of its snapshot
};

void history_init(struct storage *storage);
void history_done(struct storage *storage); // no transaction may be live

// Enters a transaction whose `sequence` is set; false when the history does not reach back to it
// (its snapshot was taken just before a flush ended: take another).
CHECKED bool history_enter(struct storage *storage, struct history_member *member);
void history_leave(struct storage *storage, struct history_member *member);

// Before flushed generations (newest first) leave the version: keeps those that are still needed.
void history_keep(struct storage *storage, struct generation *const *generations, size_t count);
// Frees what is needed no more (flusher thread: it is tens of MiB).
void history_prune(struct storage *storage);

// The generations that hold anything newer than `sequence`, kept or in `version`; each is counted
// for the caller. Of a version taken before the call, none is missed.
struct history_list {
    struct generation **generations;
    size_t count;
};
// STATUS_SNAPSHOT_TOO_OLD, STATUS_NO_MEMORY.
CHECKED enum status history_newer(struct storage *storage, const struct storage_version *version,
                                  uint64_t sequence, struct history_list *ret);
void history_list_done(struct history_list *list);
