// SPDX-License-Identifier: Apache-2.0
#include "base/limits.h"
#include "fixture.h"

static struct doc_value get(struct bytes document, const char *path) {
    return doc_get_path(document, bytes_of_string(path));
}

TEST(path_lookups) {
    struct bytes document = fixture_document(
        "{\"a\": 1, \"b\": {\"c\": {\"d\": 2}, \"5\": 6}, \"l\": [10, {\"q\": 11}, [12, 13]],"
        " \"x.y\": 3, \"\": {\"\": 4}}");
    CHECK_EQUAL(1, get(document, "a").integer);
    CHECK_EQUAL(2, get(document, "b.c.d").integer);
    CHECK(get(document, "b.c").type == DOC_DOCUMENT);
    CHECK_EQUAL(6, get(document, "b.5").integer);
    CHECK_EQUAL(10, get(document, "l.0").integer);
    CHECK_EQUAL(11, get(document, "l.1.q").integer);
    CHECK_EQUAL(13, get(document, "l.2.1").integer);
    CHECK_EQUAL(4, get(document, ".").integer);
    CHECK(get(document, "l.3").type == DOC_MISSING);
    CHECK(get(document, "l.q").type == DOC_MISSING);
    CHECK(get(document, "l.-1").type == DOC_MISSING);
    CHECK(get(document, "l.01").type == DOC_MISSING);
    CHECK(get(document, "l.4294967296").type == DOC_MISSING);
    CHECK(get(document, "l.18446744073709551616").type == DOC_MISSING);
    CHECK(get(document, "l.").type == DOC_MISSING);
    CHECK(get(document, "a.b").type == DOC_MISSING);
    CHECK(get(document, "b.c.d.e").type == DOC_MISSING);
    CHECK(get(document, "x.y").type == DOC_MISSING);
    CHECK(get(document, "none.none").type == DOC_MISSING);
    CHECK(get(document, "").type == DOC_DOCUMENT);
}

TEST(array_positions_are_counted) {
    // The names in this array are "x" and "0".
    static const uint8_t array[] = "\x13\0\0\0\x10x\0\1\0\0\0\x10"
                                   "0\0\2\0\0\0";
    struct buffer buffer = {0};
    struct doc_builder builder;
    struct doc_value value = {.type = DOC_ARRAY, .payload = bytes_of(array, 19)};
    doc_builder_begin(&builder, &buffer);
    doc_add_value(&builder, bytes_of_string("a"), &value);
    CHECK_OK(doc_builder_finish(&builder));
    CHECK_OK(doc_validate(buffer_bytes(&buffer), NULL));
    CHECK_EQUAL(1, get(buffer_bytes(&buffer), "a.0").integer);
    CHECK_EQUAL(2, get(buffer_bytes(&buffer), "a.1").integer);
    buffer_done(&buffer);
}

TEST(path_validity) {
    char path[FIELD_PATH_MAX + 2];
    memset(path, 'a', sizeof path);
    CHECK(doc_path_valid(bytes_of(path, FIELD_PATH_MAX)));
    CHECK(!doc_path_valid(bytes_of(path, FIELD_PATH_MAX + 1)));
    CHECK(!doc_path_valid(bytes_of(path, 0)));
    for (size_t i = 1; i < sizeof path; i += 2) path[i] = '.';
    CHECK(doc_path_valid(bytes_of(path, 2 * FIELD_PATH_PARTS_MAX - 1)));
    CHECK(!doc_path_valid(bytes_of(path, 2 * FIELD_PATH_PARTS_MAX + 1)));
    CHECK(doc_path_valid(bytes_of_string("a.b$.0")));
    static const char *const wrong[] = {".", "a.", ".a", "a..b", "$a", "a.$b", "$"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CHECK(!doc_path_valid(bytes_of_string(wrong[i])));
    CHECK(!doc_path_valid(bytes_of("a\0b", 3)));
}
