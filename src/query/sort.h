// SPDX-License-Identifier: Apache-2.0
// The first `count` of any number of documents by their sort keys, in bounded memory: a heap whose
// root is the last one kept. One thread; sorter_done() frees.
#pragma once

#include "base/limits.h"
#include "storage/storage.h"

#define SORT_MEMORY_MAX (64 * MIB)

struct sort_item {
    uint8_t *key; // owned
    uint32_t size, capacity;
    struct bytes document;
};

struct sorter {
    struct sort_item *items;
    size_t count, capacity;
    size_t kept_max;
    size_t memory_bytes;
    bool popping;
};

// Empties it for the least `kept_max` items (at least 1).
void sorter_begin(struct sorter *sorter, size_t kept_max);
// Copies the key; the document must stay in place. STATUS_NO_MEMORY, STATUS_TOO_LARGE.
CHECKED enum status sorter_add(struct sorter *sorter, struct bytes key, struct bytes document);
// Takes the least item off; no more may be added. The key is valid until the next call. false at
// the end.
bool sorter_pop(struct sorter *sorter, struct bytes *ret_key, struct bytes *ret_document);
void sorter_done(struct sorter *sorter);
