// SPDX-License-Identifier: Apache-2.0
// Conditions of one field being joined to one range, for range.c and key_range.c.
#pragma once

#include "query/range.h"

struct accumulator {
    struct range range;
    bool has_lower, has_upper; // bounded by a condition
    bool nothing;              // the conditions contradict each other
};
CHECKED enum status range_conclude(const struct accumulator *all, struct arena *arena,
                                   struct range_set *ret);
