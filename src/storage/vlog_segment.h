// SPDX-License-Identifier: Apache-2.0
// What the files of the value log share: segments, their table, and the bytes of a record.
// Private to vlog*.c.
#pragma once

#include <stdatomic.h>

#include "storage/vlog.h"

#define VLOG_SEGMENT_HEADER_SIZE 64
#define VLOG_FORMAT_VERSION 1
#define VLOG_BUFFER_SIZE (1024 * 1024)

struct vlog_segment {
    uint32_t number;
    struct file *file;
    uint8_t *data; // the mapping; only [0, readable) may be touched
    size_t map_size;
    _Atomic uint64_t readable; // where the last record that readers may see ends
};

// Readers look segments up without a lock. A table that became too small is kept until the log is
// closed, as a reader may still be in it.
struct vlog_table {
    struct vlog_table *older;
    uint32_t capacity;
    _Atomic(struct vlog_segment *) segments[]; // number n at n - 1
};

struct vlog {
    struct file_system *fs;
    char *directory;
    uint64_t segment_bytes;
    _Atomic(struct vlog_table *) table;
    _Atomic uint64_t bytes; // of all segments, and what is buffered
    // The appender's:
    struct vlog_segment *tail; // NULL before the first record
    uint64_t written;          // bytes of the tail segment that its file has
    uint8_t *buffer;           // what follows them
    size_t buffered;
    uint32_t first_unsynced; // number of the first segment with bytes that may not be durable
    bool directory_unsynced;
    enum status failed; // of a sync, after which nobody knows what the file holds
};

static inline uint64_t vlog_record_size(uint64_t value_size) {
    return (VLOG_RECORD_HEADER_SIZE + value_size + 7) & ~(uint64_t)7;
}

// The segment, or NULL.
static inline struct vlog_segment *vlog_find_segment(const struct vlog *vlog, uint32_t number) {
    struct vlog_table *table = atomic_load_explicit(&vlog->table, memory_order_acquire);
    if (number == 0 || number > table->capacity) return NULL;
    return atomic_load_explicit(&table->segments[number - 1], memory_order_acquire);
}

#define VLOG_NAME_SIZE 14 // "00000001.vlog" and a NUL

// The path of a segment, allocated; NULL when memory is exhausted.
char *vlog_segment_path(const struct vlog *vlog, uint32_t number);
// Creates the file of a new segment with its header, for records up to offset `end`; not yet in the
// table. `previous_size` is that of the segment before, 0 for the first.
CHECKED enum status vlog_segment_create(struct vlog *vlog, uint32_t number, uint64_t end,
                                        uint64_t previous_size, struct vlog_segment **ret);
// Opens an existing segment that must hold at least `size` bytes; what is longer is cut off when
// `cut`, else ignored. `ret_previous_size` is what the header says. STATUS_CORRUPT.
CHECKED enum status vlog_segment_open(struct vlog *vlog, uint32_t number, uint64_t size, bool cut,
                                      struct vlog_segment **ret, uint64_t *ret_previous_size,
                                      struct error *error);
void vlog_segment_close(struct vlog_segment *segment);
// Makes room in the table for `number`, then vlog_table_set() cannot fail.
CHECKED enum status vlog_table_reserve(struct vlog *vlog, uint32_t number);
void vlog_table_set(struct vlog *vlog, struct vlog_segment *segment);
