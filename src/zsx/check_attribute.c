// SPDX-License-Identifier: Apache-2.0
// What may be computed in an attribute, script or style, and how it is escaped there. The rule:
// only what is safe in its context compiles.
#include "zsx/tree.h"

static bool begins(struct bytes text, const char *prefix) {
    size_t size = strlen(prefix);
    if (text.size < size) return false;
    for (size_t i = 0; i < size; i++) {
        uint8_t c = text.data[i];
        if ((c >= 'A' && c <= 'Z' ? c + 32 : c) != prefix[i]) return false;
    }
    return true;
}

static bool has_code(const struct zsx_attribute *attribute) {
    for (const struct zsx_piece *piece = attribute->pieces; piece != NULL; piece = piece->next)
        if (piece->is_code) return true;
    return false;
}

// ---- URLs -----------------------------------------------------------------------------------

// Up to where a browser decides which scheme it is.
struct url {
    bool decided;
    bool computed; // a computed piece stands before
    struct bytes prefix;
};

static bool is_safe_scheme(struct bytes scheme) {
    static const char *const safe[] = {"http:", "https:", "mailto:", "tel:", "sms:"};
    for (size_t i = 0; i < sizeof safe / sizeof safe[0]; i++)
        if (begins(scheme, safe[i])) return true;
    return false;
}

static void url_text(struct zsx_file *file, struct url *url, const struct zsx_piece *piece) {
    for (size_t i = 0; i < piece->text.size && !url->decided; i++) {
        uint8_t c = piece->text.data[i];
        url->decided = c == '/' || c == '?' || c == '#';
        if (c == '&')
            zsx_error(file, piece->start + i,
                      "before a computed part the scheme of a URL is written without entities");
        if (c != ':') continue;
        url->decided = true;
        if (url->computed || !is_safe_scheme(zsx_trim(piece->text)))
            zsx_error(file, piece->start + i,
                      "a URL with a computed part has one of the schemes http, https, mailto, tel, "
                      "sms, written out, or none");
    }
    if (!url->computed && url->prefix.data == NULL) url->prefix = piece->text;
}

// Whether the static beginning fixes whose content it is: a path, or a whole host.
static bool fixes_origin(struct bytes prefix) {
    prefix = zsx_trim(prefix);
    size_t host = begins(prefix, "https://")  ? 8
                  : begins(prefix, "http://") ? 7
                  : begins(prefix, "//")      ? 2
                                              : 0;
    if (host > 0) return memchr(prefix.data + host, '/', prefix.size - host) != NULL;
    // "/" alone may become "//host"; "\" counts as "/" for browsers.
    return prefix.size >= 2 && prefix.data[0] == '/' && prefix.data[1] != '\\';
}

static void check_url(struct zsx_file *file, struct zsx_attribute *attribute) {
    struct url url = {0};
    for (struct zsx_piece *piece = attribute->pieces; piece != NULL; piece = piece->next) {
        if (!piece->is_code) {
            url_text(file, &url, piece);
            continue;
        }
        bool whole = !url.computed && url.prefix.data == NULL;
        piece->escape = whole ? ZSX_ESCAPE_URL : ZSX_ESCAPE_URL_PART;
        if (attribute->context == ZSX_RESOURCE && !url.computed && !fixes_origin(url.prefix))
            zsx_error(file, piece->start,
                      "what this loads runs in the page: the URL must begin with a written path "
                      "or host, as in \"/files/${name}\"");
        url.computed = true;
    }
}

// A candidate that is computed from its start is a URL, anything else a part of one.
static void check_srcset(struct zsx_attribute *attribute) {
    bool at_start = true;
    for (struct zsx_piece *piece = attribute->pieces; piece != NULL; piece = piece->next) {
        if (piece->is_code) {
            piece->escape = at_start ? ZSX_ESCAPE_SRCSET : ZSX_ESCAPE_URL_PART;
            at_start = false;
            continue;
        }
        struct bytes text = zsx_trim(piece->text);
        if (text.size > 0) at_start = text.data[text.size - 1] == ',';
    }
}

// ---- code -----------------------------------------------------------------------------------

struct script {
    struct zsx_file *file;
    uint8_t quote; // of the string that is open: ' " `, * for a comment, / for a line comment
    uint8_t last;  // last character that is neither blank nor comment
    bool is_attribute;
};

static bool begins_regular_expression(uint8_t last) {
    return last == 0 || strchr("(,=:[!&|?{;+-*%<>~^", last) != NULL;
}

// Behind the regular expression that begins at `at`.
static size_t regular_expression_end(struct bytes text, size_t at) {
    bool in_class = false;
    for (at++; at < text.size && text.data[at] != '\n'; at++) {
        uint8_t c = text.data[at];
        if (c == '\\')
            at++;
        else if (c == '[')
            in_class = true;
        else if (c == ']')
            in_class = false;
        else if (c == '/' && !in_class)
            return at + 1;
    }
    return at < text.size ? at : text.size;
}

// A slash that may divide or begin a regular expression, with a quote before the next one.
static bool is_ambiguous(struct bytes text, size_t at) {
    bool quoted = false;
    for (at++; at < text.size && text.data[at] != '\n'; at++) {
        if (strchr("'\"`", text.data[at]) != NULL) quoted = true;
        if (text.data[at] == '/') return quoted;
    }
    return false;
}

// Behind the slash at `at`, or what it begins.
static size_t script_slash(struct script *script, const struct zsx_piece *piece, size_t at) {
    struct bytes text = piece->text;
    uint8_t next = at + 1 < text.size ? text.data[at + 1] : 0;
    if (next == '/' || next == '*') {
        script->quote = next;
        return at + 2;
    }
    bool begins_one = begins_regular_expression(script->last);
    script->last = '/';
    if (begins_one) return regular_expression_end(text, at);
    if (is_ambiguous(text, at))
        zsx_error(script->file, piece->start + at,
                  "in code with computed values a regular expression with quotes stands in "
                  "parentheses");
    return at + 1;
}

static bool is_entity(struct bytes text, size_t at) {
    struct bytes rest = bytes_of(text.data + at + 1, text.size - at - 1);
    if (begins(rest, "#") || begins(rest, "quot")) return true;
    size_t size = 0;
    while (size < rest.size && ((rest.data[size] | 0x20) >= 'a' && (rest.data[size] | 0x20) <= 'z'))
        size++;
    return size > 0 && size < rest.size && rest.data[size] == ';';
}

// Behind the character at `at` of an open string or comment.
static size_t script_quoted(struct script *script, struct bytes text, size_t at) {
    uint8_t c = text.data[at];
    if (script->quote == '/') {
        if (c == '\n') script->quote = 0;
    } else if (script->quote == '*') {
        if (c == '*' && at + 1 < text.size && text.data[at + 1] == '/') {
            script->quote = 0;
            return at + 2;
        }
    } else if (c == '\\') {
        return at + 2;
    } else if (c == script->quote || (c == '\n' && script->quote != '`')) {
        script->quote = 0;
        script->last = '"';
    }
    return at + 1;
}

static void script_text(struct script *script, const struct zsx_piece *piece) {
    struct bytes text = piece->text;
    for (size_t at = 0; at < text.size;) {
        uint8_t c = text.data[at];
        if (script->is_attribute && c == '&' && is_entity(text, at))
            zsx_error(script->file, piece->start + at,
                      "code with computed values is written without entities");
        if (script->quote != 0) {
            at = script_quoted(script, text, at);
        } else if (c == '/') {
            at = script_slash(script, piece, at);
        } else {
            if (c == '\'' || c == '"' || c == '`') script->quote = c;
            if (!zsx_is_space(c)) script->last = c;
            at++;
        }
    }
}

static void script_code(struct script *script, size_t start) {
    if (script->quote == '*' || script->quote == '/')
        zsx_error(script->file, start, "nothing is computed inside of a comment");
    else if (script->quote == '`')
        zsx_error(script->file, start,
                  "${} inside of a template literal would be ZSX's: join the "
                  "texts with +");
    else if (script->quote != 0)
        zsx_error(script->file, start,
                  "inside of a string nothing is computed: ${} writes a whole "
                  "value with its quotes");
    script->last = 'x';
}

static void check_script(struct zsx_file *file, struct zsx_attribute *attribute) {
    if (attribute->form == ZSX_CODE && attribute->context == ZSX_SCRIPT) {
        zsx_error(file, attribute->start,
                  "%.*s is evaluated as code: write the code as text, with values as ${value}",
                  ZSX_PRINT(attribute->name));
        return;
    }
    struct script script = {.file = file, .is_attribute = true};
    for (struct zsx_piece *piece = attribute->pieces; piece != NULL; piece = piece->next) {
        piece->escape = ZSX_ESCAPE_EVALUATED;
        if (piece->is_code)
            script_code(&script, piece->start);
        else
            script_text(&script, piece);
    }
}

void zsx_check_raw_element(struct zsx_file *file, struct zsx_node *node) {
    const struct html_element *element = html_find(node->name);
    if (element == NULL || (element->flags & HTML_RAW) == 0) return;
    bool is_script = bytes_equal_string(node->name, "script");
    bool computed = false;
    for (struct zsx_node *child = node->first; child != NULL; child = child->next)
        computed |= child->kind == ZSX_EXPRESSION;
    struct script script = {.file = file};
    for (struct zsx_node *child = node->first; child != NULL && computed; child = child->next) {
        struct zsx_piece piece = {.start = child->start,
                                  .text = zsx_slice(file, child->start, child->end)};
        child->escape = is_script ? ZSX_ESCAPE_SCRIPT : ZSX_ESCAPE_CSS;
        if (is_script && child->kind == ZSX_EXPRESSION)
            script_code(&script, child->start);
        else if (is_script)
            script_text(&script, &piece);
    }
    for (struct zsx_node *child = node->first; child != NULL && is_script; child = child->next) {
        struct bytes text = zsx_slice(file, child->start, child->end);
        for (size_t i = 0; child->kind == ZSX_TEXT && i + 4 <= text.size; i++)
            if (memcmp(text.data + i, "<!--", 4) == 0)
                zsx_error(file, child->start + i,
                          "<!-- inside of a script changes how browsers read it");
    }
}

// ---- the rest ---------------------------------------------------------------------------------

static void check_style(struct zsx_file *file, struct zsx_attribute *attribute) {
    uint8_t last = ';';
    if (attribute->form == ZSX_CODE) {
        zsx_error(file, attribute->start,
                  "a style is written as style:property={value} or \"property: ${value}\"");
        return;
    }
    for (struct zsx_piece *piece = attribute->pieces; piece != NULL; piece = piece->next) {
        piece->escape = ZSX_ESCAPE_CSS;
        if (piece->is_code && last != ':')
            zsx_error(file, piece->start, "only the value of a property is computed");
        for (size_t i = 0; i < piece->text.size && !piece->is_code; i++)
            if (piece->text.data[i] == ':' || piece->text.data[i] == ';')
                last = piece->text.data[i];
    }
}

static void check_static(struct zsx_file *file, const struct zsx_attribute *attribute) {
    zsx_error(file, attribute->start, "nothing computed is safe in %.*s: write it out",
              ZSX_PRINT(attribute->name));
}

static void check_boolean(struct zsx_file *file, const struct zsx_attribute *attribute) {
    if (attribute->form == ZSX_QUOTED)
        zsx_error(file, attribute->start, "%.*s is there or not: %.*s={condition}",
                  ZSX_PRINT(attribute->name), ZSX_PRINT(attribute->name));
}

// class:name={condition} and style:property={value}.
static bool check_helper(struct zsx_file *file, struct zsx_attribute *attribute) {
    bool is_class = begins(attribute->name, "class:"), is_style = begins(attribute->name, "style:");
    if (!is_class && !is_style) return false;
    attribute->context = is_class ? ZSX_BOOLEAN : ZSX_STYLE;
    if (attribute->form != ZSX_CODE || attribute->name.size == 6)
        zsx_error(file, attribute->start, "it is written %s",
                  is_class ? "class:name={condition}" : "style:property={value}");
    else
        attribute->pieces->escape = is_class ? ZSX_ESCAPE_ATTRIBUTE : ZSX_ESCAPE_CSS;
    for (size_t i = 6; i < attribute->name.size; i++)
        if (strchr("&;$\\", attribute->name.data[i]) != NULL)
            zsx_error(file, attribute->start, "%c cannot stand in this name",
                      attribute->name.data[i]);
    return true;
}

static bool refreshes(const struct zsx_node *node, const struct zsx_attribute *attribute) {
    if (!bytes_equal_string(node->name, "meta") || !begins(attribute->name, "content"))
        return false;
    for (const struct zsx_attribute *other = node->attributes; other != NULL; other = other->next)
        if (begins(other->name, "http-equiv")) return true;
    return false;
}

static bool check_code(struct zsx_file *file, struct zsx_attribute *attribute) {
    switch (attribute->context) {
    case ZSX_URL:
    case ZSX_RESOURCE:
        check_url(file, attribute);
        return true;
    case ZSX_SRCSET:
        check_srcset(attribute);
        return true;
    case ZSX_STYLE:
        check_style(file, attribute);
        return true;
    case ZSX_SCRIPT:
    case ZSX_DATA:
        check_script(file, attribute);
        return true;
    case ZSX_STATIC:
        check_static(file, attribute);
        return true;
    case ZSX_BOOLEAN:
        check_boolean(file, attribute);
        return true;
    case ZSX_PLAIN:
        return false;
    }
    return false;
}

void zsx_check_attribute(struct zsx_file *file, struct zsx_node *node,
                         struct zsx_attribute *attribute) {
    if (attribute->form == ZSX_SPREAD) {
        // On these even harmless names change what is loaded or how it is read.
        static const char loading[] = " script style link meta base iframe object embed ";
        if (html_list_has(loading, node->name))
            zsx_error(file, attribute->start, "the attributes of <%.*s> are written by name",
                      ZSX_PRINT(node->name));
        return;
    }
    if (check_helper(file, attribute)) return;
    attribute->context =
        refreshes(node, attribute) ? ZSX_STATIC : html_context(node->name, attribute->name);
    if (!has_code(attribute) || check_code(file, attribute)) return;
    for (struct zsx_piece *piece = attribute->pieces; piece != NULL; piece = piece->next)
        piece->escape = ZSX_ESCAPE_ATTRIBUTE;
}
