// SPDX-License-Identifier: Apache-2.0
// Primary keys: 128 bits from a document's `_id` and back, and from text.
//   uuid       the 16 bytes
//   int64      8 bytes big-endian with the sign bit inverted, then zeros
//   object id  the 12 bytes, then zeros
//   string     the bytes padded with zeros to 15, then the length: a prefix comes first, and
//              "a" differs from "a\0"
#include "doc/doc.h"
#include "doc/utf8.h"

#define STRING_KEY_MAX 15
#define UUID_SUBTYPE 4

static const char *const type_names[] = {
    [KEY_UUID] = "uuid",
    [KEY_INT64] = "int64",
    [KEY_OBJECT_ID] = "object_id",
    [KEY_STRING] = "string",
};

const char *key_type_name(enum key_type type) {
    ASSERT(type >= KEY_UUID && type <= KEY_STRING);
    return type_names[type];
}

bool key_type_parse(struct bytes name, enum key_type *ret) {
    for (int type = KEY_UUID; type <= KEY_STRING; type++)
        if (bytes_equal_string(name, type_names[type])) {
            *ret = (enum key_type)type;
            return true;
        }
    return false;
}

static void key_from_int(int64_t integer, struct key *ret) {
    *ret = (struct key){0};
    store_be64(ret->bytes, (uint64_t)integer ^ 1ULL << 63);
}

static enum status key_from_string(struct bytes text, struct key *ret, struct error *error) {
    if (text.size > STRING_KEY_MAX)
        return error_set(error, STATUS_INVALID, "a string key has at most %d bytes, not %zu",
                         STRING_KEY_MAX, text.size);
    if (!utf8_valid(text)) return error_set(error, STATUS_INVALID, "a string key must be UTF-8");
    *ret = (struct key){0};
    if (text.size > 0) memcpy(ret->bytes, text.data, text.size);
    ret->bytes[STRING_KEY_MAX] = (uint8_t)text.size;
    return STATUS_OK;
}

static enum status wrong_type(enum key_type type, const struct doc_value *value,
                              struct error *error) {
    static const char *const expected[] = {
        [KEY_UUID] = "a UUID (binary of subtype 4, 16 bytes)",
        [KEY_INT64] = "an int32 or int64",
        [KEY_OBJECT_ID] = "an object id",
        [KEY_STRING] = "a string of at most 15 bytes",
    };
    return error_set(error, STATUS_INVALID, "the store's key is %s, not %s", expected[type],
                     doc_type_name(value->type));
}

enum status key_from_value(enum key_type type, const struct doc_value *value, struct key *ret,
                           struct error *error) {
    switch (type) {
    case KEY_UUID:
        if (value->type != DOC_BINARY || value->binary_subtype != UUID_SUBTYPE ||
            value->payload.size != 16)
            break;
        memcpy(ret->bytes, value->payload.data, 16);
        return STATUS_OK;
    case KEY_INT64:
        if (value->type != DOC_INT32 && value->type != DOC_INT64) break;
        key_from_int(value->integer, ret);
        return STATUS_OK;
    case KEY_OBJECT_ID:
        if (value->type != DOC_OBJECT_ID) break;
        *ret = (struct key){0};
        memcpy(ret->bytes, value->payload.data, 12);
        return STATUS_OK;
    case KEY_STRING:
        if (value->type != DOC_STRING) break;
        return key_from_string(value->payload, ret, error);
    }
    return wrong_type(type, value, error);
}

struct doc_value key_to_value(enum key_type type, const struct key *key, uint8_t storage[16]) {
    memcpy(storage, key->bytes, 16);
    struct doc_value value = {.type = DOC_MISSING};
    switch (type) {
    case KEY_UUID:
        value.type = DOC_BINARY;
        value.binary_subtype = UUID_SUBTYPE;
        value.payload = bytes_of(storage, 16);
        break;
    case KEY_INT64:
        value = doc_value_int((int64_t)(load_be64(storage) ^ 1ULL << 63));
        break;
    case KEY_OBJECT_ID:
        value.type = DOC_OBJECT_ID;
        value.payload = bytes_of(storage, 12);
        break;
    case KEY_STRING: // the length is bounded for the sake of keys that come from a damaged file
        value = doc_value_string(bytes_of(
            storage, storage[STRING_KEY_MAX] <= STRING_KEY_MAX ? storage[STRING_KEY_MAX] : 0));
        break;
    }
    return value;
}

// One spelling for each key: no plus sign, no leading zeros, no "-0".
static bool parse_int64(struct bytes text, int64_t *ret) {
    bool negative = text.size > 0 && text.data[0] == '-';
    size_t start = negative;
    if (text.size == start || text.size - start > 19) return false;
    if (text.data[start] == '0' && text.size > 1) return false;
    uint64_t magnitude = 0; // 19 digits fit
    for (size_t i = start; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return false;
        magnitude = magnitude * 10 + (text.data[i] - '0');
    }
    if (magnitude > (uint64_t)INT64_MAX + negative) return false;
    *ret = (int64_t)(negative ? 0 - magnitude : magnitude);
    return true;
}

static int hex_digit(uint8_t character) {
    if (character >= '0' && character <= '9') return character - '0';
    if (character >= 'a' && character <= 'f') return character - 'a' + 10;
    if (character >= 'A' && character <= 'F') return character - 'A' + 10;
    return -1;
}

static bool parse_object_id(struct bytes text, struct key *ret) {
    struct key key = {0};
    if (text.size != 24) return false;
    for (size_t i = 0; i < 12; i++) {
        int high = hex_digit(text.data[2 * i]), low = hex_digit(text.data[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        key.bytes[i] = (uint8_t)(high << 4 | low);
    }
    *ret = key;
    return true;
}

enum status key_from_text(enum key_type type, struct bytes text, struct key *ret,
                          struct error *error) {
    int64_t integer;
    switch (type) {
    case KEY_UUID:
        if (uuid_parse((const char *)text.data, text.size, ret->bytes) == 0) return STATUS_OK;
        return error_set(error, STATUS_INVALID, "a key must be a UUID of 36 characters");
    case KEY_INT64:
        if (!parse_int64(text, &integer))
            return error_set(error, STATUS_INVALID, "a key must be a decimal integer of 64 bits");
        key_from_int(integer, ret);
        return STATUS_OK;
    case KEY_OBJECT_ID:
        if (parse_object_id(text, ret)) return STATUS_OK;
        return error_set(error, STATUS_INVALID, "a key must be an object id of 24 hex digits");
    case KEY_STRING:
        return key_from_string(text, ret, error);
    }
    UNREACHABLE();
}
