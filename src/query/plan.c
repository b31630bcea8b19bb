// SPDX-License-Identifier: Apache-2.0
#include "query/plan.h"

// The conjunction that the filter is, as far as the planner looks at it.
struct conjunction {
    const struct condition **conditions;
    size_t count;
};

struct candidate {
    struct range_set set;
    const struct index_info *index; // NULL: the primary order
    bool ordered;
    unsigned cost;
};

// ---- conjunction ----------------------------------------------------------------------------

static size_t count_conjuncts(const struct condition *condition) {
    if (condition->op != CONDITION_AND) return 1;
    size_t count = 0;
    for (size_t i = 0; i < condition->count; i++) count += count_conjuncts(condition->children[i]);
    return count;
}

static void add_conjuncts(struct conjunction *all, const struct condition *condition) {
    if (condition->op != CONDITION_AND) {
        all->conditions[all->count++] = condition;
        return;
    }
    for (size_t i = 0; i < condition->count; i++) add_conjuncts(all, condition->children[i]);
}

static enum status flatten(const struct condition *filter, struct arena *arena,
                           struct conjunction *ret) {
    *ret = (struct conjunction){0};
    if (filter == NULL) return STATUS_OK;
    size_t count = count_conjuncts(filter);
    ret->conditions = arena_allocate(arena, (count + 1) * sizeof(void *), 8);
    if (ret->conditions == NULL) return STATUS_NO_MEMORY;
    add_conjuncts(ret, filter);
    ASSERT(ret->count == count);
    return STATUS_OK;
}

// ---- candidates -----------------------------------------------------------------------------

static bool gives_order(const struct form *form, const struct candidate *candidate) {
    if (form->counting) return false; // none is asked for
    if (form->any_order) return candidate->index == NULL || candidate->set.shape != RANGE_ALL;
    if (candidate->index == NULL) return form->sort_count == 0;
    if (form->sort_count == 0) // entries of one value are in the order of their keys
        return candidate->set.shape == RANGE_EQ;
    return form->sort_count == 1 && form->sort[0].descending == form->key_descending &&
           bytes_equal_string(form->sort[0].path, candidate->index->field);
}

// Less is better; see plan.h.
static unsigned cost_of(const struct candidate *candidate) {
    bool primary = candidate->index == NULL;
    switch (candidate->set.shape) {
    case RANGE_NOTHING:
        return 0;
    case RANGE_EQ:
        return primary ? 2 : 6;
    case RANGE_IN:
        return primary ? 4 : 8;
    case RANGE_BOUNDED:
        return candidate->ordered ? 10 : 11;
    case RANGE_HALF:
        return candidate->ordered ? 12 : 14;
    case RANGE_ALL:
        break;
    }
    if (primary) return candidate->ordered ? 15 : 16;
    return candidate->ordered ? 13 : UINT32_MAX; // all of an index, for nothing
}

static void consider(struct candidate *best, struct candidate *candidate, const struct form *form) {
    candidate->ordered = gives_order(form, candidate);
    candidate->cost = cost_of(candidate);
    if (candidate->cost < best->cost) *best = *candidate;
}

// Whether an index can be of use at all: most are not, and then nothing is encoded for them.
static bool is_useful(const struct form *form, const struct conjunction *all,
                      const struct index_info *index) {
    if (index->state != INDEX_READY) return false;
    if (form->sort_count == 1 && bytes_equal_string(form->sort[0].path, index->field)) return true;
    for (size_t i = 0; i < all->count; i++)
        if (all->conditions[i]->path.data != NULL &&
            bytes_equal_string(all->conditions[i]->path, index->field))
            return true;
    return false;
}

static enum status best_candidate(const struct form *form, const struct store_info *store,
                                  const struct conjunction *all, struct arena *arena,
                                  struct candidate *ret) {
    size_t count = all->count < RANGE_CONDITIONS_MAX ? all->count : RANGE_CONDITIONS_MAX;
    struct candidate candidate = {0};
    *ret = (struct candidate){.cost = UINT32_MAX};
    enum status status =
        range_of_key(all->conditions, count, store->key_type, arena, &candidate.set);
    if (status != STATUS_OK) return status;
    consider(ret, &candidate, form);
    for (size_t i = 0; i < store->index_count; i++) {
        if (!is_useful(form, all, store->indexes[i])) continue;
        candidate = (struct candidate){.index = store->indexes[i]};
        status = range_of_index(all->conditions, count, bytes_of_string(store->indexes[i]->field),
                                arena, &candidate.set);
        if (status != STATUS_OK) return status;
        consider(ret, &candidate, form);
    }
    ASSERT(ret->cost != UINT32_MAX);
    return STATUS_OK;
}

// ---- plan -----------------------------------------------------------------------------------

static enum status set_residual(const struct candidate *best, const struct conjunction *all,
                                struct arena *arena, struct plan *plan) {
    plan->residual = arena_allocate(arena, (all->count + 1) * sizeof(void *), 8);
    if (plan->residual == NULL) return STATUS_NO_MEMORY;
    for (size_t i = 0; i < all->count; i++) {
        bool implied = i < RANGE_CONDITIONS_MAX && (best->set.implied >> i & 1) != 0;
        if (!implied) plan->residual[plan->residual_count++] = all->conditions[i];
    }
    return STATUS_OK;
}

// Where entries behind the sort key `after` begin, or end when the scan is reversed: the value and
// the key, and one more byte behind them when they are to be left out at the beginning.
static enum status resume_bound(const struct plan *plan, const struct form *form,
                                struct bytes after, struct arena *arena, struct bytes *ret) {
    struct key key = sort_key_key(form, after);
    struct bytes value = bytes_of(after.data, after.size - KEY_SIZE);
    bool by_value = form->sort_count > 0;
    if (!by_value && plan->access == ACCESS_INDEX) value = plan->ranges[0].lower;
    uint8_t *bound = arena_allocate(arena, value.size + KEY_SIZE + 1, 1);
    if (bound == NULL) return STATUS_NO_MEMORY;
    if (value.size > 0) memcpy(bound, value.data, value.size);
    if (by_value && form->sort[0].descending) sort_key_invert(bound, value.size);
    memcpy(bound + value.size, key.bytes, KEY_SIZE);
    bound[value.size + KEY_SIZE] = 0;
    *ret = bytes_of(bound, value.size + KEY_SIZE + !plan->reverse);
    if (!by_value || value.size <= VALUE_ORDERED_MAX) return STATUS_OK;
    // The entries that share the ordered part of a long value are sorted when they are read.
    ret->size = VALUE_ORDERED_MAX;
    return plan->reverse ? range_successor(*ret, arena, ret) : STATUS_OK;
}

static enum status resume(struct plan *plan, const struct form *form, struct bytes after,
                          struct arena *arena) {
    struct bytes bound;
    if (after.data == NULL || !plan->ordered || plan->range_count == 0) return STATUS_OK;
    if (plan->access == ACCESS_KEYS) return STATUS_OK; // each key is compared when it is read
    enum status status;
    if (plan->access == ACCESS_PRIMARY) {
        struct key key = sort_key_key(form, after);
        status = range_key_bound(&key, !plan->reverse, arena, &bound);
    } else {
        status = resume_bound(plan, form, after, arena, &bound);
    }
    if (status != STATUS_OK) return status;
    if (bound.data == NULL && !plan->reverse) plan->range_count = 0; // nothing is behind the last
    for (size_t i = 0; i < plan->range_count; i++)
        if (plan->reverse)
            range_lower(&plan->ranges[i], bound);
        else
            range_raise(&plan->ranges[i], bound);
    return STATUS_OK;
}

// Counts that the entries answer, and sorts by `_id` alone, for which an index holds all that
// matters: the documents of the page are fetched at the end.
static bool needs_keys_only(const struct plan *plan, const struct form *form) {
    if (plan->residual_count > 0 || plan->access == ACCESS_KEYS) return false;
    return form->counting || (!plan->ordered && form->sort_count == 0);
}

static void append(char *text, size_t size, const char *part) {
    size_t used = strlen(text), length = strnlen(part, size - used - 1);
    memcpy(text + used, part, length);
    text[used + length] = '\0';
}

static void describe(struct plan *plan, const struct form *form) {
    static const char *const shapes[] = {
        [RANGE_NOTHING] = "",       [RANGE_EQ] = " eq",      [RANGE_IN] = " in",
        [RANGE_BOUNDED] = " range", [RANGE_HALF] = " range", [RANGE_ALL] = ""};
    char *text = plan->text;
    size_t size = sizeof plan->text;
    text[0] = '\0';
    if (plan->access == ACCESS_NOTHING) {
        append(text, size, "nothing");
    } else if (plan->access == ACCESS_INDEX) {
        append(text, size, "index ");
        append(text, size, plan->index->name);
        append(text, size, shapes[plan->shape]);
    } else if (plan->shape == RANGE_ALL) {
        append(text, size, "scan");
    } else {
        append(text, size, "primary");
        if (plan->shape != RANGE_EQ) append(text, size, shapes[plan->shape]);
    }
    if (!form->counting) append(text, size, plan->ordered ? " ordered" : " sort");
    if (plan->keys_only) append(text, size, " keys");
}

enum status plan_choose(const struct form *form, const struct store_info *store, struct bytes after,
                        struct arena *arena, struct plan *ret) {
    struct conjunction all;
    struct candidate best;
    enum status status = flatten(form->filter, arena, &all);
    if (status == STATUS_OK) status = best_candidate(form, store, &all, arena, &best);
    if (status != STATUS_OK) return status;
    *ret = (struct plan){
        .shape = best.set.shape,
        .index = best.index,
        .ranges = best.set.ranges,
        .range_count = best.set.count,
        .ordered = best.ordered || best.set.shape == RANGE_NOTHING,
    };
    bool single = ret->shape == RANGE_EQ || ret->shape == RANGE_IN;
    if (ret->shape == RANGE_NOTHING)
        ret->access = ACCESS_NOTHING;
    else if (best.index != NULL)
        ret->access = ACCESS_INDEX;
    else
        ret->access = single ? ACCESS_KEYS : ACCESS_PRIMARY;
    ret->reverse = ret->ordered && !form->counting && form->key_descending;
    status = set_residual(&best, &all, arena, ret);
    if (status == STATUS_OK) status = resume(ret, form, after, arena);
    ret->keys_only = needs_keys_only(ret, form);
    describe(ret, form);
    return status;
}
