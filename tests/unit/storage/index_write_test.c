// SPDX-License-Identifier: Apache-2.0
#include "index_fixture.h"

static enum status append_name(struct bytes name, struct bytes value, void *context) {
    struct buffer *buffer = context;
    CHECK_OK(buffer_append(buffer, name.data, name.size));
    CHECK_OK(buffer_append_string(buffer, "="));
    CHECK_OK(buffer_append(buffer, value.data, value.size));
    return buffer_append_string(buffer, ";");
}

static enum status stop(struct bytes name, struct bytes value, void *context) {
    return STATUS_CANCELLED;
}

TEST(index_meta_and_catalog_are_trees_of_their_own) {
    struct index *index = open_index();
    struct index_writer *writer = begin(index);
    CHECK_OK(index_put_meta(writer, "dead/2", bytes_of("20", 2)));
    CHECK_OK(index_put_meta(writer, "dead/1", bytes_of("10", 2)));
    CHECK_OK(index_put_meta(writer, "deaf", bytes_of("no", 2)));
    CHECK_OK(index_put_meta(writer, "gone", bytes_of("x", 1)));
    CHECK_OK(index_delete_meta(writer, "gone"));
    CHECK_OK(index_delete_meta(writer, "never there"));
    CHECK_OK(index_put_catalog(writer, bytes_of("s\0\1", 3), bytes_of("one", 3)));
    CHECK_OK(index_put_catalog(writer, bytes_of("n", 1), bytes_of("next", 4)));
    CHECK_OK(index_put_catalog(writer, bytes_of("t", 1), bytes_of("t", 1)));
    CHECK_OK(index_put_catalog(writer, bytes_of("t", 1), NO_KEY));
    CHECK_OK(index_put_catalog(writer, bytes_of("t", 1), NO_KEY));
    CHECK_OK(index_write_commit(writer, false));
    struct index_reader *reader = open_reader(index);
    struct buffer buffer = {0};
    CHECK_OK(index_each_meta(reader, "dead/", append_name, &buffer));
    CHECK_BYTES("dead/1=10;dead/2=20;", buffer_bytes(&buffer));
    buffer_clear(&buffer);
    CHECK_OK(index_each_meta(reader, "", append_name, &buffer));
    CHECK_BYTES("dead/1=10;dead/2=20;deaf=no;", buffer_bytes(&buffer));
    buffer_clear(&buffer);
    CHECK_OK(index_each_catalog(reader, append_name, &buffer));
    CHECK(bytes_equal(bytes_of("n=next;s\0\1=one;", 15), buffer_bytes(&buffer)));
    CHECK_STATUS(STATUS_CANCELLED, index_each_catalog(reader, stop, NULL));
    buffer_done(&buffer);
    index_reader_close(reader);
    index_close(index);
}

static void add_sequence(const struct index_entry *entry, void *context) {
    *(uint64_t *)context += entry->sequence;
}

TEST(index_deletes_ranges_in_slices) {
    struct index *index = fill_neighbours();
    uint64_t sum = 0;
    bool more = false;
    struct index_writer *writer = begin(index);
    CHECK_OK(index_delete_range(writer, false, 7, 30, add_sequence, &sum, &more));
    CHECK(more);
    CHECK_OK(index_delete_range(writer, false, 7, 70, add_sequence, &sum, &more));
    CHECK(!more);
    CHECK_OK(index_delete_range(writer, false, 7, 70, NULL, NULL, &more));
    CHECK(!more);
    CHECK_EQUAL(100 * 1000 + 5050, sum);
    put_text(writer, 3, "a", 1);
    put_text(writer, 4, "b", 1);
    put_text(writer, 4, "c", 1);
    put_text(writer, 5, "d", 1);
    CHECK_OK(index_delete_range(writer, true, 4, 1, NULL, NULL, &more));
    CHECK(more);
    CHECK_OK(index_delete_range(writer, true, 4, 10, NULL, NULL, &more));
    CHECK(!more);
    CHECK_OK(index_write_commit(writer, false));
    struct index_reader *reader = open_reader(index);
    for (uint64_t i = 1; i <= 100; i++) {
        check_get(reader, 6, i, i);
        check_absent(reader, 7, i * 10);
        check_get(reader, 8, i, i + 2000);
    }
    struct index_cursor *cursor = NULL;
    struct bytes key;
    CHECK_OK(index_cursor_open(reader, true, 3, &cursor));
    CHECK_OK(index_cursor_seek(cursor, NO_KEY, &key, NULL));
    check_text(key, "a", 1);
    index_cursor_close(cursor);
    CHECK_OK(index_cursor_open(reader, true, 5, &cursor));
    CHECK_OK(index_cursor_seek(cursor, NO_KEY, &key, NULL));
    check_text(key, "d", 1);
    index_cursor_close(cursor);
    index_reader_close(reader);
    index_close(index);
}

struct backfill {
    struct index_writer *writer;
    struct key last;
    uint64_t count;
};

static enum status index_one(const struct key *key, const struct index_entry *entry,
                             void *context) {
    struct backfill *backfill = context;
    backfill->count++;
    backfill->last = *key;
    CHECK_EQUAL(load_be64(key->bytes + 8) + 1, entry->sequence);
    uint8_t bytes[24];
    store_be64(bytes, ~entry->sequence); // descending: pages change all over the tree
    memcpy(bytes + 8, key->bytes, sizeof key->bytes);
    return index_put_secondary(backfill->writer, 11, bytes_of(bytes, sizeof bytes));
}

TEST(index_write_scan_may_write_what_it_finds) {
    struct index *index = open_index();
    struct index_writer *writer = begin(index);
    for (uint64_t i = 0; i < 3000; i++) put(writer, 2, i, i + 1);
    put(writer, 1, 1, 1);
    put(writer, 3, 1, 1);
    struct backfill backfill = {.writer = writer};
    bool more = false;
    CHECK_OK(index_write_scan(writer, 2, NULL, 1000, index_one, &backfill, &more));
    CHECK(more);
    CHECK_OK(index_write_commit(writer, false));
    while (more) {
        backfill.writer = begin(index);
        CHECK_OK(index_write_scan(backfill.writer, 2, &backfill.last, 1000, index_one, &backfill,
                                  &more));
        CHECK_OK(index_write_commit(backfill.writer, false));
    }
    CHECK_EQUAL(3000, backfill.count);
    struct index_reader *reader = open_reader(index);
    struct index_cursor *cursor = NULL;
    CHECK_OK(index_cursor_open(reader, true, 11, &cursor));
    struct bytes key;
    enum status status = index_cursor_seek(cursor, NO_KEY, &key, NULL);
    uint64_t left = 3000;
    for (; status == STATUS_OK; status = index_cursor_next(cursor, &key, NULL))
        CHECK_EQUAL(left--, ~load_be64(key.data));
    CHECK_EQUAL(0, left);
    index_cursor_close(cursor);
    index_reader_close(reader);
    index_close(index);
}

TEST(index_counts_dirty_pages_roughly) {
    struct index *index = open_index();
    struct index_writer *writer = begin(index);
    for (uint64_t i = 0; i < 20000; i++) put(writer, 1, i, i + 1);
    size_t sequential = index_write_pages(writer);
    CHECK(sequential > 200 && sequential < 2000); // about 50 entries a page when split in half
    CHECK_OK(index_write_commit(writer, false));
    writer = begin(index);
    CHECK_EQUAL(0, index_write_pages(writer));
    for (uint64_t i = 0; i < 500; i++) put(writer, 1, i * 7919 % 20000, i + 30000);
    size_t scattered = index_write_pages(writer);
    CHECK(scattered > 200 && scattered <= 510);
    index_write_abort(writer);
    index_close(index);
}

TEST(index_reports_a_full_map_and_stays_whole) {
    char path[4200];
    snprintf(path, sizeof path, "%s/small", test_directory());
    struct index *index = NULL;
    CHECK_OK(index_open(path, MIB, 4, &index, NULL));
    struct index_writer *writer = begin(index);
    put(writer, 1, 1, 1);
    CHECK_OK(index_write_commit(writer, false));
    writer = begin(index);
    enum status status = STATUS_OK;
    for (uint64_t i = 2; status == STATUS_OK && i < 100000; i++) {
        struct key key = key_of(i);
        struct index_entry entry = entry_of(i);
        status = index_put(writer, 1, &key, &entry, i % 2 == 0, NULL);
    }
    CHECK_STATUS(STATUS_NO_SPACE, status);
    CHECK_STATUS(STATUS_NO_SPACE, index_write_commit(writer, true));
    struct index_reader *reader = open_reader(index);
    check_get(reader, 1, 1, 1);
    check_absent(reader, 1, 2);
    index_reader_close(reader);
    writer = begin(index);
    put(writer, 1, 2, 2);
    CHECK_OK(index_write_commit(writer, false));
    index_close(index);
}

TEST(index_fills_pages_when_keys_only_grow) {
    struct index *index = open_index();
    struct index_writer *writer = begin(index);
    put(writer, 1, 1, 1);
    CHECK_OK(index_write_commit(writer, false));
    writer = begin(index);
    for (uint64_t i = 1; i <= 20000; i++) { // the first one is an update
        struct key key = key_of(i);
        struct index_entry entry = entry_of(i);
        CHECK_OK(index_put(writer, 1, &key, &entry, true, NULL));
    }
    CHECK(index_write_pages(writer) < 300); // 75 entries of 54 bytes a page
    index_write_abort(writer);
    index_close(index);
}
