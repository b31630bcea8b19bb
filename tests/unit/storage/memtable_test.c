// SPDX-License-Identifier: Apache-2.0
#include "base/limits.h"
#include "memtable_fixture.h"
#include "storage/generation.h"
#include "storage/skiplist.h"

static void put_text(struct generation *generation, struct memtable *memtable, const char *key,
                     uint64_t sequence, const char *value) {
    put(generation, memtable, bytes_of_string(key), sequence, value == NULL,
        value == NULL ? bytes_of(NULL, 0) : bytes_of_string(value));
}

TEST(memtable_reader_sees_versions_up_to_its_sequence) {
    struct generation *generation = generation_new(1, 10);
    struct memtable *memtable = generation_require(generation, MEMTABLE_STORE, 7, 1);
    const char *key = "0123456789abcdef";
    put_text(generation, memtable, key, 10, "ten");
    put_text(generation, memtable, key, 20, NULL);
    put_text(generation, memtable, key, 30, "thirty");
    struct bytes bytes = bytes_of_string(key);
    CHECK(memtable_get(memtable, bytes, 9) == NULL);
    CHECK_BYTES("ten", version_bytes(memtable_get(memtable, bytes, 10)));
    CHECK_BYTES("ten", version_bytes(memtable_get(memtable, bytes, 19)));
    CHECK(memtable_get(memtable, bytes, 20)->tombstone);
    CHECK_EQUAL(20, memtable_get(memtable, bytes, 29)->sequence);
    CHECK_EQUAL(0, memtable_get(memtable, bytes, 29)->size);
    CHECK_BYTES("thirty", version_bytes(memtable_get(memtable, bytes, UINT64_MAX)));
    CHECK_EQUAL(30, memtable_newest(memtable, bytes));
    CHECK_EQUAL(0, memtable_newest(memtable, bytes_of_string("0123456789abcdeg")));
    CHECK_EQUAL(1, memtable_count(memtable));
    generation_unref(generation);
}

TEST(memtable_equal_sequence_replaces_what_readers_see) {
    struct generation *generation = generation_new(1, 1);
    struct memtable *memtable = generation_require(generation, MEMTABLE_INDEX, 3, 1);
    put_text(generation, memtable, "entry", 5, NULL);
    put_text(generation, memtable, "entry", 5, "");
    CHECK(!memtable_get(memtable, bytes_of_string("entry"), 5)->tombstone);
    CHECK(memtable_get(memtable, bytes_of_string("entry"), 4) == NULL);
    CHECK_EQUAL(1, memtable_count(memtable));
    generation_unref(generation);
}

TEST(memtable_empty_has_nothing_at_either_end) {
    struct generation *generation = generation_new(1, 1);
    struct memtable *memtable = generation_require(generation, MEMTABLE_INDEX, 1, 0);
    struct memtable_cursor cursor;
    memtable_seek(&cursor, memtable, bytes_of(NULL, 0));
    CHECK(cursor.node == NULL);
    memtable_seek_before(&cursor, memtable, bytes_of(NULL, 0));
    CHECK(cursor.node == NULL);
    memtable_seek(&cursor, memtable, bytes_of_string("a"));
    CHECK(cursor.node == NULL);
    memtable_seek_before(&cursor, memtable, bytes_of_string("a"));
    CHECK(cursor.node == NULL);
    CHECK(memtable_get(memtable, bytes_of_string("a"), 1) == NULL);
    generation_unref(generation);
}

TEST(memtable_hash_finds_all_and_only_what_is_there) {
    enum { KEYS = 20000 };
    struct generation *generation = generation_new(1, 1);
    struct memtable *memtable = generation_require(generation, MEMTABLE_STORE, 1, 0);
    uint8_t storage[16];
    for (uint64_t i = 0; i < KEYS; i++) {
        struct bytes key = key_of(2 * i, storage);
        CHECK(memtable_get(memtable, key, UINT64_MAX) == NULL);
        put(generation, memtable, key, i + 1, false, key);
    }
    for (uint64_t i = 0; i < KEYS; i++) {
        struct bytes key = key_of(2 * i, storage);
        const struct version *version = memtable_get(memtable, key, UINT64_MAX);
        CHECK(version != NULL && version->sequence == i + 1);
        CHECK(bytes_equal(key, version_bytes(version)));
        CHECK(memtable_get(memtable, key_of(2 * i + 1, storage), UINT64_MAX) == NULL);
    }
    CHECK_EQUAL(KEYS, memtable_count(memtable));
    generation_unref(generation);
}

// ---- generations ----------------------------------------------------------------------------

TEST(generation_holds_ten_thousand_memtables) {
    enum { COUNT = 10000 };
    struct generation *generation = generation_new(1, 1);
    CHECK(generation_memtable(generation, MEMTABLE_STORE, 1) == NULL);
    uint64_t before = atomic_load(&generation->bytes);
    for (uint32_t i = 0; i < COUNT; i++) {
        enum memtable_kind kind = i % 3 == 0 ? MEMTABLE_INDEX : MEMTABLE_STORE;
        struct memtable *memtable = generation_require(generation, kind, i, 0);
        CHECK(memtable != NULL);
        CHECK(generation_require(generation, kind, i, 0) == memtable);
    }
    CHECK(atomic_load(&generation->bytes) - before <= COUNT * 1024);
    size_t cursor = 0;
    for (uint32_t i = 0; i < COUNT; i++) {
        enum memtable_kind kind = i % 3 == 0 ? MEMTABLE_INDEX : MEMTABLE_STORE;
        enum memtable_kind other = i % 3 == 0 ? MEMTABLE_STORE : MEMTABLE_INDEX;
        struct memtable *memtable = generation_memtable(generation, kind, i);
        CHECK(memtable != NULL && memtable_id(memtable) == i && memtable_kind(memtable) == kind);
        CHECK(generation_memtable(generation, other, i) == NULL);
        CHECK(generation_next(generation, &cursor) == memtable);
    }
    CHECK(generation_next(generation, &cursor) == NULL);
    generation_unref(generation);
}

TEST(generation_lives_until_the_last_reference) {
    struct generation *generation = generation_new(3, 100);
    CHECK_EQUAL(3, generation->number);
    CHECK_EQUAL(100, generation->first_sequence);
    CHECK_EQUAL(0, atomic_load(&generation->last_sequence));
    struct memtable *memtable = generation_require(generation, MEMTABLE_INDEX, 1, 0);
    put_text(generation, memtable, "k", 100, "v");
    CHECK(generation_ref(generation) == generation);
    generation_unref(generation);
    CHECK_BYTES("v", version_bytes(memtable_get(memtable, bytes_of_string("k"), 100)));
    generation_unref(generation);
    generation_unref(NULL);
}

static uint64_t generation_number_with_highest_first_node(void) {
    struct skiplist list;
    struct memtable_node *head = calloc(1, skiplist_node_size(0, SKIPLIST_HEIGHT_MAX));
    CHECK(head != NULL);
    uint64_t number = 0;
    do {
        skiplist_init(&list, head, memtable_height_seed(MEMTABLE_INDEX, 1, ++number));
    } while (skiplist_random_height(&list) < SKIPLIST_HEIGHT_MAX);
    free(head);
    return number;
}

// One commit in millions makes a node with all links: its reservation must do as well.
TEST(generation_reservation_is_enough_for_the_highest_node) {
    struct generation *generation = generation_new(generation_number_with_highest_first_node(), 1);
    struct memtable *memtable = generation_require(generation, MEMTABLE_INDEX, 1, 1);
    size_t size = 100 * KIB + 4; // so much that a slice is exactly what was asked for
    uint8_t *value = calloc(1, size);
    CHECK(value != NULL);
    struct bytes key = bytes_of("k", 1);
    CHECK_OK(generation_reserve(generation, 1, key.size, size));
    memtable_put(memtable, key, 1, false, bytes_of(value, size));
    struct memtable_cursor cursor;
    memtable_seek(&cursor, memtable, key);
    CHECK(cursor.node != NULL && cursor.node->height == SKIPLIST_HEIGHT_MAX);
    free(value);
    generation_unref(generation);
}

// What is reserved is there even when no more memory is to be had, down to the last byte.
TEST(generation_reservation_is_enough_for_the_worst_case) {
    enum { OPERATIONS = 500, VALUE_SIZE = 77 };
    struct generation *generation = generation_new(1, 1);
    struct memtable *store = generation_require(generation, MEMTABLE_STORE, 1, OPERATIONS);
    struct memtable *index = generation_require(generation, MEMTABLE_INDEX, 1, OPERATIONS);
    CHECK_OK(generation_reserve(generation, 2 * OPERATIONS, OPERATIONS * (16 + 5),
                                OPERATIONS * VALUE_SIZE));
    generation->arena.limit = 1;
    generation->arena.end = generation->arena.next;
    uint8_t storage[16], value[VALUE_SIZE] = {1};
    for (uint64_t i = 0; i < OPERATIONS; i++) {
        struct bytes key = key_of(i, storage);
        memtable_put(store, key, i + 1, false, bytes_of(value, sizeof value));
        memtable_put(index, bytes_of(key.data + 3, 5), i + 1, false, bytes_of(NULL, 0));
    }
    CHECK_EQUAL(OPERATIONS, memtable_count(store));
    CHECK_EQUAL(OPERATIONS, memtable_count(index));
    generation_unref(generation);
}

TEST(generation_refuses_when_memory_is_exhausted) {
    struct generation *generation = generation_new(1, 1);
    generation->arena.limit = 256 * KIB;
    CHECK_STATUS(STATUS_NO_MEMORY, generation_reserve(generation, 1, 16, 256 * KIB));
    struct memtable *memtable = generation_require(generation, MEMTABLE_STORE, 1, 0);
    CHECK(memtable != NULL);
    uint8_t storage[16], value[100] = {0};
    uint64_t count = 0;
    while (generation_require(generation, MEMTABLE_STORE, 1, 1) != NULL &&
           generation_reserve(generation, 1, 16, sizeof value) == STATUS_OK) {
        memtable_put(memtable, key_of(count, storage), count + 1, false,
                     bytes_of(value, sizeof value));
        count++;
    }
    // Not before most of the memory was put to use.
    CHECK(count > 800);
    CHECK(generation->arena.total_bytes <= 256 * KIB);
    CHECK(generation_require(generation, MEMTABLE_STORE, 2, 100000) == NULL);
    CHECK_EQUAL(count, memtable_count(memtable));
    CHECK(memtable_get(memtable, key_of(count - 1, storage), count) != NULL);
    generation_unref(generation);
}

TEST(generation_counts_the_bytes_in_use) {
    struct generation *generation = generation_new(1, 1);
    CHECK(atomic_load(&generation->bytes) < 4 * KIB);
    struct memtable *memtable = generation_require(generation, MEMTABLE_STORE, 1, 0);
    uint8_t storage[16], *large = calloc(1, 100 * KIB);
    CHECK(large != NULL);
    uint64_t before = atomic_load(&generation->bytes);
    for (uint64_t i = 0; i < 300; i++) {
        // One small and two large ones in turn: neither may waste the room of the other.
        size_t size = i % 3 == 0 ? 100 : 100 * KIB;
        put(generation, memtable, key_of(i, storage), i + 1, false, bytes_of(large, size));
    }
    uint64_t used = atomic_load(&generation->bytes) - before;
    CHECK(used >= 200 * (100 * KIB + 32) + 100 * (100 + 32));
    CHECK(used <= 200 * (101 * KIB));
    CHECK(generation->arena.total_bytes <= used + 3 * MIB);
    free(large);
    generation_unref(generation);
}

TEST(memtable_takes_values_of_every_size) {
    struct generation *generation = generation_new(1, 1);
    struct memtable *memtable = generation_require(generation, MEMTABLE_STORE, 1, 0);
    static const size_t sizes[] = {0, 1, 7, 8, 9, 4096, MIB - 1, DOCUMENT_SIZE_MAX, 3};
    uint8_t *value = malloc(DOCUMENT_SIZE_MAX), storage[16];
    CHECK(value != NULL);
    for (uint64_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        memset(value, (int)i + 1, sizes[i]);
        put(generation, memtable, key_of(i, storage), i + 1, false, bytes_of(value, sizes[i]));
    }
    for (uint64_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        memset(value, (int)i + 1, sizes[i]);
        const struct version *version = memtable_get(memtable, key_of(i, storage), 100);
        CHECK(bytes_equal(bytes_of(value, sizes[i]), version_bytes(version)));
    }
    free(value);
    generation_unref(generation);
}
