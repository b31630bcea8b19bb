// SPDX-License-Identifier: Apache-2.0
#include "index_fixture.h"

TEST(index_cursor_goes_forward_within_its_store) {
    struct index *index = fill_neighbours();
    struct index_reader *reader = open_reader(index);
    struct index_cursor *cursor = NULL;
    CHECK_OK(index_cursor_open(reader, false, 7, &cursor));
    struct bytes key;
    struct index_entry entry;
    CHECK_STATUS(STATUS_END, index_cursor_next(cursor, &key, &entry));
    enum status status = index_cursor_seek(cursor, NO_KEY, &key, &entry);
    uint64_t count = 0;
    for (; status == STATUS_OK; status = index_cursor_next(cursor, &key, &entry)) {
        count++;
        CHECK_EQUAL(16, key.size);
        CHECK_EQUAL(count * 10, load_be64(key.data + 8));
        CHECK_EQUAL(count + 1000, entry.sequence);
    }
    CHECK_STATUS(STATUS_END, status);
    CHECK_EQUAL(100, count);
    CHECK_STATUS(STATUS_END, index_cursor_next(cursor, &key, &entry));
    index_cursor_close(cursor);
    index_reader_close(reader);
    index_close(index);
}

TEST(index_cursor_goes_backward_within_its_store) {
    struct index *index = fill_neighbours();
    struct index_reader *reader = open_reader(index);
    struct index_cursor *cursor = NULL;
    CHECK_OK(index_cursor_open(reader, false, 7, &cursor));
    struct bytes key;
    struct index_entry entry;
    enum status status = index_cursor_seek_before(cursor, NO_KEY, &key, &entry);
    uint64_t left = 100;
    for (; status == STATUS_OK; status = index_cursor_previous(cursor, &key, &entry)) {
        CHECK_EQUAL(left * 10, load_be64(key.data + 8));
        CHECK_EQUAL(left + 1000, entry.sequence);
        left--;
    }
    CHECK_STATUS(STATUS_END, status);
    CHECK_EQUAL(0, left);
    index_cursor_close(cursor);
    index_reader_close(reader);
    index_close(index);
}

static uint64_t seek_number(struct index_cursor *cursor, uint64_t number, bool before) {
    struct key key = key_of(number);
    struct bytes place = bytes_of(key.bytes, sizeof key.bytes), found;
    struct index_entry entry;
    enum status status = before ? index_cursor_seek_before(cursor, place, &found, &entry)
                                : index_cursor_seek(cursor, place, &found, &entry);
    if (status == STATUS_END) return 0;
    CHECK_OK(status);
    return load_be64(found.data + 8);
}

TEST(index_cursor_seeks_at_the_edges) {
    struct index *index = fill_neighbours();
    struct index_reader *reader = open_reader(index);
    struct index_cursor *cursor = NULL;
    CHECK_OK(index_cursor_open(reader, false, 7, &cursor));
    CHECK_EQUAL(10, seek_number(cursor, 0, false));
    CHECK_EQUAL(10, seek_number(cursor, 10, false));
    CHECK_EQUAL(20, seek_number(cursor, 11, false));
    CHECK_EQUAL(1000, seek_number(cursor, 1000, false));
    CHECK_EQUAL(0, seek_number(cursor, 1001, false));
    CHECK_EQUAL(0, seek_number(cursor, 10, true));
    CHECK_EQUAL(10, seek_number(cursor, 11, true));
    CHECK_EQUAL(10, seek_number(cursor, 20, true));
    CHECK_EQUAL(990, seek_number(cursor, 1000, true));
    CHECK_EQUAL(1000, seek_number(cursor, 1001, true));
    CHECK_EQUAL(1000, seek_number(cursor, UINT64_MAX, true));
    index_cursor_close(cursor);
    index_reader_close(reader);
    index_close(index);
}

TEST(index_cursor_of_the_last_and_of_absent_ids) {
    struct index *index = fill_neighbours();
    struct index_writer *writer = begin(index);
    put(writer, UINT32_MAX, 3, 3);
    CHECK_OK(index_write_commit(writer, false));
    struct index_reader *reader = open_reader(index);
    struct index_cursor *cursor = NULL;
    struct bytes key;
    struct index_entry entry;
    CHECK_OK(index_cursor_open(reader, false, UINT32_MAX, &cursor));
    CHECK_OK(index_cursor_seek_before(cursor, NO_KEY, &key, &entry));
    CHECK_EQUAL(3, entry.sequence);
    CHECK_STATUS(STATUS_END, index_cursor_previous(cursor, &key, &entry));
    index_cursor_close(cursor);
    const uint32_t absent[] = {0, 5, 9, UINT32_MAX - 1};
    for (size_t i = 0; i < 4; i++) {
        CHECK_OK(index_cursor_open(reader, false, absent[i], &cursor));
        CHECK_STATUS(STATUS_END, index_cursor_seek(cursor, NO_KEY, &key, &entry));
        CHECK_STATUS(STATUS_END, index_cursor_seek_before(cursor, NO_KEY, &key, &entry));
        index_cursor_close(cursor);
    }
    CHECK_OK(index_cursor_open(reader, true, 7, &cursor)); // an empty tree
    CHECK_STATUS(STATUS_END, index_cursor_seek(cursor, NO_KEY, &key, NULL));
    CHECK_STATUS(STATUS_END, index_cursor_seek_before(cursor, NO_KEY, &key, NULL));
    index_cursor_close(cursor);
    index_reader_close(reader);
    index_close(index);
}

TEST(index_cursors_are_reused_across_snapshots) {
    struct index *index = fill_neighbours();
    struct index_reader *reader = open_reader(index);
    for (uint64_t round = 1; round <= 3; round++) {
        struct index_cursor *a = NULL, *b = NULL;
        CHECK_OK(index_cursor_open(reader, false, 7, &a));
        CHECK_OK(index_cursor_open(reader, false, 8, &b));
        CHECK(a != b);
        CHECK_EQUAL(10, seek_number(a, 1, false));
        CHECK_EQUAL(round, seek_number(b, 0, false));
        index_cursor_close(a);
        index_cursor_close(b);
        struct index_writer *writer = begin(index);
        struct key key = key_of(round);
        CHECK_OK(index_delete(writer, 8, &key, NULL));
        CHECK_OK(index_write_commit(writer, false));
        CHECK_OK(index_reader_renew(reader));
    }
    index_reader_close(reader);
    index_close(index);
}

TEST(index_secondary_entries_keep_to_their_index) {
    struct index *index = open_index();
    struct index_writer *writer = begin(index);
    put_text(writer, 2, "zebra", 1);
    put_text(writer, 3, "ant", 1);
    put_text(writer, 3, "bee", 2);
    put_text(writer, 3, "bee", 1);
    put_text(writer, 3, "bee", 1);
    put_text(writer, 4, "ant", 9);
    struct key key = key_of(7);
    CHECK_OK(index_delete_secondary(writer, 3, bytes_of("ant, and nothing more", 21)));
    CHECK_OK(index_write_commit(writer, false));
    struct index_reader *reader = open_reader(index);
    struct index_cursor *cursor = NULL;
    CHECK_OK(index_cursor_open(reader, true, 3, &cursor));
    struct bytes found;
    CHECK_OK(index_cursor_seek(cursor, NO_KEY, &found, NULL));
    check_text(found, "ant", 1);
    CHECK_OK(index_cursor_next(cursor, &found, NULL));
    check_text(found, "bee", 1);
    CHECK_OK(index_cursor_next(cursor, &found, NULL));
    check_text(found, "bee", 2);
    CHECK_STATUS(STATUS_END, index_cursor_next(cursor, &found, NULL));
    CHECK_OK(index_cursor_seek(cursor, bytes_of("b", 1), &found, NULL));
    check_text(found, "bee", 1);
    CHECK_OK(index_cursor_seek_before(cursor, bytes_of("b", 1), &found, NULL));
    check_text(found, "ant", 1);
    CHECK_STATUS(STATUS_END, index_cursor_previous(cursor, &found, NULL));
    index_cursor_close(cursor);
    index_reader_close(reader);
    writer = begin(index);
    uint8_t entry[19];
    memcpy(entry, "bee", 3);
    key = key_of(1);
    memcpy(entry + 3, key.bytes, 16);
    CHECK_OK(index_delete_secondary(writer, 3, bytes_of(entry, sizeof entry)));
    CHECK_OK(index_write_commit(writer, false));
    reader = open_reader(index);
    CHECK_OK(index_cursor_open(reader, true, 3, &cursor));
    CHECK_OK(index_cursor_seek(cursor, bytes_of("b", 1), &found, NULL));
    check_text(found, "bee", 2);
    index_cursor_close(cursor);
    index_reader_close(reader);
    index_close(index);
}

static void long_key(uint8_t ret[SECONDARY_MAX], uint32_t number) {
    memset(ret, 'x', SECONDARY_MAX);
    store_be32(ret + SECONDARY_MAX - 4, number);
}

TEST(index_takes_the_longest_keys) {
    struct index *index = open_index();
    struct index_writer *writer = begin(index);
    uint8_t bytes[SECONDARY_MAX];
    for (uint32_t i = 0; i < 2000; i++) {
        long_key(bytes, i * 1237 % 2000);
        CHECK_OK(index_put_secondary(writer, 5, bytes_of(bytes, sizeof bytes)));
    }
    for (uint32_t i = 0; i < 2000; i += 3) {
        long_key(bytes, i);
        CHECK_OK(index_delete_secondary(writer, 5, bytes_of(bytes, sizeof bytes)));
    }
    CHECK_OK(index_write_commit(writer, true));
    struct index_reader *reader = open_reader(index);
    struct index_cursor *cursor = NULL;
    CHECK_OK(index_cursor_open(reader, true, 5, &cursor));
    struct bytes key;
    enum status status = index_cursor_seek(cursor, NO_KEY, &key, NULL);
    for (uint32_t i = 0; i < 2000; i++) {
        if (i % 3 == 0) continue;
        CHECK_OK(status);
        long_key(bytes, i);
        CHECK(bytes_equal(key, bytes_of(bytes, sizeof bytes)));
        status = index_cursor_next(cursor, &key, NULL);
    }
    CHECK_STATUS(STATUS_END, status);
    uint8_t beyond[SECONDARY_MAX + 32]; // a bound behind a stored key
    memset(beyond, 'x', sizeof beyond);
    CHECK_STATUS(STATUS_END,
                 index_cursor_seek(cursor, bytes_of(beyond, sizeof beyond), &key, NULL));
    CHECK_OK(index_cursor_seek_before(cursor, bytes_of(beyond, sizeof beyond), &key, NULL));
    CHECK_EQUAL(1999, load_be32(key.data + SECONDARY_MAX - 4));
    index_cursor_close(cursor);
    index_reader_close(reader);
    index_close(index);
}
