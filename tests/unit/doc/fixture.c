// SPDX-License-Identifier: Apache-2.0
#include "fixture.h"

struct doc_value fixture_value(const char *json) {
    char text[4096];
    snprintf(text, sizeof text, "{\"v\": %s}", json);
    return doc_get(fixture_document(text), bytes_of_string("v"));
}

struct doc_value fixture_decimal(bool negative, uint64_t high, uint64_t low, int exponent) {
    uint8_t payload[16];
    store_le64(payload, low);
    store_le64(payload + 8, (uint64_t)negative << 63 | (uint64_t)(exponent + 6176) << 49 | high);
    return (struct doc_value){.type = DOC_DECIMAL128,
                              .payload = fixture_copy(bytes_of(payload, sizeof payload))};
}

// ---- random values --------------------------------------------------------------------------

static int64_t random_int(struct random_source *random) {
    uint64_t bits = random_u64(random) >> random_below(random, 64);
    int64_t near =
        (int64_t)(1ULL << random_below(random, 63)) + (int64_t)random_below(random, 5) - 2;
    int64_t integer = random_below(random, 2) ? (int64_t)bits : near;
    return random_below(random, 2) ? integer : (int64_t)(0 - (uint64_t)integer);
}

static double random_double(struct random_source *random) {
    static const double special[] = {0.0,
                                     -0.0,
                                     0.1,
                                     1.5,
                                     0x1p53,
                                     0x1p63,
                                     -0x1p63,
                                     1e308,
                                     5e-324,
                                     -5e-324,
                                     0x1p-1022,
                                     1e22,
                                     1e23,
                                     -1.1,
                                     1.1,
                                     0x1p64,
                                     0x1.fffffffffffffp1023};
    uint64_t bits;
    double number;
    switch (random_below(random, 4)) {
    case 0:
        bits = random_u64(random); // infinities and NaN now and then
        memcpy(&number, &bits, sizeof number);
        return number;
    case 1:
        return (double)random_int(random);
    case 2:
        return (double)random_below(random, 2000) / 100 - 10;
    default:
        return special[random_below(random, sizeof special / sizeof special[0])];
    }
}

static struct doc_value random_decimal(struct random_source *random) {
    bool negative = random_below(random, 2);
    switch (random_below(random, 5)) {
    case 0: // any bits: infinities, NaN, coefficients that are not canonical
        return fixture_decimal(negative, random_u64(random) >> 15, random_u64(random),
                               (int)random_below(random, 0x3fff) - 6176);
    case 1: // prices
        return fixture_decimal(negative, 0, random_below(random, 2000), -2);
    case 2: // near integers, doubles among them
        return fixture_decimal(negative, 0, (uint64_t)random_int(random), 0);
    case 3: // the range of doubles
        return fixture_decimal(negative, random_u64(random) >> 16, random_u64(random),
                               (int)random_below(random, 660) - 345);
    default:
        return fixture_decimal(negative, 0, random_below(random, 100),
                               (int)random_below(random, 9) - 4);
    }
}

static struct bytes random_text(struct random_source *random) {
    char text[6];
    size_t size = random_below(random, sizeof text);
    for (size_t i = 0; i < size; i++) text[i] = "\0\1ab\x7f"[random_below(random, 5)];
    return fixture_copy(bytes_of(text, size));
}

static struct doc_value random_nested(struct random_source *random, unsigned depth, bool array) {
    static const char *const names[] = {"", "a", "ab", "b"};
    struct buffer buffer = {0};
    struct doc_builder builder;
    doc_builder_begin(&builder, &buffer);
    if (array) doc_begin_array(&builder, "v");
    for (uint64_t count = random_below(random, 4); count > 0; count--) {
        struct doc_value value = fixture_random_value(random, depth + 1);
        doc_add_value(&builder, bytes_of_string(names[random_below(random, 4)]), &value);
    }
    if (array) doc_end(&builder);
    CHECK_OK(doc_builder_finish(&builder));
    struct bytes document = fixture_copy(buffer_bytes(&buffer));
    buffer_done(&buffer);
    if (array) return doc_get(document, bytes_of_string("v"));
    return (struct doc_value){.type = DOC_DOCUMENT, .payload = document};
}

static struct doc_value random_other(struct random_source *random, unsigned depth) {
    static const enum doc_type plain[] = {DOC_MIN_KEY, DOC_NULL, DOC_MAX_KEY, DOC_MISSING};
    struct doc_value value = {0};
    switch (random_below(random, 9)) {
    case 0:
        value.type = plain[random_below(random, depth == 0 ? 4 : 3)];
        return value;
    case 1:
        return doc_value_string(random_text(random));
    case 2:
    case 3:
        if (depth == 3) return doc_value_bool(random_below(random, 2));
        return random_nested(random, depth, random_below(random, 2));
    case 4:
        value.type = DOC_BINARY;
        value.binary_subtype = (uint8_t)(random_below(random, 2) * 4);
        value.payload = random_text(random);
        return value;
    case 5:
        value.type = DOC_OBJECT_ID;
        value.payload = fixture_copy(bytes_of(&"aaaaaaaaaaaaabcabc"[random_below(random, 7)], 12));
        return value;
    case 6:
        value.type = random_below(random, 2) ? DOC_DATE : DOC_TIMESTAMP;
        value.integer = random_int(random);
        return value;
    case 7:
        value.type = DOC_REGEX;
        value.payload = random_below(random, 2) ? bytes_of("a\0i\0", 4) : bytes_of("ab\0\0", 4);
        return value;
    default:
        return doc_value_bool(random_below(random, 2));
    }
}

struct doc_value fixture_random_value(struct random_source *random, unsigned depth) {
    struct doc_value value;
    switch (random_below(random, 5)) {
    case 0:
        value = doc_value_int(random_int(random));
        if (value.integer == (int32_t)value.integer && random_below(random, 2))
            value.type = DOC_INT32;
        return value;
    case 1:
        return doc_value_double(random_double(random));
    case 2:
        return random_decimal(random);
    default:
        return random_other(random, depth);
    }
}
