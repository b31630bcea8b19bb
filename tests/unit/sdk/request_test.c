// SPDX-License-Identifier: Apache-2.0
#include "fake_host.h"

static const char *wanted;
static struct pk_text (*look_up)(const struct pk_request *request, const char *name);

// Writes "[value]", or "absent".
static void show(struct pk_request *request) {
    struct pk_text value = look_up(request, wanted);
    struct pk_out *out = pk_plain(request);
    if (value.data == NULL) {
        pk_raw(out, "absent");
        return;
    }
    pk_raw(out, "[");
    pk_raw_text(out, value);
    pk_raw(out, "]");
}

static void check_value(const struct fake_request *request, const char *name,
                        const char *expected) {
    wanted = name;
    CHECK(host_serve(show, request));
    CHECK_BYTES(expected, host_body());
}

static void show_basics(struct pk_request *request) {
    CHECK_EQUAL(PK_PUT, pk_request_method(request));
    CHECK(pk_text_is(pk_request_path(request), "/test/a%20b"));
    CHECK(pk_text_is(pk_request_id(request), "request-1"));
    CHECK(pk_text_is(pk_request_body(request), "the body"));
}

TEST(basics_are_given) {
    struct fake_request request = {.method = PK_PUT, .body = bytes_of_string("the body")};
    CHECK(host_serve(show_basics, &request));
    CHECK_EQUAL(200, host.status);
    CHECK_EQUAL(0, host.header_count);
    CHECK_EQUAL(0, host_body().size);
}

TEST(parameters_have_the_names_of_the_pattern) {
    struct fake_request request = {.params = {"one", "", "a/b"}};
    look_up = pk_param;
    check_value(&request, "first", "[one]");
    check_value(&request, "second", "[]");
    check_value(&request, "rest", "[a/b]");
    check_value(&request, "of", "absent");
    check_value(&request, "firs", "absent");
    check_value(&request, "", "absent");
    check_value(&(struct fake_request){.params = {"one"}}, "second", "absent");
}

static void check_encoded(const char *encoded, const char *name, const char *expected) {
    look_up = pk_query;
    check_value(&(struct fake_request){.query = encoded}, name, expected);
    look_up = pk_form;
    struct fake_request form = {
        .body = bytes_of_string(encoded),
        .headers = {{"content-type", "application/x-www-form-urlencoded; charset=UTF-8"}}};
    check_value(&form, name, expected);
}

TEST(queries_and_forms_are_decoded) {
    check_encoded("a=1&b=2", "b", "[2]");
    check_encoded("a=1&a=2", "a", "[1]");
    check_encoded("a=1", "b", "absent");
    check_encoded("", "a", "absent");
    check_encoded("a", "a", "[]");
    check_encoded("a=", "a", "[]");
    check_encoded("=x", "", "[x]");
    check_encoded("&&a=1&&", "a", "[1]");
    check_encoded("a=b=c", "a", "[b=c]");
    check_encoded("a=x+y%20z%2B", "a", "[x y z+]");
    check_encoded("a%20b=1", "a b", "[1]");
    check_encoded("%61=1", "a", "[1]");
    check_encoded("ab=1&a=2", "a", "[2]");
    check_encoded("a=%", "a", "[%]");
    check_encoded("a=%4", "a", "[%4]");
    check_encoded("a=%zz%41", "a", "[%zzA]");
    check_encoded("a=%C3%A9", "a", "[é]");
    check_encoded("a=\xc3\xa9", "a", "[é]");
    check_encoded("a=%FF%C3", "a", "[\xef\xbf\xbd\xef\xbf\xbd]");
    check_encoded("a=x\xffy", "a", "[x\xef\xbf\xbdy]");
    check_encoded("a=%00", "b", "absent");
}

TEST(forms_need_their_content_type) {
    look_up = pk_form;
    struct fake_request request = {.body = bytes_of_string("a=1"),
                                   .headers = {{"content-type", "text/plain"}}};
    check_value(&request, "a", "absent");
    request.headers[0].value = "Application/X-WWW-Form-Urlencoded";
    check_value(&request, "a", "[1]");
}

static void show_form(struct pk_request *request) {
    struct pk_out *out = pk_plain(request);
    struct pk_text name, value;
    for (size_t cursor = 0; pk_form_next(request, &cursor, &name, &value);) {
        pk_raw_text(out, name);
        pk_raw(out, "->");
        pk_raw_text(out, value);
        pk_raw(out, ";");
    }
}

TEST(all_fields_of_a_form_come_in_order) {
    struct fake_request request = {
        .body = bytes_of_string("a=1&&b%20c=x+y&d&a=2&"),
        .headers = {{"content-type", "application/x-www-form-urlencoded"}}};
    CHECK(host_serve(show_form, &request));
    CHECK_BYTES("a->1;b c->x y;d->;a->2;", host_body());
}

TEST(headers_are_found) {
    struct fake_request request = {
        .headers = {{"accept", "text/html"}, {"x-a", "1"}, {"x-a", "2"}, {"x-empty", ""}}};
    look_up = pk_header;
    check_value(&request, "accept", "[text/html]");
    check_value(&request, "x-a", "[1]");
    check_value(&request, "x-empty", "[]");
    check_value(&request, "x-b", "absent");
}

TEST(cookies_are_found) {
    struct fake_request request = {
        .headers = {{"cookie", "a=1; bb=\"two\";c = 3 ;d"}, {"cookie", "e=x=y; a=9; f="}}};
    look_up = pk_cookie;
    check_value(&request, "a", "[1]");
    check_value(&request, "bb", "[two]");
    check_value(&request, "b", "absent");
    check_value(&request, "c", "[3]");
    check_value(&request, "d", "absent");
    check_value(&request, "e", "[x=y]");
    check_value(&request, "f", "[]");
    check_value(&(struct fake_request){0}, "a", "absent");
}

static bool answer;

static void ask_json(struct pk_request *request) {
    answer = pk_is_json(request);
}
static void ask_html(struct pk_request *request) {
    answer = pk_prefers_html(request);
}

static void check_answer(pk_handler *handler, const char *header, const char *value,
                         bool expected) {
    struct fake_request request = {.headers = {{header, value}}};
    CHECK(host_serve(handler, &request));
    if (answer != expected) test_fail(__FILE__, __LINE__, "%s: %s", header, value);
}

TEST(content_types_are_told_apart) {
    check_answer(ask_json, "content-type", "application/json", true);
    check_answer(ask_json, "content-type", "Application/JSON ; charset=utf-8", true);
    check_answer(ask_json, "content-type", "application/problem+json", true);
    check_answer(ask_json, "content-type", "application/jsonx", false);
    check_answer(ask_json, "content-type", "text/plain; application/json", false);
    check_answer(ask_json, "content-type", "", false);
    check_answer(ask_json, "x", "application/json", false);
    check_answer(ask_html, "accept", "text/html,application/xhtml+xml,*/*;q=0.8", true);
    check_answer(ask_html, "accept", "TEXT/HTML", true);
    check_answer(ask_html, "accept", "text/html, application/json", true);
    check_answer(ask_html, "accept", "application/json, text/html", false);
    check_answer(ask_html, "accept", "application/json", false);
    check_answer(ask_html, "accept", "*/*", false);
    check_answer(ask_html, "x", "text/html", false);
}

static void echo(struct pk_request *request) {
    pk_raw_text(pk_plain(request), pk_request_body(request));
    CHECK_EQUAL(5000, pk_request_body(request).size); // the same again
}

TEST(a_body_apart_is_read_in_pieces) {
    char body[5000];
    for (size_t i = 0; i < sizeof body; i++) body[i] = (char)('a' + i % 26);
    struct fake_request request = {.body = bytes_of(body, sizeof body), .body_apart = true};
    CHECK(host_serve(echo, &request));
    CHECK(bytes_equal(bytes_of(body, sizeof body), host_body()));
}

TEST(a_body_that_is_not_given_ends_the_request) {
    struct fake_request request = {.body = bytes_of_string("12345"), .body_apart = true};
    host.body_piece = 0;
    CHECK(!host_serve(echo, &request));
    CHECK_BYTES("the host does not give the request's body", bytes_of_string(host.abort_reason));
}
