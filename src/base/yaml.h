// SPDX-License-Identifier: Apache-2.0
// Reads a YAML document as a tree of mappings with text at the leaves: what configuration files
// consist of. Refused, with a position: lists, aliases, anchors, tags, keys that are not plain text
// or contain a dot, repeated keys, several documents, nesting deeper than YAML_DEPTH_MAX. An empty
// document is an empty mapping. Private to base: config.h stands on it. Any thread.
#pragma once

#include "base/bytes.h"
#include "base/status.h"

enum { YAML_DEPTH_MAX = 8, YAML_PATH_MAX = 255 };

enum yaml_kind { YAML_TEXT, YAML_MAPPING, YAML_LIST };

struct yaml_place {
    uint32_t line;
    uint32_t column;
};

// A key with its value; valid during the call.
struct yaml_node {
    enum yaml_kind kind;
    const char *path;  // the keys that lead here, joined by dots
    struct bytes text; // YAML_TEXT only
    bool plain;        // not quoted and not a block, so that true, 5 or null are meant
    struct yaml_place key, value;
};

// Fills `error` (may be NULL) with "file:line:column: message" and the position; returns
// STATUS_INVALID.
enum status yaml_error(struct error *error, const char *file_name, struct yaml_place place,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));

// Called for each key in the order of the text, a mapping before what is in it. A status other than
// STATUS_OK ends the reading. A list must be refused here; it is refused afterwards in any case.
typedef enum status yaml_function(const struct yaml_node *node, void *context);

// `file_name` is for messages. STATUS_INVALID, STATUS_NO_MEMORY, or what `function` returned.
CHECKED enum status yaml_read(struct bytes text, const char *file_name, struct error *error,
                              yaml_function *function, void *context);

// True for what stands for "no value" when it is not quoted.
bool yaml_is_null(const struct yaml_node *node);
