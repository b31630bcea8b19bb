// SPDX-License-Identifier: Apache-2.0
// JSON lines into a store, in batches of one commit each.
#include "base/limits.h"
#include "engine/session.h"

#define BATCH_DOCUMENTS 1000
#define BATCH_BYTES (4 * MIB)
#define READ_BYTES (256 * KIB)
#define LINE_BYTES_MAX (4 * DOCUMENT_SIZE_MAX)

struct import {
    struct call *call;
    struct bytes store;
    const char *path;
    struct buffer packet;   // the batch being gathered
    struct buffer line;     // a line that has not ended yet
    uint32_t documents;     // in the batch
    uint64_t lines;         // read so far
    uint64_t count;         // documents written
    uint64_t *line_numbers; // of the batch's documents
};

static enum status begin_batch(struct import *import) {
    size_t start;
    buffer_clear(&import->packet);
    import->documents = 0;
    enum status status = packet_begin(&import->packet, OP_PUT, 0, &start);
    if (status != STATUS_OK) return status;
    struct doc_builder builder;
    doc_builder_begin(&builder, &import->packet);
    doc_add_string(&builder, "store", import->store);
    return doc_builder_finish(&builder);
}

static enum status fail_at(struct import *import, uint64_t line, enum status status,
                           struct error *error, const char *reason) {
    char copy[sizeof error->message];
    memcpy(copy, reason, strnlen(reason, sizeof copy - 1) + 1);
    copy[sizeof copy - 1] = '\0';
    error_set(error, status, "%s:%llu: %.150s", import->path, (unsigned long long)line, copy);
    error->line = (uint32_t)line;
    return status;
}

static enum status send_batch(struct import *import, struct error *error) {
    if (import->documents == 0) return STATUS_OK;
    struct call *call = import->call;
    enum status status = packet_finish(&import->packet, 0, 0, 0, import->documents + 1);
    if (status == STATUS_OK)
        status = engine_dispatch(call, buffer_bytes(&import->packet), READ_LATEST, UINT64_MAX);
    if (status != STATUS_OK) return error_set(error, status, "%s: no memory", import->path);
    if (call->status != STATUS_OK) {
        size_t failed = call->failed >= 0 ? (size_t)call->failed : 0;
        return fail_at(import, import->line_numbers[failed], call->status, error,
                       call->error.message);
    }
    import->count += import->documents;
    return begin_batch(import);
}

static bool is_blank(struct bytes line) {
    for (size_t i = 0; i < line.size; i++)
        if (line.data[i] != ' ' && line.data[i] != '\t' && line.data[i] != '\r') return false;
    return true;
}

static enum status take_line(struct import *import, struct bytes line, struct error *error) {
    import->lines++;
    if (is_blank(line)) return STATUS_OK;
    struct error reason = {0};
    size_t before = import->packet.size;
    enum status status = doc_from_json(&import->packet, line, &reason);
    if (status == STATUS_OK)
        status = doc_validate(bytes_of(import->packet.data + before, import->packet.size - before),
                              &reason);
    if (status != STATUS_OK) return fail_at(import, import->lines, status, error, reason.message);
    import->line_numbers[import->documents++] = import->lines;
    if (import->documents < BATCH_DOCUMENTS && import->packet.size < BATCH_BYTES) return STATUS_OK;
    return send_batch(import, error);
}

// Hands over the complete lines of `chunk`; what is left waits in import->line.
static enum status take_chunk(struct import *import, struct bytes chunk, struct error *error) {
    while (chunk.size > 0) {
        const uint8_t *end = memchr(chunk.data, '\n', chunk.size);
        size_t size = end != NULL ? (size_t)(end - chunk.data) : chunk.size;
        enum status status = buffer_append(&import->line, chunk.data, size);
        if (status != STATUS_OK)
            return fail_at(import, import->lines + 1, status, error, "the line is too long");
        if (end == NULL) return STATUS_OK;
        status = take_line(import, buffer_bytes(&import->line), error);
        if (status != STATUS_OK) return status;
        buffer_clear(&import->line);
        chunk = bytes_of(end + 1, chunk.size - size - 1);
    }
    return STATUS_OK;
}

static enum status read_lines(struct import *import, struct file *file, uint8_t *block,
                              struct error *error) {
    uint64_t size, offset = 0;
    enum status status = file_size(file, &size);
    if (status == STATUS_OK) status = begin_batch(import);
    while (status == STATUS_OK && offset < size) {
        size_t part = size - offset < READ_BYTES ? (size_t)(size - offset) : READ_BYTES;
        status = file_read_at(file, offset, block, part);
        if (status != STATUS_OK) return error_set(error, status, "cannot read %s", import->path);
        offset += part;
        status = take_chunk(import, bytes_of(block, part), error);
    }
    if (status == STATUS_OK && import->line.size > 0)
        status = take_line(import, buffer_bytes(&import->line), error);
    return status == STATUS_OK ? send_batch(import, error) : status;
}

enum status engine_import_json_lines(struct session *session, struct bytes store, const char *path,
                                     uint64_t *ret_count, struct error *error) {
    struct import import = {.store = store, .path = path, .line = {.limit = LINE_BYTES_MAX}};
    struct file *file = NULL;
    enum status status = call_new(session, &import.call);
    if (status != STATUS_OK) return error_set(error, status, "no memory for the import");
    struct arena arena = {0};
    uint8_t *block = arena_allocate(&arena, READ_BYTES, 8);
    import.line_numbers = arena_zalloc(&arena, BATCH_DOCUMENTS * sizeof *import.line_numbers);
    if (block == NULL || import.line_numbers == NULL)
        status = error_set(error, STATUS_NO_MEMORY, "no memory for the import");
    if (status == STATUS_OK) status = file_open(file_system_posix(), path, FILE_READ, &file, error);
    if (status == STATUS_OK) status = read_lines(&import, file, block, error);
    file_close(file);
    arena_done(&arena);
    buffer_done(&import.packet);
    buffer_done(&import.line);
    call_free(import.call);
    if (status == STATUS_OK) *ret_count = import.count;
    return status;
}
