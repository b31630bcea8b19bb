// SPDX-License-Identifier: Apache-2.0
// Recovery: after a crash the state is a prefix of the commits, wherever the log was cut; a flush
// that stops anywhere loses and invents nothing; errors of a disk leave a readable engine.
#include "base/limits.h"
#include "storage_fixture.h"

// ---- copying a data directory ---------------------------------------------------------------

struct copy {
    const char *from, *to;
};

static enum status copy_entry(const char *name, void *context) {
    const struct copy *copy = context;
    struct file_system *fs = file_system_posix();
    char from[700], to[700];
    snprintf(from, sizeof from, "%s/%s", copy->from, name);
    snprintf(to, sizeof to, "%s/%s", copy->to, name);
    struct copy inner = {from, to};
    if (strchr(name, '.') == NULL && strcmp(name, "LOCK") != 0 && strcmp(name, "FORMAT") != 0) {
        CHECK_OK(file_make_directories(fs, to));
        CHECK_OK(fs->list(fs, from, copy_entry, &inner));
        return STATUS_OK;
    }
    struct buffer buffer = {0};
    struct file *file;
    CHECK_OK(file_read_all(fs, from, 64 * MIB, &buffer, NULL));
    CHECK_OK(file_open(fs, to, FILE_WRITE | FILE_CREATE | FILE_TRUNCATE, &file, NULL));
    if (buffer.size > 0) CHECK_OK(file_write_at(file, 0, buffer.data, buffer.size));
    file_close(file);
    buffer_done(&buffer);
    return STATUS_OK;
}

static enum status remove_entry(const char *name, void *context) {
    char path[700];
    snprintf(path, sizeof path, "%s/%s", (const char *)context, name);
    struct file_system *fs = file_system_posix();
    return fs->remove(fs, path);
}

static void copy_directory(const char *from, const char *to) {
    struct file_system *fs = file_system_posix();
    static const char *const parts[] = {"wal", "vlog", "index"};
    for (size_t i = 0; i < 3; i++) {
        char path[700];
        snprintf(path, sizeof path, "%s/%s", to, parts[i]);
        enum status status = fs->list(fs, path, remove_entry, path);
        CHECK(status == STATUS_OK || status == STATUS_NOT_FOUND);
    }
    CHECK_OK(file_make_directories(fs, to));
    struct copy copy = {from, to};
    CHECK_OK(fs->list(fs, from, copy_entry, &copy));
}

// ---- the log cut at every byte --------------------------------------------------------------

struct end { // of what is written in the log
    char name[64];
    uint64_t offset; // behind the last byte that is not zero
    const char *directory;
};

static enum status find_end(const char *name, void *context) {
    struct end *end = context;
    char path[700];
    snprintf(path, sizeof path, "%s/%s", end->directory, name);
    struct buffer buffer = {0};
    CHECK_OK(file_read_all(file_system_posix(), path, 64 * MIB, &buffer, NULL));
    size_t size = buffer.size;
    while (size > 0 && buffer.data[size - 1] == 0) size--;
    // Segments made ahead hold no record.
    if (size > 64 && strcmp(name, end->name) > 0) {
        snprintf(end->name, sizeof end->name, "%s", name);
        end->offset = size;
    }
    buffer_done(&buffer);
    return STATUS_OK;
}

static void zero_from(const char *path, uint64_t offset, uint64_t end) {
    struct file *file;
    CHECK_OK(file_open(file_system_posix(), path, FILE_WRITE, &file, NULL));
    uint8_t *zeros = calloc(1, (size_t)(end - offset) + 1);
    CHECK(zeros != NULL);
    CHECK_OK(file_write_at(file, offset, zeros, (size_t)(end - offset)));
    free(zeros);
    file_close(file);
}

#define COMMITS 6

// Commit number i writes i under 1 and 2 and adds 100 + i.
static void make_commits(struct database *database, uint32_t store) {
    for (int64_t i = 1; i <= COMMITS; i++) {
        struct write writes[] = {
            {WRITE_PUT, store, int_key(1), document(1, i, 0), 0},
            {WRITE_PUT, store, int_key(2), document(2, i, 0), 0},
            {WRITE_INSERT, store, int_key(100 + i), document(100 + i, i, 0), 0},
        };
        struct write_result result;
        CHECK_OK(storage_write(database->storage, database->reader, writes, 3, &result, NULL));
    }
}

// How many commits are there; anything but a prefix fails.
static int64_t check_prefix(struct database *database, uint32_t store, uint32_t index) {
    int64_t count = get(database, store, 1);
    CHECK(count >= 0 && count <= COMMITS);
    CHECK_EQUAL(count, get(database, store, 2));
    for (int64_t i = 1; i <= COMMITS; i++)
        CHECK_EQUAL(i <= count ? i : -1, get(database, store, 100 + i));
    struct view view = begin(database);
    struct scan_options options = {.store_id = store, .index_id = index, .keys_only = true};
    struct scan *scan;
    struct scan_entry entry;
    CHECK_OK(scan_open(&view, &options, &scan));
    int64_t entries = 0;
    while (scan_next(scan, &entry) == STATUS_OK) entries++;
    CHECK_EQUAL(count + 2, entries);
    scan_close(scan);
    view_end(&view);
    return count;
}

TEST(a_cut_log_gives_a_prefix_of_the_commits) {
    struct database database = {.options = database_options()};
    database.options.flush_interval_ms = 100000000;
    database_open(&database);
    uint32_t store = create_store(&database, "things");
    uint32_t index = create_index(&database, "things", "by_v", "v");
    CHECK_OK(storage_wait_indexes(database.storage));
    put(&database, store, 1, 0);
    put(&database, store, 2, 0);
    CHECK_OK(storage_flush(database.storage));
    make_commits(&database, store);
    database_abandon(&database);

    struct database cut = {.options = database.options};
    snprintf(cut.path, sizeof cut.path, "%s/cut", test_directory());
    char log[600], path[700];
    snprintf(log, sizeof log, "%s/wal", database.path);
    struct end end = {.directory = log};
    struct file_system *fs = file_system_posix();
    CHECK_OK(fs->list(fs, log, find_end, &end));
    CHECK(end.offset > 64 + 900);
    snprintf(path, sizeof path, "%s/wal/%s", cut.path, end.name);
    int64_t before = 0, least = COMMITS;
    for (uint64_t offset = end.offset - 900; offset <= end.offset; offset++) {
        copy_directory(database.path, cut.path);
        if (offset < end.offset) zero_from(path, offset, end.offset);
        database_open(&cut);
        int64_t count = check_prefix(&cut, store, index);
        CHECK(count >= before);
        before = count;
        if (count < least) least = count;
        if (offset % 64 == 0) { // and the engine goes on from there
            put(&cut, store, 1, count);
            database_reopen(&cut);
            CHECK_EQUAL(count, check_prefix(&cut, store, index));
        }
        database_abandon(&cut);
    }
    CHECK_EQUAL(COMMITS, before);
    CHECK(least <= COMMITS - 2);
}

// ---- a flush that stops ---------------------------------------------------------------------

// Each round changes everything, stops the flush after one transaction more, and starts again.
TEST(a_flush_cut_short_is_finished_later) {
    struct database database = {.options = database_options()};
    database_open(&database);
    uint32_t store = create_store(&database, "things");
    uint32_t index = create_index(&database, "things", "by_v", "v");
    CHECK_OK(storage_wait_indexes(database.storage));
    for (uint64_t stop = 1; stop <= 20; stop++) {
        for (int64_t i = 0; i < 40; i++) put(&database, store, i, 1000 - i * (int64_t)stop);
        erase(&database, store, (int64_t)stop);
        put(&database, store, 0, 7);
        const char *expected = strdup(scan_all(&database, store, index, false));
        atomic_store(&database.storage->transaction_entries_max, 10);
        atomic_store(&database.storage->stop_after_transactions, stop);
        enum status status = storage_flush(database.storage);
        CHECK(status == STATUS_OK || status == STATUS_CANCELLED);
        if (stop < 8) CHECK_STATUS(STATUS_CANCELLED, status);
        CHECK_TEXT(expected, scan_all(&database, store, index, false));
        database_abandon(&database);
        database_open(&database);
        CHECK_TEXT(expected, scan_all(&database, store, index, false));
        if (stop % 2 == 0) CHECK_OK(storage_flush(database.storage));
        CHECK_TEXT(expected, scan_all(&database, store, index, false));
        CHECK_EQUAL(7, get(&database, store, 0));
        free((char *)expected);
    }
    database_close(&database);
}

// ---- failing files --------------------------------------------------------------------------

// The system's files, of which writes to the value log fail on demand.
static struct file_system faulty;
static _Atomic bool fail_writes;

static enum status failing_write_at(struct file *file, uint64_t offset, const void *data,
                                    size_t size) {
    if (atomic_load(&fail_writes)) return STATUS_IO;
    return file_system_posix()->write_at(file, offset, data, size);
}

static enum status faulty_open(struct file_system *fs, const char *path, int flags,
                               struct file **ret, struct error *error) {
    (void)fs;
    enum status status = file_system_posix()->open(file_system_posix(), path, flags, ret, error);
    if (status == STATUS_OK) (*ret)->fs = &faulty;
    return status;
}

TEST(a_failed_flush_leaves_the_engine_readable) {
    faulty = *file_system_posix();
    faulty.open = faulty_open;
    faulty.write_at = failing_write_at;
    struct database database = {.options = database_options()};
    database.options.fs = &faulty;
    database_open(&database);
    uint32_t store = create_store(&database, "things");
    put(&database, store, 1, 1);
    CHECK_OK(storage_flush(database.storage));
    put(&database, store, 1, 2);
    put(&database, store, 2, 2);
    atomic_store(&fail_writes, true);
    CHECK_STATUS(STATUS_IO, storage_flush(database.storage));
    CHECK_STATUS(STATUS_READ_ONLY, storage_health(database.storage));
    CHECK_STATUS(STATUS_READ_ONLY, write_one(&database, WRITE_PUT, store, 3, 3));
    CHECK_STATUS(STATUS_READ_ONLY, storage_create_store(database.storage, bytes_of_string("more"),
                                                        KEY_INT64, NULL, NULL, NULL));
    CHECK_STATUS(STATUS_IO, storage_wait_indexes(database.storage));
    CHECK_TEXT("1:2 2:2", scan_all(&database, store, 0, false));
    database_close(&database);
    atomic_store(&fail_writes, false);
    database_open(&database);
    CHECK_STATUS(STATUS_OK, storage_health(database.storage));
    CHECK_TEXT("1:2 2:2", scan_all(&database, store, 0, false));
    put(&database, store, 3, 3);
    database_reopen(&database);
    CHECK_TEXT("1:2 2:2 3:3", scan_all(&database, store, 0, false));
    database_close(&database);
}

TEST(a_damaged_document_is_reported) {
    struct database database = {0};
    database_open(&database);
    uint32_t store = create_store(&database, "things");
    put(&database, store, 1, 1);
    database_close(&database);
    char path[700];
    snprintf(path, sizeof path, "%s/vlog/00000001.vlog", database.path);
    struct file *file;
    CHECK_OK(file_open(file_system_posix(), path, FILE_WRITE, &file, NULL));
    uint64_t size;
    CHECK_OK(file_size(file, &size));
    struct buffer buffer = {0};
    CHECK_OK(file_read_all(file_system_posix(), path, 64 * MIB, &buffer, NULL));
    // The text of the document is the only place with so many of these.
    uint8_t *place = memmem(buffer.data, buffer.size, "xxxxxxxxxxxx", 12);
    CHECK(place != NULL);
    CHECK_OK(file_write_at(file, (uint64_t)(place - buffer.data), "y", 1));
    buffer_done(&buffer);
    file_close(file);
    database_open(&database);
    struct view view = begin(&database);
    struct key key = int_key(1);
    struct bytes found;
    CHECK_STATUS(STATUS_CORRUPT, storage_get(&view, store, &key, &found, NULL));
    view_end(&view);
    database_close(&database);
}
