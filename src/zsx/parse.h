// SPDX-License-Identifier: Apache-2.0
// Between the files of the parser. Private to zsx.
#pragma once

#include "zsx/host.h"
#include "zsx/tree.h"

// The head of a function that returns markup, up to its body.
struct zsx_declaration {
    size_t start; // with `static` or `pub`
    struct bytes name;
    size_t name_start;
    struct bytes parameters;
    size_t body; // behind the opening brace; a prototype: behind its semicolon
    bool is_private, is_prototype;
};

// False when what begins at `token` (markup, or fn in Zig) is none.
bool zsx_parse_declaration(struct zsx_file *file, struct host_token token,
                           struct zsx_declaration *ret);
// Adds the function with its body; returns the offset behind it.
size_t zsx_parse_function(struct zsx_file *file, const struct zsx_declaration *declaration);

// Where the parser stands in one piece of markup.
struct zsx_markup {
    struct zsx_file *file;
    struct zsx_node *root; // the RETURN
    struct zsx_node *current;
    size_t at;
    size_t depth;
};

// parse_block.c: at a '{' in text.
void zsx_parse_brace(struct zsx_markup *markup);
// Opens a node below the current one and goes into it.
struct zsx_node *zsx_open(struct zsx_markup *markup, enum zsx_kind kind, size_t start);
// Leaves `node` and all that is open in it, reporting those as unclosed.
void zsx_close(struct zsx_markup *markup, struct zsx_node *node);
// "<b>", "{if}": how a node is called in messages.
void zsx_describe(const struct zsx_node *node, char ret_text[100]);
