// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/thread.h"
#include "storage/index.h"
#include "test.h"

#define SECONDARY_MAX (INDEX_VALUE_MAX + 16)

static const struct bytes none = {0};

static struct index *open_index(void) {
    char path[4200];
    snprintf(path, sizeof path, "%s/index", test_directory());
    struct index *index = NULL;
    struct error error = {0};
    enum status status = index_open(path, 64 * GIB, 16, &index, &error);
    if (status != STATUS_OK) test_fail(__FILE__, __LINE__, "index_open: %s", error.message);
    return index;
}

static struct index_writer *begin(struct index *index) {
    struct index_writer *writer = NULL;
    CHECK_OK(index_write_begin(index, &writer));
    return writer;
}

static struct index_reader *open_reader(struct index *index) {
    struct index_reader *reader = NULL;
    CHECK_OK(index_reader_open(index, &reader));
    return reader;
}

static struct key key_of(uint64_t number) {
    struct key key = {0};
    store_be64(key.bytes + 8, number);
    return key;
}

static struct index_entry entry_of(uint64_t sequence) {
    return (struct index_entry){
        .sequence = sequence,
        .pointer = {.segment = (uint32_t)(sequence % 7 + 1),
                    .size = (uint32_t)sequence * 3,
                    .offset = sequence << 33 | 8},
    };
}

static bool entries_equal(const struct index_entry *a, const struct index_entry *b) {
    return a->sequence == b->sequence && a->pointer.segment == b->pointer.segment &&
           a->pointer.size == b->pointer.size && a->pointer.offset == b->pointer.offset;
}

static void put(struct index_writer *writer, uint32_t store, uint64_t number, uint64_t sequence) {
    struct key key = key_of(number);
    struct index_entry entry = entry_of(sequence);
    CHECK_OK(index_put(writer, store, &key, &entry, false, NULL));
}

static void check_get(struct index_reader *reader, uint32_t store, uint64_t number,
                      uint64_t sequence) {
    struct key key = key_of(number);
    struct index_entry entry, expected = entry_of(sequence);
    CHECK_OK(index_get(reader, store, &key, &entry));
    CHECK(entries_equal(&entry, &expected));
}

static void check_absent(struct index_reader *reader, uint32_t store, uint64_t number) {
    struct key key = key_of(number);
    struct index_entry entry;
    CHECK_STATUS(STATUS_NOT_FOUND, index_get(reader, store, &key, &entry));
}

static void put_text(struct index_writer *writer, uint32_t id, const char *text, uint64_t number) {
    uint8_t bytes[64];
    size_t size = strlen(text);
    struct key key = key_of(number);
    memcpy(bytes, text, size);
    memcpy(bytes + size, key.bytes, sizeof key.bytes);
    CHECK_OK(index_put_secondary(writer, id, bytes_of(bytes, size + sizeof key.bytes)));
}

static void check_text(struct bytes key, const char *text, uint64_t number) {
    CHECK_EQUAL(strlen(text) + 16, key.size);
    CHECK(memcmp(key.data, text, strlen(text)) == 0);
    CHECK_EQUAL(number, load_be64(key.data + key.size - 8));
}

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

// Three stores of which the middle one holds 10, 20, ... 1000.
static struct index *fill_neighbours(void) {
    struct index *index = open_index();
    struct index_writer *writer = begin(index);
    for (uint64_t i = 1; i <= 100; i++) {
        put(writer, 6, i, i);
        put(writer, 7, i * 10, i + 1000);
        put(writer, 8, i, i + 2000);
    }
    CHECK_OK(index_write_commit(writer, false));
    return index;
}

TEST(index_cursor_goes_forward_within_its_store) {
    struct index *index = fill_neighbours();
    struct index_reader *reader = open_reader(index);
    struct index_cursor *cursor = NULL;
    CHECK_OK(index_cursor_open(reader, false, 7, &cursor));
    struct bytes key;
    struct index_entry entry;
    CHECK_STATUS(STATUS_END, index_cursor_next(cursor, &key, &entry));
    enum status status = index_cursor_seek(cursor, none, &key, &entry);
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
    enum status status = index_cursor_seek_before(cursor, none, &key, &entry);
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
    CHECK_OK(index_cursor_seek_before(cursor, none, &key, &entry));
    CHECK_EQUAL(3, entry.sequence);
    CHECK_STATUS(STATUS_END, index_cursor_previous(cursor, &key, &entry));
    index_cursor_close(cursor);
    const uint32_t absent[] = {0, 5, 9, UINT32_MAX - 1};
    for (size_t i = 0; i < 4; i++) {
        CHECK_OK(index_cursor_open(reader, false, absent[i], &cursor));
        CHECK_STATUS(STATUS_END, index_cursor_seek(cursor, none, &key, &entry));
        CHECK_STATUS(STATUS_END, index_cursor_seek_before(cursor, none, &key, &entry));
        index_cursor_close(cursor);
    }
    CHECK_OK(index_cursor_open(reader, true, 7, &cursor)); // an empty tree
    CHECK_STATUS(STATUS_END, index_cursor_seek(cursor, none, &key, NULL));
    CHECK_STATUS(STATUS_END, index_cursor_seek_before(cursor, none, &key, NULL));
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
    CHECK_OK(index_cursor_seek(cursor, none, &found, NULL));
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
    enum status status = index_cursor_seek(cursor, none, &key, NULL);
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
    CHECK_OK(index_put_catalog(writer, bytes_of("t", 1), none));
    CHECK_OK(index_put_catalog(writer, bytes_of("t", 1), none));
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
    CHECK_OK(index_cursor_seek(cursor, none, &key, NULL));
    check_text(key, "a", 1);
    index_cursor_close(cursor);
    CHECK_OK(index_cursor_open(reader, true, 5, &cursor));
    CHECK_OK(index_cursor_seek(cursor, none, &key, NULL));
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
    enum status status = index_cursor_seek(cursor, none, &key, NULL);
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
