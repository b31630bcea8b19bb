// SPDX-License-Identifier: Apache-2.0
// What commits of documents and of DDL share. Under the commit lock, in this order: everything that
// can fail, then commit_append(), links into memory, commit_publish().
#pragma once

#include "storage/snapshot.h"

// Appends the record and takes `count` sequences for it; returns the first.
uint64_t commit_append(struct storage *storage, size_t count, struct bytes payload,
                       uint32_t payload_crc);
// Makes everything up to the last sequence taken visible.
void commit_publish(struct storage *storage);

// STATUS_READ_ONLY once the log or the flusher has failed.
CHECKED enum status commit_allowed(const struct storage *storage, struct error *error);

// ---- documents: storage_write() and transactions ----------------------------------------------

struct commit {
    struct storage *storage;
    struct reader *reader;
    const struct write *writes;
    size_t count;
    struct transaction *transaction; // that commits, or NULL
    struct view view;                // that the batch is prepared at
    uint32_t payload_crc;
    struct write_result *result;
    struct error *error;
};
// Whether there may be a write now; waits while memory is full. Clears result and error.
CHECKED enum status commit_may_begin(struct commit *commit);
CHECKED enum status commit_check_distinct(struct commit *commit);
// Checks the writes at the view and makes them the reader's batch.
CHECKED enum status commit_prepare(struct commit *commit, bool encode);
// Commits the reader's batch, which was prepared at the view. STATUS_BUSY: something changed.
CHECKED enum status commit_prepared(struct commit *commit);
// Fills in the error, counts a success; returns `status`.
CHECKED enum status commit_conclude(struct commit *commit, enum status status, size_t operations);

// ---- freezing (freeze.c): without the lock --------------------------------------------------

// After a commit: freezes the generation when it has become too large and there may be one more.
void commit_note_size(struct storage *storage, const struct generation *active);
// Freezes the active generation, after waiting until there may be one more if it is full.
// STATUS_READ_ONLY, STATUS_NO_MEMORY.
CHECKED enum status commit_make_room(struct storage *storage);
// Makes `active` (NULL: whatever is active) a frozen generation and begins a new one, unless
// another thread did so before.
CHECKED enum status commit_freeze(struct storage *storage, const struct generation *active);
// Frees the entry of a frozen generation; it must be off the list.
void frozen_free(struct frozen *frozen);
