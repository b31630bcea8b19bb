// SPDX-License-Identifier: Apache-2.0
#include "storage/skiplist.h"

#include "base/hash.h"

// What is looked for, with the part that decides most comparisons taken out once.
struct probe {
    uint64_t prefix;
    struct bytes key;
};

static uint64_t prefix_of(struct bytes key) {
    if (key.size >= 8) return load_be64(key.data);
    uint64_t prefix = 0;
    for (size_t i = 0; i < key.size; i++) prefix |= (uint64_t)key.data[i] << (56 - 8 * i);
    return prefix;
}

static struct probe probe_of(struct bytes key) {
    return (struct probe){.prefix = prefix_of(key), .key = key};
}

static bool precedes_by_rest(const struct memtable_node *node, const struct probe *probe) {
    struct bytes key = skiplist_key(node);
    if (key.size == 16 && probe->key.size == 16)
        return load_be64(key.data + 8) < load_be64(probe->key.data + 8);
    return bytes_compare(key, probe->key) < 0;
}

static inline bool precedes(const struct memtable_node *node, const struct probe *probe) {
    if (node->prefix != probe->prefix) return node->prefix < probe->prefix;
    return precedes_by_rest(node, probe);
}

bool skiplist_equal(const struct memtable_node *node, struct bytes key) {
    return bytes_equal(skiplist_key(node), key);
}

void skiplist_init(struct skiplist *list, struct memtable_node *head, uint64_t seed) {
    head->height = SKIPLIST_HEIGHT_MAX;
    *list = (struct skiplist){.head = head, .random = seed | 1};
    for (int level = 0; level < SKIPLIST_HEIGHT_MAX; level++) list->path[level] = head;
    atomic_init(&list->height, 1);
}

uint32_t skiplist_random_height(struct skiplist *list) {
    list->random += 0x9e3779b97f4a7c15ULL;
    uint64_t bits = hash_mix(list->random, 0xd6e8feb86659fd93ULL);
    bits |= 1ULL << (2 * (SKIPLIST_HEIGHT_MAX - 1));
    return 1 + (uint32_t)__builtin_ctzll(bits) / 2;
}

// Goes down from `node` at `level`, which is before the place looked for. Fills `path` below and at
// `level` unless NULL. Returns the last node before the place; `ret_next` the first that is not.
static struct memtable_node *descend(struct memtable_node *node, uint32_t level,
                                     const struct probe *probe, struct memtable_node **path,
                                     struct memtable_node **ret_next) {
    struct memtable_node *beyond = NULL; // known not to precede the key: met at a higher level
    for (;; level--) {
        struct memtable_node *next = skiplist_next(node, level);
        while (next != NULL && next != beyond) {
            if (level > 0) __builtin_prefetch(skiplist_next(node, level - 1));
            if (!precedes(next, probe)) break;
            node = next;
            next = skiplist_next(node, level);
        }
        beyond = next;
        if (path != NULL) path[level] = node;
        if (level == 0) {
            *ret_next = next;
            return node;
        }
    }
}

struct memtable_node *skiplist_find_place(struct skiplist *list, struct bytes key) {
    struct probe probe = probe_of(key);
    uint32_t height = atomic_load_explicit(&list->height, memory_order_relaxed);
    struct memtable_node *next;
    // Climb until the gap after the finger holds the key. The gaps of a path are nested, so the
    // path above stays right.
    for (uint32_t level = 0; level < height; level++) {
        struct memtable_node *before = list->path[level];
        if (before != list->head && !precedes(before, &probe)) continue;
        next = skiplist_next(before, level);
        if (next != NULL && precedes(next, &probe)) continue;
        if (level > 0) descend(before, level - 1, &probe, list->path, &next);
        return next;
    }
    descend(list->head, height - 1, &probe, list->path, &next);
    return next;
}

struct memtable_node *skiplist_insert(struct skiplist *list, void *memory, struct bytes key,
                                      uint32_t height, struct version *newest) {
    struct memtable_node *node = memory;
    node->prefix = prefix_of(key);
    node->key_size = (uint32_t)key.size;
    node->height = height;
    atomic_init(&node->newest, newest);
    memcpy(&node->next[height], key.data, key.size);
    // Levels above the highest so far have the head as their path since skiplist_init().
    if (height > atomic_load_explicit(&list->height, memory_order_relaxed))
        atomic_store_explicit(&list->height, height, memory_order_relaxed);
    for (uint32_t level = 0; level < height; level++)
        atomic_init(&node->next[level], skiplist_next(list->path[level], level));
    for (uint32_t level = 0; level < height; level++) {
        atomic_store_explicit(&list->path[level]->next[level], node, memory_order_release);
        list->path[level] = node;
    }
    return node;
}

struct memtable_node *skiplist_seek(const struct skiplist *list, struct bytes key) {
    if (key.data == NULL) return skiplist_next(list->head, 0);
    struct probe probe = probe_of(key);
    uint32_t height = atomic_load_explicit(&list->height, memory_order_relaxed);
    struct memtable_node *next;
    descend(list->head, height - 1, &probe, NULL, &next);
    return next;
}

static struct memtable_node *last_node(const struct skiplist *list) {
    struct memtable_node *node = list->head;
    uint32_t level = atomic_load_explicit(&list->height, memory_order_relaxed);
    while (level-- > 0) {
        struct memtable_node *next;
        while ((next = skiplist_next(node, level)) != NULL) node = next;
    }
    return node;
}

struct memtable_node *skiplist_seek_before(const struct skiplist *list, struct bytes key) {
    struct memtable_node *node, *next;
    if (key.data == NULL) {
        node = last_node(list);
    } else {
        struct probe probe = probe_of(key);
        uint32_t height = atomic_load_explicit(&list->height, memory_order_relaxed);
        node = descend(list->head, height - 1, &probe, NULL, &next);
    }
    return node == list->head ? NULL : node;
}
