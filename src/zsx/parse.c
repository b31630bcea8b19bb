// SPDX-License-Identifier: Apache-2.0
// The file: host code with functions that return markup in it.
#include "zsx/parse.h"

static void host_node(struct zsx_file *file, struct zsx_node *parent, size_t start, size_t end) {
    if (start < end) zsx_node_new(file, ZSX_HOST, parent, start)->end = end;
}

// The file name of `#include "name.zsx"`, else empty.
static struct bytes import_name(struct bytes directive) {
    struct bytes none = {0};
    struct bytes rest = zsx_trim(bytes_of(directive.data + 1, directive.size - 1));
    if (rest.size < 7 || memcmp(rest.data, "include", 7) != 0) return none;
    rest = zsx_trim(bytes_of(rest.data + 7, rest.size - 7));
    if (rest.size < 7 || rest.data[0] != '"') return none;
    const uint8_t *end = memchr(rest.data + 1, '"', rest.size - 1);
    if (end == NULL) return none;
    struct bytes name = bytes_of(rest.data + 1, (size_t)(end - rest.data) - 1);
    bool fits = name.size > 4 && memcmp(name.data + name.size - 4, ".zsx", 4) == 0;
    return fits ? name : none;
}

// Takes over the functions of the imported text. What is wrong in it is its own compilation's.
static void import(struct zsx_file *file, struct zsx_node *node) {
    struct bytes text;
    const struct zsx_options *options = &file->options;
    if (options->import == NULL) return;
    enum status status = options->import(options->path, node->name, &text, options->context);
    if (status != STATUS_OK) {
        zsx_error(file, node->start, "cannot read %.*s: %s", ZSX_PRINT(node->name),
                  status_text(status));
        return;
    }
    // Imports of imports are not followed: a file names what it uses.
    struct zsx_options inner = {.target = options->target, .path = options->path};
    struct zsx_file *imported;
    if (zsx_parse(file->arena, &inner, text, &imported) != STATUS_OK) {
        file->out_of_memory = true;
        return;
    }
    struct zsx_function **tail = &file->functions;
    while (*tail != NULL) tail = &(*tail)->next;
    for (struct zsx_function *function = imported->functions; function != NULL;
         function = function->next) {
        if (function->is_private) continue;
        function->is_imported = true;
        *tail = function;
        tail = &function->next;
    }
    *tail = NULL;
}

struct scan {
    struct zsx_file *file;
    size_t at, host_start;
    size_t depth;              // of brackets
    struct host_token earlier; // the token of code before, for `static` and `pub`
};

static void scan_directive(struct scan *scan, struct host_token token) {
    struct zsx_file *file = scan->file;
    struct bytes name = import_name(zsx_slice(file, token.start, token.end));
    if (name.size == 0) return;
    host_node(file, &file->root, scan->host_start, token.start);
    struct zsx_node *node = zsx_node_new(file, ZSX_IMPORT, &file->root, token.start);
    node->end = token.end;
    node->name = name;
    scan->host_start = token.end;
}

static bool word_is(const struct zsx_file *file, struct host_token token, const char *word) {
    return token.kind == HOST_WORD &&
           bytes_equal_string(zsx_slice(file, token.start, token.end), word);
}

static void scan_word(struct scan *scan, struct host_token token) {
    struct zsx_file *file = scan->file;
    bool is_c = file->options.target == ZSX_C;
    if (scan->depth != 0 || !word_is(file, token, is_c ? "markup" : "fn")) return;
    struct zsx_declaration found;
    if (!zsx_parse_declaration(file, token, &found)) return;
    bool modified = word_is(file, scan->earlier, is_c ? "static" : "pub");
    found.is_private = is_c ? modified : !modified;
    found.start = modified ? scan->earlier.start : token.start;
    host_node(file, &file->root, scan->host_start, found.start);
    scan->at = scan->host_start = zsx_parse_function(file, &found);
}

static void scan_file(struct scan *scan) {
    struct zsx_file *file = scan->file;
    for (;;) {
        struct host_token token = host_next(file->options.target, file->text, scan->at);
        if (token.kind == HOST_END || file->out_of_memory) break;
        scan->at = token.end;
        if (token.kind == HOST_SPACE || token.kind == HOST_COMMENT) continue;
        if (token.kind == HOST_DIRECTIVE) scan_directive(scan, token);
        if (token.kind == HOST_WORD) scan_word(scan, token);
        if (token.kind == HOST_MARK) {
            uint8_t c = file->text.data[token.start];
            if (c == '{' || c == '(' || c == '[') scan->depth++;
            if ((c == '}' || c == ')' || c == ']') && scan->depth > 0) scan->depth--;
        }
        scan->earlier = token;
    }
    if (scan->host_start < file->text.size)
        host_node(file, &file->root, scan->host_start, file->text.size);
}

enum status zsx_parse(struct arena *arena, const struct zsx_options *options, struct bytes text,
                      struct zsx_file **ret) {
    if (text.size > ZSX_SIZE_MAX) return STATUS_TOO_LARGE;
    struct zsx_file *file = arena_zalloc(arena, sizeof *file);
    if (file == NULL) return STATUS_NO_MEMORY;
    file->arena = arena;
    file->options = *options;
    file->text = text.data != NULL ? text : bytes_of("", 0); // pointers into it are computed
    file->root.kind = ZSX_FILE;
    file->root.end = text.size;
    struct scan scan = {.file = file};
    scan_file(&scan);
    for (struct zsx_node *node = file->root.first; node != NULL; node = node->next)
        if (node->kind == ZSX_IMPORT) import(file, node);
    if (file->out_of_memory) return STATUS_NO_MEMORY;
    *ret = file;
    return STATUS_OK;
}
