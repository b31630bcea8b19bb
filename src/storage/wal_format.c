// SPDX-License-Identifier: Apache-2.0
#include "storage/wal_format.h"

#include <stdio.h>

#include "base/crc.h"

// Both headers begin with their magic and the CRC of what follows these two words.
#define CRC_OFFSET 8

void wal_segment_header_encode(uint8_t out[WAL_SEGMENT_HEADER_SIZE],
                               const struct wal_segment_header *header) {
    store_le32(out, WAL_SEGMENT_MAGIC);
    store_le32(out + 8, WAL_FORMAT_VERSION);
    store_le32(out + 12, 0);
    store_le64(out + 16, header->number);
    store_le64(out + 24, header->epoch);
    store_le64(out + 32, header->base_sequence);
    store_le64(out + 40, header->durable);
    store_le64(out + 48, header->previous_sequence);
    store_le64(out + 56, header->previous_segment);
    store_le32(out + 4, crc32c(0, out + CRC_OFFSET, WAL_SEGMENT_HEADER_SIZE - CRC_OFFSET));
}

// The version is judged only when the checksum holds: its place is the same in every version.
enum status wal_segment_header_decode(const uint8_t in[WAL_SEGMENT_HEADER_SIZE], uint64_t number,
                                      struct wal_segment_header *ret) {
    if (load_le32(in) != WAL_SEGMENT_MAGIC) return STATUS_CORRUPT;
    if (load_le32(in + 4) != crc32c(0, in + CRC_OFFSET, WAL_SEGMENT_HEADER_SIZE - CRC_OFFSET))
        return STATUS_CORRUPT;
    if (load_le32(in + 8) != WAL_FORMAT_VERSION) return STATUS_VERSION;
    struct wal_segment_header header = {
        .number = load_le64(in + 16),
        .epoch = load_le64(in + 24),
        .base_sequence = load_le64(in + 32),
        .durable = load_le64(in + 40),
        .previous_sequence = load_le64(in + 48),
        .previous_segment = load_le64(in + 56),
    };
    if (header.number != number || header.previous_segment >= number) return STATUS_CORRUPT;
    if (header.base_sequence > WAL_SEQUENCE_MAX || header.durable >= header.base_sequence ||
        header.previous_sequence >= header.base_sequence || header.epoch > WAL_SEQUENCE_MAX)
        return STATUS_CORRUPT;
    *ret = header;
    return STATUS_OK;
}

void wal_record_header_encode(uint8_t out[WAL_RECORD_HEADER_SIZE],
                              const struct wal_record_header *header) {
    store_le32(out, WAL_RECORD_MAGIC);
    store_le32(out + 8, header->payload_crc);
    store_le32(out + 12, header->payload_size);
    store_le32(out + 16, header->operation_count);
    store_le32(out + 20, 0);
    store_le64(out + 24, header->segment);
    store_le64(out + 32, header->epoch);
    store_le64(out + 40, header->first_sequence);
    store_le64(out + 48, (uint64_t)header->commit_time_ns);
    store_le64(out + 56, header->durable);
    store_le32(out + 4, crc32c(0, out + CRC_OFFSET, WAL_RECORD_HEADER_SIZE - CRC_OFFSET));
}

bool wal_record_header_decode(const uint8_t in[WAL_RECORD_HEADER_SIZE], uint64_t number,
                              struct wal_record_header *ret) {
    if (load_le32(in) != WAL_RECORD_MAGIC || load_le64(in + 24) != number) return false;
    if (load_le32(in + 4) != crc32c(0, in + CRC_OFFSET, WAL_RECORD_HEADER_SIZE - CRC_OFFSET))
        return false;
    struct wal_record_header header = {
        .payload_crc = load_le32(in + 8),
        .payload_size = load_le32(in + 12),
        .operation_count = load_le32(in + 16),
        .segment = load_le64(in + 24),
        .epoch = load_le64(in + 32),
        .first_sequence = load_le64(in + 40),
        .commit_time_ns = (int64_t)load_le64(in + 48),
        .durable = load_le64(in + 56),
    };
    if (header.operation_count == 0 || header.first_sequence > WAL_SEQUENCE_MAX ||
        header.durable >= header.first_sequence)
        return false;
    *ret = header;
    return true;
}

void wal_segment_name(uint64_t number, char ret_name[WAL_NAME_SIZE]) {
    int length = snprintf(ret_name, WAL_NAME_SIZE, "%016llx.wal", (unsigned long long)number);
    ASSERT(length == WAL_NAME_SIZE - 1);
}

static int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

bool wal_segment_name_parse(const char *name, uint64_t *ret_number) {
    if (strlen(name) != WAL_NAME_SIZE - 1 || strcmp(name + 16, ".wal") != 0) return false;
    uint64_t number = 0;
    for (int i = 0; i < 16; i++) {
        int value = hex_value(name[i]);
        if (value < 0) return false;
        number = number << 4 | (uint64_t)value;
    }
    // Numbers only grow: one from the upper half is no segment of ours, and leaves no room above.
    if (number == 0 || number > WAL_SEQUENCE_MAX) return false;
    *ret_number = number;
    return true;
}
