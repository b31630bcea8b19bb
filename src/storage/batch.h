// SPDX-License-Identifier: Apache-2.0
// The operations of one commit on their way into a generation: encoded for the log, with the
// changes they make to secondary indexes worked out. Made before the commit lock, applied under it;
// recovery makes them again from the log. A batch is reused from commit to commit and belongs to
// one thread.
#pragma once

#include "storage/catalog.h"
#include "storage/memtable.h"

struct batch_operation {
    struct operation operation; // key and value point to the caller's memory
    uint32_t target;
    bool looked_up; // what is there was read, so it must not have changed at commit
};

// One entry that an operation adds to or removes from an index.
struct batch_delta {
    uint32_t operation; // position
    uint32_t target;
    size_t offset, size; // of value ++ key, in `delta_bytes`
    bool tombstone;
};

// A memtable that the batch writes to.
struct batch_target {
    enum memtable_kind kind;
    uint32_t id;
    size_t keys;
    struct memtable *memtable; // after batch_reserve()
};

struct batch {
    struct buffer payload;
    struct batch_operation *operations;
    size_t operation_count, operation_capacity;
    struct batch_delta *deltas;
    size_t delta_count, delta_capacity;
    struct buffer delta_bytes;
    struct batch_target *targets;
    size_t target_count, target_capacity;
    size_t value_bytes;
};

void batch_done(struct batch *batch);
void batch_clear(struct batch *batch);
// Makes room for `count` operations in all.
CHECKED enum status batch_room(struct batch *batch, size_t count);
// Adds a put or delete; `old` is the document that it replaces or removes (NULL data: none), which
// is needed when the store has indexes. `encode` adds it to the payload as well.
CHECKED enum status batch_add(struct batch *batch, const struct store_info *store,
                              const struct operation *operation, struct bytes old, bool looked_up,
                              bool encode);
// Under the commit lock: makes the memtables and reserves memory, so that batch_apply() cannot
// fail.
CHECKED enum status batch_reserve(struct batch *batch, struct generation *generation);
// Operation i gets sequence first_sequence + i.
void batch_apply(struct batch *batch, uint64_t first_sequence);

// The index entry of `document` (value ++ key) appended to `buffer`.
CHECKED enum status batch_index_entry(struct buffer *buffer, const struct index_info *index,
                                      const struct key *key, struct bytes document);
