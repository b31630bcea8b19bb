// SPDX-License-Identifier: Apache-2.0
#include "zsx/html.h"

#define SCRIPTING "script template "
#define ROWS "tr " SCRIPTING

// clang-format off
static const struct html_element elements[] = {
    {"a", HTML_NOT_IN_ITSELF, NULL, NULL},
    {"abbr", 0, NULL, NULL},
    {"address", HTML_CLOSES_P, NULL, NULL},
    {"area", HTML_VOID, NULL, NULL},
    {"article", HTML_CLOSES_P, NULL, NULL},
    {"aside", HTML_CLOSES_P, NULL, NULL},
    {"audio", 0, NULL, NULL},
    {"b", 0, NULL, NULL},
    {"base", HTML_VOID, " head ", NULL},
    {"bdi", 0, NULL, NULL},
    {"bdo", 0, NULL, NULL},
    {"blockquote", HTML_CLOSES_P, NULL, NULL},
    {"body", HTML_P_BOUNDARY, " html ", NULL},
    {"br", HTML_VOID, NULL, NULL},
    {"button", HTML_NOT_IN_ITSELF | HTML_P_BOUNDARY, NULL, NULL},
    {"canvas", 0, NULL, NULL},
    {"caption", HTML_P_BOUNDARY, " table ", NULL},
    {"cite", 0, NULL, NULL},
    {"code", 0, NULL, NULL},
    {"col", HTML_VOID, " colgroup ", NULL},
    {"colgroup", HTML_STRUCTURED, " table ", " col template "},
    {"data", 0, NULL, NULL},
    {"datalist", 0, NULL, NULL},
    {"dd", HTML_CLOSES_P, " dl div ", NULL},
    {"del", 0, NULL, NULL},
    {"details", HTML_CLOSES_P, NULL, NULL},
    {"dfn", 0, NULL, NULL},
    {"dialog", HTML_CLOSES_P, NULL, NULL},
    {"div", HTML_CLOSES_P, NULL, NULL},
    {"dl", HTML_CLOSES_P | HTML_STRUCTURED, NULL, " dt dd div " SCRIPTING},
    {"dt", HTML_CLOSES_P, " dl div ", NULL},
    {"em", 0, NULL, NULL},
    {"embed", HTML_VOID, NULL, NULL},
    {"fieldset", HTML_CLOSES_P, NULL, NULL},
    {"figcaption", HTML_CLOSES_P, NULL, NULL},
    {"figure", HTML_CLOSES_P, NULL, NULL},
    {"footer", HTML_CLOSES_P, NULL, NULL},
    {"form", HTML_CLOSES_P | HTML_NOT_IN_ITSELF, NULL, NULL},
    {"h1", HTML_CLOSES_P | HTML_HEADING, NULL, NULL},
    {"h2", HTML_CLOSES_P | HTML_HEADING, NULL, NULL},
    {"h3", HTML_CLOSES_P | HTML_HEADING, NULL, NULL},
    {"h4", HTML_CLOSES_P | HTML_HEADING, NULL, NULL},
    {"h5", HTML_CLOSES_P | HTML_HEADING, NULL, NULL},
    {"h6", HTML_CLOSES_P | HTML_HEADING, NULL, NULL},
    {"head", HTML_STRUCTURED, " html ", " title meta link base style noscript " SCRIPTING},
    {"header", HTML_CLOSES_P, NULL, NULL},
    {"hgroup", HTML_CLOSES_P, NULL, NULL},
    {"hr", HTML_VOID | HTML_CLOSES_P, NULL, NULL},
    {"html", HTML_STRUCTURED, "", " head body "},
    {"i", 0, NULL, NULL},
    {"iframe", HTML_TEXT_ONLY, NULL, NULL},
    {"img", HTML_VOID, NULL, NULL},
    {"input", HTML_VOID, NULL, NULL},
    {"ins", 0, NULL, NULL},
    {"kbd", 0, NULL, NULL},
    {"label", HTML_NOT_IN_ITSELF, NULL, NULL},
    {"legend", 0, NULL, NULL},
    {"li", HTML_CLOSES_P, " ul ol menu ", NULL},
    {"link", HTML_VOID, NULL, NULL},
    {"main", HTML_CLOSES_P, NULL, NULL},
    {"map", 0, NULL, NULL},
    {"mark", 0, NULL, NULL},
    {"math", HTML_FOREIGN, NULL, NULL},
    {"menu", HTML_CLOSES_P | HTML_STRUCTURED, NULL, " li " SCRIPTING},
    {"meta", HTML_VOID, NULL, NULL},
    {"meter", HTML_NOT_IN_ITSELF, NULL, NULL},
    {"nav", HTML_CLOSES_P, NULL, NULL},
    {"noscript", 0, NULL, NULL},
    {"object", HTML_P_BOUNDARY, NULL, NULL},
    {"ol", HTML_CLOSES_P | HTML_STRUCTURED, NULL, " li " SCRIPTING},
    {"optgroup", HTML_STRUCTURED, " select ", " option legend " SCRIPTING},
    {"option", HTML_TEXT_ONLY, " select optgroup datalist ", NULL},
    {"output", 0, NULL, NULL},
    {"p", HTML_CLOSES_P, NULL, NULL},
    {"picture", 0, NULL, NULL},
    {"pre", HTML_CLOSES_P | HTML_KEEPS_SPACE, NULL, NULL},
    {"progress", HTML_NOT_IN_ITSELF, NULL, NULL},
    {"q", 0, NULL, NULL},
    {"rp", 0, " ruby ", NULL},
    {"rt", 0, " ruby ", NULL},
    {"ruby", 0, NULL, NULL},
    {"s", 0, NULL, NULL},
    {"samp", 0, NULL, NULL},
    {"script", HTML_RAW | HTML_KEEPS_SPACE, NULL, NULL},
    {"search", HTML_CLOSES_P, NULL, NULL},
    {"section", HTML_CLOSES_P, NULL, NULL},
    {"select", HTML_STRUCTURED, NULL, " option optgroup hr button " SCRIPTING},
    {"slot", 0, NULL, NULL},
    {"small", 0, NULL, NULL},
    {"source", HTML_VOID, NULL, NULL},
    {"span", 0, NULL, NULL},
    {"strong", 0, NULL, NULL},
    {"style", HTML_RAW | HTML_KEEPS_SPACE, NULL, NULL},
    {"sub", 0, NULL, NULL},
    {"summary", HTML_CLOSES_P, " details ", NULL},
    {"sup", 0, NULL, NULL},
    {"svg", HTML_FOREIGN, NULL, NULL},
    {"table", HTML_CLOSES_P | HTML_P_BOUNDARY | HTML_STRUCTURED, NULL,
     " caption colgroup thead tbody tfoot style " SCRIPTING},
    {"tbody", HTML_STRUCTURED, " table ", " " ROWS},
    {"td", HTML_P_BOUNDARY, " tr ", NULL},
    {"template", HTML_P_BOUNDARY, NULL, NULL},
    {"textarea", HTML_TEXT_ONLY | HTML_KEEPS_SPACE, NULL, NULL},
    {"tfoot", HTML_STRUCTURED, " table ", " " ROWS},
    {"th", HTML_P_BOUNDARY, " tr ", NULL},
    {"thead", HTML_STRUCTURED, " table ", " " ROWS},
    {"time", 0, NULL, NULL},
    {"title", HTML_TEXT_ONLY, " head ", NULL},
    {"tr", HTML_STRUCTURED, " thead tbody tfoot ", " td th " SCRIPTING},
    {"track", HTML_VOID, NULL, NULL},
    {"u", 0, NULL, NULL},
    {"ul", HTML_CLOSES_P | HTML_STRUCTURED, NULL, " li " SCRIPTING},
    {"var", 0, NULL, NULL},
    {"video", 0, NULL, NULL},
    {"wbr", HTML_VOID, NULL, NULL},
};

// The first row that fits decides. A pattern that ends in '*' is a prefix; one that ends in '~' is
// the name itself or the name and then one of "-:._". `elements` NULL: on any element.
static const struct attribute_row {
    const char *pattern;
    enum zsx_context context;
    const char *elements;
} attributes[] = {
    // Links and resources.
    {"href", ZSX_RESOURCE, " link base "},
    {"href", ZSX_URL, NULL},
    {"xlink:href", ZSX_URL, NULL},
    {"src", ZSX_RESOURCE, " script embed "},
    {"src", ZSX_URL, NULL},
    {"data", ZSX_RESOURCE, " object "},
    {"action", ZSX_URL, NULL},
    {"formaction", ZSX_URL, NULL},
    {"poster", ZSX_URL, NULL},
    {"cite", ZSX_URL, NULL},
    {"background", ZSX_URL, NULL},
    {"longdesc", ZSX_URL, NULL},
    {"manifest", ZSX_STATIC, NULL},
    {"type", ZSX_STATIC, " script "},
    {"language", ZSX_STATIC, " script "},
    {"ping", ZSX_STATIC, NULL},
    {"srcset", ZSX_SRCSET, NULL},
    {"imagesrcset", ZSX_SRCSET, NULL},
    {"style", ZSX_STYLE, NULL},
    {"srcdoc", ZSX_STATIC, NULL},
    {"http-equiv", ZSX_STATIC, NULL},
    {"is", ZSX_STATIC, NULL},
    {"sandbox", ZSX_STATIC, NULL},
    {"attributename", ZSX_STATIC, NULL},
    {"to", ZSX_STATIC, " animate set animateTransform animateMotion "},
    {"from", ZSX_STATIC, " animate set animateTransform animateMotion "},
    {"values", ZSX_STATIC, " animate set animateTransform animateMotion "},
    {"by", ZSX_STATIC, " animate set animateTransform animateMotion "},
    // What the browser evaluates.
    {"on*", ZSX_SCRIPT, NULL},
    {"_", ZSX_STATIC, NULL}, // hyperscript
    // HTMX.
    {"hx-on*", ZSX_SCRIPT, NULL},
    {"hx-vals", ZSX_DATA, NULL},
    {"hx-headers", ZSX_DATA, NULL},
    {"hx-request", ZSX_DATA, NULL},
    {"hx-get", ZSX_URL, NULL},
    {"hx-post", ZSX_URL, NULL},
    {"hx-put", ZSX_URL, NULL},
    {"hx-patch", ZSX_URL, NULL},
    {"hx-delete", ZSX_URL, NULL},
    {"hx-push-url", ZSX_URL, NULL},
    {"hx-replace-url", ZSX_URL, NULL},
    {"hx-confirm", ZSX_PLAIN, NULL},
    {"hx-prompt", ZSX_PLAIN, NULL},
    {"hx-target", ZSX_PLAIN, NULL},
    {"hx-select", ZSX_PLAIN, NULL},
    {"hx-select-oob", ZSX_PLAIN, NULL},
    {"hx-swap", ZSX_PLAIN, NULL},
    {"hx-swap-oob", ZSX_PLAIN, NULL},
    {"hx-indicator", ZSX_PLAIN, NULL},
    {"hx-include", ZSX_PLAIN, NULL},
    {"hx-params", ZSX_PLAIN, NULL},
    {"hx-boost", ZSX_PLAIN, NULL},
    {"hx-*", ZSX_STATIC, NULL},
    {"sse-connect", ZSX_URL, NULL},
    {"ws-connect", ZSX_URL, NULL},
    // Alpine, and Vue's names.
    {"x-data", ZSX_DATA, NULL},
    {"x-html", ZSX_STATIC, NULL},
    {"x-bind", ZSX_STATIC, NULL},
    {"x-ref", ZSX_PLAIN, NULL},
    {"x-cloak", ZSX_PLAIN, NULL},
    {"x-ignore", ZSX_PLAIN, NULL},
    {"x-transition~", ZSX_PLAIN, NULL},
    {"x-*", ZSX_SCRIPT, NULL},
    {"v-html", ZSX_STATIC, NULL},
    {"v-bind", ZSX_STATIC, NULL},
    {"v-*", ZSX_SCRIPT, NULL},
    {":*", ZSX_SCRIPT, NULL},
    {"@*", ZSX_SCRIPT, NULL},
    // Datastar.
    {"data-signals~", ZSX_DATA, NULL},
    {"data-attr~", ZSX_STATIC, NULL},
    {"data-bind~", ZSX_STATIC, NULL},
    {"data-class~", ZSX_SCRIPT, NULL},
    {"data-computed~", ZSX_SCRIPT, NULL},
    {"data-custom-validity~", ZSX_SCRIPT, NULL},
    {"data-effect~", ZSX_SCRIPT, NULL},
    {"data-indicator~", ZSX_STATIC, NULL},
    {"data-init~", ZSX_SCRIPT, NULL},
    {"data-json-signals~", ZSX_STATIC, NULL},
    {"data-on~", ZSX_SCRIPT, NULL},
    {"data-persist~", ZSX_SCRIPT, NULL},
    {"data-query-string~", ZSX_SCRIPT, NULL},
    {"data-ref~", ZSX_STATIC, NULL},
    {"data-replace-url~", ZSX_SCRIPT, NULL},
    {"data-show~", ZSX_SCRIPT, NULL},
    {"data-star-*", ZSX_STATIC, NULL},
    {"data-style~", ZSX_SCRIPT, NULL},
    {"data-text~", ZSX_SCRIPT, NULL},
    {"data-view-transition~", ZSX_SCRIPT, NULL},
    // There or not.
    {"allowfullscreen", ZSX_BOOLEAN, NULL},
    {"async", ZSX_BOOLEAN, NULL},
    {"autofocus", ZSX_BOOLEAN, NULL},
    {"autoplay", ZSX_BOOLEAN, NULL},
    {"checked", ZSX_BOOLEAN, NULL},
    {"controls", ZSX_BOOLEAN, NULL},
    {"default", ZSX_BOOLEAN, NULL},
    {"defer", ZSX_BOOLEAN, NULL},
    {"disabled", ZSX_BOOLEAN, NULL},
    {"formnovalidate", ZSX_BOOLEAN, NULL},
    {"hidden", ZSX_BOOLEAN, NULL},
    {"inert", ZSX_BOOLEAN, NULL},
    {"ismap", ZSX_BOOLEAN, NULL},
    {"itemscope", ZSX_BOOLEAN, NULL},
    {"loop", ZSX_BOOLEAN, NULL},
    {"multiple", ZSX_BOOLEAN, NULL},
    {"muted", ZSX_BOOLEAN, NULL},
    {"nomodule", ZSX_BOOLEAN, NULL},
    {"novalidate", ZSX_BOOLEAN, NULL},
    {"open", ZSX_BOOLEAN, NULL},
    {"playsinline", ZSX_BOOLEAN, NULL},
    {"readonly", ZSX_BOOLEAN, NULL},
    {"required", ZSX_BOOLEAN, NULL},
    {"reversed", ZSX_BOOLEAN, NULL},
    {"selected", ZSX_BOOLEAN, NULL},
};
// clang-format on

const struct html_element *html_find(struct bytes name) {
    size_t low = 0, high = sizeof elements / sizeof elements[0];
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = bytes_compare(name, bytes_of_string(elements[middle].name));
        if (order == 0) return &elements[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

bool html_list_has(const char *list, struct bytes word) {
    for (const char *at = list; *at != '\0';) {
        size_t size = strcspn(at, " ");
        if (size > 0 && bytes_equal(bytes_of(at, size), word)) return true;
        at += size;
        at += strspn(at, " ");
    }
    return false;
}

static uint8_t lower(uint8_t c) {
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static bool fits(const char *pattern, struct bytes name) {
    size_t size = strlen(pattern);
    char last = pattern[size - 1];
    bool prefix = last == '*', family = last == '~';
    if (prefix || family) size--;
    if (name.size < size) return false;
    for (size_t i = 0; i < size; i++)
        if (lower(name.data[i]) != (uint8_t)pattern[i]) return false;
    if (prefix || name.size == size) return true;
    return family && strchr("-:._", name.data[size]) != NULL;
}

// The attribute that this one binds to the value of an expression: x-bind:href -> href; empty when
// it binds none.
static struct bytes bound_name(struct bytes name) {
    static const char *const prefixes[] = {":", "x-bind:", "v-bind:", "data-attr-", "data-attr:"};
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        size_t size = strlen(prefixes[i]);
        if (name.size <= size) continue;
        struct bytes start = bytes_of(name.data, size);
        bool same = true;
        for (size_t k = 0; k < size; k++) same &= lower(start.data[k]) == (uint8_t)prefixes[i][k];
        if (!same) continue;
        struct bytes rest = bytes_of(name.data + size, name.size - size);
        // Modifiers follow the name.
        const uint8_t *end = memchr(rest.data, '.', rest.size);
        if (end != NULL) rest.size = (size_t)(end - rest.data);
        for (size_t k = 0; k + 1 < rest.size; k++)
            if (rest.data[k] == '_' && rest.data[k + 1] == '_') rest.size = k;
        return rest;
    }
    return (struct bytes){0};
}

static enum zsx_context look_up(struct bytes element, struct bytes attribute) {
    // HTMX reads data-hx-… as well.
    if (fits("data-hx-*", attribute)) attribute = bytes_of(attribute.data + 5, attribute.size - 5);
    for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++) {
        const struct attribute_row *row = &attributes[i];
        if (row->elements != NULL && !html_list_has(row->elements, element)) continue;
        if (fits(row->pattern, attribute)) return row->context;
    }
    return ZSX_PLAIN;
}

// What the browser sets at run time passes no filter: a value may only go where it needs none.
enum zsx_context html_context(struct bytes element, struct bytes attribute) {
    struct bytes bound = bound_name(attribute);
    if (bound.size == 0) return look_up(element, attribute);
    if (fits("inner*", bound) || fits("outer*", bound)) return ZSX_STATIC; // :innerHTML.prop
    enum zsx_context context = look_up(element, bound);
    return context == ZSX_PLAIN || context == ZSX_BOOLEAN ? ZSX_SCRIPT : ZSX_STATIC;
}
