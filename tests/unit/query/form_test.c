// SPDX-License-Identifier: Apache-2.0
// Forms that are refused, and what is said about them.
#include "base/limits.h"
#include "fixture.h"

static void check_message(struct database *database, const char *form, bool count,
                          const char *message) {
    struct result result = run_form(database, fixture_document(form), count, UINT64_MAX);
    if (result.status != STATUS_INVALID || strcmp(result.error.message, message) != 0)
        test_fail(__FILE__, __LINE__, "%s: %s '%s', expected '%s'", form,
                  status_text(result.status), result.error.message, message);
}

#define WITH(rest) "{\"store\": \"s\", " rest "}"
#define FILTER(rest) WITH("\"filter\": {" rest "}")

static const char *const refused[][2] = {
    {"{}", "field 'store' is missing"},
    {"{\"store\": 5}", "store: a string is expected, not int32"},
    {WITH("\"stor\": 1"), "unknown field 'stor'"},
    {WITH("\"store\": \"s\""), "field 'store' occurs twice"},
    {WITH("\"limit\": 0"), "limit: 1 to 100000, not 0"},
    {WITH("\"limit\": 100001"), "limit: 1 to 100000, not 100001"},
    {WITH("\"limit\": \"5\""), "limit: an integer is expected, not string"},
    {WITH("\"limit\": 1.5"), "limit: an integer is expected, not double"},
    {WITH("\"skip\": -1"), "skip: at least 0, not -1"},
    {WITH("\"filter\": []"), "filter: a document is expected, not array"},
    {WITH("\"filter\": {}"), "filter: field 'op' is missing"},
    {FILTER("\"op\": 1"), "filter.op: a string is expected, not int32"},
    {FILTER("\"op\": \"like\""), "filter.op: unknown operator 'like'"},
    {FILTER("\"op\": \"eq\", \"field\": \"a\""), "filter: field 'value' is missing"},
    {FILTER("\"op\": \"eq\", \"value\": 1"), "filter: field 'field' is missing"},
    {FILTER("\"op\": \"eq\", \"field\": 1, \"value\": 1"),
     "filter.field: a field path is expected, not int32"},
    {FILTER("\"op\": \"eq\", \"field\": \"a..b\", \"value\": 1"),
     "filter.field: not a field path: 1 to 16 parts joined by dots, none empty or beginning with "
     "'$', 255 bytes in all"},
    {FILTER("\"op\": \"eq\", \"field\": \"a\", \"value\": 1, \"ignore_case\": true"),
     "filter: unknown field 'ignore_case'"},
    {FILTER("\"op\": \"and\""), "filter: field 'conditions' is missing"},
    {FILTER("\"op\": \"and\", \"conditions\": {}"),
     "filter.conditions: an array is expected, not document"},
    {FILTER("\"op\": \"and\", \"conditions\": [1]"),
     "filter.conditions[0]: a condition is expected, not int32"},
    {FILTER("\"op\": \"or\", \"conditions\": [{\"op\": \"exists\", \"field\": \"a\"}, {\"op\": "
            "\"not\", \"condition\": {\"op\": \"in\", \"field\": \"a\", \"values\": 3}}]"),
     "filter.conditions[1].condition.values: an array is expected, not int32"},
    {FILTER("\"op\": \"not\", \"condition\": []"),
     "filter.condition: a document is expected, not array"},
    {FILTER("\"op\": \"between\", \"field\": \"a\", \"low\": 1"),
     "filter: field 'high' is missing"},
    {FILTER("\"op\": \"starts_with\", \"field\": \"a\", \"value\": 1"),
     "filter.value: a string is expected, not int32"},
    {FILTER("\"op\": \"contains\", \"field\": \"a\", \"value\": 1, \"ignore_case\": true"),
     "filter.value: a string is expected, not int32"},
    {FILTER("\"op\": \"contains\", \"field\": \"a\", \"value\": \"x\", \"ignore_case\": 1"),
     "filter.ignore_case: true or false is expected, not int32"},
    {FILTER("\"op\": \"exists\", \"field\": \"a\", \"value\": true"),
     "filter: unknown field 'value'"},
    {WITH("\"sort\": {}"), "sort: an array is expected, not document"},
    {WITH("\"sort\": [\"a\"]"), "sort[0]: {\"field\", \"descending\"} is expected, not string"},
    {WITH("\"sort\": [{\"field\": \"a\"}, {\"field\": \"b\", \"descending\": 1}]"),
     "sort[1].descending: true or false is expected, not int32"},
    {WITH("\"sort\": [{\"field\": \"a\"}, {\"field\": \"a\"}]"),
     "sort[1]: the field is sorted by already"},
    {WITH("\"sort\": [{\"field\": \"a\", \"order\": 1}]"), "sort[0]: unknown field 'order'"},
    {WITH("\"fields\": \"a\""), "fields: an array is expected, not string"},
    {WITH("\"fields\": [\"a\", 1]"), "fields[1]: a field path is expected, not int32"},
    {WITH("\"after\": \"x\""), "after: binary is expected, not string"},
    {WITH("\"after\": {\"$binary\": {\"base64\": \"AAAA\", \"subType\": \"00\"}}"),
     "after: not a cursor of this query"},
};

TEST(what_is_wrong_is_said_with_its_place) {
    struct database database;
    database_open(&database);
    database_store(&database, "s", KEY_INT64);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        check_message(&database, refused[i][0], false, refused[i][1]);
    check_message(&database, WITH("\"sort\": []"), true, "unknown field 'sort'");
    check_message(&database, WITH("\"after\": null"), true, "unknown field 'after'");
    check_message(&database, WITH("\"fields\": []"), true, "unknown field 'fields'");
    check_message(&database, WITH("\"limit\": 0"), true, "limit: at least 1, not 0");
    struct result result = run_json(&database, "{\"store\": \"none\"}");
    CHECK_STATUS(STATUS_NO_STORE, result.status);
    CHECK(strcmp(result.error.message, "there is no store 'none'") == 0);
    database_close(&database);
}

TEST(accepted_forms) {
    struct database database;
    database_open(&database);
    database_store(&database, "s", KEY_INT64);
    static const char *const accepted[] = {
        WITH("\"limit\": 5.0"),
        WITH("\"limit\": 100000, \"skip\": 9223372036854775807"),
        WITH("\"after\": null"),
        WITH("\"fields\": []"),
        WITH("\"sort\": []"),
        FILTER("\"op\": \"and\", \"conditions\": []"),
        WITH("\"sort\": [{\"field\": \"_id\", \"descending\": true}, {\"field\": \"a\"}]"),
    };
    for (size_t i = 0; i < sizeof accepted / sizeof accepted[0]; i++)
        CHECK_STATUS(STATUS_OK, run_json(&database, accepted[i]).status);
    database_close(&database);
}

static struct bytes many_conditions(size_t count) {
    struct buffer buffer = {0};
    struct doc_builder builder;
    doc_builder_begin(&builder, &buffer);
    doc_add_string(&builder, "store", bytes_of_string("s"));
    doc_begin_document(&builder, "filter");
    doc_add_string(&builder, "op", bytes_of_string("or"));
    doc_begin_array(&builder, "conditions");
    for (size_t i = 0; i < count; i++) {
        doc_begin_document(&builder, NULL);
        doc_add_string(&builder, "op", bytes_of_string("exists"));
        doc_add_string(&builder, "field", bytes_of_string("a"));
        doc_end(&builder);
    }
    doc_end(&builder);
    doc_end(&builder);
    CHECK_OK(doc_builder_finish(&builder));
    return buffer_bytes(&buffer);
}

TEST(conditions_are_bounded) {
    struct database database;
    database_open(&database);
    database_store(&database, "s", KEY_INT64);
    struct bytes form = many_conditions(999);
    CHECK_STATUS(STATUS_OK, run_form(&database, form, false, UINT64_MAX).status);
    free((void *)form.data);
    form = many_conditions(1000);
    struct result result = run_form(&database, form, false, UINT64_MAX);
    CHECK_STATUS(STATUS_INVALID, result.status);
    CHECK(strcmp(result.error.message, "filter.conditions: more than 1000 conditions") == 0);
    free((void *)form.data);
    database_close(&database);
}
