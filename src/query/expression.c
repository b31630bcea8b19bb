// SPDX-License-Identifier: Apache-2.0
#include "query/expression.h"

#include <stdio.h>

#include "base/limits.h"
#include "query/place.h"

struct parser {
    struct arena *arena;
    struct evaluator *evaluator;
    size_t *remaining;
    struct error *error;
};

static enum status parse(struct parser *parser, struct bytes form, const struct place *place,
                         const struct expression **ret);

static enum status no_memory(struct parser *parser) {
    return error_set(parser->error, STATUS_NO_MEMORY, "no memory for the expressions");
}

// ---- calls ----------------------------------------------------------------------------------

static enum status parse_arguments(struct parser *parser, struct bytes array,
                                   const struct place *place, struct expression *expression) {
    struct place list = {.parent = place, .name = "arguments"};
    struct doc_iterator iterator;
    struct bytes name;
    struct doc_value value;
    size_t count = form_array_count(array);
    const struct function *function = expression->function;
    if (count < function->arguments_min || count > function->arguments_max)
        return place_error(&list, parser->error, "%s takes %u to %u arguments, not %zu",
                           function->name, function->arguments_min, function->arguments_max, count);
    expression->arguments = arena_zalloc(parser->arena, (count + 1) * sizeof(void *));
    if (expression->arguments == NULL) return no_memory(parser);
    doc_iterate(&iterator, array);
    while (expression->count < count && doc_next(&iterator, &name, &value)) {
        struct place here = {.parent = &list, .position = expression->count};
        if (value.type != DOC_DOCUMENT)
            return place_error(&here, parser->error, "an expression is expected, not %s",
                               doc_type_name(value.type));
        enum status status =
            parse(parser, value.payload, &here, &expression->arguments[expression->count]);
        if (status != STATUS_OK) return status;
        expression->count++;
    }
    return STATUS_OK;
}

static enum status parse_call(struct parser *parser, struct bytes form, const struct place *place,
                              struct expression *expression) {
    struct form_field fields[] = {{"call", true, {0}}, {"arguments", true, {0}}};
    struct place here = {.parent = place, .name = "call"};
    enum status status = form_read(form, place, fields, 2, parser->error);
    if (status == STATUS_OK) status = form_type(&fields[0], place, DOC_STRING, parser->error);
    if (status == STATUS_OK) status = form_type(&fields[1], place, DOC_ARRAY, parser->error);
    if (status != STATUS_OK) return status;
    struct bytes name = fields[0].value.payload;
    expression->kind = EXPRESSION_CALL;
    expression->function = function_find(name);
    if (expression->function == NULL)
        return place_error(&here, parser->error, "unknown function '%.*s'",
                           (int)(name.size < 40 ? name.size : 40), (const char *)name.data);
    return parse_arguments(parser, fields[1].value.payload, place, expression);
}

// ---- the others -----------------------------------------------------------------------------

static enum status parse_field(struct parser *parser, struct bytes form, const struct place *place,
                               struct expression *expression) {
    struct form_field fields[] = {{"field", true, {0}}};
    enum status status = form_read(form, place, fields, 1, parser->error);
    if (status == STATUS_OK)
        status = form_path(&fields[0], place, &expression->path, parser->error);
    if (status != STATUS_OK) return status;
    expression->kind = EXPRESSION_FIELD;
    expression->dotted = memchr(expression->path.data, '.', expression->path.size) != NULL;
    return STATUS_OK;
}

static enum status parse_value(struct parser *parser, struct bytes form, const struct place *place,
                               struct expression *expression) {
    struct form_field fields[] = {{"value", true, {0}}};
    enum status status = form_read(form, place, fields, 1, parser->error);
    expression->kind = EXPRESSION_VALUE;
    expression->value = fields[0].value;
    return status;
}

static enum status parse_condition(struct parser *parser, struct bytes form,
                                   const struct place *place, struct expression *expression) {
    struct form_field fields[] = {{"condition", true, {0}}};
    struct place here = {.parent = place, .name = "condition"};
    enum status status = form_read(form, place, fields, 1, parser->error);
    if (status == STATUS_OK) status = form_type(&fields[0], place, DOC_DOCUMENT, parser->error);
    if (status != STATUS_OK) return status;
    expression->kind = EXPRESSION_CONDITION;
    return condition_parse_at(fields[0].value.payload, &here, parser->remaining, parser->evaluator,
                              parser->arena, &expression->condition, parser->error);
}

static enum status parse(struct parser *parser, struct bytes form, const struct place *place,
                         const struct expression **ret) {
    if (*parser->remaining == 0)
        return place_error(place, parser->error, "more than %d conditions and expressions",
                           CONDITIONS_MAX);
    --*parser->remaining;
    struct expression *expression = arena_zalloc(parser->arena, sizeof *expression);
    if (expression == NULL) return no_memory(parser);
    *ret = expression;
    if (doc_get(form, bytes_of_string("field")).type != DOC_MISSING)
        return parse_field(parser, form, place, expression);
    if (doc_get(form, bytes_of_string("value")).type != DOC_MISSING)
        return parse_value(parser, form, place, expression);
    if (doc_get(form, bytes_of_string("call")).type != DOC_MISSING)
        return parse_call(parser, form, place, expression);
    if (doc_get(form, bytes_of_string("condition")).type != DOC_MISSING)
        return parse_condition(parser, form, place, expression);
    return place_error(place, parser->error,
                       "an expression has one of 'field', 'value', 'call' and 'condition'");
}

enum status expression_parse(struct bytes form, const struct place *place, size_t *remaining,
                             struct evaluator *evaluator, struct arena *arena,
                             const struct expression **ret, struct error *error) {
    struct parser parser = {
        .arena = arena, .evaluator = evaluator, .remaining = remaining, .error = error};
    return parse(&parser, form, place, ret);
}

// ---- evaluation -----------------------------------------------------------------------------

static bool is_null(const struct doc_value *value) {
    return value->type == DOC_NULL || value->type == DOC_MISSING;
}

static struct doc_value call(const struct expression *expression, struct bytes document,
                             struct evaluator *evaluator) {
    struct doc_value arguments[ARGUMENTS_MAX];
    const struct function *function = expression->function;
    ASSERT(expression->count <= ARGUMENTS_MAX);
    bool null = false;
    for (size_t i = 0; i < expression->count; i++) {
        arguments[i] = expression_evaluate(expression->arguments[i], document, evaluator);
        null = null || is_null(&arguments[i]);
    }
    if (evaluator->status != STATUS_OK || (null && !function->takes_null))
        return (struct doc_value){.type = DOC_NULL};
    return function->call(evaluator, function, arguments, expression->count);
}

struct doc_value expression_evaluate(const struct expression *expression, struct bytes document,
                                     struct evaluator *evaluator) {
    switch (expression->kind) {
    case EXPRESSION_VALUE:
        return expression->value;
    case EXPRESSION_FIELD:
        return expression->dotted ? doc_get_path(document, expression->path)
                                  : doc_get(document, expression->path);
    case EXPRESSION_CALL:
        return call(expression, document, evaluator);
    case EXPRESSION_CONDITION:
        return doc_value_bool(condition_matches(expression->condition, document));
    }
    UNREACHABLE();
}

void evaluator_reset(struct evaluator *evaluator) {
    if (evaluator->scratch.blocks != NULL) arena_reset(&evaluator->scratch);
}

struct doc_value evaluator_fail(struct evaluator *evaluator, enum status status, const char *format,
                                ...) {
    if (evaluator->status == STATUS_OK) {
        char message[sizeof evaluator->error.message];
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(message, sizeof message, format, arguments);
        va_end(arguments);
        evaluator->status = error_set(&evaluator->error, status, "%s", message);
    }
    return (struct doc_value){.type = DOC_NULL};
}

enum status expression_constant(struct bytes form, struct arena *arena, struct doc_value *ret,
                                struct error *error) {
    struct evaluator evaluator = {.scratch.limit = SCRATCH_MAX};
    const struct expression *expression;
    struct doc_value node = doc_get(form, bytes_of_string("expression"));
    size_t remaining = CONDITIONS_MAX;
    ASSERT(node.type == DOC_DOCUMENT);
    enum status status =
        expression_parse(node.payload, NULL, &remaining, &evaluator, arena, &expression, error);
    if (status == STATUS_OK) {
        *ret = expression_evaluate(expression, node.payload, &evaluator);
        status = evaluator.status;
        if (status != STATUS_OK && error != NULL) *error = evaluator.error;
    }
    if (status == STATUS_OK && ret->payload.size > 0) {
        ret->payload = arena_copy(arena, ret->payload);
        if (ret->payload.data == NULL)
            status = error_set(error, STATUS_NO_MEMORY, "no memory for the expressions");
    }
    arena_done(&evaluator.scratch);
    return status;
}
