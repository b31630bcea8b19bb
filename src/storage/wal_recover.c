// SPDX-License-Identifier: Apache-2.0
#include "storage/wal_recover.h"

#include <stdlib.h>

#include "base/crc.h"

#define RECORD_ALIGNMENT 8

// ---- the files ------------------------------------------------------------------------------

static enum status note_file(const char *name, void *context) {
    struct wal_recovery *recovery = context;
    uint64_t number = 0;
    if (!wal_segment_name_parse(name, &number)) return STATUS_OK;
    if (recovery->found_count == recovery->found_capacity) {
        size_t capacity = recovery->found_capacity == 0 ? 16 : recovery->found_capacity * 2;
        struct wal_found *found = realloc(recovery->found, capacity * sizeof *found);
        if (found == NULL) return STATUS_NO_MEMORY;
        recovery->found = found;
        recovery->found_capacity = capacity;
    }
    recovery->found[recovery->found_count++] = (struct wal_found){.number = number};
    return STATUS_OK;
}

static int compare_numbers(const void *a, const void *b) {
    uint64_t left = ((const struct wal_found *)a)->number;
    uint64_t right = ((const struct wal_found *)b)->number;
    return (left > right) - (left < right);
}

static enum status open_found(struct wal_recovery *recovery, const struct wal_found *found,
                              int flags, struct file **ret) {
    struct buffer path = {0};
    enum status status = wal_segment_path(&path, recovery->options->directory, found->number);
    if (status == STATUS_OK)
        status =
            file_open(recovery->options->fs, (const char *)path.data, flags, ret, recovery->error);
    buffer_done(&path);
    return status;
}

static enum status fail(struct wal_recovery *recovery, enum status status,
                        const struct wal_found *found, const char *what) {
    return error_set(recovery->error, status, "log segment %016llx.wal: %s",
                     (unsigned long long)found->number, what);
}

static enum status read_header(struct wal_recovery *recovery, struct wal_found *found) {
    struct file *file = NULL;
    enum status status = open_found(recovery, found, FILE_READ, &file);
    if (status != STATUS_OK) return status;
    uint8_t bytes[WAL_SEGMENT_HEADER_SIZE] = {0};
    status = file_size(file, &found->size);
    if (status == STATUS_OK && found->size >= sizeof bytes)
        status = file_read_at(file, 0, bytes, sizeof bytes);
    file_close(file);
    if (status != STATUS_OK) return fail(recovery, status, found, "cannot be read");

    status = wal_segment_header_decode(bytes, found->number, &found->header);
    if (status == STATUS_VERSION)
        return fail(recovery, status, found, "its format is of another version");
    found->valid = status == STATUS_OK;
    if (found->valid && found->header.epoch > recovery->epoch)
        recovery->epoch = found->header.epoch;
    return STATUS_OK;
}

static enum status read_directory(struct wal_recovery *recovery) {
    const struct wal_options *options = recovery->options;
    enum status status = options->fs->list(options->fs, options->directory, note_file, recovery);
    if (status != STATUS_OK)
        return error_set(recovery->error, status, "%s: cannot be listed", options->directory);
    if (recovery->found_count > 0)
        qsort(recovery->found, recovery->found_count, sizeof *recovery->found, compare_numbers);
    for (size_t i = 0; i < recovery->found_count; i++) {
        status = read_header(recovery, &recovery->found[i]);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

static enum status read_content(struct wal_recovery *recovery, const struct wal_found *found) {
    struct file *file = NULL;
    enum status status = open_found(recovery, found, FILE_READ, &file);
    if (status != STATUS_OK) return status;
    buffer_clear(&recovery->content);
    status = buffer_reserve(&recovery->content, (size_t)found->size);
    if (status == STATUS_OK && found->size > 0)
        status = file_read_at(file, 0, recovery->content.data, (size_t)found->size);
    file_close(file);
    if (status != STATUS_OK) return fail(recovery, status, found, "cannot be read");
    recovery->content.size = (size_t)found->size;
    return STATUS_OK;
}

// ---- the chain of records -------------------------------------------------------------------

// The record at `offset`, header and payload whole. Sequence and epoch are not judged.
static bool record_at(const struct wal_recovery *recovery, uint64_t number, uint64_t offset,
                      struct wal_record_header *ret) {
    const struct buffer *content = &recovery->content;
    if (offset > content->size || content->size - offset < WAL_RECORD_HEADER_SIZE) return false;
    if (!wal_record_header_decode(content->data + offset, number, ret)) return false;
    uint64_t room = content->size - offset - WAL_RECORD_HEADER_SIZE;
    if (ret->payload_size > room) return false;
    const uint8_t *payload = content->data + offset + WAL_RECORD_HEADER_SIZE;
    return crc32c(0, payload, ret->payload_size) == ret->payload_crc;
}

static enum status replay_record(struct wal_recovery *recovery, uint64_t offset,
                                 const struct wal_record_header *header) {
    uint64_t last = header->first_sequence + header->operation_count - 1;
    recovery->expected = last + 1;
    if (header->commit_time_ns > recovery->commit_time_ns)
        recovery->commit_time_ns = header->commit_time_ns;
    if (last <= recovery->options->checkpoint) return STATUS_OK;
    struct wal_record record = {
        .first_sequence = header->first_sequence,
        .operation_count = header->operation_count,
        .epoch = header->epoch,
        .durable = header->durable,
        .commit_time_ns = header->commit_time_ns,
        .payload = bytes_of(recovery->content.data + offset + WAL_RECORD_HEADER_SIZE,
                            header->payload_size),
    };
    recovery->last_replayed = last;
    recovery->records++;
    return recovery->replay(&record, recovery->context);
}

static enum status replay_segment(struct wal_recovery *recovery, struct wal_found *found) {
    enum status status = read_content(recovery, found);
    if (status != STATUS_OK) return status;
    recovery->last = found;
    recovery->expected = found->header.base_sequence;
    recovery->end_offset = WAL_SEGMENT_HEADER_SIZE;
    found->linked = true;
    struct wal_record_header header;
    while (record_at(recovery, found->number, recovery->end_offset, &header)) {
        if (header.first_sequence != recovery->expected || header.epoch != found->header.epoch)
            break;
        status = replay_record(recovery, recovery->end_offset, &header);
        if (status != STATUS_OK)
            return fail(recovery, status, found, "a record cannot be replayed");
        recovery->end_offset += wal_record_size(header.payload_size);
    }
    found->last_sequence = recovery->expected - 1;
    return STATUS_OK;
}

// The segment to begin with: the last that begins at or below the checkpoint. What lies before it
// is not needed.
static struct wal_found *first_segment(struct wal_recovery *recovery) {
    for (size_t i = recovery->found_count; i > 0; i--) {
        struct wal_found *found = &recovery->found[i - 1];
        if (found->valid && found->header.previous_sequence <= recovery->options->checkpoint)
            return found;
    }
    return NULL;
}

// The segment that goes on exactly where `last` ends. Ones in between were never used.
static struct wal_found *next_segment(struct wal_recovery *recovery) {
    struct wal_found *end = recovery->found + recovery->found_count;
    for (struct wal_found *found = recovery->last + 1; found < end; found++)
        if (found->valid && found->header.previous_segment == recovery->last->number &&
            found->header.previous_sequence == recovery->expected - 1)
            return found;
    return NULL;
}

static enum status replay_chain(struct wal_recovery *recovery) {
    struct wal_found *found = first_segment(recovery);
    while (found != NULL) {
        enum status status = replay_segment(recovery, found);
        if (status != STATUS_OK) return status;
        found = next_segment(recovery);
    }
    return STATUS_OK;
}

// ---- torn or corrupt ------------------------------------------------------------------------

struct wal_later { // what was found behind the end
    bool any;
    uint64_t durable; // highest that a whole header states
};

static void note_later(struct wal_later *later, uint64_t durable) {
    later->any = true;
    if (durable > later->durable) later->durable = durable;
}

// Whole records are stepped over, so that bytes inside a document do not pass for a record.
static void scan_content(const struct wal_recovery *recovery, uint64_t number, uint64_t offset,
                         struct wal_later *later) {
    struct wal_record_header header;
    const struct buffer *content = &recovery->content;
    while (offset < content->size && content->size - offset >= WAL_RECORD_HEADER_SIZE) {
        if (!wal_record_header_decode(content->data + offset, number, &header)) {
            offset += RECORD_ALIGNMENT;
            continue;
        }
        note_later(later, header.durable);
        bool whole = record_at(recovery, number, offset, &header);
        offset += whole ? wal_record_size(header.payload_size) : RECORD_ALIGNMENT;
    }
}

static enum status scan_later(struct wal_recovery *recovery, struct wal_later *later) {
    size_t i = 0;
    if (recovery->last != NULL) {
        scan_content(recovery, recovery->last->number, recovery->end_offset, later);
        i = (size_t)(recovery->last - recovery->found) + 1;
    }
    for (; i < recovery->found_count; i++) {
        const struct wal_found *found = &recovery->found[i];
        if (found->valid) note_later(later, found->header.durable);
        enum status status = read_content(recovery, found);
        if (status != STATUS_OK) return status;
        scan_content(recovery, found->number, WAL_SEGMENT_HEADER_SIZE, later);
    }
    return STATUS_OK;
}

static enum status corrupt(struct wal_recovery *recovery, const struct wal_later *later) {
    const char *directory = recovery->options->directory;
    unsigned long long expected = recovery->expected;
    if (recovery->last == NULL)
        return error_set(recovery->error, STATUS_CORRUPT,
                         "the log is missing from sequence %llu on, durable up to %llu: %s",
                         expected, (unsigned long long)later->durable, directory);
    return error_set_at(recovery->error, STATUS_CORRUPT, (int64_t)recovery->end_offset,
                        "log segment %016llx.wal, offset %llu: sequence %llu is damaged, but "
                        "the log was durable up to %llu: %s",
                        (unsigned long long)recovery->last->number,
                        (unsigned long long)recovery->end_offset, expected,
                        (unsigned long long)later->durable, directory);
}

// Zeroes the rest of the last segment where it is not zero, so that nothing of it is ever read.
static enum status zero_tail(struct wal_recovery *recovery) {
    static const uint8_t zeros[4096];
    struct file *file = NULL;
    enum status status = open_found(recovery, recovery->last, FILE_WRITE, &file);
    if (status != STATUS_OK) return status;
    const struct buffer *content = &recovery->content;
    for (uint64_t at = recovery->end_offset; at < content->size && status == STATUS_OK;) {
        size_t left = content->size - (size_t)at;
        size_t chunk = left < sizeof zeros ? left : sizeof zeros;
        if (memcmp(content->data + at, zeros, chunk) != 0)
            status = file_write_at(file, at, zeros, chunk);
        at += chunk;
    }
    if (status == STATUS_OK) status = file_sync(file);
    file_close(file);
    if (status != STATUS_OK) return fail(recovery, status, recovery->last, "cannot be cut");
    return STATUS_OK;
}

// What was replayed may so far be with the kernel only (the last process was killed): it counts as
// durable from here on, so it must be.
static enum status sync_replayed(struct wal_recovery *recovery) {
    for (size_t i = 0; i < recovery->found_count; i++) {
        const struct wal_found *found = &recovery->found[i];
        if (!found->linked || found->last_sequence <= recovery->options->checkpoint) continue;
        struct file *file = NULL;
        enum status status = open_found(recovery, found, FILE_WRITE, &file);
        if (status != STATUS_OK) return status;
        status = file_sync(file);
        file_close(file);
        if (status != STATUS_OK) return fail(recovery, status, found, "cannot be synced");
    }
    return STATUS_OK;
}

static enum status judge_end(struct wal_recovery *recovery) {
    const struct wal_options *options = recovery->options;
    // With all of it in the index, the log says nothing that could be lost.
    bool complete = recovery->found_count == 0 ||
                    (recovery->records == 0 && recovery->expected > options->checkpoint);
    recovery->clean = options->clean_stop && complete;
    if (recovery->clean) return STATUS_OK;

    struct wal_later later = {.durable = options->checkpoint};
    enum status status = scan_later(recovery, &later);
    if (status != STATUS_OK) return status;
    bool missing = recovery->last == NULL && options->checkpoint > 0;
    if ((missing || recovery->expected <= later.durable) && !options->repair)
        return corrupt(recovery, &later);
    recovery->torn = later.any || missing || recovery->expected <= later.durable;
    status = sync_replayed(recovery);
    if (status != STATUS_OK || !recovery->torn || recovery->last == NULL) return status;
    status = read_content(recovery, recovery->last);
    return status == STATUS_OK ? zero_tail(recovery) : status;
}

enum status wal_recover(struct wal_recovery *recovery) {
    recovery->expected = recovery->options->checkpoint + 1;
    recovery->last_replayed = recovery->options->checkpoint;
    recovery->epoch = recovery->options->epoch;
    enum status status = read_directory(recovery);
    if (status == STATUS_OK) status = replay_chain(recovery);
    if (status == STATUS_OK) status = judge_end(recovery);
    return status;
}

void wal_recovery_done(struct wal_recovery *recovery) {
    free(recovery->found);
    buffer_done(&recovery->content);
}
