// SPDX-License-Identifier: Apache-2.0
// What the tests of the index share.
#pragma once

#include "base/limits.h"
#include "storage/index.h"
#include "test.h"

#define SECONDARY_MAX (INDEX_VALUE_MAX + 16)

// An absent key: the first, or the last.
#define NO_KEY bytes_of(NULL, 0)

static inline struct index *open_index(void) {
    char path[4200];
    snprintf(path, sizeof path, "%s/index", test_directory());
    struct index *index = NULL;
    struct error error = {0};
    enum status status = index_open(path, 64 * GIB, 16, &index, &error);
    if (status != STATUS_OK) test_fail(__FILE__, __LINE__, "index_open: %s", error.message);
    return index;
}

static inline struct index_writer *begin(struct index *index) {
    struct index_writer *writer = NULL;
    CHECK_OK(index_write_begin(index, &writer));
    return writer;
}

static inline struct index_reader *open_reader(struct index *index) {
    struct index_reader *reader = NULL;
    CHECK_OK(index_reader_open(index, &reader));
    return reader;
}

static inline struct key key_of(uint64_t number) {
    struct key key = {0};
    store_be64(key.bytes + 8, number);
    return key;
}

static inline struct index_entry entry_of(uint64_t sequence) {
    return (struct index_entry){
        .sequence = sequence,
        .pointer = {.segment = (uint32_t)(sequence % 7 + 1),
                    .size = (uint32_t)sequence * 3,
                    .offset = sequence << 33 | 8},
    };
}

static inline bool entries_equal(const struct index_entry *a, const struct index_entry *b) {
    return a->sequence == b->sequence && a->pointer.segment == b->pointer.segment &&
           a->pointer.size == b->pointer.size && a->pointer.offset == b->pointer.offset;
}

static inline void put(struct index_writer *writer, uint32_t store, uint64_t number,
                       uint64_t sequence) {
    struct key key = key_of(number);
    struct index_entry entry = entry_of(sequence);
    CHECK_OK(index_put(writer, store, &key, &entry, false, NULL));
}

static inline void check_get(struct index_reader *reader, uint32_t store, uint64_t number,
                             uint64_t sequence) {
    struct key key = key_of(number);
    struct index_entry entry, expected = entry_of(sequence);
    CHECK_OK(index_get(reader, store, &key, &entry));
    CHECK(entries_equal(&entry, &expected));
}

static inline void check_absent(struct index_reader *reader, uint32_t store, uint64_t number) {
    struct key key = key_of(number);
    struct index_entry entry;
    CHECK_STATUS(STATUS_NOT_FOUND, index_get(reader, store, &key, &entry));
}

static inline void put_text(struct index_writer *writer, uint32_t id, const char *text,
                            uint64_t number) {
    uint8_t bytes[64];
    size_t size = strlen(text);
    struct key key = key_of(number);
    memcpy(bytes, text, size);
    memcpy(bytes + size, key.bytes, sizeof key.bytes);
    CHECK_OK(index_put_secondary(writer, id, bytes_of(bytes, size + sizeof key.bytes)));
}

static inline void check_text(struct bytes key, const char *text, uint64_t number) {
    CHECK_EQUAL(strlen(text) + 16, key.size);
    CHECK(memcmp(key.data, text, strlen(text)) == 0);
    CHECK_EQUAL(number, load_be64(key.data + key.size - 8));
}

// Three stores of which the middle one holds 10, 20, ... 1000.
static inline struct index *fill_neighbours(void) {
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
