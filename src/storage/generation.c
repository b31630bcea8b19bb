// SPDX-License-Identifier: Apache-2.0
// Generations: their memory and the table of their memtables.
#include "storage/generation.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/random.h"

enum {
    SLICE_SIZE = 32 * 1024, // at least, when one is set aside
    SLOTS_MIN = 4,
};

// Open addressing, at most half full. It grows by publishing a larger copy; the old one stays in
// the arena for those who still read it.
struct table_slots {
    size_t mask; // number of slots - 1
    _Atomic(struct memtable *) slots[];
};

struct generation_table {
    _Atomic(struct table_slots *) slots;
    _Atomic(struct memtable *) first; // in order of creation
    struct memtable *last;            // writer only, as the count
    size_t count;
};

// ---- memory ---------------------------------------------------------------------------------

static void count_bytes(struct generation *generation, size_t size) {
    // One writer: a plain load and store do, and cost less than an atomic addition.
    uint64_t bytes = atomic_load_explicit(&generation->bytes, memory_order_relaxed);
    atomic_store_explicit(&generation->bytes, bytes + size, memory_order_relaxed);
}

void *generation_allocate(struct generation *generation, size_t size, size_t alignment) {
    void *memory = arena_allocate(&generation->arena, size, alignment);
    if (memory == NULL) return NULL;
    memset(memory, 0, size);
    count_bytes(generation, size);
    return memory;
}

void *generation_take(struct generation *generation, size_t size) {
    struct generation_slice *slice = &generation->slices[0];
    size = (size + 7) & ~(size_t)7;
    ASSERT(size <= (size_t)(slice->end - slice->next));
    void *memory = slice->next;
    slice->next += size;
    count_bytes(generation, size);
    return memory;
}

static size_t slice_room(const struct generation_slice *slice) {
    return (size_t)(slice->end - slice->next);
}

static void swap_slices(struct generation *generation) {
    struct generation_slice slice = generation->slices[0];
    generation->slices[0] = generation->slices[1];
    generation->slices[1] = slice;
}

enum status generation_reserve(struct generation *generation, size_t operation_count,
                               size_t key_bytes, size_t value_bytes) {
    struct generation_slice *slices = generation->slices;
    size_t worst = operation_count * memtable_put_overhead() + key_bytes + value_bytes;
    if (worst <= slice_room(&slices[0])) return STATUS_OK;
    // A second slice, so that a large commit does not cost what is left of the ordinary one.
    if (worst > slice_room(&slices[1])) {
        size_t size = worst > SLICE_SIZE ? worst : SLICE_SIZE;
        uint8_t *memory = arena_allocate(&generation->arena, size, 8);
        if (memory == NULL) memory = arena_allocate(&generation->arena, size = worst, 8);
        if (memory == NULL) return STATUS_NO_MEMORY;
        if (slice_room(&slices[0]) < slice_room(&slices[1])) swap_slices(generation);
        count_bytes(generation, slice_room(&slices[1])); // given up
        slices[1] = (struct generation_slice){.next = memory, .end = memory + size};
    }
    swap_slices(generation);
    return STATUS_OK;
}

// ---- the table ------------------------------------------------------------------------------

static size_t table_place(const struct table_slots *slots, enum memtable_kind kind, uint32_t id) {
    return hash_words((uint64_t)kind, id) & slots->mask;
}

static struct table_slots *slots_create(struct generation *generation, size_t count) {
    struct table_slots *slots = generation_allocate(
        generation, sizeof *slots + count * sizeof(_Atomic(struct memtable *)), 8);
    if (slots != NULL) slots->mask = count - 1;
    return slots;
}

static void slots_insert(struct table_slots *slots, struct memtable *memtable) {
    size_t place = table_place(slots, memtable_kind(memtable), memtable_id(memtable));
    while (atomic_load_explicit(&slots->slots[place], memory_order_relaxed) != NULL)
        place = (place + 1) & slots->mask;
    atomic_store_explicit(&slots->slots[place], memtable, memory_order_release);
}

// Makes room for one more; false when memory is exhausted.
static bool table_prepare(struct generation *generation) {
    struct generation_table *table = generation->tables;
    struct table_slots *old = atomic_load_explicit(&table->slots, memory_order_relaxed);
    if (table->count + 1 <= (old->mask + 1) / 2) return true;
    struct table_slots *slots = slots_create(generation, 2 * (old->mask + 1));
    if (slots == NULL) return false;
    size_t cursor = 0;
    struct memtable *memtable;
    while ((memtable = generation_next(generation, &cursor)) != NULL) slots_insert(slots, memtable);
    atomic_store_explicit(&table->slots, slots, memory_order_release);
    return true;
}

static void table_insert(struct generation_table *table, struct memtable *memtable) {
    slots_insert(atomic_load_explicit(&table->slots, memory_order_relaxed), memtable);
    if (table->last == NULL)
        atomic_store_explicit(&table->first, memtable, memory_order_release);
    else
        memtable_set_created_next(table->last, memtable);
    table->last = memtable;
    table->count++;
}

struct memtable *generation_memtable(const struct generation *generation, enum memtable_kind kind,
                                     uint32_t id) {
    const struct table_slots *slots =
        atomic_load_explicit(&generation->tables->slots, memory_order_acquire);
    for (size_t place = table_place(slots, kind, id);; place = (place + 1) & slots->mask) {
        struct memtable *memtable =
            atomic_load_explicit(&slots->slots[place], memory_order_acquire);
        if (memtable == NULL) return NULL;
        if (memtable_id(memtable) == id && memtable_kind(memtable) == kind) return memtable;
    }
}

struct memtable *generation_next(const struct generation *generation, size_t *cursor) {
    // The cursor is the address of the memtable given last, so that it stays true while the table
    // grows.
    const struct memtable *last = (const struct memtable *)*cursor;
    struct memtable *next =
        last == NULL ? atomic_load_explicit(&generation->tables->first, memory_order_acquire)
                     : memtable_created_next(last);
    if (next != NULL) *cursor = (size_t)next;
    return next;
}

struct memtable *generation_require(struct generation *generation, enum memtable_kind kind,
                                    uint32_t id, size_t new_keys) {
    struct memtable *memtable = generation_memtable(generation, kind, id);
    if (memtable != NULL) return memtable_prepare(memtable, new_keys) ? memtable : NULL;
    if (!table_prepare(generation)) return NULL;
    memtable = memtable_create(generation, kind, id);
    if (memtable == NULL || !memtable_prepare(memtable, new_keys)) return NULL;
    table_insert(generation->tables, memtable);
    return memtable;
}

// ---- lifetime -------------------------------------------------------------------------------

struct generation *generation_new(uint64_t number, uint64_t first_sequence) {
    struct generation *generation = calloc(1, sizeof *generation);
    if (generation == NULL) return NULL;
    generation->number = number;
    generation->first_sequence = first_sequence;
    generation->hash_seed = random_u64(random_system());
    atomic_init(&generation->reference_count, 1);
    generation->tables = generation_allocate(generation, sizeof *generation->tables, 8);
    struct table_slots *slots =
        generation->tables == NULL ? NULL : slots_create(generation, SLOTS_MIN);
    if (slots == NULL) {
        generation_unref(generation);
        return NULL;
    }
    atomic_init(&generation->tables->slots, slots);
    return generation;
}

struct generation *generation_ref(struct generation *generation) {
    atomic_fetch_add_explicit(&generation->reference_count, 1, memory_order_relaxed);
    return generation;
}

void generation_unref(struct generation *generation) {
    if (generation == NULL) return;
    uint64_t count =
        atomic_fetch_sub_explicit(&generation->reference_count, 1, memory_order_acq_rel);
    ASSERT(count > 0);
    if (count > 1) return;
    arena_done(&generation->arena);
    free(generation);
}
