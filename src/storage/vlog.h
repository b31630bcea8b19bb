// SPDX-License-Identifier: Apache-2.0
// The value log: append-only segments `vlog/<8 hex digits>.vlog`, mapped for reading, never
// rewritten in place. One appender (the flusher), readers on any thread without locks.
//
// Segment header (64 bytes): magic, format version, segment number, size of the segment before,
// CRC32C. Record: u32 CRC32C of
// all that follows, u32 value size, u64 sequence, u8 kind (enum operation_kind, or
// VLOG_GENERATION_FOOTER), u8 flags, u16 zero, u32 id, 16 bytes key, value, padding to 8.
// Puts, tombstones and DDL are there, and a footer per flushed generation {last sequence,
// operation count}, so that the index can be rebuilt from value log and WAL alone.
#pragma once

#include "base/file.h"
#include "storage/operation.h"

#define VLOG_RECORD_HEADER_SIZE 40
#define VLOG_GENERATION_FOOTER 255

struct vlog;

struct vlog_pointer { // as kept in the index
    uint32_t segment;
    uint32_t size;   // of the value
    uint64_t offset; // of the record
};
struct vlog_position {
    uint32_t segment; // from 1
    uint64_t offset;
};
struct vlog_options {
    struct file_system *fs;
    const char *directory; // exists
    uint64_t segment_bytes;
    struct vlog_position tail; // from the index; {0, 0}: nothing yet. What lies behind is cut off.
};
// STATUS_CORRUPT when a segment before or at the tail is missing, short or has a bad header.
CHECKED enum status vlog_open(const struct vlog_options *options, struct vlog **ret,
                              struct error *error);
void vlog_close(struct vlog *vlog);

// Flusher only. Buffered; readable through vlog_read() only after vlog_flush(). A record larger
// than the segment size gets a segment of its own. `kind` as in the header comment; `key` may be
// NULL (zeros), and so may `ret`. After a failure nothing of the record is there, and the call may
// be repeated (a full disk).
CHECKED enum status vlog_append(struct vlog *vlog, uint8_t kind, uint32_t id, const struct key *key,
                                uint64_t sequence, struct bytes value, struct vlog_pointer *ret);
// Writes the buffer out and, with `sync`, makes everything appended so far durable. A failed sync
// is final: every later flush fails with its status.
CHECKED enum status vlog_flush(struct vlog *vlog, bool sync);
struct vlog_position vlog_tail(const struct vlog *vlog);
uint64_t vlog_bytes(const struct vlog *vlog); // any thread

// The value in place, checked: header against id, key and sequence, CRC over all. The bytes stay
// mapped while the vlog is open. STATUS_CORRUPT when anything differs.
CHECKED enum status vlog_read(const struct vlog *vlog, const struct vlog_pointer *pointer,
                              uint32_t id, const struct key *key, uint64_t sequence,
                              struct bytes *ret_value);
// Hints that the record will be read soon (a prefetch of its header lines).
void vlog_prefetch(const struct vlog *vlog, const struct vlog_pointer *pointer);

// Walks all records from the beginning to the tail (check, rebuild, tests), writing the buffer out
// first: flusher only. A status of `function` other than STATUS_OK ends it. STATUS_CORRUPT with the
// segment and offset.
struct vlog_record {
    uint8_t kind;
    uint32_t id;
    struct key key;
    uint64_t sequence;
    struct bytes value;
    struct vlog_pointer pointer;
};
CHECKED enum status vlog_walk(struct vlog *vlog,
                              enum status (*function)(const struct vlog_record *record,
                                                      void *context),
                              void *context, struct error *error);
