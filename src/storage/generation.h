// SPDX-License-Identifier: Apache-2.0
// What a generation and its memtables need of one another; everybody else uses memtable.h.
// All of it is for the writer, under the commit lock.
#pragma once

#include "storage/memtable.h"

// `size` bytes aligned to 8 of what generation_reserve() set aside; asserts that they are there.
void *generation_take(struct generation *generation, size_t size);
// Memory that nobody reserved (tables), zeroed. NULL when exhausted.
void *generation_allocate(struct generation *generation, size_t size, size_t alignment);

// An empty memtable in the memory of `generation`; NULL when exhausted.
struct memtable *memtable_create(struct generation *generation, enum memtable_kind kind,
                                 uint32_t id);
// Makes room in the hash index; false when memory is exhausted.
bool memtable_prepare(struct memtable *memtable, size_t new_keys);
// The most that one put may take beside the bytes of its key and its value.
size_t memtable_put_overhead(void);
// What the heights of its nodes depend on, and all they depend on.
uint64_t memtable_height_seed(enum memtable_kind kind, uint32_t id, uint64_t generation_number);
// Memtables of a generation form a list in order of creation.
struct memtable *memtable_created_next(const struct memtable *memtable);
void memtable_set_created_next(struct memtable *memtable, struct memtable *next);
