// SPDX-License-Identifier: Apache-2.0
#include "storage/history.h"

#include <stdlib.h>

#include "storage/flusher.h"

struct kept {
    struct list node; // oldest first
    struct generation *generation;
    uint64_t bytes;
};

void history_init(struct storage *storage) {
    mutex_init(&storage->history.lock);
    list_init(&storage->history.members);
    list_init(&storage->history.kept);
}

static void free_all(struct list *kept) {
    while (!list_empty(kept)) {
        struct kept *item = container_of(kept->next, struct kept, node);
        list_remove(&item->node);
        generation_unref(item->generation);
        free(item);
    }
}

void history_done(struct storage *storage) {
    ASSERT(list_empty(&storage->history.members));
    free_all(&storage->history.kept);
    mutex_done(&storage->history.lock);
}

// ---- members --------------------------------------------------------------------------------

bool history_enter(struct storage *storage, struct history_member *member) {
    struct history *history = &storage->history;
    mutex_lock(&history->lock);
    bool reached = member->sequence >= history->floor;
    if (reached) list_push_back(&history->members, &member->node);
    mutex_unlock(&history->lock);
    return reached;
}

void history_leave(struct storage *storage, struct history_member *member) {
    struct history *history = &storage->history;
    mutex_lock(&history->lock);
    list_remove(&member->node);
    bool kept = !list_empty(&history->kept);
    mutex_unlock(&history->lock);
    if (kept) flusher_wake(storage);
}

// Under the lock: the sequence of the oldest live transaction.
static uint64_t oldest(const struct history *history) {
    uint64_t least = UINT64_MAX;
    for (struct list *node = history->members.next; node != &history->members; node = node->next) {
        uint64_t sequence = container_of(node, struct history_member, node)->sequence;
        if (sequence < least) least = sequence;
    }
    return least;
}

// ---- generations ----------------------------------------------------------------------------

static uint64_t last_of(const struct generation *generation) {
    return atomic_load_explicit(&generation->last_sequence, memory_order_acquire);
}

// Under the lock: moves the oldest kept generation to `gone`.
static void give_up_oldest(struct history *history, struct list *gone) {
    struct kept *item = container_of(history->kept.next, struct kept, node);
    uint64_t last = last_of(item->generation);
    if (last > history->floor) history->floor = last;
    history->bytes -= item->bytes;
    list_remove(&item->node);
    list_push_back(gone, &item->node);
}

static void keep_one(struct history *history, struct generation *generation) {
    uint64_t last = last_of(generation);
    ASSERT(last > 0);
    struct kept *item = last > oldest(history) ? malloc(sizeof *item) : NULL;
    if (item == NULL) {
        if (last > history->floor) history->floor = last;
        return;
    }
    item->generation = generation_ref(generation);
    item->bytes = atomic_load_explicit(&generation->bytes, memory_order_relaxed);
    history->bytes += item->bytes;
    list_push_back(&history->kept, &item->node);
}

void history_keep(struct storage *storage, struct generation *const *generations, size_t count) {
    struct history *history = &storage->history;
    struct list gone;
    list_init(&gone);
    mutex_lock(&history->lock);
    for (size_t i = count; i-- > 0;) keep_one(history, generations[i]);
    while (history->bytes > (uint64_t)storage->options.history_bytes_max)
        give_up_oldest(history, &gone);
    mutex_unlock(&history->lock);
    free_all(&gone);
}

void history_prune(struct storage *storage) {
    struct history *history = &storage->history;
    struct list gone;
    list_init(&gone);
    mutex_lock(&history->lock);
    uint64_t least = oldest(history);
    while (!list_empty(&history->kept) &&
           last_of(container_of(history->kept.next, struct kept, node)->generation) <= least)
        give_up_oldest(history, &gone);
    mutex_unlock(&history->lock);
    free_all(&gone);
}

// ---- what is newer --------------------------------------------------------------------------

static bool is_newer(const struct generation *generation, uint64_t sequence) {
    uint64_t last = last_of(generation);
    return last == 0 || last > sequence; // 0: the active one
}

static void add(struct history_list *list, struct generation *generation) {
    for (size_t i = 0; i < list->count; i++)
        if (list->generations[i] == generation) return; // on its way out of the version
    list->generations[list->count++] = generation_ref(generation);
}

static enum status collect(struct history *history, const struct storage_version *version,
                           uint64_t sequence, struct history_list *list) {
    if (sequence < history->floor) return STATUS_SNAPSHOT_TOO_OLD;
    size_t room = version->generation_count;
    for (struct list *node = history->kept.next; node != &history->kept; node = node->next) room++;
    list->generations = malloc(room * sizeof(struct generation *));
    if (list->generations == NULL) return STATUS_NO_MEMORY;
    for (size_t i = 0; i < version->generation_count; i++)
        if (is_newer(version->generations[i], sequence)) add(list, version->generations[i]);
    for (struct list *node = history->kept.next; node != &history->kept; node = node->next) {
        struct generation *generation = container_of(node, struct kept, node)->generation;
        if (is_newer(generation, sequence)) add(list, generation);
    }
    return STATUS_OK;
}

enum status history_newer(struct storage *storage, const struct storage_version *version,
                          uint64_t sequence, struct history_list *ret) {
    struct history_list list = {0};
    mutex_lock(&storage->history.lock);
    enum status status = collect(&storage->history, version, sequence, &list);
    mutex_unlock(&storage->history.lock);
    if (status == STATUS_OK) *ret = list;
    return status;
}

void history_list_done(struct history_list *list) {
    for (size_t i = 0; i < list->count; i++) generation_unref(list->generations[i]);
    free(list->generations);
    *list = (struct history_list){0};
}
