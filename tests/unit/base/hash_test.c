// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"

#include "base/random.h"
#include "test.h"

static struct bytes key_of(char text[32], uint64_t number) {
    int size = snprintf(text, 32, "key-%llu", (unsigned long long)number);
    return bytes_of(text, (size_t)size);
}

TEST(hash_depends_on_every_byte_the_length_and_the_seed) {
    uint8_t data[40] = {0};
    for (size_t size = 0; size <= sizeof data; size++) {
        uint64_t hash = hash_bytes(bytes_of(data, size), 1);
        CHECK(hash != hash_bytes(bytes_of(data, size), 2));
        CHECK(size == 0 || hash != hash_bytes(bytes_of(data, size - 1), 1));
        for (size_t i = 0; i < size; i++) {
            data[i] ^= 1;
            CHECK(hash != hash_bytes(bytes_of(data, size), 1));
            data[i] ^= 1;
        }
    }
}

TEST(hash_spreads_words_over_low_bits) {
    static int hits[1024];
    for (uint64_t i = 0; i < 65536; i++) hits[hash_words(i, 0) % 1024]++;
    for (int i = 0; i < 1024; i++) CHECK(hits[i] > 16 && hits[i] < 160);
}

TEST(map_grows_replaces_and_finds) {
    struct map *map = map_new();
    static int values[5000];
    char text[32];
    for (uint64_t i = 0; i < 5000; i++) CHECK(map_put(map, key_of(text, i), &values[i]));
    CHECK_EQUAL(5000, map_count(map));
    for (uint64_t i = 0; i < 5000; i++) CHECK(map_get(map, key_of(text, i)) == &values[i]);
    CHECK(map_get(map, bytes_of_string("key-5000")) == NULL);
    CHECK(map_put(map, bytes_of_string("key-7"), &values[9]));
    CHECK_EQUAL(5000, map_count(map));
    CHECK(map_get(map, bytes_of_string("key-7")) == &values[9]);
    CHECK(map_put(map, bytes_of(NULL, 0), &values[1]));
    CHECK(map_get(map, bytes_of_string("")) == &values[1]);
    map_free(map);
    map_free(NULL);
}

// Random puts and removals against an array; a hole that is closed wrongly loses a key.
TEST(map_agrees_with_an_array_under_random_removals) {
    enum { KEYS = 400 };
    static int values[KEYS];
    bool present[KEYS] = {false};
    struct random_seeded random;
    random_seeded_init(&random, test_seed());
    struct map *map = map_new();
    size_t count = 0;
    char text[32];
    for (int step = 0; step < 40000; step++) {
        uint64_t i = random_below(&random.source, KEYS);
        if (random_below(&random.source, 2) == 0) {
            CHECK(map_put(map, key_of(text, i), &values[i]));
            count += !present[i];
            present[i] = true;
        } else {
            CHECK(map_remove(map, key_of(text, i)) == (present[i] ? &values[i] : NULL));
            count -= present[i];
            present[i] = false;
        }
        uint64_t other = random_below(&random.source, KEYS);
        CHECK(map_get(map, key_of(text, other)) == (present[other] ? &values[other] : NULL));
        CHECK_EQUAL(count, map_count(map));
    }
    map_free(map);
}

TEST(map_next_visits_each_key_once) {
    struct map *map = map_new();
    static int values[100];
    char text[32];
    for (uint64_t i = 0; i < 100; i++) CHECK(map_put(map, key_of(text, i), &values[i]));
    size_t cursor = 0, visits = 0;
    struct bytes key;
    void *value;
    while (map_next(map, &cursor, &key, &value)) {
        CHECK(bytes_equal(key, key_of(text, (uint64_t)((int *)value - values))));
        CHECK_EQUAL(0, (*(int *)value)++);
        visits++;
    }
    CHECK_EQUAL(100, visits);
    map_free(map);
}
