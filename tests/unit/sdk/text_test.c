// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"
#include "fake_host.h"

TEST(text_compares) {
    CHECK(pk_text_equal(PK_TEXT("abc"), pk_text_of("abc")));
    CHECK(pk_text_equal(PK_TEXT("abcdefghijkl"), pk_text_of("abcdefghijkl")));
    CHECK(!pk_text_equal(PK_TEXT("abcdefghijkl"), pk_text_of("abcdefghijkm")));
    CHECK(!pk_text_equal(PK_TEXT("abc"), PK_TEXT("ab")));
    CHECK(pk_text_is(PK_TEXT(""), ""));
    CHECK(!pk_text_is((struct pk_text){NULL, 0}, ""));
    CHECK(pk_text_of(NULL).data == NULL);
}

TEST(text_trims) {
    CHECK(pk_text_is(pk_text_trim(PK_TEXT(" \t\r\n a b \v\f")), "a b"));
    CHECK(pk_text_is(pk_text_trim(PK_TEXT("   ")), ""));
}

TEST(text_to_int_takes_only_what_fits) {
    static const struct {
        const char *text;
        bool good;
        int64_t value;
    } table[] = {
        {"0", true, 0},
        {"-1", true, -1},
        {"007", true, 7},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"99999999999999999999999", false, 0},
        {"", false, 0},
        {"-", false, 0},
        {"--1", false, 0},
        {"+1", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"1.0", false, 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        int64_t value = 0;
        bool good = pk_text_to_int(pk_text_of(table[i].text), &value);
        if (good != table[i].good || value != table[i].value)
            test_fail(__FILE__, __LINE__, "\"%s\" is %lld", table[i].text, (long long)value);
    }
}

static void check_uuid(const char *text, bool good) {
    struct pk_key key;
    if (pk_key_uuid(pk_text_of(text), &key) != good)
        test_fail(__FILE__, __LINE__, "\"%s\" is%s taken for a UUID", text, good ? " not" : "");
}

TEST(uuid_is_the_36_character_form) {
    check_uuid("01890a5d-ac96-774b-bcce-b302099a8057", true);
    check_uuid("01890A5D-AC96-774B-BCCE-B302099A8057", true);
    check_uuid("01890a5d-ac96-774b-bcce-b302099a805", false);
    check_uuid("01890a5d-ac96-774b-bcce-b302099a80570", false);
    check_uuid("01890a5d-ac96-774b-bcce-b302099a805g", false);
    check_uuid("01890a5dac96-774b-bcce-b302099a8057--", false);
    check_uuid("01890a5d-ac96-774b-bcce-b302099a80-7", false);
    check_uuid("", false);
}

TEST(uuid_to_text_and_back) {
    struct pk_builder *builder = pk_document_begin();
    struct pk_key key;
    CHECK(pk_key_uuid(PK_TEXT("01890A5D-ac96-774b-bcce-b302099a8057"), &key));
    pk_add_key(builder, "_id", key);
    struct pk_text text = pk_value_to_text(pk_get(pk_document_end(builder), "_id"));
    CHECK_BYTES("01890a5d-ac96-774b-bcce-b302099a8057", bytes_of_text(text));
}

TEST(new_keys_are_version_7_and_in_order) {
    struct pk_key last = pk_key_new();
    for (int i = 0; i < 100; i++) {
        host.now_ns += 1000; // more than the 244 ns that a key tells apart
        struct pk_key key = pk_key_new();
        CHECK(memcmp(last.uuid, key.uuid, 16) < 0);
        CHECK_EQUAL(7, key.uuid[6] >> 4);
        CHECK_EQUAL(2, key.uuid[8] >> 6);
        CHECK_EQUAL(host.now_ns / 1000000, (int64_t)(load_be64(key.uuid) >> 16));
        last = key;
    }
}

TEST(value_to_text_of_other_types) {
    struct pk_document document = document_of(
        bson_of("{\"i\": -5, \"s\": \"x y\", \"d\": 1.5, \"o\": {\"$oid\": "
                "\"0123456789abcdef01234567\"}, \"b\": {\"$binary\": {\"base64\": \"AQI=\", "
                "\"subType\": \"04\"}}}"));
    CHECK(pk_text_is(pk_value_to_text(pk_get(document, "i")), "-5"));
    CHECK(pk_text_is(pk_value_to_text(pk_get(document, "s")), "x y"));
    CHECK(pk_text_is(pk_value_to_text(pk_get(document, "o")), "0123456789abcdef01234567"));
    CHECK(pk_value_to_text(pk_get(document, "d")).data == NULL);
    CHECK(pk_value_to_text(pk_get(document, "b")).data == NULL); // 2 bytes are no UUID
    CHECK(pk_value_to_text(pk_get(document, "none")).data == NULL);
}

static size_t random_size;

static void fill_random(struct pk_request *request) {
    uint8_t *data = pk_allocate(random_size);
    pk_random(data, random_size);
    for (size_t i = 1; i < random_size; i++) CHECK_EQUAL((uint8_t)(data[i - 1] + 1), data[i]);
}

TEST(random_fills_any_size) {
    for (random_size = 1; random_size < 1 << 20; random_size *= 3) host_run(fill_random);
}

TEST(log_and_clock_reach_the_host) {
    pk_log(PK_WARN, PK_TEXT("a line"));
    CHECK_EQUAL(PK_WARN, host.log_level);
    CHECK_BYTES("a line", bytes_of_string(host.log));
    CHECK_EQUAL(host.now_ns / 1000000, pk_now_ms());
}
