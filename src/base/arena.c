// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"

#include <stdlib.h>

#include "base/assert.h"

enum {
    ARENA_ALIGNMENT = 64,
    ARENA_BLOCK_SIZE = 64 * 1024,
    ARENA_BLOCK_GROWTH = 16, // the largest ordinary block, in first blocks
};

// The payload follows the header and is aligned to ARENA_ALIGNMENT. The head of the list is the
// block that `next` and `end` point into.
struct arena_block {
    struct arena_block *next;
    size_t size; // with the header, bytes
    _Alignas(ARENA_ALIGNMENT) uint8_t payload[];
};

static size_t first_block_size(const struct arena *arena) {
    return arena->block_size != 0 ? arena->block_size : ARENA_BLOCK_SIZE;
}

static void free_blocks(struct arena_block *block) {
    while (block != NULL) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
}

static void use_block(struct arena *arena, struct arena_block *block) {
    arena->next = block->payload;
    arena->end = (uint8_t *)block + block->size;
}

void arena_done(struct arena *arena) {
    free_blocks(arena->blocks);
    arena->blocks = NULL;
    arena->next = arena->end = NULL;
    arena->total_bytes = 0;
}

void arena_reset(struct arena *arena) {
    struct arena_block *kept = arena->blocks;
    // A block made for one huge allocation is not worth holding on to.
    if (kept == NULL || kept->size / ARENA_BLOCK_GROWTH > first_block_size(arena)) {
        arena_done(arena);
        return;
    }
    free_blocks(kept->next);
    kept->next = NULL;
    arena->total_bytes = kept->size;
    use_block(arena, kept);
}

static size_t next_block_size(const struct arena *arena) {
    size_t first = first_block_size(arena);
    if (arena->blocks == NULL) return first;
    size_t grown = arena->blocks->size * 2;
    return grown < first * ARENA_BLOCK_GROWTH ? grown : first * ARENA_BLOCK_GROWTH;
}

// A block of `size` bytes or, where the limit does not leave them, of `needed`.
static struct arena_block *block_new(struct arena *arena, size_t needed, size_t size) {
    if (arena->limit != 0) {
        size_t left = arena->limit > arena->total_bytes ? arena->limit - arena->total_bytes : 0;
        left &= ~(size_t)(ARENA_ALIGNMENT - 1);
        if (needed > left) return NULL;
        if (size > left) size = left;
    }
    struct arena_block *block = aligned_alloc(ARENA_ALIGNMENT, size);
    if (block == NULL) return NULL;
    block->size = size;
    block->next = NULL;
    arena->total_bytes += size;
    return block;
}

void *arena_allocate_slow(struct arena *arena, size_t size, size_t alignment) {
    ASSERT(alignment != 0 && (alignment & (alignment - 1)) == 0 && alignment <= ARENA_ALIGNMENT);
    size_t overhead = sizeof(struct arena_block) + ARENA_ALIGNMENT;
    if (size > SIZE_MAX - overhead) return NULL;
    size_t needed = (size + overhead - 1) & ~(size_t)(ARENA_ALIGNMENT - 1);
    size_t ordinary =
        (next_block_size(arena) + ARENA_ALIGNMENT - 1) & ~(size_t)(ARENA_ALIGNMENT - 1);
    struct arena_block *block = block_new(arena, needed, needed > ordinary ? needed : ordinary);
    if (block == NULL) return NULL;
    if (needed > ordinary && arena->blocks != NULL) {
        // What is left of the current block stays in use; the large one goes behind it.
        block->next = arena->blocks->next;
        arena->blocks->next = block;
        return block->payload;
    }
    block->next = arena->blocks;
    arena->blocks = block;
    use_block(arena, block);
    // Payloads are aligned to the largest alignment there is.
    arena->next += size;
    ASSERT(arena->next <= arena->end);
    return block->payload;
}

void *arena_zalloc(struct arena *arena, size_t size) {
    void *memory = arena_allocate(arena, size, 8);
    if (memory != NULL) memset(memory, 0, size);
    return memory;
}

struct bytes arena_copy(struct arena *arena, struct bytes bytes) {
    if (bytes.size == 0) return bytes_of(NULL, 0);
    void *copy = arena_allocate(arena, bytes.size, 1);
    if (copy == NULL) return bytes_of(NULL, 0);
    memcpy(copy, bytes.data, bytes.size);
    return bytes_of(copy, bytes.size);
}

char *arena_string(struct arena *arena, struct bytes bytes) {
    if (bytes.size == SIZE_MAX) return NULL;
    char *copy = arena_allocate(arena, bytes.size + 1, 1);
    if (copy == NULL) return NULL;
    if (bytes.size > 0) memcpy(copy, bytes.data, bytes.size);
    copy[bytes.size] = '\0';
    return copy;
}
