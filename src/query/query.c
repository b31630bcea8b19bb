// SPDX-License-Identifier: Apache-2.0
// The life of a query: prepare, step, close.
#include "query/query.h"

#include <stdio.h>

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

// Rows that are documents one to one are paged like documents; others are not.
static enum status check_paging(struct query *query, struct error *error) {
    struct form *form = &query->form;
    if (query->pipeline.one_to_one && !query->count_rows) {
        if (form->limit == LIMIT_NONE) form->limit = LIMIT_DEFAULT;
        if (form->limit > LIMIT_MAX)
            return error_set(error, STATUS_INVALID, "limit: 1 to %d, not %llu", LIMIT_MAX,
                             (unsigned long long)form->limit);
        return STATUS_OK;
    }
    if (form->after.data != NULL)
        return error_set(error, STATUS_INVALID, "after: only select may follow it");
    form->any_order = query->pipeline.any_order && form->sort_count == 0 && !form->key_descending &&
                      form->skip == 0 && form->limit == LIMIT_NONE;
    return STATUS_OK;
}

static enum status prepare_stages(struct query *query, bool count, struct arena *arena,
                                  struct error *error) {
    query->count_rows = count;
    query->pipeline = (struct pipeline){
        .arena = arena,
        .memory.limit = STAGE_MEMORY_MAX,
        .evaluator = &query->evaluator,
        .view = &query->view,
        .catalog = view_catalog(&query->view),
        .remaining = CONDITIONS_MAX,
        .source = execute_source,
        .context = query,
    };
    enum status status = pipeline_parse(&query->pipeline, query->form.stages, error);
    if (status == STATUS_OK) status = check_paging(query, error);
    return status;
}

// The names of the stages behind the access path, in the order in which rows pass them.
static void describe_stages(struct query *query) {
    const char *names[STAGES_MAX];
    size_t count = 0, used = strlen(query->plan.text);
    for (struct stage *stage = query->pipeline.last; stage != NULL; stage = stage->child)
        names[count++] = stage->name;
    while (count-- > 0 && used < sizeof query->plan.text) {
        int size = snprintf(query->plan.text + used, sizeof query->plan.text - used, " | %s",
                            names[count]);
        used += (size_t)size;
    }
}

// What preparation took beyond the arena.
static enum status fail_prepare(struct query *query, enum status status) {
    pipeline_close(&query->pipeline);
    arena_done(&query->evaluator.scratch);
    return status;
}

enum status query_prepare(const struct view *view, struct bytes form, bool count,
                          struct arena *arena, struct query **ret, struct error *error) {
    struct query *query = arena_zalloc(arena, sizeof *query);
    if (query == NULL) return error_set(error, STATUS_NO_MEMORY, "no memory for the query");
    query->view = *view;
    query->evaluator.scratch.limit = SCRATCH_MAX;
    enum status status = form_parse(form, count, &query->evaluator, arena, &query->form, error);
    if (status == STATUS_OK) status = find_store(query, error);
    if (status == STATUS_OK && query->form.stages.data != NULL)
        status = prepare_stages(query, count, arena, error);
    if (status == STATUS_OK && query->form.after.data != NULL)
        status =
            cursor_read(query->form.after, &query->form, query->store->id, &query->after, error);
    if (status != STATUS_OK) return fail_prepare(query, status);
    status = plan_choose(&query->form, query->store, query->after, arena, &query->plan);
    if (status != STATUS_OK)
        return fail_prepare(query, error_set(error, status, "no memory for the query"));
    describe_stages(query);
    query->source =
        (struct source){.view = &query->view, .plan = &query->plan, .store_id = query->store->id};
    *ret = query;
    return STATUS_OK;
}

static enum status finish(struct query *query, struct error *error) {
    if (!query->more || (query->pipeline.last != NULL && !query->pipeline.one_to_one))
        return STATUS_OK;
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
        enum status status = query->pipeline.last == NULL ? execute_one(query, out, error)
                                                          : execute_stages(query, out, error);
        if (status != STATUS_OK) return status;
        bool look = steps % STEPS_PER_CLOCK == 0 && deadline_ns != UINT64_MAX;
        if (look && !query->done && clock_monotonic_ns(clock) >= deadline_ns) return STATUS_PENDING;
    }
    return finish(query, error);
}

uint64_t query_result_count(const struct query *query) {
    const struct form *form = &query->form;
    if (query->pipeline.last != NULL) return query->rows;
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
    pipeline_close(&query->pipeline);
    arena_done(&query->evaluator.scratch);
    sorter_done(&query->sorter);
    buffer_done(&query->sort_key);
    buffer_done(&query->cursor);
    buffer_done(&query->group);
}

void query_statistics(const struct query *query, struct doc_builder *builder) {
    const struct stage *stages[STAGES_MAX];
    size_t count = 0;
    for (const struct stage *stage = query->pipeline.last; stage != NULL; stage = stage->child)
        stages[count++] = stage;
    doc_add_int(builder, "entries", (int64_t)query->entries);
    doc_add_int(builder, "documents", (int64_t)query->matched);
    doc_begin_array(builder, "stages");
    while (count-- > 0) {
        doc_begin_document(builder, NULL);
        doc_add_string(builder, "stage", bytes_of_string(stages[count]->name));
        doc_add_int(builder, "rows", (int64_t)stages[count]->rows_out);
        doc_end(builder);
    }
    doc_end(builder);
    doc_add_int(builder, "rows", (int64_t)query_result_count(query));
}
