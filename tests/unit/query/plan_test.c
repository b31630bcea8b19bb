// SPDX-License-Identifier: Apache-2.0
// Which access path is taken for which form.
#include "fixture.h"

static void check_plan(struct database *database, const char *form, bool count, const char *plan) {
    struct result result = run_form(database, fixture_document(form), count, UINT64_MAX);
    if (result.status != STATUS_OK || strcmp(result.plan, plan) != 0)
        test_fail(__FILE__, __LINE__, "%s: %s, expected %s", form,
                  result.status == STATUS_OK ? result.plan : result.error.message, plan);
}

#define COND(op, field, value)                                                                     \
    "{\"op\": \"" op "\", \"field\": \"" field "\", \"value\": " value "}"
#define FORM(filter, rest) "{\"store\": \"s\", \"filter\": " filter rest "}"
#define AND(a, b) "{\"op\": \"and\", \"conditions\": [" a ", " b "]}"
#define BETWEEN(field) "{\"op\": \"between\", \"field\": \"" field "\", \"low\": 1, \"high\": 5}"
#define IN(field, values) "{\"op\": \"in\", \"field\": \"" field "\", \"values\": [" values "]}"
#define SORT(field) ", \"sort\": [{\"field\": \"" field "\"}]"
#define SORT_DOWN(field) ", \"sort\": [{\"field\": \"" field "\", \"descending\": true}]"

static const char *const plans[][2] = {
    {"{\"store\": \"s\"}", "scan ordered"},
    {"{\"store\": \"s\"" SORT("_id") "}", "scan ordered"},
    {"{\"store\": \"s\"" SORT_DOWN("_id") "}", "scan ordered"},
    {"{\"store\": \"s\"" SORT("z") "}", "scan sort"},
    {"{\"store\": \"s\"" SORT("a") "}", "index by_a ordered"},
    {"{\"store\": \"s\"" SORT_DOWN("a") "}", "index by_a ordered"},
    {"{\"store\": \"s\", \"sort\": [{\"field\": \"a\"}, {\"field\": \"b\"}]}", "scan sort"},
    {"{\"store\": \"s\", \"sort\": [{\"field\": \"a\", \"descending\": true}, {\"field\": "
     "\"_id\"}]}",
     "scan sort"},
    {"{\"store\": \"s\", \"sort\": [{\"field\": \"a\", \"descending\": true}, {\"field\": \"_id\", "
     "\"descending\": true}, {\"field\": \"z\"}]}",
     "index by_a ordered"},
    {FORM(COND("eq", "_id", "5"), ""), "primary ordered"},
    {FORM(COND("eq", "_id", "5.0"), ""), "primary ordered"},
    {FORM(COND("eq", "_id", "5.5"), ""), "nothing ordered"},
    {FORM(COND("eq", "_id", "\"5\""), ""), "nothing ordered"},
    {FORM(COND("eq", "_id", "null"), ""), "nothing ordered"},
    {FORM(COND("eq", "_id", "{\"$numberDecimal\": \"5\"}"), ""), "scan ordered"},
    {FORM(IN("_id", "1, {\"$numberDecimal\": \"5\"}"), ""), "scan ordered"},
    {FORM(IN("_id", "1, 2, \"x\""), ""), "primary in ordered"},
    {FORM(COND("gt", "_id", "5"), ""), "primary range ordered"},
    {FORM(COND("gt", "_id", "5.5"), ""), "scan ordered"},
    {FORM(COND("gt", "_id", "\"5\""), ""), "nothing ordered"},
    {FORM(COND("starts_with", "_id", "\"5\""), ""), "nothing ordered"},
    {FORM(BETWEEN("_id"), SORT_DOWN("_id")), "primary range ordered"},
    {FORM(BETWEEN("_id"), SORT("z")), "primary range sort"},
    {FORM(COND("eq", "z", "1"), ""), "scan ordered"},
    {FORM(COND("eq", "a", "1"), ""), "index by_a eq ordered"},
    {FORM(COND("eq", "a", "1"), SORT_DOWN("_id")), "index by_a eq ordered"},
    {FORM(COND("eq", "a", "1"), SORT("b")), "index by_a eq sort"},
    {FORM(COND("eq", "a", "null"), ""), "index by_a range sort keys"},
    {FORM(COND("ne", "a", "1"), ""), "scan ordered"},
    {FORM(COND("lt", "a", "1"), ""), "index by_a range sort keys"},
    {FORM(COND("lt", "a", "1"), SORT("a")), "index by_a range ordered"},
    {FORM(COND("lt", "a", "1"), SORT_DOWN("a")), "index by_a range ordered"},
    {FORM(COND("lt", "a", "1"), SORT("b")), "index by_b ordered"},
    {FORM(BETWEEN("a"), SORT("b")), "index by_a range sort"},
    {FORM(COND("lt", "a", "null"), ""), "nothing ordered"},
    {FORM(IN("a", "1, 2"), ""), "index by_a in sort keys"},
    {FORM(IN("a", "1, 2"), SORT("a")), "index by_a in ordered"},
    {FORM(IN("a", "1, 1.0"), ""), "index by_a eq ordered"},
    {FORM(IN("a", ""), ""), "nothing ordered"},
    {FORM(COND("starts_with", "n.x", "\"ab\""), ""), "index by_x range sort keys"},
    {FORM(COND("starts_with", "n.x", "\"ab\""), SORT("n.x")), "index by_x range ordered"},
    {FORM("{\"op\": \"starts_with\", \"field\": \"n.x\", \"value\": \"a\", \"ignore_case\": true}",
          ""),
     "scan ordered"},
    {FORM(COND("contains", "a", "\"x\""), ""), "scan ordered"},
    {FORM(AND(COND("eq", "a", "1"), COND("eq", "_id", "1")), ""), "primary ordered"},
    {FORM(AND(COND("gt", "a", "1"), COND("eq", "b", "1")), ""), "index by_b eq ordered"},
    {FORM(AND(COND("gt", "a", "1"), COND("lt", "a", "9")), ""), "index by_a range sort keys"},
    {FORM(AND(COND("gt", "a", "1"), COND("eq", "z", "9")), ""), "index by_a range sort"},
    {FORM(AND(COND("gt", "a", "9"), COND("lt", "a", "1")), ""), "nothing ordered"},
    {FORM(AND(COND("gt", "a", "9"), COND("lt", "a", "\"x\"")), ""), "nothing ordered"},
    {FORM(AND(COND("gt", "_id", "9"), COND("lt", "_id", "9")), ""), "nothing ordered"},
    {FORM(AND(IN("a", "1, 2"), COND("eq", "b", "1")), ""), "index by_b eq ordered"},
    {FORM(AND(AND(COND("eq", "z", "1"), COND("eq", "b", "1")), COND("eq", "z", "2")), ""),
     "index by_b eq ordered"},
    {FORM("{\"op\": \"or\", \"conditions\": [" COND("eq", "a", "1") "]}", ""), "scan ordered"},
    {FORM("{\"op\": \"not\", \"condition\": " COND("eq", "a", "1") "}", ""), "scan ordered"},
};

static const char *const count_plans[][2] = {
    {"{\"store\": \"s\"}", "scan keys"},
    {FORM(COND("eq", "a", "1"), ""), "index by_a eq keys"},
    {FORM(COND("gt", "a", "1"), ""), "index by_a range keys"},
    {FORM(IN("a", "1, 2, null"), ""), "index by_a in keys"},
    {FORM(AND(COND("eq", "a", "1"), COND("eq", "b", "1")), ""), "index by_a eq"},
    {FORM(COND("gt", "_id", "3"), ""), "primary range keys"},
    {FORM(COND("eq", "z", "3"), ""), "scan"},
    {FORM(COND("contains", "a", "3"), ""), "scan"},
};

static void open_with_indexes(struct database *database) {
    database_open(database);
    database_store(database, "s", KEY_INT64);
    database_index(database, "s", "by_a", "a");
    database_index(database, "s", "by_b", "b");
    database_index(database, "s", "by_x", "n.x");
}

TEST(the_plan_of_a_form) {
    struct database database;
    open_with_indexes(&database);
    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++)
        check_plan(&database, plans[i][0], false, plans[i][1]);
    for (size_t i = 0; i < sizeof count_plans / sizeof count_plans[0]; i++)
        check_plan(&database, count_plans[i][0], true, count_plans[i][1]);
    database_close(&database);
}

static struct bytes uuid_document(uint8_t last) {
    struct buffer buffer = {0};
    struct doc_builder builder;
    uint8_t uuid[16] = {1, 2, 3, [15] = last};
    doc_builder_begin(&builder, &buffer);
    doc_add_binary(&builder, "_id", 4, bytes_of(uuid, 16));
    CHECK_OK(doc_builder_finish(&builder));
    struct bytes document = fixture_copy(buffer_bytes(&buffer));
    buffer_done(&buffer);
    return document;
}

#define UUID_VALUE "{\"$binary\": {\"base64\": \"AQIDAAAAAAAAAAAAAAAABQ==\", \"subType\": \"04\"}}"

// A prefix on an index, whose entries go on behind it or end there.
TEST(prefixes) {
    struct database database;
    database_open(&database);
    uint32_t store = database_store(&database, "s", KEY_INT64);
    database_index(&database, "s", "by_a", "a");
    static const char *const documents[] = {
        "{\"_id\": 1, \"a\": \"a\"}",         "{\"_id\": 2, \"a\": \"ab\"}",
        "{\"_id\": 3, \"a\": \"abc\"}",       "{\"_id\": 4, \"a\": \"ab\\u0000\"}",
        "{\"_id\": 5, \"a\": \"ab\\u00e4\"}", "{\"_id\": 6, \"a\": \"ac\"}",
        "{\"_id\": 7, \"a\": [\"ab\"]}"};
    for (size_t i = 0; i < 7; i++) database_put_json(&database, store, documents[i]);
    CHECK(strcmp(run_ids(&database, FORM(COND("starts_with", "a", "\"ab\""), "")), "2,3,4,5") == 0);
    CHECK(strcmp(run_ids(&database, FORM(COND("starts_with", "a", "\"ab\\u0000\""), "")), "4") ==
          0);
    CHECK(strcmp(run_ids(&database, FORM(COND("starts_with", "a", "\"\""), "")), "1,2,3,4,5,6") ==
          0);
    database_close(&database);
}

TEST(keys_of_other_types) {
    struct database database;
    database_open(&database);
    uint32_t uuids = database_store(&database, "s", KEY_UUID);
    uint32_t strings = database_store(&database, "strings", KEY_STRING);
    for (uint8_t i = 1; i < 10; i++) database_put(&database, uuids, KEY_UUID, uuid_document(i));
    check_plan(&database, FORM(COND("eq", "_id", UUID_VALUE), ""), false, "primary ordered");
    CHECK_EQUAL(1, run_json(&database, FORM(COND("eq", "_id", UUID_VALUE), "")).count);
    CHECK_EQUAL(4, run_json(&database, FORM(COND("gt", "_id", UUID_VALUE), "")).count);
    CHECK_EQUAL(5, run_json(&database, FORM(COND("le", "_id", UUID_VALUE), "")).count);
    check_plan(&database, FORM(COND("eq", "_id", "5"), ""), false, "nothing ordered");
    static const char *const names[] = {"{\"_id\": \"\"}", "{\"_id\": \"a\"}", "{\"_id\": \"ab\"}",
                                        "{\"_id\": \"b\"}"};
    for (size_t i = 0; i < 4; i++)
        database_put(&database, strings, KEY_STRING, fixture_document(names[i]));
    struct result result =
        run_json(&database, "{\"store\": \"strings\", \"filter\": "
                            "{\"op\": \"ge\", \"field\": \"_id\", \"value\": \"ab\"}}");
    CHECK_EQUAL(2, result.count);
    CHECK(strcmp(result.plan, "primary range ordered") == 0);
    result = run_json(&database, "{\"store\": \"strings\", \"filter\": {\"op\": \"starts_with\", "
                                 "\"field\": \"_id\", \"value\": \"a\"}}");
    CHECK_EQUAL(2, result.count);
    CHECK(strcmp(result.plan, "primary range ordered") == 0);
    result = run_json(&database, "{\"store\": \"strings\", \"filter\": {\"op\": \"starts_with\", "
                                 "\"field\": \"_id\", \"value\": \"\"}}");
    CHECK_EQUAL(4, result.count);
    result = run_json(&database, "{\"store\": \"strings\", \"filter\": {\"op\": \"eq\", \"field\": "
                                 "\"_id\", \"value\": \"longer than any key\"}}");
    CHECK_EQUAL(0, result.count);
    CHECK(strcmp(result.plan, "nothing ordered") == 0);
    database_close(&database);
}
