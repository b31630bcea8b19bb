// SPDX-License-Identifier: Apache-2.0
#include "storage/batch.h"

#include <stdlib.h>

#include "base/limits.h"

void batch_done(struct batch *batch) {
    buffer_done(&batch->payload);
    buffer_done(&batch->delta_bytes);
    free(batch->operations);
    free(batch->deltas);
    free(batch->targets);
    *batch = (struct batch){0};
}

void batch_clear(struct batch *batch) {
    buffer_clear(&batch->payload);
    buffer_clear(&batch->delta_bytes);
    batch->operation_count = batch->delta_count = batch->target_count = batch->value_bytes = 0;
}

// Grows an array so that one more element fits.
static enum status grow(void **items, size_t *capacity, size_t needed, size_t size) {
    if (needed <= *capacity) return STATUS_OK;
    size_t wanted = *capacity < 8 ? 8 : *capacity * 2;
    if (wanted < needed) wanted = needed;
    void *grown = realloc(*items, wanted * size);
    if (grown == NULL) return STATUS_NO_MEMORY;
    *items = grown;
    *capacity = wanted;
    return STATUS_OK;
}

enum status batch_room(struct batch *batch, size_t count) {
    return grow((void **)&batch->operations, &batch->operation_capacity, count,
                sizeof *batch->operations);
}

// The position of the target, with one more key counted. A batch writes to few memtables.
static enum status batch_target(struct batch *batch, enum memtable_kind kind, uint32_t id,
                                uint32_t *ret) {
    for (size_t i = batch->target_count; i-- > 0;) {
        struct batch_target *target = &batch->targets[i];
        if (target->id != id || target->kind != kind) continue;
        target->keys++;
        *ret = (uint32_t)i;
        return STATUS_OK;
    }
    enum status status = grow((void **)&batch->targets, &batch->target_capacity,
                              batch->target_count + 1, sizeof *batch->targets);
    if (status != STATUS_OK) return status;
    *ret = (uint32_t)batch->target_count;
    batch->targets[batch->target_count++] =
        (struct batch_target){.kind = kind, .id = id, .keys = 1};
    return STATUS_OK;
}

enum status batch_index_entry(struct buffer *buffer, const struct index_info *index,
                              const struct key *key, struct bytes document) {
    struct doc_value value = doc_get_path(document, bytes_of_string(index->field));
    bool truncated;
    enum status status = doc_encode_index(buffer, &value, &truncated);
    if (status != STATUS_OK) return status;
    return buffer_append(buffer, key->bytes, sizeof key->bytes);
}

static enum status batch_add_delta(struct batch *batch, uint32_t index_id, size_t offset,
                                   size_t size, bool tombstone) {
    enum status status = grow((void **)&batch->deltas, &batch->delta_capacity,
                              batch->delta_count + 1, sizeof *batch->deltas);
    if (status != STATUS_OK) return status;
    uint32_t target;
    status = batch_target(batch, MEMTABLE_INDEX, index_id, &target);
    if (status != STATUS_OK) return status;
    batch->deltas[batch->delta_count++] = (struct batch_delta){
        .operation = (uint32_t)batch->operation_count,
        .target = target,
        .offset = offset,
        .size = size,
        .tombstone = tombstone,
    };
    return STATUS_OK;
}

// tombstone(old) and put(new); nothing when the value did not change.
static enum status batch_index(struct batch *batch, const struct index_info *index,
                               const struct operation *operation, struct bytes old) {
    struct buffer *bytes = &batch->delta_bytes;
    size_t start = bytes->size;
    enum status status = STATUS_OK;
    if (old.data != NULL) status = batch_index_entry(bytes, index, &operation->key, old);
    if (status != STATUS_OK) return status;
    size_t middle = bytes->size;
    if (operation->kind == OPERATION_PUT)
        status = batch_index_entry(bytes, index, &operation->key, operation->value);
    if (status != STATUS_OK) return status;
    size_t old_size = middle - start, new_size = bytes->size - middle;
    if (old_size == new_size &&
        (old_size == 0 || memcmp(bytes->data + start, bytes->data + middle, old_size) == 0)) {
        bytes->size = start;
        return STATUS_OK;
    }
    if (old_size > 0) status = batch_add_delta(batch, index->id, start, old_size, true);
    if (status != STATUS_OK) return status;
    return new_size > 0 ? batch_add_delta(batch, index->id, middle, new_size, false) : STATUS_OK;
}

enum status batch_add(struct batch *batch, const struct store_info *store,
                      const struct operation *operation, struct bytes old, bool looked_up,
                      bool encode) {
    ASSERT(operation->kind == OPERATION_PUT || operation->kind == OPERATION_DELETE);
    ASSERT(batch->operation_count < batch->operation_capacity);
    enum status status = encode ? operation_encode(&batch->payload, operation) : STATUS_OK;
    if (status != STATUS_OK) return status;
    uint32_t target;
    status = batch_target(batch, MEMTABLE_STORE, store->id, &target);
    for (size_t i = 0; i < store->index_count && status == STATUS_OK; i++)
        status = batch_index(batch, store->indexes[i], operation, old);
    if (status != STATUS_OK) return status;
    batch->operations[batch->operation_count++] =
        (struct batch_operation){.operation = *operation, .target = target, .looked_up = looked_up};
    batch->value_bytes += operation->value.size;
    return STATUS_OK;
}

enum status batch_reserve(struct batch *batch, struct generation *generation) {
    for (size_t i = 0; i < batch->target_count; i++) {
        struct batch_target *target = &batch->targets[i];
        target->memtable = generation_require(generation, target->kind, target->id, target->keys);
        if (target->memtable == NULL) return STATUS_NO_MEMORY;
    }
    size_t key_bytes = batch->operation_count * sizeof(struct key) + batch->delta_bytes.size;
    return generation_reserve(generation, batch->operation_count + batch->delta_count, key_bytes,
                              batch->value_bytes);
}

void batch_apply(struct batch *batch, uint64_t first_sequence) {
    for (size_t i = 0; i < batch->operation_count; i++) {
        const struct batch_operation *item = &batch->operations[i];
        const struct operation *operation = &item->operation;
        bool tombstone = operation->kind == OPERATION_DELETE;
        memtable_put(batch->targets[item->target].memtable,
                     bytes_of(operation->key.bytes, sizeof operation->key.bytes),
                     first_sequence + i, tombstone, operation->value);
    }
    for (size_t i = 0; i < batch->delta_count; i++) {
        const struct batch_delta *delta = &batch->deltas[i];
        memtable_put(batch->targets[delta->target].memtable,
                     bytes_of(batch->delta_bytes.data + delta->offset, delta->size),
                     first_sequence + delta->operation, delta->tombstone, (struct bytes){0});
    }
}
