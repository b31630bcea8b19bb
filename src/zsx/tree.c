// SPDX-License-Identifier: Apache-2.0
#include "zsx/tree.h"

#include <stdarg.h>
#include <stdio.h>

enum { MESSAGE_MAX = 300, DIAGNOSTICS_MAX = 100 };

bool zsx_is_space(uint8_t c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

struct bytes zsx_slice(const struct zsx_file *file, size_t start, size_t end) {
    ASSERT(start <= end && end <= file->text.size);
    return bytes_of(file->text.data + start, end - start);
}

struct bytes zsx_trim(struct bytes text) {
    while (text.size > 0 && zsx_is_space(text.data[0])) {
        text.data++;
        text.size--;
    }
    while (text.size > 0 && zsx_is_space(text.data[text.size - 1])) text.size--;
    return text;
}

void zsx_position(struct bytes text, size_t offset, uint32_t *ret_line, uint32_t *ret_column) {
    uint32_t line = 1;
    size_t start = 0;
    for (size_t i = 0; i < offset && i < text.size; i++) {
        if (text.data[i] != '\n') continue;
        line++;
        start = i + 1;
    }
    *ret_line = line;
    *ret_column = (uint32_t)(offset - start + 1);
}

struct zsx_node *zsx_node_new(struct zsx_file *file, enum zsx_kind kind, struct zsx_node *parent,
                              size_t start) {
    struct zsx_node *node = arena_zalloc(file->arena, sizeof *node);
    if (node == NULL) {
        file->out_of_memory = true;
        file->spare = (struct zsx_node){.kind = kind, .parent = parent, .start = start};
        return &file->spare;
    }
    node->kind = kind;
    node->parent = parent;
    node->start = node->end = start;
    if (parent->last != NULL)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
    return node;
}

struct zsx_attribute *zsx_attribute_new(struct zsx_file *file, struct zsx_node *node,
                                        size_t start) {
    struct zsx_attribute *attribute = arena_zalloc(file->arena, sizeof *attribute);
    if (attribute == NULL) {
        file->out_of_memory = true;
        file->spare_attribute = (struct zsx_attribute){.start = start};
        return &file->spare_attribute;
    }
    attribute->start = start;
    if (node->last_attribute != NULL)
        node->last_attribute->next = attribute;
    else
        node->attributes = attribute;
    node->last_attribute = attribute;
    return attribute;
}

struct zsx_piece *zsx_piece_new(struct zsx_file *file, struct zsx_piece ***tail, size_t start,
                                struct bytes text, bool is_code) {
    struct zsx_piece *piece = arena_zalloc(file->arena, sizeof *piece);
    if (piece == NULL) {
        file->out_of_memory = true;
        return &file->spare_piece;
    }
    *piece = (struct zsx_piece){.start = start, .text = text, .is_code = is_code};
    **tail = piece;
    *tail = &piece->next;
    return piece;
}

// Kept in the order of the text; among equals the first reported comes first.
static void diagnostic_insert(struct zsx_file *file, struct zsx_diagnostic *added) {
    struct zsx_diagnostic **place = &file->diagnostics;
    while (*place != NULL && (*place)->offset <= added->offset) place = &(*place)->next;
    added->next = *place;
    *place = added;
}

void zsx_error(struct zsx_file *file, size_t offset, const char *format, ...) {
    if (file->diagnostic_count == DIAGNOSTICS_MAX) return;
    char message[MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    struct zsx_diagnostic *diagnostic = arena_zalloc(file->arena, sizeof *diagnostic);
    if (diagnostic != NULL)
        diagnostic->message = arena_string(file->arena, bytes_of_string(message));
    if (diagnostic == NULL || diagnostic->message == NULL) {
        file->out_of_memory = true;
        return;
    }
    file->diagnostic_count++;
    diagnostic->offset = offset;
    zsx_position(file->text, offset, &diagnostic->line, &diagnostic->column);
    diagnostic_insert(file, diagnostic);
}

const struct zsx_diagnostic *zsx_diagnostics(const struct zsx_file *file) {
    return file->diagnostics;
}

enum status zsx_explain(const struct zsx_file *file, const struct zsx_diagnostic *diagnostic,
                        struct buffer *buffer) {
    size_t start = diagnostic->offset - (diagnostic->column - 1), end = start;
    while (end < file->text.size && file->text.data[end] != '\n' && file->text.data[end] != '\r')
        end++;
    enum status status = buffer_append_format(
        buffer, "%s:%u:%u: error: %s\n%5u | ", file->options.path, diagnostic->line,
        diagnostic->column, diagnostic->message, diagnostic->line);
    if (status == STATUS_OK) status = buffer_append(buffer, file->text.data + start, end - start);
    if (status == STATUS_OK) status = buffer_append_string(buffer, "\n      | ");
    for (size_t i = start; i < diagnostic->offset && i < end && status == STATUS_OK; i++) {
        uint8_t c = file->text.data[i];
        // Continuation bytes of UTF-8 take no column of their own.
        if ((c & 0xc0) != 0x80) status = buffer_append(buffer, c == '\t' ? "\t" : " ", 1);
    }
    return status == STATUS_OK ? buffer_append_string(buffer, "^\n") : status;
}

struct zsx_function *zsx_function_find(const struct zsx_file *file, struct bytes name) {
    for (struct zsx_function *function = file->functions; function != NULL;
         function = function->next)
        if (bytes_equal(function->name, name)) return function;
    return NULL;
}

const struct zsx_node *zsx_enclosing(const struct zsx_node *node) {
    for (node = node->parent; node != NULL && node->kind != ZSX_RETURN; node = node->parent)
        if (node->kind == ZSX_ELEMENT || node->kind == ZSX_CALL || node->kind == ZSX_FILL)
            return node;
    return NULL;
}

bool zsx_preserves_space(const struct zsx_node *node) {
    for (; node != NULL && node->kind != ZSX_RETURN; node = node->parent) {
        if (node->kind != ZSX_ELEMENT) continue;
        const struct html_element *element = html_find(node->name);
        if (element != NULL && (element->flags & HTML_KEEPS_SPACE) != 0) return true;
    }
    return false;
}

bool zsx_text_value(const struct zsx_node *node, struct bytes text, struct buffer *buffer) {
    if (node->verbatim) return buffer_append(buffer, text.data, text.size) == STATUS_OK;
    for (size_t i = 0; i < text.size;) {
        size_t start = i;
        bool line_break = false;
        while (i < text.size && zsx_is_space(text.data[i])) line_break |= text.data[i++] == '\n';
        bool outer = start == 0 || i == text.size;
        if (i > start && !(outer && line_break) && buffer_append(buffer, " ", 1) != STATUS_OK)
            return false;
        start = i;
        while (i < text.size && !zsx_is_space(text.data[i])) i++;
        if (i > start && buffer_append(buffer, text.data + start, i - start) != STATUS_OK)
            return false;
    }
    return true;
}
