// SPDX-License-Identifier: Apache-2.0
// Reading the log back at open, and cutting what is torn. Used by wal_open() only, one thread.
#pragma once

#include "storage/wal.h"
#include "storage/wal_segment.h"

struct wal_found { // a segment file in the directory
    uint64_t number;
    uint64_t size;
    bool valid; // its header is whole
    struct wal_segment_header header;
    bool linked;            // part of the chain that was walked
    uint64_t last_sequence; // if linked: in the log up to its end
};

struct wal_recovery {
    const struct wal_options *options;
    wal_replay_function *replay;
    void *context;
    struct error *error;

    struct wal_found *found; // ascending numbers
    size_t found_count;
    size_t found_capacity;
    struct buffer content;  // of the segment being read
    struct wal_found *last; // segment in which the log ends, NULL: there is none
    uint64_t end_offset;    // where in it
    uint64_t expected;      // sequence that would have come next
    uint64_t last_replayed; // or the checkpoint
    uint64_t records;       // replayed
    uint64_t epoch;         // highest seen
    int64_t commit_time_ns; // highest seen
    bool torn;
    bool clean; // the last stop was clean, and the log agrees
};

// Reads the directory, replays, decides between a torn end and corruption, and in the first case
// (or with options->repair) zeroes what follows the end in its segment, synced. All other segments
// that are not linked and lie beyond `last` must be discarded by the caller before new writes.
CHECKED enum status wal_recover(struct wal_recovery *recovery);
void wal_recovery_done(struct wal_recovery *recovery);
