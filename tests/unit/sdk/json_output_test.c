// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"
#include "fake_host.h"

static void write_all(struct pk_request *request) {
    struct pk_out *out = pk_json(request);
    pk_json_object(out, NULL);
    pk_json_text(out, "te\"xt", PK_TEXT("a\"b"));
    pk_json_text(out, "absent", (struct pk_text){NULL, 0});
    pk_json_int(out, "int", INT64_MIN);
    pk_json_double(out, "double", 2.5);
    pk_json_bool(out, "yes", true);
    pk_json_bool(out, "no", false);
    pk_json_null(out, "null");
    pk_json_array(out, "array");
    pk_json_int(out, NULL, 1);
    pk_json_array(out, NULL);
    pk_json_end(out);
    pk_json_object(out, NULL);
    pk_json_end(out);
    pk_json_text(out, NULL, PK_TEXT(""));
    pk_json_end(out);
    pk_json_object(out, "object");
    pk_json_int(out, "x", 1);
    pk_json_end(out);
    pk_json_end(out);
}

TEST(json_writer_places_commas_and_names) {
    host_run(write_all);
    CHECK_BYTES("{\"te\\\"xt\":\"a\\\"b\",\"absent\":null,\"int\":-9223372036854775808,"
                "\"double\":2.5,\"yes\":true,\"no\":false,\"null\":null,"
                "\"array\":[1,[],{},\"\"],\"object\":{\"x\":1}}",
                host_body());
    CHECK_BYTES("application/json", bytes_of_string(host_header("content-type")));
}

static void write_in_page(struct pk_request *request) {
    struct pk_out *out = pk_html(request);
    for (int i = 0; i < 2; i++) {
        pk_raw(out, "<script>x(");
        pk_json_array(out, NULL);
        pk_json_text(out, NULL, PK_TEXT("</script><!--"));
        pk_json_end(out);
        pk_raw(out, ")</script>");
    }
}

TEST(json_may_stand_in_a_script_element) {
    host_run(write_in_page);
    CHECK_BYTES("<script>x([\"\\u003c/script>\\u003c!--\"])</script>"
                "<script>x([\"\\u003c/script>\\u003c!--\"])</script>",
                host_body());
}

static struct pk_document written;

static void write_document(struct pk_request *request) {
    pk_json_document(pk_json(request), NULL, written);
}

TEST(documents_are_written_with_texts_for_json_lacks) {
    written = document_of(bson_of(
        "{\"_id\": {\"$binary\": {\"base64\": \"AYkKXayWd0u8zrMCCZqAVw==\", \"subType\": \"04\"}},"
        " \"i\": {\"$numberInt\": \"-5\"}, \"l\": {\"$numberLong\": \"5\"}, \"d\": 1.0,"
        " \"n\": {\"$numberDouble\": \"NaN\"}, \"o\": {\"$oid\": \"0123456789abcdef01234567\"},"
        " \"b\": {\"$binary\": {\"base64\": \"/+8=\", \"subType\": \"00\"}},"
        " \"e\": {\"$numberDecimal\": \"1.5\"}, \"m\": {\"$minKey\": 1},"
        " \"r\": {\"$regularExpression\": {\"pattern\": \"a\", \"options\": \"i\"}},"
        " \"t\": {\"$timestamp\": {\"t\": 1, \"i\": 2}}, \"z\": [true, null, {\"q\": []}]}"));
    host_run(write_document);
    CHECK_BYTES("{\"_id\":\"01890a5d-ac96-774b-bcce-b302099a8057\",\"i\":-5,\"l\":5,\"d\":1.0,"
                "\"n\":null,\"o\":\"0123456789abcdef01234567\",\"b\":\"/+8\",\"e\":null,"
                "\"m\":null,\"r\":null,\"t\":null,\"z\":[true,null,{\"q\":[]}]}",
                host_body());
}

static void write_date(struct pk_request *request) {
    struct pk_value value = pk_get(written, "d");
    pk_json_value(pk_json(request), NULL, value);
}

static void check_date(int64_t milliseconds, const char *expected) {
    struct pk_builder *builder = pk_document_begin();
    pk_add_date(builder, "d", milliseconds);
    struct pk_document document = pk_document_end(builder);
    uint8_t *copy = malloc(document.size);
    CHECK(copy != NULL);
    memcpy(copy, document.data, document.size);
    written = (struct pk_document){copy, document.size};
    host_run(write_date);
    free(copy);
    CHECK_BYTES(expected, host_body());
}

TEST(dates_are_rfc_3339) {
    check_date(0, "\"1970-01-01T00:00:00.000Z\"");
    check_date(-1, "\"1969-12-31T23:59:59.999Z\"");
    check_date(951782400000, "\"2000-02-29T00:00:00.000Z\"");
    check_date(951868799999, "\"2000-02-29T23:59:59.999Z\"");
    check_date(951868800000, "\"2000-03-01T00:00:00.000Z\"");
    check_date(-2203891200000, "\"1900-03-01T00:00:00.000Z\"");
    check_date(-2203891200001, "\"1900-02-28T23:59:59.999Z\"");
    check_date(1709210096789, "\"2024-02-29T12:34:56.789Z\"");
    check_date(253402300799999, "\"9999-12-31T23:59:59.999Z\"");
    check_date(253402300800000, "253402300800000");
    check_date(-62167219200000, "\"0000-01-01T00:00:00.000Z\"");
    check_date(-62162035200000, "\"0000-03-01T00:00:00.000Z\"");
    check_date(-62135596800000, "\"0001-01-01T00:00:00.000Z\"");
    check_date(-62167219200001, "-62167219200001");
    check_date(INT64_MIN, "-9223372036854775808");
}

static struct pk_text written_text;

static void write_object(struct pk_request *request) {
    struct pk_out *out = pk_json(request);
    pk_json_object(out, NULL);
    pk_json_text(out, "a", written_text);
    pk_json_end(out);
}

TEST(any_bytes_become_json) {
    struct random_seeded random;
    random_seeded_init(&random, test_seed());
    for (int i = 0; i < 5000; i++) {
        size_t size = random_below(&random.source, 40);
        char *text = malloc(size + 1);
        CHECK(text != NULL);
        for (size_t j = 0; j < size; j++) {
            uint64_t kind = random_below(&random.source, 4);
            text[j] = (char)(kind == 0 ? random_u64(&random.source) : 'a' + kind);
        }
        written_text = (struct pk_text){text, size};
        host_run(write_object);
        struct buffer json = {0};
        CHECK_OK(buffer_append(&json, host_body().data, host_body().size));
        CHECK(memchr(json.data, '<', json.size) == NULL);
        struct buffer bson = {0};
        struct error error;
        if (doc_from_json(&bson, buffer_bytes(&json), &error) != STATUS_OK)
            test_fail(__FILE__, __LINE__, "%.*s: %s", (int)json.size, json.data, error.message);
        buffer_done(&bson);
        buffer_done(&json);
        free(text);
    }
}

TEST(bytes_that_are_no_utf8_are_replaced) {
    written_text = PK_TEXT("a\xff\xe2\x82z\xc3\xa9\xed\xa0\x80");
    host_run(write_object);
    CHECK_BYTES("{\"a\":\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\xc3\xa9"
                "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"}",
                host_body());
}

// ---- misuse -------------------------------------------------------------------------------------

static void leave_open(struct pk_request *request) {
    pk_json_object(pk_json(request), NULL);
}
static void end_too_often(struct pk_request *request) {
    pk_json_end(pk_json(request));
}
static void leave_out_name(struct pk_request *request) {
    struct pk_out *out = pk_json(request);
    pk_json_object(out, NULL);
    pk_json_int(out, NULL, 1);
}
static void nest_too_deep(struct pk_request *request) {
    struct pk_out *out = pk_json(request);
    for (int i = 0; i < 65; i++) pk_json_array(out, NULL);
}

TEST(misuse_of_the_json_writer_ends_the_request) {
    host_run_aborted(leave_open, "JSON: an object or array was not ended");
    host_run_aborted(end_too_often, "pk_json_end: nothing was begun");
    host_run_aborted(leave_out_name, "JSON: a member of an object without a name");
    host_run_aborted(nest_too_deep, "JSON: nested too deep");
    host_run(write_all); // the next request is not the worse for it
}
