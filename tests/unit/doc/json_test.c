// SPDX-License-Identifier: Apache-2.0
#include "fixture.h"

TEST(json_round_trip) {
    static const char *const texts[] = {
        "{}",
        "{\"a\":1,\"b\":-1.5,\"c\":\"text\",\"e\":true,\"f\":[1,[2,{}]],\"g\":{\"h\":1}}",
        "{\"a\":\"quote\\\"backslash\\\\newline\\nnul\\u0000\xc3\xa9\xf0\x9f\x98\x80\"}",
        "{\"\":1}",
        "{\"a\":9007199254740993,\"b\":-9223372036854775808}",
        "{\"a\":{\"$numberDecimal\":\"1.10\"}}",
        "{\"a\":{\"$numberDouble\":\"NaN\"},\"b\":{\"$numberDouble\":\"-Infinity\"}}",
        "{\"a\":{\"$oid\":\"0102030405060708090a0b0c\"}}",
        "{\"a\":{\"$date\":\"2023-11-14T22:13:20.123Z\"}}",
        "{\"a\":{\"$binary\":{\"base64\":\"AQID\",\"subType\":\"04\"}}}",
        "{\"a\":{\"$timestamp\":{\"t\":1,\"i\":2}}}",
        "{\"a\":{\"$regularExpression\":{\"pattern\":\"a.b\",\"options\":\"i\"}}}",
        "{\"a\":{\"$minKey\":1},\"b\":{\"$maxKey\":1}}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct bytes document = fixture_document(texts[i]);
        CHECK_OK(doc_validate(document, NULL));
        const char *json = fixture_json(document);
        if (strcmp(json, texts[i]) != 0)
            test_fail(__FILE__, __LINE__, "%s became %s", texts[i], json);
        CHECK(bytes_equal(document, fixture_document(json)));
    }
}

TEST(json_keeps_integers) {
    CHECK(fixture_value("1").type == DOC_INT32);
    CHECK(fixture_value("2147483648").type == DOC_INT64);
    CHECK(fixture_value("1.0").type == DOC_DOUBLE);
}

TEST(json_accepts_blanks_around) {
    struct bytes document =
        fixture_document(" \t\r\n{ \"a\" : [ 1 , 2 ] , \"b\" : \"}\\\"]\" }\n ");
    CHECK_BYTES("}\"]", doc_get(document, bytes_of_string("b")).payload);
}

TEST(json_errors) {
    static const char *const texts[] = {
        "",
        "  ",
        "null",
        "1",
        "\"text\"",
        "[]",
        "[{}]",
        "{",
        "}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{\"a\":1",
        "{\"a\":1}}",
        "{\"a\":1} x",
        "{\"a\":1}{\"b\":2}",
        "{\"a\":[1}",
        "{\"a\":[1,}",
        "{\"a\":01}",
        "{\"a\":1.}",
        "{\"a\":+1}",
        "{\"a\":1e400}",
        "{\"a\":9223372036854775808}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":\"\n\"}",
        "{\"a\\u0000b\":1}",
        "\xef\xbb\xbf{\"a\":1}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":tru}",
        "{\"a\":\"unterminated",
        "{\"a\":\"\xff\"}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":{\"$oid\":\"short\"}}",
        "{\"a\":{\"$numberLong\":\"x\"}}",
        "{\"a\":{\"$undefined\":true}}",
        "{\"a\":{\"$code\":\"f()\"}}",
        "{\"a\":{\"$symbol\":\"s\"}}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct buffer buffer = {0};
        struct error error = {0};
        CHECK_OK(buffer_append(&buffer, "head", 4));
        enum status status = doc_from_json(&buffer, bytes_of_string(texts[i]), &error);
        if (status != STATUS_MALFORMED || error.message[0] == '\0')
            test_fail(__FILE__, __LINE__, "%s: %s", texts[i], status_text(status));
        CHECK_BYTES("head", buffer_bytes(&buffer));
        buffer_done(&buffer);
    }
}

TEST(json_nests_to_a_bound) {
    struct buffer text = {0}, buffer = {0};
    CHECK_OK(buffer_append_string(&text, "{\"a\":"));
    for (int i = 0; i < 100000; i++) CHECK_OK(buffer_append_string(&text, "["));
    for (int i = 0; i < 100000; i++) CHECK_OK(buffer_append_string(&text, "]"));
    CHECK_OK(buffer_append_string(&text, "}"));
    CHECK_STATUS(STATUS_MALFORMED, doc_from_json(&buffer, buffer_bytes(&text), NULL));
    buffer_done(&text);
    buffer_done(&buffer);
}

TEST(json_of_hostile_documents_is_refused) {
    struct buffer buffer = {0};
    CHECK_STATUS(STATUS_MALFORMED, doc_to_json(&buffer, bytes_of("", 0)));
    CHECK_STATUS(STATUS_MALFORMED, doc_to_json(&buffer, bytes_of("\6\0\0\0\0", 5)));
    CHECK_STATUS(STATUS_MALFORMED,
                 doc_to_json(&buffer, bytes_of("\xe\0\0\0\2x\0\xff\0\0\0a\0\0", 14)));
    CHECK_EQUAL(0, buffer.size);
    buffer_done(&buffer);
}
