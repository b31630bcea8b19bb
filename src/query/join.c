// SPDX-License-Identifier: Apache-2.0
// Joining documents of another store of the service: by `_id` with a look-up for each row, by any
// other field through a hash table of the other store, which is filled before the first row.
#include "base/limits.h"
#include "query/stage.h"
#include "query/table.h"

struct match {
    struct match *next;
    struct bytes document; // in place, valid while the view is
};

struct matches { // of one value, in the order of `_id`
    struct match *first, *last;
};

struct join_stage {
    struct stage stage;
    const struct store_info *store;
    struct bytes field; // of the other store
    const struct expression *value;
    const char *name;
    bool left, by_key, filled;
    struct scan *scan; // of the other store, while the table is filled
    struct table table;
    struct buffer key, left_row;
    const struct match *match; // the next to go with `left_row`
};

static enum status read_error(const struct join_stage *join, enum status status,
                              struct error *error) {
    return error_set(error, status, "reading from '%s': %s", join->store->name,
                     status_text(status));
}

// ---- the table ------------------------------------------------------------------------------

static enum status add_document(struct join_stage *join, struct bytes document,
                                struct error *error) {
    struct arena *memory = &join->stage.pipeline->memory;
    struct doc_value value = doc_get_path(document, join->field);
    if (value.type == DOC_MISSING || value.type == DOC_NULL) return STATUS_OK; // joins nothing
    buffer_clear(&join->key);
    if (doc_encode(&join->key, &value) != STATUS_OK) return stage_too_large(&join->stage, error);
    struct table_entry *entry = table_add(&join->table, buffer_bytes(&join->key));
    struct match *match = arena_zalloc(memory, sizeof *match);
    if (entry == NULL || match == NULL) return stage_too_large(&join->stage, error);
    if (entry->value == NULL) entry->value = arena_zalloc(memory, sizeof(struct matches));
    struct matches *all = entry->value;
    if (all == NULL) return stage_too_large(&join->stage, error);
    match->document = document;
    if (all->last == NULL)
        all->first = match;
    else
        all->last->next = match;
    all->last = match;
    return STATUS_OK;
}

// One document of the other store.
static enum status fill(struct join_stage *join, struct error *error) {
    struct scan_entry entry;
    enum status status = STATUS_OK;
    if (join->scan == NULL) {
        struct scan_options options = {.store_id = join->store->id};
        status = scan_open(join->stage.pipeline->view, &options, &join->scan);
    }
    if (status == STATUS_OK) status = scan_next(join->scan, &entry);
    if (status == STATUS_END) {
        join->filled = true;
        return STATUS_OK;
    }
    return status == STATUS_OK ? add_document(join, entry.document, error)
                               : read_error(join, status, error);
}

// ---- rows -----------------------------------------------------------------------------------

static enum status emit(struct join_stage *join, struct bytes document, struct bytes *ret_row,
                        struct error *error) {
    struct doc_builder builder;
    struct doc_iterator iterator;
    struct bytes name;
    struct doc_value value;
    buffer_clear(&join->stage.row);
    doc_builder_begin(&builder, &join->stage.row);
    doc_iterate(&iterator, buffer_bytes(&join->left_row));
    while (doc_next(&iterator, &name, &value))
        if (!bytes_equal_string(name, join->name)) doc_add_value(&builder, name, &value);
    if (document.data != NULL) doc_add_document(&builder, join->name, document);
    return stage_built(&join->stage, doc_builder_finish(&builder), ret_row, error);
}

// The matches of a value; a value that is null, missing or of another type than the key has none.
static enum status look_up(struct join_stage *join, const struct doc_value *value,
                           struct match *storage, struct error *error) {
    struct key key;
    join->match = NULL;
    if (value->type == DOC_MISSING || value->type == DOC_NULL) return STATUS_OK;
    if (join->by_key) {
        if (key_from_value(join->store->key_type, value, &key, NULL) != STATUS_OK) return STATUS_OK;
        enum status status = storage_get(join->stage.pipeline->view, join->store->id, &key,
                                         &storage->document, NULL);
        if (status == STATUS_OK) join->match = storage;
        return status == STATUS_OK || status == STATUS_NOT_FOUND ? STATUS_OK
                                                                 : read_error(join, status, error);
    }
    buffer_clear(&join->key);
    if (doc_encode(&join->key, value) != STATUS_OK) return stage_too_large(&join->stage, error);
    const struct table_entry *entry = table_find(&join->table, buffer_bytes(&join->key));
    if (entry != NULL) join->match = ((struct matches *)entry->value)->first;
    return STATUS_OK;
}

static enum status take_match(struct join_stage *join, struct bytes *ret_row, struct error *error) {
    struct bytes document = join->match->document;
    join->match = join->match->next;
    return emit(join, document, ret_row, error);
}

static enum status join_next(struct stage *stage, struct bytes *ret_row, struct error *error) {
    struct join_stage *join = (struct join_stage *)stage;
    struct match storage = {0};
    struct bytes row;
    if (!join->filled && !join->by_key) {
        enum status status = fill(join, error);
        return status == STATUS_OK ? STATUS_NOT_FOUND : status;
    }
    if (join->match != NULL) return take_match(join, ret_row, error);
    enum status status = stage_pull(stage, &row, error);
    if (status != STATUS_OK) return status;
    buffer_clear(&join->left_row);
    status = buffer_append(&join->left_row, row.data, row.size);
    if (status != STATUS_OK) return error_set(error, status, "no memory for join");
    evaluator_reset(stage->pipeline->evaluator);
    struct doc_value value = expression_evaluate(join->value, row, stage->pipeline->evaluator);
    status = stage_evaluated(stage, error);
    if (status == STATUS_OK) status = look_up(join, &value, &storage, error);
    if (status != STATUS_OK) return status;
    if (join->match != NULL) return take_match(join, ret_row, error);
    return join->left ? emit(join, bytes_of(NULL, 0), ret_row, error) : STATUS_NOT_FOUND;
}

static void join_close(struct stage *stage) {
    struct join_stage *join = (struct join_stage *)stage;
    if (join->scan != NULL) scan_close(join->scan);
    buffer_done(&join->key);
    buffer_done(&join->left_row);
}

// ---- parsing --------------------------------------------------------------------------------

enum status stage_parse_join(struct pipeline *pipeline, struct bytes form,
                             const struct place *place, struct stage **ret, struct error *error) {
    struct form_field fields[] = {{"stage", true, {0}}, {"store", true, {0}}, {"field", true, {0}},
                                  {"value", true, {0}}, {"as", true, {0}},    {"left", false, {0}}};
    struct place here = {.parent = place, .name = "value"};
    struct form_field none = {"expression", false, {0}};
    struct output output = {0};
    struct join_stage *join = arena_zalloc(pipeline->arena, sizeof *join);
    if (join == NULL) return error_set(error, STATUS_NO_MEMORY, "no memory for the query");
    join->stage.next = join_next;
    join->stage.close = join_close;
    join->table.arena = &pipeline->memory;
    *ret = &join->stage;
    enum status status = form_read(form, place, fields, 6, error);
    if (status == STATUS_OK) status = form_type(&fields[1], place, DOC_STRING, error);
    if (status == STATUS_OK) status = form_path(&fields[2], place, &join->field, error);
    if (status == STATUS_OK) status = form_type(&fields[3], place, DOC_DOCUMENT, error);
    if (status == STATUS_OK)
        status = output_parse(pipeline, &fields[4], &none, place, NULL, 0, &output, error);
    if (status == STATUS_OK) status = form_bool(&fields[5], place, &join->left, error);
    if (status != STATUS_OK) return status;
    struct bytes name = fields[1].value.payload;
    join->name = output.name;
    join->by_key = bytes_equal_string(join->field, "_id");
    join->store = catalog_store(pipeline->catalog, name);
    if (join->store == NULL)
        return error_set(error, STATUS_NO_STORE, "there is no store '%.*s'",
                         (int)(name.size < 64 ? name.size : 64), (const char *)name.data);
    return expression_parse(fields[3].value.payload, &here, &pipeline->remaining,
                            pipeline->evaluator, pipeline->arena, &join->value, error);
}
