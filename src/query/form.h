// SPDX-License-Identifier: Apache-2.0
// The logical form of a query (docs/PROTOCOL.md), parsed and checked. Everything in it points into
// the form's bytes or the arena.
#pragma once

#include "query/condition.h"

#define LIMIT_DEFAULT 1000
#define LIMIT_MAX 100000
#define LIMIT_NONE INT64_MAX // of documents that go into stages
#define SORT_FIELDS_MAX 8
#define PROJECTED_FIELDS_MAX 64

struct sort_field {
    struct bytes path;
    bool descending;
};

struct form {
    struct bytes store;
    const struct condition *filter; // NULL: all
    // The order: the fields, then `_id`. Sorting by `_id` itself and by what follows it is folded
    // into `key_descending`; without an `_id` in the sort it has the direction of the last field.
    struct sort_field sort[SORT_FIELDS_MAX];
    size_t sort_count;
    bool key_descending;
    uint64_t limit;
    uint64_t skip;
    struct bytes after; // data NULL: none
    bool projected;
    struct bytes *fields;
    size_t field_count;
    bool counting;
    struct bytes stages; // the array; data NULL: none
    bool any_order;      // of the documents: the stages do not mind
};

// Expressions in the filter use `evaluator`. The stages are left as they are (stage.h); with them
// an absent limit means all documents.
CHECKED enum status form_parse(struct bytes bytes, bool counting, struct evaluator *evaluator,
                               struct arena *arena, struct form *ret, struct error *error);
