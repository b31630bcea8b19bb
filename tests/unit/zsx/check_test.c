// SPDX-License-Identifier: Apache-2.0
// Each text with what is said of it; an empty message means that it is right.
#include "fixture.h"

struct expectation {
    const char *text;
    const char *error; // of the first diagnostic, in part
};

static void check_all(const struct expectation *cases, size_t count, bool whole) {
    for (size_t i = 0; i < count; i++) {
        struct zsx_file *file =
            whole ? fixture_parse(cases[i].text, ZSX_C) : fixture_markup(cases[i].text);
        const char *errors = fixture_errors(file);
        bool fits =
            cases[i].error[0] == '\0' ? errors[0] == '\0' : strstr(errors, cases[i].error) != NULL;
        if (!fits)
            test_fail(__FILE__, __LINE__, "%s\ngives: %s\nexpected: %s", cases[i].text, errors,
                      cases[i].error);
    }
}
#define CHECK_MARKUP(cases) check_all(cases, sizeof cases / sizeof cases[0], false)
#define CHECK_FILES(cases) check_all(cases, sizeof cases / sizeof cases[0], true)

TEST(syntax) {
    static const struct expectation cases[] = {
        {"<p>x", "2:8 <p> is not closed"},
        {"<p><b>x</p>", "2:11 <b> is not closed"},
        {"<p>x</b></p>", "</b> closes nothing"},
        {"<br></br>", "a semicolon must follow"},
        {"<p>a<br>b</br></p>", "<br> has no closing tag"},
        {"<>a</>", ""},
        {"<>a", "<> is not closed"},
        {"<p>a < b</p>", "written &lt;"},
        {"<p>}</p>", "a } in text"},
        {"<p>{</p>", "2:8 <p> is not closed"},
        {"<p>{{</p>", "this brace is not closed"},
        {"<p>{(]}</p>", "bracket does not match"},
        {"<p>{}</p>", "the expression is missing"},
        {"<p a=x>b</p>", "stands in quotes or braces"},
        {"<p a=\"x>b</p>", "quote is not closed"},
        {"<p a={}>b</p>", "nothing stands between"},
        {"<p a=\"${}\">b</p>", "nothing stands between"},
        {"<p {a}>b</p>", "only {...attributes}"},
        {"<p \"x\">b</p>", "cannot stand in a tag"},
        {"<p", "no closing >"},
        {"<p>{if x}a</p>", "{if} is not closed"},
        {"<p>{if x}<b>{/if}</b></p>", "<b> is not closed"},
        {"<p>{/if}</p>", "{/if} closes nothing"},
        {"<p>{else}</p>", "{else} belongs to no block"},
        {"<p>{if x}{else}{else}{/if}</p>", "{else} stands here twice"},
        {"<p>{if}{/if}</p>", "the condition is missing"},
        {"<p>{if x}{else y}{/if}</p>", "it is written {else}"},
        {"<p>{for x}{/for}</p>", "it is written {for name in"},
        {"<p>{for x in}{/for}</p>", "what is gone through is missing"},
        {"<p>{for x, in y}{/for}</p>", "it is written {for name in"},
        {"<p>{switch x}a{case 1}b{/switch}</p>", "everything stands below a {case}"},
        {"<p>{switch x}{default}a{default}b{/switch}</p>", "{default} stands here twice"},
        {"<p>{switch x}{case}a{/switch}</p>", "the value is missing"},
        {"<p>{case 1}</p>", "{case} belongs to no block"},
        {"<p>{let x}</p>", "it is written {let name = value}"},
        {"<p>{let x = }</p>", "the value is missing"},
        {"<p><!-- x</p>", "comment is not closed"},
        {"<p><!doctype html></p>", "doctype stands before"},
        {"<!doctype xml><p></p>", "only a comment or <!doctype html>"},
        {"<p></p><p></p>", "a semicolon must follow"},
        {"<p></p", "this closing tag has no >"},
        {"<p>x</p>", ""},
    };
    CHECK_MARKUP(cases);
}

TEST(nesting) {
    static const struct expectation cases[] = {
        {"<p><div>x</div></p>", "<div> ends the <p>"},
        {"<p><b><ul></ul></b></p>", "<ul> ends the <p>"},
        {"<p>{if n}<p>x</p>{/if}</p>", "<p> ends the <p>"},
        {"<p><button><div>x</div></button></p>", ""},
        {"<p><object><p>x</p></object></p>", ""},
        {"<table><tr><td>x</td></tr></table>", "<tr> cannot stand in <table>, only in:"},
        {"<table><tbody><tr><td><p>x</p></td></tr></tbody></table>", ""},
        {"<table><tbody>{for x in y}<tr></tr>{/for}</tbody></table>", ""},
        {"<table><tbody>x</tbody></table>", "text cannot stand in <tbody>"},
        {"<table><tbody>{n}</tbody></table>", "text cannot stand in <tbody>"},
        {"<table><div></div></table>", "<div> cannot stand in <table>, which takes only"},
        {"<div><td>x</td></div>", "<td> cannot stand in <div>"},
        {"<tr><td>x</td></tr>", ""},
        {"<ul><b>x</b></ul>", "<b> cannot stand in <ul>"},
        {"<div><li>x</li></div>", "<li> cannot stand in <div>"},
        {"<a><b><a>x</a></b></a>", "<a> cannot stand in the <a> of line 2"},
        {"<form><div><form></form></div></form>", "<form> cannot stand in the <form>"},
        {"<button><button>x</button></button>", "<button> cannot stand in the <button>"},
        {"<h1><h2>x</h2></h1>", "a heading ends the <h1>"},
        {"<select><div></div></select>", "<div> cannot stand in <select>"},
        {"<select><option>{n}</option></select>", ""},
        {"<textarea><b>x</b></textarea>", "<textarea> takes text only"},
        {"<html><p>x</p></html>", "<p> cannot stand in <html>"},
        {"<div><html></html></div>", "<html> stands in nothing else"},
        {"<head><div></div></head>", "<div> cannot stand in <head>"},
        {"<dvi>x</dvi>", "HTML has no element dvi"},
        {"<my-note>x</my-note>", ""},
        {"<svg><title>x</title><path d=\"\"/><a href=\"#\">y</a></svg>", ""},
        {"<svg><p>x</p></svg>", "<p> is read differently inside of <svg>"},
        {"<svg><style>a</style></svg>", "<style> is read differently"},
        {"<svg><foreignObject><p>x</p></foreignObject></svg>", ""},
    };
    CHECK_MARKUP(cases);
}

TEST(attributes) {
    static const struct expectation cases[] = {
        {"<p a=\"1\" A=\"2\"></p>", "A is given twice"},
        {"<p class=\"a\" class:b={n}></p>", ""},
        {"<p class:b=\"x\"></p>", "it is written class:name={condition}"},
        {"<p class:b></p>", "it is written class:name={condition}"},
        {"<p style:b=\"x\"></p>", "it is written style:property={value}"},
        {"<input checked=\"${n}\">", "checked={condition}"},
        {"<input checked=\"checked\">", ""},
        {"<a href={n}>x</a>", ""},
        {"<a href=\"javascript:go(${n})\">x</a>", "one of the schemes"},
        {"<a href=\"data:${n}\">x</a>", "one of the schemes"},
        {"<a href=\"java${n}:x\">x</a>", "one of the schemes"},
        {"<a href=\"${n}:x\">x</a>", "one of the schemes"},
        {"<a href=\"${n}&#58;x\">x</a>", "written without entities"},
        {"<a href=\"&#106;avascript:${n}\">x</a>", "written without entities"},
        {"<a href=\"mailto:${n}\">x</a>", ""},
        {"<a href=\"item-${n}\">x</a>", ""},
        {"<a href=\"/x?a=1&amp;b=${n}\">x</a>", ""},
        {"<script src={n}></script>", "what this loads runs in the page"},
        {"<script src=\"//${n}/x.js\"></script>", "what this loads runs in the page"},
        {"<script src=\"/${n}\"></script>", "what this loads runs in the page"},
        {"<script src=\"/js/${n}.js\"></script>", ""},
        {"<link href=\"https://a.example/${n}\">", ""},
        {"<link href=\"https://a.example${n}\">", "what this loads runs in the page"},
        {"<iframe srcdoc={n}></iframe>", "nothing computed is safe in srcdoc"},
        {"<iframe srcdoc=\"a\"></iframe>", ""},
        {"<meta http-equiv=\"refresh\" content=\"0;url=${n}\">", "nothing computed is safe"},
        {"<meta name=\"x\" content={n}>", ""},
        {"<svg><animate attributeName=\"href\" to={n}/></svg>", "nothing computed is safe in to"},
        {"<p style={n}></p>", "a style is written as"},
        {"<p style=\"${n}: 1\"></p>", "only the value of a property"},
        {"<p style=\"color: ${n}; width: ${n}px\"></p>", ""},
        {"<p onclick={n}></p>", "onclick is evaluated as code"},
        {"<p onclick=\"f('${n}')\"></p>", "inside of a string nothing is computed"},
        {"<p onclick=\"f(`${n}`)\"></p>", "template literal"},
        {"<p onclick=\"f(/* ${n} */)\"></p>", "inside of a comment"},
        {"<p onclick=\"f(&quot;${n}&quot;)\"></p>", "without entities"},
        {"<p onclick='f(\"it&apos;s\", ${n})'></p>", "without entities"},
        {"<p onclick=\"f('it\\'s', ${n}) || a && b\"></p>", ""},
        {"<p onclick=\"x.replace(/'/g, '') + '${n}'\"></p>", "inside of a string"},
        {"<p onclick=\"if (x) /'/.test(y) + '${n}'\"></p>", "stands in parentheses"},
        {"<p onclick=\"(a + b) / 2 + ${n}\"></p>", ""},
        {"<p onclick=\"f('a')\"></p>", ""},
        {"<p x-html=\"${n}\"></p>", "nothing computed is safe in x-html"},
        {"<p x-text={n}></p>", "x-text is evaluated"},
        {"<p x-data={n} x-ref={n} hx-vals={n}></p>", ""},
        {"<p @click={n}></p>", "@click is evaluated"},
        {"<p :class={n}></p>", ":class is evaluated"},
        {"<p data-on:click={n}></p>", "data-on:click is evaluated"},
        {"<p data-on-click=\"go(${n})\"></p>", ""},
        {"<p data-online={n} data-text-size={1}></p>", "data-text-size is evaluated"},
        {"<p data-online={n} data-price={n}></p>", ""},
        {"<a :href=\"${n}\">x</a>", "nothing computed is safe in :href"},
        {"<a x-bind:HREF.camel=\"${n}\">x</a>", "nothing computed is safe in x-bind:HREF.camel"},
        {"<a data-attr-href=\"${n}\">x</a>", "nothing computed is safe in data-attr-href"},
        {"<a data-attr:href__x=\"${n}\">x</a>", "nothing computed is safe in data-attr:href__x"},
        {"<p v-bind:onclick=\"${n}\"></p>", "nothing computed is safe in v-bind:onclick"},
        {"<p :innerHTML.prop=\"${n}\"></p>", "nothing computed is safe in :innerHTML.prop"},
        {"<p x-bind=\"{href: ${n}}\"></p>", "nothing computed is safe in x-bind"},
        {"<p data-attr=\"{href: ${n}}\"></p>", "nothing computed is safe in data-attr"},
        {"<p :title=\"${n}\" x-bind:disabled=\"${n}\" data-attr-title=\"${n}\"></p>", ""},
        {"<script type={n}></script>", "nothing computed is safe in type"},
        {"<script {...n}></script>", "the attributes of <script> are written by name"},
        {"<p {...n}></p>", ""},
        {"<p _=\"on click ${n}\"></p>", "nothing computed is safe in _"},
        {"<p hx-trigger={n}></p>", "nothing computed is safe in hx-trigger"},
        {"<p hx-on::after-swap={n}></p>", "is evaluated"},
        {"<p data-hx-on:click={n}></p>", "is evaluated"},
        {"<p hx-get={n} data-hx-get=\"/a/${n}\"></p>", ""},
        {"<script>let a = ${n}, b = \"${n}\";</script>", "inside of a string"},
        {"<script>let a = `${n}`;</script>", "template literal"},
        {"<script>// it's ${n}\n</script>", "inside of a comment"},
        {"<script>// it's\nlet a = ${n};</script>", ""},
        {"<script>a = 'x' /* ' */ + ${n}; r = /[/'\"]/; b = ${n}</script>", ""},
        {"<script>a = '<!--'</script>", "<!-- inside of a script"},
        {"<script>let o = {a: `x${y}`.length};</script>", "template literal"},
    };
    CHECK_MARKUP(cases);
}

TEST(components) {
#define CARD "markup Card(struct pk_text title, bool big = false) { return <b>{title}</b>; }\n"
#define BOX "markup Box() { return <div>{slot head/}{children}</div>; }\n"
#define PAGE(markup) "markup f() {\n return " markup ";\n}\n"
    static const struct expectation cases[] = {
        {CARD PAGE("<Card title=\"x\"/>"), ""},
        {CARD PAGE("<Card title={x} big></Card>"), ""},
        {PAGE("<Card/>"), "there is no component Card"},
        {CARD PAGE("<Card/>"), "<Card> needs the prop title"},
        {CARD PAGE("<Card title=\"x\" x=\"y\"/>"), "<Card> has no prop x"},
        {CARD PAGE("<Card title=\"x\" title=\"y\"/>"), "title is given twice"},
        {CARD PAGE("<Card title=\"x${1}\"/>"), "one text or one {expression}"},
        {CARD PAGE("<Card {...x} title=\"\"/>"), "takes its props by name"},
        {CARD PAGE("<Card title=\"x\">y</Card>"), "<Card> takes no children"},
        {CARD PAGE("<Card title=\"x\">\n</Card>"), ""},
        {BOX PAGE("<Box>y</Box>"), ""},
        {BOX PAGE("<Box><:head>x</:head>y</Box>"), ""},
        {BOX PAGE("<Box><:foot>x</:foot></Box>"), "<Box> has no slot foot"},
        {BOX PAGE("<Box><:head>x</:head><:head>x</:head></Box>"), "head is filled twice"},
        {BOX PAGE("<Box><:children>x</:children></Box>"), "what stands in no <:slot>"},
        {BOX PAGE("<Box><p><:head>x</:head></p></Box>"), "directly inside of a component"},
        {PAGE("<p>{children}{children}</p>"), "slot children stands here twice"},
        {PAGE("<p>{for x in y}{children}{/for}</p>"), "a slot cannot stand inside {for}"},
        {PAGE("<p>{slot a}{children}{/slot}</p>"), "a slot cannot stand inside {slot}"},
        {PAGE("<p>{slot /}</p>"), "the name of the slot is missing"},
        {PAGE("<p>{for x in y}{fragment a}{/fragment}{/for}</p>"), "cannot stand inside {for}"},
        {PAGE("<p>{fragment a}{/fragment}{children}</p>"), "slots or fragments, not both"},
        {CARD CARD, "Card is declared twice"},
        {"markup Card(int a);\nmarkup Card(int a) { return <b/>; }\n" PAGE("<Card a={1}/>"), ""},
        {"markup f(int out) { return <b/>; }", "the name out is taken"},
        {"markup f(int a, char a) { return <b/>; }", "two parameters are called a"},
        {"markup f(int) { return <b/>; }", "needs a type and a name"},
        {"markup f(void) { return <b/>; }", ""},
        {"markup f(const char *a[3], int (*b)[2]) { return <b/>; }", ""},
        {"markup f() { return <b/>; ", "the body of f is not closed"},
        {"markup f() { return <b/> }", "a semicolon must follow"},
        // What follows a mistake is still looked at.
        {"markup f() {\nreturn <p>;\n}\nmarkup g() { return <dvi/>; }", "4:21 HTML has no element"},
    };
    CHECK_FILES(cases);
}

static enum status give(const char *path, struct bytes name, struct bytes *ret, void *context) {
    CHECK(strcmp(path, "test.zsx") == 0 && context == &give);
    if (bytes_equal_string(name, "none.zsx")) return STATUS_NOT_FOUND;
    *ret = bytes_of_string("markup Far(int n) { return <b>{n}</b>; }\n"
                           "static markup Own() { return <b/>; }");
    return STATUS_OK;
}

TEST(imports) {
    static const struct expectation cases[] = {
        {"#include \"far.zsx\"\n" PAGE("<Far n={1}/>"), ""},
        {"#include \"far.zsx\"\n" PAGE("<Far/>"), "<Far> needs the prop n"},
        {"#include \"far.zsx\"\n" PAGE("<Own/>"), "there is no component Own"},
        {"#include \"none.zsx\"\n", "1:1 cannot read none.zsx: not_found"},
        {"#include \"far.h\"\n" PAGE("<Far n={1}/>"), "there is no component Far"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena arena = {0};
        struct zsx_options options = {.path = "test.zsx", .import = give, .context = &give};
        struct zsx_file *file;
        CHECK_OK(zsx_parse(&arena, &options, bytes_of_string(cases[i].text), &file));
        const char *errors = fixture_errors(file);
        if (cases[i].error[0] == '\0' ? errors[0] != '\0' : strstr(errors, cases[i].error) == NULL)
            test_fail(__FILE__, __LINE__, "%s gives %s", cases[i].text, errors);
        arena_done(&arena);
    }
}
