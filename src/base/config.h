// SPDX-License-Identifier: Apache-2.0
// Configuration from YAML files by tables: one row a key gives parsing, checking, defaults, help
// and documentation. An unknown key, a wrong type, a value out of range or a repeated key is an
// error with file and line; a missing file, section or key is the documented default, and so is a
// section without keys. A string that looks like a number, a truth value or null must be quoted.
// Lists, aliases and tags are refused. Not thread-safe.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/file.h"

enum config_type {
    CONFIG_BOOL,   // field: bool; true or false, no other words
    CONFIG_INT,    // field: int64_t, bounded by [minimum, maximum]
    CONFIG_SIZE,   // field: int64_t bytes; "64MiB", "16 KiB", "1GiB", "1TiB" or plain bytes
    CONFIG_STRING, // field: char *, allocated, never NULL; [minimum, maximum] bytes long
    CONFIG_ENUM,   // field: int64_t, an index into the choices "a|b|c"
};

struct config_row {
    const char *key; // dotted path: "http.port"
    enum config_type type;
    size_t field;              // offset into the options struct
    const char *default_value; // as it would stand in the file
    int64_t minimum, maximum;
    const char *unit;    // "ms", "bytes", ""
    const char *choices; // CONFIG_ENUM only
    const char *doc;     // one sentence
};

struct config_table {
    const char *file_name; // "db.yaml"
    const struct config_row *rows;
    size_t row_count;
};

// Sets every field to its default. Asserts that the defaults are valid.
void config_defaults(const struct config_table *table, void *options);
// Frees the strings.
void config_done(const struct config_table *table, void *options);
// Parses `text`; `path` is for messages only. On failure `error` holds a message that begins with
// "path:line:column: " and the position; fields already read keep what they got.
CHECKED enum status config_parse(const struct config_table *table, struct bytes text,
                                 const char *path, void *options, struct error *error);
// config_parse() of a file; STATUS_OK with nothing changed when it does not exist.
CHECKED enum status config_load(const struct config_table *table, struct file_system *fs,
                                const char *path, void *options, struct error *error);
// Appends a Markdown table of the rows (for docs/CONFIG.md, which a test compares).
CHECKED enum status config_document(const struct config_table *table, struct buffer *buffer);
