// SPDX-License-Identifier: Apache-2.0
#include "fixture.h"

static void check_text(const char *expected, const char *actual) {
    if (strcmp(expected, actual) != 0)
        test_fail(__FILE__, __LINE__, "expected:\n%s\nbut it is:\n%s", expected, actual);
}

TEST(host_code_passes_through) {
    const char *text = "int a = b <c, d> e; // return <p>\n"
                       "/* markup f() { return <p>x</p>; } */\n"
                       "const char *s = \"markup f() { return <p>\";\n"
                       "int markup = 1, x = f(markup);\n#define M markup f() {\n";
    struct zsx_file *file = fixture_parse(text, ZSX_C);
    check_text("", fixture_errors(file));
    check_text(text, fixture_format(file));
    CHECK(strstr(fixture_code(fixture_parse(text, ZSX_C)), text) != NULL);
}

TEST(less_than_after_return_in_other_functions_stays) {
    // Only in a function that returns markup is `return <` special.
    const char *text = "int f(void) { return <p>x</p>; }\n";
    check_text(text, fixture_format(fixture_parse(text, ZSX_C)));
}

TEST(tree_of_everything) {
    struct zsx_file *file = fixture_markup(
        "<p a b=\"x${1}y\" c={2} {...d}>t {e}{raw r}<br>{if n}1{else if m}2{else}3{/if}"
        "{for x, i in xs}<B/>{else}4{/for}{switch s}{case 1, 2}5{default}6{/switch}"
        "{let v = 1}{/* c */}<!-- d --></p>");
    check_text("file\n"
               "  function [f]\n"
               "    host [\n]\n"
               "    return\n"
               "      element [p] @a:bare @b:quoted  [x] $ [1]  [y] @c:code $ [2] @:spread $ [d]\n"
               "        text [t ]\n"
               "        expression [e]\n"
               "        raw [r]\n"
               "        element [br]\n"
               "        if\n"
               "          branch [n]\n"
               "            text [1]\n"
               "          branch [m]\n"
               "            text [2]\n"
               "          branch\n"
               "            text [3]\n"
               "        for [x] [i] [xs]\n"
               "          branch\n"
               "            call [B]\n"
               "          branch\n"
               "            text [4]\n"
               "        switch [s]\n"
               "          branch\n"
               "          branch [1, 2]\n"
               "            text [5]\n"
               "          branch\n"
               "            text [6]\n"
               "        let [v] [v] [1]\n"
               "        comment\n"
               "        comment\n"
               "    host [\n}]\n"
               "  host [\n]\n",
               fixture_tree(file));
}

TEST(white_space_of_text) {
    check_text("file\n"
               "  function [f]\n"
               "    host [\n]\n"
               "    return\n"
               "      element [p]\n"
               "        text [two lines, ]\n"
               "        element [b]\n"
               "          text [x]\n"
               "        expression [y]\n"
               "        text [ z]\n"
               "    host [\n}]\n"
               "  host [\n]\n",
               fixture_tree(fixture_markup("<p>\n  two\n\n  lines,  <b>x</b>\n  {y} z\n</p>")));
}

TEST(code_may_hold_braces_strings_and_comments) {
    struct zsx_file *file =
        fixture_markup("<p a=\"${f(\"}\", '}')}\">{(struct s){1}.x /* } */}{\"{\"}</p>");
    check_text("", fixture_errors(file));
}

TEST(functions_of_zig) {
    const char *text = "pub fn plain(a: u8) void { if (a < 3) return; }\n"
                       "pub fn Card(title: []const u8, big: bool = false) markup {\n"
                       "    const s = \\\\ } not the end\n    ;\n"
                       "    return <p class:big={big}>{title}</p>;\n}\n";
    struct zsx_file *file = fixture_parse(text, ZSX_ZIG);
    check_text("", fixture_errors(file));
    CHECK(strstr(fixture_tree(file), "function [Card]") != NULL);
    CHECK(strstr(fixture_tree(file), "function [plain]") == NULL);
    check_text(text, fixture_format(file));
}

TEST(deep_nesting_is_refused) {
    struct buffer buffer = {0};
    CHECK_OK(buffer_append_string(&buffer, "markup f() {\nreturn "));
    for (int i = 0; i < 5000; i++) CHECK_OK(buffer_append_string(&buffer, "<b>{if x}"));
    CHECK_OK(buffer_append(&buffer, "", 1));
    const char *errors = fixture_errors(fixture_parse((const char *)buffer.data, ZSX_C));
    buffer_done(&buffer);
    CHECK(strstr(errors, "nested too deeply") != NULL);
}

TEST(errors_show_the_line) {
    struct buffer buffer = {0};
    struct zsx_file *file = fixture_markup("<p>\n\t\xc3\xa9<b></p>");
    CHECK_OK(zsx_explain(file, zsx_diagnostics(file), &buffer));
    CHECK_OK(buffer_append(&buffer, "", 1));
    check_text("test.zsx:3:4: error: <b> is not closed\n"
               "    3 | \t\xc3\xa9<b></p>;\n"
               "      | \t ^\n",
               (const char *)buffer.data);
    buffer_done(&buffer);
}

TEST(memory_may_run_out_anywhere) {
    const char *text =
        "markup B(int a) { return <i>{children}</i>; }\n"
        "markup f(int n) { return <p a=\"x${1}\">{if n}t{else}<B a={1}>c</B>{/if}</p>; }";
    bool finished = false;
    for (size_t limit = 1; !finished; limit += 64) {
        struct arena arena = {.limit = limit, .block_size = 64};
        struct zsx_options options = {.target = ZSX_C, .path = "test.zsx"};
        struct zsx_file *file;
        enum status status = zsx_parse(&arena, &options, bytes_of_string(text), &file);
        if (status == STATUS_OK) status = zsx_check(file);
        finished = status == STATUS_OK;
        if (!finished) CHECK_STATUS(STATUS_NO_MEMORY, status);
        arena_done(&arena);
        CHECK(limit < 1000000);
    }
}
