// SPDX-License-Identifier: Apache-2.0
// One file of the log in use: open, mapped writable, its windows of resident pages. Segment numbers
// are never given twice: a file's old records carry numbers below its present name, so that they
// never pass for records of it.
#pragma once

#include <stdatomic.h>

#include "base/file.h"
#include "storage/wal_format.h"

struct wal_segment {
    uint64_t number;
    uint64_t size;
    struct file *file; // NULL when it is only kept for its records (recovered, or wholly synced)
    uint8_t *address;  // mapping, NULL like `file`
    uint64_t last_sequence;                  // in the log up to its end; set before `following`
    _Atomic(struct wal_segment *) following; // set once, when the log goes on there
    _Atomic bool header_unsynced;            // the log goes on here, but the disk may not know yet
    uint32_t pins;                           // keep the mapping; under the log's mutex
    uint64_t evicted;                        // pages below were given back; under the log's mutex
    _Atomic uint64_t populated;              // bytes from the start that were made resident; grows
    _Atomic uint64_t offset;                 // the tail; stored under the commit lock
};

// A new zero-filled file. Its data and name are durable at return, its header is blank.
// STATUS_NO_SPACE, STATUS_IO, STATUS_NO_MEMORY: nothing is left behind. STATUS_READ_ONLY: the
// directory could not be synced, so nothing that goes into the log could become durable.
CHECKED enum status wal_segment_create(struct file_system *fs, const char *directory,
                                       uint64_t number, uint64_t size, struct wal_segment **ret);
// The same from the file of segment `old_number`, which is renamed; its header becomes blank. A
// failure leaves no file.
CHECKED enum status wal_segment_recycle(struct file_system *fs, const char *directory,
                                        uint64_t old_number, uint64_t number, uint64_t size,
                                        struct wal_segment **ret);
// A segment that is kept for its records and was not opened.
CHECKED enum status wal_segment_new(uint64_t number, uint64_t size, struct wal_segment **ret);
// Unmaps and closes, leaving the file in place. May be called again.
void wal_segment_close(struct wal_segment *segment);
void wal_segment_free(struct wal_segment *segment); // closes; NULL is fine

// Deletes the file. STATUS_OK when it did not exist. Often only to tidy up, so not CHECKED.
enum status wal_segment_remove(struct file_system *fs, const char *directory, uint64_t number);
CHECKED enum status wal_segment_path(struct buffer *buffer, const char *directory, uint64_t number);
