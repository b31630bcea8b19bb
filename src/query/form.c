// SPDX-License-Identifier: Apache-2.0
#include "query/form.h"

#include "query/place.h"

enum { STORE, FILTER, LIMIT, SKIP, STAGES, SORT, AFTER, FIELDS, FIELD_COUNT };
#define COUNT_FIELD_COUNT SORT // a count without stages takes the fields before it

static enum status parse_filter(const struct form_field *field, struct evaluator *evaluator,
                                struct arena *arena, struct form *form, struct error *error) {
    struct place place = {.name = "filter"};
    size_t remaining = CONDITIONS_MAX;
    if (field->value.type == DOC_MISSING) return STATUS_OK;
    enum status status = form_type(field, NULL, DOC_DOCUMENT, error);
    if (status != STATUS_OK) return status;
    return condition_parse_at(field->value.payload, &place, &remaining, evaluator, arena,
                              &form->filter, error);
}

// An integer, or a double that is one: JSON does not tell them apart.
static enum status parse_int(struct bytes bytes, const struct form_field *field, int64_t low,
                             int64_t high, uint64_t *ret, struct error *error) {
    int64_t integer;
    if (field->value.type == DOC_MISSING) return STATUS_OK;
    struct place place = {.name = field->name};
    if (!doc_get_int(bytes, field->name, &integer))
        return place_error(&place, error, "an integer is expected, not %s",
                           doc_type_name(field->value.type));
    if (integer < low || integer > high) {
        if (high == INT64_MAX)
            return place_error(&place, error, "at least %lld, not %lld", (long long)low,
                               (long long)integer);
        return place_error(&place, error, "%lld to %lld, not %lld", (long long)low, (long long)high,
                           (long long)integer);
    }
    *ret = (uint64_t)integer;
    return STATUS_OK;
}

// ---- sort -----------------------------------------------------------------------------------

static enum status parse_sort_field(struct bytes document, const struct place *place,
                                    struct sort_field *ret, struct error *error) {
    struct form_field fields[] = {{"field", true, {0}}, {"descending", false, {0}}};
    *ret = (struct sort_field){0};
    enum status status = form_read(document, place, fields, 2, error);
    if (status == STATUS_OK) status = form_path(&fields[0], place, &ret->path, error);
    if (status == STATUS_OK) status = form_bool(&fields[1], place, &ret->descending, error);
    return status;
}

static enum status check_repeated(const struct sort_field *fields, size_t count,
                                  const struct place *place, struct error *error) {
    for (size_t i = 0; i < count; i++)
        if (bytes_equal(fields[i].path, fields[count].path))
            return place_error(place, error, "the field is sorted by already");
    return STATUS_OK;
}

// Nothing after `_id` can matter, because no two documents share it.
static void fold_key(struct form *form, size_t count) {
    for (size_t i = 0; i < count; i++) {
        form->key_descending = form->sort[i].descending;
        if (bytes_equal_string(form->sort[i].path, "_id")) return;
        form->sort_count++;
    }
}

static enum status parse_sort(const struct form_field *field, struct form *form,
                              struct error *error) {
    struct place list = {.name = "sort"};
    struct doc_iterator iterator;
    struct bytes name;
    struct doc_value value;
    size_t count = 0;
    if (field->value.type == DOC_MISSING) return STATUS_OK;
    enum status status = form_type(field, NULL, DOC_ARRAY, error);
    if (status != STATUS_OK) return status;
    doc_iterate(&iterator, field->value.payload);
    while (doc_next(&iterator, &name, &value)) {
        struct place here = {.parent = &list, .position = count};
        if (count == SORT_FIELDS_MAX)
            return place_error(&list, error, "more than %d fields", SORT_FIELDS_MAX);
        if (value.type != DOC_DOCUMENT)
            return place_error(&here, error, "{\"field\", \"descending\"} is expected, not %s",
                               doc_type_name(value.type));
        status = parse_sort_field(value.payload, &here, &form->sort[count], error);
        if (status == STATUS_OK) status = check_repeated(form->sort, count, &here, error);
        if (status != STATUS_OK) return status;
        count++;
    }
    fold_key(form, count);
    return STATUS_OK;
}

// ---- the others -----------------------------------------------------------------------------

static enum status parse_after(const struct form_field *field, struct form *form,
                               struct error *error) {
    if (field->value.type == DOC_MISSING || field->value.type == DOC_NULL) return STATUS_OK;
    enum status status = form_type(field, NULL, DOC_BINARY, error);
    if (status == STATUS_OK) form->after = field->value.payload;
    return status;
}

static enum status parse_fields(const struct form_field *field, struct arena *arena,
                                struct form *form, struct error *error) {
    struct place list = {.name = "fields"};
    struct doc_iterator iterator;
    struct bytes name;
    struct doc_value value;
    if (field->value.type == DOC_MISSING) return STATUS_OK;
    enum status status = form_type(field, NULL, DOC_ARRAY, error);
    if (status != STATUS_OK) return status;
    form->projected = true;
    form->fields = arena_allocate(arena, PROJECTED_FIELDS_MAX * sizeof(struct bytes), 8);
    if (form->fields == NULL) return error_set(error, STATUS_NO_MEMORY, "no memory for the query");
    doc_iterate(&iterator, field->value.payload);
    while (doc_next(&iterator, &name, &value)) {
        struct place here = {.parent = &list, .position = form->field_count};
        if (form->field_count == PROJECTED_FIELDS_MAX)
            return place_error(&list, error, "more than %d fields", PROJECTED_FIELDS_MAX);
        status = path_check(&value, &here, &form->fields[form->field_count], error);
        if (status != STATUS_OK) return status;
        form->field_count++;
    }
    return STATUS_OK;
}

static enum status parse_stages(struct form_field *fields, struct form *form, struct error *error) {
    const struct form_field *field = &fields[STAGES];
    if (field->value.type == DOC_MISSING) return STATUS_OK;
    struct place place = {.name = "fields"};
    enum status status = form_type(field, NULL, DOC_ARRAY, error);
    form->stages = field->value.payload;
    if (status == STATUS_OK && fields[FIELDS].value.type != DOC_MISSING)
        return place_error(&place, error, "not with stages: use a select stage");
    return status;
}

enum status form_parse(struct bytes bytes, bool counting, struct evaluator *evaluator,
                       struct arena *arena, struct form *ret, struct error *error) {
    struct form_field fields[FIELD_COUNT] = {
        [STORE] = {"store", true, {0}},    [FILTER] = {"filter", false, {0}},
        [LIMIT] = {"limit", false, {0}},   [SKIP] = {"skip", false, {0}},
        [SORT] = {"sort", false, {0}},     [AFTER] = {"after", false, {0}},
        [FIELDS] = {"fields", false, {0}}, [STAGES] = {"stages", false, {0}},
    };
    bool staged = doc_get(bytes, bytes_of_string("stages")).type != DOC_MISSING;
    bool unbounded = counting || staged;
    int64_t limit_max = unbounded ? INT64_MAX : LIMIT_MAX;
    size_t count = counting && !staged ? COUNT_FIELD_COUNT : FIELD_COUNT;
    *ret = (struct form){.counting = counting && !staged,
                         .limit = counting ? UINT64_MAX : LIMIT_DEFAULT};
    if (staged) ret->limit = LIMIT_NONE;
    enum status status = form_read(bytes, NULL, fields, count, error);
    if (status == STATUS_OK) status = form_type(&fields[STORE], NULL, DOC_STRING, error);
    if (status != STATUS_OK) return status;
    ret->store = fields[STORE].value.payload;
    status = parse_int(bytes, &fields[LIMIT], 1, limit_max, &ret->limit, error);
    if (status == STATUS_OK)
        status = parse_int(bytes, &fields[SKIP], 0, INT64_MAX, &ret->skip, error);
    if (status == STATUS_OK) status = parse_filter(&fields[FILTER], evaluator, arena, ret, error);
    if (status == STATUS_OK) status = parse_stages(fields, ret, error);
    if (status == STATUS_OK) status = parse_sort(&fields[SORT], ret, error);
    if (status == STATUS_OK) status = parse_after(&fields[AFTER], ret, error);
    return status == STATUS_OK ? parse_fields(&fields[FIELDS], arena, ret, error) : status;
}
