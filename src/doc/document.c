// SPDX-License-Identifier: Apache-2.0
// Whole documents: iteration, look-up of one field, typed reading of control documents.
#include "doc/element.h"

#include <math.h>

void doc_iterate(struct doc_iterator *iterator, struct bytes document) {
    if (document.size < DOC_EMPTY_SIZE) {
        *iterator = (struct doc_iterator){0};
        return;
    }
    iterator->next = document.data + 4;
    iterator->end = document.data + document.size - 1;
}

bool doc_next(struct doc_iterator *iterator, struct bytes *ret_name, struct doc_value *ret_value) {
    struct element element;
    if (!element_next(&iterator->next, iterator->end, &element)) return false;
    *ret_name = element.name;
    *ret_value = element_value(element.type, element.payload, element.payload_size);
    return true;
}

struct doc_value doc_get(struct bytes document, struct bytes name) {
    if (document.size >= DOC_EMPTY_SIZE) {
        const uint8_t *next = document.data + 4;
        const uint8_t *end = document.data + document.size - 1;
        struct element element;
        while (element_next(&next, end, &element))
            if (element.name.size == name.size &&
                (name.size == 0 || (element.name.data[0] == name.data[0] &&
                                    memcmp(element.name.data, name.data, name.size) == 0)))
                return element_value(element.type, element.payload, element.payload_size);
    }
    return (struct doc_value){.type = DOC_MISSING};
}

bool doc_get_int(struct bytes document, const char *name, int64_t *ret) {
    struct doc_value value = doc_get(document, bytes_of_string(name));
    if (value.type == DOC_INT32 || value.type == DOC_INT64) {
        *ret = value.integer;
        return true;
    }
    // 2^63 itself is out of range, and NaN fails both comparisons.
    if (value.type != DOC_DOUBLE || !(value.number >= -0x1p63 && value.number < 0x1p63) ||
        value.number != trunc(value.number))
        return false;
    *ret = (int64_t)value.number;
    return true;
}

bool doc_get_bool(struct bytes document, const char *name, bool *ret) {
    struct doc_value value = doc_get(document, bytes_of_string(name));
    if (value.type != DOC_BOOL) return false;
    *ret = value.boolean;
    return true;
}

static bool get_payload(struct bytes document, const char *name, enum doc_type type,
                        struct bytes *ret) {
    struct doc_value value = doc_get(document, bytes_of_string(name));
    if (value.type != type) return false;
    *ret = value.payload;
    return true;
}

bool doc_get_string(struct bytes document, const char *name, struct bytes *ret) {
    return get_payload(document, name, DOC_STRING, ret);
}

bool doc_get_document(struct bytes document, const char *name, struct bytes *ret) {
    return get_payload(document, name, DOC_DOCUMENT, ret);
}

bool doc_get_array(struct bytes document, const char *name, struct bytes *ret) {
    return get_payload(document, name, DOC_ARRAY, ret);
}

bool doc_get_binary(struct bytes document, const char *name, struct bytes *ret) {
    return get_payload(document, name, DOC_BINARY, ret);
}
