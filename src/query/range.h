// SPDX-License-Identifier: Apache-2.0
// Ranges of keys (of `_id`) and of index entries that hold what conditions on one field ask for.
// Bounds live in the arena.
//
// An index entry is the encoded value and the 16-byte key. Encodings longer than INDEX_VALUE_MAX
// are cut and end in a hash, and so give no order beyond their first VALUE_ORDERED_MAX bytes:
// bounds are cut there, and whoever reads entries with values at least that long must look at the
// document. All other entries of a range satisfy the conditions that it was made from.
#pragma once

#include "query/condition.h"

#include "base/limits.h"

#define VALUE_ORDERED_MAX (INDEX_VALUE_MAX - 8)

// Lower inclusive, upper exclusive; data NULL: unbounded.
struct range {
    struct bytes lower, upper;
};

enum range_shape { // from the most to the least selective
    RANGE_NOTHING, // no document can match
    RANGE_EQ,
    RANGE_IN,
    RANGE_BOUNDED, // on both sides
    RANGE_HALF,    // on one side
    RANGE_ALL,
};

struct range_set {
    enum range_shape shape;
    struct range *ranges; // ascending, disjoint
    size_t count;
    // The conditions of the list that the ranges imply.
    uint64_t implied;
};

#define RANGE_CONDITIONS_MAX 64 // of a conjunction; others are left to the residual filter

// What the conjunction of `conditions` (at most RANGE_CONDITIONS_MAX) says about `path`.
// STATUS_NO_MEMORY.
CHECKED enum status range_of_index(const struct condition *const *conditions, size_t count,
                                   struct bytes path, struct arena *arena, struct range_set *ret);
// The same for `_id`, in keys of 16 bytes: RANGE_EQ and RANGE_IN have a range for each key, from
// the key to its successor.
CHECKED enum status range_of_key(const struct condition *const *conditions, size_t count,
                                 enum key_type type, struct arena *arena, struct range_set *ret);

// A key as a bound, or the one behind it; data NULL behind the last.
CHECKED enum status range_key_bound(const struct key *key, bool behind, struct arena *arena,
                                    struct bytes *ret);
// The least byte string above all that begin with `prefix`; data NULL when there is none.
CHECKED enum status range_successor(struct bytes prefix, struct arena *arena, struct bytes *ret);
// Narrows a range; an unbounded `bound` leaves it.
void range_raise(struct range *range, struct bytes bound);
void range_lower(struct range *range, struct bytes bound);
static inline bool range_empty(const struct range *range) {
    return range->lower.data != NULL && range->upper.data != NULL &&
           bytes_compare(range->lower, range->upper) >= 0;
}
