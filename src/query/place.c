// SPDX-License-Identifier: Apache-2.0
#include "query/place.h"

#include <stdio.h>

#include "base/limits.h"

#define PLACE_TEXT_MAX 96
#define SHOWN_NAME_MAX 40

// Writes the place from its root on; a long one loses its end.
static size_t place_text(const struct place *place, char *text, size_t size) {
    if (place == NULL) return 0;
    size_t used = place_text(place->parent, text, size);
    if (used + 1 >= size) return used;
    int length = place->name == NULL
                     ? snprintf(text + used, size - used, "[%zu]", place->position)
                     : snprintf(text + used, size - used, "%s%s", used > 0 ? "." : "", place->name);
    return length < 0 ? used : used + (size_t)length;
}

enum status place_error(const struct place *place, struct error *error, const char *format, ...) {
    char where[PLACE_TEXT_MAX] = "", what[sizeof error->message];
    va_list arguments;
    place_text(place, where, sizeof where);
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    return error_set(error, STATUS_INVALID, "%s%s%s", where, where[0] == '\0' ? "" : ": ", what);
}

static struct form_field *find_field(struct form_field *fields, size_t count, struct bytes name) {
    // A name in BSON holds no NUL and stands before one.
    for (size_t i = 0; i < count; i++)
        if (name.data[0] == (uint8_t)fields[i].name[0] &&
            strcmp((const char *)name.data, fields[i].name) == 0)
            return &fields[i];
    return NULL;
}

enum status form_read(struct bytes document, const struct place *place, struct form_field *fields,
                      size_t count, struct error *error) {
    struct doc_iterator iterator;
    struct bytes name;
    struct doc_value value;
    doc_iterate(&iterator, document);
    while (doc_next(&iterator, &name, &value)) {
        struct form_field *field = find_field(fields, count, name);
        if (field == NULL)
            return place_error(place, error, "unknown field '%.*s'",
                               (int)(name.size < SHOWN_NAME_MAX ? name.size : SHOWN_NAME_MAX),
                               (const char *)name.data);
        if (field->value.type != DOC_MISSING)
            return place_error(place, error, "field '%s' occurs twice", field->name);
        field->value = value;
    }
    for (size_t i = 0; i < count; i++)
        if (fields[i].required && fields[i].value.type == DOC_MISSING)
            return place_error(place, error, "field '%s' is missing", fields[i].name);
    return STATUS_OK;
}

static const char *expected_text(enum doc_type type) {
    if (type == DOC_STRING) return "a string";
    if (type == DOC_DOCUMENT) return "a document";
    if (type == DOC_BOOL) return "true or false";
    return type == DOC_ARRAY ? "an array" : "binary";
}

enum status form_type(const struct form_field *field, const struct place *place,
                      enum doc_type expected, struct error *error) {
    if (field->value.type == expected) return STATUS_OK;
    struct place here = {.parent = place, .name = field->name};
    return place_error(&here, error, "%s is expected, not %s", expected_text(expected),
                       doc_type_name(field->value.type));
}

enum status path_check(const struct doc_value *value, const struct place *place, struct bytes *ret,
                       struct error *error) {
    if (value->type != DOC_STRING)
        return place_error(place, error, "a field path is expected, not %s",
                           doc_type_name(value->type));
    if (!doc_path_valid(value->payload))
        return place_error(place, error,
                           "not a field path: 1 to %d parts joined by dots, none empty or "
                           "beginning with '$', %d bytes in all",
                           FIELD_PATH_PARTS_MAX, FIELD_PATH_MAX);
    *ret = value->payload;
    return STATUS_OK;
}

enum status form_path(const struct form_field *field, const struct place *place, struct bytes *ret,
                      struct error *error) {
    struct place here = {.parent = place, .name = field->name};
    return path_check(&field->value, &here, ret, error);
}

enum status form_bool(const struct form_field *field, const struct place *place, bool *ret,
                      struct error *error) {
    if (field->value.type == DOC_MISSING) return STATUS_OK;
    enum status status = form_type(field, place, DOC_BOOL, error);
    if (status == STATUS_OK) *ret = field->value.boolean;
    return status;
}

size_t form_array_count(struct bytes array) {
    struct doc_iterator iterator;
    struct bytes name;
    struct doc_value value;
    size_t count = 0;
    doc_iterate(&iterator, array);
    while (doc_next(&iterator, &name, &value)) count++;
    return count;
}
