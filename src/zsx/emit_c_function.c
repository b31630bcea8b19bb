// SPDX-License-Identifier: Apache-2.0
// Functions: signatures, the host code in them, and the header for other C files.
#include "zsx/emit_c.h"

static void parameters(struct zsx_emitter *emitter, const struct zsx_function *function) {
    for (const struct zsx_parameter *p = function->parameters; p != NULL; p = p->next) {
        put(emitter, ", ");
        zsx_put_code(emitter, p->declaration);
    }
    put(emitter, ")");
}

static void arguments(struct zsx_emitter *emitter, const struct zsx_function *function) {
    for (const struct zsx_parameter *p = function->parameters; p != NULL; p = p->next)
        zsx_put_format(emitter, ", %.*s", ZSX_PRINT(p->name));
    put(emitter, ")");
}

// The function itself, or one that renders a fragment.
static void signature(struct zsx_emitter *emitter, const struct zsx_function *function,
                      const struct zsx_node *part) {
    if (function->is_private) put(emitter, "static ");
    if (function->slot_count > 0) {
        zsx_put_format(emitter,
                       "uint32_t %.*s(struct pk_out *out, uint32_t zsx_at, uint32_t zsx_slots",
                       ZSX_PRINT(function->name));
    } else {
        zsx_put_format(emitter, "void %.*s%s%.*s(struct pk_out *out", ZSX_PRINT(function->name),
                       part != NULL ? "_" : "", part != NULL ? (int)part->name.size : 0,
                       part != NULL ? (const char *)part->name.data : "");
    }
    parameters(emitter, function);
}

void zsx_c_prototype(struct zsx_emitter *emitter, const struct zsx_function *function) {
    zsx_c_fresh_line(emitter);
    signature(emitter, function, NULL);
    put(emitter, ";\n");
    for (uint32_t i = 0; i < function->part_count; i++) {
        signature(emitter, function, function->parts[i]);
        put(emitter, ";\n");
    }
}

void zsx_c_import(struct zsx_emitter *emitter, const struct zsx_node *node) {
    // Those of all imports at the first one.
    for (const struct zsx_node *other = emitter->file->root.first; other != node;
         other = other->next)
        if (other->kind == ZSX_IMPORT) return;
    zsx_c_line(emitter, node->start);
    for (const struct zsx_function *function = emitter->file->functions; function != NULL;
         function = function->next)
        if (function->is_imported) zsx_c_prototype(emitter, function);
}

void zsx_c_function_begin(struct zsx_emitter *emitter, const struct zsx_function *function) {
    zsx_c_line(emitter, function->node->start);
    zsx_c_prototype(emitter, function);
    zsx_c_line(emitter, function->node->start);
    if (function->part_count > 0) {
        zsx_put_format(emitter, "static void zsx_%.*s(struct pk_out *out, uint32_t zsx_at",
                       ZSX_PRINT(function->name));
        parameters(emitter, function);
    } else {
        signature(emitter, function, NULL);
    }
    put(emitter, " {");
    if (emitter->is_guarded) put(emitter, " bool zsx_live = zsx_at == 0;");
    if (function->slot_count > 0) put(emitter, " (void)zsx_slots;");
}

static void part_function(struct zsx_emitter *emitter, const struct zsx_function *function,
                          const struct zsx_node *part) {
    zsx_c_fresh_line(emitter);
    signature(emitter, function, part);
    zsx_put_format(emitter, " { zsx_%.*s(out, %u", ZSX_PRINT(function->name),
                   part != NULL ? part->number : 0);
    arguments(emitter, function);
    put(emitter, "; }\n");
}

void zsx_c_function_end(struct zsx_emitter *emitter, const struct zsx_function *function) {
    if (function->part_count == 0) return;
    part_function(emitter, function, NULL);
    for (uint32_t i = 0; i < function->part_count; i++)
        part_function(emitter, function, function->parts[i]);
}

// Host code; in a function with slots `return;` says that there is no slot to fill.
void zsx_c_host(struct zsx_emitter *emitter, const struct zsx_node *node) {
    struct bytes text = zsx_slice(emitter->file, node->start, node->end);
    // The blanks between markup and host code would only cost a directive.
    if (emitter->function == NULL || !emitter->fresh_line || zsx_trim(text).size > 0)
        zsx_c_line(emitter, node->start);
    if (emitter->function == NULL || emitter->function->slot_count == 0) {
        zsx_put(emitter, text);
        return;
    }
    for (size_t at = 0; at < text.size;) {
        struct host_token token = host_next(ZSX_C, text, at);
        zsx_put(emitter, bytes_of(text.data + token.start, token.end - token.start));
        at = token.end;
        if (token.kind != HOST_WORD || token.end - token.start != 6 ||
            memcmp(text.data + token.start, "return", 6) != 0)
            continue;
        struct host_token next = host_next_code(ZSX_C, text, at);
        if (next.kind == HOST_MARK && text.data[next.start] == ';') put(emitter, " 0");
    }
}

void zsx_c_return_begin(struct zsx_emitter *emitter) {
    zsx_c_fresh_line(emitter);
    put(emitter, "{\n");
}

void zsx_c_return_end(struct zsx_emitter *emitter) {
    zsx_c_fresh_line(emitter);
    put(emitter, emitter->function->slot_count > 0 ? "return 0; }" : "return; }");
}

enum status zsx_emit_header(struct zsx_file *file, const char *name, struct buffer *header) {
    struct zsx_emitter emitter = {.file = file,
                                  .language = &zsx_language_c,
                                  .out = header,
                                  .fresh_line = true,
                                  .seen_line = 1};
    put(&emitter, "// Generated by planctl zsx compile from ");
    put(&emitter, name);
    put(&emitter, ".\n// What the parameters are must be declared before.\n#pragma once\n\n"
                  "#include \"planck.h\"\n\n");
    for (const struct zsx_function *function = file->functions; function != NULL;
         function = function->next)
        if (!function->is_private && !function->is_prototype && !function->is_imported)
            zsx_c_prototype(&emitter, function);
    return emitter.status;
}
