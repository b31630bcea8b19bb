// SPDX-License-Identifier: Apache-2.0
// Where in a form something stands, for messages: "filter.conditions[2].value: ...". A chain of
// frames on the parser's stack.
#pragma once

#include "doc/doc.h"

struct place {
    const struct place *parent;
    const char *name; // NULL: a position in an array
    size_t position;
};

// STATUS_INVALID with the place before the message.
enum status place_error(const struct place *place, struct error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// The fields that a document of the form may hold. Each may occur once; others are refused.
struct form_field {
    const char *name;
    bool required;
    struct doc_value value; // filled; DOC_MISSING when absent
};
CHECKED enum status form_read(struct bytes document, const struct place *place,
                              struct form_field *fields, size_t count, struct error *error);
// `field` as text, a path, or a document or array; STATUS_INVALID names it and what it is.
CHECKED enum status form_type(const struct form_field *field, const struct place *place,
                              enum doc_type expected, struct error *error);
CHECKED enum status form_path(const struct form_field *field, const struct place *place,
                              struct bytes *ret, struct error *error);
CHECKED enum status path_check(const struct doc_value *value, const struct place *place,
                               struct bytes *ret, struct error *error);
// An absent field keeps `*ret`.
CHECKED enum status form_bool(const struct form_field *field, const struct place *place, bool *ret,
                              struct error *error);
// The number of elements of an array.
size_t form_array_count(struct bytes array);
