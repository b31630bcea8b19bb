// SPDX-License-Identifier: Apache-2.0
// The memtables of one store or index over several frozen generations, merged: each key once, in
// order, with its newest version.
#pragma once

#include "storage/memtable.h"

#define MERGE_GENERATIONS_MAX 32

struct merge {
    struct memtable_cursor cursors[MERGE_GENERATIONS_MAX]; // newest first
    size_t count;
};

// `generations` newest first, at most MERGE_GENERATIONS_MAX.
void merge_begin(struct merge *merge, struct generation *const *generations, size_t count,
                 enum memtable_kind kind, uint32_t id);
// false at the end.
bool merge_next(struct merge *merge, struct bytes *ret_key, const struct version **ret_version);
