// SPDX-License-Identifier: Apache-2.0
#include "base/limits.h"
#include "fixture.h"

static void refuse(const char *data, size_t size, int64_t offset) {
    struct error error = {0};
    enum status status = doc_validate(bytes_of(data, size), &error);
    if (status != STATUS_MALFORMED || error.offset != offset)
        test_fail(__FILE__, __LINE__, "%s at %lld, expected malformed at %lld: %s",
                  status_text(status), (long long)error.offset, (long long)offset, error.message);
}
#define REFUSE(offset, literal) refuse(literal, sizeof literal - 1, offset)
#define ACCEPT(literal) CHECK_OK(doc_validate(bytes_of(literal, sizeof literal - 1), NULL))

TEST(lengths_and_terminators) {
    ACCEPT("\5\0\0\0\0");
    REFUSE(0, "");
    REFUSE(0, "\4\0\0\0");
    REFUSE(0, "\6\0\0\0\0");
    REFUSE(0, "\5\0\0\0\0\0");
    REFUSE(0, "\xff\xff\xff\xff\0");
    REFUSE(4, "\5\0\0\0\1");
    REFUSE(4, "\6\0\0\0\0\0"); // a NUL before the end
    ACCEPT("\xc\0\0\0\x10x\0\1\0\0\0\0");
    REFUSE(4, "\xb\0\0\0\x10x\0\1\0\0\0"); // one byte short
    REFUSE(5, "\x8\0\0\0\x10xy\0");        // the name runs into the terminator
    ACCEPT("\x8\0\0\0\nx\0\0");
}

TEST(deprecated_and_unknown_types) {
    static const uint8_t refused[] = {0x06, 0x0c, 0x0d, 0x0e, 0x0f, 0x14, 0x80, 0xfe};
    for (size_t i = 0; i < sizeof refused; i++) {
        char document[] = "\x08\0\0\0\0x\0\0";
        document[4] = (char)refused[i];
        refuse(document, sizeof document - 1, 4);
    }
    ACCEPT("\x08\0\0\0\xffx\0\0");
    ACCEPT("\x08\0\0\0\x7fx\0\0");
}

TEST(strings) {
    ACCEPT("\xe\0\0\0\2x\0\2\0\0\0a\0\0");
    ACCEPT("\xe\0\0\0\2x\0\2\0\0\0\0\0\0");            // NUL inside a string
    REFUSE(4, "\xd\0\0\0\2x\0\0\0\0\0\0\0");           // length zero
    REFUSE(4, "\xe\0\0\0\2x\0\3\0\0\0a\0\0");          // one too long
    REFUSE(4, "\xe\0\0\0\2x\0\xff\xff\xff\xff\0\0\0"); // negative
    REFUSE(7, "\xe\0\0\0\2x\0\2\0\0\0aa\0");           // no NUL at its end
    REFUSE(13, "\x10\0\0\0\2x\0\4\0\0\0aa\x80\0\0");   // not UTF-8
}

TEST(utf8) {
    static const struct {
        const char *text;
        bool valid;
    } rows[] = {
        {"plain", true},
        {"\xc2\x80 \xdf\xbf", true},
        {"\xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf", true},
        {"\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf", true},
        {"12345678\xc3\xa9", true},
        {"\x80", false},
        {"\xc0\x80", false},         // overlong
        {"\xc1\xbf", false},         // overlong
        {"\xe0\x9f\xbf", false},     // overlong
        {"\xed\xa0\x80", false},     // surrogate
        {"\xed\xbf\xbf", false},     // surrogate
        {"\xf0\x8f\xbf\xbf", false}, // overlong
        {"\xf4\x90\x80\x80", false}, // above U+10FFFF
        {"\xf5\x80\x80\x80", false},
        {"\xff", false},
        {"\xc3", false}, // cut
        {"\xe2\x82", false},
        {"\xf0\x9f\x98", false},
        {"\xe2\x28\xa1", false},
        {"\xe2\x82\x28", false},
        {"1234567\xc3", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int in_name = 0; in_name < 2; in_name++) {
            struct buffer buffer = {0};
            struct doc_builder builder;
            doc_builder_begin(&builder, &buffer);
            doc_add_string(&builder, in_name ? rows[i].text : "x",
                           bytes_of_string(in_name ? "x" : rows[i].text));
            CHECK_OK(doc_builder_finish(&builder));
            if ((doc_validate(buffer_bytes(&buffer), NULL) == STATUS_OK) != rows[i].valid)
                test_fail(__FILE__, __LINE__, "row %zu", i);
            buffer_done(&buffer);
        }
}

TEST(other_values) {
    ACCEPT("\x9\0\0\0\x8x\0\1\0");
    REFUSE(7, "\x9\0\0\0\x8x\0\2\0");
    ACCEPT("\xd\0\0\0\5x\0\0\0\0\0\0\0");
    REFUSE(4, "\xd\0\0\0\5x\0\1\0\0\0\0\0");
    ACCEPT("\x11\0\0\0\5x\0\4\0\0\0\2\0\0\0\0\0");
    REFUSE(7, "\x11\0\0\0\5x\0\4\0\0\0\2\1\0\0\0\0"); // inner length of the old binary
    ACCEPT("\xa\0\0\0\xbx\0\0\0\0");
    REFUSE(4, "\xa\0\0\0\xbx\0"
              "ai\0");
    REFUSE(7, "\xc\0\0\0\xbx\0\xff\0i\0\0");
    REFUSE(9, "\xc\0\0\0\xbx\0"
              "a\0\xff\0\0");
}

TEST(nested_documents) {
    ACCEPT("\xd\0\0\0\3x\0\5\0\0\0\0\0");
    REFUSE(4, "\xd\0\0\0\3x\0\6\0\0\0\0\0");
    REFUSE(4, "\xd\0\0\0\3x\0\4\0\0\0\0\0");
    REFUSE(11, "\xd\0\0\0\3x\0\5\0\0\0\1\0");
    REFUSE(11, "\xe\0\0\0\3x\0\6\0\0\0\0\0\0"); // a NUL before its end
    REFUSE(11, "\x11\0\0\0\4x\0\x9\0\0\0\6"
               "0\0\0\0\0");
    ACCEPT("\x10\0\0\0\4x\0\x8\0\0\0\n"
           "7\0\0\0");
}

// `levels` documents, each within the one before.
static struct bytes nest(uint32_t levels) {
    struct buffer buffer = {0};
    CHECK_OK(buffer_append(&buffer, "\5\0\0\0\0", 5));
    for (uint32_t i = 1; i < levels; i++) {
        uint8_t head[7] = {0, 0, 0, 0, i % 2 ? DOC_DOCUMENT : DOC_ARRAY, 'a', 0};
        struct bytes inner = fixture_copy(buffer_bytes(&buffer));
        store_le32(head, (uint32_t)inner.size + 8);
        buffer_clear(&buffer);
        CHECK_OK(buffer_append(&buffer, head, sizeof head));
        CHECK_OK(buffer_append(&buffer, inner.data, inner.size));
        CHECK_OK(buffer_append(&buffer, "", 1));
    }
    struct bytes document = fixture_copy(buffer_bytes(&buffer));
    buffer_done(&buffer);
    return document;
}

TEST(depth_is_bounded) {
    CHECK_OK(doc_validate(nest(DOCUMENT_DEPTH_MAX), NULL));
    CHECK_STATUS(STATUS_MALFORMED, doc_validate(nest(DOCUMENT_DEPTH_MAX + 1), NULL));
}

TEST(size_is_bounded) {
    struct buffer buffer = {0}, text = {0};
    struct doc_builder builder;
    size_t text_size = DOCUMENT_SIZE_MAX - 13; // what surrounds one string named "x"
    CHECK_OK(buffer_reserve(&text, text_size + 1));
    memset(text.data, 'a', text_size + 1);
    for (int over = 0; over < 2; over++) {
        buffer_clear(&buffer);
        doc_builder_begin(&builder, &buffer);
        doc_add_string(&builder, "x", bytes_of(text.data, text_size + (size_t)over));
        CHECK_OK(doc_builder_finish(&builder));
        CHECK_STATUS(over ? STATUS_MALFORMED : STATUS_OK,
                     doc_validate(buffer_bytes(&buffer), NULL));
        CHECK_OK(doc_validate_within(buffer_bytes(&buffer), PACKET_SIZE_MAX, NULL));
    }
    buffer_done(&text);
    buffer_done(&buffer);
}

TEST(every_cut_is_refused) {
    struct bytes document = fixture_document(
        "{\"a\": [1, {\"b\": \"text\"}], \"c\": {\"$numberDecimal\": \"1\"}, \"d\": null}");
    for (size_t size = 0; size < document.size; size++)
        CHECK_STATUS(STATUS_MALFORMED, doc_validate(bytes_of(document.data, size), NULL));
}
