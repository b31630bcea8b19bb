// SPDX-License-Identifier: Apache-2.0
// What single operations on a memtable cost: `memtable_bench [keys]` prints nanoseconds each.
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/random.h"
#include "storage/memtable.h"

enum { VALUE_SIZE = 200 };

static uint64_t now(void) {
    return clock_monotonic_ns(clock_system());
}

static void report(const char *name, uint64_t begin, uint64_t count) {
    printf("%-34s %8.1f ns\n", name, (double)(now() - begin) / (double)count);
}

static void put(struct generation *generation, enum memtable_kind kind, const uint8_t *key,
                uint64_t sequence, struct bytes value) {
    struct memtable *memtable = generation_require(generation, kind, 1, 1);
    if (memtable == NULL || generation_reserve(generation, 1, 16, value.size) != STATUS_OK) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    memtable_put(memtable, bytes_of(key, 16), sequence, false, value);
}

static void read_back(const struct memtable *memtable, const uint8_t *keys, const uint8_t *absent,
                      uint64_t count) {
    uint64_t found = 0, begin = now();
    for (uint64_t i = 0; i < count; i++) {
        const uint8_t *key = keys + 16 * (i * 7919 % count);
        found += memtable_get(memtable, bytes_of(key, 16), UINT64_MAX) != NULL;
    }
    report("  get, hit, random", begin, count);
    begin = now();
    for (uint64_t i = 0; i < count; i++)
        found += memtable_get(memtable, bytes_of(absent + 16 * i, 16), UINT64_MAX) != NULL;
    report("  get, miss", begin, count);
    begin = now();
    struct memtable_cursor cursor;
    memtable_seek(&cursor, memtable, bytes_of(NULL, 0));
    for (; cursor.node != NULL; memtable_cursor_next(&cursor))
        found += memtable_node_version(cursor.node, UINT64_MAX)->size;
    report("  scan", begin, count);
    if (found != count * (1 + (memtable_kind(memtable) == MEMTABLE_STORE ? VALUE_SIZE : 0)))
        printf("wrong results\n");
}

static void run(const char *name, enum memtable_kind kind, const uint8_t *keys,
                const uint8_t *absent, uint64_t count) {
    static const uint8_t document[VALUE_SIZE] = {1};
    struct bytes value = bytes_of(document, kind == MEMTABLE_STORE ? VALUE_SIZE : 0);
    struct generation *generation = generation_new(1, 1);
    if (generation == NULL) return;
    uint64_t begin = now();
    for (uint64_t i = 0; i < count; i++) put(generation, kind, keys + 16 * i, i + 1, value);
    report(name, begin, count);
    uint64_t bytes = atomic_load(&generation->bytes);
    printf("  bytes a key                      %8.1f\n", (double)bytes / (double)count);
    read_back(generation_memtable(generation, kind, 1), keys, absent, count);
    generation_unref(generation);
}

int main(int argc, char **argv) {
    uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 200000;
    struct random_seeded random;
    random_seeded_init(&random, 1);
    uint8_t *ascending = calloc(count, 16), *shared = calloc(count, 16);
    uint8_t *scattered = malloc(count * 16), *absent = malloc(count * 16);
    if (count == 0 || !ascending || !shared || !scattered || !absent) return 1;
    for (uint64_t i = 0; i < count; i++) {
        store_be64(ascending + 16 * i, i);
        store_be64(shared + 16 * i + 8, random_u64(&random.source));
    }
    random_fill(&random.source, scattered, count * 16);
    random_fill(&random.source, absent, count * 16);
    run("store: insert, ascending", MEMTABLE_STORE, ascending, absent, count);
    run("store: insert, random", MEMTABLE_STORE, scattered, absent, count);
    run("store: insert, random, last 8 only", MEMTABLE_STORE, shared, absent, count);
    run("index: insert, ascending", MEMTABLE_INDEX, ascending, absent, count);
    run("index: insert, random", MEMTABLE_INDEX, scattered, absent, count);
    free(ascending);
    free(shared);
    free(scattered);
    free(absent);
    return 0;
}
