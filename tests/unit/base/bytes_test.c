// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.h"

#include "test.h"

TEST(bytes_compare_puts_a_prefix_first) {
    CHECK(bytes_compare(bytes_of_string("ab"), bytes_of_string("abc")) < 0);
    CHECK(bytes_compare(bytes_of_string("b"), bytes_of_string("abc")) > 0);
    CHECK(bytes_compare(bytes_of_string("\xff"), bytes_of_string("a")) > 0);
    CHECK(bytes_compare(bytes_of(NULL, 0), bytes_of(NULL, 0)) == 0);
    CHECK(bytes_compare(bytes_of(NULL, 0), bytes_of_string("a")) < 0);
}

TEST(buffer_grows_and_keeps_its_content) {
    struct buffer buffer = {0};
    for (int i = 0; i < 10000; i++) {
        uint8_t byte = (uint8_t)i;
        CHECK_OK(buffer_append(&buffer, &byte, 1));
    }
    CHECK_EQUAL(10000, buffer.size);
    for (int i = 0; i < 10000; i++) CHECK_EQUAL((uint8_t)i, buffer.data[i]);
    CHECK_OK(buffer_append(&buffer, NULL, 0));
    buffer_done(&buffer);
    CHECK(buffer.data == NULL);
}

TEST(buffer_stops_at_its_limit) {
    struct buffer buffer = {.limit = 10};
    CHECK_OK(buffer_append_string(&buffer, "12345"));
    CHECK_STATUS(STATUS_TOO_LARGE, buffer_append_string(&buffer, "123456"));
    CHECK_BYTES("12345", buffer_bytes(&buffer));
    CHECK_OK(buffer_append_format(&buffer, "%d", 67890)); // fits exactly, without room for a NUL
    CHECK_BYTES("1234567890", buffer_bytes(&buffer));
    CHECK_EQUAL(10, buffer.capacity);
    CHECK_STATUS(STATUS_TOO_LARGE, buffer_reserve(&buffer, 1));
    CHECK_STATUS(STATUS_TOO_LARGE, buffer_reserve(&buffer, SIZE_MAX));
    buffer_done(&buffer);
}

TEST(buffer_never_takes_more_than_its_limit) {
    struct buffer buffer = {.limit = 100};
    for (int i = 0; i < 100; i++) CHECK_OK(buffer_append_string(&buffer, "x"));
    CHECK_EQUAL(100, buffer.capacity);
    CHECK_STATUS(STATUS_TOO_LARGE, buffer_append_string(&buffer, "x"));
    buffer_done(&buffer);
}

TEST(buffer_formats_long_text) {
    struct buffer buffer = {0};
    CHECK_OK(buffer_append_format(&buffer, "%s", "a"));
    CHECK_OK(buffer_append_format(&buffer, "%5000d", 7));
    CHECK_EQUAL(5001, buffer.size);
    CHECK_EQUAL('7', buffer.data[5000]);
    buffer_done(&buffer);
}

TEST(buffer_consume_moves_the_rest_down) {
    struct buffer buffer = {0};
    CHECK_OK(buffer_append_string(&buffer, "abcdef"));
    buffer_consume(&buffer, 2);
    CHECK_BYTES("cdef", buffer_bytes(&buffer));
    buffer_consume(&buffer, 4);
    CHECK_EQUAL(0, buffer.size);
    buffer_consume(&buffer, 0);
    buffer_done(&buffer);
}

TEST(loads_and_stores_have_a_fixed_byte_order) {
    uint8_t raw[9] = {0};
    store_le32(raw + 1, 0x01020304);
    CHECK_EQUAL(4, raw[1]);
    CHECK_EQUAL(0x04030201, load_be32(raw + 1));
    store_be64(raw + 1, 0x0102030405060708);
    CHECK_EQUAL(1, raw[1]);
    CHECK_EQUAL(0x0102030405060708, load_be64(raw + 1));
    CHECK_EQUAL(0x0807060504030201, load_le64(raw + 1));
    store_le16(raw, 0xabcd);
    CHECK_EQUAL(0xabcd, load_le16(raw));
}
