// SPDX-License-Identifier: Apache-2.0
// Tokens of PQL text (docs/PQL.md). The text is hostile; nothing is copied but strings with
// escapes, which go to the arena.
#pragma once

#include "base/arena.h"

enum pql_token_kind {
    PQL_END,
    PQL_NAME,      // `text` is the name; `quoted` when it stood in backquotes
    PQL_STRING,    // `text` is the content, unescaped
    PQL_INTEGER,   // `integer` is the magnitude, at most 2^63
    PQL_DOUBLE,    // `number`
    PQL_DECIMAL,   // `text` without the suffix
    PQL_PARAMETER, // `text` without the '$' or ':'
    PQL_REGEX,     // `text` is the pattern, `flags` what follows the second '/'
    PQL_SYMBOL,    // `text`
};

struct pql_token {
    enum pql_token_kind kind;
    bool quoted;
    struct bytes text, flags;
    struct bytes source; // as written, for messages
    size_t offset;
    union {
        uint64_t integer;
        double number;
    };
};

struct pql_lexer {
    struct bytes text;
    size_t offset;
    bool member; // a colon is that of a document's member, not of a parameter
    struct arena *arena;
    struct error *error;
};

// The next token; at the end PQL_END, again and again. STATUS_INVALID with a position,
// STATUS_NO_MEMORY.
CHECKED enum status pql_lexer_next(struct pql_lexer *lexer, struct pql_token *ret);
// Reads a regular expression, `/pattern/flags`, where one must stand.
CHECKED enum status pql_lexer_regex(struct pql_lexer *lexer, struct pql_token *ret);
// STATUS_INVALID with line, column and offset of a place in the text.
enum status pql_error_at(const struct pql_lexer *lexer, size_t offset, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
