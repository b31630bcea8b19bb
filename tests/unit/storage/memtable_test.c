// SPDX-License-Identifier: Apache-2.0
#include "storage/memtable.h"

#include "base/limits.h"
#include "base/random.h"
#include "base/thread.h"
#include "storage/skiplist.h"
#include "test.h"

static struct bytes key_of(uint64_t number, uint8_t storage[16]) {
    store_be64(storage, number);
    store_be64(storage + 8, ~number);
    return bytes_of(storage, 16);
}

static void put(struct generation *generation, struct memtable *memtable, struct bytes key,
                uint64_t sequence, bool tombstone, struct bytes value) {
    CHECK(generation_require(generation, memtable_kind(memtable), memtable_id(memtable), 1) ==
          memtable);
    CHECK_OK(generation_reserve(generation, 1, key.size, value.size));
    memtable_put(memtable, key, sequence, tombstone, value);
}

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

// ---- against a model ------------------------------------------------------------------------

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
    for (uint64_t i = 0; i < 200; i++) {
        // Small and large ones in turn: neither may waste the room of the other.
        size_t size = i % 2 == 0 ? 100 : 100 * KIB;
        put(generation, memtable, key_of(i, storage), i + 1, false, bytes_of(large, size));
    }
    uint64_t used = atomic_load(&generation->bytes) - before;
    CHECK(used >= 100 * (100 * KIB + 100 + 32));
    CHECK(used <= 100 * (101 * KIB));
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

// ---- readers beside the writer --------------------------------------------------------------

// The plan of all puts is made before, so that a reader knows what it must see at any sequence:
// operation i has sequence i + 1 and writes key plan_key[i].
enum { STRESS_OPERATIONS = 6000, STRESS_KEYS = 1500, STRESS_READERS = 2, STRESS_BATCH = 3 };

struct stress {
    struct generation *generation;
    struct memtable *store;
    struct memtable *index;
    uint32_t plan_key[STRESS_OPERATIONS];
    uint32_t distinct[STRESS_OPERATIONS + 1]; // keys written by the first n operations
    uint64_t seed;
    _Atomic uint64_t visible;
    _Atomic uint32_t readers_ready;
};

static struct bytes stress_key(uint32_t number, uint8_t storage[16]) {
    return key_of(number * 0x9e3779b97f4a7c15ULL, storage);
}

static void stress_plan(struct stress *stress) {
    struct random_seeded random;
    random_seeded_init(&random, stress->seed);
    bool *written = calloc(STRESS_KEYS, sizeof *written);
    CHECK(written != NULL);
    for (uint32_t i = 0; i < STRESS_OPERATIONS; i++) {
        // The range of keys widens, so that there are both new keys and new versions throughout.
        uint32_t key = (uint32_t)random_below(&random.source,
                                              1 + (uint64_t)i * STRESS_KEYS / STRESS_OPERATIONS);
        stress->plan_key[i] = key;
        stress->distinct[i + 1] = stress->distinct[i] + !written[key];
        written[key] = true;
    }
    free(written);
}

static void stress_write(struct stress *stress) {
    uint8_t storage[16], value[64];
    for (uint64_t sequence = 1; sequence <= STRESS_OPERATIONS; sequence++) {
        struct bytes key = stress_key(stress->plan_key[sequence - 1], storage);
        memset(value, (uint8_t)sequence, sizeof value);
        put(stress->generation, stress->store, key, sequence, false,
            bytes_of(value, sequence % sizeof value));
        put(stress->generation, stress->index, key, sequence, false, bytes_of(NULL, 0));
        // Now and then a memtable more, so that their table grows as well.
        if (sequence % 16 == 0)
            CHECK(generation_require(stress->generation, MEMTABLE_STORE, (uint32_t)sequence, 0) !=
                  NULL);
        // Several operations become visible together, as in a commit.
        if (sequence % STRESS_BATCH == 0)
            atomic_store_explicit(&stress->visible, sequence, memory_order_release);
    }
}

static uint64_t planned_sequence(const struct stress *stress, uint32_t key, uint64_t sequence) {
    while (sequence > 0 && stress->plan_key[sequence - 1] != key) sequence--;
    return sequence;
}

static void check_stress_version(const struct version *version, uint64_t sequence) {
    CHECK(version != NULL && version->sequence == sequence);
    CHECK_EQUAL(sequence % 64, version->size);
    for (uint32_t i = 0; i < version->size; i++) CHECK_EQUAL((uint8_t)sequence, version->data[i]);
}

static void check_stress_gets(const struct stress *stress, struct random_source *random,
                              uint64_t sequence) {
    uint8_t storage[16];
    for (int i = 0; i < 50; i++) {
        uint32_t number = (uint32_t)random_below(random, STRESS_KEYS);
        uint64_t expected = planned_sequence(stress, number, sequence);
        struct bytes key = stress_key(number, storage);
        const struct version *version = memtable_get(stress->store, key, sequence);
        const struct version *entry = memtable_get(stress->index, key, sequence);
        CHECK((version == NULL) == (expected == 0) && (entry == NULL) == (expected == 0));
        if (expected == 0) continue;
        check_stress_version(version, expected);
        CHECK(entry->sequence == expected);
    }
    uint32_t id = (uint32_t)(sequence / 16 * 16);
    CHECK(id == 0 || generation_memtable(stress->generation, MEMTABLE_STORE, id) != NULL);
}

static void check_stress_scan(const struct stress *stress, const struct memtable *memtable,
                              uint64_t sequence) {
    struct memtable_cursor cursor;
    uint8_t previous[16];
    uint32_t seen = 0, nodes = 0;
    memtable_seek(&cursor, memtable, bytes_of(NULL, 0));
    for (; cursor.node != NULL; memtable_cursor_next(&cursor), nodes++) {
        struct bytes key = memtable_node_key(cursor.node);
        CHECK(key.size == 16 && (nodes == 0 || memcmp(previous, key.data, 16) < 0));
        memcpy(previous, key.data, 16);
        const struct version *version = memtable_node_version(cursor.node, sequence);
        if (version == NULL) continue;
        seen++;
        if (memtable == stress->store) check_stress_version(version, version->sequence);
    }
    CHECK_EQUAL(stress->distinct[sequence], seen);
}

static void stress_read(void *context) {
    struct stress *stress = context;
    struct random_seeded random;
    random_seeded_init(&random, stress->seed + atomic_fetch_add(&stress->readers_ready, 1) + 1);
    uint64_t sequence;
    do {
        sequence = atomic_load_explicit(&stress->visible, memory_order_acquire);
        check_stress_gets(stress, &random.source, sequence);
        check_stress_scan(stress, stress->store, sequence);
        check_stress_scan(stress, stress->index, sequence);
    } while (sequence < STRESS_OPERATIONS);
}

TEST(memtable_readers_beside_the_writer_see_exactly_their_sequence) {
    struct stress *stress = calloc(1, sizeof *stress);
    CHECK(stress != NULL);
    stress->seed = test_seed();
    stress->generation = generation_new(1, 1);
    stress->store = generation_require(stress->generation, MEMTABLE_STORE, 1, 0);
    stress->index = generation_require(stress->generation, MEMTABLE_INDEX, 1, 0);
    stress_plan(stress);
    struct thread readers[STRESS_READERS];
    for (int i = 0; i < STRESS_READERS; i++)
        CHECK_OK(thread_start(&readers[i], "reader", stress_read, stress));
    while (atomic_load(&stress->readers_ready) < STRESS_READERS) {
    }
    stress_write(stress);
    for (int i = 0; i < STRESS_READERS; i++) thread_join(&readers[i]);
    generation_unref(stress->generation);
    free(stress);
}
