// SPDX-License-Identifier: Apache-2.0
#include "query/sort.h"

#include <stdlib.h>

static struct bytes item_key(const struct sort_item *item) {
    return bytes_of(item->key, item->size);
}

// Whether `a` belongs nearer to the root than `b`: the greatest is there while items are added, so
// that it can be replaced; the least while they are taken off.
static bool is_nearer(const struct sorter *sorter, const struct sort_item *a,
                      const struct sort_item *b) {
    int order = bytes_compare(item_key(a), item_key(b));
    return sorter->popping ? order < 0 : order > 0;
}

static void swap(struct sorter *sorter, size_t a, size_t b) {
    struct sort_item item = sorter->items[a];
    sorter->items[a] = sorter->items[b];
    sorter->items[b] = item;
}

static void sift_down(struct sorter *sorter, size_t i, size_t count) {
    for (;;) {
        size_t nearest = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < count; child++)
            if (is_nearer(sorter, &sorter->items[child], &sorter->items[nearest])) nearest = child;
        if (nearest == i) return;
        swap(sorter, i, nearest);
        i = nearest;
    }
}

static void sift_up(struct sorter *sorter, size_t i) {
    while (i > 0 && is_nearer(sorter, &sorter->items[i], &sorter->items[(i - 1) / 2])) {
        swap(sorter, i, (i - 1) / 2);
        i = (i - 1) / 2;
    }
}

static void heapify(struct sorter *sorter) {
    for (size_t i = sorter->count / 2; i-- > 0;) sift_down(sorter, i, sorter->count);
}

void sorter_begin(struct sorter *sorter, size_t kept_max) {
    ASSERT(kept_max > 0);
    sorter_done(sorter);
    sorter->kept_max = kept_max;
}

static enum status take_memory(struct sorter *sorter, size_t bytes) {
    if (bytes > SORT_MEMORY_MAX - sorter->memory_bytes) return STATUS_TOO_LARGE;
    sorter->memory_bytes += bytes;
    return STATUS_OK;
}

static enum status grow_items(struct sorter *sorter) {
    if (sorter->count < sorter->capacity) return STATUS_OK;
    size_t capacity = sorter->capacity < 16 ? 16 : sorter->capacity * 2;
    enum status status = take_memory(sorter, (capacity - sorter->capacity) * sizeof *sorter->items);
    if (status != STATUS_OK) return status;
    struct sort_item *items = realloc(sorter->items, capacity * sizeof *items);
    if (items == NULL) return STATUS_NO_MEMORY;
    sorter->items = items;
    sorter->capacity = capacity;
    return STATUS_OK;
}

// Fills an item, in the memory of the one that was there if it suffices.
static enum status set_item(struct sorter *sorter, struct sort_item *item, struct bytes key,
                            struct bytes document) {
    if (key.size > item->capacity) {
        if (key.size > UINT32_MAX) return STATUS_TOO_LARGE;
        enum status status = take_memory(sorter, key.size - item->capacity);
        if (status != STATUS_OK) return status;
        uint8_t *grown = realloc(item->key, key.size);
        if (grown == NULL) return STATUS_NO_MEMORY;
        item->key = grown;
        item->capacity = (uint32_t)key.size;
    }
    memcpy(item->key, key.data, key.size);
    item->size = (uint32_t)key.size;
    item->document = document;
    return STATUS_OK;
}

enum status sorter_add(struct sorter *sorter, struct bytes key, struct bytes document) {
    ASSERT(!sorter->popping);
    if (sorter->count == sorter->kept_max) {
        if (bytes_compare(key, item_key(&sorter->items[0])) >= 0) return STATUS_OK;
        enum status status = set_item(sorter, &sorter->items[0], key, document);
        if (status == STATUS_OK) sift_down(sorter, 0, sorter->count);
        return status;
    }
    enum status status = grow_items(sorter);
    if (status != STATUS_OK) return status;
    sorter->items[sorter->count] = (struct sort_item){0};
    status = set_item(sorter, &sorter->items[sorter->count], key, document);
    if (status == STATUS_OK) sift_up(sorter, sorter->count++);
    return status;
}

bool sorter_pop(struct sorter *sorter, struct bytes *ret_key, struct bytes *ret_document) {
    if (!sorter->popping) {
        sorter->popping = true;
        heapify(sorter);
    } else if (sorter->count > 0) { // what the last call returned
        free(sorter->items[sorter->count].key);
        sorter->items[sorter->count].key = NULL;
    }
    if (sorter->count == 0) return false;
    swap(sorter, 0, --sorter->count);
    sift_down(sorter, 0, sorter->count);
    *ret_key = item_key(&sorter->items[sorter->count]);
    *ret_document = sorter->items[sorter->count].document;
    return true;
}

void sorter_done(struct sorter *sorter) {
    // While popping, the item behind the last may be out with the caller.
    size_t count = sorter->count + (sorter->popping && sorter->count < sorter->capacity);
    for (size_t i = 0; i < count; i++) free(sorter->items[i].key);
    free(sorter->items);
    *sorter = (struct sorter){0};
}
