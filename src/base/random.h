// SPDX-License-Identifier: Apache-2.0
// The randomness seam, and UUID version 7 (RFC 9562).
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

struct random_source {
    void (*fill)(struct random_source *source, void *data, size_t size);
};

// Cryptographic (getrandom, buffered per thread). Any thread.
struct random_source *random_system(void);

// Deterministic generator for tests and simulations (splitmix64 + xoshiro256**). One thread.
struct random_seeded {
    struct random_source source;
    uint64_t state[4];
};
void random_seeded_init(struct random_seeded *random, uint64_t seed);

static inline void random_fill(struct random_source *source, void *data, size_t size) {
    source->fill(source, data, size);
}
uint64_t random_u64(struct random_source *source);
// Uniform in [0, bound); bound > 0.
uint64_t random_below(struct random_source *source, uint64_t bound);

// Generator of UUID v7 values that never go backwards within one generator: 48-bit milliseconds,
// a 12-bit plus 14-bit counter seeded at random each millisecond, the rest random.
// Not thread-safe: one per worker.
struct uuid_generator {
    struct clock *clock;
    struct random_source *random;
    uint64_t last_ms;
    uint32_t counter;
};
void uuid_v7(struct uuid_generator *generator, uint8_t ret_uuid[16]);
// Writes 36 characters and a NUL.
void uuid_format(const uint8_t uuid[16], char ret_text[37]);
// Accepts the 36-character form in either case. Returns 0 on success, -1 otherwise.
int uuid_parse(const char *text, size_t size, uint8_t ret_uuid[16]);
