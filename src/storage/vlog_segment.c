// SPDX-License-Identifier: Apache-2.0
// Segments of the value log and the table that readers find them in.
#include "storage/vlog_segment.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/crc.h"

#define TABLE_CAPACITY_FIRST 64

static const uint8_t magic[8] = {'P', 'K', 'V', 'L', 'O', 'G', '\r', '\n'};

// Layout of a segment's header: docs/FILE_FORMAT.md, "Value log".
enum { HEADER_VERSION = 8, HEADER_NUMBER = 12, HEADER_PREVIOUS_SIZE = 16, HEADER_CRC = 60 };

char *vlog_segment_path(const struct vlog *vlog, uint32_t number) {
    size_t size = strlen(vlog->directory) + 1 + VLOG_NAME_SIZE;
    char *path = malloc(size);
    if (path != NULL) snprintf(path, size, "%s/%08x.vlog", vlog->directory, number);
    return path;
}

static void encode_header(uint8_t header[VLOG_SEGMENT_HEADER_SIZE], uint32_t number,
                          uint64_t previous_size) {
    memset(header, 0, VLOG_SEGMENT_HEADER_SIZE);
    memcpy(header, magic, sizeof magic);
    store_le32(header + HEADER_VERSION, VLOG_FORMAT_VERSION);
    store_le32(header + HEADER_NUMBER, number);
    store_le64(header + HEADER_PREVIOUS_SIZE, previous_size);
    store_le32(header + HEADER_CRC, crc32c(0, header, HEADER_CRC));
}

static enum status check_header(const uint8_t header[VLOG_SEGMENT_HEADER_SIZE], uint32_t number,
                                const char *path, struct error *error) {
    if (memcmp(header, magic, sizeof magic) != 0)
        return error_set(error, STATUS_CORRUPT, "%s: not a value log segment", path);
    if (load_le32(header + HEADER_CRC) != crc32c(0, header, HEADER_CRC))
        return error_set(error, STATUS_CORRUPT, "%s: the header's checksum is wrong", path);
    if (load_le32(header + HEADER_VERSION) != VLOG_FORMAT_VERSION)
        return error_set(error, STATUS_VERSION, "%s: format version %u, this program knows %d",
                         path, load_le32(header + HEADER_VERSION), VLOG_FORMAT_VERSION);
    if (load_le32(header + HEADER_NUMBER) != number)
        return error_set(error, STATUS_CORRUPT, "%s: the header is that of segment %u", path,
                         load_le32(header + HEADER_NUMBER));
    return STATUS_OK;
}

// Takes over `file`, also when it fails.
static enum status new_segment(struct file *file, uint32_t number, uint64_t map_size,
                               uint64_t readable, struct vlog_segment **ret) {
    struct vlog_segment *segment = calloc(1, sizeof *segment);
    if (segment == NULL) {
        file_close(file);
        return STATUS_NO_MEMORY;
    }
    segment->number = number;
    segment->file = file;
    segment->map_size = map_size;
    atomic_init(&segment->readable, readable);
    void *address = NULL;
    enum status status = file_map(file, map_size, false, &address);
    if (status != STATUS_OK) {
        vlog_segment_close(segment);
        return status;
    }
    segment->data = address;
    *ret = segment;
    return STATUS_OK;
}

void vlog_segment_close(struct vlog_segment *segment) {
    if (segment == NULL) return;
    if (segment->data != NULL) file_unmap(segment->file, segment->data, segment->map_size);
    file_close(segment->file);
    free(segment);
}

static uint64_t larger(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

enum status vlog_segment_create(struct vlog *vlog, uint32_t number, uint64_t end,
                                uint64_t previous_size, struct vlog_segment **ret) {
    char *path = vlog_segment_path(vlog, number);
    if (path == NULL) return STATUS_NO_MEMORY;
    struct file *file = NULL;
    enum status status =
        file_open(vlog->fs, path, FILE_WRITE | FILE_CREATE | FILE_TRUNCATE, &file, NULL);
    free(path);
    if (status != STATUS_OK) return status;
    uint8_t header[VLOG_SEGMENT_HEADER_SIZE];
    encode_header(header, number, previous_size);
    status = file_write_at(file, 0, header, sizeof header);
    if (status != STATUS_OK) {
        file_close(file);
        return status;
    }
    return new_segment(file, number, larger(vlog->segment_bytes, end), sizeof header, ret);
}

// Checks the size, reads the header, cuts the file.
static enum status prepare(struct file *file, uint32_t number, const char *path, uint64_t size,
                           bool cut, uint64_t *ret_previous_size, struct error *error) {
    uint64_t found = 0;
    enum status status = file_size(file, &found);
    if (status != STATUS_OK) return error_set(error, status, "%s: cannot tell its size", path);
    if (found < size)
        return error_set(error, STATUS_CORRUPT, "%s: %llu bytes, but %llu were written", path,
                         (unsigned long long)found, (unsigned long long)size);
    uint8_t header[VLOG_SEGMENT_HEADER_SIZE];
    status = file_read_at(file, 0, header, sizeof header);
    if (status != STATUS_OK) return error_set(error, status, "%s: cannot be read", path);
    status = check_header(header, number, path, error);
    if (status != STATUS_OK) return status;
    if (cut && found > size) {
        status = file_truncate(file, size);
        if (status != STATUS_OK) return error_set(error, status, "%s: cannot be cut", path);
    }
    *ret_previous_size = load_le64(header + HEADER_PREVIOUS_SIZE);
    return STATUS_OK;
}

static enum status open_path(struct vlog *vlog, const char *path, uint32_t number, uint64_t size,
                             bool cut, struct vlog_segment **ret, uint64_t *ret_previous_size,
                             struct error *error) {
    struct file *file = NULL;
    enum status status = file_open(vlog->fs, path, cut ? FILE_WRITE : FILE_READ, &file, error);
    if (status == STATUS_NOT_FOUND)
        return error_set(error, STATUS_CORRUPT, "%s: the segment is missing", path);
    if (status != STATUS_OK) return status;
    status = prepare(file, number, path, size, cut, ret_previous_size, error);
    if (status != STATUS_OK) {
        file_close(file);
        return status;
    }
    uint64_t map_size = cut ? larger(vlog->segment_bytes, size) : size;
    status = new_segment(file, number, map_size, size, ret);
    if (status != STATUS_OK) return error_set(error, status, "%s: cannot be mapped", path);
    return STATUS_OK;
}

enum status vlog_segment_open(struct vlog *vlog, uint32_t number, uint64_t size, bool cut,
                              struct vlog_segment **ret, uint64_t *ret_previous_size,
                              struct error *error) {
    char *path = vlog_segment_path(vlog, number);
    if (path == NULL) return error_set(error, STATUS_NO_MEMORY, "no memory");
    enum status status =
        size < VLOG_SEGMENT_HEADER_SIZE
            ? error_set(error, STATUS_CORRUPT, "%s: recorded as %llu bytes long", path,
                        (unsigned long long)size)
            : open_path(vlog, path, number, size, cut, ret, ret_previous_size, error);
    free(path);
    return status;
}

enum status vlog_table_reserve(struct vlog *vlog, uint32_t number) {
    struct vlog_table *table = atomic_load_explicit(&vlog->table, memory_order_relaxed);
    uint32_t capacity = table != NULL ? table->capacity : 0;
    if (number <= capacity) return STATUS_OK;
    size_t grown_capacity = capacity != 0 ? (size_t)capacity * 2 : TABLE_CAPACITY_FIRST;
    while (grown_capacity < number) grown_capacity *= 2;
    if (grown_capacity > UINT32_MAX) return STATUS_LIMIT;
    struct vlog_table *grown =
        calloc(1, sizeof *grown + grown_capacity * sizeof grown->segments[0]);
    if (grown == NULL) return STATUS_NO_MEMORY;
    grown->capacity = (uint32_t)grown_capacity;
    grown->older = table;
    for (uint32_t i = 0; i < capacity; i++)
        atomic_init(&grown->segments[i],
                    atomic_load_explicit(&table->segments[i], memory_order_relaxed));
    atomic_store_explicit(&vlog->table, grown, memory_order_release);
    return STATUS_OK;
}

void vlog_table_set(struct vlog *vlog, struct vlog_segment *segment) {
    struct vlog_table *table = atomic_load_explicit(&vlog->table, memory_order_relaxed);
    ASSERT(segment->number >= 1 && segment->number <= table->capacity);
    atomic_store_explicit(&table->segments[segment->number - 1], segment, memory_order_release);
}
