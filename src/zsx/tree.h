// SPDX-License-Identifier: Apache-2.0
// The tree of a .zsx file and what its makers share. Nodes keep their place in the text, so that
// nothing is lost: host code is taken from there verbatim. Private to zsx.
#pragma once

#include "zsx/html.h"
#include "zsx/zsx.h"

enum zsx_kind {
    ZSX_FILE,
    ZSX_HOST,       // host code, verbatim
    ZSX_IMPORT,     // #include "x.zsx" or @import("x.zsx"): name is the path
    ZSX_FUNCTION,   // children: HOST and RETURN
    ZSX_RETURN,     // return <…>;
    ZSX_ELEMENT,    // <name …>
    ZSX_CALL,       // <Name …>, a component
    ZSX_FILL,       // <:name>…</:name>: what a call puts into a slot
    ZSX_GROUP,      // <>…</>
    ZSX_TEXT,       // text between tags; verbatim in script and style
    ZSX_EXPRESSION, // {code}, and ${code} in script and style
    ZSX_RAW,        // {raw code}
    ZSX_LET,        // {let name = code}
    ZSX_IF,         // children: BRANCH (code; empty for else)
    ZSX_FOR,        // name, index, code; children: BRANCH, and one for else
    ZSX_SWITCH,     // code; children: BRANCH (code; empty for default)
    ZSX_BRANCH,
    ZSX_SLOT, // {children}, {slot name/}, {slot name}fallback{/slot}
    ZSX_PART, // {fragment name}…{/fragment}
    ZSX_COMMENT,
    ZSX_DOCTYPE,
};

// How a value is written: chosen by context, checked to be safe there.
enum zsx_escape {
    ZSX_ESCAPE_TEXT,
    ZSX_ESCAPE_ATTRIBUTE,
    ZSX_ESCAPE_URL,      // from its start: the scheme is filtered
    ZSX_ESCAPE_URL_PART, // one component, percent-encoded
    ZSX_ESCAPE_SRCSET,
    ZSX_ESCAPE_SCRIPT,    // a JSON value inside a script element
    ZSX_ESCAPE_EVALUATED, // a JSON value inside an attribute that is code
    ZSX_ESCAPE_CSS,
    ZSX_ESCAPE_RAW,
};

struct zsx_piece { // of an attribute's value
    struct zsx_piece *next;
    size_t start;
    struct bytes text;
    bool is_code;
    enum zsx_escape escape;
};

enum zsx_form { ZSX_BARE, ZSX_QUOTED, ZSX_CODE, ZSX_SPREAD };

struct zsx_attribute {
    struct zsx_attribute *next;
    size_t start;
    struct bytes name; // empty for a spread
    enum zsx_form form;
    struct zsx_piece *pieces; // CODE and SPREAD: exactly one
    enum zsx_context context; // set by the check
    bool breaks;              // stands on a line of its own
};

struct zsx_parameter {
    struct zsx_parameter *next;
    struct bytes name, type, fallback; // fallback: empty when it must be given
    struct bytes declaration;          // without the fallback
};

struct zsx_function {
    struct zsx_function *next;
    struct bytes name;
    struct zsx_parameter *parameters;
    struct zsx_node *node;
    bool is_private; // static in C, not pub in Zig
    bool is_prototype;
    bool is_imported;
    struct zsx_node *slots[32]; // in order of their numbers, from 1
    uint32_t slot_count;
    struct zsx_node *parts[32];
    uint32_t part_count;
};

struct zsx_node {
    enum zsx_kind kind;
    size_t start, end;
    struct zsx_node *parent, *first, *last, *next;
    struct bytes name, index, code;
    size_t code_start;
    struct zsx_attribute *attributes, *last_attribute;
    struct zsx_function *function; // FUNCTION: itself; CALL: what is called, set by the check
    enum zsx_escape escape;
    uint32_t number;   // SLOT and PART: from 1; ELEMENT: of the html table
    bool self_closing; // written <name/> or {slot name/}
    bool anchored;     // holds a slot or part, so that rendering may begin or stop inside
    bool verbatim;     // TEXT whose white space counts
    bool is_statement; // LET that names a type
    bool tag_breaks;   // the closing > stands on a line of its own
};

struct zsx_file {
    struct arena *arena;
    struct zsx_options options;
    struct bytes text;
    struct zsx_node root;
    struct zsx_function *functions; // own ones first, then imported
    struct zsx_diagnostic *diagnostics;
    uint32_t diagnostic_count;
    bool out_of_memory;
    struct zsx_node spare; // what allocation gives when there is no memory
    struct zsx_attribute spare_attribute;
    struct zsx_piece spare_piece;
};

// Allocation never gives NULL: without memory it gives the spare and sets `out_of_memory`, on which
// every loop ends.
struct zsx_node *zsx_node_new(struct zsx_file *file, enum zsx_kind kind, struct zsx_node *parent,
                              size_t start);
struct zsx_attribute *zsx_attribute_new(struct zsx_file *file, struct zsx_node *node, size_t start);
struct zsx_piece *zsx_piece_new(struct zsx_file *file, struct zsx_piece ***tail, size_t start,
                                struct bytes text, bool is_code);
void zsx_error(struct zsx_file *file, size_t offset, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void zsx_position(struct bytes text, size_t offset, uint32_t *ret_line, uint32_t *ret_column);
struct zsx_function *zsx_function_find(const struct zsx_file *file, struct bytes name);
struct bytes zsx_slice(const struct zsx_file *file, size_t start, size_t end);
struct bytes zsx_trim(struct bytes text);
// For "%.*s".
#define ZSX_PRINT(text) (int)(text).size, (const char *)(text).data

// parse_markup.c: from `at` (at a '<') to behind the root; children of `parent`.
size_t zsx_parse_markup(struct zsx_file *file, struct zsx_node *parent, size_t at);
// parse_attribute.c: from behind the tag's name to its '>' or '/>', which is consumed.
size_t zsx_parse_attributes(struct zsx_file *file, struct zsx_node *node, size_t at);
// The code between braces that begins at `at`, behind the opening one: sets *ret_code (trimmed) and
// returns the offset behind the closing brace. Unclosed: reports, and gives up at the line's end.
size_t zsx_parse_code(struct zsx_file *file, size_t at, size_t open, struct bytes *ret_code,
                      size_t *ret_start);

// check_*.c
void zsx_check_nesting(struct zsx_file *file, struct zsx_node *node);
void zsx_check_call(struct zsx_file *file, struct zsx_node *node);
void zsx_check_attribute(struct zsx_file *file, struct zsx_node *node,
                         struct zsx_attribute *attribute);
void zsx_check_raw_element(struct zsx_file *file, struct zsx_node *node);

// The nearest element or call around a node, past blocks and groups; NULL at a function's root.
const struct zsx_node *zsx_enclosing(const struct zsx_node *node);
// White space of a TEXT as the page gets it: next to a tag or brace none where it has a line break,
// else one space; inside one space. Verbatim text as it is. False without memory.
bool zsx_text_value(const struct zsx_node *node, struct bytes text, struct buffer *buffer);
bool zsx_is_space(uint8_t c);
bool zsx_preserves_space(const struct zsx_node *node);
