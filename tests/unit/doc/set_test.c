// SPDX-License-Identifier: Apache-2.0
#include "base/limits.h"
#include "fixture.h"

static void check_set(const char *document, const char *changes, const char *expected) {
    struct buffer buffer = {0};
    struct error error = {0};
    CHECK_OK(buffer_append(&buffer, "head", 4));
    enum status status =
        doc_set_fields(&buffer, fixture_document(document), fixture_document(changes), &error);
    if (expected == NULL) {
        if (status != STATUS_INVALID || error.message[0] == '\0')
            test_fail(__FILE__, __LINE__, "%s with %s: %s", document, changes, status_text(status));
        CHECK_BYTES("head", buffer_bytes(&buffer));
    } else {
        CHECK_OK(status);
        struct bytes result = bytes_of(buffer.data + 4, buffer.size - 4);
        CHECK_OK(doc_validate(result, NULL));
        const char *json = fixture_json(result);
        if (strcmp(json, expected) != 0)
            test_fail(__FILE__, __LINE__, "%s with %s: %s, expected %s", document, changes, json,
                      expected);
    }
    buffer_done(&buffer);
}

TEST(set_top_level_fields) {
    check_set("{\"a\": 1}", "{}", "{\"a\":1}");
    check_set("{}", "{\"a\": 1}", "{\"a\":1}");
    check_set("{\"a\": 1, \"b\": 2, \"c\": 3}", "{\"b\": \"x\"}", "{\"a\":1,\"b\":\"x\",\"c\":3}");
    check_set("{\"a\": 1}", "{\"z\": 1, \"b\": 2, \"m\": 3}", "{\"a\":1,\"z\":1,\"b\":2,\"m\":3}");
    check_set("{\"a\": 1, \"b\": 2}", "{\"c\": 3, \"b\": 4, \"a\": 5}",
              "{\"a\":5,\"b\":4,\"c\":3}");
    check_set("{\"a\": {\"x\": 1}}", "{\"a\": {\"y\": 2}}", "{\"a\":{\"y\":2}}");
    check_set("{\"a\": 1, \"a\": 2}", "{\"a\": 3}", "{\"a\":3,\"a\":2}");
}

TEST(set_nested_fields) {
    check_set("{\"a\": {\"x\": 1, \"y\": 2}, \"b\": 3}", "{\"a.x\": 9}",
              "{\"a\":{\"x\":9,\"y\":2},\"b\":3}");
    check_set("{\"a\": {\"x\": 1}}", "{\"a.z\": 9, \"a.x\": 8, \"a.b\": 7}",
              "{\"a\":{\"x\":8,\"z\":9,\"b\":7}}");
    check_set("{}", "{\"a.b.c\": 1, \"a.b.d\": 2, \"x\": 3, \"a.e\": 4}",
              "{\"a\":{\"b\":{\"c\":1,\"d\":2},\"e\":4},\"x\":3}");
    // names that sort around the dot
    check_set("{\"a\": {\"x\": 1}, \"a-b\": 2, \"a/b\": 3}", "{\"a-b\": 4, \"a.x\": 5, \"a/b\": 6}",
              "{\"a\":{\"x\":5},\"a-b\":4,\"a/b\":6}");
    check_set("{\"a.b\": 1}", "{\"a.b\": 2}", "{\"a.b\":1,\"a\":{\"b\":2}}");
}

TEST(set_array_positions) {
    check_set("{\"l\": [1, 2, 3]}", "{\"l.1\": 9}", "{\"l\":[1,9,3]}");
    check_set("{\"l\": [{\"q\": 1}, {\"q\": 2}]}", "{\"l.1.q\": 9, \"l.0.p\": 8}",
              "{\"l\":[{\"q\":1,\"p\":8},{\"q\":9}]}");
    check_set("{\"l\": [1, 2, 3]}", "{\"l.3\": 9}", NULL);
    check_set("{\"l\": [1, 2, 3]}", "{\"l.x\": 9}", NULL);
    check_set("{\"l\": [1, 2, 3]}", "{\"l.01\": 9}", NULL);
}

TEST(set_refuses) {
    check_set("{\"a\": 1}", "{\"a.b\": 2}", NULL);
    check_set("{\"a\": {\"b\": null}}", "{\"a.b.c\": 2}", NULL);
    check_set("{}", "{\"a\": 1, \"a\": 2}", NULL);
    check_set("{}", "{\"a.b\": 1, \"c\": 1, \"a\": 2}", NULL);
    check_set("{}", "{\"a..b\": 1}", NULL);
    check_set("{}", "{\"$a\": 1}", NULL);
    check_set("{}", "{\"\": 1}", NULL);
}

TEST(set_many_fields) {
    struct buffer document = {0}, changes = {0}, result = {0};
    struct doc_builder builder;
    char name[32];
    doc_builder_begin(&builder, &document);
    for (int i = 0; i < 2000; i++) {
        snprintf(name, sizeof name, "f%d", i);
        doc_add_int(&builder, name, i);
    }
    CHECK_OK(doc_builder_finish(&builder));
    doc_builder_begin(&builder, &changes);
    for (int i = 3000; i-- > 0;) {
        snprintf(name, sizeof name, i % 2 ? "f%d" : "n.f%d", i);
        doc_add_int(&builder, name, -i);
    }
    CHECK_OK(doc_builder_finish(&builder));
    CHECK_OK(doc_set_fields(&result, buffer_bytes(&document), buffer_bytes(&changes), NULL));
    struct bytes bytes = buffer_bytes(&result);
    CHECK_OK(doc_validate(bytes, NULL));
    for (int i = 0; i < 3000; i++) {
        int64_t own = 0, nested = 0;
        snprintf(name, sizeof name, "n.f%d", i);
        nested = doc_get_path(bytes, bytes_of_string(name)).integer;
        bool has_own = doc_get_int(bytes, name + 2, &own);
        CHECK_EQUAL(i % 2 ? 0 : -i, nested);
        CHECK(has_own == (i % 2 || i < 2000));
        if (has_own) CHECK_EQUAL(i % 2 ? -i : i, own);
    }
    buffer_done(&document);
    buffer_done(&changes);
    buffer_done(&result);
}

TEST(set_bounds_depth_and_size) {
    char json[1024] = "{\"a.b.c.d.e.f.g.h\": ";
    for (int i = 0; i < 94; i++) strcat(json, "[");
    for (int i = 0; i < 94; i++) strcat(json, "]");
    strcat(json, "}");
    check_set("{}", json, NULL);
    struct buffer text = {0}, changes = {0}, result = {0};
    struct doc_builder builder;
    CHECK_OK(buffer_reserve(&text, DOCUMENT_SIZE_MAX));
    memset(text.data, 'a', DOCUMENT_SIZE_MAX);
    doc_builder_begin(&builder, &changes);
    doc_add_string(&builder, "x", bytes_of(text.data, DOCUMENT_SIZE_MAX));
    CHECK_OK(doc_builder_finish(&builder));
    CHECK_STATUS(STATUS_TOO_LARGE,
                 doc_set_fields(&result, fixture_document("{}"), buffer_bytes(&changes), NULL));
    CHECK_EQUAL(0, result.size);
    buffer_done(&text);
    buffer_done(&changes);
    buffer_done(&result);
}

static void check_with_id(const char *document, const char *expected) {
    struct buffer buffer = {0};
    struct doc_value id = doc_value_int(5);
    CHECK_OK(buffer_append(&buffer, "head", 4));
    CHECK_OK(doc_with_id(&buffer, fixture_document(document), &id));
    struct bytes result = bytes_of(buffer.data + 4, buffer.size - 4);
    CHECK_OK(doc_validate(result, NULL));
    const char *json = fixture_json(result);
    if (strcmp(json, expected) != 0) test_fail(__FILE__, __LINE__, "%s: %s", document, json);
    buffer_done(&buffer);
}

TEST(with_id) {
    check_with_id("{}", "{\"_id\":5}");
    check_with_id("{\"a\": 1, \"b\": 2}", "{\"_id\":5,\"a\":1,\"b\":2}");
    check_with_id("{\"_id\": 7, \"a\": 1}", "{\"_id\":7,\"a\":1}");
    check_with_id("{\"a\": 1, \"_id\": \"x\", \"b\": 2}", "{\"_id\":\"x\",\"a\":1,\"b\":2}");
    check_with_id("{\"a\": {\"_id\": 1}}", "{\"_id\":5,\"a\":{\"_id\":1}}");
}
