// SPDX-License-Identifier: Apache-2.0
// Parsing of conditions.
#include "query/condition.h"

#include <stdlib.h>

#include "query/expression.h"
#include "query/place.h"
#include "query/regex.h"
#include "query/text.h"

struct parser {
    struct arena *arena;
    struct error *error;
    size_t *remaining;
    struct evaluator *evaluator;
};

static enum status parse(struct parser *parser, struct bytes form, const struct place *place,
                         const struct condition **ret);

typedef enum status shape_parser(struct parser *parser, struct bytes form,
                                 const struct place *place, struct condition *condition);

static enum status no_memory(struct parser *parser) {
    return error_set(parser->error, STATUS_NO_MEMORY, "no memory for the conditions of the filter");
}

// ---- and, or, not ---------------------------------------------------------------------------

static enum status parse_children(struct parser *parser, struct bytes array,
                                  const struct place *place, struct condition *condition) {
    struct place list = {.parent = place, .name = "conditions"};
    struct doc_iterator iterator;
    struct bytes name;
    struct doc_value value;
    size_t count = form_array_count(array);
    if (count > *parser->remaining)
        return place_error(&list, parser->error, "more than %d conditions", CONDITIONS_MAX);
    condition->children = arena_allocate(parser->arena, (count + 1) * sizeof(void *), 8);
    if (condition->children == NULL) return no_memory(parser);
    doc_iterate(&iterator, array);
    while (doc_next(&iterator, &name, &value)) {
        struct place here = {.parent = &list, .position = condition->count};
        if (value.type != DOC_DOCUMENT)
            return place_error(&here, parser->error, "a condition is expected, not %s",
                               doc_type_name(value.type));
        enum status status =
            parse(parser, value.payload, &here, &condition->children[condition->count]);
        if (status != STATUS_OK) return status;
        condition->count++;
    }
    return STATUS_OK;
}

static enum status parse_several(struct parser *parser, struct bytes form,
                                 const struct place *place, struct condition *condition) {
    struct form_field fields[] = {{"op", true, {0}}, {"conditions", true, {0}}};
    enum status status = form_read(form, place, fields, 2, parser->error);
    if (status == STATUS_OK) status = form_type(&fields[1], place, DOC_ARRAY, parser->error);
    if (status != STATUS_OK) return status;
    return parse_children(parser, fields[1].value.payload, place, condition);
}

static enum status parse_not(struct parser *parser, struct bytes form, const struct place *place,
                             struct condition *condition) {
    struct form_field fields[] = {{"op", true, {0}}, {"condition", true, {0}}};
    struct place here = {.parent = place, .name = "condition"};
    enum status status = form_read(form, place, fields, 2, parser->error);
    if (status == STATUS_OK) status = form_type(&fields[1], place, DOC_DOCUMENT, parser->error);
    if (status != STATUS_OK) return status;
    condition->children = arena_allocate(parser->arena, sizeof(void *), 8);
    if (condition->children == NULL) return no_memory(parser);
    condition->count = 1;
    return parse(parser, fields[1].value.payload, &here, &condition->children[0]);
}

// ---- conditions on a field ------------------------------------------------------------------

static enum status take_path(struct parser *parser, const struct form_field *field,
                             const struct place *place, struct condition *condition) {
    enum status status = form_path(field, place, &condition->path, parser->error);
    if (status == STATUS_OK)
        condition->dotted = memchr(condition->path.data, '.', condition->path.size) != NULL;
    return status;
}

static enum status take_expression(struct parser *parser, const struct form_field *field,
                                   const struct place *place, struct condition *condition,
                                   const struct expression **ret) {
    struct place here = {.parent = place, .name = field->name};
    enum status status = form_type(field, place, DOC_DOCUMENT, parser->error);
    if (status != STATUS_OK) return status;
    if (parser->evaluator == NULL)
        return error_set(parser->error, STATUS_UNSUPPORTED, "no expressions here");
    condition->evaluator = parser->evaluator;
    return expression_parse(field->value.payload, &here, parser->remaining, parser->evaluator,
                            parser->arena, ret, parser->error);
}

// What a condition looks at: 'field', or 'expression'.
static enum status take_left(struct parser *parser, const struct form_field *field,
                             const struct form_field *expression, const struct place *place,
                             struct condition *condition) {
    if (expression->value.type == DOC_MISSING) {
        if (field->value.type == DOC_MISSING)
            return place_error(place, parser->error, "field 'field' is missing");
        return take_path(parser, field, place, condition);
    }
    if (field->value.type != DOC_MISSING)
        return place_error(place, parser->error, "'field' and 'expression' exclude each other");
    return take_expression(parser, expression, place, condition, &condition->expression);
}

static enum status parse_comparison(struct parser *parser, struct bytes form,
                                    const struct place *place, struct condition *condition) {
    struct form_field fields[] = {{"op", true, {0}},
                                  {"field", false, {0}},
                                  {"value", false, {0}},
                                  {"expression", false, {0}},
                                  {"than", false, {0}}};
    enum status status = form_read(form, place, fields, 5, parser->error);
    if (status == STATUS_OK) status = take_left(parser, &fields[1], &fields[3], place, condition);
    if (status != STATUS_OK) return status;
    bool value = fields[2].value.type != DOC_MISSING, than = fields[4].value.type != DOC_MISSING;
    condition->value = fields[2].value;
    if (value && than)
        return place_error(place, parser->error, "'value' and 'than' exclude each other");
    if (!value && !than) return place_error(place, parser->error, "field 'value' is missing");
    return than ? take_expression(parser, &fields[4], place, condition, &condition->than) : status;
}

static enum status parse_between(struct parser *parser, struct bytes form,
                                 const struct place *place, struct condition *condition) {
    struct form_field fields[] = {{"op", true, {0}},
                                  {"field", false, {0}},
                                  {"low", true, {0}},
                                  {"high", true, {0}},
                                  {"expression", false, {0}}};
    enum status status = form_read(form, place, fields, 5, parser->error);
    condition->value = fields[2].value;
    condition->high = fields[3].value;
    return status == STATUS_OK ? take_left(parser, &fields[1], &fields[4], place, condition)
                               : status;
}

static enum status parse_exists(struct parser *parser, struct bytes form, const struct place *place,
                                struct condition *condition) {
    struct form_field fields[] = {{"op", true, {0}}, {"field", true, {0}}};
    enum status status = form_read(form, place, fields, 2, parser->error);
    return status == STATUS_OK ? take_path(parser, &fields[1], place, condition) : status;
}

static enum status parse_regex(struct parser *parser, struct bytes form, const struct place *place,
                               struct condition *condition) {
    struct form_field fields[] = {{"op", true, {0}},
                                  {"field", false, {0}},
                                  {"pattern", true, {0}},
                                  {"flags", false, {0}},
                                  {"expression", false, {0}}};
    struct place here = {.parent = place, .name = "pattern"};
    struct error error = {0};
    enum status status = form_read(form, place, fields, 5, parser->error);
    if (status == STATUS_OK) status = take_left(parser, &fields[1], &fields[4], place, condition);
    if (status == STATUS_OK) status = form_type(&fields[2], place, DOC_STRING, parser->error);
    if (status == STATUS_OK && fields[3].value.type != DOC_MISSING)
        status = form_type(&fields[3], place, DOC_STRING, parser->error);
    if (status != STATUS_OK) return status;
    if (parser->evaluator == NULL)
        return error_set(parser->error, STATUS_UNSUPPORTED, "no regular expressions here");
    condition->evaluator = parser->evaluator;
    status = regex_compile(fields[2].value.payload, fields[3].value.payload, parser->arena,
                           &condition->regex, &error);
    if (status == STATUS_NO_MEMORY) return no_memory(parser);
    return status == STATUS_OK ? status : place_error(&here, parser->error, "%s", error.message);
}

// A condition on the elements of an array that are documents.
static enum status parse_any(struct parser *parser, struct bytes form, const struct place *place,
                             struct condition *condition) {
    struct form_field fields[] = {
        {"op", true, {0}}, {"field", true, {0}}, {"condition", true, {0}}};
    struct place here = {.parent = place, .name = "condition"};
    enum status status = form_read(form, place, fields, 3, parser->error);
    if (status == STATUS_OK) status = take_path(parser, &fields[1], place, condition);
    if (status == STATUS_OK) status = form_type(&fields[2], place, DOC_DOCUMENT, parser->error);
    if (status != STATUS_OK) return status;
    condition->children = arena_allocate(parser->arena, sizeof(void *), 8);
    if (condition->children == NULL) return no_memory(parser);
    condition->count = 1;
    return parse(parser, fields[2].value.payload, &here, &condition->children[0]);
}

static int compare_values(const void *a, const void *b) {
    return doc_compare(a, b);
}

static void sort_values(struct condition *condition) {
    struct doc_value *values = condition->values;
    size_t kept = 0;
    qsort(values, condition->count, sizeof *values, compare_values);
    for (size_t i = 0; i < condition->count; i++)
        if (kept == 0 || doc_compare(&values[kept - 1], &values[i]) != 0)
            values[kept++] = values[i];
    condition->count = kept;
}

static enum status parse_in(struct parser *parser, struct bytes form, const struct place *place,
                            struct condition *condition) {
    struct form_field fields[] = {{"op", true, {0}},
                                  {"field", false, {0}},
                                  {"values", true, {0}},
                                  {"expression", false, {0}}};
    struct place list = {.parent = place, .name = "values"};
    enum status status = form_read(form, place, fields, 4, parser->error);
    if (status == STATUS_OK) status = take_left(parser, &fields[1], &fields[3], place, condition);
    if (status == STATUS_OK) status = form_type(&fields[2], place, DOC_ARRAY, parser->error);
    if (status != STATUS_OK) return status;
    size_t count = form_array_count(fields[2].value.payload);
    if (count > IN_VALUES_MAX)
        return place_error(&list, parser->error, "%zu values, at most %d are allowed", count,
                           IN_VALUES_MAX);
    condition->values = arena_allocate(parser->arena, (count + 1) * sizeof(struct doc_value), 8);
    if (condition->values == NULL) return no_memory(parser);
    struct doc_iterator iterator;
    struct bytes name;
    doc_iterate(&iterator, fields[2].value.payload);
    while (condition->count < count &&
           doc_next(&iterator, &name, &condition->values[condition->count]))
        condition->count++;
    sort_values(condition);
    return STATUS_OK;
}

static enum status fold_value(struct parser *parser, const struct place *place,
                              struct condition *condition) {
    struct place here = {.parent = place, .name = "value"};
    struct bytes text = condition->value.payload;
    if (text.size > FOLDED_VALUE_MAX)
        return place_error(&here, parser->error, "with ignore_case at most %d bytes, not %zu",
                           FOLDED_VALUE_MAX, text.size);
    uint32_t *folded = arena_allocate(parser->arena, (text.size + 1) * sizeof *folded, 8);
    if (folded == NULL) return no_memory(parser);
    condition->folded_count = text_fold_all(text, folded);
    condition->folded = folded;
    return STATUS_OK;
}

static enum status parse_text(struct parser *parser, struct bytes form, const struct place *place,
                              struct condition *condition) {
    struct form_field fields[] = {{"op", true, {0}},
                                  {"field", false, {0}},
                                  {"value", true, {0}},
                                  {"ignore_case", false, {0}},
                                  {"expression", false, {0}}};
    enum status status = form_read(form, place, fields, 5, parser->error);
    condition->value = fields[2].value;
    if (status == STATUS_OK) status = take_left(parser, &fields[1], &fields[4], place, condition);
    if (status == STATUS_OK)
        status = form_bool(&fields[3], place, &condition->ignore_case, parser->error);
    if (status == STATUS_OK && (condition->op != CONDITION_CONTAINS || condition->ignore_case))
        status = form_type(&fields[2], place, DOC_STRING, parser->error);
    if (status != STATUS_OK || !condition->ignore_case) return status;
    return fold_value(parser, place, condition);
}

// ---- all ------------------------------------------------------------------------------------

static const struct {
    const char *name;
    enum condition_op op;
    shape_parser *parse;
} operators[] = {
    {"eq", CONDITION_EQ, parse_comparison},
    {"ne", CONDITION_NE, parse_comparison},
    {"lt", CONDITION_LT, parse_comparison},
    {"le", CONDITION_LE, parse_comparison},
    {"gt", CONDITION_GT, parse_comparison},
    {"ge", CONDITION_GE, parse_comparison},
    {"and", CONDITION_AND, parse_several},
    {"or", CONDITION_OR, parse_several},
    {"not", CONDITION_NOT, parse_not},
    {"in", CONDITION_IN, parse_in},
    {"between", CONDITION_BETWEEN, parse_between},
    {"contains", CONDITION_CONTAINS, parse_text},
    {"starts_with", CONDITION_STARTS_WITH, parse_text},
    {"ends_with", CONDITION_ENDS_WITH, parse_text},
    {"exists", CONDITION_EXISTS, parse_exists},
    {"any", CONDITION_ANY, parse_any},
    {"regex", CONDITION_REGEX, parse_regex},
};

static enum status parse(struct parser *parser, struct bytes form, const struct place *place,
                         const struct condition **ret) {
    struct place here = {.parent = place, .name = "op"};
    if (*parser->remaining == 0)
        return place_error(place, parser->error, "more than %d conditions", CONDITIONS_MAX);
    --*parser->remaining;
    struct doc_value op = doc_get(form, bytes_of_string("op"));
    if (op.type == DOC_MISSING) return place_error(place, parser->error, "field 'op' is missing");
    if (op.type != DOC_STRING)
        return place_error(&here, parser->error, "a string is expected, not %s",
                           doc_type_name(op.type));
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        if (!bytes_equal_string(op.payload, operators[i].name)) continue;
        struct condition *condition = arena_zalloc(parser->arena, sizeof *condition);
        if (condition == NULL) return no_memory(parser);
        condition->op = operators[i].op;
        enum status status = operators[i].parse(parser, form, place, condition);
        if (status == STATUS_OK) *ret = condition;
        return status;
    }
    return place_error(&here, parser->error, "unknown operator '%.*s'",
                       (int)(op.payload.size < 40 ? op.payload.size : 40),
                       (const char *)op.payload.data);
}

enum status condition_parse_at(struct bytes form, const struct place *place, size_t *remaining,
                               struct evaluator *evaluator, struct arena *arena,
                               const struct condition **ret, struct error *error) {
    struct parser parser = {
        .arena = arena, .error = error, .remaining = remaining, .evaluator = evaluator};
    return parse(&parser, form, place, ret);
}

enum status condition_parse(struct bytes form, struct arena *arena, const struct condition **ret,
                            struct error *error) {
    size_t remaining = CONDITIONS_MAX;
    return condition_parse_at(form, NULL, &remaining, NULL, arena, ret, error);
}
