// SPDX-License-Identifier: Apache-2.0
// Arithmetic: integers stay integers and overflow is an error; with a double in it, doubles.
#include <math.h>

#include "base/limits.h"
#include "query/functions.h"

static bool is_integer(const struct doc_value *value) {
    return value->type == DOC_INT32 || value->type == DOC_INT64;
}

static double to_double(const struct doc_value *value) {
    return value->type == DOC_DOUBLE ? value->number : (double)value->integer;
}

// Decimals are ordered and grouped exactly, but not calculated with.
static bool check_numbers(struct evaluator *evaluator, const struct function *function,
                          const struct doc_value *arguments, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (arguments[i].type == DOC_DECIMAL128) {
            evaluator_fail(evaluator, STATUS_UNSUPPORTED, "%s of decimals is not supported",
                           function->name);
            return false;
        }
        if (!doc_is_number(arguments[i].type)) {
            evaluator_fail(evaluator, STATUS_INVALID, "%s: a number is expected, not %s",
                           function->name, doc_type_name(arguments[i].type));
            return false;
        }
    }
    return true;
}

static struct doc_value null_value(void) {
    return (struct doc_value){.type = DOC_NULL};
}

static struct doc_value overflow(struct evaluator *evaluator, const struct function *function) {
    return evaluator_fail(evaluator, STATUS_INVALID, "%s: the result does not fit into 64 bits",
                          function->name);
}

static struct doc_value add(struct evaluator *evaluator, const struct function *function,
                            const struct doc_value *arguments, size_t count) {
    int64_t result;
    if (!check_numbers(evaluator, function, arguments, count)) return null_value();
    if (!is_integer(&arguments[0]) || !is_integer(&arguments[1]))
        return doc_value_double(to_double(&arguments[0]) + to_double(&arguments[1]));
    if (__builtin_add_overflow(arguments[0].integer, arguments[1].integer, &result))
        return overflow(evaluator, function);
    return doc_value_int(result);
}

static struct doc_value subtract(struct evaluator *evaluator, const struct function *function,
                                 const struct doc_value *arguments, size_t count) {
    int64_t result;
    if (arguments[0].type == DOC_DATE && arguments[1].type == DOC_DATE) { // milliseconds
        if (__builtin_sub_overflow(arguments[0].integer, arguments[1].integer, &result))
            return overflow(evaluator, function);
        return doc_value_int(result);
    }
    if (!check_numbers(evaluator, function, arguments, count)) return null_value();
    if (!is_integer(&arguments[0]) || !is_integer(&arguments[1]))
        return doc_value_double(to_double(&arguments[0]) - to_double(&arguments[1]));
    if (__builtin_sub_overflow(arguments[0].integer, arguments[1].integer, &result))
        return overflow(evaluator, function);
    return doc_value_int(result);
}

static struct doc_value multiply(struct evaluator *evaluator, const struct function *function,
                                 const struct doc_value *arguments, size_t count) {
    int64_t result;
    if (!check_numbers(evaluator, function, arguments, count)) return null_value();
    if (!is_integer(&arguments[0]) || !is_integer(&arguments[1]))
        return doc_value_double(to_double(&arguments[0]) * to_double(&arguments[1]));
    if (__builtin_mul_overflow(arguments[0].integer, arguments[1].integer, &result))
        return overflow(evaluator, function);
    return doc_value_int(result);
}

// Division of integers cuts towards zero, as in C and SQL.
static struct doc_value divide(struct evaluator *evaluator, const struct function *function,
                               const struct doc_value *arguments, size_t count) {
    bool modulo = function->name[0] == 'm';
    if (!check_numbers(evaluator, function, arguments, count)) return null_value();
    if (to_double(&arguments[1]) == 0)
        return evaluator_fail(evaluator, STATUS_INVALID, "%s: division by zero", function->name);
    if (!is_integer(&arguments[0]) || !is_integer(&arguments[1])) {
        double a = to_double(&arguments[0]), b = to_double(&arguments[1]);
        return doc_value_double(modulo ? fmod(a, b) : a / b);
    }
    int64_t a = arguments[0].integer, b = arguments[1].integer;
    if (b == -1) { // the one case that overflows
        if (modulo) return doc_value_int(0);
        return a == INT64_MIN ? overflow(evaluator, function) : doc_value_int(-a);
    }
    return doc_value_int(modulo ? a % b : a / b);
}

static struct doc_value negate(struct evaluator *evaluator, const struct function *function,
                               const struct doc_value *arguments, size_t count) {
    if (!check_numbers(evaluator, function, arguments, count)) return null_value();
    bool keep = function->name[0] == 'a' && to_double(&arguments[0]) >= 0; // abs
    if (!is_integer(&arguments[0]))
        return doc_value_double(keep ? arguments[0].number : -arguments[0].number);
    if (keep) return doc_value_int(arguments[0].integer);
    if (arguments[0].integer == INT64_MIN) return overflow(evaluator, function);
    return doc_value_int(-arguments[0].integer);
}

#define PLACES_MAX 15

// floor(x), ceil(x), round(x), round(x, places). The type stays.
static struct doc_value to_whole(struct evaluator *evaluator, const struct function *function,
                                 const struct doc_value *arguments, size_t count) {
    if (!check_numbers(evaluator, function, arguments, count)) return null_value();
    int64_t places = count > 1 && is_integer(&arguments[1]) ? arguments[1].integer : 0;
    if ((count > 1 && !is_integer(&arguments[1])) || places < 0 || places > PLACES_MAX)
        return evaluator_fail(evaluator, STATUS_INVALID,
                              "%s: the number of places is an integer from 0 to %d", function->name,
                              PLACES_MAX);
    if (is_integer(&arguments[0])) return arguments[0];
    double number = arguments[0].number, scale = pow(10, (double)places);
    if (function->name[0] == 'f') return doc_value_double(floor(number));
    if (function->name[0] == 'c') return doc_value_double(ceil(number));
    double scaled = number * scale;
    return doc_value_double(isfinite(scaled) ? round(scaled) / scale : number);
}

const struct function number_functions[] = {
    {"add", 2, 2, false, add},           {"subtract", 2, 2, false, subtract},
    {"multiply", 2, 2, false, multiply}, {"divide", 2, 2, false, divide},
    {"modulo", 2, 2, false, divide},     {"negate", 1, 1, false, negate},
    {"abs", 1, 1, false, negate},        {"round", 1, 2, false, to_whole},
    {"floor", 1, 1, false, to_whole},    {"ceil", 1, 1, false, to_whole},
    {NULL, 0, 0, false, NULL},
};
