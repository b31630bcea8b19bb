// SPDX-License-Identifier: Apache-2.0
// The total order over values, compared in place.
#include "base/limits.h"
#include "doc/decimal.h"
#include "doc/order.h"

#include <math.h>

static const uint8_t ranks[256] = {
    [DOC_MISSING] = RANK_MISSING,     [DOC_DOUBLE] = RANK_NUMBER,   [DOC_STRING] = RANK_STRING,
    [DOC_DOCUMENT] = RANK_DOCUMENT,   [DOC_ARRAY] = RANK_ARRAY,     [DOC_BINARY] = RANK_BINARY,
    [DOC_OBJECT_ID] = RANK_OBJECT_ID, [DOC_BOOL] = RANK_BOOL,       [DOC_DATE] = RANK_DATE,
    [DOC_NULL] = RANK_NULL,           [DOC_REGEX] = RANK_REGEX,     [DOC_INT32] = RANK_NUMBER,
    [DOC_TIMESTAMP] = RANK_TIMESTAMP, [DOC_INT64] = RANK_NUMBER,    [DOC_DECIMAL128] = RANK_NUMBER,
    [DOC_MIN_KEY] = RANK_MIN_KEY,     [DOC_MAX_KEY] = RANK_MAX_KEY,
};

enum order_rank order_rank(enum doc_type type) {
    uint8_t rank = ranks[(uint8_t)type];
    ASSERT(rank != 0);
    return (enum order_rank)rank;
}

static int compare_u64(uint64_t a, uint64_t b) {
    return (a > b) - (a < b);
}

static int compare_i64(int64_t a, int64_t b) {
    return (a > b) - (a < b);
}

// NaN stands before every other number.
static int compare_doubles(double a, double b) {
    if (a < b) return -1;
    if (a > b) return 1;
    if (a == b) return 0;
    return (isnan(b) != 0) - (isnan(a) != 0);
}

static int compare_int_double(int64_t a, double b) {
    if (isnan(b)) return 1;
    if (b >= 0x1p63) return -1;
    if (b < -0x1p63) return 1;
    int64_t whole = (int64_t)b;
    if (a != whole) return a < whole ? -1 : 1;
    // Exact: beyond 2^53, where converting back could round, `b` has no fraction.
    double fraction = b - (double)whole;
    return (fraction < 0) - (fraction > 0);
}

static int compare_decimal(const struct doc_value *a, const struct doc_value *b) {
    struct decimal left = decimal_decode(a->payload.data);
    bool left_nan = left.kind == DECIMAL_NAN;
    if (b->type == DOC_DOUBLE) {
        bool right_nan = isnan(b->number);
        if (left_nan || right_nan) return right_nan - left_nan;
        return decimal_compare_double(&left, b->number);
    }
    struct decimal right =
        b->type == DOC_DECIMAL128 ? decimal_decode(b->payload.data) : decimal_from_int(b->integer);
    bool right_nan = right.kind == DECIMAL_NAN;
    if (left_nan || right_nan) return right_nan - left_nan;
    return decimal_compare(&left, &right);
}

static int compare_numbers(const struct doc_value *a, const struct doc_value *b) {
    if (a->type == DOC_DECIMAL128) return compare_decimal(a, b);
    if (b->type == DOC_DECIMAL128) return -compare_decimal(b, a);
    if (a->type == DOC_DOUBLE)
        return b->type == DOC_DOUBLE ? compare_doubles(a->number, b->number)
                                     : -compare_int_double(b->integer, a->number);
    return b->type == DOC_DOUBLE ? compare_int_double(a->integer, b->number)
                                 : compare_i64(a->integer, b->integer);
}

static int compare_values(const struct doc_value *a, const struct doc_value *b, unsigned depth);

static int compare_elements(const struct doc_value *a, const struct doc_value *b, unsigned depth) {
    struct doc_iterator left, right;
    struct bytes left_name, right_name;
    struct doc_value left_value, right_value;
    doc_iterate(&left, a->payload);
    doc_iterate(&right, b->payload);
    for (;;) {
        bool left_more = doc_next(&left, &left_name, &left_value);
        bool right_more = doc_next(&right, &right_name, &right_value);
        if (!left_more || !right_more) return left_more - right_more;
        int order = a->type == DOC_ARRAY ? 0 : bytes_compare(left_name, right_name);
        if (order == 0) order = compare_values(&left_value, &right_value, depth + 1);
        if (order != 0) return order;
    }
}

static int compare_binaries(const struct doc_value *a, const struct doc_value *b) {
    int order = compare_u64(a->payload.size, b->payload.size);
    if (order == 0) order = (int)a->binary_subtype - (int)b->binary_subtype;
    return order != 0 ? order : bytes_compare(a->payload, b->payload);
}

static int compare_values(const struct doc_value *a, const struct doc_value *b, unsigned depth) {
    enum order_rank rank = order_rank(a->type), other = order_rank(b->type);
    if (rank != other) return rank < other ? -1 : 1;
    switch (rank) {
    case RANK_NUMBER:
        return compare_numbers(a, b);
    case RANK_DOCUMENT:
    case RANK_ARRAY: // valid documents do not nest deeper; hostile ones must not end the stack
        if (depth > DOCUMENT_DEPTH_MAX) return bytes_compare(a->payload, b->payload);
        return compare_elements(a, b, depth);
    case RANK_BINARY:
        return compare_binaries(a, b);
    case RANK_BOOL:
        return (int)a->boolean - (int)b->boolean;
    case RANK_DATE:
        return compare_i64(a->integer, b->integer);
    case RANK_TIMESTAMP:
        return compare_u64((uint64_t)a->integer, (uint64_t)b->integer);
    case RANK_STRING:
    case RANK_OBJECT_ID:
    case RANK_REGEX: // the NUL after the pattern makes a shorter pattern the lesser one
        return bytes_compare(a->payload, b->payload);
    case RANK_MIN_KEY:
    case RANK_MISSING:
    case RANK_NULL:
    case RANK_MAX_KEY:
        return 0;
    }
    UNREACHABLE();
}

int doc_compare(const struct doc_value *a, const struct doc_value *b) {
    return compare_values(a, b, 0);
}
