// SPDX-License-Identifier: Apache-2.0
#include "fake_host.h"

static struct pk_text input;
static int64_t number;

static void escape_html(struct pk_request *request) {
    pk_escape(pk_html(request), input);
}
static void escape_url(struct pk_request *request) {
    pk_escape_url(pk_html(request), input);
}
static void write_cents(struct pk_request *request) {
    pk_write_cents(pk_html(request), number);
}
static void write_int(struct pk_request *request) {
    pk_write_int(pk_html(request), number);
}

static void check(pk_handler *handler, const char *text, const char *expected) {
    input = pk_text_of(text);
    host_run(handler);
    CHECK_BYTES(expected, host_body());
}

TEST(html_is_escaped) {
    check(escape_html, "", "");
    check(escape_html, "plain text, longer than eight", "plain text, longer than eight");
    check(escape_html, "&<>\"'", "&amp;&lt;&gt;&quot;&#39;");
    check(escape_html, "<a href=\"x\">it's</a> & more of it",
          "&lt;a href=&quot;x&quot;&gt;it&#39;s&lt;/a&gt; &amp; more of it");
    check(escape_html, "é\xff=$%(;?:|~#!", "é\xff=$%(;?:|~#!");
}

// Every byte at every position of a word, against the plain definition.
TEST(html_escapes_are_found_at_every_position) {
    for (int c = 0; c < 256; c++) {
        for (size_t at = 0; at < 17; at++) {
            char text[17];
            memset(text, 'x', sizeof text);
            text[at] = (char)c;
            input = (struct pk_text){text, sizeof text};
            host_run(escape_html);
            bool special = c == '&' || c == '<' || c == '>' || c == '"' || c == '\'';
            CHECK_EQUAL(!special, host_body().size == sizeof text);
            CHECK_EQUAL(special,
                        memchr(host_body().data, ';', host_body().size) != NULL && c != ';');
        }
    }
}

TEST(url_components_are_escaped) {
    check(escape_url, "aZ09-._~", "aZ09-._~");
    check(escape_url, "a b&c=d/e?f#g+h%", "a%20b%26c%3Dd%2Fe%3Ff%23g%2Bh%25");
    check(escape_url, "é\xff", "%C3%A9%FF");
}

static void check_number(pk_handler *handler, int64_t value, const char *expected) {
    number = value;
    host_run(handler);
    CHECK_BYTES(expected, host_body());
}

TEST(numbers_are_written) {
    check_number(write_int, 0, "0");
    check_number(write_int, -10, "-10");
    check_number(write_int, INT64_MAX, "9223372036854775807");
    check_number(write_int, INT64_MIN, "-9223372036854775808");
    check_number(write_cents, 0, "0.00");
    check_number(write_cents, 5, "0.05");
    check_number(write_cents, 1250, "12.50");
    check_number(write_cents, -5, "-0.05");
    check_number(write_cents, -199, "-1.99");
    check_number(write_cents, INT64_MIN, "-92233720368547758.08");
}
