// SPDX-License-Identifier: Apache-2.0
// The entries of a plan's access path, range after range, one at a time.
#pragma once

#include "query/plan.h"

struct source {
    const struct view *view;
    const struct plan *plan;
    uint32_t store_id;
    struct scan *scan;  // of the range being read
    size_t ranges_done; // or keys
};

// The next entry; STATUS_END behind the last; STATUS_NOT_FOUND when there was none where one was
// looked for (go on). `ret->value` is valid until the next call.
CHECKED enum status source_next(struct source *source, struct scan_entry *ret);
void source_close(struct source *source);
