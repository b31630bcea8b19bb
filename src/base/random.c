// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>

#include "base/assert.h"
#include "base/bytes.h"

enum { RANDOM_POOL_SIZE = 4096 };

// Bytes got from the kernel ahead of use; [0, left) are unused. They are wiped as they are taken.
struct random_pool {
    size_t left;
    uint8_t data[RANDOM_POOL_SIZE];
};
static _Thread_local struct random_pool pool;

// A child must not hand out the bytes that its parent will hand out too.
static void pool_discard(void) {
    pool.left = 0;
}

__attribute__((constructor)) static void pool_watch_forks(void) {
    int failed = pthread_atfork(NULL, NULL, pool_discard);
    ASSERT(failed == 0);
}

static void fill_from_kernel(uint8_t *data, size_t size) {
    while (size > 0) {
        ssize_t got = getrandom(data, size, 0);
        if (got < 0 && errno == EINTR) continue;
        ASSERT(got > 0);
        data += got;
        size -= (size_t)got;
    }
}

static void system_fill(struct random_source *source, void *data, size_t size) {
    if (size > RANDOM_POOL_SIZE / 4) {
        fill_from_kernel(data, size);
        return;
    }
    if (pool.left < size) {
        fill_from_kernel(pool.data, sizeof pool.data);
        pool.left = sizeof pool.data;
    }
    pool.left -= size;
    memcpy(data, pool.data + pool.left, size);
    memset(pool.data + pool.left, 0, size);
}

struct random_source *random_system(void) {
    static struct random_source system = {.fill = system_fill};
    return &system;
}

static uint64_t rotate_left(uint64_t value, int count) {
    return value << count | value >> (64 - count);
}

// xoshiro256**
static uint64_t seeded_next(struct random_seeded *random) {
    uint64_t *s = random->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate_left(s[3], 45);
    return result;
}

static void seeded_fill(struct random_source *source, void *data, size_t size) {
    struct random_seeded *random = (struct random_seeded *)source;
    uint8_t *p = data;
    while (size > 0) {
        uint64_t word = seeded_next(random);
        size_t count = size < sizeof word ? size : sizeof word;
        memcpy(p, &word, count);
        p += count;
        size -= count;
    }
}

// splitmix64 spreads the seed over the state, which must not be all zero.
void random_seeded_init(struct random_seeded *random, uint64_t seed) {
    random->source.fill = seeded_fill;
    for (int i = 0; i < 4; i++) {
        seed += 0x9e3779b97f4a7c15ULL;
        uint64_t z = seed;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        random->state[i] = z ^ (z >> 31);
    }
}

uint64_t random_u64(struct random_source *source) {
    uint64_t value;
    random_fill(source, &value, sizeof value);
    return value;
}

// The high word of value * bound, rejecting the few values that would make it uneven.
uint64_t random_below(struct random_source *source, uint64_t bound) {
    ASSERT(bound > 0);
    __extension__ typedef unsigned __int128 wide;
    uint64_t uneven = -bound % bound;
    for (;;) {
        wide product = (wide)random_u64(source) * bound;
        if ((uint64_t)product >= uneven) return (uint64_t)(product >> 64);
    }
}
