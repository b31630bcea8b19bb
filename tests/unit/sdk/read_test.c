// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "base/random.h"
#include "fake_host.h"

#define SAMPLE                                                                                     \
    "{\"name\": \"Ada\", \"address\": {\"city\": \"Paris\", \"zip\": 75001}, \"lines\": "          \
    "[{\"quantity\": 2}, {\"quantity\": 3}], \"big\": {\"$numberLong\": \"9007199254740993\"}, "   \
    "\"half\": 1.5, \"whole\": 4.0, \"yes\": true, \"huge\": 1e300, \"when\": {\"$date\": "        \
    "{\"$numberLong\": \"17\"}}, \"nothing\": null, \"n\": 1, \"na\": 2}"

TEST(paths_are_followed) {
    struct pk_document document = document_of(bson_of(SAMPLE));
    CHECK(pk_text_is(pk_get_text(document, "name"), "Ada"));
    CHECK(pk_text_is(pk_get_text(document, "address.city"), "Paris"));
    CHECK_EQUAL(75001, pk_get_int(document, "address.zip", 0));
    CHECK_EQUAL(3, pk_get_int(document, "lines.1.quantity", 0));
    CHECK_EQUAL(1, pk_get_int(document, "n", 0));
    CHECK_EQUAL(2, pk_get_int(document, "na", 0));
    CHECK_EQUAL(PK_MISSING, pk_get(document, "lines.2.quantity").type);
    CHECK_EQUAL(PK_MISSING, pk_get(document, "name.x").type);
    CHECK_EQUAL(PK_MISSING, pk_get(document, "nam").type);
    CHECK_EQUAL(PK_MISSING, pk_get(document, "").type);
    CHECK_EQUAL(PK_MISSING, pk_get((struct pk_document){NULL, 0}, "name").type);
    CHECK_EQUAL(PK_TYPE_NULL, pk_get(document, "nothing").type);
    CHECK_EQUAL(PK_TYPE_ARRAY, pk_get(document, "lines").type);
    CHECK_EQUAL(17, pk_get(document, "when").integer);
}

// Names are compared in words of eight bytes: every length up to three of them, each among names
// that differ in the last byte or are one byte longer or shorter, wherever in the document.
TEST(names_of_every_length_are_told_apart) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
    for (size_t size = 1; size <= 24; size++) {
        char name[32], longer[32], other[32], shorter[32];
        snprintf(name, sizeof name, "%.*s", (int)size, letters);
        snprintf(longer, sizeof longer, "%.*s", (int)size + 1, letters);
        snprintf(shorter, sizeof shorter, "%.*s", (int)size - 1, letters);
        snprintf(other, sizeof other, "%.*s#", (int)size - 1, letters);
        const char *names[] = {longer, other, name, shorter};
        for (size_t last = 0; last < 4; last++) {
            struct pk_builder *builder = pk_document_begin();
            for (size_t i = 0; i < 4; i++)
                if (i != last) pk_add_int(builder, names[i], (int64_t)i);
            pk_add_bool(builder, names[last], true); // a short end
            struct pk_document document = pk_document_end(builder);
            for (size_t i = 0; i < 4; i++) {
                struct pk_value value = pk_get(document, names[i]);
                CHECK_EQUAL(i == last ? PK_TYPE_BOOL : PK_TYPE_INT64, value.type);
                CHECK_EQUAL(i == last ? 1 : (int64_t)i, value.integer);
            }
            CHECK_EQUAL(PK_MISSING, pk_get(document, "~").type);
        }
    }
}

TEST(typed_readers_fall_back) {
    struct pk_document document = document_of(bson_of(SAMPLE));
    CHECK(pk_get_text(document, "n").data == NULL);
    CHECK_EQUAL(9007199254740993, pk_get_int(document, "big", 0));
    CHECK_EQUAL(4, pk_get_int(document, "whole", 0));
    CHECK_EQUAL(-1, pk_get_int(document, "half", -1));
    CHECK_EQUAL(-1, pk_get_int(document, "huge", -1));
    CHECK_EQUAL(-1, pk_get_int(document, "name", -1));
    CHECK(pk_get_double(document, "half", 0) == 1.5);
    CHECK(pk_get_double(document, "n", 0) == 1);
    CHECK(pk_get_double(document, "name", 7) == 7);
    CHECK(pk_get_bool(document, "yes", false));
    CHECK(pk_get_bool(document, "n", true));
    CHECK(pk_get_document(document, "address").data != NULL);
    CHECK(pk_get_document(document, "lines").data != NULL);
    CHECK(pk_get_document(document, "name").data == NULL);
}

TEST(iteration_gives_fields_in_order) {
    struct pk_iterator iterator = pk_iterate(document_of(bson_of("{\"b\": 1, \"a\": \"x\"}")));
    struct pk_text name;
    struct pk_value value;
    CHECK(pk_next(&iterator, &name, &value) && pk_text_is(name, "b") && value.integer == 1);
    CHECK(pk_next(&iterator, &name, &value) && pk_text_is(name, "a"));
    CHECK(pk_text_is(value.text, "x"));
    CHECK(!pk_next(&iterator, &name, &value));
    CHECK(!pk_next(&iterator, &name, &value));
}

// Touches everything that reading finds.
static uint64_t read_all(struct pk_document document, int depth) {
    struct pk_iterator iterator = pk_iterate(document);
    struct pk_text name;
    struct pk_value value;
    uint64_t sum = 0;
    while (pk_next(&iterator, &name, &value)) {
        for (size_t i = 0; i < name.size; i++) sum += (uint8_t)name.data[i];
        for (size_t i = 0; i < value.text.size; i++) sum += (uint8_t)value.text.data[i];
        if (value.document.data != NULL && depth < 10) sum += read_all(value.document, depth + 1);
    }
    return sum;
}

TEST(damaged_documents_are_never_read_beyond) {
    struct bytes sample = bson_of(SAMPLE);
    struct random_seeded random;
    random_seeded_init(&random, test_seed());
    for (int i = 0; i < 20000; i++) {
        size_t size = i % 2 == 0 ? sample.size : random_below(&random.source, sample.size);
        uint8_t *copy = malloc(size + 1); // tight but for the byte that makes it not empty
        CHECK(copy != NULL);
        uint8_t *data = copy + 1;
        memcpy(data, sample.data, size);
        for (uint64_t count = random_below(&random.source, 4); count > 0 && size > 0; count--)
            data[random_below(&random.source, size)] = (uint8_t)random_u64(&random.source);
        struct pk_document document = {data, size};
        read_all(document, 0);
        pk_get(document, "lines.1.quantity");
        free(copy);
    }
}
