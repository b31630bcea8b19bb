// SPDX-License-Identifier: Apache-2.0
// Grouping: rows are put into a hash table by the encoded values of the keys, and each group has
// an accumulator for every aggregate. Nothing is allocated for a row whose group is there. Groups
// come out in the order of their keys, whatever the order of the rows.
#include <math.h>
#include <stdlib.h>

#include "base/limits.h"
#include "query/stage.h"
#include "query/table.h"

#define GROUP_OUTPUTS_MAX 32

enum aggregate_function {
    AGGREGATE_COUNT,
    AGGREGATE_SUM,
    AGGREGATE_AVG,
    AGGREGATE_MIN,
    AGGREGATE_MAX,
    AGGREGATE_FIRST,
    AGGREGATE_LAST,
    AGGREGATE_STDDEV,
    AGGREGATE_COUNT_DISTINCT,
    AGGREGATE_COLLECT,
};
static const char *const aggregate_names[] = {
    "count", "sum", "avg", "min", "max", "first", "last", "stddev", "countDistinct", "collect"};

struct aggregate {
    struct output output; // no expression: count of rows
    enum aggregate_function function;
};

struct collected {
    struct collected *next;
    struct doc_value value;
};

// Of one aggregate in one group.
struct accumulator {
    int64_t count;
    int64_t integers; // sum of the integers
    double doubles;   // sum of the doubles
    bool has_double;
    double mean, squares;   // Welford
    struct doc_value value; // of min, max, first, last
    size_t capacity;        // of its payload
    struct collected *first, *last;
};

struct group {
    uint64_t number;
    struct bytes keys; // the names and values, as a document
    struct accumulator accumulators[];
};

struct group_stage {
    struct stage stage;
    struct output keys[GROUP_OUTPUTS_MAX];
    size_t key_count;
    struct aggregate aggregates[GROUP_OUTPUTS_MAX];
    size_t aggregate_count;
    struct table groups;
    struct table values; // seen by countDistinct: group, aggregate, encoded value
    struct buffer key, scratch;
    struct table_entry **ordered;
    size_t emitted;
    bool draining;
};

// ---- accumulation ---------------------------------------------------------------------------

static enum status add_number(struct group_stage *group, const struct aggregate *aggregate,
                              struct accumulator *sum, const struct doc_value *value,
                              struct error *error) {
    double number = value->type == DOC_DOUBLE ? value->number : (double)value->integer;
    if (!doc_is_number(value->type))
        return error_set(error, STATUS_INVALID, "%s: a number is expected, not %s",
                         aggregate_names[aggregate->function], doc_type_name(value->type));
    if (value->type == DOC_DECIMAL128)
        return error_set(error, STATUS_UNSUPPORTED, "%s of decimals is not supported",
                         aggregate_names[aggregate->function]);
    sum->count++;
    if (aggregate->function == AGGREGATE_STDDEV) {
        double delta = number - sum->mean;
        sum->mean += delta / (double)sum->count;
        sum->squares += delta * (number - sum->mean);
        return STATUS_OK;
    }
    if (value->type == DOC_DOUBLE) {
        sum->has_double = true;
        sum->doubles += number;
    } else if (__builtin_add_overflow(sum->integers, value->integer, &sum->integers)) {
        return error_set(error, STATUS_INVALID, "%s: the sum does not fit into 64 bits",
                         aggregate_names[aggregate->function]);
    }
    return STATUS_OK;
}

// Copies a value into the group, where its payload takes the place of the one before.
static enum status keep_value(struct group_stage *group, struct accumulator *kept,
                              const struct doc_value *value, struct error *error) {
    struct bytes payload = value->payload;
    uint8_t *memory = (uint8_t *)kept->value.payload.data;
    if (payload.size > kept->capacity || memory == NULL) {
        memory = arena_allocate(&group->stage.pipeline->memory, payload.size * 2 + 16, 8);
        if (memory == NULL) return stage_too_large(&group->stage, error);
        kept->capacity = payload.size * 2 + 16;
    }
    if (payload.size > 0) memcpy(memory, payload.data, payload.size);
    kept->value = *value;
    kept->value.payload = bytes_of(memory, payload.size);
    kept->count++;
    return STATUS_OK;
}

static enum status collect(struct group_stage *group, struct accumulator *all,
                           const struct doc_value *value, struct error *error) {
    struct arena *memory = &group->stage.pipeline->memory;
    struct collected *item = arena_zalloc(memory, sizeof *item);
    if (item == NULL) return stage_too_large(&group->stage, error);
    item->value = *value;
    item->value.payload = arena_copy(memory, value->payload);
    if (item->value.payload.data == NULL && value->payload.size > 0)
        return stage_too_large(&group->stage, error);
    if (all->last == NULL)
        all->first = item;
    else
        all->last->next = item;
    all->last = item;
    all->count++;
    return STATUS_OK;
}

static enum status count_distinct(struct group_stage *group, const struct group *of,
                                  size_t position, struct accumulator *all,
                                  const struct doc_value *value, struct error *error) {
    uint64_t prefix[2] = {of->number, position};
    size_t count = group->values.count;
    buffer_clear(&group->scratch);
    enum status status = buffer_append(&group->scratch, prefix, sizeof prefix);
    if (status == STATUS_OK) status = doc_encode(&group->scratch, value);
    if (status != STATUS_OK || table_add(&group->values, buffer_bytes(&group->scratch)) == NULL)
        return stage_too_large(&group->stage, error);
    all->count += group->values.count > count;
    return STATUS_OK;
}

static enum status accumulate_value(struct group_stage *group, struct group *of, size_t position,
                                    const struct doc_value *value, struct error *error) {
    const struct aggregate *aggregate = &group->aggregates[position];
    struct accumulator *all = &of->accumulators[position];
    switch (aggregate->function) {
    case AGGREGATE_COUNT:
        all->count++;
        return STATUS_OK;
    case AGGREGATE_SUM:
    case AGGREGATE_AVG:
    case AGGREGATE_STDDEV:
        return add_number(group, aggregate, all, value, error);
    case AGGREGATE_MIN:
        if (all->count > 0 && doc_compare(value, &all->value) >= 0) return STATUS_OK;
        return keep_value(group, all, value, error);
    case AGGREGATE_MAX:
        if (all->count > 0 && doc_compare(value, &all->value) <= 0) return STATUS_OK;
        return keep_value(group, all, value, error);
    case AGGREGATE_FIRST:
        return all->count > 0 ? STATUS_OK : keep_value(group, all, value, error);
    case AGGREGATE_LAST:
        return keep_value(group, all, value, error);
    case AGGREGATE_COUNT_DISTINCT:
        return count_distinct(group, of, position, all, value, error);
    case AGGREGATE_COLLECT:
        return collect(group, all, value, error);
    }
    UNREACHABLE();
}

static enum status accumulate(struct group_stage *group, struct group *of, struct bytes row,
                              struct error *error) {
    struct evaluator *evaluator = group->stage.pipeline->evaluator;
    for (size_t i = 0; i < group->aggregate_count; i++) {
        const struct expression *expression = group->aggregates[i].output.expression;
        if (expression == NULL) {
            of->accumulators[i].count++;
            continue;
        }
        struct doc_value value = expression_evaluate(expression, row, evaluator);
        if (evaluator->status != STATUS_OK) return stage_evaluated(&group->stage, error);
        if (value.type == DOC_NULL || value.type == DOC_MISSING) continue; // as in SQL
        enum status status = accumulate_value(group, of, i, &value, error);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

// ---- groups ---------------------------------------------------------------------------------

// The keys of the row as a document, for the rows that come out.
static enum status keep_keys(struct group_stage *group, struct group *of, struct bytes row,
                             struct error *error) {
    struct doc_builder builder;
    struct evaluator *evaluator = group->stage.pipeline->evaluator;
    buffer_clear(&group->scratch);
    doc_builder_begin(&builder, &group->scratch);
    for (size_t i = 0; i < group->key_count; i++) {
        struct doc_value value = expression_evaluate(group->keys[i].expression, row, evaluator);
        doc_add_value(&builder, bytes_of_string(group->keys[i].name), &value);
    }
    if (doc_builder_finish(&builder) == STATUS_OK)
        of->keys = arena_copy(&group->stage.pipeline->memory, buffer_bytes(&group->scratch));
    return of->keys.data != NULL ? STATUS_OK : stage_too_large(&group->stage, error);
}

static struct group *new_group(struct group_stage *group) {
    struct group *of =
        arena_zalloc(&group->stage.pipeline->memory,
                     sizeof *of + group->aggregate_count * sizeof of->accumulators[0]);
    if (of != NULL) of->number = group->groups.count;
    return of;
}

static enum status take_row(struct group_stage *group, struct bytes row, struct error *error) {
    struct evaluator *evaluator = group->stage.pipeline->evaluator;
    evaluator_reset(evaluator);
    buffer_clear(&group->key);
    for (size_t i = 0; i < group->key_count; i++) {
        struct doc_value value = expression_evaluate(group->keys[i].expression, row, evaluator);
        if (doc_encode(&group->key, &value) != STATUS_OK)
            return stage_too_large(&group->stage, error);
    }
    enum status status = stage_evaluated(&group->stage, error);
    if (status != STATUS_OK) return status;
    struct table_entry *entry = table_add(&group->groups, buffer_bytes(&group->key));
    if (entry == NULL) return stage_too_large(&group->stage, error);
    if (entry->value == NULL) {
        entry->value = new_group(group);
        if (entry->value == NULL) return stage_too_large(&group->stage, error);
        status = keep_keys(group, entry->value, row, error);
    }
    return status == STATUS_OK ? accumulate(group, entry->value, row, error) : status;
}

// ---- results --------------------------------------------------------------------------------

static void add_collected(struct doc_builder *builder, const char *name,
                          const struct accumulator *all) {
    doc_begin_array(builder, name);
    for (const struct collected *item = all->first; item != NULL; item = item->next)
        doc_add_value(builder, bytes_of_string(""), &item->value);
    doc_end(builder);
}

static void add_result(struct doc_builder *builder, const struct aggregate *aggregate,
                       const struct accumulator *all) {
    const char *name = aggregate->output.name;
    double sum = all->doubles + (double)all->integers;
    switch (aggregate->function) {
    case AGGREGATE_COUNT:
    case AGGREGATE_COUNT_DISTINCT:
        doc_add_int(builder, name, all->count);
        return;
    case AGGREGATE_COLLECT:
        add_collected(builder, name, all);
        return;
    default:
        break;
    }
    if (all->count == 0)
        doc_add_null(builder, name);
    else if (aggregate->function == AGGREGATE_SUM && !all->has_double)
        doc_add_int(builder, name, all->integers);
    else if (aggregate->function == AGGREGATE_SUM)
        doc_add_double(builder, name, sum);
    else if (aggregate->function == AGGREGATE_AVG)
        doc_add_double(builder, name, sum / (double)all->count);
    else if (aggregate->function == AGGREGATE_STDDEV)
        doc_add_double(builder, name, sqrt(all->squares / (double)all->count));
    else
        doc_add_value(builder, bytes_of_string(name), &all->value);
}

static enum status emit(struct group_stage *group, const struct group *of, struct bytes *ret_row,
                        struct error *error) {
    struct doc_builder builder;
    struct doc_iterator iterator;
    struct bytes name;
    struct doc_value value;
    buffer_clear(&group->stage.row);
    doc_builder_begin(&builder, &group->stage.row);
    doc_iterate(&iterator, of->keys);
    while (doc_next(&iterator, &name, &value)) doc_add_value(&builder, name, &value);
    for (size_t i = 0; i < group->aggregate_count; i++)
        add_result(&builder, &group->aggregates[i], &of->accumulators[i]);
    return stage_built(&group->stage, doc_builder_finish(&builder), ret_row, error);
}

static int compare_entries(const void *a, const void *b) {
    const struct table_entry *left = *(struct table_entry *const *)a;
    const struct table_entry *right = *(struct table_entry *const *)b;
    return bytes_compare(left->key, right->key);
}

// All rows are in. Without keys there is one group even of no rows.
static enum status begin_draining(struct group_stage *group, struct error *error) {
    struct arena *memory = &group->stage.pipeline->memory;
    size_t count = 0;
    if (group->key_count == 0 && group->groups.count == 0) {
        struct table_entry *entry = table_add(&group->groups, bytes_of("", 0));
        struct group *of = new_group(group);
        if (entry == NULL || of == NULL) return stage_too_large(&group->stage, error);
        enum status status = keep_keys(group, of, bytes_of("\5\0\0\0\0", 5), error);
        if (status != STATUS_OK) return status;
        entry->value = of;
    }
    group->ordered = arena_allocate(memory, (group->groups.count + 1) * sizeof(void *), 8);
    if (group->ordered == NULL) return stage_too_large(&group->stage, error);
    for (size_t i = 0; i < group->groups.capacity; i++)
        if (group->groups.slots[i] != NULL) group->ordered[count++] = group->groups.slots[i];
    ASSERT(count == group->groups.count);
    if (count > 0) qsort(group->ordered, count, sizeof *group->ordered, compare_entries);
    group->draining = true;
    return STATUS_NOT_FOUND;
}

static enum status group_next(struct stage *stage, struct bytes *ret_row, struct error *error) {
    struct group_stage *group = (struct group_stage *)stage;
    struct bytes row;
    if (group->draining) {
        if (group->emitted == group->groups.count) return STATUS_END;
        return emit(group, group->ordered[group->emitted++]->value, ret_row, error);
    }
    enum status status = stage_pull(stage, &row, error);
    if (status == STATUS_END) return begin_draining(group, error);
    if (status != STATUS_OK) return status;
    status = take_row(group, row, error);
    return status == STATUS_OK ? STATUS_NOT_FOUND : status;
}

static void group_close(struct stage *stage) {
    struct group_stage *group = (struct group_stage *)stage;
    buffer_done(&group->key);
    buffer_done(&group->scratch);
}

// ---- parsing --------------------------------------------------------------------------------

static enum status parse_aggregate(struct pipeline *pipeline, struct bytes form,
                                   const struct place *place, const struct output *outputs,
                                   size_t count, struct aggregate *ret, struct error *error) {
    struct form_field fields[] = {
        {"name", true, {0}}, {"function", true, {0}}, {"expression", false, {0}}};
    struct place here = {.parent = place, .name = "function"};
    enum status status = form_read(form, place, fields, 3, error);
    if (status == STATUS_OK) status = form_type(&fields[1], place, DOC_STRING, error);
    if (status == STATUS_OK)
        status = output_parse(pipeline, &fields[0], &fields[2], place, outputs, count, &ret->output,
                              error);
    if (status != STATUS_OK) return status;
    struct bytes name = fields[1].value.payload;
    size_t kinds = sizeof aggregate_names / sizeof aggregate_names[0], i = 0;
    while (i < kinds && !bytes_equal_string(name, aggregate_names[i])) i++;
    if (i == kinds)
        return place_error(&here, error, "unknown aggregate '%.*s'",
                           (int)(name.size < 40 ? name.size : 40), (const char *)name.data);
    ret->function = (enum aggregate_function)i;
    if (ret->output.expression == NULL && ret->function != AGGREGATE_COUNT)
        return place_error(place, error, "%s needs an expression", aggregate_names[i]);
    return STATUS_OK;
}

static enum status parse_key(struct pipeline *pipeline, struct bytes form,
                             const struct place *place, const struct output *outputs, size_t count,
                             struct output *ret, struct error *error) {
    struct form_field fields[] = {{"name", true, {0}}, {"expression", true, {0}}};
    enum status status = form_read(form, place, fields, 2, error);
    if (status != STATUS_OK) return status;
    return output_parse(pipeline, &fields[0], &fields[1], place, outputs, count, ret, error);
}

static enum status parse_list(struct pipeline *pipeline, struct group_stage *group,
                              struct form_field *field, bool keys, const struct place *place,
                              struct error *error) {
    struct place list = {.parent = place, .name = field->name};
    struct output outputs[2 * GROUP_OUTPUTS_MAX];
    struct doc_iterator iterator;
    struct bytes name;
    struct doc_value value;
    size_t count = 0, used = 0;
    enum status status = form_type(field, place, DOC_ARRAY, error);
    if (status != STATUS_OK) return status;
    for (; !keys && used < group->key_count; used++) outputs[used] = group->keys[used];
    doc_iterate(&iterator, field->value.payload);
    while (doc_next(&iterator, &name, &value)) {
        struct place here = {.parent = &list, .position = count};
        if (count == GROUP_OUTPUTS_MAX)
            return place_error(&list, error, "more than %d", GROUP_OUTPUTS_MAX);
        if (value.type != DOC_DOCUMENT)
            return place_error(&here, error, "a document is expected, not %s",
                               doc_type_name(value.type));
        struct aggregate *aggregate = &group->aggregates[count];
        status =
            keys ? parse_key(pipeline, value.payload, &here, outputs, used, &group->keys[count],
                             error)
                 : parse_aggregate(pipeline, value.payload, &here, outputs, used, aggregate, error);
        if (status != STATUS_OK) return status;
        outputs[used++] = keys ? group->keys[count] : aggregate->output;
        count++;
    }
    if (keys)
        group->key_count = count;
    else
        group->aggregate_count = count;
    return STATUS_OK;
}

// Whether groups come out the same whatever the order of the documents.
static bool is_any_order(const struct pipeline *pipeline, const struct group_stage *group) {
    for (const struct stage *stage = pipeline->last; stage != NULL; stage = stage->child)
        if (strcmp(stage->name, "filter") != 0 && strcmp(stage->name, "select") != 0 &&
            strcmp(stage->name, "unwind") != 0 && strcmp(stage->name, "join") != 0)
            return false;
    for (size_t i = 0; i < group->aggregate_count; i++) {
        enum aggregate_function function = group->aggregates[i].function;
        if (function == AGGREGATE_FIRST || function == AGGREGATE_LAST ||
            function == AGGREGATE_COLLECT)
            return false;
    }
    return true;
}

enum status stage_parse_group(struct pipeline *pipeline, struct bytes form,
                              const struct place *place, struct stage **ret, struct error *error) {
    struct form_field fields[] = {
        {"stage", true, {0}}, {"by", true, {0}}, {"aggregates", true, {0}}};
    struct group_stage *group = arena_zalloc(pipeline->arena, sizeof *group);
    if (group == NULL) return error_set(error, STATUS_NO_MEMORY, "no memory for the query");
    group->stage.next = group_next;
    group->stage.close = group_close;
    group->groups.arena = group->values.arena = &pipeline->memory;
    *ret = &group->stage;
    enum status status = form_read(form, place, fields, 3, error);
    if (status == STATUS_OK) status = parse_list(pipeline, group, &fields[1], true, place, error);
    if (status == STATUS_OK) status = parse_list(pipeline, group, &fields[2], false, place, error);
    if (status == STATUS_OK && group->key_count + group->aggregate_count == 0)
        return place_error(place, error, "neither keys nor aggregates");
    pipeline->any_order = pipeline->any_order || is_any_order(pipeline, group);
    return status;
}
