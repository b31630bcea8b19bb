// SPDX-License-Identifier: Apache-2.0
#include "fake_host.h"

static void answer(struct pk_request *request) {
    pk_set_status(request, 201);
    pk_set_header(request, "x-a", PK_TEXT("1"));
    pk_set_header(request, "x-empty", (struct pk_text){NULL, 0});
    struct pk_out *out = pk_html(request);
    pk_raw(out, "<p>");
    pk_escape(out, PK_TEXT("a < b"));
}

TEST(responses_have_status_headers_and_body) {
    host_run(answer);
    CHECK_EQUAL(201, host.status);
    CHECK_EQUAL(3, host.header_count);
    CHECK_BYTES("1", bytes_of_string(host_header("x-a")));
    CHECK_BYTES("", bytes_of_string(host_header("x-empty")));
    CHECK_BYTES("text/html; charset=utf-8", bytes_of_string(host_header("content-type")));
    CHECK_BYTES("<p>a &lt; b", host_body());
}

static void change_mind(struct pk_request *request) {
    pk_raw(pk_html(request), "dropped");
    pk_json_object(pk_json(request), NULL);
    struct pk_out *out = pk_body(request, "image/svg+xml");
    pk_raw(out, "<svg/>");
    pk_set_header(request, "Content-Type", PK_TEXT("image/other"));
}

TEST(the_last_body_and_content_type_count) {
    host_run(change_mind);
    CHECK_EQUAL(1, host.header_count);
    CHECK_BYTES("image/other", bytes_of_string(host_header("content-type")));
    CHECK_BYTES("<svg/>", host_body());
}

static void redirect(struct pk_request *request) {
    pk_redirect(request, 303, PK_TEXT("/orders/1"));
}

TEST(redirects_carry_a_location) {
    host_run(redirect);
    CHECK_EQUAL(303, host.status);
    CHECK_BYTES("/orders/1", bytes_of_string(host_header("location")));
    CHECK_EQUAL(0, host_body().size);
}

static void fail(struct pk_request *request) {
    pk_raw(pk_html(request), "half of a page");
    pk_fail(request, 400, "invalid", PK_TEXT("a \"bad\" <thing>"));
}

TEST(failures_are_json_and_drop_the_body) {
    host_run(fail);
    CHECK_EQUAL(400, host.status);
    CHECK_BYTES("application/json", bytes_of_string(host_header("content-type")));
    CHECK_BYTES("{\"error\":{\"code\":\"invalid\",\"message\":\"a \\\"bad\\\" \\u003cthing>\"}}",
                host_body());
}

static struct pk_text header_value;
static const char *header_name;

static void set_header(struct pk_request *request) {
    pk_set_header(request, header_name, header_value);
}
static void redirect_there(struct pk_request *request) {
    pk_redirect(request, 302, header_value);
}
static void set_content_type(struct pk_request *request) {
    pk_body(request, "text/html\r\nx: y");
}

TEST(headers_cannot_be_split) {
    static const char *const values[] = {"a\r\nb: c", "a\nb", "a\rb", "a\x01", "a\x7f"};
    header_name = "x-a";
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        header_value = pk_text_of(values[i]);
        host_run_aborted(set_header, "pk_set_header: a line break or control character");
        host_run_aborted(redirect_there, "pk_set_header: a line break or control character");
    }
    host_run_aborted(set_content_type, "pk_set_header: a line break or control character");
    header_value = (struct pk_text){"a\0b", 3};
    host_run_aborted(set_header, "pk_set_header: a line break or control character");
    header_value = PK_TEXT("tabs\tand é are fine");
    host_run(set_header);
    static const char *const names[] = {"", "a b", "a:", "a\r\n", "é"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        header_name = names[i];
        host_run_aborted(set_header, "pk_set_header: a malformed name");
    }
}

static int header_count;

static void set_many(struct pk_request *request) {
    pk_html(request);
    for (int i = 0; i < header_count; i++) pk_set_header(request, "set-cookie", PK_TEXT("a=b"));
}

TEST(headers_are_counted) {
    header_count = 63;
    host_run(set_many);
    CHECK_EQUAL(64, host.header_count);
    header_count = 64;
    host_run_aborted(set_many, "pk_set_header: more than 63 headers");
}

static int bad_status;

static void set_status(struct pk_request *request) {
    pk_set_status(request, bad_status);
}

TEST(status_is_200_to_599) {
    static const int statuses[] = {-1, 0, 100, 199, 600, 65736};
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        bad_status = statuses[i];
        host_run_aborted(set_status, "pk_set_status: not 200 to 599");
    }
}

static void give_up(struct pk_request *request) {
    pk_abort("gave up");
}

TEST(abort_reaches_the_host) {
    host_run_aborted(give_up, "gave up");
}

TEST(requests_do_not_see_each_other) {
    host_run(answer);
    host_run(redirect);
    CHECK_EQUAL(1, host.header_count);
    CHECK_EQUAL(0, host_body().size);
}
