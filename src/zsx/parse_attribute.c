// SPDX-License-Identifier: Apache-2.0
// Attributes of a tag, and code between braces.
#include "zsx/parse.h"

static uint8_t peek(const struct zsx_file *file, size_t at) {
    return at < file->text.size ? file->text.data[at] : 0;
}

size_t zsx_parse_code(struct zsx_file *file, size_t at, size_t open, struct bytes *ret_code,
                      size_t *ret_start) {
    size_t wrong, close = host_match(file->options.target, file->text, at, '}', &wrong);
    if (close == file->text.size) {
        if (wrong < file->text.size)
            zsx_error(file, wrong, "this bracket does not match the ones before it");
        else
            zsx_error(file, open, "this brace is not closed");
        close = at;
        while (close < file->text.size && file->text.data[close] != '\n') close++;
        *ret_code = bytes_of(file->text.data + at, 0);
        *ret_start = at;
        return close;
    }
    *ret_code = zsx_trim(zsx_slice(file, at, close));
    *ret_start = (size_t)(ret_code->data - file->text.data);
    size_t string = host_open_string(file->options.target, *ret_code);
    if (string < ret_code->size)
        zsx_error(file, *ret_start + string, "this string is not closed on its line");
    return close + 1;
}

static bool is_name(uint8_t c) {
    return c != 0 && !zsx_is_space(c) && strchr("\"'<>/={}`", c) == NULL;
}

// "text ${code}" to its quote.
static size_t quoted(struct zsx_file *file, struct zsx_attribute *attribute, size_t at) {
    struct zsx_piece **tail = &attribute->pieces;
    size_t open = at;
    uint8_t quote = file->text.data[at++];
    size_t start = at;
    while (peek(file, at) != quote && !file->out_of_memory) {
        if (at >= file->text.size) {
            zsx_error(file, open, "this quote is not closed");
            return at;
        }
        if (peek(file, at) != '$' || peek(file, at + 1) != '{') {
            at++;
            continue;
        }
        if (start < at) zsx_piece_new(file, &tail, start, zsx_slice(file, start, at), false);
        struct bytes code;
        size_t code_start;
        size_t dollar = at;
        at = zsx_parse_code(file, at + 2, at, &code, &code_start);
        if (code.size == 0) zsx_error(file, dollar, "nothing stands between the braces");
        zsx_piece_new(file, &tail, code_start, code, true);
        start = at;
    }
    if (start < at) zsx_piece_new(file, &tail, start, zsx_slice(file, start, at), false);
    return at + 1 < file->text.size ? at + 1 : file->text.size;
}

static size_t braced(struct zsx_file *file, struct zsx_attribute *attribute, size_t open,
                     size_t at) {
    struct zsx_piece **tail = &attribute->pieces;
    struct bytes code;
    size_t start;
    at = zsx_parse_code(file, at, open, &code, &start);
    if (code.size == 0) zsx_error(file, open, "nothing stands between the braces");
    zsx_piece_new(file, &tail, start, code, true);
    return at;
}

static size_t unquoted(struct zsx_file *file, size_t at) {
    zsx_error(file, at, "the value of an attribute stands in quotes or braces");
    while (at < file->text.size && !zsx_is_space(peek(file, at)) && peek(file, at) != '>') at++;
    return at;
}

static size_t named(struct zsx_file *file, struct zsx_node *node, size_t at) {
    struct zsx_attribute *attribute = zsx_attribute_new(file, node, at);
    size_t start = at;
    while (is_name(peek(file, at))) at++;
    attribute->name = zsx_slice(file, start, at);
    attribute->form = ZSX_BARE;
    size_t equals = at;
    while (zsx_is_space(peek(file, equals))) equals++;
    if (peek(file, equals) != '=') return at;
    at = equals + 1;
    while (zsx_is_space(peek(file, at))) at++;
    if (peek(file, at) == '"' || peek(file, at) == '\'') {
        attribute->form = ZSX_QUOTED;
        return quoted(file, attribute, at);
    }
    if (peek(file, at) == '{') {
        attribute->form = ZSX_CODE;
        return braced(file, attribute, at, at + 1);
    }
    return unquoted(file, at);
}

static size_t spread(struct zsx_file *file, struct zsx_node *node, size_t at) {
    struct zsx_attribute *attribute = zsx_attribute_new(file, node, at);
    attribute->form = ZSX_SPREAD;
    if (file->text.size - at >= 4 && memcmp(file->text.data + at, "{...", 4) == 0)
        return braced(file, attribute, at, at + 4);
    zsx_error(file, at, "here only {...attributes} may stand: a value follows name=");
    return braced(file, attribute, at, at + 1);
}

static size_t skip_space(struct zsx_file *file, size_t at, bool *ret_line_break) {
    for (*ret_line_break = false; zsx_is_space(peek(file, at)); at++)
        *ret_line_break |= peek(file, at) == '\n';
    return at;
}

size_t zsx_parse_attributes(struct zsx_file *file, struct zsx_node *node, size_t at) {
    enum { ATTRIBUTES_MAX = 200 };
    for (size_t count = 0; !file->out_of_memory; count++) {
        // They are compared with each other.
        if (count == ATTRIBUTES_MAX) zsx_error(file, at, "a tag has at most 200 attributes");
        if (count >= ATTRIBUTES_MAX) node->last_attribute = node->attributes = NULL;
        bool line_break;
        at = skip_space(file, at, &line_break);
        uint8_t c = peek(file, at);
        node->tag_breaks = line_break;
        if (c == '>') return at + 1;
        if (c == '/' && peek(file, at + 1) == '>') {
            node->self_closing = true;
            return at + 2;
        }
        if (at >= file->text.size || c == '<') {
            zsx_error(file, node->start, "this tag has no closing >");
            return at;
        }
        if (c == '{' || is_name(c)) {
            at = c == '{' ? spread(file, node, at) : named(file, node, at);
            if (node->last_attribute != NULL) node->last_attribute->breaks = line_break;
        } else {
            zsx_error(file, at, "%c cannot stand in a tag", c >= ' ' && c < 0x7f ? c : '?');
            at++;
        }
    }
    return file->text.size;
}
