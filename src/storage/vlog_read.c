// SPDX-License-Identifier: Apache-2.0
// Reading the value log in place, by pointer and from end to end.
#include <stdlib.h>

#include "base/crc.h"
#include "storage/vlog.h"
#include "storage/vlog_segment.h"

#define CACHE_LINE 64

// The first `size` bytes of the record at `offset`, or NULL when they are not there.
static const uint8_t *record_bytes(const struct vlog_segment *segment, uint64_t offset,
                                   uint64_t size) {
    uint64_t readable = atomic_load_explicit(&segment->readable, memory_order_acquire);
    if (offset < VLOG_SEGMENT_HEADER_SIZE || offset % 8 != 0) return NULL;
    if (offset > readable || size > readable - offset) return NULL;
    return segment->data + offset;
}

static bool sound(const uint8_t *record, uint32_t value_size) {
    uint32_t crc = crc32c(0, record + 4, VLOG_RECORD_HEADER_SIZE - 4 + (size_t)value_size);
    return load_le32(record) == crc;
}

enum status vlog_read(const struct vlog *vlog, const struct vlog_pointer *pointer, uint32_t id,
                      const struct key *key, uint64_t sequence, struct bytes *ret_value) {
    const struct vlog_segment *segment = vlog_find_segment(vlog, pointer->segment);
    if (segment == NULL) return STATUS_CORRUPT;
    const uint8_t *record = record_bytes(segment, pointer->offset, vlog_record_size(pointer->size));
    if (record == NULL) return STATUS_CORRUPT;
    if (load_le32(record + 4) != pointer->size || load_le64(record + 8) != sequence ||
        load_le32(record + 20) != id || memcmp(record + 24, key->bytes, sizeof key->bytes) != 0)
        return STATUS_CORRUPT;
    if (!sound(record, pointer->size)) return STATUS_CORRUPT;
    *ret_value = bytes_of(record + VLOG_RECORD_HEADER_SIZE, pointer->size);
    return STATUS_OK;
}

void vlog_prefetch(const struct vlog *vlog, const struct vlog_pointer *pointer) {
    const struct vlog_segment *segment = vlog_find_segment(vlog, pointer->segment);
    if (segment == NULL) return;
    const uint8_t *record = record_bytes(segment, pointer->offset, VLOG_RECORD_HEADER_SIZE);
    if (record == NULL) return;
    __builtin_prefetch(record);
    __builtin_prefetch(record + CACHE_LINE);
}

// ---- walking --------------------------------------------------------------------------------

static enum status bad_record(const struct vlog_segment *segment, uint64_t offset,
                              const char *reason, struct error *error) {
    return error_set_at(error, STATUS_CORRUPT, (int64_t)offset,
                        "value log segment %08x, offset %llu: %s", segment->number,
                        (unsigned long long)offset, reason);
}

static enum status decode(const struct vlog_segment *segment, uint64_t offset,
                          struct vlog_record *ret, struct error *error) {
    const uint8_t *bytes = record_bytes(segment, offset, VLOG_RECORD_HEADER_SIZE);
    if (bytes == NULL) return bad_record(segment, offset, "the header is cut off", error);
    uint32_t size = load_le32(bytes + 4);
    if (record_bytes(segment, offset, vlog_record_size(size)) == NULL)
        return bad_record(segment, offset, "the record is cut off", error);
    if (!sound(bytes, size)) return bad_record(segment, offset, "the checksum is wrong", error);
    struct vlog_record record = {
        .kind = bytes[16],
        .id = load_le32(bytes + 20),
        .sequence = load_le64(bytes + 8),
        .value = bytes_of(bytes + VLOG_RECORD_HEADER_SIZE, size),
        .pointer = {.segment = segment->number, .size = size, .offset = offset},
    };
    memcpy(record.key.bytes, bytes + 24, sizeof record.key.bytes);
    *ret = record;
    return STATUS_OK;
}

static enum status walk_segment(const struct vlog_segment *segment,
                                enum status (*function)(const struct vlog_record *record,
                                                        void *context),
                                void *context, struct error *error) {
    uint64_t end = atomic_load_explicit(&segment->readable, memory_order_acquire);
    uint64_t offset = VLOG_SEGMENT_HEADER_SIZE;
    while (offset < end) {
        struct vlog_record record;
        enum status status = decode(segment, offset, &record, error);
        if (status != STATUS_OK) return status;
        status = function(&record, context);
        if (status != STATUS_OK) return status;
        offset += vlog_record_size(record.value.size);
    }
    return STATUS_OK;
}

enum status vlog_walk(struct vlog *vlog,
                      enum status (*function)(const struct vlog_record *record, void *context),
                      void *context, struct error *error) {
    enum status status = vlog_flush(vlog, false);
    if (status != STATUS_OK)
        return error_set(error, status, "the value log's buffer cannot be written");
    for (uint32_t number = 1; status == STATUS_OK && number <= vlog_tail(vlog).segment; number++)
        status = walk_segment(vlog_find_segment(vlog, number), function, context, error);
    return status;
}
