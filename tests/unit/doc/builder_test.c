// SPDX-License-Identifier: Apache-2.0
#include "fixture.h"

static void check_json(const char *expected, struct bytes document) {
    CHECK_OK(doc_validate(document, NULL));
    const char *actual = fixture_json(document);
    if (strcmp(expected, actual) != 0)
        test_fail(__FILE__, __LINE__, "%s, expected %s", actual, expected);
}

TEST(builder_writes_each_type) {
    struct buffer buffer = {0};
    struct doc_builder builder;
    doc_builder_begin(&builder, &buffer);
    doc_add_int(&builder, "i", 5000000000);
    doc_add_double(&builder, "d", 1.5);
    doc_add_bool(&builder, "b", true);
    doc_add_null(&builder, "n");
    doc_add_string(&builder, "s", bytes_of_string("text"));
    doc_add_binary(&builder, "x", 0, bytes_of_string("abc"));
    doc_add_document(&builder, "o", fixture_document("{\"in\": 1}"));
    doc_begin_document(&builder, "doc");
    doc_begin_array(&builder, "list");
    doc_add_int(&builder, NULL, 1);
    doc_begin_document(&builder, NULL);
    doc_end(&builder);
    doc_begin_array(&builder, "ignored");
    doc_end(&builder);
    doc_end(&builder);
    doc_add_bool(&builder, "after", false);
    doc_end(&builder);
    CHECK_OK(doc_builder_finish(&builder));
    check_json("{\"i\":5000000000,\"d\":1.5,\"b\":true,\"n\":null,\"s\":\"text\","
               "\"x\":{\"$binary\":{\"base64\":\"YWJj\",\"subType\":\"00\"}},\"o\":{\"in\":1},"
               "\"doc\":{\"list\":[1,{},[]],\"after\":false}}",
               buffer_bytes(&buffer));
    CHECK_EQUAL(1, doc_get_path(buffer_bytes(&buffer), bytes_of_string("doc.list.0")).integer);
    buffer_done(&buffer);
}

TEST(builder_copies_values_of_every_type) {
    struct bytes document = fixture_document(
        "{\"a\": 1.5, \"b\": \"text\", \"c\": {\"x\": 1}, \"d\": [1, 2],"
        " \"e\": {\"$binary\": {\"base64\": \"AQID\", \"subType\": \"80\"}},"
        " \"f\": {\"$oid\": \"0102030405060708090a0b0c\"}, \"g\": true,"
        " \"h\": {\"$date\": {\"$numberLong\": \"-5\"}}, \"i\": null,"
        " \"j\": {\"$regularExpression\": {\"pattern\": \"a.b\", \"options\": \"i\"}},"
        " \"k\": -7, \"l\": {\"$timestamp\": {\"t\": 2, \"i\": 1}},"
        " \"m\": {\"$numberLong\": \"-5000000000\"}, \"n\": {\"$numberDecimal\": \"1\"},"
        " \"o\": {\"$minKey\": 1}, \"p\": {\"$maxKey\": 1}, \"q\": \"\"}");
    struct buffer buffer = {0};
    struct doc_builder builder;
    struct doc_iterator iterator;
    struct bytes name;
    struct doc_value value, missing = {0};
    doc_builder_begin(&builder, &buffer);
    for (doc_iterate(&iterator, document); doc_next(&iterator, &name, &value);)
        doc_add_value(&builder, name, &value);
    doc_add_value(&builder, bytes_of_string("absent"), &missing);
    CHECK_OK(doc_builder_finish(&builder));
    CHECK(bytes_equal(document, buffer_bytes(&buffer)));
    buffer_done(&buffer);
}

TEST(builder_numbers_array_positions) {
    struct buffer buffer = {0};
    struct doc_builder builder;
    doc_builder_begin(&builder, &buffer);
    doc_begin_array(&builder, "a");
    for (int i = 0; i < 1001; i++) doc_add_int(&builder, NULL, i);
    doc_end(&builder);
    CHECK_OK(doc_builder_finish(&builder));
    struct bytes array = {0};
    CHECK(doc_get_array(buffer_bytes(&buffer), "a", &array));
    CHECK_EQUAL(0, doc_get(array, bytes_of_string("0")).integer);
    CHECK_EQUAL(10, doc_get(array, bytes_of_string("10")).integer);
    CHECK_EQUAL(1000, doc_get(array, bytes_of_string("1000")).integer);
    buffer_done(&buffer);
}

TEST(builder_appends) {
    struct buffer buffer = {0};
    struct doc_builder builder;
    CHECK_OK(buffer_append(&buffer, "head", 4));
    doc_builder_begin(&builder, &buffer);
    CHECK_OK(doc_builder_finish(&builder));
    CHECK(bytes_equal(buffer_bytes(&buffer), bytes_of("head\5\0\0\0\0", 9)));
    buffer_done(&buffer);
}

TEST(builder_refuses_names_with_nul) {
    struct buffer buffer = {0};
    struct doc_builder builder;
    struct doc_value value = doc_value_int(1);
    CHECK_OK(buffer_append(&buffer, "head", 4));
    doc_builder_begin(&builder, &buffer);
    doc_add_value(&builder, bytes_of("a\0b", 3), &value);
    doc_add_int(&builder, "fine", 1);
    CHECK_STATUS(STATUS_INVALID, doc_builder_finish(&builder));
    CHECK_BYTES("head", buffer_bytes(&buffer));
    buffer_done(&buffer);
}

TEST(builder_bounds_the_depth) {
    for (int depth = 99; depth <= 110; depth++) {
        struct buffer buffer = {0};
        struct doc_builder builder;
        doc_builder_begin(&builder, &buffer);
        for (int i = 0; i < depth; i++) doc_begin_document(&builder, "a");
        doc_add_int(&builder, "x", 1);
        for (int i = 0; i < depth; i++) doc_end(&builder);
        enum status expected = depth == 99 ? STATUS_OK : STATUS_INVALID;
        CHECK_STATUS(expected, doc_builder_finish(&builder));
        if (expected == STATUS_OK) CHECK_OK(doc_validate(buffer_bytes(&buffer), NULL));
        buffer_done(&buffer);
    }
}

TEST(builder_keeps_the_first_error) {
    // Every limit, so that the buffer fills at every kind of step.
    for (size_t limit = 1; limit < 200; limit++) {
        struct buffer buffer = {.limit = limit};
        struct doc_builder builder;
        doc_builder_begin(&builder, &buffer);
        doc_add_string(&builder, "name", bytes_of_string("a text of some length, and more of it"));
        doc_begin_array(&builder, "list");
        for (int i = 0; i < 8; i++) doc_add_int(&builder, NULL, i);
        doc_end(&builder);
        enum status status = doc_builder_finish(&builder);
        if (status == STATUS_OK)
            CHECK_OK(doc_validate(buffer_bytes(&buffer), NULL));
        else
            CHECK(status == STATUS_TOO_LARGE && buffer.size == 0);
        buffer_done(&buffer);
    }
}
