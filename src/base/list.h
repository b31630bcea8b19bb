// SPDX-License-Identifier: Apache-2.0
// Intrusive doubly linked list with a sentinel. The caller provides mutual exclusion.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next;
    struct list *previous;
};

static inline void list_init(struct list *head) {
    head->next = head->previous = head;
}
static inline bool list_empty(const struct list *head) {
    return head->next == head;
}
static inline void list_insert_before(struct list *place, struct list *node) {
    node->previous = place->previous;
    node->next = place;
    place->previous->next = node;
    place->previous = node;
}
static inline void list_push_back(struct list *head, struct list *node) {
    list_insert_before(head, node);
}
static inline void list_push_front(struct list *head, struct list *node) {
    list_insert_before(head->next, node);
}
// Unlinks `node` and leaves it as an empty list, so that removing twice is harmless.
static inline void list_remove(struct list *node) {
    node->previous->next = node->next;
    node->next->previous = node->previous;
    node->next = node->previous = node;
}

#define container_of(pointer, type, member) ((type *)((char *)(pointer) - offsetof(type, member)))
