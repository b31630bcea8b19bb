// SPDX-License-Identifier: Apache-2.0
// The choice of one access path for a form. There are no statistics yet: the choice goes by the
// kind of condition, in this order: `_id` by equality; an index by equality, then by a list; a
// range with two ends; an index that gives the order of the sort; a range with one end; the whole
// store. Where two are alike, the one that gives the order is taken, then `_id`, then the older
// index.
#pragma once

#include "query/range.h"
#include "query/sort_key.h"

enum access {
    ACCESS_NOTHING, // no document can match
    ACCESS_KEYS,    // single documents by `_id`
    ACCESS_PRIMARY, // the store or a range of it
    ACCESS_INDEX,
};

struct plan {
    enum access access;
    enum range_shape shape;
    const struct index_info *index;
    // What is scanned, in ascending order whatever the direction. Of ACCESS_KEYS: `lower` is the
    // key.
    struct range *ranges;
    size_t range_count;
    bool reverse;
    bool ordered;   // entries come in the order of the form
    bool keys_only; // documents are fetched only where the entry does not tell enough
    // What entries must still satisfy; those of long index values (range.h) the whole filter.
    const struct condition **residual;
    size_t residual_count;
    char text[192];
};

// Forms sort keys after `after` only (data NULL: all). STATUS_NO_MEMORY.
CHECKED enum status plan_choose(const struct form *form, const struct store_info *store,
                                struct bytes after, struct arena *arena, struct plan *ret);
