// SPDX-License-Identifier: Apache-2.0
// The pipeline, and the stages that look at one row at a time: filter, select, distinct, skip,
// limit, unwind.
#include "query/stage.h"

#include "base/limits.h"
#include "query/table.h"

#define OUTPUTS_MAX 64

enum status stage_too_large(const struct stage *stage, struct error *error) {
    return error_set(error, STATUS_TOO_LARGE,
                     "%s needs more than %llu MiB: filter more, or keep fewer fields, before it",
                     stage->name, STAGE_MEMORY_MAX / MIB);
}

enum status stage_evaluated(const struct stage *stage, struct error *error) {
    const struct evaluator *evaluator = stage->pipeline->evaluator;
    if (evaluator->status == STATUS_OK) return STATUS_OK;
    return error_set(error, evaluator->status, "%s", evaluator->error.message);
}

enum status stage_built(struct stage *stage, enum status status, struct bytes *ret_row,
                        struct error *error) {
    if (status == STATUS_OK && stage->row.size > DOCUMENT_SIZE_MAX) status = STATUS_TOO_LARGE;
    if (status != STATUS_OK)
        return error_set(error, status, "a row of %s: %s", stage->name, status_text(status));
    *ret_row = buffer_bytes(&stage->row);
    return STATUS_OK;
}

// ---- filter ---------------------------------------------------------------------------------

struct filter_stage {
    struct stage stage;
    const struct condition *condition;
};

static enum status filter_next(struct stage *stage, struct bytes *ret_row, struct error *error) {
    struct filter_stage *filter = (struct filter_stage *)stage;
    enum status status = stage_pull(stage, ret_row, error);
    if (status != STATUS_OK) return status;
    evaluator_reset(stage->pipeline->evaluator);
    bool matches = condition_matches(filter->condition, *ret_row);
    status = stage_evaluated(stage, error);
    return status == STATUS_OK && !matches ? STATUS_NOT_FOUND : status;
}

static enum status parse_filter(struct pipeline *pipeline, struct bytes form,
                                const struct place *place, struct stage **ret,
                                struct error *error) {
    struct form_field fields[] = {{"stage", true, {0}}, {"condition", true, {0}}};
    struct place here = {.parent = place, .name = "condition"};
    struct filter_stage *filter = arena_zalloc(pipeline->arena, sizeof *filter);
    if (filter == NULL) return error_set(error, STATUS_NO_MEMORY, "no memory for the query");
    enum status status = form_read(form, place, fields, 2, error);
    if (status == STATUS_OK) status = form_type(&fields[1], place, DOC_DOCUMENT, error);
    if (status != STATUS_OK) return status;
    filter->stage.next = filter_next;
    *ret = &filter->stage;
    return condition_parse_at(fields[1].value.payload, &here, &pipeline->remaining,
                              pipeline->evaluator, pipeline->arena, &filter->condition, error);
}

// ---- select ---------------------------------------------------------------------------------

struct select_stage {
    struct stage stage;
    struct output *outputs;
    size_t count;
};

static enum status select_next(struct stage *stage, struct bytes *ret_row, struct error *error) {
    struct select_stage *select = (struct select_stage *)stage;
    struct doc_builder builder;
    struct bytes row;
    enum status status = stage_pull(stage, &row, error);
    if (status != STATUS_OK) return status;
    evaluator_reset(stage->pipeline->evaluator);
    buffer_clear(&stage->row);
    doc_builder_begin(&builder, &stage->row);
    for (size_t i = 0; i < select->count; i++) {
        struct doc_value value =
            expression_evaluate(select->outputs[i].expression, row, stage->pipeline->evaluator);
        doc_add_value(&builder, bytes_of_string(select->outputs[i].name), &value);
    }
    status = doc_builder_finish(&builder);
    enum status evaluated = stage_evaluated(stage, error);
    return evaluated == STATUS_OK ? stage_built(stage, status, ret_row, error) : evaluated;
}

enum status output_parse(struct pipeline *pipeline, struct form_field *name,
                         struct form_field *expression, const struct place *place,
                         const struct output *outputs, size_t count, struct output *ret,
                         struct error *error) {
    struct place here = {.parent = place, .name = expression->name};
    struct place there = {.parent = place, .name = name->name};
    enum status status = form_type(name, place, DOC_STRING, error);
    if (status == STATUS_OK && expression->value.type != DOC_MISSING)
        status = form_type(expression, place, DOC_DOCUMENT, error);
    if (status != STATUS_OK) return status;
    struct bytes text = name->value.payload;
    if (text.size == 0 || text.size > FIELD_PATH_MAX || memchr(text.data, '.', text.size) != NULL ||
        memchr(text.data, '\0', text.size) != NULL || text.data[0] == '$')
        return place_error(&there, error, "a name of 1 to %d bytes without dots", FIELD_PATH_MAX);
    for (size_t i = 0; i < count; i++)
        if (bytes_equal_string(text, outputs[i].name))
            return place_error(&there, error, "'%s' is there already", outputs[i].name);
    ret->name = arena_string(pipeline->arena, text);
    if (ret->name == NULL) return error_set(error, STATUS_NO_MEMORY, "no memory for the query");
    if (expression->value.type == DOC_MISSING) return STATUS_OK;
    return expression_parse(expression->value.payload, &here, &pipeline->remaining,
                            pipeline->evaluator, pipeline->arena, &ret->expression, error);
}

static enum status parse_output(struct pipeline *pipeline, struct bytes form,
                                const struct place *place, struct select_stage *select,
                                struct error *error) {
    struct form_field fields[] = {{"name", true, {0}}, {"expression", true, {0}}};
    enum status status = form_read(form, place, fields, 2, error);
    if (status != STATUS_OK) return status;
    return output_parse(pipeline, &fields[0], &fields[1], place, select->outputs, select->count,
                        &select->outputs[select->count], error);
}

static enum status parse_select(struct pipeline *pipeline, struct bytes form,
                                const struct place *place, struct stage **ret,
                                struct error *error) {
    struct form_field fields[] = {{"stage", true, {0}}, {"fields", true, {0}}};
    struct place list = {.parent = place, .name = "fields"};
    struct select_stage *select = arena_zalloc(pipeline->arena, sizeof *select);
    struct output *outputs = arena_zalloc(pipeline->arena, OUTPUTS_MAX * sizeof *outputs);
    if (select == NULL || outputs == NULL)
        return error_set(error, STATUS_NO_MEMORY, "no memory for the query");
    enum status status = form_read(form, place, fields, 2, error);
    if (status == STATUS_OK) status = form_type(&fields[1], place, DOC_ARRAY, error);
    if (status != STATUS_OK) return status;
    select->stage.next = select_next;
    select->outputs = outputs;
    *ret = &select->stage;
    struct doc_iterator iterator;
    struct bytes name;
    struct doc_value value;
    doc_iterate(&iterator, fields[1].value.payload);
    while (doc_next(&iterator, &name, &value)) {
        struct place here = {.parent = &list, .position = select->count};
        if (select->count == OUTPUTS_MAX)
            return place_error(&list, error, "more than %d fields", OUTPUTS_MAX);
        if (value.type != DOC_DOCUMENT)
            return place_error(&here, error, "{\"name\", \"expression\"} is expected, not %s",
                               doc_type_name(value.type));
        status = parse_output(pipeline, value.payload, &here, select, error);
        if (status != STATUS_OK) return status;
        select->count++;
    }
    return select->count > 0 ? STATUS_OK : place_error(&list, error, "no fields");
}

// ---- distinct -------------------------------------------------------------------------------

struct distinct_stage {
    struct stage stage;
    struct table seen;
    struct buffer key;
};

static enum status distinct_next(struct stage *stage, struct bytes *ret_row, struct error *error) {
    struct distinct_stage *distinct = (struct distinct_stage *)stage;
    enum status status = stage_pull(stage, ret_row, error);
    if (status != STATUS_OK) return status;
    struct doc_value value = {.type = DOC_DOCUMENT, .payload = *ret_row};
    size_t count = distinct->seen.count;
    buffer_clear(&distinct->key);
    if (doc_encode(&distinct->key, &value) != STATUS_OK ||
        table_add(&distinct->seen, buffer_bytes(&distinct->key)) == NULL)
        return stage_too_large(stage, error);
    return distinct->seen.count > count ? STATUS_OK : STATUS_NOT_FOUND;
}

static void distinct_close(struct stage *stage) {
    buffer_done(&((struct distinct_stage *)stage)->key);
}

static enum status parse_distinct(struct pipeline *pipeline, struct bytes form,
                                  const struct place *place, struct stage **ret,
                                  struct error *error) {
    struct form_field fields[] = {{"stage", true, {0}}};
    struct distinct_stage *distinct = arena_zalloc(pipeline->arena, sizeof *distinct);
    if (distinct == NULL) return error_set(error, STATUS_NO_MEMORY, "no memory for the query");
    distinct->stage.next = distinct_next;
    distinct->stage.close = distinct_close;
    distinct->seen.arena = &pipeline->memory;
    *ret = &distinct->stage;
    return form_read(form, place, fields, 1, error);
}

// ---- skip, limit ----------------------------------------------------------------------------

struct part_stage {
    struct stage stage;
    int64_t count, seen;
};

static enum status skip_next(struct stage *stage, struct bytes *ret_row, struct error *error) {
    struct part_stage *part = (struct part_stage *)stage;
    enum status status = stage_pull(stage, ret_row, error);
    if (status != STATUS_OK) return status;
    return part->seen++ < part->count ? STATUS_NOT_FOUND : STATUS_OK;
}

static enum status limit_next(struct stage *stage, struct bytes *ret_row, struct error *error) {
    struct part_stage *part = (struct part_stage *)stage;
    if (part->seen == part->count) return STATUS_END;
    enum status status = stage_pull(stage, ret_row, error);
    if (status == STATUS_OK) part->seen++;
    return status;
}

static enum status parse_part(struct pipeline *pipeline, struct bytes form,
                              const struct place *place, struct stage **ret, struct error *error) {
    struct form_field fields[] = {{"stage", true, {0}}, {"count", true, {0}}};
    struct place here = {.parent = place, .name = "count"};
    struct part_stage *part = arena_zalloc(pipeline->arena, sizeof *part);
    if (part == NULL) return error_set(error, STATUS_NO_MEMORY, "no memory for the query");
    enum status status = form_read(form, place, fields, 2, error);
    if (status != STATUS_OK) return status;
    bool skip = bytes_equal_string(fields[0].value.payload, "skip");
    if (!doc_get_int(form, "count", &part->count) || part->count < !skip)
        return place_error(&here, error, "an integer of at least %d is expected", !skip);
    part->stage.next = skip ? skip_next : limit_next;
    *ret = &part->stage;
    return STATUS_OK;
}

// ---- unwind ---------------------------------------------------------------------------------

// One row for each element of an array, which takes the array's place. A value that is no array
// counts as one of itself alone; without any value there is no row.
struct unwind_stage {
    struct stage stage;
    struct bytes path;
    bool within; // a row
    struct buffer source, change;
    struct doc_iterator elements;
};

static enum status unwind_element(struct unwind_stage *unwind, const struct doc_value *element,
                                  struct bytes *ret_row, struct error *error) {
    struct doc_builder builder;
    struct stage *stage = &unwind->stage;
    buffer_clear(&unwind->change);
    buffer_clear(&stage->row);
    doc_builder_begin(&builder, &unwind->change);
    doc_add_value(&builder, unwind->path, element);
    enum status status = doc_builder_finish(&builder);
    if (status == STATUS_OK)
        status = doc_set_fields(&stage->row, buffer_bytes(&unwind->source),
                                buffer_bytes(&unwind->change), error);
    return stage_built(stage, status, ret_row, error);
}

static enum status unwind_next(struct stage *stage, struct bytes *ret_row, struct error *error) {
    struct unwind_stage *unwind = (struct unwind_stage *)stage;
    struct bytes name, row;
    struct doc_value value;
    if (unwind->within) {
        if (doc_next(&unwind->elements, &name, &value))
            return unwind_element(unwind, &value, ret_row, error);
        unwind->within = false;
    }
    enum status status = stage_pull(stage, &row, error);
    if (status != STATUS_OK) return status;
    value = doc_get_path(row, unwind->path);
    if (value.type == DOC_MISSING || value.type == DOC_NULL) return STATUS_NOT_FOUND;
    if (value.type != DOC_ARRAY) {
        *ret_row = row;
        return STATUS_OK;
    }
    buffer_clear(&unwind->source);
    status = buffer_append(&unwind->source, row.data, row.size);
    if (status != STATUS_OK) return error_set(error, status, "no memory for unwind");
    value = doc_get_path(buffer_bytes(&unwind->source), unwind->path);
    doc_iterate(&unwind->elements, value.payload);
    unwind->within = true;
    return STATUS_NOT_FOUND;
}

static void unwind_close(struct stage *stage) {
    buffer_done(&((struct unwind_stage *)stage)->source);
    buffer_done(&((struct unwind_stage *)stage)->change);
}

static enum status parse_unwind(struct pipeline *pipeline, struct bytes form,
                                const struct place *place, struct stage **ret,
                                struct error *error) {
    struct form_field fields[] = {{"stage", true, {0}}, {"field", true, {0}}};
    struct unwind_stage *unwind = arena_zalloc(pipeline->arena, sizeof *unwind);
    if (unwind == NULL) return error_set(error, STATUS_NO_MEMORY, "no memory for the query");
    unwind->stage.next = unwind_next;
    unwind->stage.close = unwind_close;
    *ret = &unwind->stage;
    enum status status = form_read(form, place, fields, 2, error);
    return status == STATUS_OK ? form_path(&fields[1], place, &unwind->path, error) : status;
}

// ---- the pipeline ---------------------------------------------------------------------------

static const struct {
    const char *name;
    stage_parser *parse;
} stages[] = {
    {"filter", parse_filter},     {"select", parse_select},   {"distinct", parse_distinct},
    {"skip", parse_part},         {"limit", parse_part},      {"unwind", parse_unwind},
    {"group", stage_parse_group}, {"join", stage_parse_join}, {"sort", stage_parse_sort},
};
#define STAGE_KINDS (sizeof stages / sizeof stages[0])

static enum status add_stage(struct pipeline *pipeline, struct bytes form,
                             const struct place *place, struct error *error) {
    struct place here = {.parent = place, .name = "stage"};
    struct bytes kind;
    size_t i = 0;
    if (!doc_get_string(form, "stage", &kind))
        return place_error(place, error, "field 'stage' is missing, or not a string");
    while (i < STAGE_KINDS && !bytes_equal_string(kind, stages[i].name)) i++;
    if (i == STAGE_KINDS)
        return place_error(&here, error, "unknown stage '%.*s'",
                           (int)(kind.size < 40 ? kind.size : 40), (const char *)kind.data);
    struct stage *stage = NULL;
    enum status status = stages[i].parse(pipeline, form, place, &stage, error);
    if (stage != NULL) { // also a failed one, so that it is closed
        stage->name = stages[i].name;
        stage->child = pipeline->last;
        stage->pipeline = pipeline;
        stage->row.limit = 2 * DOCUMENT_SIZE_MAX;
        pipeline->last = stage;
    }
    pipeline->one_to_one = pipeline->one_to_one && stages[i].parse == parse_select;
    return status;
}

enum status pipeline_parse(struct pipeline *pipeline, struct bytes array, struct error *error) {
    struct place list = {.name = "stages"};
    struct doc_iterator iterator;
    struct bytes name;
    struct doc_value value;
    size_t count = 0;
    pipeline->one_to_one = true;
    doc_iterate(&iterator, array);
    while (doc_next(&iterator, &name, &value)) {
        struct place here = {.parent = &list, .position = count};
        if (count++ == STAGES_MAX)
            return place_error(&list, error, "more than %d stages", STAGES_MAX);
        if (value.type != DOC_DOCUMENT)
            return place_error(&here, error, "a stage is expected, not %s",
                               doc_type_name(value.type));
        enum status status = add_stage(pipeline, value.payload, &here, error);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

enum status pipeline_next(struct pipeline *pipeline, struct bytes *ret_row, struct error *error) {
    enum status status = pipeline->last->next(pipeline->last, ret_row, error);
    if (status == STATUS_OK) pipeline->last->rows_out++;
    return status;
}

void pipeline_close(struct pipeline *pipeline) {
    for (struct stage *stage = pipeline->last; stage != NULL; stage = stage->child) {
        if (stage->close != NULL) stage->close(stage);
        buffer_done(&stage->row);
    }
    arena_done(&pipeline->memory);
}
