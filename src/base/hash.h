// SPDX-License-Identifier: Apache-2.0
// Non-cryptographic 64-bit hashing (our own mix of multiply-and-fold, as in wyhash) and a string
// map from bytes to pointers. Hash values are never written to disk.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

static inline uint64_t hash_mix(uint64_t a, uint64_t b) {
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}
// For two words, as of a 128-bit key.
static inline uint64_t hash_words(uint64_t a, uint64_t b) {
    return hash_mix(a ^ 0xa0761d6478bd642fULL, b ^ 0xe7037ed1a0b428dbULL);
}
uint64_t hash_bytes(struct bytes bytes, uint64_t seed);

// Map from byte strings to non-NULL pointers; keys are copied. Not thread-safe.
struct map;
// NULL when memory is exhausted.
struct map *map_new(void);
void map_free(struct map *map);
void *map_get(const struct map *map, struct bytes key);
// Replaces an existing value; returns false when memory is exhausted.
bool map_put(struct map *map, struct bytes key, void *value);
// Returns the value that was there, or NULL.
void *map_remove(struct map *map, struct bytes key);
size_t map_count(const struct map *map);
// Iterates in no particular order: start with *cursor = 0; false at the end.
bool map_next(const struct map *map, size_t *cursor, struct bytes *ret_key, void **ret_value);
