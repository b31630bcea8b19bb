// SPDX-License-Identifier: Apache-2.0
// The functions of expressions: names, numbers of arguments, and how they are worked out.
#pragma once

#include "base/arena.h"
#include "doc/doc.h"

#define SCRATCH_MAX (32 * MIB)
#define ARGUMENTS_MAX 16

// What evaluation needs beyond the document: memory for made values, and the first failure. One
// thread. Zero-initialised plus `scratch.limit` is valid; arena_done(&scratch) frees.
struct evaluator {
    struct arena scratch;
    enum status status;
    struct error error;
};
// Gives back the values made so far. Call before a row is worked on.
void evaluator_reset(struct evaluator *evaluator);
// Notes a failure, unless there is one; returns null.
struct doc_value evaluator_fail(struct evaluator *evaluator, enum status status, const char *format,
                                ...) __attribute__((format(printf, 3, 4)));

struct function {
    const char *name;
    uint8_t arguments_min, arguments_max;
    bool takes_null; // else null (or missing) in any argument makes null of it all
    struct doc_value (*call)(struct evaluator *evaluator, const struct function *function,
                             const struct doc_value *arguments, size_t count);
};
// NULL when there is none of that name.
const struct function *function_find(struct bytes name);
// Those that can be written as calls in PQL, for suggestions.
size_t function_names(const char **names, size_t capacity);

// ISO 8601: a day, or a day and a time of day with Z or an offset, to milliseconds since 1970.
bool date_parse(struct bytes text, int64_t *ret_milliseconds);

// For functions_*.c: tables, each ended by a row without a name.
extern const struct function number_functions[], text_functions[], date_functions[];
