// SPDX-License-Identifier: Apache-2.0
// Evaluation of conditions on a document in place: the hot path of every query that filters.
#include "query/condition.h"
#include "query/expression.h"
#include "query/regex.h"
#include "query/text.h"

#define LINEAR_VALUES_MAX 8 // longer lists are searched by halves

static struct doc_value field_value(const struct condition *condition, struct bytes document) {
    if (condition->expression != NULL)
        return expression_evaluate(condition->expression, document, condition->evaluator);
    return condition->dotted ? doc_get_path(document, condition->path)
                             : doc_get(document, condition->path);
}

// doc_compare() of two values of one class, a missing one taken for null.
static int compare_in_class(const struct doc_value *a, const struct doc_value *b) {
    if (condition_class(a->type) == DOC_NULL) return 0;
    return doc_compare(a, b);
}

static bool values_equal(const struct doc_value *value, const struct doc_value *wanted) {
    if (value->type == DOC_STRING && wanted->type == DOC_STRING)
        return bytes_equal(value->payload, wanted->payload);
    if (condition_class(value->type) != condition_class(wanted->type)) return false;
    return compare_in_class(value, wanted) == 0;
}

static bool in_list(const struct condition *condition, const struct doc_value *value) {
    if (condition->count <= LINEAR_VALUES_MAX) {
        for (size_t i = 0; i < condition->count; i++)
            if (values_equal(value, &condition->values[i])) return true;
        return false;
    }
    struct doc_value null = {.type = DOC_NULL};
    if (value->type == DOC_MISSING) value = &null;
    size_t low = 0, high = condition->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = doc_compare(value, &condition->values[middle]);
        if (order == 0) return true;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}

static bool in_order(const struct condition *condition, const struct doc_value *value,
                     const struct doc_value *wanted) {
    if (condition_class(value->type) != condition_class(wanted->type)) return false;
    int order = compare_in_class(value, wanted);
    switch (condition->op) {
    case CONDITION_LT:
        return order < 0;
    case CONDITION_LE:
        return order <= 0;
    case CONDITION_GT:
        return order > 0;
    default:
        return order >= 0;
    }
}

static bool in_between(const struct condition *condition, const struct doc_value *value) {
    enum doc_type class = condition_class(value->type);
    return class == condition_class(condition->value.type) &&
           class == condition_class(condition->high.type) &&
           compare_in_class(value, &condition->value) >= 0 &&
           compare_in_class(value, &condition->high) <= 0;
}

static bool array_contains(const struct condition *condition, struct bytes array) {
    struct doc_iterator iterator;
    struct bytes name;
    struct doc_value element;
    doc_iterate(&iterator, array);
    while (doc_next(&iterator, &name, &element)) {
        bool equal = condition->ignore_case
                         ? element.type == DOC_STRING &&
                               text_equals_folded(element.payload, condition->folded,
                                                  condition->folded_count)
                         : values_equal(&element, &condition->value);
        if (equal) return true;
    }
    return false;
}

static bool text_matches_folded(const struct condition *condition, struct bytes text) {
    const uint32_t *folded = condition->folded;
    size_t count = condition->folded_count;
    if (condition->op == CONDITION_CONTAINS) return text_contains_folded(text, folded, count);
    if (condition->op == CONDITION_STARTS_WITH) return text_starts_with_folded(text, folded, count);
    return text_ends_with_folded(text, folded, count);
}

static bool text_matches(const struct condition *condition, const struct doc_value *value) {
    if (value->type == DOC_ARRAY && condition->op == CONDITION_CONTAINS)
        return array_contains(condition, value->payload);
    if (value->type != DOC_STRING || condition->value.type != DOC_STRING) return false;
    if (condition->ignore_case) return text_matches_folded(condition, value->payload);
    struct bytes part = condition->value.payload;
    if (condition->op == CONDITION_CONTAINS) return text_contains(value->payload, part);
    if (condition->op == CONDITION_STARTS_WITH) return text_starts_with(value->payload, part);
    return text_ends_with(value->payload, part);
}

static bool found_by_regex(const struct condition *condition, const struct doc_value *value) {
    bool found = false;
    if (value->type != DOC_STRING) return false;
    if (regex_matches(condition->regex, value->payload, &found) != STATUS_OK)
        evaluator_fail(condition->evaluator, STATUS_LIMIT,
                       "a regular expression takes too long on a text of %zu bytes",
                       value->payload.size);
    return found;
}

// Whether an element that is a document satisfies the child.
static bool any_matches(const struct condition *condition, const struct doc_value *array) {
    struct doc_iterator iterator;
    struct bytes name;
    struct doc_value element;
    if (array->type != DOC_ARRAY) return false;
    doc_iterate(&iterator, array->payload);
    while (doc_next(&iterator, &name, &element))
        if (element.type == DOC_DOCUMENT &&
            condition_matches(condition->children[0], element.payload))
            return true;
    return false;
}

static bool compares(const struct condition *condition, const struct doc_value *value,
                     const struct doc_value *wanted) {
    if (condition->op == CONDITION_EQ) return values_equal(value, wanted);
    if (condition->op == CONDITION_NE) return !values_equal(value, wanted);
    return in_order(condition, value, wanted);
}

static bool field_matches(const struct condition *condition, struct bytes document) {
    struct doc_value value = field_value(condition, document), than;
    switch (condition->op) {
    case CONDITION_EQ:
    case CONDITION_NE:
    case CONDITION_LT:
    case CONDITION_LE:
    case CONDITION_GT:
    case CONDITION_GE:
        if (condition->than == NULL) return compares(condition, &value, &condition->value);
        than = expression_evaluate(condition->than, document, condition->evaluator);
        return compares(condition, &value, &than);
    case CONDITION_IN:
        return in_list(condition, &value);
    case CONDITION_BETWEEN:
        return in_between(condition, &value);
    case CONDITION_CONTAINS:
    case CONDITION_STARTS_WITH:
    case CONDITION_ENDS_WITH:
        return text_matches(condition, &value);
    case CONDITION_EXISTS:
        return value.type != DOC_MISSING;
    case CONDITION_REGEX:
        return found_by_regex(condition, &value);
    case CONDITION_ANY:
        return any_matches(condition, &value);
    case CONDITION_AND:
    case CONDITION_OR:
    case CONDITION_NOT:
        break;
    }
    UNREACHABLE();
}

// Recursion is bounded by the depth of the form, a valid BSON document.
bool condition_matches(const struct condition *condition, struct bytes document) {
    switch (condition->op) {
    case CONDITION_AND:
        for (size_t i = 0; i < condition->count; i++)
            if (!condition_matches(condition->children[i], document)) return false;
        return true;
    case CONDITION_OR:
        for (size_t i = 0; i < condition->count; i++)
            if (condition_matches(condition->children[i], document)) return true;
        return false;
    case CONDITION_NOT:
        return !condition_matches(condition->children[0], document);
    default:
        return field_matches(condition, document);
    }
}
