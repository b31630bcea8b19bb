// SPDX-License-Identifier: Apache-2.0
// The steps of a running query: entries are pulled from the access path, filtered, counted or put
// into order, and the documents of the page appended to the reply.
#include "query/project.h"
#include "query/query_internal.h"

static enum status read_error(const struct query *query, enum status status, struct error *error) {
    return error_set(error, status, "reading from '%s': %s", query->store->name,
                     status_text(status));
}

// ---- filter ---------------------------------------------------------------------------------

static bool is_long(const struct scan_entry *entry) {
    return entry->value.size >= VALUE_ORDERED_MAX;
}

// An entry that does not tell its value needs its document even where the others do not.
static enum status complete(struct query *query, struct scan_entry *entry, struct error *error) {
    if (!query->plan.keys_only || !is_long(entry)) return STATUS_OK;
    enum status status = storage_get(&query->view, query->store->id, &entry->key, &entry->document,
                                     &entry->sequence);
    return status == STATUS_OK ? status : read_error(query, status, error);
}

static bool matches(struct query *query, const struct scan_entry *entry) {
    evaluator_reset(&query->evaluator);
    if (is_long(entry))
        return query->form.filter == NULL || condition_matches(query->form.filter, entry->document);
    for (size_t i = 0; i < query->plan.residual_count; i++)
        if (!condition_matches(query->plan.residual[i], entry->document)) return false;
    return true;
}

// ---- the page -------------------------------------------------------------------------------

static enum status append(struct query *query, struct bytes document, struct buffer *out,
                          struct error *error) {
    enum status status = query->form.projected ? project(out, &query->form, document)
                                               : buffer_append(out, document.data, document.size);
    if (status == STATUS_OK) return status;
    return error_set(error, status,
                     "the reply grows too large at document %llu: a smaller limit, or fields, "
                     "would help",
                     (unsigned long long)query->appended);
}

// Takes the next document of the order: skipped, on the page, or behind it.
static enum status offer(struct query *query, const struct key *key, struct bytes document,
                         struct buffer *out, struct error *error) {
    if (query->matched++ < query->form.skip) return STATUS_OK;
    if (query->appended == query->form.limit) {
        query->more = query->done = true;
        return STATUS_OK;
    }
    if (document.data == NULL) {
        enum status status = storage_get(&query->view, query->store->id, key, &document, NULL);
        if (status != STATUS_OK) return read_error(query, status, error);
    }
    enum status status = STATUS_OK;
    if (query->pipeline.last != NULL)
        query->emitted = document;
    else
        status = append(query, document, out, error);
    if (status != STATUS_OK) return status;
    query->appended++;
    query->last_key = *key;
    query->last_document = document;
    return STATUS_OK;
}

// ---- sorting --------------------------------------------------------------------------------

static void begin_sorter(struct query *query) {
    uint64_t wanted = query->form.limit - query->appended + 1; // one more tells whether it goes on
    uint64_t skipped = query->form.skip > query->matched ? query->form.skip - query->matched : 0;
    sorter_begin(&query->sorter, skipped > SIZE_MAX - wanted ? SIZE_MAX : skipped + wanted);
}

static enum status sort_in(struct query *query, const struct scan_entry *entry,
                           struct error *error) {
    enum status status =
        sort_key_build(&query->sort_key, &query->form, &entry->key, entry->document);
    struct bytes sort_key = buffer_bytes(&query->sort_key);
    if (status != STATUS_OK) return error_set(error, status, "no memory for sorting");
    if (query->after.data != NULL && bytes_compare(sort_key, query->after) <= 0) return STATUS_OK;
    status = sorter_add(&query->sorter, sort_key, entry->document);
    if (status == STATUS_OK) return status;
    if (status != STATUS_TOO_LARGE) return error_set(error, status, "no memory for sorting");
    return error_set(error, status,
                     "sorting needs more than %llu MiB: an index on the sort field, a smaller "
                     "limit, or after instead of skip would help",
                     SORT_MEMORY_MAX / MIB);
}

static enum status sort_out(struct query *query, struct buffer *out, struct error *error) {
    struct bytes sort_key, document;
    if (!sorter_pop(&query->sorter, &sort_key, &document)) {
        query->draining = false;
        query->done = !query->grouping;
        query->grouping = false;
        return STATUS_OK;
    }
    struct key key = sort_key_key(&query->form, sort_key);
    return offer(query, &key, document, out, error);
}

// ---- entries --------------------------------------------------------------------------------

static enum status count_in(struct query *query) {
    query->matched++;
    query->done =
        query->matched > query->form.skip && query->matched - query->form.skip >= query->form.limit;
    return STATUS_OK;
}

static bool is_in_group(const struct query *query, const struct scan_entry *entry) {
    return is_long(entry) && memcmp(query->group.data, entry->value.data, VALUE_ORDERED_MAX) == 0;
}

static enum status begin_group(struct query *query, const struct scan_entry *entry,
                               struct error *error) {
    buffer_clear(&query->group);
    enum status status = buffer_append(&query->group, entry->value.data, VALUE_ORDERED_MAX);
    if (status != STATUS_OK) return error_set(error, status, "no memory for sorting");
    begin_sorter(query);
    query->grouping = true;
    return STATUS_OK;
}

// An entry of an index that gives the order, but for long values.
static enum status take_ordered(struct query *query, struct scan_entry *entry, struct buffer *out,
                                struct error *error) {
    if (query->grouping && !is_in_group(query, entry)) {
        query->held = *entry;
        query->holding = query->draining = true;
        return STATUS_OK;
    }
    bool by_value = query->plan.access == ACCESS_INDEX && query->form.sort_count > 0;
    if (!by_value || !is_long(entry))
        return matches(query, entry) ? offer(query, &entry->key, entry->document, out, error)
                                     : STATUS_OK;
    enum status status = query->grouping ? STATUS_OK : begin_group(query, entry, error);
    if (status != STATUS_OK || !matches(query, entry)) return status;
    return sort_in(query, entry, error);
}

static enum status take(struct query *query, struct scan_entry *entry, struct buffer *out,
                        struct error *error) {
    enum status status = complete(query, entry, error);
    if (status != STATUS_OK) return status;
    if (query->form.counting) return matches(query, entry) ? count_in(query) : STATUS_OK;
    if (query->plan.ordered) return take_ordered(query, entry, out, error);
    if (query->sorter.kept_max == 0) begin_sorter(query);
    return matches(query, entry) ? sort_in(query, entry, error) : STATUS_OK;
}

// Single keys are read whether they stand before the cursor or behind it.
static bool is_passed(struct query *query, const struct scan_entry *entry) {
    if (query->after.data == NULL || query->plan.access != ACCESS_KEYS || !query->plan.ordered)
        return false;
    struct key after = sort_key_key(&query->form, query->after);
    int order = key_compare(&entry->key, &after);
    return query->plan.reverse ? order >= 0 : order <= 0;
}

static enum status finish_entries(struct query *query) {
    bool sorting = !query->plan.ordered && !query->form.counting && query->sorter.kept_max > 0;
    query->draining = sorting || query->grouping;
    query->done = !query->draining;
    return STATUS_OK;
}

static enum status step(struct query *query, struct buffer *out, struct error *error) {
    struct scan_entry entry;
    if (query->draining) return sort_out(query, out, error);
    if (query->holding) {
        query->holding = false;
        entry = query->held;
        return take(query, &entry, out, error);
    }
    enum status status = source_next(&query->source, &entry);
    if (status == STATUS_END) return finish_entries(query);
    if (status == STATUS_NOT_FOUND) return STATUS_OK;
    if (status != STATUS_OK) return read_error(query, status, error);
    query->entries++;
    return is_passed(query, &entry) ? STATUS_OK : take(query, &entry, out, error);
}

enum status execute_one(struct query *query, struct buffer *out, struct error *error) {
    enum status status = step(query, out, error);
    if (status != STATUS_OK || query->evaluator.status == STATUS_OK) return status;
    return error_set(error, query->evaluator.status, "%s", query->evaluator.error.message);
}

// ---- stages ---------------------------------------------------------------------------------

// A document for the first stage.
enum status execute_source(void *context, struct bytes *ret_row, struct error *error) {
    struct query *query = context;
    if (query->base_done) return STATUS_END;
    query->emitted = bytes_of(NULL, 0);
    enum status status = execute_one(query, NULL, error);
    if (status != STATUS_OK) return status;
    query->base_done = query->done;
    if (query->emitted.data == NULL) return STATUS_NOT_FOUND;
    *ret_row = query->emitted;
    return STATUS_OK;
}

enum status execute_stages(struct query *query, struct buffer *out, struct error *error) {
    struct bytes row;
    enum status status = pipeline_next(&query->pipeline, &row, error);
    query->done = status == STATUS_END;
    if (status == STATUS_END || status == STATUS_NOT_FOUND) return STATUS_OK;
    if (status != STATUS_OK) return status;
    if (!query->count_rows) {
        if (query->rows == LIMIT_MAX)
            return error_set(error, STATUS_TOO_LARGE, "more than %d rows: a limit would help",
                             LIMIT_MAX);
        status = buffer_append(out, row.data, row.size);
        if (status != STATUS_OK)
            return error_set(error, status,
                             "the reply grows too large at row %llu: a limit would help",
                             (unsigned long long)query->rows);
    }
    query->rows++;
    return STATUS_OK;
}
