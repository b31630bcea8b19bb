// SPDX-License-Identifier: Apache-2.0
// Dotted field paths: "customer.address.city", "lines.0.quantity".
#include "doc/path.h"

#include "base/limits.h"
#include "doc/element.h"

bool path_position(struct bytes part, uint32_t *ret) {
    if (part.size == 0 || part.size > 10 || (part.size > 1 && part.data[0] == '0')) return false;
    uint64_t position = 0;
    for (size_t i = 0; i < part.size; i++) {
        if (part.data[i] < '0' || part.data[i] > '9') return false;
        position = position * 10 + (part.data[i] - '0');
    }
    if (position > INT32_MAX) return false;
    *ret = (uint32_t)position;
    return true;
}

// The positions in an array are counted, not read: BSON does not promise that the names of an
// array's elements are right.
static struct doc_value get_position(struct bytes array, struct bytes part) {
    uint32_t position;
    if (array.size >= DOC_EMPTY_SIZE && path_position(part, &position)) {
        const uint8_t *next = array.data + 4;
        const uint8_t *end = array.data + array.size - 1;
        struct element element;
        while (element_next(&next, end, &element))
            if (position-- == 0)
                return element_value(element.type, element.payload, element.payload_size);
    }
    return (struct doc_value){.type = DOC_MISSING};
}

struct doc_value doc_get_path(struct bytes document, struct bytes path) {
    struct bytes part = path_first_part(path);
    struct doc_value value = doc_get(document, part);
    while (part.size < path.size) {
        path = bytes_of(path.data + part.size + 1, path.size - part.size - 1);
        part = path_first_part(path);
        if (value.type == DOC_DOCUMENT)
            value = doc_get(value.payload, part);
        else if (value.type == DOC_ARRAY)
            value = get_position(value.payload, part);
        else
            return (struct doc_value){.type = DOC_MISSING};
    }
    return value;
}

bool doc_path_valid(struct bytes path) {
    if (path.size < 1 || path.size > FIELD_PATH_MAX) return false;
    if (memchr(path.data, 0, path.size) != NULL) return false;
    for (size_t count = 1; count <= FIELD_PATH_PARTS_MAX; count++) {
        struct bytes part = path_first_part(path);
        if (part.size == 0 || part.data[0] == '$') return false;
        if (part.size == path.size) return true;
        path = bytes_of(path.data + part.size + 1, path.size - part.size - 1);
    }
    return false;
}
