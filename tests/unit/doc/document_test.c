// SPDX-License-Identifier: Apache-2.0
#include "fixture.h"

static struct doc_value get(struct bytes document, const char *name) {
    return doc_get(document, bytes_of_string(name));
}

TEST(get_finds_each_type) {
    struct bytes document = fixture_document(
        "{\"double\": 1.5, \"string\": \"text\", \"document\": {\"x\": 1}, \"array\": [1, 2],"
        " \"binary\": {\"$binary\": {\"base64\": \"AQID\", \"subType\": \"80\"}},"
        " \"oid\": {\"$oid\": \"0102030405060708090a0b0c\"}, \"yes\": true, \"no\": false,"
        " \"date\": {\"$date\": {\"$numberLong\": \"-5\"}}, \"null\": null,"
        " \"regex\": {\"$regularExpression\": {\"pattern\": \"a.b\", \"options\": \"i\"}},"
        " \"int32\": -7, \"timestamp\": {\"$timestamp\": {\"t\": 2, \"i\": 1}},"
        " \"int64\": {\"$numberLong\": \"-5000000000\"},"
        " \"decimal\": {\"$numberDecimal\": \"1\"},"
        " \"min\": {\"$minKey\": 1}, \"max\": {\"$maxKey\": 1}, \"last\": \"\"}");
    CHECK_OK(doc_validate(document, NULL));
    CHECK(get(document, "double").type == DOC_DOUBLE && get(document, "double").number == 1.5);
    CHECK(get(document, "string").type == DOC_STRING);
    CHECK_BYTES("text", get(document, "string").payload);
    CHECK(get(document, "document").type == DOC_DOCUMENT);
    CHECK_EQUAL(1, get(get(document, "document").payload, "x").integer);
    CHECK(get(document, "array").type == DOC_ARRAY);
    CHECK_EQUAL(2, get(get(document, "array").payload, "1").integer);
    CHECK(get(document, "binary").type == DOC_BINARY);
    CHECK_EQUAL(0x80, get(document, "binary").binary_subtype);
    CHECK_BYTES("\1\2\3", get(document, "binary").payload);
    CHECK(get(document, "oid").type == DOC_OBJECT_ID && get(document, "oid").payload.size == 12);
    CHECK_EQUAL(12, get(document, "oid").payload.data[11]);
    CHECK(get(document, "yes").type == DOC_BOOL && get(document, "yes").boolean);
    CHECK(get(document, "no").type == DOC_BOOL && !get(document, "no").boolean);
    CHECK(get(document, "date").type == DOC_DATE && get(document, "date").integer == -5);
    CHECK(get(document, "null").type == DOC_NULL);
    CHECK(get(document, "regex").type == DOC_REGEX);
    CHECK(bytes_equal(get(document, "regex").payload, bytes_of("a.b\0i\0", 6)));
    CHECK(get(document, "int32").type == DOC_INT32 && get(document, "int32").integer == -7);
    CHECK(get(document, "timestamp").type == DOC_TIMESTAMP);
    CHECK_EQUAL((2LL << 32) + 1, get(document, "timestamp").integer);
    CHECK(get(document, "int64").type == DOC_INT64);
    CHECK_EQUAL(-5000000000, get(document, "int64").integer);
    CHECK(get(document, "decimal").type == DOC_DECIMAL128);
    CHECK_EQUAL(16, get(document, "decimal").payload.size);
    CHECK(get(document, "min").type == DOC_MIN_KEY);
    CHECK(get(document, "max").type == DOC_MAX_KEY);
    CHECK_BYTES("", get(document, "last").payload);
    CHECK(get(document, "absent").type == DOC_MISSING);
    CHECK(get(document, "").type == DOC_MISSING);
    CHECK(get(document, "int").type == DOC_MISSING);
    CHECK(get(document, "int320").type == DOC_MISSING);
    CHECK(doc_get(document, bytes_of("int32\0\xf9", 7)).type == DOC_MISSING);
}

TEST(get_gives_the_first_of_duplicates) {
    CHECK_EQUAL(1, get(fixture_document("{\"a\": 1, \"a\": 2}"), "a").integer);
}

TEST(get_finds_names_of_every_length) {
    struct buffer buffer = {0};
    struct doc_builder builder;
    char name[64] = "";
    doc_builder_begin(&builder, &buffer);
    for (int length = 0; length < 60; length++) {
        doc_add_int(&builder, name, length);
        name[length] = 'n';
    }
    CHECK_OK(doc_builder_finish(&builder));
    memset(name, 0, sizeof name);
    for (int length = 0; length < 60; length++) {
        CHECK_EQUAL(length, get(buffer_bytes(&buffer), name).integer);
        name[length] = 'n';
    }
    CHECK(get(buffer_bytes(&buffer), name).type == DOC_MISSING);
    buffer_done(&buffer);
}

TEST(iteration_gives_all_in_order) {
    struct bytes document = fixture_document("{\"a\": 1, \"b\": \"x\", \"c\": [true]}");
    struct doc_iterator iterator;
    struct bytes name;
    struct doc_value value;
    doc_iterate(&iterator, document);
    CHECK(doc_next(&iterator, &name, &value));
    CHECK_BYTES("a", name);
    CHECK_EQUAL(1, value.integer);
    CHECK(doc_next(&iterator, &name, &value));
    CHECK_BYTES("b", name);
    CHECK_BYTES("x", value.payload);
    CHECK(doc_next(&iterator, &name, &value));
    CHECK_BYTES("c", name);
    CHECK(value.type == DOC_ARRAY);
    CHECK(!doc_next(&iterator, &name, &value));
    CHECK(!doc_next(&iterator, &name, &value));
    doc_iterate(&iterator, bytes_of(NULL, 0));
    CHECK(!doc_next(&iterator, &name, &value));
}

TEST(typed_reading) {
    struct bytes document = fixture_document(
        "{\"i\": 5, \"l\": {\"$numberLong\": \"6\"}, \"d\": 7.0, \"half\": 7.5,"
        " \"huge\": {\"$numberDouble\": \"9223372036854775808\"},"
        " \"least\": {\"$numberDouble\": \"-9223372036854775808\"},"
        " \"nan\": {\"$numberDouble\": \"NaN\"}, \"b\": true, \"s\": \"x\", \"o\": {}, \"a\": [],"
        " \"bin\": {\"$binary\": {\"base64\": \"AQ==\", \"subType\": \"00\"}}}");
    int64_t integer = -1;
    bool boolean = false;
    struct bytes bytes = {0};
    CHECK(doc_get_int(document, "i", &integer) && integer == 5);
    CHECK(doc_get_int(document, "l", &integer) && integer == 6);
    CHECK(doc_get_int(document, "d", &integer) && integer == 7);
    CHECK(doc_get_int(document, "least", &integer) && integer == INT64_MIN);
    CHECK(!doc_get_int(document, "half", &integer));
    CHECK(!doc_get_int(document, "huge", &integer));
    CHECK(!doc_get_int(document, "nan", &integer));
    CHECK(!doc_get_int(document, "s", &integer));
    CHECK(!doc_get_int(document, "none", &integer));
    CHECK(integer == INT64_MIN); // untouched by the failures
    CHECK(doc_get_bool(document, "b", &boolean) && boolean);
    CHECK(!doc_get_bool(document, "i", &boolean));
    CHECK(doc_get_string(document, "s", &bytes));
    CHECK_BYTES("x", bytes);
    CHECK(!doc_get_string(document, "i", &bytes));
    CHECK(doc_get_document(document, "o", &bytes) && bytes.size == DOC_EMPTY_SIZE);
    CHECK(!doc_get_document(document, "a", &bytes));
    CHECK(doc_get_array(document, "a", &bytes));
    CHECK(!doc_get_array(document, "o", &bytes));
    CHECK(doc_get_binary(document, "bin", &bytes));
    CHECK_BYTES("\1", bytes);
    CHECK(!doc_get_binary(document, "s", &bytes));
}

TEST(type_names) {
    CHECK(strcmp(doc_type_name(DOC_INT64), "int64") == 0);
    CHECK(strcmp(doc_type_name(DOC_MISSING), "missing") == 0);
    CHECK(strcmp(doc_type_name((enum doc_type)0x55), "unknown") == 0);
}

// Copies to memory of exactly the size, so that the address sanitizer sees every read outside.
static void read_hostile(const uint8_t *data, size_t size) {
    uint8_t *exact = malloc(size + (size == 0));
    CHECK(exact != NULL);
    memcpy(exact, data, size);
    struct bytes document = bytes_of(exact, size);
    doc_get(document, bytes_of_string("nothing"));
    doc_get_path(document, bytes_of_string("a.1.b"));
    doc_get_path(document, bytes_of_string("d.x.y"));
    struct doc_iterator iterator;
    struct bytes name;
    struct doc_value value;
    size_t read = 0;
    for (doc_iterate(&iterator, document); doc_next(&iterator, &name, &value);)
        for (size_t i = 0; i < value.payload.size; i++) read += value.payload.data[i];
    CHECK(read < SIZE_MAX);
    free(exact);
}

TEST(hostile_documents_are_not_read_outside) {
    struct bytes document = fixture_document(
        "{\"a\": [1, {\"b\": \"text\"}], \"d\": {\"x\": {\"y\": 1}},"
        " \"r\": {\"$regularExpression\": {\"pattern\": \"a\", \"options\": \"i\"}},"
        " \"n\": {\"$binary\": {\"base64\": \"AQID\", \"subType\": \"80\"}}}");
    static const uint8_t bytes[] = {0x00, 0x01, 0x02, 0x05, 0x0b, 0x7f, 0x80, 0xff};
    uint8_t copy[512];
    CHECK(document.size < sizeof copy);
    for (size_t size = 0; size <= document.size; size++) read_hostile(document.data, size);
    for (size_t place = 0; place < document.size; place++)
        for (size_t i = 0; i < sizeof bytes; i++) {
            memcpy(copy, document.data, document.size);
            copy[place] = bytes[i];
            read_hostile(copy, document.size);
        }
}
