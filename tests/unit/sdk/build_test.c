// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"
#include "fake_host.h"

static void check_document(struct pk_document document, const char *json) {
    CHECK_BYTES(json_of(bson_of(json)), bytes_of_string(json_of(bytes_of_document(document))));
}

TEST(builder_writes_every_type) {
    struct pk_builder *builder = pk_document_begin();
    pk_add_text(builder, "text", PK_TEXT("é"));
    pk_add_text(builder, "absent", (struct pk_text){NULL, 0});
    pk_add_int(builder, "int", INT64_MIN);
    pk_add_double(builder, "double", -2.5);
    pk_add_bool(builder, "bool", true);
    pk_add_null(builder, "null");
    pk_add_date(builder, "date", 1709210096789);
    pk_add_key(builder, "key", pk_key_text(PK_TEXT("k")));
    pk_add_key(builder, "number", pk_key_int(7));
    struct pk_document document = pk_document_end(builder);
    check_document(document, "{\"text\": \"é\", \"absent\": null, \"int\": {\"$numberLong\": "
                             "\"-9223372036854775808\"}, \"double\": -2.5, \"bool\": true, "
                             "\"null\": null, \"date\": {\"$date\": \"2024-02-29T12:34:56.789Z\"}, "
                             "\"key\": \"k\", \"number\": {\"$numberLong\": \"7\"}}");
    CHECK_EQUAL(PK_TYPE_INT64, pk_get(document, "number").type);
}

TEST(builder_nests) {
    struct pk_builder *inner = pk_document_begin();
    struct pk_builder *builder = pk_document_begin();
    pk_begin_array(builder, "lines");
    for (int i = 0; i < 12; i++) {
        pk_begin_document(builder, NULL);
        pk_add_int(builder, "n", i);
        pk_end(builder);
        pk_add_int(inner, "i", i); // both grow at the same time
    }
    pk_end(builder);
    struct pk_document part = pk_document_end(inner);
    pk_add_document(builder, "part", part);
    pk_add_array(builder, "none", (struct pk_document){NULL, 0});
    pk_begin_document(builder, "empty");
    pk_end(builder);
    struct pk_document document = pk_document_end(builder);
    CHECK_OK(doc_validate(bytes_of_document(document), NULL));
    for (int i = 0; i < 12; i++) {
        char path[32];
        snprintf(path, sizeof path, "lines.%d.n", i);
        CHECK_EQUAL(i, pk_get_int(document, path, -1));
    }
    CHECK_EQUAL(PK_TYPE_ARRAY, pk_get(document, "none").type);
    CHECK_EQUAL(5, pk_get_document(document, "empty").size);
    CHECK_EQUAL(part.size, pk_get_document(document, "part").size);
}

// Every value of every type, through pk_get and pk_add_value, is the same again.
TEST(values_are_copied_as_they_are) {
    struct bytes source = bson_of(
        "{\"_id\": {\"$binary\": {\"base64\": \"AYkKXayWd0u8zrMCCZqAVw==\", \"subType\": \"04\"}},"
        " \"i\": {\"$numberInt\": \"-5\"}, \"l\": {\"$numberLong\": \"5\"}, \"d\": 1.0,"
        " \"n\": {\"$numberDouble\": \"NaN\"}, \"o\": {\"$oid\": \"0123456789abcdef01234567\"},"
        " \"b\": {\"$binary\": {\"base64\": \"/+8=\", \"subType\": \"00\"}}, \"f\": false,"
        " \"e\": {\"$numberDecimal\": \"1.5\"}, \"m\": {\"$minKey\": 1}, \"M\": {\"$maxKey\": 1},"
        " \"r\": {\"$regularExpression\": {\"pattern\": \"a\", \"options\": \"i\"}},"
        " \"t\": {\"$timestamp\": {\"t\": 1, \"i\": 2}}, \"D\": {\"$date\": {\"$numberLong\": "
        "\"-1\"}}, \"s\": \"\", \"x\": {}, \"z\": [true, null, {\"q\": []}]}");
    struct pk_builder *builder = pk_document_begin();
    struct pk_iterator iterator = pk_iterate(document_of(source));
    struct pk_text name;
    struct pk_value value;
    while (pk_next(&iterator, &name, &value)) {
        char text[16];
        snprintf(text, sizeof text, "%.*s", (int)name.size, name.data);
        pk_add_value(builder, text, value);
    }
    pk_add_value(builder, "missing", (struct pk_value){.type = PK_MISSING});
    struct pk_document copy = pk_document_end(builder);
    CHECK(bytes_equal(source, bytes_of_document(copy)));
}

static void add_name(struct pk_builder *builder, struct pk_text text) {
    pk_add_text(builder, "a name of some length", text);
}

TEST(builder_grows) {
    char text[3000];
    memset(text, 'x', sizeof text);
    struct random_seeded random;
    random_seeded_init(&random, test_seed());
    for (int round = 0; round < 100; round++) {
        struct pk_builder *builder = pk_document_begin();
        size_t expected = 5;
        for (int i = 0; i < 40; i++) {
            size_t size = random_below(&random.source, sizeof text);
            add_name(builder, (struct pk_text){text, size});
            if (random_below(&random.source, 2) == 0) memset(pk_allocate(size), 'y', size);
            expected += size + strlen("a name of some length") + 7;
        }
        struct pk_document document = pk_document_end(builder);
        CHECK_EQUAL(expected, document.size);
        CHECK_OK(doc_validate(bytes_of_document(document), NULL));
    }
}

// ---- misuse -------------------------------------------------------------------------------------

static void leave_open(struct pk_request *request) {
    struct pk_builder *builder = pk_document_begin();
    pk_begin_array(builder, "a");
    pk_document_end(builder);
}
static void end_too_often(struct pk_request *request) {
    pk_end(pk_document_begin());
}
static void add_after_end(struct pk_request *request) {
    struct pk_builder *builder = pk_document_begin();
    pk_document_end(builder);
    pk_add_int(builder, "a", 1);
}
static void nest(struct pk_request *request) {
    struct pk_builder *builder = pk_document_begin();
    for (int i = 0; i < 32; i++) pk_begin_document(builder, "a");
}
static void leave_out_name(struct pk_request *request) {
    pk_add_int(pk_document_begin(), NULL, 1);
}
static void use_unset_key(struct pk_request *request) {
    pk_add_key(pk_document_begin(), "_id", (struct pk_key){0});
}

TEST(misuse_of_the_builder_ends_the_request) {
    host_run_aborted(leave_open, "pk_document_end: something inside was not ended");
    host_run_aborted(end_too_often, "pk_end: nothing was begun");
    host_run_aborted(add_after_end, "a document that was ended is added to");
    host_run_aborted(nest, "documents are nested too deep");
    host_run_aborted(leave_out_name, "a field without a name");
    host_run_aborted(use_unset_key, "a key that was never set");
}
