// SPDX-License-Identifier: Apache-2.0
// Functions that return markup: head, parameters, and a body of host code and `return <…>;`.
#include "zsx/parse.h"

static struct host_token next(const struct zsx_file *file, size_t at) {
    return host_next_code(file->options.target, file->text, at);
}

static bool is_mark(const struct zsx_file *file, struct host_token token, uint8_t c) {
    return token.kind == HOST_MARK && file->text.data[token.start] == c;
}

static struct bytes token_text(const struct zsx_file *file, struct host_token token) {
    return zsx_slice(file, token.start, token.end);
}

bool zsx_parse_declaration(struct zsx_file *file, struct host_token token,
                           struct zsx_declaration *ret) {
    struct host_token name = next(file, token.end);
    if (name.kind != HOST_WORD) return false;
    struct host_token open = next(file, name.end);
    if (!is_mark(file, open, '(')) return false;
    size_t wrong, close = host_match(file->options.target, file->text, open.end, ')', &wrong);
    if (close == file->text.size) return false;
    struct host_token body = next(file, close + 1);
    if (file->options.target == ZSX_ZIG) {
        if (body.kind != HOST_WORD || !bytes_equal_string(token_text(file, body), "markup"))
            return false;
        body = next(file, body.end);
    }
    bool is_prototype = is_mark(file, body, ';') && file->options.target == ZSX_C;
    if (!is_prototype && !is_mark(file, body, '{')) return false;
    *ret = (struct zsx_declaration){.start = token.start,
                                    .name = token_text(file, name),
                                    .name_start = name.start,
                                    .parameters = zsx_slice(file, open.end, close),
                                    .body = body.end,
                                    .is_prototype = is_prototype};
    return true;
}

// The last word outside of brackets: `const char *names[3]` -> names.
static struct bytes last_word(struct bytes text) {
    struct bytes word = {0};
    size_t wrong;
    for (size_t at = 0;;) {
        struct host_token token = host_next_code(ZSX_C, text, at);
        if (token.kind == HOST_END) return word;
        at = token.end;
        if (token.kind == HOST_WORD)
            word = bytes_of(text.data + token.start, token.end - token.start);
        if (token.kind == HOST_MARK && text.data[token.start] == '[') {
            at = host_match(ZSX_C, text, at, ']', &wrong);
            if (at < text.size) at++;
        }
    }
}

static struct bytes between(struct bytes text, size_t start, size_t end) {
    return zsx_trim(bytes_of(text.data + start, end - start));
}

static void parameter(struct zsx_file *file, struct zsx_function *function,
                      struct zsx_parameter ***tail, struct bytes text) {
    enum zsx_target target = file->options.target;
    struct zsx_parameter *added = arena_zalloc(file->arena, sizeof *added);
    if (added == NULL) {
        file->out_of_memory = true;
        return;
    }
    size_t equals = host_find(target, text, 0, "=");
    added->declaration = between(text, 0, equals);
    if (equals < text.size) added->fallback = between(text, equals + 1, text.size);
    size_t colon = target == ZSX_ZIG ? host_find(target, added->declaration, 0, ":") : 0;
    if (target == ZSX_C) {
        added->name = last_word(added->declaration);
        added->type = added->name.size > 0
                          ? between(added->declaration, 0,
                                    (size_t)(added->name.data - added->declaration.data))
                          : added->declaration;
    } else {
        added->name = between(added->declaration, 0, colon);
        if (colon < added->declaration.size)
            added->type = between(added->declaration, colon + 1, added->declaration.size);
    }
    size_t offset = (size_t)(text.data - file->text.data);
    if (added->name.size == 0 || added->type.size == 0)
        zsx_error(file, offset, "a parameter needs a type and a name");
    if (bytes_equal_string(added->name, "out") ||
        (added->name.size >= 4 && memcmp(added->name.data, "zsx_", 4) == 0))
        zsx_error(file, offset, "the name %.*s is taken by the generated code",
                  ZSX_PRINT(added->name));
    for (struct zsx_parameter *other = function->parameters; other != NULL; other = other->next)
        if (bytes_equal(other->name, added->name))
            zsx_error(file, offset, "two parameters are called %.*s", ZSX_PRINT(added->name));
    **tail = added;
    *tail = &added->next;
}

static void parameters(struct zsx_file *file, struct zsx_function *function, struct bytes text) {
    struct zsx_parameter **tail = &function->parameters;
    struct bytes whole = zsx_trim(text);
    if (whole.size == 0 || bytes_equal_string(whole, "void")) return;
    for (size_t at = 0; at < whole.size && !file->out_of_memory;) {
        size_t comma =
            host_find(file->options.target, bytes_of(whole.data + at, whole.size - at), 0, ",");
        struct bytes one = zsx_trim(bytes_of(whole.data + at, comma));
        at += comma + 1;
        if (one.size > 0) parameter(file, function, &tail, one);
    }
}

static void host_until(struct zsx_file *file, struct zsx_node *node, size_t start, size_t end) {
    if (start < end) zsx_node_new(file, ZSX_HOST, node, start)->end = end;
}

// `return <…>;`: returns the offset behind it.
static size_t parse_return(struct zsx_file *file, struct zsx_node *function, size_t start,
                           size_t markup) {
    struct zsx_node *node = zsx_node_new(file, ZSX_RETURN, function, start);
    uint32_t before = file->diagnostic_count;
    size_t end = zsx_parse_markup(file, node, markup);
    struct host_token semicolon = next(file, end);
    if (is_mark(file, semicolon, ';'))
        end = semicolon.end;
    else if (file->diagnostic_count == before)
        zsx_error(file, end, "a semicolon must follow the markup");
    node->end = end;
    return end;
}

// Behind the body's closing brace.
static size_t parse_body(struct zsx_file *file, struct zsx_node *node, size_t at) {
    size_t host_start = at, depth = 1;
    while (!file->out_of_memory) {
        struct host_token token = next(file, at);
        if (token.kind == HOST_END) {
            if (file->diagnostic_count == 0)
                zsx_error(file, node->start, "the body of %.*s is not closed",
                          ZSX_PRINT(node->name));
            at = file->text.size;
            break;
        }
        at = token.end;
        if (is_mark(file, token, '{')) depth++;
        if (is_mark(file, token, '}') && --depth == 0) break;
        if (token.kind != HOST_WORD || !bytes_equal_string(token_text(file, token), "return"))
            continue;
        struct host_token markup = next(file, at);
        if (!is_mark(file, markup, '<')) continue;
        host_until(file, node, host_start, token.start);
        at = host_start = parse_return(file, node, token.start, markup.start);
    }
    host_until(file, node, host_start, at);
    return at;
}

// A definition takes the place of its prototype.
static void add_function(struct zsx_file *file, struct zsx_function *function,
                         const struct zsx_declaration *declaration) {
    struct zsx_function **place = &file->functions;
    while (*place != NULL && !bytes_equal((*place)->name, declaration->name))
        place = &(*place)->next;
    if (*place != NULL && (!(*place)->is_prototype || declaration->is_prototype))
        zsx_error(file, declaration->name_start, "%.*s is declared twice",
                  ZSX_PRINT(declaration->name));
    if (*place != NULL) function->next = (*place)->next;
    *place = function;
}

size_t zsx_parse_function(struct zsx_file *file, const struct zsx_declaration *declaration) {
    struct zsx_function *function = arena_zalloc(file->arena, sizeof *function);
    if (function == NULL) {
        file->out_of_memory = true;
        return file->text.size;
    }
    add_function(file, function, declaration);
    struct zsx_node *node = zsx_node_new(file, ZSX_FUNCTION, &file->root, declaration->start);
    function->name = node->name = declaration->name;
    function->node = node;
    function->is_private = declaration->is_private;
    function->is_prototype = declaration->is_prototype;
    node->function = function;
    node->code_start = declaration->body;
    parameters(file, function, declaration->parameters);
    node->end =
        declaration->is_prototype ? declaration->body : parse_body(file, node, declaration->body);
    return node->end;
}
