// SPDX-License-Identifier: Apache-2.0
// Readers beside the writer. The plan of all puts is made before, so that a reader knows what it
// must see at any sequence: operation i has sequence i + 1 and writes key plan_key[i].
#include "base/random.h"
#include "base/thread.h"
#include "memtable_fixture.h"

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
