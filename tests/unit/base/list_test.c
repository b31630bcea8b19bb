// SPDX-License-Identifier: Apache-2.0
#include "base/list.h"

#include "test.h"

struct item {
    int number;
    struct list link;
};

TEST(list_keeps_order_and_forgives_a_second_removal) {
    struct list head;
    list_init(&head);
    CHECK(list_empty(&head));
    struct item items[3] = {{.number = 1}, {.number = 2}, {.number = 0}};
    list_push_back(&head, &items[0].link);
    list_push_back(&head, &items[1].link);
    list_push_front(&head, &items[2].link);
    int expected = 0;
    for (struct list *at = head.next; at != &head; at = at->next)
        CHECK_EQUAL(expected++, container_of(at, struct item, link)->number);
    CHECK_EQUAL(3, expected);
    list_remove(&items[0].link);
    list_remove(&items[0].link);
    CHECK(head.next == &items[2].link && head.next->next == &items[1].link);
    CHECK(head.previous == &items[1].link);
    list_remove(&items[1].link);
    list_remove(&items[2].link);
    CHECK(list_empty(&head));
}
