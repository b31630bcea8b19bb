// SPDX-License-Identifier: Apache-2.0
#include "query/source.h"

static const struct range *take_range(struct source *source) {
    const struct plan *plan = source->plan;
    if (source->ranges_done == plan->range_count) return NULL;
    size_t position = source->ranges_done++;
    return &plan->ranges[plan->reverse ? plan->range_count - 1 - position : position];
}

static enum status next_key(struct source *source, struct scan_entry *ret) {
    const struct range *range = take_range(source);
    if (range == NULL) return STATUS_END;
    *ret = (struct scan_entry){0};
    ASSERT(range->lower.size == KEY_SIZE);
    memcpy(ret->key.bytes, range->lower.data, KEY_SIZE);
    return storage_get(source->view, source->store_id, &ret->key, &ret->document, &ret->sequence);
}

static enum status open_scan(struct source *source, const struct range *range) {
    struct scan_options options = {
        .store_id = source->store_id,
        .index_id = source->plan->access == ACCESS_INDEX ? source->plan->index->id : 0,
        .reverse = source->plan->reverse,
        .keys_only = source->plan->keys_only,
        .lower = range->lower,
        .upper = range->upper,
    };
    return scan_open(source->view, &options, &source->scan);
}

enum status source_next(struct source *source, struct scan_entry *ret) {
    if (source->plan->access == ACCESS_NOTHING) return STATUS_END;
    if (source->plan->access == ACCESS_KEYS) return next_key(source, ret);
    if (source->scan == NULL) {
        const struct range *range = take_range(source);
        if (range == NULL) return STATUS_END;
        if (range_empty(range)) return STATUS_NOT_FOUND;
        enum status status = open_scan(source, range);
        if (status != STATUS_OK) return status;
    }
    enum status status = scan_next(source->scan, ret);
    if (status != STATUS_END) return status;
    source_close(source);
    return STATUS_NOT_FOUND;
}

void source_close(struct source *source) {
    if (source->scan != NULL) scan_close(source->scan);
    source->scan = NULL;
}
