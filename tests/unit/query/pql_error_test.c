// SPDX-License-Identifier: Apache-2.0
// What PQL refuses: the exact message with its place.
#include "fixture.h"

static const struct {
    const char *text, *message;
} rows[] = {
    {"", "line 1, column 1: a store is expected, but the query ends here"},
    {"prodcts.count()", "line 1, column 1: there is no store 'prodcts' (did you mean 'products'?)"},
    {"products", ""},
    {"products.", "line 1, column 10: a clause is expected, but the query ends here"},
    {"products.filtr(price > 5)",
     "line 1, column 10: unknown clause 'filtr' (did you mean 'filter'?)"},
    {"products.filter(price > )", "line 1, column 25: an expression is expected, not )"},
    {"products.filter()", "line 1, column 17: a condition is expected, not )"},
    {"products.filter(price > 5", "line 1, column 26: ')' is expected, but the query ends here"},
    {"products.filter(price > 5))",
     "line 1, column 27: '.' and a clause, or the end, is expected, not )"},
    {"products.filter(price => 5)", "line 1, column 24: an expression is expected, not >"},
    {"products.filter(price == 5)", "line 1, column 24: an expression is expected, not ="},
    {"products.filter(\n  name = \"a\n\")",
     "line 2, column 10: a line break in a string: write \\n"},
    {"products.filter(name = \"a)", "line 1, column 24: the string that begins here has no end"},
    {"products.filter(name = \"\\q\")", "line 1, column 25: unknown escape in a string"},
    {"products.filter(name = \"\\u00\")",
     "line 1, column 25: four hexadecimal digits are expected after \\u"},
    {"products.filter(price > 9223372036854775808)",
     "line 1, column 25: the integer does not fit into 64 bits"},
    {"products.filter(price > 99999999999999999999)",
     "line 1, column 25: the integer does not fit into 64 bits"},
    {"products.filter(price > -9223372036854775808)", ""},
    {"products.filter(price > 1e999)", "line 1, column 25: the number is too large for a double"},
    {"products.filter(price > 12abc)",
     "line 1, column 25: a number cannot be followed by a letter"},
    {"products.filter(lenght(name) > 3)",
     "line 1, column 17: unknown function 'lenght' (did you mean 'length'?)"},
    {"products.filter(length() > 3)", "line 1, column 24: length takes 1 argument, not 0"},
    {"products.filter(round(price, 1, 2) > 3)",
     "line 1, column 23: round takes 1 to 2 arguments, not 3"},
    {"products.filter(price in 3)", "line 1, column 26: a list in brackets is expected, not 3"},
    {"products.filter(price in [1, 2)", "line 1, column 31: ',' or ']' is expected, not )"},
    {"products.filter(price not 3)", "line 1, column 27: in, between, contains, startsWith, "
                                     "endsWith, exists or ~ is expected, not 3"},
    {"products.filter(price between 1 or 2)", "line 1, column 33: 'and' is expected, not or"},
    {"products.filter(price between stock and 2)",
     "line 1, column 31: between takes constants: write >= and <= for fields"},
    {"products.filter(price > 5 and)", "line 1, column 30: an expression is expected, not )"},
    {"products.filter(price is 5)", "line 1, column 26: 'null' is expected, not 5"},
    {"products.filter(5)", "line 1, column 17: a condition is expected, not int64"},
    {"products.filter(price = $1)", "line 1, column 25: there is no parameter $1"},
    {"products.filter(price = :low)", "line 1, column 25: there is no parameter :low"},
    {"products.filter(date(\"2026-02-30\") < at)",
     "line 1, column 22: not a date: YYYY-MM-DD, YYYY-MM-DDThh:mm:ssZ or with an offset"},
    {"products.filter(_id = uuid(\"123\"))",
     "line 1, column 28: a key must be a UUID of 36 characters"},
    {"products.filter(price > 9223372036854775807 + 1)",
     "line 1, column 25: add: the result does not fit into 64 bits"},
    {"products.filter(price > 1 / 0)", "line 1, column 25: divide: division by zero"},
    {"products.filter(price > 1 # comment)", "line 1, column 27: unexpected character '#'"},
    {"products /* no end", "line 1, column 10: the comment that begins here has no end"},
    {"products.orderBy(price up)", "line 1, column 24: ')' is expected, not up"},
    {"products.orderBy()", "line 1, column 18: a field is expected, not )"},
    {"products.orderBy(price, price)", "sort[1]: the field is sorted by already"},
    {"products.limit(0)", "line 1, column 16: an integer of at least 1 is expected"},
    {"products.limit(\"5\")", "line 1, column 16: an integer of at least 1 is expected"},
    {"products.skip(-1)", "line 1, column 15: an integer of at least 0 is expected"},
    {"products.select(price * 2)", "line 1, column 26: 'as' and a name is expected, not )"},
    {"products.select()", "line 1, column 17: an expression is expected, not )"},
    {"products.select(price, price)", "stages[0].fields[1].name: 'price' is there already"},
    {"products.groupBy()", "line 1, column 18: a key or an aggregate is expected, not )"},
    {"products.groupBy(sum(price), name)",
     "line 1, column 30: an aggregate (keys stand before them) is expected, not name"},
    {"products.groupBy(name, sum())", "line 1, column 28: an expression is expected, not )"},
    {"products.having(n > 2)", "line 1, column 10: having stands behind groupBy only"},
    {"products.unwind(1)", "line 1, column 17: a field is expected, not 1"},
    {"products.join(prodcts on a = b)",
     "line 1, column 15: there is no store 'prodcts' (did you mean 'products'?)"},
    {"products.join(products on a > b)",
     "line 1, column 29: on takes: a field of the rows = a field of 'products'"},
    {"products.count().limit(3)", "line 1, column 18: nothing may follow what ends the query"},
    {"products.limit(3).get(3)", "line 1, column 19: get stands directly behind the store"},
    {"products.get(\"x\")", "line 1, column 14: the store's key is an int32 or int64, not string"},
    {"products.delete()",
     "line 1, column 10: delete needs a filter; filter(true) means all documents"},
    {"products.select(name).delete()",
     "line 1, column 23: delete follows get, filter, orderBy, skip and limit only"},
    {"products.filter(true).set({_id: 3})", "line 1, column 27: _id cannot be changed"},
    {"products.filter(true).set(3)", "line 1, column 27: a document is expected, not int64"},
    {"products.insert([1])", "line 1, column 17: a document is expected, not array"},
    {"products.limit(200000)", "limit: 1 to 100000, not 200000"},
    {"products.groupBy(count()).after(null)",
     "line 1, column 27: after stands once, and before anything that makes new rows"},
    {"products.filter(name ~ \"a\")",
     "line 1, column 24: a regular expression is expected: /pattern/flags"},
    {"products.filter(name ~ /a)",
     "line 1, column 24: the regular expression that begins here has no end"},
    {"products.filter(name ~ /(a/)",
     "line 1, column 24: regular expression, at 2: missing closing parenthesis"},
    {"products.filter(name ~ /a/g)",
     "line 1, column 24: the flags of a regular expression are i, m, s and x"},
    {"products.insert({a: 1, a: 2})", "line 1, column 24: the member 'a' occurs twice"},
};

static const char *refusal(struct database *database, const char *text) {
    struct view view;
    static struct arena arena;
    static struct error error;
    struct doc_value none = {.type = DOC_MISSING};
    struct pql pql;
    struct query *query;
    error = (struct error){0};
    CHECK_OK(view_begin(database->reader, READ_LATEST, &view));
    enum status status =
        pql_parse(bytes_of_string(text), &none, view_catalog(&view), &arena, &pql, &error);
    if (status == STATUS_OK && pql.kind <= PQL_COUNT) {
        status = query_prepare(&view, pql.form, pql.kind == PQL_COUNT, &arena, &query, &error);
        if (status == STATUS_OK) query_close(query);
    }
    view_end(&view);
    CHECK((status == STATUS_OK) == (error.message[0] == '\0'));
    return error.message;
}

TEST(refused_texts_say_where_and_why) {
    struct database database;
    bool failed = false;
    database_open(&database);
    database_store(&database, "products", KEY_INT64);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *message = refusal(&database, rows[i].text);
        if (strcmp(message, rows[i].message) == 0) continue;
        fprintf(stderr, "%s\n    says     %s\n    expected %s\n", rows[i].text, message,
                rows[i].message);
        failed = true;
    }
    CHECK(!failed);
    database_close(&database);
}
