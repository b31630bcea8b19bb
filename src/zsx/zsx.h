// SPDX-License-Identifier: Apache-2.0
// ZSX: C or Zig in which a function may return markup (docs/ZSX.md). This is the whole language as
// a library without I/O: one error-tolerant parser under the compiler and the formatter. Everything
// lies in the caller's arena; a `struct zsx_file` is valid until that is reset and points into the
// text, which must live as long. Not thread-safe per file; no globals.
#pragma once

#include "base/arena.h"
#include "base/bytes.h"

enum zsx_target { ZSX_C, ZSX_ZIG };

enum { ZSX_SIZE_MAX = 4 * 1024 * 1024 }; // of one source text

// Gives the text of a file that `path` imports as `name` (it must live as long as the arena).
// Anything but STATUS_OK is reported where the import stands.
typedef enum status zsx_import(const char *path, struct bytes name, struct bytes *ret_text,
                               void *context);

struct zsx_options {
    enum zsx_target target;
    const char *path;   // as messages and line directives name it
    zsx_import *import; // NULL: imported components are unknown
    void *context;
};

struct zsx_diagnostic {
    struct zsx_diagnostic *next;
    size_t offset;         // into the text
    uint32_t line, column; // from 1; columns count bytes
    const char *message;
};

struct zsx_file;

// Parses as much as there is. STATUS_NO_MEMORY, STATUS_TOO_LARGE; mistakes are diagnostics.
CHECKED enum status zsx_parse(struct arena *arena, const struct zsx_options *options,
                              struct bytes text, struct zsx_file **ret);
// Checks names, attributes, nesting and contexts, adding diagnostics. Once a file, before
// zsx_emit(). STATUS_NO_MEMORY.
CHECKED enum status zsx_check(struct zsx_file *file);
// In the order of the text; NULL when there are none.
const struct zsx_diagnostic *zsx_diagnostics(const struct zsx_file *file);
// Appends "path:line:column: error: message", the line and a caret below its column.
CHECKED enum status zsx_explain(const struct zsx_file *file,
                                const struct zsx_diagnostic *diagnostic, struct buffer *buffer);

// Appends the generated code. Requires a checked file without diagnostics. STATUS_UNSUPPORTED
// unless the target is C: Zig is parsed, checked and formatted, but nothing is generated for it
// yet.
CHECKED enum status zsx_emit(struct zsx_file *file, struct buffer *code);
// C only: appends the prototypes of what the file makes public, for other C files. `name` is the
// header's file name, for its guard.
CHECKED enum status zsx_emit_header(struct zsx_file *file, const char *name, struct buffer *header);

// Appends the text with its markup laid out anew; code of the host language stays as it is, and so
// do line breaks between nodes. Requires a file without diagnostics of the parser.
CHECKED enum status zsx_format(struct zsx_file *file, struct buffer *text);

// Appends the tree without positions, one node a line: equal trees print equally (tests, fuzzing).
CHECKED enum status zsx_print(const struct zsx_file *file, struct buffer *buffer);
