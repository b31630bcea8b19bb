// SPDX-License-Identifier: Apache-2.0
// Functions of strings and arrays, coalesce, and the look-up of all functions.
#include <stdio.h>

#include "base/limits.h"
#include "query/functions.h"
#include "query/text.h"

#define SHOWN_NUMBER_MAX 40

static bool check_string(struct evaluator *evaluator, const struct function *function,
                         const struct doc_value *value) {
    if (value->type == DOC_STRING) return true;
    evaluator_fail(evaluator, STATUS_INVALID, "%s: a string is expected, not %s", function->name,
                   doc_type_name(value->type));
    return false;
}

static struct doc_value null_value(void) {
    return (struct doc_value){.type = DOC_NULL};
}

static uint8_t *scratch(struct evaluator *evaluator, size_t size) {
    uint8_t *memory =
        size > DOCUMENT_SIZE_MAX ? NULL : arena_allocate(&evaluator->scratch, size + 1, 1);
    if (memory == NULL)
        evaluator_fail(evaluator, STATUS_TOO_LARGE,
                       "the values of one document need more than "
                       "%llu MiB",
                       SCRATCH_MAX / MIB);
    return memory;
}

// ---- case -----------------------------------------------------------------------------------

static size_t put_utf8(uint8_t *out, uint32_t code) {
    if (code < 0x80) {
        out[0] = (uint8_t)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (uint8_t)(0xc0 | code >> 6);
        out[1] = (uint8_t)(0x80 | (code & 0x3f));
        return 2;
    }
    out[0] = (uint8_t)(0xe0 | code >> 12);
    out[1] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
    out[2] = (uint8_t)(0x80 | (code & 0x3f));
    return 3;
}

// The capital of a letter: within the alphabets that text_fold() knows, a capital stands a little
// before its small letter.
static uint32_t capital_of(uint32_t small) {
    static const uint16_t distances[] = {32, 1, 80, 37, 38, 63, 64};
    for (size_t i = 0; i < sizeof distances / sizeof distances[0]; i++)
        if (small > distances[i] && text_fold(small - distances[i]) == small)
            return small - distances[i];
    return text_fold(small) == small && small == 0xff ? 0x178 : small;
}

static struct doc_value change_case(struct evaluator *evaluator, const struct function *function,
                                    const struct doc_value *arguments, size_t count) {
    bool upper = function->name[0] == 'u';
    if (!check_string(evaluator, function, &arguments[0])) return null_value();
    struct bytes text = arguments[0].payload;
    uint8_t *out = scratch(evaluator, text.size * 3);
    size_t size = 0, step;
    if (out == NULL) return null_value();
    for (size_t at = 0; at < text.size; at += step) {
        uint32_t folded = text_fold_at(text, at, &step);
        uint32_t changed = upper ? capital_of(folded) : folded;
        if (changed > 0x7f && (step > 3 || changed > 0xffff || changed < 0xa0)) {
            memcpy(out + size, text.data + at, step);
            size += step;
        } else {
            size += put_utf8(out + size, changed);
        }
    }
    return doc_value_string(bytes_of(out, size));
}

// ---- parts ----------------------------------------------------------------------------------

static size_t character_size(struct bytes text, size_t at) {
    size_t size = 1;
    while (at + size < text.size && (text.data[at + size] & 0xc0) == 0x80) size++;
    return size;
}

static struct doc_value length(struct evaluator *evaluator, const struct function *function,
                               const struct doc_value *arguments, size_t count) {
    int64_t characters = 0;
    if (!check_string(evaluator, function, &arguments[0])) return null_value();
    struct bytes text = arguments[0].payload;
    for (size_t i = 0; i < text.size; i++) characters += (text.data[i] & 0xc0) != 0x80;
    return doc_value_int(characters);
}

static bool check_position(struct evaluator *evaluator, const struct function *function,
                           const struct doc_value *value) {
    if ((value->type == DOC_INT32 || value->type == DOC_INT64) && value->integer >= 0) return true;
    evaluator_fail(evaluator, STATUS_INVALID, "%s: start and length are integers of at least 0",
                   function->name);
    return false;
}

// substr(text, start, length), in characters from 0; what lies beyond the end is not there.
static struct doc_value substr(struct evaluator *evaluator, const struct function *function,
                               const struct doc_value *arguments, size_t count) {
    if (!check_string(evaluator, function, &arguments[0])) return null_value();
    for (size_t i = 1; i < count; i++)
        if (!check_position(evaluator, function, &arguments[i])) return null_value();
    struct bytes text = arguments[0].payload;
    size_t from = 0, to;
    for (int64_t i = 0; i < arguments[1].integer && from < text.size; i++)
        from += character_size(text, from);
    to = count > 2 ? from : text.size;
    for (int64_t i = 0; count > 2 && i < arguments[2].integer && to < text.size; i++)
        to += character_size(text, to);
    return doc_value_string(bytes_of(text.data + from, to - from));
}

static struct bytes shown(struct evaluator *evaluator, const struct function *function,
                          const struct doc_value *value, char text[SHOWN_NUMBER_MAX]) {
    if (value->type == DOC_INT32 || value->type == DOC_INT64)
        snprintf(text, SHOWN_NUMBER_MAX, "%lld", (long long)value->integer);
    else if (value->type == DOC_BOOL)
        snprintf(text, SHOWN_NUMBER_MAX, "%s", value->boolean ? "true" : "false");
    else if (check_string(evaluator, function, value))
        return value->payload;
    else
        text[0] = '\0';
    return bytes_of_string(text);
}

// Strings, integers and booleans joined.
static struct doc_value concat(struct evaluator *evaluator, const struct function *function,
                               const struct doc_value *arguments, size_t count) {
    char texts[ARGUMENTS_MAX][SHOWN_NUMBER_MAX];
    struct bytes parts[ARGUMENTS_MAX];
    size_t size = 0, used = 0;
    for (size_t i = 0; i < count; i++) {
        parts[i] = shown(evaluator, function, &arguments[i], texts[i]);
        size += parts[i].size;
    }
    uint8_t *out = evaluator->status == STATUS_OK ? scratch(evaluator, size) : NULL;
    if (out == NULL) return null_value();
    for (size_t i = 0; i < count; i++) {
        memcpy(out + used, parts[i].data, parts[i].size);
        used += parts[i].size;
    }
    return doc_value_string(bytes_of(out, size));
}

// ---- arrays, null ---------------------------------------------------------------------------

static struct doc_value array_size(struct evaluator *evaluator, const struct function *function,
                                   const struct doc_value *arguments, size_t count) {
    struct doc_iterator iterator;
    struct bytes name;
    struct doc_value element;
    int64_t elements = 0;
    if (arguments[0].type != DOC_ARRAY)
        return evaluator_fail(evaluator, STATUS_INVALID, "%s: an array is expected, not %s",
                              function->name, doc_type_name(arguments[0].type));
    doc_iterate(&iterator, arguments[0].payload);
    while (doc_next(&iterator, &name, &element)) elements++;
    return doc_value_int(elements);
}

static struct doc_value coalesce(struct evaluator *evaluator, const struct function *function,
                                 const struct doc_value *arguments, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (arguments[i].type != DOC_NULL && arguments[i].type != DOC_MISSING) return arguments[i];
    return null_value();
}

const struct function text_functions[] = {
    {"lower", 1, 1, false, change_case},
    {"upper", 1, 1, false, change_case},
    {"length", 1, 1, false, length},
    {"substr", 2, 3, false, substr},
    {"concat", 1, ARGUMENTS_MAX, false, concat},
    {"size", 1, 1, false, array_size},
    {"coalesce", 1, ARGUMENTS_MAX, true, coalesce},
    {NULL, 0, 0, false, NULL},
};

// ---- all ------------------------------------------------------------------------------------

static const struct function *const tables[] = {number_functions, text_functions, date_functions};

const struct function *function_find(struct bytes name) {
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        for (const struct function *function = tables[i]; function->name != NULL; function++)
            if (bytes_equal_string(name, function->name)) return function;
    return NULL;
}

size_t function_names(const char **names, size_t capacity) {
    size_t count = 0;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        for (const struct function *function = tables[i]; function->name != NULL; function++)
            if (count < capacity) names[count++] = function->name;
    return count;
}
