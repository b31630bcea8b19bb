// SPDX-License-Identifier: Apache-2.0
// A part of planck.c. Reading BSON (bsonspec.org 1.1) in place. Documents come from the host or
// from the builder and are well formed; still nothing is read outside of the view.

enum bson_type { // those that enum pk_type has no name for
    BSON_OBJECT_ID = 0x07,
    BSON_REGEX = 0x0b,
    BSON_TIMESTAMP = 0x11,
    BSON_DECIMAL128 = 0x13,
    BSON_MIN_KEY = 0xff,
    BSON_MAX_KEY = 0x7f,
};
#define BINARY_UUID 4

struct element {
    uint8_t type;
    const uint8_t *name;
    size_t name_size;
    const uint8_t *payload;
    size_t payload_size;
};

#define SIZE_NONE ((size_t)-1)

static inline size_t size_of_cstring(const uint8_t *p, const uint8_t *end) {
    size_t size = 0, rest = (size_t)(end - p);
    for (; size + 8 <= rest; size += 8) {
        uint64_t found = find_zero(load64(p + size));
        if (found != 0) return size + (size_t)__builtin_ctzll(found) / 8;
    }
    while (size < rest && p[size] != 0) size++;
    return size < rest ? size : SIZE_NONE;
}

static size_t regex_size(const uint8_t *p, const uint8_t *end) {
    size_t pattern = size_of_cstring(p, end);
    if (pattern == SIZE_NONE) return SIZE_NONE;
    size_t options = size_of_cstring(p + pattern + 1, end);
    return options == SIZE_NONE ? SIZE_NONE : pattern + options + 2;
}

// The bytes of a value at `p`, or SIZE_NONE; may be beyond `end`.
static inline size_t payload_size(uint8_t type, const uint8_t *p, const uint8_t *end) {
    size_t rest = (size_t)(end - p);
    switch (type) {
    case PK_TYPE_DOUBLE:
    case PK_TYPE_DATE:
    case PK_TYPE_INT64:
    case BSON_TIMESTAMP:
        return 8;
    case PK_TYPE_TEXT:
        return rest < 5 || load32(p) == 0 ? SIZE_NONE : (size_t)4 + load32(p);
    case PK_TYPE_DOCUMENT:
    case PK_TYPE_ARRAY:
        return rest < 5 || load32(p) < 5 ? SIZE_NONE : load32(p);
    case PK_TYPE_BINARY:
        return rest < 5 ? SIZE_NONE : (size_t)5 + load32(p);
    case BSON_OBJECT_ID:
        return 12;
    case PK_TYPE_BOOL:
        return 1;
    case PK_TYPE_NULL:
    case BSON_MIN_KEY:
    case BSON_MAX_KEY:
        return 0;
    case BSON_REGEX:
        return regex_size(p, end);
    case PK_TYPE_INT32:
        return 4;
    case BSON_DECIMAL128:
        return 16;
    default:
        return SIZE_NONE;
    }
}

// Completes an element whose type and name are known, which end before `value`; where the next
// begins, or NULL.
static inline const uint8_t *element_value_at(struct element *element, const uint8_t *value,
                                              const uint8_t *end) {
    size_t size = payload_size(element->type, value, end);
    // A length near 2^32 has wrapped around where size_t has 32 bits; it is below 5 then.
    if (size > (size_t)(end - value)) return NULL;
    if (size < 5 && (element->type == PK_TYPE_TEXT || element->type == PK_TYPE_BINARY)) return NULL;
    element->payload = value;
    element->payload_size = size;
    return value + size;
}

struct pk_iterator pk_iterate(struct pk_document document) {
    struct pk_iterator iterator = {NULL, NULL};
    if (document.data == NULL || document.size < 5) return iterator;
    size_t size = load32(document.data);
    if (size < 5 || size > document.size) return iterator;
    iterator.next = document.data + 4;
    iterator.end = document.data + size - 1;
    return iterator;
}

static inline bool element_next(struct pk_iterator *iterator, struct element *ret) {
    const uint8_t *p = iterator->next, *end = iterator->end;
    if (p == NULL || p >= end) return false;
    ret->type = *p;
    ret->name = p + 1;
    ret->name_size = size_of_cstring(p + 1, end);
    iterator->next = NULL;
    if (ret->name_size == SIZE_NONE) return false;
    iterator->next = element_value_at(ret, p + 2 + ret->name_size, end);
    return iterator->next != NULL;
}

static struct pk_value element_value(const struct element *element) {
    struct pk_value value = {.type = (enum pk_type)element->type};
    const uint8_t *p = element->payload;
    switch (element->type) {
    case PK_TYPE_DOUBLE:
        value.number = double_of_bits(load64(p));
        break;
    case PK_TYPE_TEXT:
        value.text = text_of(p + 4, element->payload_size - 5);
        break;
    case PK_TYPE_DOCUMENT:
    case PK_TYPE_ARRAY:
        value.document = (struct pk_document){p, element->payload_size};
        break;
    case PK_TYPE_BINARY:
        value.subtype = p[4];
        value.text = text_of(p + 5, element->payload_size - 5);
        break;
    case PK_TYPE_BOOL:
        value.integer = *p != 0;
        break;
    case PK_TYPE_INT32:
        value.integer = (int32_t)load32(p);
        value.number = (double)value.integer;
        break;
    case PK_TYPE_INT64:
    case PK_TYPE_DATE:
        value.integer = (int64_t)load64(p);
        if (element->type == PK_TYPE_INT64) value.number = (double)value.integer;
        break;
    default: // as it is, so that pk_add_value() can write it again
        value.text = text_of(p, element->payload_size);
        break;
    }
    return value;
}

bool pk_next(struct pk_iterator *iterator, struct pk_text *ret_name, struct pk_value *ret_value) {
    struct element element;
    if (!element_next(iterator, &element)) return false;
    *ret_name = text_of(element.name, element.name_size);
    *ret_value = element_value(&element);
    return true;
}

// The first element of that name.
static bool element_find(struct pk_document document, const char *name, size_t name_size,
                         struct element *ret) {
    struct pk_iterator iterator = pk_iterate(document);
    while (element_next(&iterator, ret)) {
        if (ret->name_size == name_size && same(ret->name, name, name_size)) return true;
    }
    return false;
}

static bool element_find_path(struct pk_document document, const char *path, struct element *ret) {
    for (;;) {
        size_t part = 0;
        while (path[part] != '\0' && path[part] != '.') part++;
        if (!element_find(document, path, part, ret)) return false;
        if (path[part] == '\0') return true;
        if (ret->type != PK_TYPE_DOCUMENT && ret->type != PK_TYPE_ARRAY) return false;
        document = (struct pk_document){ret->payload, ret->payload_size};
        path += part + 1; // positions in arrays are their elements' names
    }
}

struct pk_value pk_get(struct pk_document document, const char *path) {
    struct element element;
    if (!element_find_path(document, path, &element)) return (struct pk_value){.type = PK_MISSING};
    return element_value(&element);
}

struct pk_text pk_get_text(struct pk_document document, const char *path) {
    struct element element;
    if (!element_find_path(document, path, &element) || element.type != PK_TYPE_TEXT)
        return text_of(NULL, 0);
    return text_of(element.payload + 4, element.payload_size - 5);
}

// Doubles that are whole count as integers.
int64_t pk_get_int(struct pk_document document, const char *path, int64_t fallback) {
    struct pk_value value = pk_get(document, path);
    if (value.type == PK_TYPE_INT32 || value.type == PK_TYPE_INT64) return value.integer;
    if (value.type != PK_TYPE_DOUBLE) return fallback;
    if (!(value.number >= -0x1p63 && value.number < 0x1p63)) return fallback;
    int64_t integer = (int64_t)value.number;
    return (double)integer == value.number ? integer : fallback;
}

double pk_get_double(struct pk_document document, const char *path, double fallback) {
    struct pk_value value = pk_get(document, path);
    bool number =
        value.type == PK_TYPE_DOUBLE || value.type == PK_TYPE_INT32 || value.type == PK_TYPE_INT64;
    return number ? value.number : fallback;
}

bool pk_get_bool(struct pk_document document, const char *path, bool fallback) {
    struct pk_value value = pk_get(document, path);
    return value.type == PK_TYPE_BOOL ? value.integer != 0 : fallback;
}

struct pk_document pk_get_document(struct pk_document document, const char *path) {
    return pk_get(document, path).document;
}
