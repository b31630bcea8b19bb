// SPDX-License-Identifier: Apache-2.0
// The log's records put back into memory at open: operations into generations, with their changes
// of indexes worked out anew, and DDL into the catalogue, in order. One thread; the engine has no
// readers yet.
#pragma once

#include "storage/batch.h"
#include "storage/snapshot.h"
#include "storage/wal.h"

struct replay {
    struct storage *storage;
    struct index_reader *index; // at the newest commit
    struct batch batch;
};

// A wal_replay_function; `context` is the struct replay. STATUS_CORRUPT for an operation that does
// not fit the catalogue.
CHECKED enum status replay_record(const struct wal_record *record, void *context);
void replay_done(struct replay *replay);
