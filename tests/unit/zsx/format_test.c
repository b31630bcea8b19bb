// SPDX-License-Identifier: Apache-2.0
#include "fixture.h"

static void check_format(const char *markup, const char *expected) {
    struct buffer wanted = {0};
    CHECK_OK(buffer_append_format(&wanted, "markup f(int n) {\nreturn %s;\n}\n", expected));
    CHECK_OK(buffer_append(&wanted, "", 1));
    struct zsx_file *file = fixture_markup(markup);
    const char *once = fixture_format(file);
    if (strcmp((const char *)wanted.data, once) != 0)
        test_fail(__FILE__, __LINE__, "expected:\n%s\nbut it is:\n%s", (const char *)wanted.data,
                  once);
    struct zsx_file *again = fixture_parse(once, ZSX_C);
    const char *twice = fixture_format(again);
    if (strcmp(once, twice) != 0) test_fail(__FILE__, __LINE__, "unstable:\n%s", twice);
    const char *before = fixture_tree(file), *after = fixture_tree(again);
    if (strcmp(before, after) != 0)
        test_fail(__FILE__, __LINE__, "another tree:\n%s\n%s", before, after);
    buffer_done(&wanted);
}

TEST(formatting) {
    check_format("<p   a = \"x\"\tb={ 1 }  />", "<p a=\"x\" b={1}/>");
    check_format("<p>a  b <b >c</b > d</p>", "<p>a b <b>c</b> d</p>");
    check_format("<p>\n\n\n  a\n\n\n\n b\n\n</p>", "<p>\n    a\n\n    b\n</p>");
    check_format("<br/>", "<br>");
    check_format("<p a='x \"y\"' b='z'>{ n }</p>", "<p a='x \"y\"' b=\"z\">{n}</p>");
    check_format("<p\n a\n b=\"1\" c\n>x</p>", "<p\n    a\n    b=\"1\" c\n>x</p>");
    check_format("<ul>{for  x , i  in  xs }\n<li>{x}</li>{else}\n0{/for}</ul>",
                 "<ul>{for x, i in xs}\n        <li>{x}</li>{else}\n        0{/for}</ul>");
    check_format("<p>\n{if a}\nb\n{else if c}\nd\n{else}\ne\n{/if}\n</p>",
                 "<p>\n    {if a}\n        b\n    {else if c}\n        d\n    {else}\n        e\n"
                 "    {/if}\n</p>");
    check_format("<p>\n{switch a}\n{case 1}\nb\n{default}\nc\n{/switch}\n</p>",
                 "<p>\n    {switch a}\n        {case 1}\n            b\n        {default}\n"
                 "            c\n    {/switch}\n</p>");
    check_format("<pre>\n a  {x }\n   b</pre>", "<pre>\n a  {x }\n   b</pre>");
    check_format("<script  a>\n  if (a <b) c( ${ d } )\n</script>",
                 "<script a>\n  if (a <b) c( ${ d } )\n</script>");
    check_format("<p>{raw  x}{let  a=1}{children }{slot  s /}{slot t}u{/slot}</p>",
                 "<p>{raw x}{let a = 1}{children}{slot s/}{slot t}u{/slot}</p>");
    check_format("<p>{/* a  b */}<!-- c\n d --></p>", "<p>{/* a  b */}<!-- c\n d --></p>");
    check_format("<!doctype html>  <html></html>", "<!doctype html>\n<html></html>");
    check_format("<p>{x // why\n}</p>", "<p>{x // why\n}</p>");
    check_format("/* c */ <p>x</p> // d\n", "/* c */ <p>x</p> // d\n");
}

TEST(formatting_keeps_the_margin) {
    const char *text = "markup f() {\n  if (x) {\n    return <p>\n   a\n</p>;\n  }\n}\n";
    CHECK(strcmp("markup f() {\n  if (x) {\n    return <p>\n        a\n    </p>;\n  }\n}\n",
                 fixture_format(fixture_parse(text, ZSX_C))) == 0);
}
