// SPDX-License-Identifier: Apache-2.0
// The flusher thread: frozen generations to the value log and the index, then deletion of what was
// dropped and backfill of new indexes in slices, always flushes first. When something fails it logs
// why and gives up: writes are refused from then on, reads go on. Only a full disk is waited out:
// writes are refused with STATUS_NO_SPACE when memory is full too, until space returns.
#pragma once

#include "storage/state.h"

CHECKED enum status flusher_start(struct storage *storage);
// Ends the thread after what it is doing now; with `abandon` between two index transactions.
void flusher_stop(struct storage *storage, bool abandon);
// There may be something to do.
void flusher_wake(struct storage *storage);
// Frees a version whose last reference was dropped, soon.
void flusher_retire(struct storage *storage, struct storage_version *version);
// Frees what was retired (flusher thread, or when it has ended).
void flusher_free_retired(struct storage *storage);
// Asks for everything up to now to be flushed, without waiting.
void flusher_request(struct storage *storage);

// ---- the jobs (flusher thread) --------------------------------------------------------------

// flush.c: writes all frozen generations out. STATUS_CANCELLED when abandoned.
CHECKED enum status flush_run(struct storage *storage);
// build.c: one slice of the backfill of an index, if any is to be built. `ret_more` tells whether
// anything was done.
CHECKED enum status build_run(struct storage *storage, bool *ret_more);
// drop.c: one slice of deleting a dropped store or index.
CHECKED enum status drop_run(struct storage *storage, bool *ret_more);
// drop.c: what is in `before` and not in `after` is to be deleted; recorded in the index.
CHECKED enum status drop_note(struct storage *storage, struct index_writer *writer,
                              const struct catalog *before, const struct catalog *after);
CHECKED enum status drop_load(struct storage *storage, struct index_reader *reader);

// dead.c: bytes of the value log that are no longer referred to.
CHECKED enum status dead_load(struct dead_bytes *dead, struct index_reader *reader);
CHECKED enum status dead_add(struct dead_bytes *dead, const struct vlog_pointer *pointer);
// Writes what changed into the transaction.
CHECKED enum status dead_save(struct dead_bytes *dead, struct index_writer *writer);
void dead_done(struct dead_bytes *dead);
