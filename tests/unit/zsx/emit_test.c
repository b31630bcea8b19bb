// SPDX-License-Identifier: Apache-2.0
// What is generated is compared as a whole in tests/golden/zsx; here are the rules behind it.
#include "fixture.h"

static size_t count_of(const char *text, const char *word) {
    size_t count = 0;
    for (; (text = strstr(text, word)) != NULL; text++) count++;
    return count;
}

TEST(constants_are_folded) {
    const char *code =
        fixture_code(fixture_markup("<p title={\"a<b\"} tabindex={3}>{\"x & y\"} {42}<br></p>"));
    CHECK_EQUAL(1, count_of(code, "pk_raw("));
    CHECK_EQUAL(0, count_of(code, "pk_zsx_"));
    CHECK(strstr(code, "<p title=\\\"a&lt;b\\\" tabindex=\\\"3\\\">x &amp; y 42<br></p>") != NULL);
}

TEST(literals_with_escapes_are_not_folded) {
    CHECK(strstr(fixture_code(fixture_markup("<p>{\"a\\n\"}</p>")), "pk_zsx_text(out, \"a\\n\")") !=
          NULL);
    CHECK(strstr(fixture_code(fixture_markup("<p>{\"a\" \"b\"}</p>")), "\"a\" \"b\"") != NULL);
    CHECK(strstr(fixture_code(fixture_markup("<p>{010}</p>")), "pk_zsx_text(out, 010)") != NULL);
}

TEST(guards_only_where_rendering_may_begin_or_stop) {
    CHECK_EQUAL(0, count_of(fixture_code(fixture_markup("<p>{n}</p>")), "zsx_live"));
    CHECK(count_of(fixture_code(fixture_markup("<p>{n}{children}</p>")), "if (zsx_live)") > 0);
}

TEST(a_return_without_markup_in_a_function_with_slots) {
    const char *code = fixture_code(fixture_parse(
        "markup F(int n) { if (n) return; if (m) { return ; } return <p>{children}</p>; }", ZSX_C));
    CHECK_EQUAL(3, count_of(code, "return 0"));
}

TEST(lines_of_the_source) {
    const char *code = fixture_code(fixture_parse("int a;\nmarkup f(int n) {\n    return <p>\n"
                                                  "\n\n\n\n\n\n\n\n\n\n\n\n\n        {n}\n"
                                                  "    </p>;\n}\nint b;\n",
                                                  ZSX_C));
    CHECK(strstr(code, "#line 17 \"test.zsx\"\npk_zsx_text(out, n);") != NULL);
    CHECK(strstr(code, "#line 1 \"test.zsx\"\nint a;") == code);
}

TEST(header_has_what_is_public) {
    struct zsx_file *file = fixture_parse("static markup A() { return <b/>; }\n"
                                          "markup page(int n, bool b = true) { return <b>{fragment "
                                          "part}{n}{/fragment}</b>; }\n",
                                          ZSX_C);
    struct buffer header = {0};
    CHECK_OK(zsx_check(file));
    CHECK_OK(zsx_emit_header(file, "x.zsx", &header));
    CHECK_OK(buffer_append(&header, "", 1));
    const char *text = (const char *)header.data;
    CHECK(strstr(text, "void page(struct pk_out *out, int n, bool b);\n") != NULL);
    CHECK(strstr(text, "void page_part(struct pk_out *out, int n, bool b);\n") != NULL);
    CHECK(strstr(text, " A(") == NULL);
    buffer_done(&header);
}
