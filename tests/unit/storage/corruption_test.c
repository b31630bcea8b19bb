// SPDX-License-Identifier: Apache-2.0
// Every byte of a small data directory is changed in turn (in the index: the headers of all pages
// and a sample of the rest). The engine then opens the directory, reads everything, writes,
// flushes and reads again, in a process of its own. It must notice, or hold what it held before;
// only the last commit may be missing when the log's end is damaged, since nothing in the log tells
// a damaged end from one that was torn by a power loss.
//
// LMDB's pages carry no checksums. What is damaged there can make an entry unfindable or end the
// process; what is checked for the index is that no wrong document is ever returned.
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "storage_fixture.h"

#define FLUSHED 10 // documents in value log and index
#define LOGGED 5   // and in the log only
#define FILES_MAX 8
#define INDEX_PAGE 4096
#define INDEX_STEP 97 // bytes between the sampled ones

// Nothing here is about power, and syncs would take most of the time.
int fdatasync(int descriptor);
int fsync(int descriptor);
int fdatasync(int descriptor) {
    return 0;
}
int fsync(int descriptor) {
    return 0;
}

struct saved_file {
    char path[600];
    struct buffer content;
    size_t used; // without the zeros at its end
};

static struct {
    struct saved_file files[FILES_MAX];
    size_t count;
    uint32_t store, index;
} saved;

#define EXIT_BASE 40 // exit statuses that a sanitizer does not use

enum outcome { OUTCOME_SAME, OUTCOME_WRONG, OUTCOME_NOTICED, OUTCOME_MISSING, OUTCOME_CRASHED };

// ---- the directory --------------------------------------------------------------------------

static enum status save_file(const char *name, void *context) {
    const char *directory = context;
    if (strcmp(name, "LOCK") == 0 || strcmp(name, "lock.mdb") == 0) return STATUS_OK;
    char path[600];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    struct stat information;
    CHECK(stat(path, &information) == 0);
    if (S_ISDIR(information.st_mode))
        return file_system_posix()->list(file_system_posix(), path, save_file, path);
    CHECK(saved.count < FILES_MAX);
    struct saved_file *file = &saved.files[saved.count++];
    memcpy(file->path, path, sizeof path);
    CHECK_OK(file_read_all(file_system_posix(), path, 16 * MIB, &file->content, NULL));
    file->used = file->content.size;
    while (file->used > 0 && file->content.data[file->used - 1] == 0) file->used--;
    return STATUS_OK;
}

static enum status remove_new(const char *name, void *context) {
    char path[600];
    snprintf(path, sizeof path, "%s/%s", (const char *)context, name);
    unlink(path);
    return STATUS_OK;
}

static void restore_files(const char *data) {
    static const char *const parts[] = {"wal", "vlog", "index"};
    for (size_t i = 0; i < 3; i++) {
        char path[600];
        snprintf(path, sizeof path, "%s/%s", data, parts[i]);
        CHECK_OK(file_system_posix()->list(file_system_posix(), path, remove_new, path));
    }
    for (size_t i = 0; i < saved.count; i++) {
        int descriptor = open(saved.files[i].path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        CHECK(descriptor >= 0);
        const struct buffer *content = &saved.files[i].content;
        CHECK(write(descriptor, content->data, content->size) == (ssize_t)content->size);
        close(descriptor);
    }
}

static void make_directory(struct database *database) {
    database->options = database_options();
    database->options.flush_interval_ms = 0;
    database_open(database);
    saved.store = create_store(database, "things");
    saved.index = create_index(database, "things", "by_v", "v");
    for (int64_t i = 0; i < FLUSHED; i++) put(database, saved.store, i, i * 10);
    CHECK_OK(storage_flush(database->storage));
    CHECK_OK(storage_wait_indexes(database->storage));
    // Each record tells that the one before it was durable.
    for (int64_t i = 0; i < LOGGED; i++) {
        put(database, saved.store, FLUSHED + i, (FLUSHED + i) * 10);
        CHECK_OK(storage_sync(database->storage, storage_visible(database->storage)));
    }
    database_abandon(database);
    CHECK_OK(
        file_system_posix()->list(file_system_posix(), database->path, save_file, database->path));
}

// ---- one change -----------------------------------------------------------------------------

static void outcome(enum outcome outcome) {
    _exit(EXIT_BASE + (int)outcome);
}

// LMDB does not always know a damaged tree from a wrong call.
static bool noticed(enum status status) {
    return status == STATUS_INTERNAL || status == STATUS_LIMIT || status == STATUS_NO_SPACE ||
           status == STATUS_NO_MEMORY || status == STATUS_CORRUPT || status == STATUS_VERSION ||
           status == STATUS_READ_ONLY || status == STATUS_IO;
}

static void expect_ok(enum status status) {
    if (status == STATUS_OK) return;
    outcome(noticed(status) ? OUTCOME_NOTICED : OUTCOME_WRONG);
}

static void check_document(struct bytes found, int64_t id) {
    int64_t value = -1, found_id = -1;
    bool good = doc_get_int(found, "v", &value) && doc_get_int(found, "_id", &found_id) &&
                value == id * 10 && found_id == id;
    if (!good) outcome(OUTCOME_WRONG);
}

// The number of documents that point reads find; they must be the first ones.
static int64_t check_gets(const struct view *view) {
    int64_t count = 0;
    for (int64_t i = 0; i < FLUSHED + LOGGED; i++) {
        struct key key = int_key(i);
        struct bytes document;
        enum status status = storage_get(view, saved.store, &key, &document, NULL);
        if (status == STATUS_NOT_FOUND) continue;
        expect_ok(status);
        check_document(document, i);
        if (count != i) outcome(OUTCOME_MISSING);
        count++;
    }
    return count;
}

static void check_scan(const struct view *view, uint32_t index, bool reverse, int64_t count) {
    struct scan_options options = {.store_id = saved.store, .index_id = index, .reverse = reverse};
    struct scan *scan;
    enum status status = scan_open(view, &options, &scan);
    if (status == STATUS_NO_INDEX || status == STATUS_NO_STORE) outcome(OUTCOME_MISSING);
    expect_ok(status);
    struct scan_entry entry;
    int64_t seen = 0;
    while ((status = scan_next(scan, &entry)) == STATUS_OK) {
        if (seen == count) outcome(OUTCOME_MISSING);
        int64_t id = reverse ? count - 1 - seen : seen;
        if (key_int(&entry.key) != id) outcome(OUTCOME_MISSING);
        check_document(entry.document, id);
        seen++;
    }
    if (status != STATUS_END) expect_ok(status);
    scan_close(scan);
    if (seen != count) outcome(OUTCOME_MISSING);
}

static void check_all(struct database *database) {
    struct view view;
    expect_ok(view_begin(database->reader, READ_LATEST, &view));
    int64_t count = check_gets(&view);
    if (count < FLUSHED + LOGGED - 1) outcome(OUTCOME_MISSING);
    check_scan(&view, 0, false, count);
    check_scan(&view, 0, true, count);
    check_scan(&view, saved.index, false, count);
    check_scan(&view, saved.index, true, count);
    view_end(&view);
}

_Noreturn static void work(struct database *database) {
    struct error error;
    expect_ok(storage_open(database->path, &database->options, &database->storage, &error));
    expect_ok(reader_open(database->storage, &database->reader));
    check_all(database);
    // The last one, which may have been lost.
    expect_ok(write_one(database, WRITE_PUT, saved.store, FLUSHED + LOGGED - 1,
                        (FLUSHED + LOGGED - 1) * 10));
    expect_ok(storage_flush(database->storage));
    check_all(database);
    database_close(database);
    outcome(OUTCOME_SAME);
    abort();
}

static enum outcome try_change(struct database *database, const struct saved_file *file,
                               size_t offset, uint8_t change) {
    restore_files(database->path);
    int descriptor = open(file->path, O_WRONLY | O_CLOEXEC);
    uint8_t byte = file->content.data[offset] ^ change;
    CHECK(descriptor >= 0 && pwrite(descriptor, &byte, 1, (off_t)offset) == 1);
    close(descriptor);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) work(database);
    int result = 0;
    while (waitpid(child, &result, 0) < 0) CHECK(errno == EINTR);
    int status = WIFEXITED(result) ? WEXITSTATUS(result) - EXIT_BASE : -1;
    bool told = status >= OUTCOME_SAME && status <= OUTCOME_MISSING;
    return told ? (enum outcome)status : OUTCOME_CRASHED;
}

// ---- the tests ------------------------------------------------------------------------------

static void prepare(struct database *database) {
    log_set_descriptor(open("/dev/null", O_WRONLY | O_CLOEXEC));
    make_directory(database);
}

// A flip of one bit and of all, from byte to byte.
static uint8_t change_at(size_t offset) {
    return (uint8_t)(offset % 2 == 0 ? 0xff : 1u << (offset / 2 % 8));
}

static void change_all(struct database *database, const char *part) {
    size_t counts[OUTCOME_CRASHED + 1] = {0};
    for (size_t i = 0; i < saved.count; i++) {
        const struct saved_file *file = &saved.files[i];
        if (strstr(file->path, part) == NULL) continue;
        size_t end = file->used + 64 < file->content.size ? file->used + 64 : file->content.size;
        for (size_t offset = 0; offset < end; offset++) {
            enum outcome found = try_change(database, file, offset, change_at(offset));
            counts[found]++;
            if (found != OUTCOME_SAME && found != OUTCOME_NOTICED)
                test_fail(__FILE__, __LINE__, "%s byte %zu: %s", file->path, offset,
                          found == OUTCOME_WRONG     ? "wrong data"
                          : found == OUTCOME_MISSING ? "data is missing"
                                                     : "crash");
        }
    }
    CHECK(counts[OUTCOME_NOTICED] > 0);
}

TEST(a_changed_byte_of_the_log_is_noticed_or_harmless) {
    struct database database = {0};
    prepare(&database);
    change_all(&database, "/wal/");
}

TEST(a_changed_byte_of_the_value_log_is_noticed_or_harmless) {
    struct database database = {0};
    prepare(&database);
    change_all(&database, "/vlog/");
}

TEST(a_changed_byte_of_the_format_is_noticed) {
    struct database database = {0};
    prepare(&database);
    change_all(&database, "/FORMAT");
}

TEST(a_changed_byte_of_the_index_gives_no_wrong_document) {
    struct database database = {0};
    prepare(&database);
    size_t counts[OUTCOME_CRASHED + 1] = {0};
    for (size_t i = 0; i < saved.count; i++) {
        const struct saved_file *file = &saved.files[i];
        if (strstr(file->path, "data.mdb") == NULL) continue;
        for (size_t at = 0; at < file->content.size;) {
            enum outcome found = try_change(&database, file, at, change_at(at));
            counts[found]++;
            if (getenv("CORRUPTION_VERBOSE") != NULL && found >= OUTCOME_MISSING)
                fprintf(stderr, "# page %zu byte %zu: %s\n", at / INDEX_PAGE, at % INDEX_PAGE,
                        found == OUTCOME_CRASHED ? "crash" : "missing");
            if (found == OUTCOME_WRONG)
                test_fail(__FILE__, __LINE__, "%s byte %zu: wrong data", file->path, at);
            at += at % INDEX_PAGE < 32 ? 1 : INDEX_STEP;
        }
    }
    printf("# index: %zu same, %zu noticed, %zu missing, %zu crashes\n", counts[OUTCOME_SAME],
           counts[OUTCOME_NOTICED], counts[OUTCOME_MISSING], counts[OUTCOME_CRASHED]);
}
