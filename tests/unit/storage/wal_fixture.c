// SPDX-License-Identifier: Apache-2.0
#include "wal_fixture.h"

#include "base/crc.h"
#include "storage/wal_format.h"

// ---- the file system ------------------------------------------------------------------------

static struct faulty *faulty_of(struct file *file) {
    return (struct faulty *)file->fs;
}

static enum status faulty_sync(struct file *file) {
    struct faulty *faulty = faulty_of(file);
    int left = atomic_load(&faulty->fail_sync);
    if (left == 0) return STATUS_IO;
    if (left > 0) atomic_fetch_sub(&faulty->fail_sync, 1);
    atomic_fetch_add(&faulty->syncs, 1);
    return faulty->skip_syncs ? STATUS_OK : file_system_posix()->sync(file);
}

static enum status faulty_sync_directory(struct file_system *fs, const char *path) {
    struct faulty *faulty = (struct faulty *)fs;
    if (atomic_load(&faulty->fail_directory)) return STATUS_IO;
    return faulty->skip_syncs ? STATUS_OK : file_system_posix()->sync_directory(fs, path);
}

static enum status faulty_write_at(struct file *file, uint64_t offset, const void *data,
                                   size_t size) {
    if (atomic_load(&faulty_of(file)->full)) return STATUS_NO_SPACE;
    return file_system_posix()->write_at(file, offset, data, size);
}

void faulty_init(struct faulty *faulty) {
    faulty->fs = *file_system_posix();
    faulty->fs.sync = faulty_sync;
    faulty->fs.sync_directory = faulty_sync_directory;
    faulty->fs.write_at = faulty_write_at;
    faulty->skip_syncs = true;
    atomic_init(&faulty->syncs, 0);
    atomic_init(&faulty->fail_sync, -1);
    atomic_init(&faulty->fail_directory, false);
    atomic_init(&faulty->full, false);
}

// ---- records --------------------------------------------------------------------------------

uint32_t fixture_operations(uint64_t sequence) {
    return (uint32_t)(sequence % 3) + 1;
}

size_t fixture_payload_size(uint64_t sequence) {
    return 20 + (size_t)(sequence * 37 % 90);
}

static uint8_t pattern(uint64_t sequence, size_t i) {
    return (uint8_t)(sequence * 31 + i * 7 + 1);
}

static enum status check_replay(const struct wal_record *record, void *context) {
    struct fixture *fixture = context;
    uint64_t sequence = record->first_sequence;
    CHECK(sequence > fixture->replayed);
    CHECK_EQUAL(fixture_operations(sequence), record->operation_count);
    CHECK(record->durable < sequence);
    CHECK(record->commit_time_ns >= fixture->last_time);
    for (size_t i = 0; i < record->payload.size; i++)
        CHECK(record->payload.data[i] == pattern(sequence, i));
    if (fixture->first_replayed == 0) fixture->first_replayed = sequence;
    fixture->replayed = sequence + record->operation_count - 1;
    fixture->last_time = record->commit_time_ns;
    return STATUS_OK;
}

enum status fixture_try_append(struct fixture *fixture, size_t size, uint64_t *ret_last) {
    enum status status;
    mutex_lock(&fixture->commit);
    for (;;) {
        if (size == 0) size = fixture_payload_size(fixture->next);
        status = wal_reserve(fixture->wal, size);
        if (status != STATUS_PENDING) break;
        mutex_unlock(&fixture->commit);
        status = wal_prepare(fixture->wal, size);
        mutex_lock(&fixture->commit);
        if (status != STATUS_OK) break;
    }
    if (status == STATUS_OK) {
        uint64_t sequence = fixture->next;
        uint8_t *payload = malloc(size);
        for (size_t i = 0; i < size; i++) payload[i] = pattern(sequence, i);
        wal_append(fixture->wal, sequence, fixture_operations(sequence), (int64_t)sequence,
                   bytes_of(payload, size), crc32c(0, payload, size));
        free(payload);
        fixture->next += fixture_operations(sequence);
        wal_publish(fixture->wal, fixture->next - 1);
        *ret_last = fixture->next - 1;
    }
    mutex_unlock(&fixture->commit);
    return status;
}

uint64_t fixture_append(struct fixture *fixture, size_t size) {
    uint64_t last = 0;
    CHECK_OK(fixture_try_append(fixture, size, &last));
    return last;
}

// ---- opening --------------------------------------------------------------------------------

static void on_durable(void *context, bool failed) {
    struct fixture *fixture = context;
    mutex_lock(&fixture->mutex);
    if (failed)
        fixture->failed = true;
    else
        fixture->durable_events++;
    condition_broadcast(&fixture->event);
    mutex_unlock(&fixture->mutex);
}

void fixture_init(struct fixture *fixture) {
    memset(fixture, 0, sizeof *fixture);
    faulty_init(&fixture->faulty);
    mutex_init(&fixture->commit);
    mutex_init(&fixture->mutex);
    condition_init(&fixture->event);
    fixture->options = (struct wal_options){
        .fs = &fixture->faulty.fs,
        .clock = clock_system(),
        .directory = test_directory(),
        .segment_bytes = FIXTURE_SEGMENT,
        .on_durable = on_durable,
        .context = fixture,
    };
}

enum status fixture_open(struct fixture *fixture) {
    fixture->first_replayed = 0;
    fixture->replayed = fixture->options.checkpoint;
    fixture->last_time = 0;
    fixture->failed = false;
    fixture->durable_events = 0;
    memset(&fixture->error, 0, sizeof fixture->error);
    enum status status = wal_open(&fixture->options, check_replay, fixture, &fixture->wal,
                                  &fixture->recovered, &fixture->error);
    if (status != STATUS_OK) return status;
    fixture->next = fixture->recovered.next_sequence;
    CHECK_EQUAL(fixture->replayed, fixture->recovered.last_sequence);
    CHECK_EQUAL(fixture->next - 1, wal_visible(fixture->wal));
    CHECK_EQUAL(fixture->next - 1, wal_durable(fixture->wal));
    return STATUS_OK;
}

void fixture_close(struct fixture *fixture, bool abandon) {
    wal_close(fixture->wal, abandon);
    fixture->wal = NULL;
}

void fixture_wait_event(struct fixture *fixture, int count) {
    mutex_lock(&fixture->mutex);
    while (!fixture->failed && fixture->durable_events < count)
        condition_wait(&fixture->event, &fixture->mutex);
    mutex_unlock(&fixture->mutex);
}

// ---- files ----------------------------------------------------------------------------------

struct listing {
    uint64_t numbers[1000];
    size_t count;
};

static enum status note(const char *name, void *context) {
    struct listing *listing = context;
    uint64_t number = 0;
    if (wal_segment_name_parse(name, &number)) listing->numbers[listing->count++] = number;
    return STATUS_OK;
}

static int compare(const void *a, const void *b) {
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static struct listing list_files(const struct fixture *fixture) {
    struct listing listing = {.count = 0};
    CHECK_OK(
        fixture->options.fs->list(fixture->options.fs, fixture->options.directory, note, &listing));
    qsort(listing.numbers, listing.count, sizeof listing.numbers[0], compare);
    return listing;
}

size_t fixture_file_count(const struct fixture *fixture) {
    return list_files(fixture).count;
}

const char *fixture_file(const struct fixture *fixture, size_t position) {
    static char path[4200];
    struct listing listing = list_files(fixture);
    if (position >= listing.count) return NULL;
    char name[WAL_NAME_SIZE];
    wal_segment_name(listing.numbers[position], name);
    snprintf(path, sizeof path, "%s/%s", fixture->options.directory, name);
    return path;
}
