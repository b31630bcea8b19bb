// SPDX-License-Identifier: Apache-2.0
// The total order: a table in ascending order, checked pair by pair against doc_compare() and
// against the encoding, and random values.
#include "fixture.h"

#include <math.h>

#define EQUAL true // to the row before
#define DECIMAL(text) "{\"$numberDecimal\": \"" text "\"}"
#define LONG(text) "{\"$numberLong\": \"" text "\"}"
#define DOUBLE(text) "{\"$numberDouble\": \"" text "\"}"

static const struct row {
    const char *json; // NULL: missing
    bool equal;
} rows[] = {
    {"{\"$minKey\": 1}"},
    {NULL},
    {"null"},
    // Numbers
    {DOUBLE("NaN")},
    {DECIMAL("NaN"), EQUAL},
    {DOUBLE("-Infinity")},
    {DECIMAL("-Infinity"), EQUAL},
    {DECIMAL("-9.999999999999999999999999999999999E+6144")},
    {DECIMAL("-1E+309")},
    {DOUBLE("-1.7976931348623157e308")},
    {DECIMAL("-1E+308")},
    {DOUBLE("-9223372036854777856")},
    {DECIMAL("-9223372036854775809")},
    {LONG("-9223372036854775808")},
    {DOUBLE("-9223372036854775808"), EQUAL},
    {DECIMAL("-9223372036854775808"), EQUAL},
    {LONG("-9223372036854775807")},
    {DECIMAL("-9223372036854775807"), EQUAL},
    {LONG("-9007199254740993")},
    {DOUBLE("-9007199254740992")},
    {LONG("-9007199254740992"), EQUAL},
    {LONG("-9007199254740991")},
    {DOUBLE("-1.5")},
    {DECIMAL("-1.50"), EQUAL},
    {DOUBLE("-1.1")}, // a little below -1.1
    {DECIMAL("-1.1")},
    {DECIMAL("-1.10"), EQUAL},
    {"-1"},
    {DOUBLE("-1.0"), EQUAL},
    {DECIMAL("-0.1")},
    {DOUBLE("-2.2250738585072014e-308")},
    {DOUBLE("-4.9406564584124654e-324")},
    {DECIMAL("-4.94E-324")},
    {DECIMAL("-1E-400")},
    {DECIMAL("-1E-6176")},
    {"0"},
    {DOUBLE("-0.0"), EQUAL},
    {DOUBLE("0.0"), EQUAL},
    {LONG("0"), EQUAL},
    {DECIMAL("0"), EQUAL},
    {DECIMAL("-0E+100"), EQUAL},
    {DECIMAL("1E-6176")},
    {DECIMAL("1E-400")},
    {DECIMAL("4.94E-324")},
    {DOUBLE("4.9406564584124654e-324")},
    {DECIMAL("4.95E-324")},
    {DOUBLE("9.8813129168249309e-324")},
    {DOUBLE("2.2250738585072014e-308")},
    {DECIMAL("0.1")},
    {DECIMAL("0.1000000000000000055511151231257827")},
    {DOUBLE("0.1")}, // above 0.1, and above that with all of its 34 digits
    {DECIMAL("0.1000000000000000055511151231257828")},
    {DECIMAL("0.25")},
    {DOUBLE("0.25"), EQUAL},
    {"1"},
    {DOUBLE("1.0"), EQUAL},
    {LONG("1"), EQUAL},
    {DECIMAL("1"), EQUAL},
    {DECIMAL("1.000"), EQUAL},
    {DECIMAL("1.000000000000000000000000000000001")},
    {DOUBLE("1.0000000000000002")},
    {DECIMAL("1.1")},
    {DECIMAL("1.10"), EQUAL},
    {DOUBLE("1.1")}, // a little above 1.1
    {"2"},
    {DECIMAL("9.99")},
    {"255"},
    {"256"},
    {"65536"},
    {"2147483647"},
    {LONG("2147483648")},
    {LONG("9007199254740991")},
    {DOUBLE("9007199254740991"), EQUAL},
    {LONG("9007199254740992")},
    {DOUBLE("9007199254740992"), EQUAL},
    {DECIMAL("9007199254740992.5")},
    {LONG("9007199254740993")},
    {DECIMAL("9007199254740993"), EQUAL},
    {DECIMAL("9.007199254740993E+15"), EQUAL},
    {DECIMAL("9007199254740993.000000000000000001")},
    {DOUBLE("9007199254740994")},
    {LONG("9223372036854774784")},
    {DOUBLE("9223372036854774784"), EQUAL},
    {LONG("9223372036854775806")},
    {LONG("9223372036854775807")},
    {DECIMAL("9223372036854775807"), EQUAL},
    {DECIMAL("9223372036854775807.5")},
    {DOUBLE("9223372036854775808")},
    {DECIMAL("9223372036854775808"), EQUAL},
    {DECIMAL("9223372036854775809")},
    {DOUBLE("1e22")},
    {DECIMAL("1E+22"), EQUAL},
    {DOUBLE("1e23")}, // a little below 10^23
    {DECIMAL("1E+23")},
    {DECIMAL("99999999999999999999999999999999.99")},
    {DECIMAL("100000000000000000000000000000000")},
    {DECIMAL("1E+32"), EQUAL},
    {DECIMAL("1E+308")},
    {DOUBLE("1e308")}, // a little above 10^308
    {DOUBLE("1.7976931348623157e308")},
    {DECIMAL("1.797693134862315708145274237317044E+308")},
    {DECIMAL("1E+309")},
    {DECIMAL("9.999999999999999999999999999999999E+6144")},
    {DOUBLE("Infinity")},
    {DECIMAL("Infinity"), EQUAL},
    // Strings
    {"\"\""},
    {"\"\\u0000\""},
    {"\"\\u0000\\u0000\""},
    {"\"\\u0000a\""},
    {"\"\\u0001\""},
    {"\"A\""},
    {"\"a\""},
    {"\"a\\u0000\""},
    {"\"a\\u0000b\""},
    {"\"a\\u0001\""},
    {"\"aa\""},
    {"\"b\""},
    {"\"\xc3\xa9\""},         // U+00E9
    {"\"\xef\xbf\xbd\""},     // U+FFFD
    {"\"\xf0\x9f\x98\x80\""}, // U+1F600, which UTF-16 would sort before U+FFFD
    // Documents
    {"{}"},
    {"{\"\": 1}"},
    {"{\"a\": null}"},
    {"{\"a\": 1}"},
    {"{\"a\": 1.0}", EQUAL},
    {"{\"a\": 1, \"a\": 0}"},
    {"{\"a\": 1, \"b\": 0}"},
    {"{\"a\": 2}"},
    {"{\"a\": {}}"},
    {"{\"a\": {\"x\": 1}}"},
    {"{\"a\": []}"},
    {"{\"ab\": 0}"},
    {"{\"b\": 0}"},
    // Arrays
    {"[]"},
    {"[{\"$minKey\": 1}]"},
    {"[null]"},
    {"[1]"},
    {"[1.0]", EQUAL},
    {"[1, null]"},
    {"[1, 2]"},
    {"[2]"},
    {"[\"a\"]"},
    {"[\"a\", 1]"},
    {"[\"ab\"]"},
    {"[[]]"},
    {"[[1]]"},
    // Binary
    {"{\"$binary\": {\"base64\": \"\", \"subType\": \"00\"}}"},
    {"{\"$binary\": {\"base64\": \"\", \"subType\": \"05\"}}"},
    {"{\"$binary\": {\"base64\": \"/w==\", \"subType\": \"00\"}}"},
    {"{\"$binary\": {\"base64\": \"AA==\", \"subType\": \"80\"}}"},
    {"{\"$binary\": {\"base64\": \"AAA=\", \"subType\": \"00\"}}"},
    {"{\"$binary\": {\"base64\": \"AAE=\", \"subType\": \"00\"}}"},
    // The rest
    {"{\"$oid\": \"000000000000000000000000\"}"},
    {"{\"$oid\": \"000000000000000000000001\"}"},
    {"{\"$oid\": \"ff0000000000000000000000\"}"},
    {"false"},
    {"true"},
    {"{\"$date\": {\"$numberLong\": \"-1\"}}"},
    {"{\"$date\": {\"$numberLong\": \"0\"}}"},
    {"{\"$date\": {\"$numberLong\": \"1700000000000\"}}"},
    {"{\"$timestamp\": {\"t\": 1, \"i\": 1}}"},
    {"{\"$timestamp\": {\"t\": 1, \"i\": 2}}"},
    {"{\"$timestamp\": {\"t\": 4294967295, \"i\": 0}}"},
    {"{\"$regularExpression\": {\"pattern\": \"a\", \"options\": \"\"}}"},
    {"{\"$regularExpression\": {\"pattern\": \"a\", \"options\": \"i\"}}"},
    {"{\"$regularExpression\": {\"pattern\": \"ab\", \"options\": \"\"}}"},
    {"{\"$maxKey\": 1}"},
};
#define ROW_COUNT (sizeof rows / sizeof rows[0])

static int sign(int order) {
    return (order > 0) - (order < 0);
}

// Also that no encoding is a proper prefix of another.
static int encoded_order(struct bytes a, struct bytes b) {
    size_t shared = a.size < b.size ? a.size : b.size;
    int order = memcmp(a.data, b.data, shared);
    CHECK(order != 0 || a.size == b.size);
    return sign(order);
}

static struct bytes encode(const struct doc_value *value) {
    struct buffer buffer = {0};
    CHECK_OK(doc_encode(&buffer, value));
    struct bytes encoded = fixture_copy(buffer_bytes(&buffer));
    buffer_done(&buffer);
    return encoded;
}

TEST(total_order_table) {
    struct doc_value values[ROW_COUNT] = {0};
    struct bytes encodings[ROW_COUNT];
    size_t ranks[ROW_COUNT];
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (rows[i].json != NULL) values[i] = fixture_value(rows[i].json);
        encodings[i] = encode(&values[i]);
        ranks[i] = i == 0 ? 0 : ranks[i - 1] + !rows[i].equal;
    }
    for (size_t i = 0; i < ROW_COUNT; i++)
        for (size_t j = 0; j < ROW_COUNT; j++) {
            int expected = (ranks[i] > ranks[j]) - (ranks[i] < ranks[j]);
            int compared = sign(doc_compare(&values[i], &values[j]));
            int encoded = encoded_order(encodings[i], encodings[j]);
            if (compared != expected || encoded != expected)
                test_fail(__FILE__, __LINE__, "%s and %s: expected %d, compared %d, encoded %d",
                          rows[i].json, rows[j].json, expected, compared, encoded);
        }
}

TEST(decimals_that_are_not_canonical_are_zero) {
    struct doc_value zero = doc_value_int(0);
    // 10^34, one more than the greatest coefficient
    struct doc_value large = fixture_decimal(false, 0x1ed09bead87c0, 0x378d8e6400000000, 3);
    CHECK_EQUAL(0, doc_compare(&large, &zero));
    // the form whose coefficient begins with an implied 100
    uint8_t payload[16] = {1, [15] = 0x60};
    struct doc_value implied = {.type = DOC_DECIMAL128, .payload = bytes_of(payload, 16)};
    CHECK_EQUAL(0, doc_compare(&implied, &zero));
    CHECK(bytes_equal(encode(&implied), encode(&zero)));
    // 10^34 - 1 is canonical
    struct doc_value greatest = fixture_decimal(false, 0x1ed09bead87c0, 0x378d8e63ffffffff, 0);
    CHECK(doc_compare(&greatest, &zero) > 0);
}

TEST(random_values_compare_as_their_encodings) {
    struct random_seeded random;
    random_seeded_init(&random, test_seed());
    struct doc_value values[300];
    struct bytes encodings[300];
    for (int i = 0; i < 300; i++) {
        values[i] = fixture_random_value(&random.source, 0);
        encodings[i] = encode(&values[i]);
    }
    for (int i = 0; i < 300; i++)
        for (int j = 0; j < 300; j++) {
            int compared = sign(doc_compare(&values[i], &values[j]));
            if (compared != encoded_order(encodings[i], encodings[j]))
                test_fail(__FILE__, __LINE__, "%s %s: compared %d", doc_type_name(values[i].type),
                          doc_type_name(values[j].type), compared);
        }
}

TEST(deeply_hostile_values_end) {
    // Not a valid document: nested 100,000 deep. Neither function may run out of stack.
    size_t depth = 100000;
    struct buffer buffer = {0};
    for (size_t i = 0; i < depth; i++) {
        uint8_t head[7] = {0, 0, 0, 0, DOC_DOCUMENT, 'a', 0};
        store_le32(head, (uint32_t)((depth - i) * 8 + 5));
        CHECK_OK(buffer_append(&buffer, head, sizeof head));
    }
    CHECK_OK(buffer_append(&buffer, "\5\0\0\0\0", 5));
    for (size_t i = 0; i < depth; i++) CHECK_OK(buffer_append(&buffer, "", 1));
    struct doc_value value = {.type = DOC_DOCUMENT, .payload = buffer_bytes(&buffer)};
    CHECK_EQUAL(0, doc_compare(&value, &value));
    struct buffer encoded = {0};
    CHECK_STATUS(STATUS_MALFORMED, doc_encode(&encoded, &value));
    CHECK_EQUAL(0, encoded.size);
    CHECK_STATUS(STATUS_MALFORMED, doc_validate(value.payload, NULL));
    buffer_done(&encoded);
    buffer_done(&buffer);
}
