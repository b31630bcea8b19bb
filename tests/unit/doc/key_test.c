// SPDX-License-Identifier: Apache-2.0
#include "fixture.h"

static struct key from_value(enum key_type type, struct doc_value value) {
    struct key key;
    CHECK_OK(key_from_value(type, &value, &key, NULL));
    return key;
}

static struct key from_text(enum key_type type, const char *text) {
    struct key key;
    CHECK_OK(key_from_text(type, bytes_of_string(text), &key, NULL));
    return key;
}

TEST(integer_keys_keep_their_order) {
    static const int64_t integers[] = {INT64_MIN, INT64_MIN + 1, -256, -1,       0,
                                       1,         255,           256,  INT64_MAX};
    struct key last;
    for (size_t i = 0; i < sizeof integers / sizeof integers[0]; i++) {
        uint8_t storage[16];
        char text[32];
        struct key key = from_value(KEY_INT64, doc_value_int(integers[i]));
        if (i > 0) CHECK(key_compare(&last, &key) < 0);
        struct doc_value back = key_to_value(KEY_INT64, &key, storage);
        CHECK(back.type == DOC_INT64 && back.integer == integers[i]);
        snprintf(text, sizeof text, "%lld", (long long)integers[i]);
        struct key same = from_text(KEY_INT64, text);
        CHECK_EQUAL(0, key_compare(&key, &same));
        last = key;
    }
    struct key small = from_value(KEY_INT64, fixture_value("7"));
    struct key large = from_value(KEY_INT64, fixture_value("{\"$numberLong\": \"7\"}"));
    CHECK_EQUAL(0, key_compare(&small, &large));
}

TEST(string_keys_keep_their_order) {
    static const struct bytes texts[] = {
        {(const uint8_t *)"", 0},
        {(const uint8_t *)"\0", 1},
        {(const uint8_t *)"\0\0", 2},
        {(const uint8_t *)"a", 1},
        {(const uint8_t *)"a\0", 2},
        {(const uint8_t *)"a\0b", 3},
        {(const uint8_t *)"a\1", 2},
        {(const uint8_t *)"aa", 2},
        {(const uint8_t *)"aaaaaaaaaaaaaaa", 15},
        {(const uint8_t *)"b", 1},
    };
    struct key last;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        uint8_t storage[16];
        struct key key = from_value(KEY_STRING, doc_value_string(texts[i]));
        if (i > 0) CHECK(key_compare(&last, &key) < 0);
        struct doc_value back = key_to_value(KEY_STRING, &key, storage);
        CHECK(back.type == DOC_STRING && bytes_equal(back.payload, texts[i]));
        last = key;
    }
    struct key key;
    struct error error = {0};
    CHECK_STATUS(STATUS_INVALID,
                 key_from_text(KEY_STRING, bytes_of_string("aaaaaaaaaaaaaaaa"), &key, &error));
    CHECK(strstr(error.message, "15") != NULL);
    CHECK_STATUS(STATUS_INVALID, key_from_text(KEY_STRING, bytes_of_string("\xff"), &key, NULL));
}

TEST(uuid_keys) {
    struct doc_value uuid = fixture_value(
        "{\"$binary\": {\"base64\": \"AQIDBAUGBwgJCgsMDQ4PEA==\", \"subType\": \"04\"}}");
    uint8_t storage[16];
    struct key key = from_value(KEY_UUID, uuid);
    struct key same = from_text(KEY_UUID, "01020304-0506-0708-090A-0b0c0d0e0f10");
    CHECK_EQUAL(0, key_compare(&key, &same));
    struct doc_value back = key_to_value(KEY_UUID, &key, storage);
    CHECK_EQUAL(0, doc_compare(&back, &uuid));
    uuid.binary_subtype = 3;
    CHECK_STATUS(STATUS_INVALID, key_from_value(KEY_UUID, &uuid, &key, NULL));
    uuid.binary_subtype = 4;
    uuid.payload.size = 15;
    CHECK_STATUS(STATUS_INVALID, key_from_value(KEY_UUID, &uuid, &key, NULL));
}

TEST(object_id_keys) {
    struct doc_value id = fixture_value("{\"$oid\": \"0102030405060708090a0bfF\"}");
    uint8_t storage[16];
    struct key key = from_value(KEY_OBJECT_ID, id);
    struct key same = from_text(KEY_OBJECT_ID, "0102030405060708090a0bfF");
    CHECK_EQUAL(0, key_compare(&key, &same));
    struct doc_value back = key_to_value(KEY_OBJECT_ID, &key, storage);
    CHECK_EQUAL(0, doc_compare(&back, &id));
}

TEST(values_of_other_types_are_refused) {
    static const char *const values[] = {"1.0", "null", "\"text\"", "7",
                                         "{\"$oid\": \"000000000000000000000000\"}"};
    static const enum key_type types[] = {0, 0, KEY_STRING, KEY_INT64, KEY_OBJECT_ID};
    for (int type = KEY_UUID; type <= KEY_STRING; type++)
        for (size_t i = 0; i < 5; i++) {
            struct key key;
            struct error error = {0};
            struct doc_value value = fixture_value(values[i]);
            enum status expected = types[i] == (enum key_type)type ? STATUS_OK : STATUS_INVALID;
            CHECK_STATUS(expected, key_from_value((enum key_type)type, &value, &key, &error));
            if (expected == STATUS_INVALID)
                CHECK(strstr(error.message, doc_type_name(value.type)) != NULL);
        }
    struct doc_value missing = {0};
    struct key key;
    CHECK_STATUS(STATUS_INVALID, key_from_value(KEY_UUID, &missing, &key, NULL));
}

TEST(texts_that_are_no_keys) {
    static const struct {
        enum key_type type;
        const char *text;
    } rows[] = {
        {KEY_INT64, ""},
        {KEY_INT64, "-"},
        {KEY_INT64, "+1"},
        {KEY_INT64, "01"},
        {KEY_INT64, "-0"},
        {KEY_INT64, "1 "},
        {KEY_INT64, "1x"},
        {KEY_INT64, "9223372036854775808"},
        {KEY_INT64, "-9223372036854775809"},
        {KEY_INT64, "99999999999999999999"},
        {KEY_UUID, ""},
        {KEY_UUID, "01020304-0506-0708-090a-0b0c0d0e0f1"},
        {KEY_UUID, "01020304-0506-0708-090a-0b0c0d0e0f1g"},
        {KEY_OBJECT_ID, "0102030405060708090a0b0"},
        {KEY_OBJECT_ID, "0102030405060708090a0b0c0d"},
        {KEY_OBJECT_ID, "0102030405060708090a0b0x"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct key key;
        struct error error = {0};
        CHECK_STATUS(STATUS_INVALID,
                     key_from_text(rows[i].type, bytes_of_string(rows[i].text), &key, &error));
        CHECK(error.message[0] != '\0');
    }
}

TEST(key_type_names) {
    for (int type = KEY_UUID; type <= KEY_STRING; type++) {
        enum key_type parsed;
        CHECK(key_type_parse(bytes_of_string(key_type_name((enum key_type)type)), &parsed));
        CHECK_EQUAL(type, parsed);
    }
    enum key_type parsed;
    CHECK(!key_type_parse(bytes_of_string("int32"), &parsed));
    CHECK(!key_type_parse(bytes_of_string(""), &parsed));
}
