// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"
#include "fake_host.h"

static struct pk_text parsed_text;
static bool parsed;
static char parse_error[128];

// Parses `parsed_text` and writes what came of it.
static void parse_and_write(struct pk_request *request) {
    struct pk_document document;
    struct pk_text error = {NULL, 0};
    parsed = pk_json_parse(parsed_text, &document, &error);
    if (parsed) {
        CHECK_OK(doc_validate(bytes_of_document(document), NULL));
        pk_json_document(pk_json(request), NULL, document);
    } else {
        CHECK(error.size < sizeof parse_error);
        snprintf(parse_error, sizeof parse_error, "%.*s", (int)error.size, error.data);
    }
}

static void parse(struct bytes text) {
    // A copy of its own, so that reading beyond it is seen.
    char *tight = malloc(text.size == 0 ? 1 : text.size);
    CHECK(tight != NULL);
    if (text.size > 0) memcpy(tight, text.data, text.size);
    parsed_text = (struct pk_text){tight, text.size};
    host_run(parse_and_write);
    free(tight);
}

static void check_accepted(const char *text, const char *expected) {
    parse(bytes_of_string(text));
    if (!parsed) test_fail(__FILE__, __LINE__, "%s: %s", text, parse_error);
    CHECK_BYTES(expected, host_body());
}

static void check_refused(const char *text, const char *error) {
    parse(bytes_of_string(text));
    if (parsed) test_fail(__FILE__, __LINE__, "accepted: %s", text);
    CHECK_BYTES(error, bytes_of_string(parse_error));
}

TEST(json_is_accepted) {
    check_accepted("{}", "{}");
    check_accepted(" \t\r\n{ \"a\" : 1 , \"b\" : [ ] } \n", "{\"a\":1,\"b\":[]}");
    check_accepted("{\"a\":[1,2.5,-3e2,true,false,null,\"x\",{\"b\":{}}]}",
                   "{\"a\":[1,2.5,-300.0,true,false,null,\"x\",{\"b\":{}}]}");
    check_accepted("{\"\":0,\"a\":-0}", "{\"\":0,\"a\":0}");
    check_accepted("{\"a\":9223372036854775807,\"b\":-9223372036854775808}",
                   "{\"a\":9223372036854775807,\"b\":-9223372036854775808}");
    check_accepted("{\"a\":1E+2,\"b\":1e-2,\"c\":0.0,\"d\":-0.0}",
                   "{\"a\":100.0,\"b\":0.01,\"c\":0.0,\"d\":-0.0}");
    check_accepted("{\"\\u0041\\n\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20ac\\ud83c\\udf55\"}",
                   "{\"A\\n\":\"\\\"\\\\/\\b\\f\\n\\r\\té€🍕\"}");
    check_accepted("{\"a\":\"\\u0000\\u001f\\u007f\"}", "{\"a\":\"\\u0000\\u001f\x7f\"}");
    check_accepted("{\"a\":\"<\\/script><b>\",\"é\":\"ü\"}",
                   "{\"a\":\"\\u003c/script>\\u003cb>\",\"é\":\"ü\"}");
    check_accepted("{\"a\":0,\"a\":1}", "{\"a\":0,\"a\":1}");
}

TEST(malformed_json_is_refused) {
    check_refused("", "line 1, column 1: an object is expected");
    check_refused("[]", "line 1, column 1: an object is expected");
    check_refused("1", "line 1, column 1: an object is expected");
    check_refused("{", "line 1, column 2: a name in quotes is expected");
    check_refused("{\n  \"é\": ?}", "line 2, column 8: a value is expected");
    check_refused("{\"a\":1", "line 1, column 7: ',' or '}' is expected");
    check_refused("{\"a\":1,}", "line 1, column 8: a name in quotes is expected");
    check_refused("{\"a\" 1}", "line 1, column 6: ':' is expected");
    check_refused("{\"a\":[1 2]}", "line 1, column 9: ',' or ']' is expected");
    check_refused("{\"a\":[1,]}", "line 1, column 9: a value is expected");
    check_refused("{\"a\":1} x", "line 1, column 9: something follows the object");
    check_refused("{a:1}", "line 1, column 2: a name in quotes is expected");
    check_refused("{\"a\":'x'}", "line 1, column 6: a value is expected");
    check_refused("{\"a\":tru}", "line 1, column 6: a value is expected");
    check_refused("{\"a\":nul", "line 1, column 6: a value is expected");
    check_refused("{\"a\":\"x}", "line 1, column 9: a string does not end");
    check_refused("{\"a\":\"x\ny\"}", "line 1, column 8: a control character in a string");
    check_refused("{\"a\\u0000\":1}", "line 1, column 2: a name with a NUL character");
}

TEST(malformed_escapes_are_refused) {
    check_refused("{\"a\":\"\\x\"}", "line 1, column 9: an unknown escape");
    check_refused("{\"a\":\"\\", "line 1, column 8: an unknown escape");
    check_refused("{\"a\":\"\\u12", "line 1, column 9: \\u needs four digits");
    check_refused("{\"a\":\"\\u12g4\"}", "line 1, column 9: \\u needs four hexadecimal digits");
    check_refused("{\"a\":\"\\ud83c\"}", "line 1, column 13: half of a surrogate pair");
    check_refused("{\"a\":\"\\ud83c\\n\"}", "line 1, column 13: half of a surrogate pair");
    check_refused("{\"a\":\"\\ud83c\\u0041\"}", "line 1, column 19: half of a surrogate pair");
    check_refused("{\"a\":\"\\udf55\"}", "line 1, column 13: half of a surrogate pair");
}

TEST(malformed_numbers_are_refused) {
    static const char *const numbers[] = {"-", "01", "-01", "1.", "1.e5", "1e", "1e+", "-a"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char text[32];
        snprintf(text, sizeof text, "{\"a\":%s}", numbers[i]);
        parse(bytes_of_string(text));
        if (parsed) test_fail(__FILE__, __LINE__, "accepted: %s", text);
        CHECK(strstr(parse_error, "a malformed number") != NULL);
    }
    check_refused("{\"a\":.5}", "line 1, column 6: a value is expected");
    check_refused("{\"a\":+1}", "line 1, column 6: a value is expected");
    check_refused("{\"a\":NaN}", "line 1, column 6: a value is expected");
    check_refused("{\"a\":0x10}", "line 1, column 7: ',' or '}' is expected");
    check_refused("{\"a\":9223372036854775808}",
                  "line 1, column 25: an integer does not fit 64 bits");
    check_refused("{\"a\":1e309}", "line 1, column 11: a number is too large");
}

TEST(only_utf8_is_accepted) {
    static const char *const bad[] = {
        "\x80",
        "\xc0\xaf",
        "\xc1\xbf",
        "\xc3",
        "\xe0\x9f\xbf",
        "\xed\xa0\x80",
        "\xe2\x82",
        "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80",
        "\xf8\x88\x80\x80\x80",
        "\xff",
        "\xe2\x28\xa1",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[32];
        snprintf(text, sizeof text, "{\"a\":\"%s\"}", bad[i]);
        check_refused(text, "line 1, column 7: a string is not UTF-8");
    }
    check_accepted(
        "{\"a\":\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"}",
        "{\"a\":\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"}");
}

static void parse_nested(size_t depth) {
    char text[512] = "{\"a\":";
    size_t size = 5;
    for (size_t i = 1; i < depth; i++) text[size++] = '[';
    text[size++] = '1';
    for (size_t i = 1; i < depth; i++) text[size++] = ']';
    text[size++] = '}';
    parse(bytes_of(text, size));
}

TEST(nesting_is_limited_to_32) {
    parse_nested(32);
    CHECK(parsed);
    parse_nested(33);
    CHECK(!parsed && strstr(parse_error, "nested too deep") != NULL);
    parse_nested(200);
    CHECK(!parsed && strstr(parse_error, "nested too deep") != NULL);
}

// ---- random -------------------------------------------------------------------------------------

struct text {
    char data[4096];
    size_t size;
};

static void add(struct text *text, const char *more) {
    size_t size = strlen(more);
    CHECK(text->size + size < sizeof text->data);
    memcpy(text->data + text->size, more, size);
    text->size += size;
}

static const char *pick(struct random_source *random, const char *const *table, size_t count) {
    return table[random_below(random, count)];
}
#define PICK(random, table) pick((random), (table), sizeof(table) / sizeof *(table))

static void add_string(struct random_source *random, struct text *text) {
    static const char *const pieces[] = {"a",
                                         "plain text of more than eight",
                                         "\\n",
                                         "\\\"",
                                         "é",
                                         "\\u20ac",
                                         "🍕",
                                         "<",
                                         "\\ud83c\\udf55",
                                         "&",
                                         "\\\\"};
    add(text, "\"");
    for (uint64_t count = random_below(random, 4); count > 0; count--)
        add(text, PICK(random, pieces));
    add(text, "\"");
}

static void add_value(struct random_source *random, struct text *text, int depth) {
    static const char *const scalars[] = {"true", "false",   "null",          "0",     "-17",
                                          "1.5",  "-2.5e-7", "1234567890123", "1e100", "0.1"};
    uint64_t kind = random_below(random, depth > 4 ? 2 : 4);
    if (kind == 0) return add(text, PICK(random, scalars));
    if (kind == 1) return add_string(random, text);
    bool array = kind == 2;
    add(text, array ? "[" : "{");
    uint64_t count = random_below(random, 4);
    for (uint64_t i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s\"n%d\" :", i > 0 ? ", " : "", (int)i);
        add(text, array ? (i > 0 ? " ," : " ") : name);
        add_value(random, text, depth + 1);
    }
    add(text, array ? "]" : "}");
}

static struct bytes other_bson; // of the same text, by another parser

static void parse_and_compare(struct pk_request *request) {
    struct pk_document document;
    CHECK(pk_json_parse(parsed_text, &document, NULL));
    CHECK_OK(doc_validate(bytes_of_document(document), NULL));
    struct doc_value ours = {.type = DOC_DOCUMENT, .payload = bytes_of_document(document)};
    struct doc_value theirs = {.type = DOC_DOCUMENT, .payload = other_bson};
    if (doc_compare(&ours, &theirs) != 0)
        test_fail(__FILE__, __LINE__, "%.*s", (int)parsed_text.size, parsed_text.data);
    pk_json_document(pk_json(request), NULL, document);
}

TEST(random_json_is_what_another_parser_reads) {
    struct random_seeded random;
    random_seeded_init(&random, test_seed());
    for (int i = 0; i < 2000; i++) {
        struct text text = {.size = 0};
        add(&text, "{\"v\":");
        add_value(&random.source, &text, 0);
        add(&text, "}");
        text.data[text.size] = '\0';
        other_bson = bson_of(text.data);
        parsed_text = (struct pk_text){text.data, text.size};
        host_run(parse_and_compare);
        // What was written reads as the same again, by both.
        struct text output = {.size = host_body().size};
        CHECK(output.size < sizeof output.data);
        memcpy(output.data, host_body().data, output.size);
        CHECK_BYTES(json_of(other_bson), bytes_of_string(json_of(bson_of(output.data))));
        parsed_text = (struct pk_text){output.data, output.size};
        host_run(parse_and_compare);
    }
}

TEST(damaged_json_does_no_harm) {
    struct random_seeded random;
    random_seeded_init(&random, test_seed());
    for (int i = 0; i < 5000; i++) {
        struct text text = {.size = 0};
        add(&text, "{\"v\":");
        add_value(&random.source, &text, 0);
        add(&text, "}");
        for (uint64_t count = 1 + random_below(&random.source, 3); count > 0; count--)
            text.data[random_below(&random.source, text.size)] = (char)random_u64(&random.source);
        parse(bytes_of(text.data, random_below(&random.source, text.size + 1)));
    }
}
