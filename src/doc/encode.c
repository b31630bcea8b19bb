// SPDX-License-Identifier: Apache-2.0
// The order-preserving encoding of values. All numbers in it are big-endian.
//
// The first byte is the rank of the type (order.h):
//
//   08 min key   10 missing   18 null        20 number      28 string   30 document  38 array
//   40 binary    48 object id 50 bool        58 date        60 timestamp 68 regex    70 max key
//
// What follows it:
//
//   min key, missing, null, max key   nothing
//   number       see below: 9 bytes, or 26 for a value that no double holds
//   string       the bytes, each 00 written as 00 ff; ended by 00 01
//   document     for each element 01, its name, 00, its encoded value; ended by 00
//   array        its encoded values one after the other; ended by 00
//   binary       length (4 bytes), subtype (1), the bytes
//   object id    12 bytes
//   bool         00 or 01
//   date         8 bytes, two's complement with the sign bit inverted
//   timestamp    8 bytes
//   regex        pattern, 00, options, 00
//
// A number x is encoded by T, the double that x becomes when it is rounded towards zero (T has the
// sign of x, also when it is zero, but zero itself is +0; a magnitude beyond the greatest finite
// double gives that one; infinities stay):
//
//   8 bytes      the bits of T; for T with a clear sign bit that bit is set, else all bits are
//                inverted. NaN, of any kind: eight bytes 00
//   1 byte       80 when x equals T, or is NaN; 81 when x is above it; 7f when below
//   17 bytes     after 81 and 7f only: the magnitude of x as c * 10^e, where c has exactly 34
//                digits: e + 8192 (2 bytes), c (15 bytes); all inverted after 7f
//
// Whatever is equal has the same T and the same last part, across int32, int64, double and
// decimal128: every number that is not a double is an integer of at most 19 digits or a decimal
// of at most 34, so the last part is exact. T does not decrease when x grows, and among the x
// with the same T the last part decides, T itself being nearest to zero.
//
// An index entry holds the encoding whole when it has at most INDEX_VALUE_MAX bytes (1024); else
// its first 1016 bytes and the FNV-1a hash (64 bits) of all of it. Such an entry, and any
// match of a look-up for more than 1016 bytes, is compared with the document itself.
#include "base/limits.h"
#include "doc/decimal.h"
#include "doc/order.h"

#include <math.h>

#define NUMBER_BELOW 0x7f
#define NUMBER_EQUAL 0x80
#define NUMBER_ABOVE 0x81
#define NUMBER_SIZE 10 // with the rank
#define NUMBER_REST_SIZE 17
#define DECIMAL_EXPONENT_BIAS 8192

static enum status append_byte(struct buffer *buffer, uint8_t byte) {
    return buffer_append(buffer, &byte, 1);
}

// ---- numbers --------------------------------------------------------------------------------

static uint64_t ordered_bits(double number) {
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits >> 63 ? ~bits : bits | 1ULL << 63;
}

static enum status append_truncated(struct buffer *buffer, uint64_t bits, uint8_t relation) {
    uint8_t encoded[NUMBER_SIZE];
    encoded[0] = RANK_NUMBER;
    store_be64(encoded + 1, bits);
    encoded[9] = relation;
    return buffer_append(buffer, encoded, sizeof encoded);
}

static enum status encode_double(struct buffer *buffer, double number) {
    if (isnan(number)) return append_truncated(buffer, 0, NUMBER_EQUAL);
    if (number == 0) number = 0; // not the negative one
    return append_truncated(buffer, ordered_bits(number), NUMBER_EQUAL);
}

// `decimal` lies beyond `truncated`, seen from zero.
static enum status encode_beyond(struct buffer *buffer, const struct decimal *decimal,
                                 double truncated) {
    uint8_t rest[NUMBER_REST_SIZE];
    uint32_t exponent = (uint32_t)(decimal->exponent + DECIMAL_EXPONENT_BIAS);
    uint128 coefficient = decimal->coefficient;
    rest[0] = (uint8_t)(exponent >> 8);
    rest[1] = (uint8_t)exponent;
    for (int i = NUMBER_REST_SIZE; i-- > 2; coefficient >>= 8) rest[i] = (uint8_t)coefficient;
    uint8_t relation = decimal->negative ? NUMBER_BELOW : NUMBER_ABOVE;
    if (decimal->negative)
        for (size_t i = 0; i < sizeof rest; i++) rest[i] = (uint8_t)~rest[i];
    enum status status = append_truncated(buffer, ordered_bits(truncated), relation);
    if (status != STATUS_OK) return status;
    return buffer_append(buffer, rest, sizeof rest);
}

static enum status encode_int(struct buffer *buffer, int64_t integer) {
    uint64_t magnitude = integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer;
    int excess = magnitude >> 53 == 0 ? 0 : 11 - __builtin_clzll(magnitude);
    uint64_t kept = magnitude >> excess << excess; // the leading 53 bits: a double holds them
    double truncated = integer < 0 ? -(double)kept : (double)kept;
    if (kept == magnitude) return append_truncated(buffer, ordered_bits(truncated), NUMBER_EQUAL);
    struct decimal decimal = decimal_from_int(integer);
    return encode_beyond(buffer, &decimal, truncated);
}

static enum status encode_decimal(struct buffer *buffer, const uint8_t *payload) {
    struct decimal decimal = decimal_decode(payload);
    if (decimal.kind == DECIMAL_NAN) return encode_double(buffer, NAN);
    if (decimal.kind == DECIMAL_INFINITE)
        return encode_double(buffer, decimal.negative ? -INFINITY : INFINITY);
    double truncated = decimal_truncate(&decimal);
    if (decimal_compare_double(&decimal, truncated) == 0) return encode_double(buffer, truncated);
    return encode_beyond(buffer, &decimal, truncated);
}

static enum status encode_number(struct buffer *buffer, const struct doc_value *value) {
    if (value->type == DOC_DOUBLE) return encode_double(buffer, value->number);
    if (value->type == DOC_DECIMAL128) return encode_decimal(buffer, value->payload.data);
    return encode_int(buffer, value->integer);
}

// ---- the others -----------------------------------------------------------------------------

static enum status encode_string(struct buffer *buffer, struct bytes text) {
    static const uint8_t escaped_nul[2] = {0x00, 0xff}, terminator[2] = {0x00, 0x01};
    enum status status = buffer_reserve(buffer, text.size + 3);
    if (status != STATUS_OK) return status;
    status = append_byte(buffer, RANK_STRING);
    while (status == STATUS_OK && text.size > 0) {
        const uint8_t *nul = memchr(text.data, 0, text.size);
        size_t plain = nul == NULL ? text.size : (size_t)(nul - text.data);
        status = buffer_append(buffer, text.data, plain);
        if (nul == NULL) break;
        if (status == STATUS_OK) status = buffer_append(buffer, escaped_nul, 2);
        text = bytes_of(nul + 1, text.size - plain - 1);
    }
    if (status != STATUS_OK) return status;
    return buffer_append(buffer, terminator, 2);
}

static enum status encode_binary(struct buffer *buffer, const struct doc_value *value) {
    uint8_t head[6];
    head[0] = RANK_BINARY;
    store_be32(head + 1, (uint32_t)value->payload.size);
    head[5] = value->binary_subtype;
    enum status status = buffer_append(buffer, head, sizeof head);
    if (status != STATUS_OK || value->payload.size == 0) return status;
    return buffer_append(buffer, value->payload.data, value->payload.size);
}

static enum status encode_word(struct buffer *buffer, enum order_rank rank, uint64_t word) {
    uint8_t encoded[9];
    encoded[0] = (uint8_t)rank;
    store_be64(encoded + 1, word);
    return buffer_append(buffer, encoded, sizeof encoded);
}

static enum status encode_payload(struct buffer *buffer, enum order_rank rank,
                                  struct bytes payload) {
    enum status status = append_byte(buffer, (uint8_t)rank);
    if (status != STATUS_OK || payload.size == 0) return status;
    return buffer_append(buffer, payload.data, payload.size);
}

static enum status encode_value(struct buffer *buffer, const struct doc_value *value,
                                unsigned depth);

static enum status encode_name(struct buffer *buffer, struct bytes name) {
    enum status status = append_byte(buffer, 0x01);
    if (status == STATUS_OK && name.size > 0) status = buffer_append(buffer, name.data, name.size);
    if (status == STATUS_OK) status = append_byte(buffer, 0x00);
    return status;
}

static enum status encode_elements(struct buffer *buffer, const struct doc_value *value,
                                   enum order_rank rank, unsigned depth) {
    if (depth > DOCUMENT_DEPTH_MAX) return STATUS_MALFORMED; // no valid document gets here
    struct doc_iterator iterator;
    struct bytes name;
    struct doc_value element;
    enum status status = append_byte(buffer, (uint8_t)rank);
    doc_iterate(&iterator, value->payload);
    while (status == STATUS_OK && doc_next(&iterator, &name, &element)) {
        if (rank == RANK_DOCUMENT) status = encode_name(buffer, name);
        if (status == STATUS_OK) status = encode_value(buffer, &element, depth + 1);
    }
    if (status != STATUS_OK) return status;
    return append_byte(buffer, 0x00);
}

static enum status encode_value(struct buffer *buffer, const struct doc_value *value,
                                unsigned depth) {
    enum order_rank rank = order_rank(value->type);
    uint8_t pair[2] = {(uint8_t)rank, 0};
    switch (rank) {
    case RANK_NUMBER:
        return encode_number(buffer, value);
    case RANK_STRING:
        return encode_string(buffer, value->payload);
    case RANK_DOCUMENT:
    case RANK_ARRAY:
        return encode_elements(buffer, value, rank, depth);
    case RANK_BINARY:
        return encode_binary(buffer, value);
    case RANK_BOOL:
        pair[1] = value->boolean;
        return buffer_append(buffer, pair, sizeof pair);
    case RANK_DATE:
        return encode_word(buffer, rank, (uint64_t)value->integer ^ 1ULL << 63);
    case RANK_TIMESTAMP:
        return encode_word(buffer, rank, (uint64_t)value->integer);
    case RANK_OBJECT_ID:
    case RANK_REGEX:
        return encode_payload(buffer, rank, value->payload);
    case RANK_MIN_KEY:
    case RANK_MISSING:
    case RANK_NULL:
    case RANK_MAX_KEY:
        return append_byte(buffer, (uint8_t)rank);
    }
    UNREACHABLE();
}

enum status doc_encode(struct buffer *buffer, const struct doc_value *value) {
    size_t start = buffer->size;
    enum status status = encode_value(buffer, value, 0);
    if (status != STATUS_OK) buffer->size = start;
    return status;
}

// FNV-1a: part of the format, unlike the hashes of base, and rarely computed.
static uint64_t stable_hash(struct bytes bytes) {
    uint64_t hash = 0xcbf29ce484222325ULL;
    for (size_t i = 0; i < bytes.size; i++) hash = (hash ^ bytes.data[i]) * 0x100000001b3ULL;
    return hash;
}

enum status doc_encode_index(struct buffer *buffer, const struct doc_value *value,
                             bool *ret_truncated) {
    size_t start = buffer->size;
    enum status status = doc_encode(buffer, value);
    if (status != STATUS_OK) return status;
    struct bytes encoded = bytes_of(buffer->data + start, buffer->size - start);
    *ret_truncated = encoded.size > INDEX_VALUE_MAX;
    if (*ret_truncated) {
        store_be64(buffer->data + start + INDEX_VALUE_MAX - 8, stable_hash(encoded));
        buffer->size = start + INDEX_VALUE_MAX;
    }
    return STATUS_OK;
}
