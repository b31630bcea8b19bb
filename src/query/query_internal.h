// SPDX-License-Identifier: Apache-2.0
// A query being run: what query.c (its life) and execute.c (its steps) share.
#pragma once

#include "query/cursor.h"
#include "query/sort.h"
#include "query/source.h"
#include "query/stage.h"

struct query {
    struct form form;
    struct plan plan;
    struct view view;
    const struct store_info *store;
    struct bytes after; // sort key to go on behind; data NULL: from the beginning
    struct source source;
    struct buffer sort_key; // of the document in hand
    struct buffer cursor;
    struct evaluator evaluator;
    struct pipeline pipeline; // of the form's stages, if any
    bool count_rows;          // that come out of the pipeline
    struct bytes emitted;     // to the pipeline; data NULL: none
    bool base_done;           // nothing more goes into the pipeline
    uint64_t rows;            // that came out of it

    uint64_t entries;  // of the access path
    uint64_t matched;  // documents of a count, or offered to the page
    uint64_t appended; // to the reply
    bool done;
    bool more; // something follows the page
    struct key last_key;
    struct bytes last_document;

    // Documents on their way through the sorter: all of them when the access path does not give
    // the order, else those of a group, the index entries that share the ordered part of a long
    // value. The first entry behind a group is held until the group is out.
    struct sorter sorter;
    bool grouping;
    bool draining;
    bool holding;
    struct scan_entry held;
    struct buffer group; // the ordered part of the group's values
};

// One entry of the access path, or one document out of the sorter. STATUS_OK: go on unless
// query->done.
// A row out of the pipeline, in the same way; and a document into it.
CHECKED enum status execute_stages(struct query *query, struct buffer *out, struct error *error);
CHECKED enum status execute_source(void *context, struct bytes *ret_row, struct error *error);
CHECKED enum status execute_one(struct query *query, struct buffer *out, struct error *error);
