// SPDX-License-Identifier: Apache-2.0
// What ranges of index entries and of keys have in common, and those of index entries.
#include "query/range.h"

#include "query/range_internal.h"

#define KEY_TAIL 17 // more bytes than a key has: above every key
#define ENCODE_STACK_SIZE 2048

// ---- bounds ---------------------------------------------------------------------------------

enum status range_successor(struct bytes prefix, struct arena *arena, struct bytes *ret) {
    while (prefix.size > 0 && prefix.data[prefix.size - 1] == 0xff) prefix.size--;
    *ret = bytes_of(NULL, 0);
    if (prefix.size == 0) return STATUS_OK;
    uint8_t *copy = arena_allocate(arena, prefix.size, 1);
    if (copy == NULL) return STATUS_NO_MEMORY;
    memcpy(copy, prefix.data, prefix.size);
    copy[prefix.size - 1]++;
    *ret = bytes_of(copy, prefix.size);
    return STATUS_OK;
}

void range_raise(struct range *range, struct bytes bound) {
    if (bound.data == NULL) return;
    if (range->lower.data == NULL || bytes_compare(bound, range->lower) > 0) range->lower = bound;
}

void range_lower(struct range *range, struct bytes bound) {
    if (bound.data == NULL) return;
    if (range->upper.data == NULL || bytes_compare(bound, range->upper) < 0) range->upper = bound;
}

static enum status copy_with_tail(struct bytes bytes, size_t tail, struct arena *arena,
                                  struct bytes *ret) {
    uint8_t *copy = arena_allocate(arena, bytes.size + tail, 1);
    if (copy == NULL) return STATUS_NO_MEMORY;
    memcpy(copy, bytes.data, bytes.size);
    memset(copy + bytes.size, 0xff, tail);
    *ret = bytes_of(copy, bytes.size + tail);
    return STATUS_OK;
}

// ---- encoding -------------------------------------------------------------------------------

// Encodes on the stack what fits there, which nearly everything does, and copies to the arena.
static enum status encode(const struct doc_value *value, bool whole, struct arena *arena,
                          struct bytes *ret) {
    uint8_t stack[ENCODE_STACK_SIZE];
    struct buffer buffer = {.data = stack, .capacity = sizeof stack, .limit = sizeof stack};
    bool truncated;
    enum status status =
        whole ? doc_encode(&buffer, value) : doc_encode_index(&buffer, value, &truncated);
    if (status == STATUS_OK) return copy_with_tail(buffer_bytes(&buffer), 0, arena, ret);
    buffer = (struct buffer){0};
    status = whole ? doc_encode(&buffer, value) : doc_encode_index(&buffer, value, &truncated);
    if (status == STATUS_OK) status = copy_with_tail(buffer_bytes(&buffer), 0, arena, ret);
    buffer_done(&buffer);
    return status;
}

// All entries with the value, in the order of their keys.
static enum status range_of_value(const struct doc_value *value, struct arena *arena,
                                  struct range *ret) {
    enum status status = encode(value, false, arena, &ret->lower);
    return status == STATUS_OK ? copy_with_tail(ret->lower, KEY_TAIL, arena, &ret->upper) : status;
}

// The entries of null and of missing, which stand next to each other.
static enum status range_of_null(struct arena *arena, struct range *ret) {
    struct doc_value missing = {.type = DOC_MISSING}, null = {.type = DOC_NULL};
    struct bytes encoded;
    enum status status = encode(&missing, false, arena, &ret->lower);
    if (status == STATUS_OK) status = encode(&null, false, arena, &encoded);
    return status == STATUS_OK ? copy_with_tail(encoded, KEY_TAIL, arena, &ret->upper) : status;
}

// Where the value stands: everything below `ret_begin` is less, everything from `ret_end` on is
// more, and what is between equals it unless the encoding is too long to tell.
static enum status value_bounds(const struct doc_value *value, struct arena *arena,
                                struct bytes *ret_begin, struct bytes *ret_end) {
    enum status status = encode(value, true, arena, ret_begin);
    if (status != STATUS_OK) return status;
    if (ret_begin->size <= VALUE_ORDERED_MAX)
        return copy_with_tail(*ret_begin, KEY_TAIL, arena, ret_end);
    ret_begin->size = VALUE_ORDERED_MAX;
    return range_successor(*ret_begin, arena, ret_end);
}

// ---- half-open conditions -------------------------------------------------------------------

// Comparisons hold within a class of types, which is what the first byte of an encoding tells.
static enum status narrow_to_class(struct range *range, struct bytes encoded, struct arena *arena) {
    struct bytes class = bytes_of(encoded.data, 1), end;
    enum status status = range_successor(class, arena, &end);
    if (status != STATUS_OK) return status;
    range_raise(range, class);
    range_lower(range, end);
    return STATUS_OK;
}

static enum status narrow_comparison(struct accumulator *all, const struct condition *condition,
                                     struct arena *arena) {
    struct bytes begin, end;
    enum status status = value_bounds(&condition->value, arena, &begin, &end);
    if (status == STATUS_OK) status = narrow_to_class(&all->range, begin, arena);
    if (status != STATUS_OK) return status;
    // A value too long to order may be on either side: its own entries stay in.
    bool whole = begin.size < VALUE_ORDERED_MAX;
    switch (condition->op) {
    case CONDITION_LT:
        range_lower(&all->range, whole ? begin : end);
        break;
    case CONDITION_LE:
        range_lower(&all->range, end);
        break;
    case CONDITION_GT:
        range_raise(&all->range, whole ? end : begin);
        break;
    default:
        range_raise(&all->range, begin);
        break;
    }
    bool upper = condition->op == CONDITION_LT || condition->op == CONDITION_LE;
    all->has_upper |= upper;
    all->has_lower |= !upper;
    return STATUS_OK;
}

static enum status narrow_between(struct accumulator *all, const struct condition *condition,
                                  struct arena *arena) {
    struct condition half = *condition;
    half.op = CONDITION_GE;
    enum status status = narrow_comparison(all, &half, arena);
    half.op = CONDITION_LE;
    half.value = condition->high;
    return status == STATUS_OK ? narrow_comparison(all, &half, arena) : status;
}

// Encoded text ends in a terminator, which the encoded prefix leaves off.
static enum status narrow_prefix(struct accumulator *all, const struct condition *condition,
                                 struct arena *arena) {
    struct bytes prefix, end;
    enum status status = encode(&condition->value, true, arena, &prefix);
    if (status != STATUS_OK) return status;
    prefix.size -= 2;
    if (prefix.size > VALUE_ORDERED_MAX) prefix.size = VALUE_ORDERED_MAX;
    status = range_successor(prefix, arena, &end);
    if (status != STATUS_OK) return status;
    range_raise(&all->range, prefix);
    range_lower(&all->range, end);
    all->has_lower = all->has_upper = true;
    return STATUS_OK;
}

static bool is_null(const struct condition *condition) {
    return condition_class(condition->value.type) == DOC_NULL;
}

static enum status narrow_null(struct accumulator *all, const struct condition *condition,
                               struct arena *arena) {
    struct range range = {0};
    enum status status = range_of_null(arena, &range);
    if (status != STATUS_OK) return status;
    if (condition->op == CONDITION_LT || condition->op == CONDITION_GT) all->nothing = true;
    range_raise(&all->range, range.lower);
    range_lower(&all->range, range.upper);
    all->has_lower = all->has_upper = true;
    return STATUS_OK;
}

// Narrows by one condition; `*ret_used` tells whether it could be.
static enum status narrow(struct accumulator *all, const struct condition *condition,
                          struct arena *arena, bool *ret_used) {
    *ret_used = true;
    switch (condition->op) {
    case CONDITION_EQ:
        if (is_null(condition)) return narrow_null(all, condition, arena);
        break;
    case CONDITION_LT:
    case CONDITION_LE:
    case CONDITION_GT:
    case CONDITION_GE:
        if (is_null(condition)) return narrow_null(all, condition, arena);
        return narrow_comparison(all, condition, arena);
    case CONDITION_BETWEEN:
        if (condition_class(condition->value.type) != condition_class(condition->high.type)) {
            all->nothing = true;
            return STATUS_OK;
        }
        if (is_null(condition)) return narrow_null(all, condition, arena);
        return narrow_between(all, condition, arena);
    case CONDITION_STARTS_WITH:
        if (!condition->ignore_case) return narrow_prefix(all, condition, arena);
        break;
    default:
        break;
    }
    *ret_used = false;
    return STATUS_OK;
}

// ---- equality -------------------------------------------------------------------------------

static enum status set_of_eq(const struct condition *condition, struct arena *arena,
                             struct range_set *set) {
    set->ranges = arena_zalloc(arena, sizeof *set->ranges);
    if (set->ranges == NULL) return STATUS_NO_MEMORY;
    set->count = 1;
    set->shape = RANGE_EQ;
    return range_of_value(&condition->value, arena, &set->ranges[0]);
}

// Ranges of values too long to order could overlap: such a list is not used.
static enum status set_of_in(const struct condition *condition, struct arena *arena,
                             struct range_set *set, bool *ret_used) {
    set->ranges = arena_zalloc(arena, (condition->count + 1) * sizeof *set->ranges);
    if (set->ranges == NULL) return STATUS_NO_MEMORY;
    *ret_used = false;
    for (size_t i = 0; i < condition->count; i++) {
        const struct doc_value *value = &condition->values[i];
        struct range *range = &set->ranges[i];
        enum status status = value->type == DOC_NULL ? range_of_null(arena, range)
                                                     : range_of_value(value, arena, range);
        if (status != STATUS_OK) return status;
        if (range->lower.size > VALUE_ORDERED_MAX) return STATUS_OK;
    }
    *ret_used = true;
    set->count = condition->count;
    set->shape = condition->count == 0 ? RANGE_NOTHING : RANGE_IN;
    if (condition->count == 1 && condition->values[0].type != DOC_NULL) set->shape = RANGE_EQ;
    return STATUS_OK;
}

static bool is_on(const struct condition *condition, struct bytes path) {
    return condition->op > CONDITION_NOT && condition->than == NULL &&
           bytes_equal(condition->path, path);
}

static enum status find_equality(const struct condition *const *conditions, size_t count,
                                 struct bytes path, struct arena *arena, struct range_set *set,
                                 bool *ret_found) {
    enum status status = STATUS_OK;
    *ret_found = false;
    for (size_t i = 0; i < count && !*ret_found && status == STATUS_OK; i++) {
        const struct condition *condition = conditions[i];
        if (condition->op != CONDITION_EQ || is_null(condition) || !is_on(condition, path))
            continue;
        *ret_found = true;
        set->implied = 1ULL << i;
        status = set_of_eq(condition, arena, set);
    }
    for (size_t i = 0; i < count && !*ret_found && status == STATUS_OK; i++) {
        if (conditions[i]->op != CONDITION_IN || !is_on(conditions[i], path)) continue;
        status = set_of_in(conditions[i], arena, set, ret_found);
        if (*ret_found) set->implied = 1ULL << i;
    }
    return status;
}

// ---- all ------------------------------------------------------------------------------------

enum status range_conclude(const struct accumulator *all, struct arena *arena,
                           struct range_set *ret) {
    ret->ranges = arena_zalloc(arena, sizeof *ret->ranges);
    if (ret->ranges == NULL) return STATUS_NO_MEMORY;
    ret->ranges[0] = all->range;
    ret->count = 1;
    ret->shape = RANGE_ALL;
    if (all->has_lower || all->has_upper) ret->shape = RANGE_HALF;
    if (all->has_lower && all->has_upper) ret->shape = RANGE_BOUNDED;
    if (!all->nothing && !range_empty(&all->range)) return STATUS_OK;
    ret->count = 0;
    ret->shape = RANGE_NOTHING;
    return STATUS_OK;
}

enum status range_of_index(const struct condition *const *conditions, size_t count,
                           struct bytes path, struct arena *arena, struct range_set *ret) {
    struct accumulator all = {0};
    bool found;
    ASSERT(count <= RANGE_CONDITIONS_MAX);
    *ret = (struct range_set){0};
    enum status status = find_equality(conditions, count, path, arena, ret, &found);
    if (status != STATUS_OK || found) return status;
    for (size_t i = 0; i < count; i++) {
        bool used;
        if (!is_on(conditions[i], path)) continue;
        status = narrow(&all, conditions[i], arena, &used);
        if (status != STATUS_OK) return status;
        if (used) ret->implied |= 1ULL << i;
    }
    return range_conclude(&all, arena, ret);
}
