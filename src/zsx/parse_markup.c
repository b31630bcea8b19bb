// SPDX-License-Identifier: Apache-2.0
// Markup: one loop over the text with the open node in hand, so that depth costs no stack and a
// wrong closing tag is found out and left behind.
#include <stdio.h>

#include "zsx/parse.h"

enum { DEPTH_MAX = 200 };

static uint8_t peek(const struct zsx_markup *markup, size_t ahead) {
    size_t at = markup->at + ahead;
    return at < markup->file->text.size ? markup->file->text.data[at] : 0;
}

void zsx_describe(const struct zsx_node *node, char ret_text[100]) {
    static const char *const blocks[] = {[ZSX_IF] = "{if}",
                                         [ZSX_FOR] = "{for}",
                                         [ZSX_SWITCH] = "{switch}",
                                         [ZSX_SLOT] = "{slot}",
                                         [ZSX_PART] = "{fragment}"};
    if (node->kind == ZSX_BRANCH) node = node->parent;
    if (node->kind == ZSX_GROUP)
        snprintf(ret_text, 100, "<>");
    else if (node->kind == ZSX_ELEMENT || node->kind == ZSX_CALL)
        snprintf(ret_text, 100, "<%.*s>", node->name.size < 60 ? (int)node->name.size : 60,
                 (const char *)node->name.data);
    else if (node->kind == ZSX_FILL)
        snprintf(ret_text, 100, "<:%.*s>", node->name.size < 60 ? (int)node->name.size : 60,
                 (const char *)node->name.data);
    else
        snprintf(ret_text, 100, "%s", blocks[node->kind]);
}

struct zsx_node *zsx_open(struct zsx_markup *markup, enum zsx_kind kind, size_t start) {
    struct zsx_node *node = zsx_node_new(markup->file, kind, markup->current, start);
    markup->current = node;
    markup->depth++;
    return node;
}

void zsx_close(struct zsx_markup *markup, struct zsx_node *node) {
    while (markup->current != markup->root && !markup->file->out_of_memory) {
        struct zsx_node *open = markup->current;
        open->end = markup->at;
        markup->current = open->parent;
        markup->depth--;
        if (open == node) return;
        if (open->kind == ZSX_IF || open->kind == ZSX_FOR || open->kind == ZSX_SWITCH) continue;
        if (open->kind == ZSX_BRANCH && open->parent == node) continue;
        char name[100];
        zsx_describe(open, name);
        zsx_error(markup->file, open->kind == ZSX_BRANCH ? open->parent->start : open->start,
                  "%s is not closed", name);
    }
}

static bool is_block(const struct zsx_node *node) {
    return node->kind == ZSX_BRANCH || node->kind == ZSX_SLOT || node->kind == ZSX_PART;
}

static bool is_tag_name(uint8_t c) {
    return host_is_word(c) || c == '-' || c == '.' || c == ':';
}

static void closing_tag(struct zsx_markup *markup) {
    struct zsx_file *file = markup->file;
    size_t start = markup->at;
    markup->at += 2;
    enum zsx_kind kind = peek(markup, 0) == ':' ? ZSX_FILL : ZSX_ELEMENT;
    if (kind == ZSX_FILL) markup->at++;
    size_t name_start = markup->at;
    while (is_tag_name(peek(markup, 0))) markup->at++;
    struct bytes name = zsx_slice(file, name_start, markup->at);
    if (name.size == 0) kind = ZSX_GROUP;
    while (zsx_is_space(peek(markup, 0))) markup->at++;
    if (peek(markup, 0) == '>')
        markup->at++;
    else
        zsx_error(file, start, "this closing tag has no >");
    for (struct zsx_node *open = markup->current; open != markup->root && !is_block(open);
         open = open->parent) {
        bool same_kind = open->kind == kind || (kind == ZSX_ELEMENT && open->kind == ZSX_CALL);
        if (!same_kind || !bytes_equal(open->name, name)) continue;
        zsx_close(markup, open);
        return;
    }
    const struct html_element *element = html_find(name);
    if (element != NULL && (element->flags & HTML_VOID) != 0)
        zsx_error(file, start, "<%s> has no closing tag", element->name);
    else
        zsx_error(file, start, "</%s%.*s> closes nothing that is open here",
                  kind == ZSX_FILL ? ":" : "", ZSX_PRINT(name));
}

static bool ends_raw(const struct zsx_markup *markup, struct bytes name) {
    struct bytes text = markup->file->text;
    if (peek(markup, 0) != '<' || peek(markup, 1) != '/') return false;
    if (text.size - markup->at < name.size + 2) return false;
    for (size_t i = 0; i < name.size; i++)
        if ((text.data[markup->at + 2 + i] | 0x20) != name.data[i]) return false;
    return !is_tag_name(peek(markup, name.size + 2));
}

static void raw_text(struct zsx_markup *markup, size_t start) {
    if (start == markup->at) return;
    struct zsx_node *text = zsx_node_new(markup->file, ZSX_TEXT, markup->current, start);
    text->end = markup->at;
    text->verbatim = true;
}

// The content of script and style, with ${code}.
static void raw_content(struct zsx_markup *markup, struct bytes name) {
    struct zsx_file *file = markup->file;
    size_t start = markup->at;
    while (markup->at < file->text.size && !ends_raw(markup, name) && !file->out_of_memory) {
        if (peek(markup, 0) != '$' || peek(markup, 1) != '{') {
            markup->at++;
            continue;
        }
        raw_text(markup, start);
        struct zsx_node *node = zsx_node_new(file, ZSX_EXPRESSION, markup->current, markup->at);
        markup->at = node->end =
            zsx_parse_code(file, markup->at + 2, markup->at, &node->code, &node->code_start);
        if (node->code.size == 0) zsx_error(file, node->start, "nothing stands between the braces");
        start = markup->at;
    }
    raw_text(markup, start);
}

static void opening_tag(struct zsx_markup *markup) {
    struct zsx_file *file = markup->file;
    size_t start = markup->at++;
    bool fill = peek(markup, 0) == ':';
    if (fill) markup->at++;
    size_t name_start = markup->at;
    while (is_tag_name(peek(markup, 0))) markup->at++;
    struct bytes name = zsx_slice(file, name_start, markup->at);
    bool group = !fill && name.size == 0 && peek(markup, 0) == '>';
    bool call = name.size > 0 && name.data[0] >= 'A' && name.data[0] <= 'Z';
    enum zsx_kind kind = fill ? ZSX_FILL : group ? ZSX_GROUP : call ? ZSX_CALL : ZSX_ELEMENT;
    struct zsx_node *node = zsx_open(markup, kind, start);
    node->name = name;
    markup->at = zsx_parse_attributes(file, node, markup->at);
    const struct html_element *element = kind == ZSX_ELEMENT ? html_find(name) : NULL;
    uint32_t flags = element != NULL ? element->flags : 0;
    if (node->self_closing || (flags & HTML_VOID) != 0) {
        zsx_close(markup, node);
    } else if ((flags & HTML_RAW) != 0) {
        raw_content(markup, name);
    }
}

static void comment(struct zsx_markup *markup) {
    struct zsx_file *file = markup->file;
    struct zsx_node *node = zsx_node_new(file, ZSX_COMMENT, markup->current, markup->at);
    for (size_t at = markup->at + 4; at + 3 <= file->text.size; at++) {
        if (memcmp(file->text.data + at, "-->", 3) != 0) continue;
        markup->at = node->end = at + 3;
        return;
    }
    zsx_error(file, markup->at, "this comment is not closed");
    markup->at = node->end = file->text.size;
}

static void doctype(struct zsx_markup *markup) {
    struct zsx_file *file = markup->file;
    static const char wanted[] = "<!doctype html>";
    size_t size = sizeof wanted - 1, start = markup->at;
    bool fits = file->text.size - start >= size;
    for (size_t i = 0; fits && i < size; i++) {
        uint8_t c = file->text.data[start + i];
        fits = (c >= 'A' && c <= 'Z' ? c + 32 : c) == wanted[i];
    }
    if (!fits) {
        zsx_error(file, start, "here only a comment or <!doctype html> may stand");
        markup->at += 2;
        return;
    }
    markup->at += size;
    if (markup->current != markup->root || markup->root->first != NULL)
        zsx_error(file, start, "the doctype stands before everything else");
    zsx_node_new(file, ZSX_DOCTYPE, markup->current, start)->end = markup->at;
}

static bool begins(const struct zsx_markup *markup, const char *text) {
    size_t size = strlen(text);
    return markup->file->text.size - markup->at >= size &&
           memcmp(markup->file->text.data + markup->at, text, size) == 0;
}

static void tag(struct zsx_markup *markup) {
    uint8_t c = peek(markup, 1);
    if (begins(markup, "<!--"))
        comment(markup);
    else if (c == '!')
        doctype(markup);
    else if (c == '/')
        closing_tag(markup);
    else if (c == '>' || c == ':' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
        opening_tag(markup);
    else
        zsx_error(markup->file, markup->at++, "a < in text is written &lt;");
}

// A brace at the beginning of a line ends a function: markup that is still open there was
// forgotten.
static bool at_function_end(const struct zsx_markup *markup) {
    return peek(markup, 0) == '}' && markup->at > 0 &&
           markup->file->text.data[markup->at - 1] == '\n';
}

static void text(struct zsx_markup *markup) {
    struct zsx_file *file = markup->file;
    struct zsx_node *node = zsx_node_new(file, ZSX_TEXT, markup->current, markup->at);
    while (markup->at < file->text.size) {
        uint8_t c = peek(markup, 0);
        if (c == '<' || c == '{' || at_function_end(markup)) break;
        if (c == '}') zsx_error(file, markup->at, "a } in text is written {\"}\"}");
        markup->at++;
    }
    node->end = markup->at;
    node->verbatim = zsx_preserves_space(markup->current);
}

static bool root_is_complete(const struct zsx_markup *markup) {
    const struct zsx_node *last = markup->root->last;
    return markup->current == markup->root && last != NULL && last->kind != ZSX_DOCTYPE &&
           last->kind != ZSX_COMMENT;
}

static void skip_to_function_end(struct zsx_markup *markup) {
    while (markup->at < markup->file->text.size && !at_function_end(markup)) markup->at++;
}

static void step(struct zsx_markup *markup) {
    if (markup->depth > DEPTH_MAX) {
        zsx_error(markup->file, markup->at, "markup is nested too deeply");
        skip_to_function_end(markup);
    } else if (peek(markup, 0) == '<') {
        tag(markup);
    } else if (markup->current == markup->root) {
        if (!zsx_is_space(peek(markup, 0))) {
            zsx_error(markup->file, markup->at, "markup begins with one element or <>");
            skip_to_function_end(markup);
        } else {
            markup->at++;
        }
    } else if (peek(markup, 0) == '{') {
        zsx_parse_brace(markup);
    } else {
        text(markup);
    }
}

size_t zsx_parse_markup(struct zsx_file *file, struct zsx_node *parent, size_t at) {
    struct zsx_markup markup = {.file = file, .root = parent, .current = parent, .at = at};
    while (!file->out_of_memory && !root_is_complete(&markup)) {
        if (markup.at >= file->text.size || at_function_end(&markup)) {
            if (markup.current == parent) zsx_error(file, parent->start, "the markup is missing");
            break;
        }
        step(&markup);
    }
    zsx_close(&markup, NULL);
    return markup.at;
}
