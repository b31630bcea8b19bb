// SPDX-License-Identifier: Apache-2.0
// The generated C, over sdk/c/zsx/pk_zsx.h. Every statement stands on a line of its own with a
// directive before it where the compiler would otherwise name another line of the .zsx.
#include "zsx/emit_c.h"

void zsx_c_fresh_line(struct zsx_emitter *emitter) {
    if (!emitter->fresh_line) put(emitter, "\n");
}

void zsx_c_line(struct zsx_emitter *emitter, size_t offset) {
    enum { NEAR = 3 };
    uint32_t wanted = zsx_line_of(emitter, offset);
    zsx_c_fresh_line(emitter);
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
    zsx_c_line(emitter, zsx_offset_of(emitter, code));
}

// ---- output ---------------------------------------------------------------------------------

static void text(struct zsx_emitter *emitter, struct bytes text) {
    zsx_c_fresh_line(emitter);
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
    zsx_put_format(emitter, "pk_zsx_attribute_%s(out, \" \" ", escapes[escape]);
    zsx_put_literal(emitter, name);
    put(emitter, " \"=\\\"\", ");
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
    zsx_c_fresh_line(emitter);
    put(emitter, "} else\n");
    if_begin(emitter, code);
}

static void else_begin(struct zsx_emitter *emitter) {
    zsx_c_fresh_line(emitter);
    put(emitter, "} else {\n");
}

static void end(struct zsx_emitter *emitter) {
    zsx_c_fresh_line(emitter);
    put(emitter, "}\n");
}

static void scope(struct zsx_emitter *emitter) {
    zsx_c_fresh_line(emitter);
    put(emitter, "{\n");
}

static void live(struct zsx_emitter *emitter) {
    zsx_c_fresh_line(emitter);
    put(emitter, "if (zsx_live) {\n");
}

static void let(struct zsx_emitter *emitter, const struct zsx_node *node) {
    zsx_c_line(emitter, node->start);
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
    zsx_c_fresh_line(emitter);
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
    zsx_c_fresh_line(emitter);
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
    zsx_c_fresh_line(emitter);
    put(emitter, "} break;\n");
}

static void switch_end(struct zsx_emitter *emitter, bool has_default) {
    zsx_c_fresh_line(emitter);
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
    zsx_c_line(emitter, node->start);
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
    zsx_c_line(emitter, node->start);
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
    zsx_c_fresh_line(emitter);
    put(emitter, "default: break;\n}\n}\n");
}

static void slot_begin(struct zsx_emitter *emitter, uint32_t slot) {
    zsx_c_fresh_line(emitter);
    zsx_put_format(emitter,
                   "if (zsx_slots & %uu) { if (zsx_live) return %u; zsx_live = zsx_at == %u;\n"
                   "} else {\n",
                   1u << (slot - 1), slot, slot);
}

static void part_begin(struct zsx_emitter *emitter, uint32_t part) {
    zsx_c_fresh_line(emitter);
    zsx_put_format(emitter, "if (zsx_at == %u) zsx_live = true;\n", part);
}

static void part_end(struct zsx_emitter *emitter, uint32_t part) {
    zsx_c_fresh_line(emitter);
    zsx_put_format(emitter, "if (zsx_at == %u) return;\n", part);
}

const struct zsx_language zsx_language_c = {
    .import = zsx_c_import,
    .prototype = zsx_c_prototype,
    .function_begin = zsx_c_function_begin,
    .function_end = zsx_c_function_end,
    .host = zsx_c_host,
    .return_begin = zsx_c_return_begin,
    .return_end = zsx_c_return_end,
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
