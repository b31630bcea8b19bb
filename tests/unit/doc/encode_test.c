// SPDX-License-Identifier: Apache-2.0
// The bytes of the encoding: they are on disk, so they may not change.
#include "base/limits.h"
#include "fixture.h"

#include <math.h>

static void check_hex(const char *expected, struct bytes actual) {
    char hex[512] = "";
    for (size_t i = 0; i < actual.size && i < 255; i++)
        snprintf(hex + 2 * i, 3, "%02x", actual.data[i]);
    if (strcmp(expected, hex) != 0)
        test_fail(__FILE__, __LINE__, "encoded as %s, expected %s", hex, expected);
}

TEST(encoding_vectors) {
    static const struct {
        const char *json, *hex;
    } vectors[] = {
        {"{\"$minKey\": 1}", "08"},
        {"null", "18"},
        {"0", "20800000000000000080"},
        {"1", "20bff000000000000080"},
        {"-1", "20400fffffffffffff80"},
        {"1.5", "20bff800000000000080"},
        {"{\"$numberDecimal\": \"1.50\"}", "20bff800000000000080"},
        {"{\"$numberDouble\": \"NaN\"}", "20000000000000000080"},
        {"{\"$numberDouble\": \"Infinity\"}", "20fff000000000000080"},
        {"{\"$numberDouble\": \"-Infinity\"}", "20000fffffffffffff80"},
        // 2^53 + 1: 9007199254740993 * 10^18 with exponent -18
        {"{\"$numberLong\": \"9007199254740993\"}",
         "20c340000000000000811fee01bc16d674ec800de0b6b3a7640000"},
        {"{\"$numberDecimal\": \"0.1\"}", "20bfb9999999999999811fde00314dc6448d9338c15b0a00000000"},
        {"\"\"", "280001"},
        {"\"a\\u0000b\"", "286100ff620001"},
        {"{}", "3000"},
        {"{\"a\": true}", "30016100500100"},
        {"[]", "3800"},
        {"[null, [false]]", "3818385000"
                            "0000"},
        {"{\"$binary\": {\"base64\": \"AQI=\", \"subType\": \"04\"}}", "4000000002040102"},
        {"{\"$oid\": \"0102030405060708090a0b0c\"}", "480102030405060708090a0b0c"},
        {"false", "5000"},
        {"{\"$date\": {\"$numberLong\": \"1\"}}", "588000000000000001"},
        {"{\"$date\": {\"$numberLong\": \"-1\"}}", "587fffffffffffffff"},
        {"{\"$timestamp\": {\"t\": 1, \"i\": 2}}", "600000000100000002"},
        {"{\"$regularExpression\": {\"pattern\": \"a\", \"options\": \"i\"}}", "6861006900"},
        {"{\"$maxKey\": 1}", "70"},
    };
    struct buffer buffer = {0};
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        struct doc_value value = fixture_value(vectors[i].json);
        buffer_clear(&buffer);
        CHECK_OK(doc_encode(&buffer, &value));
        check_hex(vectors[i].hex, buffer_bytes(&buffer));
    }
    struct doc_value missing = {0};
    buffer_clear(&buffer);
    CHECK_OK(doc_encode(&buffer, &missing));
    check_hex("10", buffer_bytes(&buffer));
    buffer_done(&buffer);
}

TEST(encoding_appends) {
    struct buffer buffer = {0};
    struct doc_value value = doc_value_bool(true);
    CHECK_OK(buffer_append(&buffer, "x", 1));
    CHECK_OK(doc_encode(&buffer, &value));
    check_hex("785001", buffer_bytes(&buffer));
    buffer_done(&buffer);
}

TEST(failed_encoding_leaves_the_buffer) {
    struct buffer buffer = {.limit = 6};
    struct doc_value value = doc_value_string(bytes_of_string("too long for the limit"));
    CHECK_OK(buffer_append(&buffer, "x", 1));
    CHECK_STATUS(STATUS_TOO_LARGE, doc_encode(&buffer, &value));
    CHECK_BYTES("x", buffer_bytes(&buffer));
    buffer_done(&buffer);
}

TEST(long_index_values_are_cut_and_hashed) {
    char text[3000];
    memset(text, 'a', sizeof text);
    struct buffer whole = {0}, other = {0};
    bool truncated;
    // rank, text, terminator: the longest string that is kept whole
    struct doc_value value = doc_value_string(bytes_of(text, INDEX_VALUE_MAX - 3));
    CHECK_OK(doc_encode_index(&whole, &value, &truncated));
    CHECK(!truncated);
    CHECK_EQUAL(INDEX_VALUE_MAX, whole.size);
    value.payload.size++;
    buffer_clear(&whole);
    CHECK_OK(buffer_append(&whole, "x", 1));
    CHECK_OK(doc_encode_index(&whole, &value, &truncated));
    CHECK(truncated);
    CHECK_EQUAL(INDEX_VALUE_MAX + 1, whole.size);
    // differs only behind the cut
    text[INDEX_VALUE_MAX - 3] = 'b';
    CHECK_OK(buffer_append(&other, "x", 1));
    CHECK_OK(doc_encode_index(&other, &value, &truncated));
    CHECK(truncated);
    CHECK(memcmp(whole.data, other.data, INDEX_VALUE_MAX + 1 - 8) == 0);
    CHECK(memcmp(whole.data, other.data, INDEX_VALUE_MAX + 1) != 0);
    // FNV-1a of the encoding of 3000 times "a", as computed elsewhere
    memset(text, 'a', sizeof text);
    value.payload.size = sizeof text;
    buffer_clear(&whole);
    CHECK_OK(doc_encode_index(&whole, &value, &truncated));
    check_hex("50cb4a7a00050294", bytes_of(whole.data + INDEX_VALUE_MAX - 8, 8));
    buffer_done(&whole);
    buffer_done(&other);
}
