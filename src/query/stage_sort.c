// SPDX-License-Identifier: Apache-2.0
// Sorting of rows that do not come from the store as they are. Rows that are alike in all fields
// stay in the order in which they came.
#include "base/limits.h"
#include "query/sort.h"
#include "query/stage.h"

struct sort_stage {
    struct stage stage;
    struct sort_field fields[SORT_FIELDS_MAX];
    size_t count;
    struct sorter sorter;
    struct buffer key;
    uint64_t rows;
    bool draining;
};

static enum status take_row(struct sort_stage *sort, struct bytes row, struct error *error) {
    uint8_t position[8];
    enum status status = STATUS_OK;
    buffer_clear(&sort->key);
    for (size_t i = 0; i < sort->count && status == STATUS_OK; i++) {
        size_t start = sort->key.size;
        struct doc_value value = doc_get_path(row, sort->fields[i].path);
        status = doc_encode(&sort->key, &value);
        if (!sort->fields[i].descending) continue;
        for (size_t j = start; j < sort->key.size; j++)
            sort->key.data[j] = (uint8_t)~sort->key.data[j];
    }
    store_be64(position, sort->rows++);
    if (status == STATUS_OK) status = buffer_append(&sort->key, position, sizeof position);
    struct bytes copy = arena_copy(&sort->stage.pipeline->memory, row);
    if (copy.data == NULL) return stage_too_large(&sort->stage, error);
    if (status == STATUS_OK) status = sorter_add(&sort->sorter, buffer_bytes(&sort->key), copy);
    if (status == STATUS_TOO_LARGE) return stage_too_large(&sort->stage, error);
    return status == STATUS_OK ? status : error_set(error, status, "no memory for sorting");
}

static enum status sort_next(struct stage *stage, struct bytes *ret_row, struct error *error) {
    struct sort_stage *sort = (struct sort_stage *)stage;
    struct bytes row, key;
    if (sort->draining) return sorter_pop(&sort->sorter, &key, ret_row) ? STATUS_OK : STATUS_END;
    if (sort->sorter.kept_max == 0) sorter_begin(&sort->sorter, SIZE_MAX);
    enum status status = stage_pull(stage, &row, error);
    if (status == STATUS_END) {
        sort->draining = true;
        return STATUS_NOT_FOUND;
    }
    if (status != STATUS_OK) return status;
    status = take_row(sort, row, error);
    return status == STATUS_OK ? STATUS_NOT_FOUND : status;
}

static void sort_close(struct stage *stage) {
    sorter_done(&((struct sort_stage *)stage)->sorter);
    buffer_done(&((struct sort_stage *)stage)->key);
}

static enum status parse_field(struct bytes form, const struct place *place, struct sort_field *ret,
                               struct error *error) {
    struct form_field fields[] = {{"field", true, {0}}, {"descending", false, {0}}};
    enum status status = form_read(form, place, fields, 2, error);
    if (status == STATUS_OK) status = form_path(&fields[0], place, &ret->path, error);
    return status == STATUS_OK ? form_bool(&fields[1], place, &ret->descending, error) : status;
}

enum status stage_parse_sort(struct pipeline *pipeline, struct bytes form,
                             const struct place *place, struct stage **ret, struct error *error) {
    struct form_field fields[] = {{"stage", true, {0}}, {"fields", true, {0}}};
    struct place list = {.parent = place, .name = "fields"};
    struct sort_stage *sort = arena_zalloc(pipeline->arena, sizeof *sort);
    if (sort == NULL) return error_set(error, STATUS_NO_MEMORY, "no memory for the query");
    sort->stage.next = sort_next;
    sort->stage.close = sort_close;
    *ret = &sort->stage;
    enum status status = form_read(form, place, fields, 2, error);
    if (status == STATUS_OK) status = form_type(&fields[1], place, DOC_ARRAY, error);
    if (status != STATUS_OK) return status;
    struct doc_iterator iterator;
    struct bytes name;
    struct doc_value value;
    doc_iterate(&iterator, fields[1].value.payload);
    while (doc_next(&iterator, &name, &value)) {
        struct place here = {.parent = &list, .position = sort->count};
        if (sort->count == SORT_FIELDS_MAX)
            return place_error(&list, error, "more than %d fields", SORT_FIELDS_MAX);
        if (value.type != DOC_DOCUMENT)
            return place_error(&here, error, "{\"field\", \"descending\"} is expected, not %s",
                               doc_type_name(value.type));
        status = parse_field(value.payload, &here, &sort->fields[sort->count], error);
        if (status != STATUS_OK) return status;
        sort->count++;
    }
    return sort->count > 0 ? STATUS_OK : place_error(&list, error, "no fields");
}
