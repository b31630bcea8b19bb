// SPDX-License-Identifier: Apache-2.0
// Between the walk over the tree, which knows what is written when, and the languages, which know
// how that is said. Private to zsx.
//
// A function with slots or fragments is generated so that rendering may begin and stop at any of
// them: all output stands under `if (zsx_live)`. A slot returns its number to the caller, who
// writes what fills it and calls again with that number; the function then walks to the slot
// without output and goes on from there. So there are no closures, no copies, and no memory.
#pragma once

#include "zsx/host.h"
#include "zsx/tree.h"

struct zsx_language;

struct zsx_emitter {
    struct zsx_file *file;
    const struct zsx_language *language;
    struct buffer *out;
    struct buffer pending; // static text that is not yet written
    enum status status;    // of the first failure, after which nothing is written
    struct zsx_function *function;
    bool is_guarded; // the function has slots or fragments
    bool live_open;  // an `if (zsx_live)` is open
    uint32_t line;   // of the .zsx that the compiler believes to be in
    bool fresh_line;
    uint32_t last_number; // of temporaries
    size_t seen_offset;   // where line counting stands
    uint32_t seen_line;
};

struct zsx_language {
    void (*import)(struct zsx_emitter *emitter, const struct zsx_node *node);
    void (*prototype)(struct zsx_emitter *emitter, const struct zsx_function *function);
    void (*function_begin)(struct zsx_emitter *emitter, const struct zsx_function *function);
    void (*function_end)(struct zsx_emitter *emitter, const struct zsx_function *function);
    void (*host)(struct zsx_emitter *emitter, const struct zsx_node *node);
    void (*return_begin)(struct zsx_emitter *emitter);
    void (*return_end)(struct zsx_emitter *emitter);
    void (*text)(struct zsx_emitter *emitter, struct bytes text);
    void (*write)(struct zsx_emitter *emitter, enum zsx_escape escape, struct bytes code);
    // ` name="value"`, or nothing when the value is absent.
    void (*attribute)(struct zsx_emitter *emitter, struct bytes name, enum zsx_escape escape,
                      struct bytes code);
    // The attributes but those in `skip`, a blank-separated list.
    void (*spread)(struct zsx_emitter *emitter, struct bytes code, struct bytes skip);
    void (*if_begin)(struct zsx_emitter *emitter, struct bytes code);
    void (*else_if)(struct zsx_emitter *emitter, struct bytes code);
    void (*else_begin)(struct zsx_emitter *emitter);
    void (*end)(struct zsx_emitter *emitter); // of a block or scope
    void (*scope)(struct zsx_emitter *emitter);
    void (*live)(struct zsx_emitter *emitter); // if (zsx_live) {
    void (*let)(struct zsx_emitter *emitter, const struct zsx_node *node);
    void (*for_begin)(struct zsx_emitter *emitter, const struct zsx_node *node, uint32_t number);
    void (*for_else)(struct zsx_emitter *emitter, uint32_t number);
    void (*for_end)(struct zsx_emitter *emitter, const struct zsx_node *node, uint32_t number);
    void (*switch_begin)(struct zsx_emitter *emitter, struct bytes code);
    void (*case_begin)(struct zsx_emitter *emitter, struct bytes code); // empty: default
    void (*case_end)(struct zsx_emitter *emitter);
    void (*switch_end)(struct zsx_emitter *emitter, bool has_default);
    void (*call)(struct zsx_emitter *emitter, const struct zsx_node *node);
    // A call whose slots are filled; `slots` has bit n - 1 for slot n.
    void (*call_begin)(struct zsx_emitter *emitter, const struct zsx_node *node, uint32_t number,
                       uint32_t slots);
    void (*fill_begin)(struct zsx_emitter *emitter, uint32_t slot);
    void (*fill_end)(struct zsx_emitter *emitter);
    void (*call_end)(struct zsx_emitter *emitter);
    void (*slot_begin)(struct zsx_emitter *emitter, uint32_t slot); // what follows: the fallback
    void (*part_begin)(struct zsx_emitter *emitter, uint32_t part);
    void (*part_end)(struct zsx_emitter *emitter, uint32_t part);
};
extern const struct zsx_language zsx_language_c;

void zsx_put(struct zsx_emitter *emitter, struct bytes text);
void zsx_put_string(struct zsx_emitter *emitter, const char *text);
void zsx_put_format(struct zsx_emitter *emitter, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// Code of the host language; ends the line when a comment would swallow what follows.
void zsx_put_code(struct zsx_emitter *emitter, struct bytes code);
// A string literal that C and Zig both understand.
void zsx_put_literal(struct zsx_emitter *emitter, struct bytes text);
// The line on which the text at `offset` stands (offsets mostly rise).
uint32_t zsx_line_of(struct zsx_emitter *emitter, size_t offset);
size_t zsx_offset_of(const struct zsx_emitter *emitter, struct bytes code);

// Adds to the static text.
void zsx_static(struct zsx_emitter *emitter, struct bytes text);
void zsx_static_string(struct zsx_emitter *emitter, const char *text);
// Static text is written and the function is live: a statement may follow.
void zsx_ready(struct zsx_emitter *emitter);
// A value, or its text when it is a constant.
void zsx_value(struct zsx_emitter *emitter, enum zsx_escape escape, struct bytes code);

// emit_element.c: "<name …>" and, unless void, "</name>".
void zsx_emit_opening(struct zsx_emitter *emitter, const struct zsx_node *node);
void zsx_emit_closing(struct zsx_emitter *emitter, const struct zsx_node *node);
