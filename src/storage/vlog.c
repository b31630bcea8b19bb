// SPDX-License-Identifier: Apache-2.0
// The value log: opening, closing and appending.
#include "storage/vlog.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/crc.h"
#include "base/limits.h"
#include "base/metrics.h"
#include "storage/vlog_segment.h"

// ---- opening --------------------------------------------------------------------------------

static bool parse_name(const char *name, uint32_t *ret_number) {
    if (strlen(name) != VLOG_NAME_SIZE - 1 || strcmp(name + 8, ".vlog") != 0) return false;
    uint32_t number = 0;
    for (int i = 0; i < 8; i++) {
        char c = name[i];
        bool digit = c >= '0' && c <= '9';
        if (!digit && !(c >= 'a' && c <= 'f')) return false;
        number = number * 16 + (uint32_t)(digit ? c - '0' : c - 'a' + 10);
    }
    *ret_number = number;
    return true;
}

struct later_segments {
    uint32_t tail;
    struct buffer numbers;
};

static enum status collect_later(const char *name, void *context) {
    struct later_segments *later = context;
    uint32_t number = 0;
    if (!parse_name(name, &number) || number <= later->tail) return STATUS_OK;
    return buffer_append(&later->numbers, &number, sizeof number);
}

static enum status remove_segment(struct vlog *vlog, uint32_t number) {
    char *path = vlog_segment_path(vlog, number);
    if (path == NULL) return STATUS_NO_MEMORY;
    enum status status = vlog->fs->remove(vlog->fs, path);
    free(path);
    return status;
}

// Removes the segments behind the tail: a flush that did not reach its checkpoint wrote them.
static enum status remove_later(struct vlog *vlog, uint32_t tail) {
    struct later_segments later = {.tail = tail};
    enum status status = vlog->fs->list(vlog->fs, vlog->directory, collect_later, &later);
    for (size_t i = 0; status == STATUS_OK && i < later.numbers.size; i += sizeof(uint32_t))
        status = remove_segment(vlog, load_le32(later.numbers.data + i));
    if (status == STATUS_OK && later.numbers.size > 0)
        status = vlog->fs->sync_directory(vlog->fs, vlog->directory);
    buffer_done(&later.numbers);
    return status;
}

// From the tail down, as each segment's header tells the size of the one before.
static enum status open_segments(struct vlog *vlog, struct vlog_position tail,
                                 struct error *error) {
    uint64_t size = tail.offset, bytes = 0;
    for (uint32_t number = tail.segment; number >= 1; number--) {
        struct vlog_segment *segment = NULL;
        uint64_t previous_size = 0;
        enum status status = vlog_segment_open(vlog, number, size, number == tail.segment, &segment,
                                               &previous_size, error);
        if (status != STATUS_OK) return status;
        status = vlog_table_reserve(vlog, number); // grows at the tail, once
        if (status != STATUS_OK) {
            vlog_segment_close(segment);
            return error_set(error, status, "%s: no memory", vlog->directory);
        }
        vlog_table_set(vlog, segment);
        bytes += size;
        size = previous_size;
    }
    atomic_store_explicit(&vlog->bytes, bytes, memory_order_relaxed);
    vlog->tail = vlog_find_segment(vlog, tail.segment);
    vlog->written = tail.offset;
    if (tail.segment > 0) vlog->first_unsynced = tail.segment;
    return STATUS_OK;
}

static enum status open_log(struct vlog *vlog, const struct vlog_options *options,
                            struct error *error) {
    vlog->directory = strdup(options->directory);
    vlog->buffer = malloc(VLOG_BUFFER_SIZE);
    if (vlog->directory == NULL || vlog->buffer == NULL)
        return error_set(error, STATUS_NO_MEMORY, "%s: no memory", options->directory);
    if (options->tail.offset % 8 != 0 ||
        (options->tail.segment == 0) != (options->tail.offset == 0))
        return error_set(error, STATUS_CORRUPT, "%s: the recorded tail is impossible",
                         options->directory);
    enum status status = open_segments(vlog, options->tail, error);
    if (status != STATUS_OK) return status;
    status = remove_later(vlog, options->tail.segment);
    if (status != STATUS_OK)
        return error_set(error, status, "%s: cannot remove what lies behind the tail",
                         options->directory);
    return STATUS_OK;
}

enum status vlog_open(const struct vlog_options *options, struct vlog **ret, struct error *error) {
    ASSERT(options->segment_bytes > VLOG_SEGMENT_HEADER_SIZE);
    struct vlog *vlog = calloc(1, sizeof *vlog);
    if (vlog == NULL)
        return error_set(error, STATUS_NO_MEMORY, "%s: no memory", options->directory);
    vlog->fs = options->fs;
    vlog->segment_bytes = options->segment_bytes;
    vlog->first_unsynced = 1;
    enum status status = vlog_table_reserve(vlog, 1);
    if (status == STATUS_OK)
        status = open_log(vlog, options, error);
    else
        status = error_set(error, status, "%s: no memory", options->directory);
    if (status != STATUS_OK) {
        vlog_close(vlog);
        return status;
    }
    *ret = vlog;
    return STATUS_OK;
}

static void free_tables(struct vlog_table *table) {
    while (table != NULL) {
        struct vlog_table *older = table->older;
        free(table);
        table = older;
    }
}

void vlog_close(struct vlog *vlog) {
    if (vlog == NULL) return;
    struct vlog_table *table = atomic_load(&vlog->table);
    for (uint32_t i = 0; table != NULL && i < table->capacity; i++)
        vlog_segment_close(atomic_load(&table->segments[i]));
    free_tables(table);
    free(vlog->buffer);
    free(vlog->directory);
    free(vlog);
}

// ---- appending ------------------------------------------------------------------------------

static uint64_t tail_offset(const struct vlog *vlog) {
    return vlog->written + vlog->buffered;
}

static enum status write_buffer(struct vlog *vlog) {
    if (vlog->buffered == 0) return STATUS_OK;
    enum status status =
        file_write_at(vlog->tail->file, vlog->written, vlog->buffer, vlog->buffered);
    if (status != STATUS_OK) return status;
    vlog->written += vlog->buffered;
    vlog->buffered = 0;
    return STATUS_OK;
}

static enum status emit(struct vlog *vlog, const void *data, size_t size) {
    const uint8_t *p = data;
    while (size > 0) {
        if (vlog->buffered == VLOG_BUFFER_SIZE) {
            enum status status = write_buffer(vlog);
            if (status != STATUS_OK) return status;
        }
        size_t room = VLOG_BUFFER_SIZE - vlog->buffered;
        size_t part = size < room ? size : room;
        memcpy(vlog->buffer + vlog->buffered, p, part);
        vlog->buffered += part;
        p += part;
        size -= part;
    }
    return STATUS_OK;
}

// Takes the tail back to `offset`: a record that could not be written whole was never there.
static void take_back(struct vlog *vlog, uint64_t offset) {
    if (offset >= vlog->written) {
        vlog->buffered = (size_t)(offset - vlog->written);
    } else {
        vlog->written = offset;
        vlog->buffered = 0;
    }
}

// Writes the tail segment out and begins the next, with room for a record of `record_size`.
static enum status roll(struct vlog *vlog, uint64_t record_size) {
    uint64_t previous_size = 0;
    uint32_t number = 1;
    if (vlog->tail != NULL) {
        enum status status = vlog_flush(vlog, false);
        if (status != STATUS_OK) return status;
        previous_size = vlog->written;
        number = vlog->tail->number + 1;
    }
    enum status status = vlog_table_reserve(vlog, number);
    if (status != STATUS_OK) return status;
    struct vlog_segment *segment = NULL;
    status = vlog_segment_create(vlog, number, VLOG_SEGMENT_HEADER_SIZE + record_size,
                                 previous_size, &segment);
    if (status != STATUS_OK) return status;
    vlog_table_set(vlog, segment);
    vlog->tail = segment;
    vlog->written = VLOG_SEGMENT_HEADER_SIZE;
    vlog->directory_unsynced = true;
    atomic_fetch_add_explicit(&vlog->bytes, VLOG_SEGMENT_HEADER_SIZE, memory_order_relaxed);
    return STATUS_OK;
}

static bool fits(const struct vlog *vlog, uint64_t record_size) {
    if (vlog->tail == NULL) return false;
    uint64_t offset = tail_offset(vlog);
    // An empty segment takes what its mapping holds: it was made for a large record.
    uint64_t end = offset == VLOG_SEGMENT_HEADER_SIZE ? vlog->tail->map_size : vlog->segment_bytes;
    return offset + record_size <= end;
}

static void encode_header(uint8_t header[VLOG_RECORD_HEADER_SIZE], uint8_t kind, uint32_t id,
                          const struct key *key, uint64_t sequence, struct bytes value) {
    store_le32(header + 4, (uint32_t)value.size);
    store_le64(header + 8, sequence);
    header[16] = kind;
    header[17] = 0;
    store_le16(header + 18, 0);
    store_le32(header + 20, id);
    if (key != NULL)
        memcpy(header + 24, key->bytes, sizeof key->bytes);
    else
        memset(header + 24, 0, sizeof key->bytes);
    uint32_t crc = crc32c(0, header + 4, VLOG_RECORD_HEADER_SIZE - 4);
    store_le32(header, crc32c(crc, value.data, value.size));
}

enum status vlog_append(struct vlog *vlog, uint8_t kind, uint32_t id, const struct key *key,
                        uint64_t sequence, struct bytes value, struct vlog_pointer *ret) {
    ASSERT(value.size <= UINT32_MAX);
    uint64_t record_size = vlog_record_size(value.size);
    if (!fits(vlog, record_size)) {
        enum status status = roll(vlog, record_size);
        if (status != STATUS_OK) return status;
    }
    static const uint8_t zeros[8];
    uint8_t header[VLOG_RECORD_HEADER_SIZE];
    encode_header(header, kind, id, key, sequence, value);
    uint64_t start = tail_offset(vlog);
    enum status status = emit(vlog, header, sizeof header);
    if (status == STATUS_OK) status = emit(vlog, value.data, value.size);
    if (status == STATUS_OK)
        status = emit(vlog, zeros, (size_t)(record_size - sizeof header - value.size));
    if (status != STATUS_OK) {
        take_back(vlog, start);
        return status;
    }
    ASSERT(tail_offset(vlog) == start + record_size && start % 8 == 0);
    atomic_fetch_add_explicit(&vlog->bytes, record_size, memory_order_relaxed);
    metric_add(METRIC_vlog_bytes, (int64_t)record_size);
    if (ret != NULL) *ret = (struct vlog_pointer){vlog->tail->number, (uint32_t)value.size, start};
    return STATUS_OK;
}

static enum status sync_file(struct vlog *vlog, const struct vlog_segment *segment) {
    vlog->failed = file_sync(segment->file);
    // Trying again would not help: what was written is unknown.
    if (vlog->failed == STATUS_NO_SPACE) vlog->failed = STATUS_IO;
    return vlog->failed;
}

static enum status sync_segments(struct vlog *vlog) {
    for (; vlog->first_unsynced < vlog->tail->number; vlog->first_unsynced++) {
        enum status status = sync_file(vlog, vlog_find_segment(vlog, vlog->first_unsynced));
        if (status != STATUS_OK) return status;
    }
    enum status status = sync_file(vlog, vlog->tail);
    if (status != STATUS_OK || !vlog->directory_unsynced) return status;
    status = vlog->fs->sync_directory(vlog->fs, vlog->directory);
    if (status == STATUS_OK) vlog->directory_unsynced = false;
    return status;
}

enum status vlog_flush(struct vlog *vlog, bool sync) {
    if (vlog->failed != STATUS_OK) return vlog->failed;
    if (vlog->tail == NULL) return STATUS_OK;
    enum status status = write_buffer(vlog);
    if (status != STATUS_OK) return status;
    atomic_store_explicit(&vlog->tail->readable, vlog->written, memory_order_release);
    return sync ? sync_segments(vlog) : STATUS_OK;
}

struct vlog_position vlog_tail(const struct vlog *vlog) {
    if (vlog->tail == NULL) return (struct vlog_position){0};
    return (struct vlog_position){vlog->tail->number, tail_offset(vlog)};
}

uint64_t vlog_bytes(const struct vlog *vlog) {
    return atomic_load_explicit(&vlog->bytes, memory_order_relaxed);
}
