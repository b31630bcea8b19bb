// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

static const char *path_of(const char *name) {
    static char paths[4][300];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", test_directory(), name);
    return path;
}

static struct file *open_file(const char *name, int flags) {
    struct file *file = NULL;
    struct error error;
    CHECK_OK(file_open(file_system_posix(), path_of(name), flags, &file, &error));
    return file;
}

static void check_content(const char *name, const char *expected) {
    struct buffer buffer = {0};
    CHECK_OK(file_read_all(file_system_posix(), path_of(name), 1000, &buffer, NULL));
    CHECK_BYTES(expected, buffer_bytes(&buffer));
    buffer_done(&buffer);
}

TEST(file_reads_what_was_written) {
    struct file *file = open_file("a", FILE_WRITE | FILE_CREATE);
    CHECK_OK(file_write_at(file, 3, "defg", 4));
    CHECK_OK(file_write_at(file, 0, "abc", 3));
    CHECK_OK(file_sync(file));
    char text[8] = {0};
    CHECK_OK(file_read_at(file, 1, text, 6));
    CHECK(strcmp(text, "bcdefg") == 0);
    uint64_t size = 0;
    CHECK_OK(file_size(file, &size));
    CHECK_EQUAL(7, size);
    CHECK_OK(file_truncate(file, 2));
    CHECK_STATUS(STATUS_END, file_read_at(file, 0, text, 3));
    CHECK_STATUS(STATUS_END, file_read_at(file, 100, text, 1));
    CHECK_OK(file_read_at(file, 100, text, 0));
    file_close(file);
    file_close(NULL);
    struct stat information;
    CHECK(stat(path_of("a"), &information) == 0);
    CHECK_EQUAL(0600, information.st_mode & 0777);
}

TEST(file_open_says_what_is_wrong) {
    struct file_system *fs = file_system_posix();
    struct file *file = NULL;
    struct error error;
    CHECK_STATUS(STATUS_NOT_FOUND, file_open(fs, path_of("none"), FILE_READ, &file, &error));
    CHECK_EQUAL(STATUS_NOT_FOUND, error.status);
    CHECK(strstr(error.message, "/none: No such file") != NULL);
    CHECK_STATUS(STATUS_NOT_FOUND, file_open(fs, path_of("none"), FILE_WRITE, &file, NULL));
    file_close(open_file("b", FILE_WRITE | FILE_CREATE | FILE_EXCLUSIVE));
    CHECK_STATUS(STATUS_EXISTS, file_open(fs, path_of("b"),
                                          FILE_WRITE | FILE_CREATE | FILE_EXCLUSIVE, &file, NULL));
    CHECK(file == NULL);
}

TEST(file_truncates_on_opening_when_asked) {
    struct file *file = open_file("t", FILE_WRITE | FILE_CREATE);
    CHECK_OK(file_write_at(file, 0, "old", 3));
    file_close(file);
    file_close(open_file("t", FILE_WRITE | FILE_CREATE));
    check_content("t", "old");
    file_close(open_file("t", FILE_WRITE | FILE_TRUNCATE));
    check_content("t", "");
}

TEST(file_mapping_and_file_show_the_same_bytes) {
    struct file *file = open_file("m", FILE_WRITE | FILE_CREATE);
    CHECK_OK(file_truncate(file, 20000));
    void *address = NULL;
    CHECK_OK(file_map(file, 20000, true, &address));
    file_populate(file, address, 5000, 10000);
    memcpy((char *)address + 9999, "mapped", 6);
    char text[8] = {0};
    CHECK_OK(file_read_at(file, 9999, text, 6));
    CHECK(strcmp(text, "mapped") == 0);
    CHECK_OK(file_write_at(file, 12000, "written", 7));
    CHECK(memcmp((char *)address + 12000, "written", 7) == 0);
    CHECK_OK(file_sync(file));
    file_evict(file, address, 0, 20000);
    CHECK(memcmp((char *)address + 9999, "mapped", 6) == 0);
    file_unmap(file, address, 20000);
    file_close(file);

    file = open_file("m", FILE_READ);
    CHECK_OK(file_map(file, 20000, false, &address));
    CHECK(memcmp((char *)address + 9999, "mapped", 6) == 0);
    file_evict(file, address, 1, 3);
    file_unmap(file, address, 20000);
    file_close(file);
}

TEST(file_lock_refuses_a_second_holder_in_this_process) {
    struct file *first = open_file("LOCK", FILE_WRITE | FILE_CREATE);
    struct file *second = open_file("LOCK", FILE_WRITE);
    CHECK_OK(file_lock(first));
    CHECK_STATUS(STATUS_LOCKED, file_lock(second));
    file_close(open_file("LOCK", FILE_READ)); // closing another descriptor keeps the lock
    CHECK_STATUS(STATUS_LOCKED, file_lock(second));
    file_close(first);
    CHECK_OK(file_lock(second));
    file_close(second);
}

static enum status count_name(const char *name, void *context) {
    int *counts = context;
    if (strcmp(name, "x") == 0) counts[0]++;
    if (strcmp(name, "y") == 0) counts[1]++;
    counts[2]++;
    return STATUS_OK;
}

static enum status stop_listing(const char *name, void *context) {
    ++*(int *)context;
    return STATUS_CANCELLED;
}

static char synced_paths[4096];

static enum status note_sync(struct file_system *fs, const char *path) {
    size_t used = strlen(synced_paths);
    snprintf(synced_paths + used, sizeof synced_paths - used, "%s\n", path);
    return file_system_posix()->sync_directory(file_system_posix(), path);
}

TEST(file_new_directories_are_durable) {
    struct file_system fs = *file_system_posix();
    fs.sync_directory = note_sync;
    char expected[2048];
    CHECK_OK(file_make_directories(&fs, path_of("p/q")));
    snprintf(expected, sizeof expected, "%s\n%s/p\n", test_directory(), test_directory());
    CHECK_BYTES(expected, bytes_of_string(synced_paths));
    // Whoever made it may not have come to its sync.
    synced_paths[0] = 0;
    CHECK_OK(file_make_directories(&fs, path_of("p/q/")));
    snprintf(expected, sizeof expected, "%s/p\n", test_directory());
    CHECK_BYTES(expected, bytes_of_string(synced_paths));
}

TEST(file_lists_renames_and_removes) {
    struct file_system *fs = file_system_posix();
    CHECK_OK(file_make_directories(fs, path_of("d/e/f")));
    CHECK_OK(file_make_directories(fs, path_of("d/e/f")));
    CHECK_STATUS(STATUS_EXISTS, fs->make_directory(fs, path_of("d/e")));
    file_close(open_file("d/x", FILE_WRITE | FILE_CREATE));
    file_close(open_file("d/z", FILE_WRITE | FILE_CREATE));
    CHECK_OK(fs->rename(fs, path_of("d/z"), path_of("d/y")));
    int counts[3] = {0};
    CHECK_OK(fs->list(fs, path_of("d"), count_name, counts));
    CHECK(counts[0] == 1 && counts[1] == 1 && counts[2] == 3);
    int visits = 0;
    CHECK_STATUS(STATUS_CANCELLED, fs->list(fs, path_of("d"), stop_listing, &visits));
    CHECK_EQUAL(1, visits);
    CHECK_OK(fs->sync_directory(fs, path_of("d")));
    CHECK_OK(fs->remove(fs, path_of("d/x")));
    CHECK_STATUS(STATUS_NOT_FOUND, fs->remove(fs, path_of("d/x")));
    CHECK_OK(fs->remove(fs, path_of("d/e/f"))); // an empty directory too
    CHECK_STATUS(STATUS_NOT_FOUND, fs->list(fs, path_of("none"), count_name, counts));
    CHECK_STATUS(STATUS_NOT_FOUND, fs->sync_directory(fs, path_of("none")));
}

TEST(file_write_atomic_replaces_and_leaves_nothing_behind) {
    struct file_system *fs = file_system_posix();
    CHECK_OK(file_write_atomic(fs, path_of("w"), bytes_of_string("one"), NULL));
    CHECK_OK(file_write_atomic(fs, path_of("w"), bytes_of_string("two!"), NULL));
    check_content("w", "two!");
    CHECK_OK(file_write_atomic(fs, path_of("w"), bytes_of(NULL, 0), NULL));
    check_content("w", "");
    int counts[3] = {0};
    CHECK_OK(fs->list(fs, test_directory(), count_name, counts));
    CHECK_EQUAL(1, counts[2]);
    struct error error;
    CHECK_STATUS(STATUS_NOT_FOUND,
                 file_write_atomic(fs, path_of("none/w"), bytes_of_string("x"), &error));
    CHECK(strstr(error.message, "none/w") != NULL);
}

// A file system whose sync fails, over the real one: the old content must stay.
static struct file_system failing;
static enum status failing_open(struct file_system *fs, const char *path, int flags,
                                struct file **ret, struct error *error) {
    enum status status = file_open(file_system_posix(), path, flags, ret, error);
    if (status == STATUS_OK) (*ret)->fs = fs;
    return status;
}
static enum status failing_sync(struct file *file) {
    return STATUS_NO_SPACE;
}

TEST(file_write_atomic_keeps_the_old_content_when_it_fails) {
    failing = *file_system_posix();
    failing.open = failing_open;
    failing.sync = failing_sync;
    CHECK_OK(file_write_atomic(file_system_posix(), path_of("w"), bytes_of_string("old"), NULL));
    struct error error;
    CHECK_STATUS(STATUS_NO_SPACE,
                 file_write_atomic(&failing, path_of("w"), bytes_of_string("new"), &error));
    CHECK_EQUAL(STATUS_NO_SPACE, error.status);
    check_content("w", "old");
    CHECK(access(path_of("w.tmp"), F_OK) != 0);
}

TEST(file_read_all_is_bounded) {
    struct file_system *fs = file_system_posix();
    struct buffer buffer = {0};
    CHECK_OK(file_write_atomic(fs, path_of("r"), bytes_of_string("12345"), NULL));
    CHECK_OK(file_read_all(fs, path_of("r"), 5, &buffer, NULL));
    CHECK_OK(file_read_all(fs, path_of("r"), 5, &buffer, NULL)); // cleared first
    CHECK_BYTES("12345", buffer_bytes(&buffer));
    CHECK_OK(file_write_atomic(fs, path_of("empty"), bytes_of(NULL, 0), NULL));
    CHECK_OK(file_read_all(fs, path_of("empty"), 5, &buffer, NULL));
    CHECK_BYTES("", buffer_bytes(&buffer));
    struct error error;
    CHECK_STATUS(STATUS_TOO_LARGE, file_read_all(fs, path_of("r"), 4, &buffer, &error));
    CHECK_STATUS(STATUS_NOT_FOUND, file_read_all(fs, path_of("q"), 4, &buffer, &error));
    CHECK_STATUS(STATUS_IO, file_read_all(fs, test_directory(), 1000000, &buffer, &error));
    buffer_done(&buffer);
}
