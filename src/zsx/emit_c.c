// SPDX-License-Identifier: Apache-2.0
// The generated C, over sdk/c/zsx/pk_zsx.h. Every statement stands on a line of its own with a
// directive before it where the compiler would otherwise name another line of the .zsx.
#include "zsx/emit.h"

static void put(struct zsx_emitter *emitter, const char *text) {
    zsx_put_string(emitter, text);
}

static void fresh_line(struct zsx_emitter *emitter) {
    if (!emitter->fresh_line) put(emitter, "\n");
}

// A new line that the compiler takes for that of `offset`.
static void line(struct zsx_emitter *emitter, size_t offset) {
    enum { NEAR = 3 };
    uint32_t wanted = zsx_line_of(emitter, offset);
    fresh_line(emitter);
    if (emitter->line != 0 && emitter->line <= wanted && wanted - emitter->line <= NEAR) {
        while (emitter->line < wanted) put(emitter, "\n");
        return;
    }
    zsx_put_format(emitter, "#line %u ", wanted);
    zsx_put_literal(emitter, bytes_of_string(emitter->file->options.path));
    put(emitter, "\n");
    emitter->line = wanted;
}

static void code_line(struct zsx_emitter *emitter, struct bytes code) {
    line(emitter, zsx_offset_of(emitter, code));
}

// ---- functions ------------------------------------------------------------------------------

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

static void prototype(struct zsx_emitter *emitter, const struct zsx_function *function) {
    fresh_line(emitter);
    signature(emitter, function, NULL);
    put(emitter, ";\n");
    for (uint32_t i = 0; i < function->part_count; i++) {
        signature(emitter, function, function->parts[i]);
        put(emitter, ";\n");
    }
}

static void import(struct zsx_emitter *emitter, const struct zsx_node *node) {
    // Those of all imports at the first one.
    for (const struct zsx_node *other = emitter->file->root.first; other != node;
         other = other->next)
        if (other->kind == ZSX_IMPORT) return;
    line(emitter, node->start);
    for (const struct zsx_function *function = emitter->file->functions; function != NULL;
         function = function->next)
        if (function->is_imported) prototype(emitter, function);
}

static void function_begin(struct zsx_emitter *emitter, const struct zsx_function *function) {
    line(emitter, function->node->start);
    prototype(emitter, function);
    line(emitter, function->node->start);
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
    fresh_line(emitter);
    signature(emitter, function, part);
    zsx_put_format(emitter, " { zsx_%.*s(out, %u", ZSX_PRINT(function->name),
                   part != NULL ? part->number : 0);
    arguments(emitter, function);
    put(emitter, "; }\n");
}

static void function_end(struct zsx_emitter *emitter, const struct zsx_function *function) {
    if (function->part_count == 0) return;
    part_function(emitter, function, NULL);
    for (uint32_t i = 0; i < function->part_count; i++)
        part_function(emitter, function, function->parts[i]);
}

// Host code; in a function with slots `return;` says that there is no slot to fill.
static void host(struct zsx_emitter *emitter, const struct zsx_node *node) {
    struct bytes text = zsx_slice(emitter->file, node->start, node->end);
    // The blanks between markup and host code would only cost a directive.
    if (emitter->function == NULL || !emitter->fresh_line || zsx_trim(text).size > 0)
        line(emitter, node->start);
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

static void return_begin(struct zsx_emitter *emitter) {
    fresh_line(emitter);
    put(emitter, "{\n");
}

static void return_end(struct zsx_emitter *emitter) {
    fresh_line(emitter);
    put(emitter, emitter->function->slot_count > 0 ? "return 0; }" : "return; }");
}

// ---- output ---------------------------------------------------------------------------------

static void text(struct zsx_emitter *emitter, struct bytes text) {
    fresh_line(emitter);
    put(emitter, "pk_raw(out, ");
    zsx_put_literal(emitter, text);
    put(emitter, ");\n");
}

static const char *const escapes[] = {
    [ZSX_ESCAPE_TEXT] = "text",
    [ZSX_ESCAPE_ATTRIBUTE] = "text",
    [ZSX_ESCAPE_URL] = "url",
    [ZSX_ESCAPE_URL_PART] = "url_part",
    [ZSX_ESCAPE_SRCSET] = "srcset",
    [ZSX_ESCAPE_SCRIPT] = "script",
    [ZSX_ESCAPE_EVALUATED] = "evaluated",
    [ZSX_ESCAPE_CSS] = "css",
    [ZSX_ESCAPE_RAW] = "raw",
};

static void write(struct zsx_emitter *emitter, enum zsx_escape escape, struct bytes code) {
    code_line(emitter, code);
    zsx_put_format(emitter, "pk_zsx_%s(out, ", escapes[escape]);
    zsx_put_code(emitter, code);
    put(emitter, ");\n");
}

static void attribute(struct zsx_emitter *emitter, struct bytes name, enum zsx_escape escape,
                      struct bytes code) {
    code_line(emitter, code);
    zsx_put_format(emitter, "pk_zsx_attribute_%s(out, \" %.*s=\\\"\", ", escapes[escape],
                   ZSX_PRINT(name));
    zsx_put_code(emitter, code);
    put(emitter, ");\n");
}

static void spread(struct zsx_emitter *emitter, struct bytes code, struct bytes skip) {
    code_line(emitter, code);
    put(emitter, "pk_zsx_spread(out, ");
    zsx_put_literal(emitter, skip);
    put(emitter, ", ");
    zsx_put_code(emitter, code);
    put(emitter, ");\n");
}

// ---- structure ------------------------------------------------------------------------------

static void if_begin(struct zsx_emitter *emitter, struct bytes code) {
    code_line(emitter, code);
    put(emitter, "if (");
    zsx_put_code(emitter, code);
    put(emitter, ") {\n");
}

static void else_if(struct zsx_emitter *emitter, struct bytes code) {
    fresh_line(emitter);
    put(emitter, "} else\n");
    if_begin(emitter, code);
}

static void else_begin(struct zsx_emitter *emitter) {
    fresh_line(emitter);
    put(emitter, "} else {\n");
}

static void end(struct zsx_emitter *emitter) {
    fresh_line(emitter);
    put(emitter, "}\n");
}

static void scope(struct zsx_emitter *emitter) {
    fresh_line(emitter);
    put(emitter, "{\n");
}

static void live(struct zsx_emitter *emitter) {
    fresh_line(emitter);
    put(emitter, "if (zsx_live) {\n");
}

static void let(struct zsx_emitter *emitter, const struct zsx_node *node) {
    line(emitter, node->start);
    if (!node->is_statement) put(emitter, "__auto_type ");
    zsx_put(emitter, node->index);
    put(emitter, " = ");
    zsx_put_code(emitter, node->code);
    zsx_put_format(emitter, "; (void)%.*s;\n", ZSX_PRINT(node->name));
}

static struct bytes part_of(struct bytes text, size_t start, size_t end) {
    return zsx_trim(bytes_of(text.data + start, end - start));
}

static void range_begin(struct zsx_emitter *emitter, const struct zsx_node *node, uint32_t number,
                        size_t dots) {
    zsx_put_format(emitter, "for (int64_t %.*s = (", ZSX_PRINT(node->name));
    zsx_put_code(emitter, part_of(node->code, 0, dots));
    zsx_put_format(emitter, "), zsx_%u_end = (", number);
    zsx_put_code(emitter, part_of(node->code, dots + 2, node->code.size));
    zsx_put_format(emitter, "); %.*s < zsx_%u_end; %.*s++, zsx_%u++) {\n", ZSX_PRINT(node->name),
                   number, ZSX_PRINT(node->name), number);
}

// The offset of the '[' whose ']' ends the code, and of the dots in it; false when it is no slice.
static bool find_slice(struct bytes code, size_t *ret_open, size_t *ret_dots) {
    if (code.size == 0 || code.data[code.size - 1] != ']') return false;
    size_t at = 0, wrong;
    for (;;) {
        size_t open = host_find(ZSX_C, bytes_of(code.data + at, code.size - at), 0, "[");
        if (open == code.size - at) return false;
        open += at;
        size_t close = host_match(ZSX_C, code, open + 1, ']', &wrong);
        if (close >= code.size) return false;
        at = close + 1;
        if (close + 1 != code.size) continue;
        struct bytes inside = bytes_of(code.data + open + 1, close - open - 1);
        size_t dots = host_find(ZSX_C, inside, 0, "..");
        *ret_open = open;
        *ret_dots = open + 1 + dots;
        return dots < inside.size;
    }
}

static void slice_begin(struct zsx_emitter *emitter, const struct zsx_node *node, uint32_t number,
                        size_t open, size_t dots) {
    struct bytes array = part_of(node->code, 0, open), from = part_of(node->code, open + 1, dots),
                 to = part_of(node->code, dots + 2, node->code.size - 1);
    zsx_put_format(emitter, "for (size_t zsx_%u_at = ", number);
    if (from.size > 0) {
        put(emitter, "(size_t)(");
        zsx_put_code(emitter, from);
        put(emitter, ")");
    } else {
        put(emitter, "0");
    }
    zsx_put_format(emitter, ", zsx_%u_end = ", number);
    put(emitter, to.size > 0 ? "(size_t)(" : "PK_ZSX_COUNT(");
    zsx_put_code(emitter, to.size > 0 ? to : array);
    zsx_put_format(emitter, "); zsx_%u_at < zsx_%u_end; zsx_%u_at++, zsx_%u++) {\n", number, number,
                   number, number);
    zsx_put_format(emitter, "__auto_type %.*s = (", ZSX_PRINT(node->name));
    zsx_put_code(emitter, array);
    zsx_put_format(emitter, ")[zsx_%u_at]; (void)%.*s;\n", number, ZSX_PRINT(node->name));
}

static void each_begin(struct zsx_emitter *emitter, const struct zsx_node *node, uint32_t number) {
    put(emitter, "PK_ZSX_CURSOR(");
    zsx_put_code(emitter, node->code);
    zsx_put_format(emitter, ") zsx_%u_cursor = PK_ZSX_BEGIN(", number);
    zsx_put_code(emitter, node->code);
    put(emitter, ");\nfor (PK_ZSX_ITEM(");
    zsx_put_code(emitter, node->code);
    zsx_put_format(emitter, ") %.*s; PK_ZSX_NEXT(", ZSX_PRINT(node->name));
    zsx_put_code(emitter, node->code);
    zsx_put_format(emitter, ")(&zsx_%u_cursor, &%.*s); zsx_%u++) {\n", number,
                   ZSX_PRINT(node->name), number);
}

static void for_begin(struct zsx_emitter *emitter, const struct zsx_node *node, uint32_t number) {
    size_t open, slice_dots, dots = host_find(ZSX_C, node->code, 0, "..");
    code_line(emitter, node->code);
    zsx_put_format(emitter, "{ size_t zsx_%u = 0; ", number);
    if (dots < node->code.size)
        range_begin(emitter, node, number, dots);
    else if (find_slice(node->code, &open, &slice_dots))
        slice_begin(emitter, node, number, open, slice_dots);
    else
        each_begin(emitter, node, number);
    if (node->index.size > 0)
        zsx_put_format(emitter, "const size_t %.*s = zsx_%u; (void)%.*s;\n", ZSX_PRINT(node->index),
                       number, ZSX_PRINT(node->index));
}

static void for_else(struct zsx_emitter *emitter, uint32_t number) {
    zsx_put_format(emitter, "if (zsx_%u == 0) {\n", number);
}

static void for_end(struct zsx_emitter *emitter, const struct zsx_node *node, uint32_t number) {
    fresh_line(emitter);
    zsx_put_format(emitter, "(void)zsx_%u; }\n", number);
}

static void switch_begin(struct zsx_emitter *emitter, struct bytes code) {
    code_line(emitter, code);
    put(emitter, "switch (");
    zsx_put_code(emitter, code);
    put(emitter, ") {\n");
}

// `case A, B`: one label each.
static void case_begin(struct zsx_emitter *emitter, struct bytes code) {
    fresh_line(emitter);
    if (code.size == 0) put(emitter, "default: ");
    while (code.size > 0) {
        size_t comma = host_find(ZSX_C, code, 0, ",");
        code_line(emitter, code);
        put(emitter, "case ");
        zsx_put_code(emitter, part_of(code, 0, comma));
        put(emitter, ": ");
        code = comma < code.size ? part_of(code, comma + 1, code.size) : bytes_of(code.data, 0);
    }
    put(emitter, "{\n");
}

static void case_end(struct zsx_emitter *emitter) {
    fresh_line(emitter);
    put(emitter, "} break;\n");
}

static void switch_end(struct zsx_emitter *emitter, bool has_default) {
    fresh_line(emitter);
    put(emitter, has_default ? "}\n" : "default: break;\n}\n");
}

// ---- components -----------------------------------------------------------------------------

static bool contains(struct bytes text, const char *word) {
    return memmem(text.data, text.size, word, strlen(word)) != NULL;
}

static void argument(struct zsx_emitter *emitter, const struct zsx_node *node,
                     const struct zsx_parameter *parameter) {
    const struct zsx_attribute *given = node->attributes;
    while (given != NULL && !bytes_equal(given->name, parameter->name)) given = given->next;
    if (given == NULL) {
        zsx_put_code(emitter, parameter->fallback);
    } else if (given->form == ZSX_BARE) {
        put(emitter, "true");
    } else if (given->form == ZSX_CODE) {
        zsx_put_code(emitter, given->pieces->text);
    } else {
        struct bytes text = given->pieces != NULL ? given->pieces->text : bytes_of("", 0);
        bool is_text = contains(parameter->type, "pk_text");
        put(emitter, is_text ? "PK_TEXT(" : "");
        zsx_put_literal(emitter, text);
        put(emitter, is_text ? ")" : "");
    }
}

static void call(struct zsx_emitter *emitter, const struct zsx_node *node) {
    const struct zsx_function *function = node->function;
    line(emitter, node->start);
    zsx_put_format(emitter, "%s%.*s(out%s", function->slot_count > 0 ? "(void)" : "",
                   ZSX_PRINT(node->name), function->slot_count > 0 ? ", 0, 0" : "");
    for (const struct zsx_parameter *p = function->parameters; p != NULL; p = p->next) {
        put(emitter, ", ");
        argument(emitter, node, p);
    }
    put(emitter, ");\n");
}

// The arguments are computed once; then the function is called until it has no slot left to fill.
// Where this function is not live itself, its own slot or fragment inside is looked for without
// calling.
static void call_begin(struct zsx_emitter *emitter, const struct zsx_node *node, uint32_t number,
                       uint32_t slots) {
    const struct zsx_function *function = node->function;
    bool searching = emitter->is_guarded && node->anchored;
    line(emitter, node->start);
    put(emitter, "{\n");
    for (const struct zsx_parameter *p = function->parameters; p != NULL; p = p->next) {
        zsx_put_format(emitter, "__auto_type zsx_%u_%.*s = ", number, ZSX_PRINT(p->name));
        argument(emitter, node, p);
        put(emitter, ";\n");
    }
    zsx_put_format(emitter, "for (uint32_t zsx_%u = 0; (zsx_%u = %s%.*s(out, zsx_%u, %uu", number,
                   number, searching ? "zsx_live ? " : "", ZSX_PRINT(node->name), number, slots);
    for (const struct zsx_parameter *p = function->parameters; p != NULL; p = p->next)
        zsx_put_format(emitter, ", zsx_%u_%.*s", number, ZSX_PRINT(p->name));
    put(emitter, ")");
    if (searching)
        zsx_put_format(emitter, " : zsx_%u < %u ? zsx_%u + 1 : 0", number, function->slot_count,
                       number);
    zsx_put_format(emitter, ") != 0;)\nswitch (zsx_%u) {\n", number);
}

static void fill_begin(struct zsx_emitter *emitter, uint32_t slot) {
    zsx_put_format(emitter, "case %u: {\n", slot);
}

static void call_end(struct zsx_emitter *emitter) {
    fresh_line(emitter);
    put(emitter, "default: break;\n}\n}\n");
}

static void slot_begin(struct zsx_emitter *emitter, uint32_t slot) {
    fresh_line(emitter);
    zsx_put_format(emitter,
                   "if (zsx_slots & %uu) { if (zsx_live) return %u; zsx_live = zsx_at == %u;\n"
                   "} else {\n",
                   1u << (slot - 1), slot, slot);
}

static void part_begin(struct zsx_emitter *emitter, uint32_t part) {
    fresh_line(emitter);
    zsx_put_format(emitter, "if (zsx_at == %u) zsx_live = true;\n", part);
}

static void part_end(struct zsx_emitter *emitter, uint32_t part) {
    fresh_line(emitter);
    zsx_put_format(emitter, "if (zsx_at == %u) return;\n", part);
}

const struct zsx_language zsx_language_c = {
    .import = import,
    .prototype = prototype,
    .function_begin = function_begin,
    .function_end = function_end,
    .host = host,
    .return_begin = return_begin,
    .return_end = return_end,
    .text = text,
    .write = write,
    .attribute = attribute,
    .spread = spread,
    .if_begin = if_begin,
    .else_if = else_if,
    .else_begin = else_begin,
    .end = end,
    .scope = scope,
    .live = live,
    .let = let,
    .for_begin = for_begin,
    .for_else = for_else,
    .for_end = for_end,
    .switch_begin = switch_begin,
    .case_begin = case_begin,
    .case_end = case_end,
    .switch_end = switch_end,
    .call = call,
    .call_begin = call_begin,
    .fill_begin = fill_begin,
    .fill_end = case_end,
    .call_end = call_end,
    .slot_begin = slot_begin,
    .part_begin = part_begin,
    .part_end = part_end,
};

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
            prototype(&emitter, function);
    return emitter.status;
}
