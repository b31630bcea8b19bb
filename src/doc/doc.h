// SPDX-License-Identifier: Apache-2.0
// BSON documents in place: validation, field look-up by dotted path, one total order over values,
// its order-preserving encoding for indexes, 128-bit primary keys, JSON in and out, a builder.
// BSON format: bsonspec.org 1.1. A document here is a view (`struct bytes`) of the whole BSON
// document with its length prefix. Reading functions other than doc_validate() require validated
// documents and assert nothing about content: they never read outside the view even when it is
// hostile, but what they find is then unspecified. Any thread; nothing allocates unless said.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/limits.h"
#include "base/random.h"

// ---- values ---------------------------------------------------------------------------------

enum doc_type {      // the BSON element types that Planck accepts
    DOC_MISSING = 0, // not BSON: the field is not there
    DOC_DOUBLE = 0x01,
    DOC_STRING = 0x02,
    DOC_DOCUMENT = 0x03,
    DOC_ARRAY = 0x04,
    DOC_BINARY = 0x05,
    DOC_OBJECT_ID = 0x07,
    DOC_BOOL = 0x08,
    DOC_DATE = 0x09,
    DOC_NULL = 0x0a,
    DOC_REGEX = 0x0b,
    DOC_INT32 = 0x10,
    DOC_TIMESTAMP = 0x11,
    DOC_INT64 = 0x12,
    DOC_DECIMAL128 = 0x13,
    DOC_MIN_KEY = 0xff,
    DOC_MAX_KEY = 0x7f,
};

// One value in place: its type and its BSON payload (for a string: without length and NUL).
struct doc_value {
    enum doc_type type;
    uint8_t binary_subtype; // DOC_BINARY
    struct bytes payload;   // STRING: the text; BINARY: the bytes; DOCUMENT, ARRAY: the whole
                            // document; OBJECT_ID: 12 bytes; DECIMAL128: 16 bytes; REGEX:
                            // pattern NUL options NUL
    union {
        double number;   // DOUBLE
        int64_t integer; // INT32, INT64, DATE (ms), TIMESTAMP (as uint64)
        bool boolean;    // BOOL
    };
};

static inline bool doc_is_number(enum doc_type type) {
    return type == DOC_DOUBLE || type == DOC_INT32 || type == DOC_INT64 || type == DOC_DECIMAL128;
}
const char *doc_type_name(enum doc_type type); // "string", "int64", …

// Constructors of values that point to the caller's memory.
struct doc_value doc_value_string(struct bytes text);
struct doc_value doc_value_int(int64_t integer); // DOC_INT64
struct doc_value doc_value_double(double number);
struct doc_value doc_value_bool(bool boolean);

// ---- documents ------------------------------------------------------------------------------

#define DOC_EMPTY_SIZE 5

// Checks lengths, terminators, UTF-8, types, depth (DOCUMENT_DEPTH_MAX) and size
// (DOCUMENT_SIZE_MAX) of a whole document that must fill `document` exactly. Deprecated BSON types
// (undefined, DBPointer, JavaScript, symbol) are refused. STATUS_MALFORMED with the byte offset.
CHECKED enum status doc_validate(struct bytes document, struct error *error);
// The same with another bound on the size, for bodies of packets that carry many documents.
CHECKED enum status doc_validate_within(struct bytes document, size_t size_max,
                                        struct error *error);

// Iterates over the elements of a document or array, in order.
struct doc_iterator {
    const uint8_t *next;
    const uint8_t *end;
};
void doc_iterate(struct doc_iterator *iterator, struct bytes document);
// false at the end (or at the first element that is not well formed).
bool doc_next(struct doc_iterator *iterator, struct bytes *ret_name, struct doc_value *ret_value);

// Top-level field; DOC_MISSING when absent. First of duplicates.
struct doc_value doc_get(struct bytes document, struct bytes name);
// Dotted path: each part is a field name, or a decimal position in an array. A path that meets an
// array with a non-numeric part gives DOC_MISSING (multikey semantics come with multikey indexes).
struct doc_value doc_get_path(struct bytes document, struct bytes path);
// A path is 1 to FIELD_PATH_MAX bytes, 1 to FIELD_PATH_PARTS_MAX parts, no empty part, no NUL, and
// no part that begins with '$'.
bool doc_path_valid(struct bytes path);

// Convenience for reading typed fields of small control documents: false when absent or of another
// type. Integers accept INT32, INT64 and integral DOUBLE in range.
bool doc_get_int(struct bytes document, const char *name, int64_t *ret);
bool doc_get_bool(struct bytes document, const char *name, bool *ret);
bool doc_get_string(struct bytes document, const char *name, struct bytes *ret);
bool doc_get_document(struct bytes document, const char *name, struct bytes *ret);
bool doc_get_array(struct bytes document, const char *name, struct bytes *ret);
bool doc_get_binary(struct bytes document, const char *name, struct bytes *ret);

// ---- order ----------------------------------------------------------------------------------
// One total order over all values, the same in memory, in sorts and in indexes:
//   min key < missing < null < numbers < string < document < array < binary < object id <
//   bool (false < true) < date < timestamp < regex < max key
// Numbers compare by exact mathematical value across int32, int64, double and decimal128; NaN
// before every other number, all NaNs equal; -0 equals 0; infinities at the ends. Strings by
// unsigned bytes of UTF-8 (code point order). Documents element by element: name, then value,
// a prefix first. Arrays element by element. Binary by length, then subtype, then bytes.
// docs/FILE_FORMAT.md holds the encoding; tests/unit/doc holds its vectors.

// <0, 0, >0.
int doc_compare(const struct doc_value *a, const struct doc_value *b);

// Appends the order-preserving encoding of `value`: memcmp order of encodings equals doc_compare
// order, no encoding is a proper prefix of another's, and equal values encode equally.
// Decimal128 and numbers that only differ beyond 64-bit precision are exact as well.
CHECKED enum status doc_encode(struct buffer *buffer, const struct doc_value *value);
// The encoding cut for an index entry: whole when at most INDEX_VALUE_MAX bytes, else its first
// INDEX_VALUE_MAX - 8 bytes and the 8-byte big-endian hash of all (DOC_ENCODED_TRUNCATED).
CHECKED enum status doc_encode_index(struct buffer *buffer, const struct doc_value *value,
                                     bool *ret_truncated);

// ---- primary keys ---------------------------------------------------------------------------

enum key_type {    // of a store; the number is on disk
    KEY_UUID = 1,  // BSON binary subtype 4, 16 bytes
    KEY_INT64 = 2, // INT32 or INT64
    KEY_OBJECT_ID = 3,
    KEY_STRING = 4, // at most 15 bytes of UTF-8
};

// 128 bits whose memcmp order is the order of the values in a store.
struct key {
    uint8_t bytes[16];
};
static inline int key_compare(const struct key *a, const struct key *b) {
    return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}
const char *key_type_name(enum key_type type); // "uuid", "int64", "object_id", "string"
bool key_type_parse(struct bytes name, enum key_type *ret);
// STATUS_INVALID when the value is not of the store's key type (message says what was expected).
CHECKED enum status key_from_value(enum key_type type, const struct doc_value *value,
                                   struct key *ret, struct error *error);
// The value of a key; `storage` holds the payload it points to.
struct doc_value key_to_value(enum key_type type, const struct key *key, uint8_t storage[16]);
// A key written as text (URL parameters, import): UUID text, decimal, 24 hex digits, or the string.
CHECKED enum status key_from_text(enum key_type type, struct bytes text, struct key *ret,
                                  struct error *error);

// ---- building -------------------------------------------------------------------------------

// Writes BSON into a caller's buffer without intermediate allocation. Errors stick: check
// `status` once, at doc_builder_finish(). Names must hold no NUL byte (STATUS_INVALID).
struct doc_builder {
    struct buffer *buffer;
    enum status status;
    uint32_t depth;
    size_t starts[DOCUMENT_DEPTH_MAX];
    uint32_t indexes[DOCUMENT_DEPTH_MAX]; // next array position at each depth
    bool arrays[DOCUMENT_DEPTH_MAX];
};
// Appends after what the buffer already holds.
void doc_builder_begin(struct doc_builder *builder, struct buffer *buffer);
// Closes the top document; returns the first error. All nested ones must be closed.
CHECKED enum status doc_builder_finish(struct doc_builder *builder);
// In an array `name` is ignored (may be NULL) and positions are written. DOC_MISSING adds nothing.
void doc_add_value(struct doc_builder *builder, struct bytes name, const struct doc_value *value);
void doc_add_int(struct doc_builder *builder, const char *name, int64_t value);
void doc_add_double(struct doc_builder *builder, const char *name, double value);
void doc_add_bool(struct doc_builder *builder, const char *name, bool value);
void doc_add_null(struct doc_builder *builder, const char *name);
void doc_add_string(struct doc_builder *builder, const char *name, struct bytes value);
void doc_add_binary(struct doc_builder *builder, const char *name, uint8_t subtype,
                    struct bytes value);
void doc_add_document(struct doc_builder *builder, const char *name, struct bytes document);
void doc_begin_document(struct doc_builder *builder, const char *name);
void doc_begin_array(struct doc_builder *builder, const char *name);
void doc_end(struct doc_builder *builder); // closes the innermost document or array

// Appends a copy of `document` in which the top-level fields of `changes` replace or follow its
// own (dotted names in `changes` set nested fields, creating documents on the way; a part that
// meets a scalar or an array position beyond the end is STATUS_INVALID).
CHECKED enum status doc_set_fields(struct buffer *buffer, struct bytes document,
                                   struct bytes changes, struct error *error);
// Appends a copy of `document` with `_id` first: the given value when `document` has none.
CHECKED enum status doc_with_id(struct buffer *buffer, struct bytes document,
                                const struct doc_value *id);

// ---- JSON -----------------------------------------------------------------------------------
// MongoDB extended JSON v2 (relaxed on output) through libbson.

// Appends the BSON of one JSON object; nothing but blanks may stand around it. Beyond JSON, the
// bare words NaN and Infinity are numbers. STATUS_MALFORMED with the reason. Allocates.
CHECKED enum status doc_from_json(struct buffer *buffer, struct bytes json, struct error *error);
// Appends relaxed extended JSON. STATUS_MALFORMED when the document is not valid. Allocates.
CHECKED enum status doc_to_json(struct buffer *buffer, struct bytes document);
