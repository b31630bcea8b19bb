// SPDX-License-Identifier: Apache-2.0
#include "zsx/emit.h"

#include <stdarg.h>
#include <stdio.h>

// ---- output ---------------------------------------------------------------------------------

void zsx_put(struct zsx_emitter *emitter, struct bytes text) {
    if (emitter->status != STATUS_OK || text.size == 0) return;
    emitter->status = buffer_append(emitter->out, text.data, text.size);
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] == '\n') emitter->line++;
    emitter->fresh_line = text.data[text.size - 1] == '\n';
}

void zsx_put_string(struct zsx_emitter *emitter, const char *text) {
    zsx_put(emitter, bytes_of_string(text));
}

void zsx_put_format(struct zsx_emitter *emitter, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    ASSERT(size >= 0);
    if ((size_t)size < sizeof text)
        zsx_put(emitter, bytes_of(text, (size_t)size));
    else if (emitter->status == STATUS_OK)
        emitter->status = STATUS_TOO_LARGE; // a name of hundreds of characters
}

void zsx_put_code(struct zsx_emitter *emitter, struct bytes code) {
    zsx_put(emitter, code);
    if (host_ends_lines(emitter->file->options.target, code)) zsx_put_string(emitter, "\n");
}

void zsx_put_literal(struct zsx_emitter *emitter, struct bytes text) {
    if (text.size == 0) {
        zsx_put_string(emitter, "\"\"");
        return;
    }
    zsx_put_string(emitter, "\"");
    size_t start = 0;
    bool is_c = emitter->file->options.target == ZSX_C;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (c >= ' ' && c != '"' && c != '\\' && c != 0x7f) continue;
        zsx_put(emitter, bytes_of(text.data + start, i - start));
        start = i + 1;
        if (c == '\n')
            zsx_put_string(emitter, "\\n");
        else if (c == '"' || c == '\\')
            zsx_put_format(emitter, "\\%c", c);
        else
            zsx_put_format(emitter, is_c ? "\\%03o" : "\\x%02x", c);
    }
    zsx_put(emitter, bytes_of(text.data + start, text.size - start));
    zsx_put_string(emitter, "\"");
}

uint32_t zsx_line_of(struct zsx_emitter *emitter, size_t offset) {
    if (offset < emitter->seen_offset) {
        emitter->seen_offset = 0;
        emitter->seen_line = 1;
    }
    struct bytes text = emitter->file->text;
    for (; emitter->seen_offset < offset; emitter->seen_offset++)
        if (text.data[emitter->seen_offset] == '\n') emitter->seen_line++;
    return emitter->seen_line;
}

size_t zsx_offset_of(const struct zsx_emitter *emitter, struct bytes code) {
    return (size_t)(code.data - emitter->file->text.data);
}

// ---- statements -----------------------------------------------------------------------------

void zsx_static(struct zsx_emitter *emitter, struct bytes text) {
    if (emitter->status == STATUS_OK && text.size > 0)
        emitter->status = buffer_append(&emitter->pending, text.data, text.size);
}

void zsx_static_string(struct zsx_emitter *emitter, const char *text) {
    zsx_static(emitter, bytes_of_string(text));
}

static void ensure_live(struct zsx_emitter *emitter) {
    if (!emitter->is_guarded || emitter->live_open) return;
    emitter->live_open = true;
    emitter->language->live(emitter);
}

static void flush(struct zsx_emitter *emitter) {
    if (emitter->pending.size == 0) return;
    ensure_live(emitter);
    emitter->language->text(emitter, buffer_bytes(&emitter->pending));
    buffer_clear(&emitter->pending);
}

void zsx_ready(struct zsx_emitter *emitter) {
    flush(emitter);
    ensure_live(emitter);
}

// What follows is walked whether the function is live or not.
static void unguard(struct zsx_emitter *emitter) {
    flush(emitter);
    if (!emitter->live_open) return;
    emitter->live_open = false;
    emitter->language->end(emitter);
}

// Before a structure: inside of the guard when nothing in it is anchored, else outside.
static void prepare(struct zsx_emitter *emitter, const struct zsx_node *node) {
    if (emitter->is_guarded && node->anchored)
        unguard(emitter);
    else
        zsx_ready(emitter);
}

// Before the end of a part of a structure.
static void finish(struct zsx_emitter *emitter, const struct zsx_node *node) {
    if (emitter->is_guarded && node->anchored)
        unguard(emitter);
    else
        flush(emitter);
}

static void static_escaped(struct zsx_emitter *emitter, struct bytes text) {
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        switch (c) {
        case '&':
            zsx_static_string(emitter, "&amp;");
            break;
        case '<':
            zsx_static_string(emitter, "&lt;");
            break;
        case '>':
            zsx_static_string(emitter, "&gt;");
            break;
        case '"':
            zsx_static_string(emitter, "&quot;");
            break;
        case '\'':
            zsx_static_string(emitter, "&#39;");
            break;
        default:
            zsx_static(emitter, bytes_of(&c, 1));
        }
    }
}

// A string literal without escapes, or a decimal integer.
static bool fold(struct zsx_emitter *emitter, struct bytes code) {
    if (code.size >= 2 && code.data[0] == '"' && memchr(code.data, '\\', code.size) == NULL &&
        memchr(code.data + 1, '"', code.size - 1) == code.data + code.size - 1) {
        static_escaped(emitter, bytes_of(code.data + 1, code.size - 2));
        return true;
    }
    for (size_t i = 0; i < code.size; i++)
        if (code.data[i] < '0' || code.data[i] > '9') return false;
    if (code.size == 0 || code.size > 18 || (code.data[0] == '0' && code.size > 1)) return false;
    zsx_static(emitter, code);
    return true;
}

void zsx_value(struct zsx_emitter *emitter, enum zsx_escape escape, struct bytes code) {
    if ((escape == ZSX_ESCAPE_TEXT || escape == ZSX_ESCAPE_ATTRIBUTE) && fold(emitter, code))
        return;
    zsx_ready(emitter);
    emitter->language->write(emitter, escape, code);
}

// ---- the walk -------------------------------------------------------------------------------

static void emit_node(struct zsx_emitter *emitter, const struct zsx_node *node);

static bool has_let(const struct zsx_node *node) {
    for (const struct zsx_node *child = node->first; child != NULL; child = child->next)
        if (child->kind == ZSX_LET) return true;
    return false;
}

static void emit_children(struct zsx_emitter *emitter, const struct zsx_node *node) {
    for (const struct zsx_node *child = node->first; child != NULL; child = child->next)
        emit_node(emitter, child);
}

// Children whose names end with them.
static void emit_scope(struct zsx_emitter *emitter, const struct zsx_node *node) {
    bool scoped = has_let(node);
    if (scoped) {
        prepare(emitter, node);
        emitter->language->scope(emitter);
    }
    emit_children(emitter, node);
    if (scoped) {
        finish(emitter, node);
        emitter->language->end(emitter);
    }
}

static void emit_text(struct zsx_emitter *emitter, const struct zsx_node *node) {
    struct bytes text = zsx_slice(emitter->file, node->start, node->end);
    if (!zsx_text_value(node, text, &emitter->pending)) emitter->status = STATUS_NO_MEMORY;
}

static void emit_element(struct zsx_emitter *emitter, const struct zsx_node *node) {
    zsx_emit_opening(emitter, node);
    emit_scope(emitter, node);
    zsx_emit_closing(emitter, node);
}

static void emit_let(struct zsx_emitter *emitter, const struct zsx_node *node) {
    if (emitter->is_guarded && node->parent->anchored)
        unguard(emitter);
    else
        zsx_ready(emitter);
    emitter->language->let(emitter, node);
}

static void emit_if(struct zsx_emitter *emitter, const struct zsx_node *node) {
    prepare(emitter, node);
    for (const struct zsx_node *branch = node->first; branch != NULL; branch = branch->next) {
        if (branch == node->first)
            emitter->language->if_begin(emitter, branch->code);
        else if (branch->code.size > 0)
            emitter->language->else_if(emitter, branch->code);
        else
            emitter->language->else_begin(emitter);
        emit_children(emitter, branch);
        finish(emitter, node);
    }
    emitter->language->end(emitter);
}

static void emit_for(struct zsx_emitter *emitter, const struct zsx_node *node) {
    prepare(emitter, node);
    uint32_t number = ++emitter->last_number;
    emitter->language->for_begin(emitter, node, number);
    emit_children(emitter, node->first);
    finish(emitter, node);
    emitter->language->end(emitter);
    if (node->first->next != NULL) {
        emitter->language->for_else(emitter, number);
        emit_children(emitter, node->first->next);
        finish(emitter, node);
        emitter->language->end(emitter);
    }
    emitter->language->for_end(emitter, node, number);
}

static void emit_switch(struct zsx_emitter *emitter, const struct zsx_node *node) {
    prepare(emitter, node);
    emitter->language->switch_begin(emitter, node->code);
    bool has_default = false;
    for (const struct zsx_node *branch = node->first->next; branch != NULL; branch = branch->next) {
        has_default |= branch->code.size == 0;
        emitter->language->case_begin(emitter, branch->code);
        emit_children(emitter, branch);
        finish(emitter, node);
        emitter->language->case_end(emitter);
    }
    emitter->language->switch_end(emitter, has_default);
}

static bool is_blank(const struct zsx_emitter *emitter, const struct zsx_node *node) {
    return node->kind == ZSX_COMMENT || node->kind == ZSX_FILL ||
           (node->kind == ZSX_TEXT &&
            zsx_trim(zsx_slice(emitter->file, node->start, node->end)).size == 0);
}

// What a call puts into the slot: its <:name>, or for `children` what stands in no such tag.
static const struct zsx_node *find_fill(const struct zsx_emitter *emitter,
                                        const struct zsx_node *call, struct bytes slot) {
    bool is_children = bytes_equal_string(slot, "children");
    for (const struct zsx_node *child = call->first; child != NULL; child = child->next) {
        if (child->kind == ZSX_FILL ? bytes_equal(child->name, slot)
                                    : is_children && !is_blank(emitter, child))
            return child->kind == ZSX_FILL ? child : call;
    }
    return NULL;
}

static void emit_fill(struct zsx_emitter *emitter, const struct zsx_node *call,
                      const struct zsx_node *fill, uint32_t slot) {
    emitter->language->fill_begin(emitter, slot);
    for (const struct zsx_node *child = fill->first; child != NULL; child = child->next)
        if (fill != call || child->kind != ZSX_FILL) emit_node(emitter, child);
    finish(emitter, call);
    emitter->language->fill_end(emitter);
}

static void emit_call(struct zsx_emitter *emitter, const struct zsx_node *node) {
    const struct zsx_function *function = node->function;
    uint32_t slots = 0;
    for (uint32_t i = 0; i < function->slot_count; i++)
        if (find_fill(emitter, node, function->slots[i]->name) != NULL) slots |= 1u << i;
    prepare(emitter, node);
    if (slots == 0) {
        emitter->language->call(emitter, node);
        return;
    }
    emitter->language->call_begin(emitter, node, ++emitter->last_number, slots);
    for (uint32_t i = 0; i < function->slot_count; i++) {
        const struct zsx_node *fill = find_fill(emitter, node, function->slots[i]->name);
        if (fill != NULL) emit_fill(emitter, node, fill, i + 1);
    }
    emitter->language->call_end(emitter);
}

static void emit_slot(struct zsx_emitter *emitter, const struct zsx_node *node) {
    unguard(emitter);
    emitter->language->slot_begin(emitter, node->number);
    emit_children(emitter, node);
    unguard(emitter);
    emitter->language->end(emitter);
}

static void emit_part(struct zsx_emitter *emitter, const struct zsx_node *node) {
    unguard(emitter);
    emitter->language->part_begin(emitter, node->number);
    emit_children(emitter, node);
    unguard(emitter);
    emitter->language->part_end(emitter, node->number);
}

static void emit_return(struct zsx_emitter *emitter, const struct zsx_node *node) {
    emitter->language->return_begin(emitter);
    emit_children(emitter, node);
    unguard(emitter);
    emitter->language->return_end(emitter);
}

static void emit_function(struct zsx_emitter *emitter, const struct zsx_node *node) {
    struct zsx_function *function = node->function;
    if (function->is_prototype) {
        const struct zsx_function *defined = zsx_function_find(emitter->file, node->name);
        emitter->language->prototype(emitter, defined != NULL ? defined : function);
        return;
    }
    emitter->function = function;
    emitter->is_guarded = function->slot_count > 0 || function->part_count > 0;
    emitter->language->function_begin(emitter, function);
    emit_children(emitter, node);
    emitter->language->function_end(emitter, function);
    emitter->function = NULL;
    emitter->is_guarded = false;
}

static void emit_node(struct zsx_emitter *emitter, const struct zsx_node *node) {
    switch (node->kind) {
    case ZSX_HOST:
        emitter->language->host(emitter, node);
        break;
    case ZSX_IMPORT:
        emitter->language->import(emitter, node);
        break;
    case ZSX_FUNCTION:
        emit_function(emitter, node);
        break;
    case ZSX_RETURN:
        emit_return(emitter, node);
        break;
    case ZSX_ELEMENT:
        emit_element(emitter, node);
        break;
    case ZSX_CALL:
        emit_call(emitter, node);
        break;
    case ZSX_GROUP:
        emit_scope(emitter, node);
        break;
    case ZSX_TEXT:
        emit_text(emitter, node);
        break;
    case ZSX_EXPRESSION:
        zsx_value(emitter, node->escape, node->code);
        break;
    case ZSX_RAW:
        zsx_value(emitter, ZSX_ESCAPE_RAW, node->code);
        break;
    case ZSX_LET:
        emit_let(emitter, node);
        break;
    case ZSX_IF:
        emit_if(emitter, node);
        break;
    case ZSX_FOR:
        emit_for(emitter, node);
        break;
    case ZSX_SWITCH:
        emit_switch(emitter, node);
        break;
    case ZSX_SLOT:
        emit_slot(emitter, node);
        break;
    case ZSX_PART:
        emit_part(emitter, node);
        break;
    case ZSX_DOCTYPE:
        zsx_static_string(emitter, "<!doctype html>");
        break;
    case ZSX_COMMENT:
        break;
    case ZSX_FILE:
    case ZSX_FILL:
    case ZSX_BRANCH:
        UNREACHABLE();
    }
}

enum status zsx_emit(struct zsx_file *file, struct buffer *code) {
    ASSERT(file->diagnostics == NULL);
    if (file->options.target != ZSX_C) return STATUS_UNSUPPORTED;
    struct zsx_emitter emitter = {
        .file = file,
        .language = &zsx_language_c,
        .out = code,
        .line = 0, // no line of the .zsx yet
        .fresh_line = true,
        .seen_line = 1,
    };
    emit_children(&emitter, &file->root);
    buffer_done(&emitter.pending);
    return emitter.status;
}
