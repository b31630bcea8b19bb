// SPDX-License-Identifier: Apache-2.0
#include "storage/merge.h"

void merge_begin(struct merge *merge, struct generation *const *generations, size_t count,
                 enum memtable_kind kind, uint32_t id) {
    ASSERT(count <= MERGE_GENERATIONS_MAX);
    merge->count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct memtable *memtable = generation_memtable(generations[i], kind, id);
        if (memtable == NULL) continue;
        memtable_seek(&merge->cursors[merge->count++], memtable, (struct bytes){0});
    }
}

bool merge_next(struct merge *merge, struct bytes *ret_key, const struct version **ret_version) {
    struct memtable_cursor *first = NULL;
    struct bytes least = {0};
    for (size_t i = 0; i < merge->count; i++) {
        struct memtable_cursor *cursor = &merge->cursors[i];
        if (cursor->node == NULL) continue;
        struct bytes key = memtable_node_key(cursor->node);
        // On a tie the earlier, newer one stays.
        if (first != NULL && bytes_compare(key, least) >= 0) continue;
        first = cursor;
        least = key;
    }
    if (first == NULL) return false;
    *ret_version = memtable_node_version(first->node, UINT64_MAX);
    ASSERT(*ret_version != NULL);
    for (size_t i = 0; i < merge->count; i++) {
        struct memtable_cursor *cursor = &merge->cursors[i];
        if (cursor->node != NULL && bytes_equal(memtable_node_key(cursor->node), least))
            memtable_cursor_next(cursor);
    }
    *ret_key = least;
    return true;
}
