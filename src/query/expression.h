// SPDX-License-Identifier: Apache-2.0
// Expressions: values worked out from a document (docs/PROTOCOL.md). Parsed once into the arena;
// values and paths point into the form's bytes.
#pragma once

#include "query/condition.h"
#include "query/functions.h"

enum expression_kind {
    EXPRESSION_VALUE,
    EXPRESSION_FIELD,
    EXPRESSION_CALL,
    EXPRESSION_CONDITION, // true or false
};

struct expression {
    enum expression_kind kind;
    bool dotted;
    struct bytes path;
    struct doc_value value;
    const struct function *function;
    const struct expression **arguments;
    size_t count;
    const struct condition *condition;
};

// Parses {"field": path}, {"value": any}, {"call": name, "arguments": [...]} or {"condition": ...}.
// `remaining` counts down what the form may hold of conditions and calls.
CHECKED enum status expression_parse(struct bytes form, const struct place *place,
                                     size_t *remaining, struct evaluator *evaluator,
                                     struct arena *arena, const struct expression **ret,
                                     struct error *error);
// The value for a document: points into it, into the form, or into the evaluator's scratch memory,
// where it lives until evaluator_reset(). A failure is noted in the evaluator, and gives null.
struct doc_value expression_evaluate(const struct expression *expression, struct bytes document,
                                     struct evaluator *evaluator);
// The value of the expression under "expression" in `form`, which refers to no field.
CHECKED enum status expression_constant(struct bytes form, struct arena *arena,
                                        struct doc_value *ret, struct error *error);
