// SPDX-License-Identifier: Apache-2.0
// Power losses: after each, a file holds for every page either what was synced or something newer,
// and names are as they were at the last sync of the directory or later. The log must open every
// time and bring back every durable record.
#include "wal_fixture.h"

#define PAGE 4096
#define FILES_MAX 200
#define HANDLES_MAX 64

struct disk_file {
    char name[4200];       // now; empty: removed
    char durable[4200];    // after a power loss; empty: none
    struct buffer content; // synced
};

struct handle {
    struct file *file;
    struct disk_file *disk_file;
};

static struct {
    struct mutex mutex;
    struct disk_file files[FILES_MAX];
    size_t file_count;
    struct handle handles[HANDLES_MAX];
    uint64_t random;
} disk;

static uint64_t next_random(void) {
    disk.random ^= disk.random << 13;
    disk.random ^= disk.random >> 7;
    disk.random ^= disk.random << 17;
    return disk.random;
}

static struct disk_file *find_file(const char *path) {
    for (size_t i = 0; i < disk.file_count; i++)
        if (strcmp(disk.files[i].name, path) == 0) return &disk.files[i];
    return NULL;
}

static struct disk_file *find_or_add(const char *path) {
    struct disk_file *file = find_file(path);
    if (file != NULL) return file;
    CHECK(disk.file_count < FILES_MAX);
    file = &disk.files[disk.file_count++];
    memset(file, 0, sizeof *file);
    snprintf(file->name, sizeof file->name, "%s", path);
    return file;
}

static struct handle *find_handle(struct file *file) {
    for (size_t i = 0; i < HANDLES_MAX; i++)
        if (disk.handles[i].file == file) return &disk.handles[i];
    test_fail(__FILE__, __LINE__, "no handle");
}

static enum status disk_open(struct file_system *fs, const char *path, int flags, struct file **ret,
                             struct error *error) {
    enum status status = file_system_posix()->open(fs, path, flags, ret, error);
    if (status != STATUS_OK) return status;
    mutex_lock(&disk.mutex);
    *find_handle(NULL) = (struct handle){.file = *ret, .disk_file = find_or_add(path)};
    mutex_unlock(&disk.mutex);
    return STATUS_OK;
}

static void disk_close(struct file *file) {
    mutex_lock(&disk.mutex);
    find_handle(file)->file = NULL;
    mutex_unlock(&disk.mutex);
    file_system_posix()->close(file);
}

static void read_now(struct file *file, struct buffer *ret) {
    uint64_t size = 0;
    CHECK_OK(file_system_posix()->size(file, &size));
    buffer_clear(ret);
    CHECK_OK(buffer_reserve(ret, (size_t)size + 1));
    CHECK_OK(file_system_posix()->read_at(file, 0, ret->data, (size_t)size));
    ret->size = (size_t)size;
}

static enum status disk_sync(struct file *file) {
    mutex_lock(&disk.mutex);
    read_now(file, &find_handle(file)->disk_file->content);
    mutex_unlock(&disk.mutex);
    return STATUS_OK;
}

static enum status disk_rename(struct file_system *fs, const char *from, const char *to) {
    enum status status = file_system_posix()->rename(fs, from, to);
    if (status != STATUS_OK) return status;
    mutex_lock(&disk.mutex);
    struct disk_file *file = find_file(from);
    CHECK(file != NULL && find_file(to) == NULL);
    snprintf(file->name, sizeof file->name, "%s", to);
    mutex_unlock(&disk.mutex);
    return STATUS_OK;
}

static enum status disk_remove(struct file_system *fs, const char *path) {
    enum status status = file_system_posix()->remove(fs, path);
    if (status != STATUS_OK) return status;
    mutex_lock(&disk.mutex);
    find_file(path)->name[0] = '\0';
    mutex_unlock(&disk.mutex);
    return STATUS_OK;
}

static enum status disk_sync_directory(struct file_system *fs, const char *path) {
    mutex_lock(&disk.mutex);
    for (size_t i = 0; i < disk.file_count; i++)
        memcpy(disk.files[i].durable, disk.files[i].name, sizeof disk.files[i].name);
    mutex_unlock(&disk.mutex);
    return STATUS_OK;
}

static void disk_init(struct fixture *fixture) {
    mutex_init(&disk.mutex);
    disk.random = test_seed() | 1;
    struct file_system *fs = &fixture->faulty.fs;
    *fs = *file_system_posix();
    fs->open = disk_open;
    fs->close = disk_close;
    fs->sync = disk_sync;
    fs->rename = disk_rename;
    fs->remove = disk_remove;
    fs->sync_directory = disk_sync_directory;
}

// ---- the power goes -------------------------------------------------------------------------

// Leaves in `file->content` what is found after the power loss.
static void tear(struct disk_file *file) {
    if (file->name[0] == '\0') return;
    struct buffer now = {0};
    CHECK_OK(file_read_all(file_system_posix(), file->name, 1 << 24, &now, NULL));
    struct buffer *content = &file->content;
    if (content->size < now.size) { // the size of a new file may be there without its data
        CHECK_OK(buffer_reserve(content, now.size - content->size));
        memset(content->data + content->size, 0, now.size - content->size);
        if (next_random() % 2 == 0) content->size = now.size;
    }
    for (size_t at = 0; at + PAGE <= content->size && at + PAGE <= now.size; at += PAGE)
        if (next_random() % 3 == 0) memcpy(content->data + at, now.data + at, PAGE);
    buffer_done(&now);
}

static void write_back(struct disk_file *file, const char *name) {
    struct file *out = NULL;
    CHECK_OK(
        file_open(file_system_posix(), name, FILE_WRITE | FILE_CREATE | FILE_TRUNCATE, &out, NULL));
    if (file->content.size > 0)
        CHECK_OK(file_write_at(out, 0, file->content.data, file->content.size));
    file_close(out);
}

static void lose_power(void) {
    for (size_t i = 0; i < disk.file_count; i++) {
        tear(&disk.files[i]);
        if (disk.files[i].name[0] != '\0')
            CHECK_OK(file_system_posix()->remove(file_system_posix(), disk.files[i].name));
    }
    size_t kept = 0;
    for (size_t i = 0; i < disk.file_count; i++) {
        struct disk_file *file = &disk.files[i];
        // Names may have become durable without a sync.
        if (next_random() % 2 == 0) memcpy(file->durable, file->name, sizeof file->name);
        if (file->durable[0] == '\0') {
            buffer_done(&file->content);
            continue;
        }
        write_back(file, file->durable);
        memcpy(file->name, file->durable, sizeof file->name);
        disk.files[kept++] = *file;
    }
    disk.file_count = kept;
}

static void run_until_power_loss(struct fixture *fixture) {
    int appends = (int)(next_random() % 3 == 0 ? next_random() % 1500 : next_random() % 40);
    for (int i = 0; i < appends; i++) {
        size_t size = next_random() % 100 == 0 ? next_random() % 100000 : 0;
        uint64_t last = fixture_append(fixture, size);
        if (next_random() % 50 == 0) CHECK_OK(wal_sync(fixture->wal, last));
        if (next_random() % 50 == 0) wal_request_sync(fixture->wal, last);
        if (next_random() % 200 != 0) continue;
        fixture->options.checkpoint = wal_durable(fixture->wal);
        wal_release(fixture->wal, fixture->options.checkpoint);
    }
}

TEST(wal_survives_power_losses) {
    struct fixture fixture;
    fixture_init(&fixture);
    disk_init(&fixture);
    uint64_t durable = 0, visible = 0;
    for (int round = 0; round < 150; round++) {
        fixture.options.flush_interval_ms = round % 2 * 2;
        enum status status = fixture_open(&fixture);
        if (status != STATUS_OK)
            test_fail(__FILE__, __LINE__, "round %d: %s", round, fixture.error.message);
        CHECK(fixture.replayed >= durable);
        durable = fixture.replayed; // what was brought back may not be lost any more
        CHECK(fixture.replayed <= visible);
        CHECK(fixture.recovered.next_sequence > visible);
        run_until_power_loss(&fixture);
        visible = wal_visible(fixture.wal);
        // Read before the stop: later syncs may only add to it.
        if (wal_durable(fixture.wal) >= fixture.recovered.next_sequence)
            durable = wal_durable(fixture.wal);
        fixture_close(&fixture, true);
        if (next_random() % 3 != 0) {
            lose_power();
        } else if (visible >= fixture.recovered.next_sequence) {
            // Only the process ended: all is there, but need not be on the disk yet.
            durable = visible;
        }
    }
    for (size_t i = 0; i < disk.file_count; i++) buffer_done(&disk.files[i].content);
}
