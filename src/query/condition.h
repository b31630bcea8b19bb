// SPDX-License-Identifier: Apache-2.0
// Conditions of a filter: parsed once into the arena, evaluated on documents in place without
// allocating. Values and paths point into the form's bytes. Immutable once parsed; any thread.
#pragma once

#include "query/query.h"

#define CONDITIONS_MAX 1000   // in one filter
#define IN_VALUES_MAX 10000   // in one list
#define FOLDED_VALUE_MAX 1024 // bytes of a value with ignore_case

enum condition_op {
    CONDITION_AND,
    CONDITION_OR,
    CONDITION_NOT,
    CONDITION_EQ,
    CONDITION_NE,
    CONDITION_LT,
    CONDITION_LE,
    CONDITION_GT,
    CONDITION_GE,
    CONDITION_IN,
    CONDITION_BETWEEN,
    CONDITION_CONTAINS,
    CONDITION_STARTS_WITH,
    CONDITION_ENDS_WITH,
    CONDITION_EXISTS,
    CONDITION_REGEX,
    CONDITION_ANY, // an element of an array satisfies the child
};

struct expression;
struct regex;
struct evaluator;

struct condition {
    enum condition_op op;
    bool ignore_case;
    bool dotted;       // the path has more than one part
    struct bytes path; // all but and, or, not; data NULL: `expression` instead
    const struct expression *expression;
    const struct expression *than;     // of a comparison, instead of `value`
    struct evaluator *evaluator;       // of expressions; not thread-safe, unlike all else here
    struct doc_value value;            // of a comparison or text; the low end of between
    struct doc_value high;             // between
    struct doc_value *values;          // in: sorted by doc_compare(), each once
    const struct condition **children; // and, or, not
    size_t count;                      // of values or children
    const struct regex *regex;
    const uint32_t *folded; // ignore_case: the value's folded code points
    size_t folded_count;
};

// Types that compare with each other are one class: the numbers, null with missing, and each
// other type alone.
static inline enum doc_type condition_class(enum doc_type type) {
    if (doc_is_number(type)) return DOC_DOUBLE;
    return type == DOC_MISSING ? DOC_NULL : type;
}

struct place;
// Parses the condition at `place` of the form; `remaining` counts down what the filter may hold.
// Without an evaluator expressions are refused (STATUS_UNSUPPORTED).
CHECKED enum status condition_parse_at(struct bytes form, const struct place *place,
                                       size_t *remaining, struct evaluator *evaluator,
                                       struct arena *arena, const struct condition **ret,
                                       struct error *error);
