// SPDX-License-Identifier: Apache-2.0
// Memtables against a sorted array, and in whatever order keys are inserted.
#include "base/random.h"
#include "memtable_fixture.h"
#include "storage/skiplist.h"

enum { MODEL_KEYS_MAX = 600, MODEL_VERSIONS_MAX = 24 };

struct model_entry {
    uint8_t key[24];
    size_t key_size;
    struct {
        uint64_t sequence;
        bool tombstone;
        uint32_t size;
    } versions[MODEL_VERSIONS_MAX];
    size_t version_count;
};
struct model {
    struct model_entry entries[MODEL_KEYS_MAX]; // sorted by key
    size_t count;
};

static struct bytes entry_key(const struct model_entry *entry) {
    return bytes_of(entry->key, entry->key_size);
}

// The number of entries before `key`.
static size_t model_place(const struct model *model, struct bytes key) {
    size_t place = 0;
    while (place < model->count && bytes_compare(entry_key(&model->entries[place]), key) < 0)
        place++;
    return place;
}

static struct model_entry *model_entry(struct model *model, struct bytes key) {
    size_t place = model_place(model, key);
    struct model_entry *entry = &model->entries[place];
    if (place < model->count && bytes_equal(entry_key(entry), key)) return entry;
    CHECK(model->count < MODEL_KEYS_MAX);
    memmove(entry + 1, entry, (model->count - place) * sizeof *entry);
    model->count++;
    memset(entry, 0, sizeof *entry);
    if (key.size > 0) memcpy(entry->key, key.data, key.size);
    entry->key_size = key.size;
    return entry;
}

static void check_version(const struct model_entry *entry, uint64_t sequence,
                          const struct version *actual) {
    size_t i = entry->version_count;
    while (i > 0 && entry->versions[i - 1].sequence > sequence) i--;
    if (i == 0) {
        CHECK(actual == NULL);
        return;
    }
    CHECK(actual != NULL);
    CHECK_EQUAL(entry->versions[i - 1].sequence, actual->sequence);
    CHECK_EQUAL(entry->versions[i - 1].tombstone, actual->tombstone);
    CHECK_EQUAL(entry->versions[i - 1].size, actual->size);
    for (uint32_t k = 0; k < actual->size; k++)
        CHECK_EQUAL((uint8_t)actual->sequence, actual->data[k]);
}

static void check_node(const struct model *model, size_t place, const struct memtable_node *node,
                       uint64_t sequence) {
    if (place >= model->count) { // also -1: before the first
        CHECK(node == NULL);
        return;
    }
    CHECK(node != NULL);
    CHECK(bytes_equal(entry_key(&model->entries[place]), memtable_node_key(node)));
    check_version(&model->entries[place], sequence, memtable_node_version(node, sequence));
}

static void check_scans(const struct model *model, const struct memtable *memtable,
                        uint64_t sequence) {
    struct memtable_cursor cursor;
    size_t place = 0;
    memtable_seek(&cursor, memtable, bytes_of(NULL, 0));
    for (; cursor.node != NULL; memtable_cursor_next(&cursor))
        check_node(model, place++, cursor.node, sequence);
    CHECK_EQUAL(model->count, place);
    memtable_seek_before(&cursor, memtable, bytes_of(NULL, 0));
    for (; cursor.node != NULL; memtable_cursor_previous(&cursor))
        check_node(model, --place, cursor.node, sequence);
    CHECK_EQUAL(0, place);
}

static void check_key(struct model *model, const struct memtable *memtable, struct bytes key,
                      uint64_t sequence) {
    size_t place = model_place(model, key);
    bool there = place < model->count && bytes_equal(entry_key(&model->entries[place]), key);
    if (memtable_kind(memtable) == MEMTABLE_INDEX || key.size == 16) {
        const struct version *version = memtable_get(memtable, key, sequence);
        if (there)
            check_version(&model->entries[place], sequence, version);
        else
            CHECK(version == NULL);
    }
    struct memtable_cursor cursor;
    memtable_seek(&cursor, memtable, key);
    check_node(model, place, cursor.node, sequence);
    memtable_seek_before(&cursor, memtable, key);
    check_node(model, place - 1, cursor.node, sequence);
    if (cursor.node != NULL) {
        memtable_cursor_next(&cursor);
        check_node(model, place, cursor.node, sequence);
    }
}

// Few distinct bytes and shared prefixes, so that keys differ in every position, in padding and
// in length only.
static struct bytes random_key(struct random_source *random, enum memtable_kind kind,
                               uint8_t storage[24]) {
    static const uint8_t alphabet[] = {0, 1, 0x7f, 0x80, 0xff};
    size_t size = kind == MEMTABLE_STORE ? 16 : random_below(random, 25);
    size_t constant = random_below(random, 4) == 0 ? 0 : random_below(random, 20);
    for (size_t i = 0; i < size; i++)
        storage[i] = i < constant ? 0x80 : alphabet[random_below(random, sizeof alphabet)];
    return bytes_of(storage, size);
}

static void model_put(struct model *model, struct generation *generation, struct memtable *memtable,
                      struct bytes key, uint64_t sequence, struct random_source *random) {
    struct model_entry *entry = model_entry(model, key);
    if (entry->version_count == MODEL_VERSIONS_MAX) return;
    uint8_t value[300];
    memset(value, (uint8_t)sequence, sizeof value);
    bool tombstone = random_below(random, 5) == 0;
    uint32_t size = tombstone ? 0 : (uint32_t)random_below(random, sizeof value);
    put(generation, memtable, key, sequence, tombstone, bytes_of(value, size));
    entry->versions[entry->version_count].sequence = sequence;
    entry->versions[entry->version_count].tombstone = tombstone;
    entry->versions[entry->version_count++].size = size;
}

static void run_model(enum memtable_kind kind, uint64_t seed) {
    struct random_seeded random;
    random_seeded_init(&random, seed);
    struct model *model = calloc(1, sizeof *model);
    CHECK(model != NULL);
    struct generation *generation = generation_new(seed, 1);
    struct memtable *memtable = generation_require(generation, kind, 1, 0);
    uint8_t storage[24];
    uint64_t sequence = 1;
    while (model->count < MODEL_KEYS_MAX - 1) {
        bool again = model->count > 0 && random_below(&random.source, 3) == 0;
        struct bytes key = random_key(&random.source, kind, storage);
        if (again) {
            key = entry_key(&model->entries[random_below(&random.source, model->count)]);
            memcpy(storage, key.data, key.size);
            key.data = storage;
        }
        sequence += random_below(&random.source, 3);
        model_put(model, generation, memtable, key, sequence, &random.source);
        check_key(model, memtable, random_key(&random.source, kind, storage),
                  random_below(&random.source, sequence + 2));
    }
    CHECK_EQUAL(model->count, memtable_count(memtable));
    for (int i = 0; i < 20; i++)
        check_scans(model, memtable, random_below(&random.source, sequence + 2));
    for (size_t i = 0; i < model->count; i++)
        check_key(model, memtable, entry_key(&model->entries[i]), sequence);
    generation_unref(generation);
    free(model);
}

TEST(memtable_store_agrees_with_a_sorted_array) {
    for (uint64_t i = 0; i < 5; i++) run_model(MEMTABLE_STORE, test_seed() + i);
}

TEST(memtable_index_agrees_with_a_sorted_array) {
    for (uint64_t i = 0; i < 5; i++) run_model(MEMTABLE_INDEX, test_seed() + i);
}

static uint64_t ascending(uint64_t i) {
    return i;
}
static uint64_t descending(uint64_t i) {
    return 5000 - i;
}
static uint64_t two_runs(uint64_t i) {
    return i % 2 == 0 ? i : 10000 + i;
}
static uint64_t scattered(uint64_t i) {
    return i * 2654435761ULL % 5003; // a prime: all different
}

TEST(memtable_order_of_insertion_does_not_matter) {
    uint64_t (*const orders[])(uint64_t) = {ascending, descending, two_runs, scattered};
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        struct generation *generation = generation_new(1, 1);
        struct memtable *memtable = generation_require(generation, MEMTABLE_STORE, 1, 0);
        uint8_t storage[16];
        for (uint64_t k = 0; k < 5000; k++)
            put(generation, memtable, key_of(orders[i](k), storage), k + 1, false,
                bytes_of("x", 1));
        struct memtable_cursor cursor;
        uint64_t count = 0, previous = 0;
        memtable_seek(&cursor, memtable, bytes_of(NULL, 0));
        for (; cursor.node != NULL; memtable_cursor_next(&cursor)) {
            uint64_t key = load_be64(memtable_node_key(cursor.node).data);
            CHECK(count++ == 0 || key > previous);
            previous = key;
        }
        CHECK_EQUAL(5000, count);
        generation_unref(generation);
    }
}

static uint64_t heights_digest(void) {
    struct generation *generation = generation_new(9, 1);
    struct memtable *memtable = generation_require(generation, MEMTABLE_STORE, 4, 0);
    uint8_t storage[16];
    uint64_t digest = 0, high = 0;
    for (uint64_t k = 0; k < 4096; k++)
        put(generation, memtable, key_of(k, storage), k + 1, false, bytes_of("x", 1));
    struct memtable_cursor cursor;
    memtable_seek(&cursor, memtable, bytes_of(NULL, 0));
    for (; cursor.node != NULL; memtable_cursor_next(&cursor)) {
        CHECK(cursor.node->height >= 1 && cursor.node->height <= SKIPLIST_HEIGHT_MAX);
        digest = digest * 31 + cursor.node->height;
        high += cursor.node->height > 1;
    }
    CHECK(high > 4096 / 4 - 200 && high < 4096 / 4 + 200);
    generation_unref(generation);
    return digest;
}

TEST(memtable_heights_are_the_same_in_every_run) {
    CHECK(heights_digest() == heights_digest());
}
