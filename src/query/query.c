// SPDX-License-Identifier: Apache-2.0
// The life of a query: prepare, step, close.
#include "query/query.h"

#include "query/query_internal.h"

#define STEPS_PER_CLOCK 64 // reading the clock costs as much as a few entries
#define SHOWN_NAME_MAX 64

static enum status find_store(struct query *query, struct error *error) {
    struct bytes name = query->form.store;
    query->store = catalog_store(view_catalog(&query->view), name);
    if (query->store != NULL) return STATUS_OK;
    return error_set(error, STATUS_NO_STORE, "there is no store '%.*s'",
                     (int)(name.size < SHOWN_NAME_MAX ? name.size : SHOWN_NAME_MAX),
                     (const char *)name.data);
}

enum status query_prepare(const struct view *view, struct bytes form, bool count,
                          struct arena *arena, struct query **ret, struct error *error) {
    struct query *query = arena_zalloc(arena, sizeof *query);
    if (query == NULL) return error_set(error, STATUS_NO_MEMORY, "no memory for the query");
    query->view = *view;
    enum status status = form_parse(form, count, arena, &query->form, error);
    if (status == STATUS_OK) status = find_store(query, error);
    if (status == STATUS_OK && query->form.after.data != NULL)
        status =
            cursor_read(query->form.after, &query->form, query->store->id, &query->after, error);
    if (status != STATUS_OK) return status;
    status = plan_choose(&query->form, query->store, query->after, arena, &query->plan);
    if (status != STATUS_OK) return error_set(error, status, "no memory for the query");
    query->source =
        (struct source){.view = &query->view, .plan = &query->plan, .store_id = query->store->id};
    *ret = query;
    return STATUS_OK;
}

static enum status finish(struct query *query, struct error *error) {
    if (!query->more) return STATUS_OK;
    enum status status =
        sort_key_build(&query->sort_key, &query->form, &query->last_key, query->last_document);
    if (status == STATUS_OK)
        status = cursor_write(&query->cursor, &query->form, query->store->id,
                              buffer_bytes(&query->sort_key));
    return status == STATUS_OK ? status : error_set(error, status, "no memory for the cursor");
}

enum status query_step(struct query *query, struct clock *clock, uint64_t deadline_ns,
                       struct buffer *out, struct error *error) {
    for (unsigned steps = 1; !query->done; steps++) {
        enum status status = execute_one(query, out, error);
        if (status != STATUS_OK) return status;
        bool look = steps % STEPS_PER_CLOCK == 0 && deadline_ns != UINT64_MAX;
        if (look && !query->done && clock_monotonic_ns(clock) >= deadline_ns) return STATUS_PENDING;
    }
    return finish(query, error);
}

uint64_t query_result_count(const struct query *query) {
    const struct form *form = &query->form;
    if (!form->counting) return query->appended;
    uint64_t count = query->matched > form->skip ? query->matched - form->skip : 0;
    return count < form->limit ? count : form->limit;
}

struct bytes query_next_cursor(const struct query *query) {
    return buffer_bytes(&query->cursor);
}

const char *query_plan(const struct query *query) {
    return query->plan.text;
}

void query_close(struct query *query) {
    if (query == NULL) return;
    source_close(&query->source);
    sorter_done(&query->sorter);
    buffer_done(&query->sort_key);
    buffer_done(&query->cursor);
    buffer_done(&query->group);
}
