// SPDX-License-Identifier: Apache-2.0
// Ranges of `_id`, by primary keys.
#include <math.h>

#include "query/range_internal.h"

// What a value says about the keys of a store.
enum key_match {
    KEY_IS,      // equals exactly this key
    KEY_NEVER,   // equals no key of the store
    KEY_UNKNOWN, // to be compared with the documents
};

static enum key_match match_double(double number, struct key *ret) {
    if (!(number >= -0x1p63 && number < 0x1p63) || number != trunc(number)) return KEY_NEVER;
    struct doc_value integer = doc_value_int((int64_t)number);
    return key_from_value(KEY_INT64, &integer, ret, NULL) == STATUS_OK ? KEY_IS : KEY_NEVER;
}

static enum key_match match_key(enum key_type type, const struct doc_value *value,
                                struct key *ret) {
    if (type == KEY_INT64 && value->type == DOC_DOUBLE) return match_double(value->number, ret);
    if (type == KEY_INT64 && value->type == DOC_DECIMAL128) return KEY_UNKNOWN;
    return key_from_value(type, value, ret, NULL) == STATUS_OK ? KEY_IS : KEY_NEVER;
}

enum status range_key_bound(const struct key *key, bool behind, struct arena *arena,
                            struct bytes *ret) {
    struct key bound = *key;
    if (behind) {
        size_t i = sizeof bound.bytes;
        while (i > 0 && ++bound.bytes[i - 1] == 0) i--;
        *ret = bytes_of(NULL, 0);
        if (i == 0) return STATUS_OK;
    }
    *ret = arena_copy(arena, bytes_of(bound.bytes, sizeof bound.bytes));
    return ret->data == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

static enum status add_key(const struct key *key, struct arena *arena, struct range_set *set) {
    struct range *range = &set->ranges[set->count++];
    enum status status = range_key_bound(key, false, arena, &range->lower);
    return status == STATUS_OK ? range_key_bound(key, true, arena, &range->upper) : status;
}

static bool is_on_key(const struct condition *condition) {
    return condition->op > CONDITION_NOT && condition->than == NULL &&
           bytes_equal_string(condition->path, "_id");
}

// The keys of an eq or in condition. Values ascend, and so do the keys made from them.
static enum status set_of_values(const struct doc_value *values, size_t count, enum key_type type,
                                 struct arena *arena, struct range_set *set, bool *ret_used) {
    struct key key;
    *ret_used = false;
    set->count = 0;
    set->ranges = arena_zalloc(arena, (count + 1) * sizeof *set->ranges);
    if (set->ranges == NULL) return STATUS_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        enum key_match match = match_key(type, &values[i], &key);
        if (match == KEY_UNKNOWN) return STATUS_OK;
        if (match == KEY_NEVER) continue;
        enum status status = add_key(&key, arena, set);
        if (status != STATUS_OK) return status;
    }
    *ret_used = true;
    set->shape = set->count == 0 ? RANGE_NOTHING : set->count == 1 ? RANGE_EQ : RANGE_IN;
    return STATUS_OK;
}

static enum status find_equality(const struct condition *const *conditions, size_t count,
                                 enum key_type type, struct arena *arena, struct range_set *set,
                                 bool *ret_found) {
    *ret_found = false;
    for (size_t i = 0; i < count && !*ret_found; i++) {
        const struct condition *condition = conditions[i];
        bool eq = condition->op == CONDITION_EQ;
        if ((!eq && condition->op != CONDITION_IN) || !is_on_key(condition)) continue;
        enum status status = set_of_values(eq ? &condition->value : condition->values,
                                           eq ? 1 : condition->count, type, arena, set, ret_found);
        if (status != STATUS_OK) return status;
        if (*ret_found) set->implied = 1ULL << i;
    }
    return STATUS_OK;
}

// Whether values of the class can compare with keys at all: every `_id` is of its store's type.
static bool is_comparable(enum key_type type, const struct doc_value *value) {
    static const enum doc_type classes[] = {[KEY_UUID] = DOC_BINARY,
                                            [KEY_INT64] = DOC_DOUBLE,
                                            [KEY_OBJECT_ID] = DOC_OBJECT_ID,
                                            [KEY_STRING] = DOC_STRING};
    return condition_class(value->type) == classes[type];
}

static enum status narrow_comparison(struct accumulator *all, enum condition_op op,
                                     const struct doc_value *value, enum key_type type,
                                     struct arena *arena, bool *ret_used) {
    struct key key;
    struct bytes bound;
    bool comparable = is_comparable(type, value);
    if (!comparable) all->nothing = true;
    *ret_used = !comparable || match_key(type, value, &key) == KEY_IS;
    if (!comparable || !*ret_used) return STATUS_OK;
    bool upper = op == CONDITION_LT || op == CONDITION_LE;
    bool behind = op == CONDITION_LE || op == CONDITION_GT;
    enum status status = range_key_bound(&key, behind, arena, &bound);
    if (status != STATUS_OK) return status;
    if (op == CONDITION_GT && bound.data == NULL) all->nothing = true;
    if (upper)
        range_lower(&all->range, bound);
    else
        range_raise(&all->range, bound);
    all->has_upper |= upper;
    all->has_lower |= !upper;
    return STATUS_OK;
}

static enum status narrow_between(struct accumulator *all, const struct condition *condition,
                                  enum key_type type, struct arena *arena, bool *ret_used) {
    struct accumulator narrowed = *all;
    enum status status =
        narrow_comparison(&narrowed, CONDITION_GE, &condition->value, type, arena, ret_used);
    if (status == STATUS_OK && *ret_used)
        status =
            narrow_comparison(&narrowed, CONDITION_LE, &condition->high, type, arena, ret_used);
    if (status == STATUS_OK && *ret_used) *all = narrowed;
    return status;
}

// Keys of text are its bytes, then zeros, then its length.
static enum status narrow_prefix(struct accumulator *all, struct bytes prefix, enum key_type type,
                                 struct arena *arena) {
    struct key key = {0};
    struct bytes lower, end;
    if (type != KEY_STRING || prefix.size >= sizeof key.bytes) all->nothing = true;
    if (all->nothing || prefix.size == 0) return STATUS_OK;
    memcpy(key.bytes, prefix.data, prefix.size);
    enum status status = range_key_bound(&key, false, arena, &lower);
    if (status == STATUS_OK) status = range_successor(prefix, arena, &end);
    if (status != STATUS_OK) return status;
    ASSERT(end.data != NULL); // no byte of UTF-8 is 0xff
    key = (struct key){0};
    memcpy(key.bytes, end.data, end.size);
    status = range_key_bound(&key, false, arena, &end);
    range_raise(&all->range, lower);
    range_lower(&all->range, end);
    all->has_lower = all->has_upper = true;
    return status;
}

static enum status narrow(struct accumulator *all, const struct condition *condition,
                          enum key_type type, struct arena *arena, bool *ret_used) {
    *ret_used = false;
    switch (condition->op) {
    case CONDITION_LT:
    case CONDITION_LE:
    case CONDITION_GT:
    case CONDITION_GE:
        return narrow_comparison(all, condition->op, &condition->value, type, arena, ret_used);
    case CONDITION_BETWEEN:
        return narrow_between(all, condition, type, arena, ret_used);
    case CONDITION_STARTS_WITH:
        if (condition->ignore_case) return STATUS_OK;
        *ret_used = true;
        return narrow_prefix(all, condition->value.payload, type, arena);
    default:
        return STATUS_OK;
    }
}

enum status range_of_key(const struct condition *const *conditions, size_t count,
                         enum key_type type, struct arena *arena, struct range_set *ret) {
    struct accumulator all = {0};
    bool found;
    ASSERT(count <= RANGE_CONDITIONS_MAX);
    *ret = (struct range_set){0};
    enum status status = find_equality(conditions, count, type, arena, ret, &found);
    if (status != STATUS_OK || found) return status;
    for (size_t i = 0; i < count; i++) {
        bool used;
        if (!is_on_key(conditions[i])) continue;
        status = narrow(&all, conditions[i], type, arena, &used);
        if (status != STATUS_OK) return status;
        if (used) ret->implied |= 1ULL << i;
    }
    return range_conclude(&all, arena, ret);
}
