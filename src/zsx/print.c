// SPDX-License-Identifier: Apache-2.0
#include "zsx/tree.h"

static const char *const kinds[] = {
    [ZSX_FILE] = "file",
    [ZSX_HOST] = "host",
    [ZSX_IMPORT] = "import",
    [ZSX_FUNCTION] = "function",
    [ZSX_RETURN] = "return",
    [ZSX_ELEMENT] = "element",
    [ZSX_CALL] = "call",
    [ZSX_FILL] = "fill",
    [ZSX_GROUP] = "group",
    [ZSX_TEXT] = "text",
    [ZSX_EXPRESSION] = "expression",
    [ZSX_RAW] = "raw",
    [ZSX_LET] = "let",
    [ZSX_IF] = "if",
    [ZSX_FOR] = "for",
    [ZSX_SWITCH] = "switch",
    [ZSX_BRANCH] = "branch",
    [ZSX_SLOT] = "slot",
    [ZSX_PART] = "fragment",
    [ZSX_COMMENT] = "comment",
    [ZSX_DOCTYPE] = "doctype",
};

struct printer {
    const struct zsx_file *file;
    struct buffer *buffer;
    enum status status;
};

static void put(struct printer *printer, struct bytes text) {
    if (printer->status == STATUS_OK && text.size > 0)
        printer->status = buffer_append(printer->buffer, text.data, text.size);
}

static void put_string(struct printer *printer, const char *text) {
    put(printer, bytes_of_string(text));
}

static void put_quoted(struct printer *printer, struct bytes text) {
    put_string(printer, " [");
    put(printer, text);
    put_string(printer, "]");
}

static void print_attributes(struct printer *printer, const struct zsx_node *node) {
    static const char *const forms[] = {"bare", "quoted", "code", "spread"};
    for (const struct zsx_attribute *a = node->attributes; a != NULL; a = a->next) {
        put_string(printer, " @");
        put(printer, a->name);
        put_string(printer, ":");
        put_string(printer, forms[a->form]);
        for (const struct zsx_piece *piece = a->pieces; piece != NULL; piece = piece->next) {
            put_string(printer, piece->is_code ? " $" : " ");
            put_quoted(printer, piece->text);
        }
    }
}

static void print_node(struct printer *printer, const struct zsx_node *node, size_t depth) {
    size_t before = printer->buffer->size;
    struct bytes text = zsx_slice(printer->file, node->start, node->end);
    for (size_t i = 0; i < depth; i++) put_string(printer, "  ");
    put_string(printer, kinds[node->kind]);
    if (node->kind == ZSX_TEXT) {
        put_string(printer, " [");
        size_t start = printer->buffer->size;
        if (!zsx_text_value(node, text, printer->buffer)) printer->status = STATUS_NO_MEMORY;
        if (printer->buffer->size == start) { // nothing but line breaks
            printer->buffer->size = before;
            return;
        }
        put_string(printer, "]");
    }
    if (node->kind == ZSX_HOST || node->kind == ZSX_IMPORT) put_quoted(printer, text);
    if (node->name.size > 0) put_quoted(printer, node->name);
    if (node->index.size > 0) put_quoted(printer, node->index);
    if (node->code.size > 0) put_quoted(printer, node->code);
    print_attributes(printer, node);
    put_string(printer, "\n");
    for (const struct zsx_node *child = node->first; child != NULL && printer->status == STATUS_OK;
         child = child->next)
        print_node(printer, child, depth + 1);
}

enum status zsx_print(const struct zsx_file *file, struct buffer *buffer) {
    struct printer printer = {.file = file, .buffer = buffer};
    print_node(&printer, &file->root, 0);
    return printer.status;
}
