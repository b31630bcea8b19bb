// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>

#include "storage/flusher.h"

static enum status dead_room(struct dead_bytes *dead, uint32_t segment) {
    if (segment < dead->count) return STATUS_OK;
    size_t count = (size_t)segment + 16;
    uint64_t *segments = realloc(dead->segments, count * sizeof *segments);
    if (segments == NULL) return STATUS_NO_MEMORY;
    dead->segments = segments;
    bool *changed = realloc(dead->changed, count * sizeof *changed);
    if (changed == NULL) return STATUS_NO_MEMORY;
    dead->changed = changed;
    memset(segments + dead->count, 0, (count - dead->count) * sizeof *segments);
    memset(changed + dead->count, 0, (count - dead->count) * sizeof *changed);
    dead->count = count;
    return STATUS_OK;
}

static enum status dead_load_entry(struct bytes name, struct bytes value, void *context) {
    struct dead_bytes *dead = context;
    char digits[9] = {0};
    size_t prefix = strlen(META_DEAD);
    if (name.size != prefix + 8 || value.size != 8) return STATUS_CORRUPT;
    memcpy(digits, name.data + prefix, 8);
    char *end;
    unsigned long segment = strtoul(digits, &end, 16);
    if (*end != 0 || segment > 1000000) return STATUS_CORRUPT;
    enum status status = dead_room(dead, (uint32_t)segment);
    if (status != STATUS_OK) return status;
    dead->segments[segment] = load_le64(value.data);
    atomic_fetch_add(&dead->total, dead->segments[segment]);
    return STATUS_OK;
}

enum status dead_load(struct dead_bytes *dead, struct index_reader *reader) {
    return index_each_meta(reader, META_DEAD, dead_load_entry, dead);
}

enum status dead_add(struct dead_bytes *dead, const struct vlog_pointer *pointer) {
    enum status status = dead_room(dead, pointer->segment);
    if (status != STATUS_OK) return status;
    uint64_t size = (VLOG_RECORD_HEADER_SIZE + (uint64_t)pointer->size + 7) & ~7ULL;
    dead->segments[pointer->segment] += size;
    dead->changed[pointer->segment] = true;
    atomic_fetch_add_explicit(&dead->total, size, memory_order_relaxed);
    return STATUS_OK;
}

enum status dead_save(struct dead_bytes *dead, struct index_writer *writer) {
    for (size_t i = 0; i < dead->count; i++) {
        if (!dead->changed[i]) continue;
        char name[32];
        uint8_t value[8];
        snprintf(name, sizeof name, META_DEAD "%08x", (unsigned)i);
        store_le64(value, dead->segments[i]);
        enum status status = index_put_meta(writer, name, bytes_of(value, sizeof value));
        if (status != STATUS_OK) return status;
        dead->changed[i] = false;
    }
    return STATUS_OK;
}

void dead_done(struct dead_bytes *dead) {
    free(dead->segments);
    free(dead->changed);
    dead->segments = NULL;
    dead->changed = NULL;
    dead->count = 0;
    atomic_store(&dead->total, 0);
}
