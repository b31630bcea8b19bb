// SPDX-License-Identifier: Apache-2.0
#include "oracle.h"

#include <ctype.h>

static struct doc_value field(struct bytes document, const char *name) {
    return doc_get(document, bytes_of_string(name));
}

static struct doc_value lookup(struct bytes condition, struct bytes document) {
    struct doc_value value = doc_get_path(document, field(condition, "field").payload);
    if (value.type == DOC_MISSING) value.type = DOC_NULL;
    return value;
}

static bool same_class(const struct doc_value *a, const struct doc_value *b) {
    return (doc_is_number(a->type) && doc_is_number(b->type)) || a->type == b->type;
}

static bool holds(struct doc_value value, const char *op, struct doc_value wanted) {
    int order = doc_compare(&value, &wanted);
    if (strcmp(op, "eq") == 0) return order == 0;
    if (!same_class(&value, &wanted)) return false;
    if (strcmp(op, "lt") == 0) return order < 0;
    if (strcmp(op, "le") == 0) return order <= 0;
    if (strcmp(op, "gt") == 0) return order > 0;
    return order >= 0;
}

static bool any_equal(struct bytes array, struct doc_value wanted) {
    struct doc_iterator iterator;
    struct bytes name;
    struct doc_value value;
    doc_iterate(&iterator, array);
    while (doc_next(&iterator, &name, &value))
        if (doc_compare(&value, &wanted) == 0) return true;
    return false;
}

// Where `part` stands in `text`, as far as it matters: -1 nowhere. ASCII only.
static bool text_at(struct bytes text, size_t offset, struct bytes part, bool ignore_case) {
    if (offset + part.size > text.size) return false;
    for (size_t i = 0; i < part.size; i++) {
        int a = text.data[offset + i], b = part.data[i];
        if (ignore_case ? tolower(a) != tolower(b) : a != b) return false;
    }
    return true;
}

static bool text_holds(const char *op, struct bytes text, struct bytes part, bool ignore_case) {
    if (op[0] == 's') return text_at(text, 0, part, ignore_case);
    if (op[0] == 'e')
        return text.size >= part.size && text_at(text, text.size - part.size, part, ignore_case);
    for (size_t i = 0; i <= text.size; i++)
        if (text_at(text, i, part, ignore_case)) return true;
    return false;
}

static bool text_condition(const char *op, struct bytes condition, struct doc_value value) {
    struct doc_value wanted = field(condition, "value");
    bool ignore_case = false;
    doc_get_bool(condition, "ignore_case", &ignore_case);
    if (op[0] == 'c' && value.type == DOC_ARRAY) return any_equal(value.payload, wanted);
    if (value.type != DOC_STRING || wanted.type != DOC_STRING) return false;
    return text_holds(op, value.payload, wanted.payload, ignore_case);
}

static bool several(struct bytes conditions, struct bytes document, bool all) {
    struct doc_iterator iterator;
    struct bytes name;
    struct doc_value value;
    doc_iterate(&iterator, conditions);
    while (doc_next(&iterator, &name, &value))
        if (oracle_matches(value.payload, document) != all) return !all;
    return all;
}

bool oracle_matches(struct bytes condition, struct bytes document) {
    char op[16] = "";
    struct bytes name = field(condition, "op").payload;
    CHECK(name.size < sizeof op);
    memcpy(op, name.data, name.size);
    if (strcmp(op, "and") == 0 || strcmp(op, "or") == 0)
        return several(field(condition, "conditions").payload, document, op[0] == 'a');
    if (strcmp(op, "not") == 0)
        return !oracle_matches(field(condition, "condition").payload, document);
    if (strcmp(op, "exists") == 0)
        return doc_get_path(document, field(condition, "field").payload).type != DOC_MISSING;
    struct doc_value value = lookup(condition, document);
    if (strcmp(op, "in") == 0) return any_equal(field(condition, "values").payload, value);
    if (strcmp(op, "ne") == 0) return !holds(value, "eq", field(condition, "value"));
    if (strcmp(op, "between") == 0)
        return holds(value, "ge", field(condition, "low")) &&
               holds(value, "le", field(condition, "high"));
    if (strchr(op, '_') != NULL || op[0] == 'c') return text_condition(op, condition, value);
    return holds(value, op, field(condition, "value"));
}

// ---- sorting --------------------------------------------------------------------------------

static struct bytes sort_of_comparison; // qsort() has no context

static int compare_documents(const void *a, const void *b) {
    struct bytes left = *(const struct bytes *)a, right = *(const struct bytes *)b;
    struct doc_iterator iterator;
    struct bytes name;
    struct doc_value part;
    bool descending = false;
    doc_iterate(&iterator, sort_of_comparison);
    while (doc_next(&iterator, &name, &part)) {
        struct bytes path = field(part.payload, "field").payload;
        struct doc_value x = doc_get_path(left, path), y = doc_get_path(right, path);
        descending = false;
        doc_get_bool(part.payload, "descending", &descending);
        int order = doc_compare(&x, &y);
        if (order != 0) return descending ? -order : order;
    }
    struct doc_value x = field(left, "_id"), y = field(right, "_id");
    int order = doc_compare(&x, &y);
    return descending ? -order : order;
}

size_t oracle_select(struct bytes form, struct bytes *documents, size_t count) {
    struct doc_value filter = field(form, "filter");
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (filter.type == DOC_MISSING || oracle_matches(filter.payload, documents[i]))
            documents[kept++] = documents[i];
    struct doc_value sort = field(form, "sort");
    sort_of_comparison = sort.type == DOC_ARRAY ? sort.payload : bytes_of(NULL, 0);
    qsort(documents, kept, sizeof *documents, compare_documents);
    return kept;
}
