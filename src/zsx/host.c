// SPDX-License-Identifier: Apache-2.0
#include "zsx/host.h"

enum { NESTING_MAX = 200 };

bool host_is_word(uint8_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c >= 0x80;
}

static uint8_t peek(struct bytes text, size_t at) {
    return at < text.size ? text.data[at] : 0;
}

static bool is_space(uint8_t c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

static size_t line_end(struct bytes text, size_t at) {
    while (at < text.size && text.data[at] != '\n') at++;
    return at;
}

static size_t directive_end(struct bytes text, size_t at) {
    for (;;) {
        size_t end = line_end(text, at);
        size_t last = end > at && text.data[end - 1] == '\r' ? end - 1 : end;
        if (end >= text.size || last == at || text.data[last - 1] != '\\') return end;
        at = end + 1;
    }
}

static bool begins_line(struct bytes text, size_t at) {
    while (at > 0 && (text.data[at - 1] == ' ' || text.data[at - 1] == '\t')) at--;
    return at == 0 || text.data[at - 1] == '\n';
}

static size_t block_comment_end(struct bytes text, size_t at) {
    for (; at + 1 < text.size; at++)
        if (text.data[at] == '*' && text.data[at + 1] == '/') return at + 2;
    return text.size;
}

static size_t string_end(struct bytes text, size_t at, uint8_t quote, bool *ret_is_open) {
    *ret_is_open = false;
    for (; at < text.size && text.data[at] != '\n'; at++) {
        if (text.data[at] == quote) return at + 1;
        if (text.data[at] == '\\' && at + 1 < text.size) at++;
    }
    *ret_is_open = true;
    return at < text.size ? at : text.size;
}

static size_t word_end(struct bytes text, size_t at) {
    bool number = text.data[at] >= '0' && text.data[at] <= '9';
    while (host_is_word(peek(text, at)) ||
           (number && peek(text, at) == '.' && peek(text, at + 1) != '.'))
        at++;
    return at;
}

struct host_token host_next(enum zsx_target target, struct bytes text, size_t at) {
    struct host_token token = {.kind = HOST_END, .start = at, .end = at};
    if (at >= text.size) return token;
    uint8_t c = text.data[at], next = peek(text, at + 1);
    token.kind = HOST_MARK;
    token.end = at + 1;
    if (is_space(c)) {
        token.kind = HOST_SPACE;
        while (is_space(peek(text, token.end))) token.end++;
    } else if (c == '/' && next == '/') {
        token.kind = HOST_COMMENT;
        token.end = line_end(text, at);
    } else if (target == ZSX_C && c == '/' && next == '*') {
        token.kind = HOST_COMMENT;
        token.end = block_comment_end(text, at + 2);
    } else if (target == ZSX_C && c == '#' && begins_line(text, at)) {
        token.kind = HOST_DIRECTIVE;
        token.end = directive_end(text, at);
    } else if (target == ZSX_ZIG && c == '\\' && next == '\\') {
        token.kind = HOST_STRING;
        token.end = line_end(text, at);
    } else if (c == '"' || c == '\'') {
        token.kind = HOST_STRING;
        token.end = string_end(text, at + 1, c, &token.is_open);
    } else if (host_is_word(c)) {
        token.kind = HOST_WORD;
        token.end = word_end(text, at);
    }
    return token;
}

struct host_token host_next_code(enum zsx_target target, struct bytes text, size_t at) {
    struct host_token token = host_next(target, text, at);
    while (token.kind == HOST_SPACE || token.kind == HOST_COMMENT || token.kind == HOST_DIRECTIVE)
        token = host_next(target, text, token.end);
    return token;
}

static uint8_t closing(uint8_t open) {
    return open == '(' ? ')' : open == '[' ? ']' : open == '{' ? '}' : 0;
}

size_t host_match(enum zsx_target target, struct bytes text, size_t at, uint8_t close,
                  size_t *ret_wrong) {
    uint8_t expected[NESTING_MAX] = {close};
    size_t depth = 1;
    *ret_wrong = text.size;
    for (;;) {
        struct host_token token = host_next_code(target, text, at);
        if (token.kind == HOST_END) return text.size;
        at = token.end;
        if (token.kind != HOST_MARK) continue;
        uint8_t c = text.data[token.start];
        if (closing(c) != 0) {
            if (depth == NESTING_MAX) break;
            expected[depth++] = closing(c);
        } else if (c == ')' || c == ']' || c == '}') {
            if (c != expected[depth - 1]) {
                *ret_wrong = token.start;
                break;
            }
            if (--depth == 0) return token.start;
        }
    }
    return text.size;
}

size_t host_find(enum zsx_target target, struct bytes text, size_t at, const char *wanted) {
    size_t size = strlen(wanted), wrong;
    for (;;) {
        struct host_token token = host_next_code(target, text, at);
        if (token.kind == HOST_END) return text.size;
        if (token.kind == HOST_MARK || token.kind == HOST_WORD) {
            if (size <= text.size - token.start &&
                memcmp(text.data + token.start, wanted, size) == 0)
                return token.start;
        }
        at = token.end;
        uint8_t close = token.kind == HOST_MARK ? closing(text.data[token.start]) : 0;
        if (close != 0) {
            at = host_match(target, text, at, close, &wrong);
            if (at == text.size) return at;
            at++;
        }
    }
}

bool host_ends_lines(enum zsx_target target, struct bytes text) {
    for (size_t at = 0; at < text.size;) {
        struct host_token token = host_next(target, text, at);
        bool to_the_end = token.kind == HOST_COMMENT  ? text.data[token.start + 1] == '/'
                          : token.kind == HOST_STRING ? text.data[token.start] == '\\'
                                                      : token.kind == HOST_DIRECTIVE;
        if (to_the_end) return true;
        at = token.end;
    }
    return false;
}

size_t host_open_string(enum zsx_target target, struct bytes text) {
    for (size_t at = 0; at < text.size;) {
        struct host_token token = host_next(target, text, at);
        if (token.is_open) return token.start;
        at = token.end;
    }
    return text.size;
}
