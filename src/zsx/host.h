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
    bool is_open; // a string that is not closed
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
// Whether something is in it that goes to the end of its line (a line comment, a line of a Zig
// string), so that a line break must follow the text.
bool host_ends_lines(enum zsx_target target, struct bytes text);
// Where a string begins that is not closed on its line; text.size when there is none.
size_t host_open_string(enum zsx_target target, struct bytes text);
bool host_is_word(uint8_t c);
