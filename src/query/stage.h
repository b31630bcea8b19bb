// SPDX-License-Identifier: Apache-2.0
// The stages that follow the selection of documents from the store (docs/PROTOCOL.md): a pull
// pipeline, in which each stage asks the one before it for a row. A row is a BSON document. Every
// stage does a bounded piece of work per call, so that a query can be left at any of them.
#pragma once

#include "query/expression.h"
#include "query/form.h"
#include "query/place.h"
#include "storage/storage.h"

#define STAGES_MAX 32
#define STAGE_MEMORY_MAX (64 * MIB) // of all stages of a query

struct pipeline;

struct stage {
    // STATUS_OK with a row that is valid until the next call; STATUS_NOT_FOUND: none yet, call
    // again; STATUS_END.
    enum status (*next)(struct stage *stage, struct bytes *ret_row, struct error *error);
    void (*close)(struct stage *stage); // NULL: nothing to do
    const char *name;
    struct stage *child; // NULL: the documents of the store
    struct pipeline *pipeline;
    struct buffer row; // that it made
    uint64_t rows_out; // for explain
};

struct pipeline {
    struct stage *last; // NULL: there are no stages
    struct arena *arena;
    struct arena memory; // what stages keep
    struct evaluator *evaluator;
    const struct view *view;
    struct catalog const *catalog;
    size_t remaining; // conditions and expressions that the form may still hold
    bool one_to_one;  // one row out for each document in
    bool any_order;   // the result does not depend on the order of the documents
    enum status (*source)(void *context, struct bytes *ret_row, struct error *error);
    void *context;
};

// Parses the "stages" of a form. `pipeline` has all but `last`, `one_to_one` and `any_order`.
CHECKED enum status pipeline_parse(struct pipeline *pipeline, struct bytes stages,
                                   struct error *error);
// The next row of the last stage, as stage.next.
CHECKED enum status pipeline_next(struct pipeline *pipeline, struct bytes *ret_row,
                                  struct error *error);
void pipeline_close(struct pipeline *pipeline);

// ---- for the stages -------------------------------------------------------------------------

// A row of the stage before.
static inline enum status stage_pull(struct stage *stage, struct bytes *ret_row,
                                     struct error *error) {
    if (stage->child == NULL)
        return stage->pipeline->source(stage->pipeline->context, ret_row, error);
    enum status status = stage->child->next(stage->child, ret_row, error);
    if (status == STATUS_OK) stage->child->rows_out++;
    return status;
}
// STATUS_TOO_LARGE: the memory of the stages is used up.
enum status stage_too_large(const struct stage *stage, struct error *error);
// The failure that evaluation noted, if any.
CHECKED enum status stage_evaluated(const struct stage *stage, struct error *error);
// A row that was built: STATUS_OK, or what went wrong.
CHECKED enum status stage_built(struct stage *stage, enum status status, struct bytes *ret_row,
                                struct error *error);

// A name and what it stands for, of select and group.
struct output {
    const char *name; // NUL-terminated
    const struct expression *expression;
};
// Parses {"name", "expression"}; the name has no dots and differs from those of `outputs`.
CHECKED enum status output_parse(struct pipeline *pipeline, struct form_field *name,
                                 struct form_field *expression, const struct place *place,
                                 const struct output *outputs, size_t count, struct output *ret,
                                 struct error *error);

typedef enum status stage_parser(struct pipeline *pipeline, struct bytes form,
                                 const struct place *place, struct stage **ret,
                                 struct error *error);
stage_parser stage_parse_group, stage_parse_join, stage_parse_sort;
