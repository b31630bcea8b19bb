// SPDX-License-Identifier: Apache-2.0
#include "allocations.h"

#include <stdlib.h>
#include <string.h>

// Threads take turns (the simulator's scheduler), so plain variables do.
static struct {
    bool counting, repeats, failed;
    uint64_t made, left;
    int64_t live;
} state;

// Blocks are told apart by a table of addresses, open addressing.
#define TABLE_SIZE (1u << 18)
static void *table[TABLE_SIZE];
static char removed;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
char *__wrap_strdup(const char *text);
void __wrap_free(void *block);

void allocations_count(bool on) {
    state.counting = on;
}

void allocations_plan(uint64_t count, bool repeats) {
    state.left = count;
    state.repeats = repeats;
    state.failed = false;
}

bool allocations_failed(void) {
    return state.failed;
}

uint64_t allocations_made(void) {
    return state.made;
}

int64_t allocations_live(void) {
    return state.live;
}

static size_t slot_of(const void *block) {
    return (size_t)(((uintptr_t)block >> 4) * 0x9e3779b97f4a7c15ULL >> 46) % TABLE_SIZE;
}

static void *note(void *block) {
    if (!state.counting || block == NULL) return block;
    size_t slot = slot_of(block);
    while (table[slot] != NULL && table[slot] != &removed) slot = (slot + 1) % TABLE_SIZE;
    table[slot] = block;
    state.live++;
    return block;
}

static bool forget(void *block) {
    size_t slot = slot_of(block);
    while (table[slot] != NULL && table[slot] != block) slot = (slot + 1) % TABLE_SIZE;
    if (table[slot] == NULL || block == NULL) return false;
    table[slot] = &removed;
    state.live--;
    return true;
}

static bool fails(void) {
    if (!state.counting) return false;
    state.made++;
    if (state.left == 0 || --state.left > 0) return false;
    if (state.repeats) state.left = 1;
    state.failed = true;
    return true;
}

void *__wrap_malloc(size_t size) {
    return fails() ? NULL : note(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size) {
    return fails() ? NULL : note(__real_calloc(count, size));
}

void *__wrap_realloc(void *block, size_t size) {
    if (fails()) return NULL;
    bool known = forget(block);
    void *grown = __real_realloc(block, size);
    bool counting = state.counting;
    state.counting = counting || known;
    note(grown);
    state.counting = counting;
    return grown;
}

void *__wrap_aligned_alloc(size_t alignment, size_t size) {
    return fails() ? NULL : note(__real_aligned_alloc(alignment, size));
}

char *__wrap_strdup(const char *text) {
    size_t size = strlen(text) + 1;
    char *copy = __wrap_malloc(size);
    if (copy != NULL) memcpy(copy, text, size);
    return copy;
}

void __wrap_free(void *block) {
    forget(block);
    __real_free(block);
}
