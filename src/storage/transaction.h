// SPDX-License-Identifier: Apache-2.0
// Transactions: a view, a private generation of memtables with what was written, laid over the
// view as its newest source, and for serializable ones a list of what was read.
//
// Commit. Whatever is newer than the snapshot lies in memtables: of the version, or kept as
// conflict history (history.h). Keys written, and for serializable keys read and ranges scanned,
// must not occur there with a newer sequence. That is checked without a lock against a view of the
// newest state, and again under the commit lock against what came since, which can only be in the
// active generation. So a serializable transaction reads at its commit what it read before, and
// takes its place in the order there.
#pragma once

#include "storage/snapshot.h"

// What a scan has seen: keys >= lower, and < upper or <= last. NULL data: unbounded.
struct transaction_range {
    enum memtable_kind kind;
    uint32_t store_id, index_id;
    struct bytes lower, upper, last;
};

// The memtables of a transaction's writes, or NULL.
const struct generation *transaction_writes(const struct transaction *transaction);
static inline const struct generation *view_own_writes(const struct view *view) {
    return view->transaction == NULL ? NULL : transaction_writes(view->transaction);
}
// What the transaction itself has written under the key; when nothing, false, and a serializable
// one notes that the key is read.
bool transaction_find(struct transaction *transaction, uint32_t store_id, const struct key *key,
                      struct found *ret);
// Notes a scanned range; nothing unless serializable. A failure is that of the commit.
void transaction_note_range(struct transaction *transaction, const struct transaction_range *range);

// Under the commit lock: whether nothing that was read was written in `active` after `sequence`.
bool transaction_unchanged(const struct transaction *transaction, const struct generation *active,
                           uint64_t sequence);
