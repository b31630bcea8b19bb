// SPDX-License-Identifier: Apache-2.0
// A log under test: records whose bytes follow from their sequence, so that a wrong one shows, and
// a file system that counts syncs and fails on demand.
#pragma once

#include <stdatomic.h>

#include "base/thread.h"
#include "storage/wal.h"
#include "test.h"

struct faulty {            // file system
    struct file_system fs; // first
    bool skip_syncs;       // pretend, to be fast
    _Atomic int syncs;     // done
    _Atomic int fail_sync; // how many syncs go well before one fails; -1: all
    _Atomic bool fail_directory;
    _Atomic bool full; // writes and creations fail with STATUS_NO_SPACE
};
void faulty_init(struct faulty *faulty);

struct fixture {
    struct faulty faulty;
    struct wal_options options;
    struct wal *wal;
    struct wal_recovered recovered;
    struct error error;
    struct mutex commit;               // the engine's commit lock
    uint64_t next;                     // sequence to be given
    uint64_t first_replayed, replayed; // sequences
    int64_t last_time;
    struct mutex mutex;
    struct condition event;
    int durable_events;
    bool failed;
};

#define FIXTURE_SEGMENT (64 * 1024)

// In test_directory(), interval 0, segments of 64 KiB, pretended syncs.
void fixture_init(struct fixture *fixture);
// Opens and checks every replayed record. Fills `recovered` and `error`.
enum status fixture_open(struct fixture *fixture);
void fixture_close(struct fixture *fixture, bool abandon);
// Operations and payload size of the record that begins at `sequence`.
uint32_t fixture_operations(uint64_t sequence);
size_t fixture_payload_size(uint64_t sequence);
// Appends and publishes one record, waiting for room; returns its last sequence. `size` 0: by
// fixture_payload_size().
uint64_t fixture_append(struct fixture *fixture, size_t size);
enum status fixture_try_append(struct fixture *fixture, size_t size, uint64_t *ret_last);
// Waits until the listener was told of durability `count` times, or of the failure.
void fixture_wait_event(struct fixture *fixture, int count);
// The path of the `position`th segment file in order of number, or NULL; valid until the next call.
const char *fixture_file(const struct fixture *fixture, size_t position);
size_t fixture_file_count(const struct fixture *fixture);
