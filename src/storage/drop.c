// SPDX-License-Identifier: Apache-2.0
// Deleting what dropped stores and indexes leave behind. A drop is noted in the index in the
// transaction of the checkpoint that first lacks the store, so that it goes on after a restart.
#include <stdio.h>
#include <stdlib.h>

#include "storage/flusher.h"

#define DROP_SLICE_NS 20000000ULL
#define DROP_BATCH 256

static void drop_name(const struct drop *drop, char ret[32]) {
    snprintf(ret, 32, META_DROP "%c:%08x", drop->secondary ? 'i' : 's', (unsigned)drop->id);
}

static enum status drop_add(struct storage *storage, bool secondary, uint32_t id) {
    if (storage->drop_count == storage->drop_capacity) {
        size_t capacity = storage->drop_capacity == 0 ? 8 : storage->drop_capacity * 2;
        struct drop *grown = realloc(storage->drops, capacity * sizeof *grown);
        if (grown == NULL) return STATUS_NO_MEMORY;
        storage->drops = grown;
        storage->drop_capacity = capacity;
    }
    storage->drops[storage->drop_count++] = (struct drop){.secondary = secondary, .id = id};
    return STATUS_OK;
}

static enum status note(struct storage *storage, struct index_writer *writer, bool secondary,
                        uint32_t id) {
    struct drop drop = {.secondary = secondary, .id = id};
    char name[32];
    drop_name(&drop, name);
    enum status status = index_put_meta(writer, name, bytes_of("1", 1));
    return status == STATUS_OK ? drop_add(storage, secondary, id) : status;
}

enum status drop_note(struct storage *storage, struct index_writer *writer,
                      const struct catalog *before, const struct catalog *after) {
    for (size_t i = 0; i < catalog_store_count(before); i++) {
        const struct store_info *store = catalog_store_at(before, i);
        enum status status = STATUS_OK;
        if (catalog_store_by_id(after, store->id) == NULL)
            status = note(storage, writer, false, store->id);
        for (size_t k = 0; k < store->index_count && status == STATUS_OK; k++)
            if (catalog_index_by_id(after, store->indexes[k]->id) == NULL)
                status = note(storage, writer, true, store->indexes[k]->id);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

static enum status load_entry(struct bytes name, struct bytes value, void *context) {
    (void)value;
    size_t prefix = strlen(META_DROP);
    char digits[9] = {0};
    if (name.size != prefix + 10 || name.data[prefix + 1] != ':') return STATUS_CORRUPT;
    char kind = (char)name.data[prefix];
    if (kind != 's' && kind != 'i') return STATUS_CORRUPT;
    memcpy(digits, name.data + prefix + 2, 8);
    char *end;
    unsigned long id = strtoul(digits, &end, 16);
    if (*end != 0) return STATUS_CORRUPT;
    return drop_add(context, kind == 'i', (uint32_t)id);
}

enum status drop_load(struct storage *storage, struct index_reader *reader) {
    return index_each_meta(reader, META_DROP, load_entry, storage);
}

struct drop_slice {
    struct storage *storage;
    enum status status;
};

static void note_dead(const struct index_entry *entry, void *context) {
    struct drop_slice *slice = context;
    if (slice->status == STATUS_OK)
        slice->status = dead_add(&slice->storage->dead, &entry->pointer);
}

static enum status delete_slice(struct storage *storage, struct index_writer *writer,
                                const struct drop *drop, bool *ret_more) {
    struct drop_slice slice = {.storage = storage};
    struct clock *clock = storage->options.clock;
    uint64_t end = clock_monotonic_ns(clock) + DROP_SLICE_NS;
    do {
        enum status status = index_delete_range(writer, drop->secondary, drop->id, DROP_BATCH,
                                                note_dead, &slice, ret_more);
        if (status != STATUS_OK) return status;
        if (slice.status != STATUS_OK) return slice.status;
    } while (*ret_more && clock_monotonic_ns(clock) < end);
    return dead_save(&storage->dead, writer);
}

enum status drop_run(struct storage *storage, bool *ret_more) {
    *ret_more = storage->drop_count > 0;
    if (storage->drop_count == 0) return STATUS_OK;
    const struct drop *drop = &storage->drops[storage->drop_count - 1];
    struct index_writer *writer;
    enum status status = index_write_begin(storage->index, &writer);
    if (status != STATUS_OK) return status;
    bool left = false;
    status = delete_slice(storage, writer, drop, &left);
    if (status == STATUS_OK && !left) {
        char name[32];
        drop_name(drop, name);
        status = index_delete_meta(writer, name);
    }
    if (status != STATUS_OK) {
        index_write_abort(writer);
        return status;
    }
    status = index_write_commit(writer, false);
    if (status == STATUS_OK && !left) storage->drop_count--;
    return status;
}
