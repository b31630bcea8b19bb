// SPDX-License-Identifier: Apache-2.0
// Bump allocation with one lifetime: a request, a query, a compile, a memtable generation.
// Not thread-safe: one thread allocates at a time (memory once returned may be read by any).
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct arena_block;

// Zero-initialised plus `limit` is valid; `limit` (bytes, 0 = none) bounds what blocks may take.
// `block_size` (0 = 64 KiB) is the size of the first block; later ones grow to 16 times that.
struct arena {
    struct arena_block *blocks;
    uint8_t *next;
    uint8_t *end;
    size_t total_bytes;
    size_t limit;
    size_t block_size;
};

// Frees every block.
void arena_done(struct arena *arena);
// Makes everything allocated invalid, keeping one block for reuse.
void arena_reset(struct arena *arena);
// NULL when memory or `limit` is exhausted. `alignment` is a power of two <= 64. Not zeroed.
void *arena_allocate_slow(struct arena *arena, size_t size, size_t alignment);
static inline void *arena_allocate(struct arena *arena, size_t size, size_t alignment) {
    uintptr_t start = ((uintptr_t)arena->next + alignment - 1) & ~(uintptr_t)(alignment - 1);
    if (arena->next != NULL && size <= (uintptr_t)arena->end - start &&
        start <= (uintptr_t)arena->end) {
        arena->next = (uint8_t *)(start + size);
        return (void *)start;
    }
    return arena_allocate_slow(arena, size, alignment);
}
// Zeroed memory, aligned to 8. NULL when exhausted.
void *arena_zalloc(struct arena *arena, size_t size);
// A copy of `bytes` in the arena; data is NULL when exhausted and size > 0.
struct bytes arena_copy(struct arena *arena, struct bytes bytes);
// A NUL-terminated copy; NULL when exhausted.
char *arena_string(struct arena *arena, struct bytes bytes);
