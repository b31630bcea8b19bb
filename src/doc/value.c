// SPDX-License-Identifier: Apache-2.0
// Single BSON values: what each type measures, reading and writing its payload, constructors.
#include "doc/element.h"

#define FIXED(bytes) ((bytes) + 1)
#define LENGTH(bytes) (((bytes) + 1) | ELEMENT_LENGTH)

const uint8_t element_sizes[256] = {
    [DOC_DOUBLE] = FIXED(8),     [DOC_STRING] = LENGTH(4),     [DOC_DOCUMENT] = LENGTH(0),
    [DOC_ARRAY] = LENGTH(0),     [DOC_BINARY] = LENGTH(5),     [DOC_OBJECT_ID] = FIXED(12),
    [DOC_BOOL] = FIXED(1),       [DOC_DATE] = FIXED(8),        [DOC_NULL] = FIXED(0),
    [DOC_REGEX] = ELEMENT_REGEX, [DOC_INT32] = FIXED(4),       [DOC_TIMESTAMP] = FIXED(8),
    [DOC_INT64] = FIXED(8),      [DOC_DECIMAL128] = FIXED(16), [DOC_MIN_KEY] = FIXED(0),
    [DOC_MAX_KEY] = FIXED(0),
};

size_t element_regex_size(const uint8_t *payload, size_t available) {
    const uint8_t *end = payload + available;
    const uint8_t *pattern_end = element_find_nul(payload, end);
    if (pattern_end == NULL) return ELEMENT_BAD;
    const uint8_t *options_end = element_find_nul(pattern_end + 1, end);
    if (options_end == NULL) return ELEMENT_BAD;
    return (size_t)(options_end + 1 - payload);
}

size_t value_payload_size(const struct doc_value *value) {
    uint8_t entry = element_sizes[(uint8_t)value->type];
    switch (value->type) {
    case DOC_STRING:
    case DOC_BINARY:
        return value->payload.size + 5;
    case DOC_DOCUMENT:
    case DOC_ARRAY:
    case DOC_REGEX:
        return value->payload.size;
    default:
        ASSERT(entry != 0);
        return (size_t)(entry & ELEMENT_FIXED) - 1;
    }
}

void value_write_payload(const struct doc_value *value, uint8_t *target) {
    struct bytes payload = value->payload;
    switch (value->type) {
    case DOC_DOUBLE:
        memcpy(target, &value->number, 8);
        break;
    case DOC_INT32:
        store_le32(target, (uint32_t)value->integer);
        break;
    case DOC_INT64:
    case DOC_DATE:
    case DOC_TIMESTAMP:
        store_le64(target, (uint64_t)value->integer);
        break;
    case DOC_BOOL:
        target[0] = value->boolean;
        break;
    case DOC_STRING:
        store_le32(target, (uint32_t)payload.size + 1);
        if (payload.size > 0) memcpy(target + 4, payload.data, payload.size);
        target[4 + payload.size] = 0;
        break;
    case DOC_BINARY:
        store_le32(target, (uint32_t)payload.size);
        target[4] = value->binary_subtype;
        if (payload.size > 0) memcpy(target + 5, payload.data, payload.size);
        break;
    default:
        if (payload.size > 0) memcpy(target, payload.data, value_payload_size(value));
        break;
    }
}

const char *doc_type_name(enum doc_type type) {
    switch (type) {
    case DOC_MISSING:
        return "missing";
    case DOC_DOUBLE:
        return "double";
    case DOC_STRING:
        return "string";
    case DOC_DOCUMENT:
        return "document";
    case DOC_ARRAY:
        return "array";
    case DOC_BINARY:
        return "binary";
    case DOC_OBJECT_ID:
        return "object_id";
    case DOC_BOOL:
        return "bool";
    case DOC_DATE:
        return "date";
    case DOC_NULL:
        return "null";
    case DOC_REGEX:
        return "regex";
    case DOC_INT32:
        return "int32";
    case DOC_TIMESTAMP:
        return "timestamp";
    case DOC_INT64:
        return "int64";
    case DOC_DECIMAL128:
        return "decimal128";
    case DOC_MIN_KEY:
        return "min_key";
    case DOC_MAX_KEY:
        return "max_key";
    }
    return "unknown";
}

struct doc_value doc_value_string(struct bytes text) {
    return (struct doc_value){.type = DOC_STRING, .payload = text};
}

struct doc_value doc_value_int(int64_t integer) {
    return (struct doc_value){.type = DOC_INT64, .integer = integer};
}

struct doc_value doc_value_double(double number) {
    return (struct doc_value){.type = DOC_DOUBLE, .number = number};
}

struct doc_value doc_value_bool(bool boolean) {
    return (struct doc_value){.type = DOC_BOOL, .boolean = boolean};
}
