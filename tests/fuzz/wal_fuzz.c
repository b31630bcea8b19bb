// SPDX-License-Identifier: Apache-2.0
// The bytes become the log's only segment file. Opening must end in a status, whatever they are;
// when it succeeds, the log must take and keep a record. In the first byte: bit 0 repairs the
// checksums, so that the fuzzer gets behind them, bit 1 asks for repair, the rest is a checkpoint.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/crc.h"
#include "base/limits.h"
#include "base/log.h"
#include "storage/wal.h"
#include "storage/wal_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum status no_sync(struct file *file) {
    return STATUS_OK;
}

static enum status no_sync_directory(struct file_system *fs, const char *path) {
    return STATUS_OK;
}

static struct file_system *fast_file_system(void) {
    static struct file_system fs;
    fs = *file_system_posix();
    fs.sync = no_sync;
    fs.sync_directory = no_sync_directory;
    return &fs;
}

static char directory[64];

static void remove_directory(void) {
    rmdir(directory);
}

static void make_directory(void) {
    if (directory[0] != '\0') return;
    log_set_level(LOG_ERROR);
    snprintf(directory, sizeof directory, "/tmp/wal-fuzz-XXXXXX");
    ASSERT(mkdtemp(directory) != NULL);
    atexit(remove_directory);
}

static enum status remove_file(const char *name, void *context) {
    char path[128];
    snprintf(path, sizeof path, "%s/%.32s", directory, name);
    return file_system_posix()->remove(file_system_posix(), path);
}

static void repair_header(uint8_t *header) {
    store_le32(header + 4, crc32c(0, header + 8, 56));
}

static void repair_checksums(uint8_t *data, size_t size) {
    if (size < WAL_SEGMENT_HEADER_SIZE) return;
    repair_header(data);
    for (size_t at = WAL_SEGMENT_HEADER_SIZE; size - at >= WAL_RECORD_HEADER_SIZE;) {
        if (load_le32(data + at) != WAL_RECORD_MAGIC) return;
        size_t payload = load_le32(data + at + 12);
        if (payload > size - at - WAL_RECORD_HEADER_SIZE) return;
        uint32_t crc = crc32c(0, data + at + WAL_RECORD_HEADER_SIZE, payload);
        store_le32(data + at + 8, crc);
        repair_header(data + at);
        if (wal_record_size(payload) > size - at) return;
        at += wal_record_size(payload);
    }
}

static void write_segment(const uint8_t *data, size_t size) {
    char path[128];
    snprintf(path, sizeof path, "%s/0000000000000001.wal", directory);
    struct file *file = NULL;
    enum status status =
        file_open(file_system_posix(), path, FILE_WRITE | FILE_CREATE | FILE_TRUNCATE, &file, NULL);
    ASSERT(status == STATUS_OK);
    if (size > 0) status = file_write_at(file, 0, data, size);
    ASSERT(status == STATUS_OK);
    file_close(file);
}

static enum status replay(const struct wal_record *record, void *context) {
    uint64_t *sum = context;
    ASSERT(record->operation_count > 0);
    for (size_t i = 0; i < record->payload.size; i++) *sum += record->payload.data[i];
    struct bytes payload = record->payload;
    struct operation operation;
    while (operation_decode(&payload, &operation) == STATUS_OK) *sum += operation.value.size;
    return STATUS_OK;
}

static void append(struct wal *wal, uint64_t sequence) {
    while (wal_reserve(wal, 3) != STATUS_OK) {
        enum status status = wal_prepare(wal, 3);
        ASSERT(status == STATUS_OK);
    }
    wal_append(wal, sequence, 1, 1, bytes_of("abc", 3), crc32c(0, "abc", 3));
    wal_publish(wal, sequence);
}

static void open_twice(struct wal_options *options) {
    struct wal *wal = NULL;
    struct wal_recovered recovered;
    struct error error;
    uint64_t sum = 0;
    if (wal_open(options, replay, &sum, &wal, &recovered, &error) != STATUS_OK) {
        ASSERT(!options->repair || error.status == STATUS_VERSION);
        return;
    }
    append(wal, recovered.next_sequence);
    wal_close(wal, false);
    uint64_t records = recovered.records + 1;
    options->repair = false;
    enum status status = wal_open(options, replay, &sum, &wal, &recovered, &error);
    ASSERT(status == STATUS_OK && recovered.records == records);
    wal_close(wal, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1 || size > 256 * KIB) return 0;
    make_directory();
    uint8_t *copy = malloc(size);
    ASSERT(copy != NULL);
    memcpy(copy, data + 1, size - 1);
    if ((data[0] & 1) != 0) repair_checksums(copy, size - 1);
    write_segment(copy, size - 1);
    free(copy);
    struct wal_options options = {
        .fs = fast_file_system(),
        .clock = clock_system(),
        .directory = directory,
        .segment_bytes = 64 * KIB,
        .repair = (data[0] & 2) != 0,
        .checkpoint = data[0] >> 2,
    };
    open_twice(&options);
    enum status status = options.fs->list(options.fs, directory, remove_file, NULL);
    ASSERT(status == STATUS_OK);
    return 0;
}
