// SPDX-License-Identifier: Apache-2.0
#include "base/yaml.h"

#include "test.h"

static enum status describe_node(const struct yaml_node *node, void *context) {
    static const char *const kinds[] = {"text", "mapping", "list"};
    return buffer_append_format(context, "%s %s%s%.*s%s %u:%u %u:%u;", kinds[node->kind],
                                node->path, node->plain ? "=" : "='", (int)node->text.size,
                                node->text.size > 0 ? (const char *)node->text.data : "",
                                node->plain ? "" : "'", node->key.line, node->key.column,
                                node->value.line, node->value.column);
}

static void check_read(const char *text, const char *expected) {
    struct buffer seen = {0};
    struct error error = {.message = ""};
    enum status status = yaml_read(bytes_of_string(text), "f", &error, describe_node, &seen);
    if (status != STATUS_OK) test_fail(__FILE__, __LINE__, "%s", error.message);
    CHECK_BYTES(expected, buffer_bytes(&seen));
    buffer_done(&seen);
}

static void check_refused(struct bytes text, uint32_t line, uint32_t column, const char *message) {
    struct buffer seen = {0};
    struct error error = {.message = ""};
    CHECK_STATUS(STATUS_INVALID, yaml_read(text, "f", &error, describe_node, &seen));
    char expected[100];
    snprintf(expected, sizeof expected, "f:%u:%u: %s", line, column, message);
    if (strncmp(error.message, expected, strlen(expected)) != 0)
        test_fail(__FILE__, __LINE__, "message \"%s\", expected \"%s\"", error.message, expected);
    CHECK_EQUAL(line, error.line);
    CHECK_EQUAL(column, error.column);
    buffer_done(&seen);
}

TEST(yaml_reads_nested_mappings_with_places) {
    check_read("a: 1\nb:\n  c: 'x y'\n  d: {e: \"z\"}\n",
               "text a=1 1:1 1:4;mapping b='' 2:1 3:3;text b.c='x y' 3:3 3:6;"
               "mapping b.d='' 4:3 4:6;text b.d.e='z' 4:7 4:10;");
    check_read("a:\nb: ~\n", "text a= 1:1 1:3;text b=~ 2:1 2:4;");
}

TEST(yaml_reads_an_empty_document_as_nothing) {
    check_read("", "");
    check_read("# only a comment\n", "");
    check_read("---\n", "");
    check_read("{}", "");
    check_read("\xef\xbb\xbf"
               "a: 1",
               "text a=1 1:1 1:4;");
}

TEST(yaml_refuses_what_configuration_does_not_need) {
    check_refused(bytes_of_string("a: 1\nb: 2\na: 3"), 3, 1, "repeated key a");
    check_refused(bytes_of_string("a:\n  b: 2\n  b: 3"), 3, 3, "repeated key a.b");
    check_refused(bytes_of_string("a: &x 1\nb: *x"), 1, 4, "anchors are not supported");
    check_refused(bytes_of_string("a: !!int 1"), 1, 4, "tags are not supported");
    check_refused(bytes_of_string("a: [1, 2]"), 1, 4, "lists are not supported");
    check_refused(bytes_of_string("a.b: 1"), 1, 1, "a key must be a word");
    check_refused(bytes_of_string("[a]: 1"), 1, 1, "a key must be a word");
    check_refused(bytes_of_string("a: 1\n---\nb: 1"), 2, 1, "only one document");
    check_refused(bytes_of_string("hello"), 1, 1, "expected \"key: value\" lines");
    check_refused(bytes_of_string("- a\n- b"), 1, 1, "expected \"key: value\" lines");
    check_refused(bytes_of_string("{a: {a: {a: {a: {a: {a: {a: {a: {a: 1}}}}}}}}}"), 1, 33,
                  "nested too deeply");
}

TEST(yaml_says_where_the_syntax_breaks) {
    check_refused(bytes_of_string("a: 1\n b: 2"), 2, 3, "mapping values are not allowed");
    check_refused(bytes_of_string("a: 1\nb: \"x\n"), 3, 1, "found unexpected end of stream");
    check_refused(bytes_of_string("a: 1\nb: \xff"), 2, 4, "invalid leading UTF-8");
    check_refused(bytes_of("a: \0b", 5), 1, 4, "control characters are not allowed");
}

TEST(yaml_bounds_the_length_of_keys) {
    char text[400];
    memset(text, 'k', sizeof text);
    memcpy(text + 300, ": 1", 3);
    check_refused(bytes_of(text, 303), 1, 1, "key too long");
}
