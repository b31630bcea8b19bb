// SPDX-License-Identifier: Apache-2.0
// The syntax tree of an expression in PQL: what pql_expression.c reads and pql_form.c writes as
// the logical form. Everything lives in the arena of the parser.
#pragma once

#include "query/pql_lexer.h"

#include "doc/doc.h"

#define PQL_DEPTH_MAX 30 // of nested expressions, so that their form is a valid document

enum pql_node_kind {
    NODE_LITERAL, // value
    NODE_PATH,    // name
    NODE_CALL,    // name, children; arithmetic too
    NODE_AND,
    NODE_OR,
    NODE_NOT,
    NODE_COMPARE, // name is the operator of the form; two children
    NODE_IN,      // child, value: an array
    NODE_BETWEEN, // child, low, high
    NODE_TEXT,    // name, child, literal; ignore_case
    NODE_EXISTS,  // child, a path
    NODE_REGEX,   // child, value: the pattern; flags
    NODE_ANY,     // name: the array; child: the condition
};

struct pql_node {
    enum pql_node_kind kind;
    size_t offset; // in the text
    size_t depth;
    struct bytes name;
    struct bytes flags;
    struct doc_value value;
    bool ignore_case;
    struct pql_node **children;
    size_t count;
};

struct pql_parser {
    struct pql_lexer lexer;
    struct pql_token token; // the one in hand
    struct arena *arena;
    struct error *error;
    struct doc_value parameters; // a document or an array, or missing
    size_t nesting;
};

// ---- tokens ---------------------------------------------------------------------------------

CHECKED enum status pql_advance(struct pql_parser *parser);
// Whether the token in hand is this symbol, or this name when it is not in backquotes.
bool pql_is(const struct pql_parser *parser, const char *text);
// Takes the token if it is this one.
CHECKED enum status pql_accept(struct pql_parser *parser, const char *text, bool *ret);
CHECKED enum status pql_expect(struct pql_parser *parser, const char *text);
// STATUS_INVALID: "… is expected, not …".
enum status pql_expected(struct pql_parser *parser, const char *what);
enum status pql_no_memory(struct pql_parser *parser);
// A suggestion, " (did you mean 'x'?)" or "": the nearest of `names` within a small edit distance.
// `text` has room for 64 bytes.
const char *pql_suggest(struct bytes name, const char *const *names, size_t count, char text[64]);

// ---- expressions ----------------------------------------------------------------------------

CHECKED enum status pql_parse_expression(struct pql_parser *parser, struct pql_node **ret);
// A dotted path at a name: `a.b[0].c`.
CHECKED enum status pql_parse_path(struct pql_parser *parser, struct bytes *ret);
// A literal, parameter, document or array of those.
CHECKED enum status pql_parse_value(struct pql_parser *parser, struct doc_value *ret);

// ---- forms ----------------------------------------------------------------------------------

// Writes the condition or the expression that `node` is, under `name`.
CHECKED enum status pql_write_condition(struct pql_parser *parser, struct doc_builder *builder,
                                        const char *name, const struct pql_node *node);
CHECKED enum status pql_write_expression(struct pql_parser *parser, struct doc_builder *builder,
                                         const char *name, const struct pql_node *node);
