// SPDX-License-Identifier: Apache-2.0
#include "storage/wal_segment.h"

#include <stdlib.h>

#include "base/limits.h"

#define ZERO_CHUNK (64 * KIB)

enum status wal_segment_path(struct buffer *buffer, const char *directory, uint64_t number) {
    char name[WAL_NAME_SIZE];
    wal_segment_name(number, name);
    buffer_clear(buffer);
    enum status status = buffer_append_string(buffer, directory);
    if (status == STATUS_OK) status = buffer_append_string(buffer, "/");
    if (status == STATUS_OK) status = buffer_append(buffer, name, WAL_NAME_SIZE); // with its NUL
    return status;
}

enum status wal_segment_new(uint64_t number, uint64_t size, struct wal_segment **ret) {
    struct wal_segment *segment = calloc(1, sizeof *segment);
    if (segment == NULL) return STATUS_NO_MEMORY;
    segment->number = number;
    segment->size = size;
    atomic_init(&segment->offset, WAL_SEGMENT_HEADER_SIZE);
    *ret = segment;
    return STATUS_OK;
}

void wal_segment_close(struct wal_segment *segment) {
    ASSERT(segment->pins == 0);
    if (segment->address != NULL) file_unmap(segment->file, segment->address, segment->size);
    file_close(segment->file);
    segment->address = NULL;
    segment->file = NULL;
}

void wal_segment_free(struct wal_segment *segment) {
    if (segment == NULL) return;
    wal_segment_close(segment);
    free(segment);
}

enum status wal_segment_remove(struct file_system *fs, const char *directory, uint64_t number) {
    struct buffer path = {0};
    enum status status = wal_segment_path(&path, directory, number);
    if (status == STATUS_OK) status = fs->remove(fs, (const char *)path.data);
    buffer_done(&path);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status fill_zero(struct file *file, uint64_t size) {
    static const uint8_t zeros[ZERO_CHUNK];
    for (uint64_t at = 0; at < size;) {
        uint64_t chunk = size - at < sizeof zeros ? size - at : sizeof zeros;
        enum status status = file_write_at(file, at, zeros, (size_t)chunk);
        if (status != STATUS_OK) return status;
        at += chunk;
    }
    return file_sync(file);
}

static enum status create_file(struct file_system *fs, const char *directory,
                               struct wal_segment *segment) {
    struct buffer path = {0};
    enum status status = wal_segment_path(&path, directory, segment->number);
    if (status == STATUS_OK)
        status = file_open(fs, (const char *)path.data, FILE_WRITE | FILE_CREATE | FILE_TRUNCATE,
                           &segment->file, NULL);
    buffer_done(&path);
    if (status == STATUS_OK) status = fill_zero(segment->file, segment->size);
    return status;
}

// The blank header need not be durable: an old one states another number than the name.
static enum status rename_file(struct file_system *fs, const char *directory, uint64_t old_number,
                               struct wal_segment *segment) {
    static const uint8_t blank[WAL_SEGMENT_HEADER_SIZE];
    struct buffer from = {0}, to = {0};
    enum status status = wal_segment_path(&from, directory, old_number);
    if (status == STATUS_OK) status = wal_segment_path(&to, directory, segment->number);
    if (status == STATUS_OK)
        status = fs->rename(fs, (const char *)from.data, (const char *)to.data);
    if (status == STATUS_OK)
        status = file_open(fs, (const char *)to.data, FILE_WRITE, &segment->file, NULL);
    if (status == STATUS_OK) status = file_write_at(segment->file, 0, blank, sizeof blank);
    buffer_done(&from);
    buffer_done(&to);
    return status;
}

// Makes the name durable and maps the file.
static enum status finish(struct file_system *fs, const char *directory,
                          struct wal_segment *segment) {
    enum status status = fs->sync_directory(fs, directory);
    if (status != STATUS_OK) return status == STATUS_NO_SPACE ? status : STATUS_READ_ONLY;
    void *address = NULL;
    status = file_map(segment->file, segment->size, true, &address);
    segment->address = address;
    return status;
}

enum status wal_segment_create(struct file_system *fs, const char *directory, uint64_t number,
                               uint64_t size, struct wal_segment **ret) {
    struct wal_segment *segment = NULL;
    enum status status = wal_segment_new(number, size, &segment);
    if (status != STATUS_OK) return status;
    status = create_file(fs, directory, segment);
    if (status == STATUS_OK) status = finish(fs, directory, segment);
    if (status != STATUS_OK) {
        wal_segment_free(segment);
        wal_segment_remove(fs, directory, number); // the first failure is the one to report
        return status;
    }
    *ret = segment;
    return STATUS_OK;
}

enum status wal_segment_recycle(struct file_system *fs, const char *directory, uint64_t old_number,
                                uint64_t number, uint64_t size, struct wal_segment **ret) {
    ASSERT(old_number < number);
    struct wal_segment *segment = NULL;
    enum status status = wal_segment_new(number, size, &segment);
    if (status == STATUS_OK) status = rename_file(fs, directory, old_number, segment);
    if (status == STATUS_OK) status = finish(fs, directory, segment);
    if (status != STATUS_OK) {
        wal_segment_free(segment);
        wal_segment_remove(fs, directory, old_number); // whichever name it has now
        wal_segment_remove(fs, directory, number);
        return status;
    }
    *ret = segment;
    return STATUS_OK;
}
