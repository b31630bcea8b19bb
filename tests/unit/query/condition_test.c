// SPDX-License-Identifier: Apache-2.0
// Conditions on single documents: every operator, across types.
#include "fixture.h"

static const struct condition *parse(const char *json) {
    static struct arena arena;
    const struct condition *condition;
    struct error error = {0};
    if (condition_parse(fixture_document(json), &arena, &condition, &error) != STATUS_OK)
        test_fail(__FILE__, __LINE__, "%s: %s", json, error.message);
    return condition;
}

struct row {
    const char *condition; // what follows {"op": , or all of it when it begins with {
    const char *document;
    bool matches;
};

static void check_rows(const struct row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        char json[1024];
        snprintf(json, sizeof json, rows[i].condition[0] == '{' ? "%s" : "{\"op\": %s}",
                 rows[i].condition);
        bool matches = condition_matches(parse(json), fixture_document(rows[i].document));
        if (matches != rows[i].matches)
            test_fail(__FILE__, __LINE__, "%s on %s: %d", json, rows[i].document, matches);
    }
}
#define CHECK_ROWS(rows) check_rows(rows, sizeof rows / sizeof rows[0])

TEST(equality) {
    static const struct row rows[] = {
        {"\"eq\", \"field\": \"a\", \"value\": 1", "{\"a\": 1}", true},
        {"\"eq\", \"field\": \"a\", \"value\": 1", "{\"a\": 1.0}", true},
        {"\"eq\", \"field\": \"a\", \"value\": 1", "{\"a\": {\"$numberLong\": \"1\"}}", true},
        {"\"eq\", \"field\": \"a\", \"value\": 1", "{\"a\": {\"$numberDecimal\": \"1.0\"}}", true},
        {"\"eq\", \"field\": \"a\", \"value\": 1", "{\"a\": 2}", false},
        {"\"eq\", \"field\": \"a\", \"value\": 1", "{\"a\": \"1\"}", false},
        {"\"eq\", \"field\": \"a\", \"value\": 1", "{\"a\": true}", false},
        {"\"eq\", \"field\": \"a\", \"value\": 1", "{}", false},
        {"\"eq\", \"field\": \"a\", \"value\": \"x\"", "{\"a\": \"x\"}", true},
        {"\"eq\", \"field\": \"a\", \"value\": \"x\"", "{\"a\": \"X\"}", false},
        {"\"eq\", \"field\": \"a\", \"value\": \"\"", "{\"a\": \"\"}", true},
        {"\"eq\", \"field\": \"a\", \"value\": null", "{\"a\": null}", true},
        {"\"eq\", \"field\": \"a\", \"value\": null", "{}", true},
        {"\"eq\", \"field\": \"a\", \"value\": null", "{\"a\": 0}", false},
        {"\"eq\", \"field\": \"a\", \"value\": null", "{\"a\": \"\"}", false},
        {"\"eq\", \"field\": \"a.b\", \"value\": 1", "{\"a\": {\"b\": 1}}", true},
        {"\"eq\", \"field\": \"a.b\", \"value\": 1", "{\"a.b\": 1}", false},
        {"\"eq\", \"field\": \"a.1\", \"value\": 7", "{\"a\": [5, 7]}", true},
        {"\"eq\", \"field\": \"a.b\", \"value\": null", "{\"a\": [1]}", true},
        {"\"eq\", \"field\": \"a\", \"value\": [1, 2]", "{\"a\": [1, 2.0]}", true},
        {"\"eq\", \"field\": \"a\", \"value\": [1, 2]", "{\"a\": [1]}", false},
        {"\"eq\", \"field\": \"a\", \"value\": 1", "{\"a\": [1]}", false},
        {"\"eq\", \"field\": \"a\", \"value\": {\"b\": 1}", "{\"a\": {\"b\": 1}}", true},
        {"\"eq\", \"field\": \"a\", \"value\": {\"b\": 1}", "{\"a\": {\"b\": 1, \"c\": 2}}", false},
        {"\"eq\", \"field\": \"a\", \"value\": {\"$numberDouble\": \"NaN\"}",
         "{\"a\": {\"$numberDouble\": \"NaN\"}}", true},
        {"\"ne\", \"field\": \"a\", \"value\": 1", "{\"a\": 2}", true},
        {"\"ne\", \"field\": \"a\", \"value\": 1", "{\"a\": 1.0}", false},
        {"\"ne\", \"field\": \"a\", \"value\": 1", "{\"a\": \"1\"}", true},
        {"\"ne\", \"field\": \"a\", \"value\": 1", "{}", true},
        {"\"ne\", \"field\": \"a\", \"value\": null", "{}", false},
        {"\"ne\", \"field\": \"a\", \"value\": null", "{\"a\": null}", false},
        {"\"ne\", \"field\": \"a\", \"value\": null", "{\"a\": false}", true},
    };
    CHECK_ROWS(rows);
}

TEST(order_holds_within_a_class) {
    static const struct row rows[] = {
        {"\"lt\", \"field\": \"a\", \"value\": 2", "{\"a\": 1.5}", true},
        {"\"lt\", \"field\": \"a\", \"value\": 2", "{\"a\": 2}", false},
        {"\"lt\", \"field\": \"a\", \"value\": 2", "{\"a\": null}", false},
        {"\"lt\", \"field\": \"a\", \"value\": 2", "{}", false},
        {"\"lt\", \"field\": \"a\", \"value\": 2", "{\"a\": {\"$minKey\": 1}}", false},
        {"\"lt\", \"field\": \"a\", \"value\": 2", "{\"a\": {\"$numberDouble\": \"NaN\"}}", true},
        {"\"le\", \"field\": \"a\", \"value\": 2", "{\"a\": 2.0}", true},
        {"\"le\", \"field\": \"a\", \"value\": 2", "{\"a\": 3}", false},
        {"\"gt\", \"field\": \"a\", \"value\": 2", "{\"a\": 3}", true},
        {"\"gt\", \"field\": \"a\", \"value\": 2", "{\"a\": 2}", false},
        {"\"gt\", \"field\": \"a\", \"value\": 2", "{\"a\": \"3\"}", false},
        {"\"gt\", \"field\": \"a\", \"value\": 2", "{\"a\": [3]}", false},
        {"\"gt\", \"field\": \"a\", \"value\": 2", "{\"a\": true}", false},
        {"\"ge\", \"field\": \"a\", \"value\": 2", "{\"a\": 2}", true},
        {"\"ge\", \"field\": \"a\", \"value\": 2", "{\"a\": {\"$numberDecimal\": \"1.9\"}}", false},
        {"\"gt\", \"field\": \"a\", \"value\": \"b\"", "{\"a\": \"ba\"}", true},
        {"\"gt\", \"field\": \"a\", \"value\": \"b\"", "{\"a\": \"B\"}", false},
        {"\"lt\", \"field\": \"a\", \"value\": true", "{\"a\": false}", true},
        {"\"ge\", \"field\": \"a\", \"value\": null", "{\"a\": null}", true},
        {"\"ge\", \"field\": \"a\", \"value\": null", "{}", true},
        {"\"le\", \"field\": \"a\", \"value\": null", "{}", true},
        {"\"gt\", \"field\": \"a\", \"value\": null", "{\"a\": 1}", false},
        {"\"lt\", \"field\": \"a\", \"value\": null", "{}", false},
        {"\"lt\", \"field\": \"a\", \"value\": {\"$date\": \"2020-01-02T00:00:00Z\"}",
         "{\"a\": {\"$date\": \"2020-01-01T00:00:00Z\"}}", true},
        {"\"lt\", \"field\": \"a\", \"value\": {\"$date\": \"2020-01-02T00:00:00Z\"}", "{\"a\": 5}",
         false},
        {"\"between\", \"field\": \"a\", \"low\": 1, \"high\": 3", "{\"a\": 1}", true},
        {"\"between\", \"field\": \"a\", \"low\": 1, \"high\": 3", "{\"a\": 3.0}", true},
        {"\"between\", \"field\": \"a\", \"low\": 1, \"high\": 3", "{\"a\": 3.1}", false},
        {"\"between\", \"field\": \"a\", \"low\": 1, \"high\": 3", "{\"a\": 0}", false},
        {"\"between\", \"field\": \"a\", \"low\": 1, \"high\": 3", "{}", false},
        {"\"between\", \"field\": \"a\", \"low\": 3, \"high\": 1", "{\"a\": 2}", false},
        {"\"between\", \"field\": \"a\", \"low\": 1, \"high\": \"b\"", "{\"a\": 2}", false},
        {"\"between\", \"field\": \"a\", \"low\": 1, \"high\": \"b\"", "{\"a\": \"a\"}", false},
        {"\"between\", \"field\": \"a\", \"low\": null, \"high\": null", "{}", true},
    };
    CHECK_ROWS(rows);
}

TEST(lists) {
    static const struct row rows[] = {
        {"\"in\", \"field\": \"a\", \"values\": []", "{\"a\": 1}", false},
        {"\"in\", \"field\": \"a\", \"values\": [3, \"x\", 1]", "{\"a\": 1.0}", true},
        {"\"in\", \"field\": \"a\", \"values\": [3, \"x\", 1]", "{\"a\": \"x\"}", true},
        {"\"in\", \"field\": \"a\", \"values\": [3, \"x\", 1]", "{\"a\": 2}", false},
        {"\"in\", \"field\": \"a\", \"values\": [3, null]", "{}", true},
        {"\"in\", \"field\": \"a\", \"values\": [3, 1]", "{}", false},
        // A long list is searched another way.
        {"\"in\", \"field\": \"a\", \"values\": [9,8,7,6,5,4,3,2,1,0,9,null]", "{\"a\": 0}", true},
        {"\"in\", \"field\": \"a\", \"values\": [9,8,7,6,5,4,3,2,1,0,9,null]", "{\"a\": 9}", true},
        {"\"in\", \"field\": \"a\", \"values\": [9,8,7,6,5,4,3,2,1,0,9,null]", "{\"a\": 10}",
         false},
        {"\"in\", \"field\": \"a\", \"values\": [9,8,7,6,5,4,3,2,1,0,9,null]", "{}", true},
        {"\"in\", \"field\": \"a\", \"values\": [9,8,7,6,5,4,3,2,1,0,9]", "{}", false},
        {"\"in\", \"field\": \"a\", \"values\": [9,8,7,6,5,4,3,2,1,0,\"b\"]", "{\"a\": \"b\"}",
         true},
    };
    CHECK_ROWS(rows);
}

TEST(text_and_arrays) {
    static const struct row rows[] = {
        {"\"contains\", \"field\": \"a\", \"value\": \"ell\"", "{\"a\": \"hello\"}", true},
        {"\"contains\", \"field\": \"a\", \"value\": \"elo\"", "{\"a\": \"hello\"}", false},
        {"\"contains\", \"field\": \"a\", \"value\": \"\"", "{\"a\": \"\"}", true},
        {"\"contains\", \"field\": \"a\", \"value\": \"\"", "{\"a\": 1}", false},
        {"\"contains\", \"field\": \"a\", \"value\": \"x\"", "{}", false},
        {"\"contains\", \"field\": \"a\", \"value\": \"x\"", "{\"a\": [\"y\", \"x\"]}", true},
        {"\"contains\", \"field\": \"a\", \"value\": \"x\"", "{\"a\": [\"xy\"]}", false},
        {"\"contains\", \"field\": \"a\", \"value\": 2", "{\"a\": [1, 2.0]}", true},
        {"\"contains\", \"field\": \"a\", \"value\": 2", "{\"a\": [[2]]}", false},
        {"\"contains\", \"field\": \"a\", \"value\": 2", "{\"a\": 2}", false},
        {"\"contains\", \"field\": \"a\", \"value\": null", "{\"a\": [null]}", true},
        {"\"contains\", \"field\": \"a\", \"value\": null", "{\"a\": []}", false},
        {"\"contains\", \"field\": \"a\", \"value\": \"ELL\", \"ignore_case\": true",
         "{\"a\": \"hello\"}", true},
        {"\"contains\", \"field\": \"a\", \"value\": \"ELL\", \"ignore_case\": false",
         "{\"a\": \"hello\"}", false},
        {"\"contains\", \"field\": \"a\", \"value\": \"X\", \"ignore_case\": true",
         "{\"a\": [\"x\"]}", true},
        {"\"contains\", \"field\": \"a\", \"value\": \"X\", \"ignore_case\": true",
         "{\"a\": [\"xx\"]}", false},
        {"\"starts_with\", \"field\": \"a\", \"value\": \"he\"", "{\"a\": \"hello\"}", true},
        {"\"starts_with\", \"field\": \"a\", \"value\": \"hello!\"", "{\"a\": \"hello\"}", false},
        {"\"starts_with\", \"field\": \"a\", \"value\": \"\"", "{\"a\": \"\"}", true},
        {"\"starts_with\", \"field\": \"a\", \"value\": \"he\"", "{\"a\": [\"hello\"]}", false},
        {"\"starts_with\", \"field\": \"a\", \"value\": \"HE\", \"ignore_case\": true",
         "{\"a\": \"hello\"}", true},
        {"\"starts_with\", \"field\": \"a\", \"value\": \"hellos\", \"ignore_case\": true",
         "{\"a\": \"hello\"}", false},
        {"\"ends_with\", \"field\": \"a\", \"value\": \"llo\"", "{\"a\": \"hello\"}", true},
        {"\"ends_with\", \"field\": \"a\", \"value\": \"hell\"", "{\"a\": \"hello\"}", false},
        {"\"ends_with\", \"field\": \"a\", \"value\": \"LO\", \"ignore_case\": true",
         "{\"a\": \"hello\"}", true},
        {"\"ends_with\", \"field\": \"a\", \"value\": \"aLO\", \"ignore_case\": true",
         "{\"a\": \"lo\"}", false},
        {"\"exists\", \"field\": \"a\"", "{\"a\": null}", true},
        {"\"exists\", \"field\": \"a\"", "{\"b\": 1}", false},
        {"\"exists\", \"field\": \"a.b\"", "{\"a\": {\"b\": 1}}", true},
        {"\"exists\", \"field\": \"a.2\"", "{\"a\": [1, 2]}", false},
    };
    CHECK_ROWS(rows);
}

TEST(logic) {
#define A1 "{\"op\": \"eq\", \"field\": \"a\", \"value\": 1}"
#define B1 "{\"op\": \"eq\", \"field\": \"b\", \"value\": 1}"
    static const struct row rows[] = {
        {"\"and\", \"conditions\": []", "{}", true},
        {"\"or\", \"conditions\": []", "{}", false},
        {"\"and\", \"conditions\": [" A1 ", " B1 "]", "{\"a\": 1, \"b\": 1}", true},
        {"\"and\", \"conditions\": [" A1 ", " B1 "]", "{\"a\": 1, \"b\": 2}", false},
        {"\"or\", \"conditions\": [" A1 ", " B1 "]", "{\"a\": 0, \"b\": 1}", true},
        {"\"or\", \"conditions\": [" A1 ", " B1 "]", "{\"a\": 0, \"b\": 2}", false},
        {"\"not\", \"condition\": " A1, "{\"a\": 1}", false},
        {"\"not\", \"condition\": " A1, "{}", true},
        {"\"not\", \"condition\": {\"op\": \"or\", \"conditions\": [" A1 ", " B1 "]}", "{\"a\": 2}",
         true},
        {"\"not\", \"condition\": {\"op\": \"lt\", \"field\": \"a\", \"value\": 1}",
         "{\"a\": \"x\"}", true},
    };
    CHECK_ROWS(rows);
}
