// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/thread.h"
#include "index_fixture.h"

TEST(index_puts_gets_and_deletes) {
    struct index *index = open_index();
    struct index_writer *writer = begin(index);
    for (uint64_t i = 0; i < 5000; i++) put(writer, 1, i * 7919 % 5000, i + 1);
    struct key key = key_of(7919 % 5000);
    struct index_entry old, expected = entry_of(2), entry = entry_of(6000);
    CHECK_OK(index_put(writer, 1, &key, &entry, false, &old));
    CHECK(entries_equal(&expected, &old));
    CHECK_OK(index_put(writer, 2, &key, &entry, true, &old));
    CHECK_EQUAL(0, old.sequence);
    key = key_of(0);
    CHECK_OK(index_delete(writer, 1, &key, &old));
    CHECK_EQUAL(1, old.sequence);
    CHECK_OK(index_delete(writer, 1, &key, &old));
    CHECK_EQUAL(0, old.sequence);
    CHECK_OK(index_write_commit(writer, true));
    struct index_reader *reader = open_reader(index);
    check_absent(reader, 1, 0);
    check_absent(reader, 1, 5000);
    check_absent(reader, 3, 1);
    check_get(reader, 1, 7919 % 5000, 6000);
    check_get(reader, 2, 7919 % 5000, 6000);
    for (uint64_t i = 2; i < 5000; i++) check_get(reader, 1, i * 7919 % 5000, i + 1);
    index_reader_close(reader);
    index_close(index);
}

// More keys than a reader keeps look-ups for, read over and over in another order, in two stores;
// a kept look-up ends with its snapshot, also when its key is gone.
TEST(index_look_ups_end_with_their_snapshot) {
    enum { KEYS = 20000 };
    struct index *index = open_index();
    struct index_writer *writer = begin(index);
    for (uint64_t i = 0; i < KEYS; i++) put(writer, 1, i, i + 1);
    for (uint64_t i = 0; i < KEYS; i += 2) put(writer, 2, i, i + KEYS);
    CHECK_OK(index_write_commit(writer, false));
    struct index_reader *reader = open_reader(index);
    for (uint64_t i = 0; i < 3 * KEYS; i++) {
        uint64_t number = i * 7919 % KEYS;
        check_get(reader, 1, number, number + 1);
        if (number % 2 == 0) check_get(reader, 2, number, number + KEYS);
        if (number % 2 == 1) check_absent(reader, 2, number);
    }
    writer = begin(index);
    struct key key = key_of(7);
    put(writer, 1, 6, 3 * KEYS);
    CHECK_OK(index_delete(writer, 1, &key, NULL));
    CHECK_OK(index_write_commit(writer, false));
    check_get(reader, 1, 6, 7);
    check_get(reader, 1, 7, 8);
    CHECK_OK(index_reader_renew(reader));
    check_get(reader, 1, 6, 3 * KEYS);
    check_absent(reader, 1, 7);
    check_get(reader, 1, 8, 9);
    index_reader_close(reader);
    index_close(index);
}

TEST(index_keeps_wrong_append_promises_harmless) {
    struct index *index = open_index();
    struct index_writer *writer = begin(index);
    const uint64_t numbers[] = {10, 20, 15, 20, 30, 5, 31};
    for (size_t i = 0; i < 7; i++) {
        struct key key = key_of(numbers[i]);
        struct index_entry entry = entry_of(i + 1), old;
        CHECK_OK(index_put(writer, 9, &key, &entry, true, &old));
        CHECK_EQUAL(i == 3 ? 2 : 0, old.sequence);
        CHECK_OK(index_put(writer, 4, &key, &entry, true, NULL));
    }
    CHECK_OK(index_write_commit(writer, false));
    struct index_reader *reader = open_reader(index);
    for (uint32_t store = 4; store <= 9; store += 5) {
        check_get(reader, store, 20, 4);
        check_get(reader, store, 15, 3);
        check_get(reader, store, 5, 6);
        check_get(reader, store, 31, 7);
    }
    index_reader_close(reader);
    index_close(index);
}

TEST(index_survives_reopening) {
    struct index *index = open_index();
    struct index_writer *writer = begin(index);
    for (uint64_t i = 1; i <= 1000; i++) put(writer, 1, i, i);
    CHECK_OK(index_put_meta(writer, "checkpoint", bytes_of("12345678", 8)));
    CHECK_OK(index_write_commit(writer, true));
    CHECK(index_bytes(index) > 1000 * 50);
    index_close(index);
    index = open_index();
    struct index_reader *reader = open_reader(index);
    for (uint64_t i = 1; i <= 1000; i++) check_get(reader, 1, i, i);
    struct bytes value;
    CHECK_OK(index_get_meta(reader, "checkpoint", &value));
    CHECK_BYTES("12345678", value);
    index_reader_close(reader);
    index_close(index);
}

TEST(index_abort_leaves_nothing) {
    struct index *index = open_index();
    struct index_writer *writer = begin(index);
    put(writer, 1, 1, 1);
    CHECK_OK(index_put_meta(writer, "epoch", bytes_of("1", 1)));
    index_write_abort(writer);
    struct index_reader *reader = open_reader(index);
    check_absent(reader, 1, 1);
    struct bytes value;
    CHECK_STATUS(STATUS_NOT_FOUND, index_get_meta(reader, "epoch", &value));
    index_reader_close(reader);
    index_close(index);
}

TEST(index_readers_see_one_snapshot_until_renewed) {
    struct index *index = open_index();
    struct index_writer *writer = begin(index);
    put(writer, 1, 1, 1);
    CHECK_OK(index_write_commit(writer, false));
    struct index_reader *reader = open_reader(index);
    check_get(reader, 1, 1, 1);
    writer = begin(index);
    put(writer, 1, 1, 2);
    put(writer, 1, 2, 3);
    check_get(reader, 1, 1, 1);
    CHECK_OK(index_write_commit(writer, false));
    check_get(reader, 1, 1, 1);
    check_absent(reader, 1, 2);
    struct index_reader *newer = open_reader(index);
    check_get(newer, 1, 2, 3);
    CHECK_OK(index_reader_renew(reader));
    check_get(reader, 1, 1, 2);
    check_get(reader, 1, 2, 3);
    index_reader_reset(reader);
    index_reader_reset(reader);
    CHECK_OK(index_reader_renew(reader));
    check_get(reader, 1, 1, 2);
    index_reader_close(newer);
    index_reader_close(reader);
    index_close(index);
}

TEST(index_refuses_more_readers_than_it_was_sized_for) {
    struct index *index = open_index();
    struct index_reader *readers[16], *extra = NULL;
    for (int i = 0; i < 16; i++) readers[i] = open_reader(index);
    CHECK_STATUS(STATUS_BUSY, index_reader_open(index, &extra));
    for (int i = 0; i < 16; i++) index_reader_close(readers[i]);
    index_close(index);
}

TEST(index_refuses_what_is_no_index) {
    char path[4200];
    snprintf(path, sizeof path, "%s/index", test_directory());
    CHECK_EQUAL(0, mkdir(path, 0700));
    snprintf(path, sizeof path, "%s/index/data.mdb", test_directory());
    int descriptor = open(path, O_WRONLY | O_CREAT, 0600);
    char garbage[8192];
    memset(garbage, 'g', sizeof garbage);
    CHECK_EQUAL(sizeof garbage, write(descriptor, garbage, sizeof garbage));
    close(descriptor);
    snprintf(path, sizeof path, "%s/index", test_directory());
    struct index *index = NULL;
    struct error error = {0};
    CHECK_STATUS(STATUS_CORRUPT, index_open(path, GIB, 4, &index, &error));
    CHECK(strstr(error.message, path) != NULL);
    snprintf(path, sizeof path, "%s/no/such/place", test_directory());
    CHECK_STATUS(STATUS_IO, index_open(path, GIB, 4, &index, &error));
}

TEST(index_files_are_private) {
    struct index *index = open_index();
    char path[4200];
    struct stat information;
    snprintf(path, sizeof path, "%s/index/data.mdb", test_directory());
    CHECK_EQUAL(0, stat(path, &information));
    CHECK_EQUAL(0600, information.st_mode & 0777);
    index_close(index);
}

// Each transaction writes its number everywhere: a reader that sees two numbers saw no snapshot.
enum { WRITTEN = 200, TRANSACTIONS = 200 };
struct watching {
    struct index *index;
    uint64_t torn;
};

static uint64_t sequence_at(struct index_reader *reader, uint64_t number) {
    struct key key = key_of(number);
    struct index_entry entry;
    return index_get(reader, 1, &key, &entry) == STATUS_OK ? entry.sequence : 0;
}

static void watch(void *context) {
    struct watching *watching = context;
    struct index_reader *reader = NULL;
    if (index_reader_open(watching->index, &reader) != STATUS_OK) return;
    for (uint64_t seen = 0; seen < TRANSACTIONS;) {
        if (index_reader_renew(reader) != STATUS_OK) break;
        uint64_t first = sequence_at(reader, 0);
        for (uint64_t i = 1; i < WRITTEN; i++) watching->torn += sequence_at(reader, i) != first;
        watching->torn += first < seen;
        seen = first;
    }
    index_reader_close(reader);
}

TEST(index_snapshots_hold_while_another_thread_writes) {
    struct index *index = open_index();
    struct watching watching[2] = {{.index = index}, {.index = index}};
    struct thread threads[2] = {0};
    for (int i = 0; i < 2; i++) CHECK_OK(thread_start(&threads[i], "reader", watch, &watching[i]));
    for (uint64_t i = 1; i <= TRANSACTIONS; i++) {
        struct index_writer *writer = begin(index);
        for (uint64_t j = 0; j < WRITTEN; j++) put(writer, 1, j, i);
        CHECK_OK(index_write_commit(writer, false));
    }
    for (int i = 0; i < 2; i++) {
        thread_join(&threads[i]);
        CHECK_EQUAL(0, watching[i].torn);
    }
    index_close(index);
}
