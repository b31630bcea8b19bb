// SPDX-License-Identifier: Apache-2.0
// The lexical surface of the host languages: enough to find where strings, comments and brackets
// end. Private to zsx.
#pragma once

#include "zsx/zsx.h"

enum host_kind {
    HOST_END,
    HOST_SPACE,
    HOST_COMMENT,
    HOST_DIRECTIVE, // a C preprocessor line with its continuations
    HOST_STRING,
    HOST_WORD, // identifiers, keywords, numbers
    HOST_MARK, // one other character
};

struct host_token {
    enum host_kind kind;
    size_t start, end;
};

// The token at `at`; an unclosed string ends with its line, an unclosed comment with the text.
struct host_token host_next(enum zsx_target target, struct bytes text, size_t at);
// As host_next(), without white space, comments and directives.
struct host_token host_next_code(enum zsx_target target, struct bytes text, size_t at);
// From behind an opening bracket to its closing one, whose offset is returned; text.size when there
// is none, and *ret_wrong is where a bracket does not match (or text.size).
size_t host_match(enum zsx_target target, struct bytes text, size_t at, uint8_t close,
                  size_t *ret_wrong);
// The first `wanted` outside brackets, strings and comments; text.size when there is none.
size_t host_find(enum zsx_target target, struct bytes text, size_t at, const char *wanted);
// Whether a line comment is in it, which would swallow what is written behind.
bool host_has_line_comment(enum zsx_target target, struct bytes text);
bool host_is_word(uint8_t c);
