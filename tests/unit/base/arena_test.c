// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"

#include "test.h"

TEST(arena_allocations_are_aligned_and_apart) {
    struct arena arena = {.block_size = 256};
    uint8_t *previous_end = NULL;
    for (size_t size = 0; size < 300; size++)
        for (size_t alignment = 1; alignment <= 64; alignment *= 2) {
            uint8_t *p = arena_allocate(&arena, size, alignment);
            CHECK(p != NULL);
            CHECK((uintptr_t)p % alignment == 0);
            memset(p, 0xaa, size);
            CHECK(size == 0 || p != previous_end - size);
            previous_end = p + size;
        }
    arena_done(&arena);
    CHECK_EQUAL(0, arena.total_bytes);
}

TEST(arena_keeps_what_it_has_given) {
    struct arena arena = {.block_size = 128};
    uint32_t *values[500];
    for (uint32_t i = 0; i < 500; i++) {
        values[i] = arena_allocate(&arena, 4 + i % 700, 4);
        *values[i] = i;
    }
    for (uint32_t i = 0; i < 500; i++) CHECK_EQUAL(i, *values[i]);
    arena_done(&arena);
}

TEST(arena_stops_at_its_limit) {
    struct arena arena = {.limit = 64 * 1024, .block_size = 4096};
    size_t got = 0;
    while (arena_allocate(&arena, 100, 1) != NULL) got += 100;
    CHECK(arena.total_bytes <= 64 * 1024);
    CHECK(got > 60 * 1024); // the limit is used, not only kept
    CHECK(arena_allocate(&arena, SIZE_MAX - 8, 1) == NULL);
    CHECK(arena_zalloc(&arena, 1024 * 1024) == NULL);
    arena_done(&arena);
}

TEST(arena_serves_one_allocation_larger_than_a_block) {
    struct arena arena = {.block_size = 1024, .limit = 1024 * 1024};
    uint8_t *small = arena_allocate(&arena, 8, 8);
    uint8_t *large = arena_allocate(&arena, 500000, 64);
    uint8_t *after = arena_allocate(&arena, 8, 8);
    CHECK(small != NULL && large != NULL);
    CHECK(after == small + 8); // the block that was begun is not wasted
    memset(large, 1, 500000);
    arena_done(&arena);
}

TEST(arena_reset_keeps_one_block_and_gives_it_again) {
    struct arena arena = {.block_size = 1024};
    for (int i = 0; i < 100; i++) CHECK(arena_allocate(&arena, 500, 8) != NULL);
    size_t before = arena.total_bytes;
    arena_reset(&arena);
    CHECK(arena.total_bytes > 0 && arena.total_bytes < before);
    size_t kept = arena.total_bytes;
    CHECK(arena_allocate(&arena, 500, 8) != NULL);
    CHECK_EQUAL(kept, arena.total_bytes);
    arena_done(&arena);
}

TEST(arena_reset_lets_a_huge_block_go) {
    struct arena arena = {.block_size = 1024};
    CHECK(arena_allocate(&arena, 10 * 1024 * 1024, 8) != NULL);
    arena_reset(&arena);
    CHECK_EQUAL(0, arena.total_bytes);
    CHECK(arena_allocate(&arena, 8, 8) != NULL);
    arena_done(&arena);
}

TEST(arena_copies) {
    struct arena arena = {0};
    struct bytes copy = arena_copy(&arena, bytes_of_string("margherita"));
    CHECK_BYTES("margherita", copy);
    CHECK(strcmp(arena_string(&arena, copy), "margherita") == 0);
    CHECK(strcmp(arena_string(&arena, bytes_of(NULL, 0)), "") == 0);
    uint8_t *zeroed = arena_zalloc(&arena, 100);
    for (int i = 0; i < 100; i++) CHECK_EQUAL(0, zeroed[i]);
    arena_done(&arena);
}
