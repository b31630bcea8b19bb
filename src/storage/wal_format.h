// SPDX-License-Identifier: Apache-2.0
// The log's bytes: segment and record headers, file names. The layout is in docs/FILE_FORMAT.md,
// "Write-ahead log". Pure functions, any thread.
#pragma once

#include "base/bytes.h"

#define WAL_FORMAT_VERSION 1
#define WAL_SEGMENT_MAGIC 0x4c415750u // "PWAL"
#define WAL_RECORD_MAGIC 0x43455257u  // "WREC"
#define WAL_SEGMENT_HEADER_SIZE 64
#define WAL_RECORD_HEADER_SIZE 64
#define WAL_NAME_SIZE 21 // "0123456789abcdef.wal" and a NUL
// Sequences above it cannot have come about; a header that states one is damaged.
#define WAL_SEQUENCE_MAX (UINT64_MAX / 2)

struct wal_segment_header {
    uint64_t number;
    uint64_t epoch;
    uint64_t base_sequence;     // of the first record that may follow
    uint64_t durable;           // when the segment was begun
    uint64_t previous_sequence; // last one in the log before this segment
    uint64_t previous_segment;  // number of the segment that it continues, 0 for none
};

struct wal_record_header {
    uint32_t payload_crc;
    uint32_t payload_size;
    uint32_t operation_count;
    uint64_t segment;
    uint64_t epoch;
    uint64_t first_sequence;
    int64_t commit_time_ns;
    uint64_t durable;
};

// What a record takes in the log.
static inline uint64_t wal_record_size(uint64_t payload_size) {
    return WAL_RECORD_HEADER_SIZE + ((payload_size + 7) & ~7ULL);
}

void wal_segment_header_encode(uint8_t out[WAL_SEGMENT_HEADER_SIZE],
                               const struct wal_segment_header *header);
// STATUS_CORRUPT unless the header is whole and of segment `number`; STATUS_VERSION when it is
// whole but of another format.
CHECKED enum status wal_segment_header_decode(const uint8_t in[WAL_SEGMENT_HEADER_SIZE],
                                              uint64_t number, struct wal_segment_header *ret);
void wal_record_header_encode(uint8_t out[WAL_RECORD_HEADER_SIZE],
                              const struct wal_record_header *header);
// False unless the header is whole and of segment `number`. The payload is not looked at.
bool wal_record_header_decode(const uint8_t in[WAL_RECORD_HEADER_SIZE], uint64_t number,
                              struct wal_record_header *ret);

void wal_segment_name(uint64_t number, char ret_name[WAL_NAME_SIZE]);
// False when `name` is not a segment's.
bool wal_segment_name_parse(const char *name, uint64_t *ret_number);
