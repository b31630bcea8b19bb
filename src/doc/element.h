// SPDX-License-Identifier: Apache-2.0
// BSON elements in place, for the files of this folder: stepping from one element to the next
// without trusting what stands there. Inline because field look-up is the hottest path there is.
#pragma once

#include "doc/doc.h"

// What one type's payload measures: zero for a type that is not accepted, else one more than its
// fixed bytes, with ELEMENT_LENGTH when a 32-bit length at its start counts further bytes, or
// ELEMENT_REGEX for two strings that end in NUL.
#define ELEMENT_FIXED 0x3f
#define ELEMENT_LENGTH 0x40
#define ELEMENT_REGEX 0x80
extern const uint8_t element_sizes[256] __attribute__((visibility("hidden"))); // no detour by a GOT

#define ELEMENT_BAD SIZE_MAX

struct element {
    uint8_t type;
    struct bytes name;
    const uint8_t *payload;
    size_t payload_size;
};

// The top bit of every byte that is zero, exact up to the lowest such byte.
static inline uint64_t element_zero_bytes(uint64_t word) {
    return (word - 0x0101010101010101ULL) & ~word & 0x8080808080808080ULL;
}

// The first NUL in [start, end), or NULL. Eight bytes a step: names are short, and a call to
// memchr costs more than the search.
static inline const uint8_t *element_find_nul(const uint8_t *start, const uint8_t *end) {
    while (end - start >= 8) {
        uint64_t zeros = element_zero_bytes(load_le64(start));
        if (zeros != 0) return start + (__builtin_ctzll(zeros) >> 3);
        start += 8;
    }
    for (; start < end; start++)
        if (*start == 0) return start;
    return NULL;
}

// Size of a regular expression's payload; ELEMENT_BAD when it does not end within `available`.
size_t element_regex_size(const uint8_t *payload, size_t available);

// Size of the payload of `type`, or ELEMENT_BAD when the type is unknown or it does not fit.
// Payloads with a length are at least 5 bytes: an empty string, binary or document.
static inline size_t element_payload_size(uint8_t type, const uint8_t *payload, size_t available) {
    uint8_t entry = element_sizes[type];
    size_t size = (size_t)(entry & ELEMENT_FIXED) - 1;
    if (entry & ELEMENT_LENGTH) {
        if (available < 5) return ELEMENT_BAD;
        uint32_t length = load_le32(payload);
        size += length;
        if (length > INT32_MAX || size < 5) return ELEMENT_BAD;
    } else if (entry == ELEMENT_REGEX) {
        return element_regex_size(payload, available);
    }
    return size <= available ? size : ELEMENT_BAD; // an unknown type has size SIZE_MAX
}

// Reads the element at `*next` and steps past it. `end` is where the document's final NUL stands.
// false at the end and at anything that is not an element within [*next, end).
static inline bool element_next(const uint8_t **next, const uint8_t *end, struct element *element) {
    const uint8_t *start = *next;
    if (start >= end) return false;
    const uint8_t *nul = element_find_nul(start + 1, end);
    if (nul == NULL) return false;
    element->type = *start;
    element->name = bytes_of(start + 1, (size_t)(nul - start - 1));
    element->payload = nul + 1;
    element->payload_size = element_payload_size(*start, nul + 1, (size_t)(end - nul - 1));
    if (element->payload_size == ELEMENT_BAD) return false;
    *next = element->payload + element->payload_size;
    return true;
}

// The value of an element whose payload was measured by element_payload_size().
static inline struct doc_value element_value(uint8_t type, const uint8_t *payload,
                                             size_t payload_size) {
    enum doc_type of = (enum doc_type)type;
    double number;
    switch (of) {
    case DOC_DOUBLE:
        memcpy(&number, payload, sizeof number);
        return (struct doc_value){.type = of, .number = number};
    case DOC_INT32:
        return (struct doc_value){.type = of, .integer = (int32_t)load_le32(payload)};
    case DOC_INT64:
    case DOC_DATE:
    case DOC_TIMESTAMP:
        return (struct doc_value){.type = of, .integer = (int64_t)load_le64(payload)};
    case DOC_BOOL:
        return (struct doc_value){.type = of, .boolean = payload[0] != 0};
    case DOC_STRING: // without its length and final NUL
        return (struct doc_value){.type = of, .payload = bytes_of(payload + 4, payload_size - 5)};
    case DOC_BINARY:
        return (struct doc_value){.type = of,
                                  .binary_subtype = payload[4],
                                  .payload = bytes_of(payload + 5, payload_size - 5)};
    default: // documents, identifiers, decimals, regular expressions, and types without payload
        return (struct doc_value){.type = of, .payload = bytes_of(payload, payload_size)};
    }
}

// Writes the payload of `value` as BSON to `target`, which has room for value_payload_size().
size_t value_payload_size(const struct doc_value *value);
void value_write_payload(const struct doc_value *value, uint8_t *target);
