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

__attribute__((noinline)) static size_t size_of_long_cstring(const uint8_t *p, const uint8_t *end) {
    return size_of_cstring(p, end);
}

__attribute__((noinline)) static size_t regex_size(const uint8_t *p, const uint8_t *end) {
    size_t pattern = size_of_cstring(p, end);
    if (pattern == SIZE_NONE) return SIZE_NONE;
    size_t options = size_of_cstring(p + pattern + 1, end);
    return options == SIZE_NONE ? SIZE_NONE : pattern + options + 2;
}

// What a type's value measures: 0 for an unknown type, else one more than its fixed bytes, with
// SHAPE_LENGTH when 32 bits at its start count further ones. A table, because types alternate from
// element to element, which no processor foresees.
#define SHAPE_FIXED(bytes) ((bytes) + 1)
#define SHAPE_LENGTH 0x40
#define SHAPE_REGEX 0x80
static const uint8_t value_shapes[256] = {
    [PK_TYPE_DOUBLE] = SHAPE_FIXED(8),
    [PK_TYPE_TEXT] = SHAPE_FIXED(4) | SHAPE_LENGTH,
    [PK_TYPE_DOCUMENT] = SHAPE_FIXED(0) | SHAPE_LENGTH,
    [PK_TYPE_ARRAY] = SHAPE_FIXED(0) | SHAPE_LENGTH,
    [PK_TYPE_BINARY] = SHAPE_FIXED(5) | SHAPE_LENGTH,
    [BSON_OBJECT_ID] = SHAPE_FIXED(12),
    [PK_TYPE_BOOL] = SHAPE_FIXED(1),
    [PK_TYPE_DATE] = SHAPE_FIXED(8),
    [PK_TYPE_NULL] = SHAPE_FIXED(0),
    [BSON_REGEX] = SHAPE_REGEX,
    [PK_TYPE_INT32] = SHAPE_FIXED(4),
    [BSON_TIMESTAMP] = SHAPE_FIXED(8),
    [PK_TYPE_INT64] = SHAPE_FIXED(8),
    [BSON_DECIMAL128] = SHAPE_FIXED(16),
    [BSON_MIN_KEY] = SHAPE_FIXED(0),
    [BSON_MAX_KEY] = SHAPE_FIXED(0),
};

// Where the value at `value` ends; NULL unless it is one that ends at or before `end`.
__attribute__((always_inline)) static inline const uint8_t *
value_end(uint8_t type, const uint8_t *value, const uint8_t *end) {
    size_t rest = (size_t)(end - value);
    uint8_t shape = value_shapes[type];
    uint64_t size = (uint64_t)(shape & 0x3f) - 1; // beyond everything for an unknown type
    if (shape & SHAPE_LENGTH) {
        if (rest < 5) return NULL;
        size += load32(value);
        if (size < 5) return NULL;
    } else if (shape == SHAPE_REGEX) {
        size = regex_size(value, end);
        if (size == SIZE_NONE) return NULL;
    }
    return size <= rest ? value + size : NULL;
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

// The element at `p`, whose name's size is known.
static inline bool element_at(const uint8_t *p, size_t name_size, const uint8_t *end,
                              struct element *ret) {
    const uint8_t *value = p + 2 + name_size, *next = value_end(*p, value, end);
    if (next == NULL) return false;
    *ret = (struct element){*p, p + 1, name_size, value, (size_t)(next - value)};
    return true;
}

static inline bool element_next(struct pk_iterator *iterator, struct element *ret) {
    const uint8_t *p = iterator->next, *end = iterator->end;
    if (p == NULL || p >= end) return false;
    iterator->next = NULL;
    size_t name_size = size_of_cstring(p + 1, end);
    if (name_size == SIZE_NONE) return false;
    if (!element_at(p, name_size, end, ret)) return false;
    iterator->next = ret->payload + ret->payload_size;
    return true;
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

// Passes over the elements whose name is not the wanted one of up to seven bytes, which lie in
// `word`, the first one lowest; `mask` covers them and the NUL behind. Where it stops, because of
// the name or of the end, the caller goes on. A function of its own, so that all it handles stays
// in registers.
__attribute__((noinline)) static const uint8_t *skip_to_short(const uint8_t *p, const uint8_t *end,
                                                              uint64_t word, uint64_t mask) {
    while (p != NULL && end - p > 8) {
        uint64_t here = load64(p + 1), zero = find_zero(here);
        if (((here ^ word) & mask) == 0) break;
        if (zero == 0) { // a long name
            size_t size = size_of_long_cstring(p + 1, end);
            if (size == SIZE_NONE) return NULL;
            p = value_end(*p, p + 2 + size, end);
        } else {
            p = value_end(*p, p + 2 + __builtin_ctzll(zero) / 8, end);
        }
    }
    return p;
}

__attribute__((noinline)) static bool element_find_next(struct pk_iterator iterator,
                                                        const char *name, size_t name_size,
                                                        struct element *ret) {
    while (element_next(&iterator, ret)) {
        if (ret->name_size == name_size && same(ret->name, name, name_size)) return true;
    }
    return false;
}

// The first element of that name, whose first eight bytes `word` holds.
static inline bool element_find(struct pk_document document, const char *name, size_t name_size,
                                uint64_t word, struct element *ret) {
    struct pk_iterator iterator = pk_iterate(document);
    if (name_size < 8) {
        uint64_t mask = ~(uint64_t)0 >> (56 - 8 * name_size);
        iterator.next = skip_to_short(iterator.next, iterator.end, word, mask);
        if (iterator.next == NULL) return false;
        if (iterator.end - iterator.next > 8)
            return element_at(iterator.next, name_size, iterator.end, ret);
    }
    return element_find_next(iterator, name, name_size, ret);
}

__attribute__((noinline)) static size_t path_part_rest(const char *path, size_t size, uint64_t word,
                                                       uint64_t *ret_word) {
    for (; path[size] != '\0' && path[size] != '.'; size++)
        if (size < 8) word |= (uint64_t)(uint8_t)path[size] << (8 * size);
    *ret_word = word;
    return size;
}

// The size of the part that `path` begins with; `*ret_word` gets its first eight bytes, the first
// one lowest, and zeros behind a shorter one.
static inline size_t path_part(const char *path, uint64_t *ret_word) {
    size_t size = 0;
    uint64_t word = 0;
    if (may_load64(path)) {
        word = load64_beyond(path);
        uint64_t ends = find_zero(word) | find_byte(word, '.');
        if (ends != 0) {
            size = (size_t)__builtin_ctzll(ends) / 8;
            *ret_word = word & ~(~(uint64_t)0 << (8 * size));
            return size;
        }
        size = 8;
    }
    return path_part_rest(path, size, word, ret_word);
}

static bool element_find_path(struct pk_document document, const char *path, struct element *ret) {
    for (;;) {
        uint64_t word;
        size_t part = path_part(path, &word);
        if (!element_find(document, path, part, word, ret)) return false;
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
