// SPDX-License-Identifier: Apache-2.0
// What stands between braces in text: expressions, blocks, slots, fragments, let and comments.
#include "zsx/parse.h"

struct brace {
    struct zsx_markup *markup;
    struct zsx_file *file;
    size_t open;       // of the brace
    struct bytes code; // trimmed
    size_t code_start;
};

static bool is_keyword(struct bytes code, const char *word) {
    size_t size = strlen(word);
    return code.size >= size && memcmp(code.data, word, size) == 0 &&
           (code.size == size || zsx_is_space(code.data[size]) || code.data[size] == '(');
}

// What follows the keyword; its offset is where it begins.
static struct bytes behind(struct bytes code, const char *word) {
    return zsx_trim(bytes_of(code.data + strlen(word), code.size - strlen(word)));
}

static size_t offset_of(const struct zsx_file *file, struct bytes code) {
    return (size_t)(code.data - file->text.data);
}

static void set_code(struct brace *brace, struct zsx_node *node, struct bytes code,
                     const char *what) {
    node->code = code;
    node->code_start = offset_of(brace->file, code);
    if (code.size == 0) zsx_error(brace->file, brace->open, "%s is missing", what);
}

static struct zsx_node *leaf(struct brace *brace, enum zsx_kind kind) {
    struct zsx_node *node = zsx_node_new(brace->file, kind, brace->markup->current, brace->open);
    node->end = brace->markup->at;
    return node;
}

// A name, and nothing else.
static bool is_name(struct bytes text) {
    if (text.size == 0 || (text.data[0] >= '0' && text.data[0] <= '9')) return false;
    for (size_t i = 0; i < text.size; i++)
        if (!host_is_word(text.data[i])) return false;
    return true;
}

static void open_branch(struct brace *brace, struct zsx_node *block, struct bytes code,
                        const char *what) {
    brace->markup->current = block;
    struct zsx_node *branch = zsx_open(brace->markup, ZSX_BRANCH, brace->open);
    if (what != NULL) set_code(brace, branch, code, what);
    branch->code_start = code.size > 0 ? offset_of(brace->file, code) : brace->open;
}

static void open_if(struct brace *brace) {
    struct zsx_node *node = zsx_open(brace->markup, ZSX_IF, brace->open);
    open_branch(brace, node, behind(brace->code, "if"), "the condition");
}

static void open_switch(struct brace *brace) {
    struct zsx_node *node = zsx_open(brace->markup, ZSX_SWITCH, brace->open);
    set_code(brace, node, behind(brace->code, "switch"), "what is switched on");
    // What stands before the first case lands here; the check refuses all but blanks.
    open_branch(brace, node, (struct bytes){0}, NULL);
}

// {for x, i in xs}
static void open_for(struct brace *brace) {
    struct zsx_node *node = zsx_open(brace->markup, ZSX_FOR, brace->open);
    struct bytes rest = behind(brace->code, "for");
    size_t in = 0;
    while (in < rest.size) {
        struct host_token token = host_next_code(brace->file->options.target, rest, in);
        if (token.kind == HOST_END) in = rest.size;
        if (token.kind == HOST_END ||
            bytes_equal_string(bytes_of(rest.data + token.start, token.end - token.start), "in"))
            break;
        in = token.end;
    }
    struct host_token word = host_next_code(brace->file->options.target, rest, in);
    struct bytes names = zsx_trim(bytes_of(rest.data, in));
    const uint8_t *comma = names.size > 0 ? memchr(names.data, ',', names.size) : NULL;
    node->name = names;
    if (comma != NULL) {
        size_t at = (size_t)(comma - names.data);
        node->name = zsx_trim(bytes_of(names.data, at));
        node->index = zsx_trim(bytes_of(comma + 1, names.size - at - 1));
    }
    struct bytes source = bytes_of(rest.data + rest.size, 0);
    if (in < rest.size) source = zsx_trim(bytes_of(rest.data + word.end, rest.size - word.end));
    if (!is_name(node->name) || (comma != NULL && !is_name(node->index)) || in >= rest.size)
        zsx_error(brace->file, brace->open,
                  "it is written {for name in things} or "
                  "{for name, index in things}");
    else
        set_code(brace, node, source, "what is gone through");
    node->code = source;
    node->code_start = offset_of(brace->file, source);
    open_branch(brace, node, (struct bytes){0}, NULL);
}

// The block whose branch is open here, with what is unclosed in that branch reported and closed.
static struct zsx_node *enclosing_block(struct brace *brace, const char *what) {
    struct zsx_markup *markup = brace->markup;
    for (struct zsx_node *node = markup->current; node != markup->root; node = node->parent) {
        if (node->kind == ZSX_SLOT || node->kind == ZSX_PART) break;
        if (node->kind != ZSX_BRANCH) continue;
        zsx_close(markup, node);
        return node->parent;
    }
    zsx_error(brace->file, brace->open, "%s belongs to no block that is open here", what);
    return NULL;
}

static void branch_else(struct brace *brace) {
    struct zsx_node *block = enclosing_block(brace, "{else}");
    if (block == NULL) return;
    struct bytes rest = behind(brace->code, "else");
    struct zsx_node *last = block->last;
    bool has_else = block->kind == ZSX_FOR ? last != block->first : last->code.size == 0;
    if (block->kind == ZSX_SWITCH)
        zsx_error(brace->file, brace->open, "in {switch} it is called {default}");
    else if (has_else)
        zsx_error(brace->file, brace->open, "{else} stands here twice");
    else if (rest.size > 0 && (block->kind == ZSX_FOR || !is_keyword(rest, "if")))
        zsx_error(brace->file, brace->open, "it is written {else} or, after {if}, {else if …}");
    if (rest.size > 0 && is_keyword(rest, "if"))
        open_branch(brace, block, behind(rest, "if"), "the condition");
    else
        open_branch(brace, block, (struct bytes){0}, NULL);
}

static void branch_case(struct brace *brace, const char *word) {
    struct zsx_node *block = enclosing_block(brace, *word == 'c' ? "{case}" : "{default}");
    if (block == NULL) return;
    if (block->kind != ZSX_SWITCH)
        zsx_error(brace->file, brace->open, "{%s} belongs into {switch}", word);
    for (struct zsx_node *other = block->first->next; other != NULL && *word == 'd';
         other = other->next)
        if (other->code.size == 0)
            zsx_error(brace->file, brace->open, "{default} stands here twice");
    open_branch(brace, block, behind(brace->code, word), *word == 'c' ? "the value" : NULL);
}

static void close_block(struct brace *brace) {
    static const struct {
        const char *name;
        enum zsx_kind kind;
    } blocks[] = {{"if", ZSX_IF},
                  {"for", ZSX_FOR},
                  {"switch", ZSX_SWITCH},
                  {"slot", ZSX_SLOT},
                  {"fragment", ZSX_PART}};
    struct zsx_markup *markup = brace->markup;
    struct bytes name = zsx_trim(bytes_of(brace->code.data + 1, brace->code.size - 1));
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        if (!bytes_equal_string(name, blocks[i].name)) continue;
        for (struct zsx_node *node = markup->current; node != markup->root; node = node->parent) {
            if (node->kind != blocks[i].kind) continue;
            zsx_close(markup, node);
            return;
        }
    }
    zsx_error(brace->file, brace->open, "{/%.*s} closes nothing that is open here",
              ZSX_PRINT(name));
}

static struct zsx_function *function_of(struct zsx_node *node) {
    while (node->kind != ZSX_FUNCTION) node = node->parent;
    return node->function;
}

// Rendering may begin or stop inside of all that is around it.
static void anchor(struct zsx_node *node) {
    for (; node->kind != ZSX_FUNCTION; node = node->parent) node->anchored = true;
}

static void add_anchor(struct brace *brace, struct zsx_node *node, struct zsx_node **list,
                       uint32_t *count, const char *what) {
    struct zsx_file *file = brace->file;
    struct zsx_function *function = function_of(node);
    if (!is_name(node->name)) {
        zsx_error(file, brace->open, "the name of the %s is missing", what);
        return;
    }
    for (uint32_t i = 0; i < *count; i++)
        if (bytes_equal(list[i]->name, node->name))
            zsx_error(file, brace->open, "the %s %.*s stands here twice", what,
                      ZSX_PRINT(node->name));
    for (struct zsx_node *around = node->parent; around->kind != ZSX_FUNCTION;
         around = around->parent)
        if (around->kind == ZSX_FOR || around->kind == ZSX_SLOT)
            zsx_error(file, brace->open, "a %s cannot stand inside %s", what,
                      around->kind == ZSX_FOR ? "{for}" : "{slot}");
    anchor(node);
    if (*count == 32)
        zsx_error(file, brace->open, "a function has at most 32 of these");
    else
        list[(*count)++] = node;
    node->number = *count;
    if (function->slot_count > 0 && function->part_count > 0)
        zsx_error(file, brace->open, "a function has slots or fragments, not both");
}

static void slot(struct brace *brace, struct bytes name, bool closed) {
    struct zsx_node *node = zsx_open(brace->markup, ZSX_SLOT, brace->open);
    struct zsx_function *function = function_of(node);
    node->name = name;
    node->self_closing = closed;
    add_anchor(brace, node, function->slots, &function->slot_count, "slot");
    if (closed) zsx_close(brace->markup, node);
}

static void open_slot(struct brace *brace) {
    struct bytes name = behind(brace->code, "slot");
    bool closed = name.size > 0 && name.data[name.size - 1] == '/';
    if (closed) name = zsx_trim(bytes_of(name.data, name.size - 1));
    slot(brace, name, closed);
}

static void open_part(struct brace *brace) {
    struct zsx_node *node = zsx_open(brace->markup, ZSX_PART, brace->open);
    struct zsx_function *function = function_of(node);
    node->name = behind(brace->code, "fragment");
    add_anchor(brace, node, function->parts, &function->part_count, "fragment");
}

static void let(struct brace *brace) {
    struct zsx_node *node = leaf(brace, ZSX_LET);
    struct bytes rest = behind(brace->code, "let");
    size_t equals = host_find(brace->file->options.target, rest, 0, "=");
    node->index = zsx_trim(bytes_of(rest.data, equals)); // as declared
    node->name = node->index;
    while (node->name.size > 0 && !is_name(node->name)) {
        node->name.data++;
        node->name.size--;
    }
    node->is_statement = node->name.size != node->index.size;
    if (equals == rest.size || node->name.size == 0)
        zsx_error(brace->file, brace->open, "it is written {let name = value}");
    else
        set_code(brace, node, zsx_trim(bytes_of(rest.data + equals + 1, rest.size - equals - 1)),
                 "the value");
}

static void expression(struct brace *brace) {
    struct bytes code = brace->code;
    if (code.size > 0 && host_next_code(brace->file->options.target, code, 0).kind == HOST_END) {
        leaf(brace, ZSX_COMMENT);
        return;
    }
    bool raw = is_keyword(code, "raw") && code.size > 3 && zsx_is_space(code.data[3]);
    struct zsx_node *node = leaf(brace, raw ? ZSX_RAW : ZSX_EXPRESSION);
    set_code(brace, node, raw ? behind(code, "raw") : code, "the expression");
}

void zsx_parse_brace(struct zsx_markup *markup) {
    struct brace brace = {.markup = markup, .file = markup->file, .open = markup->at};
    markup->at =
        zsx_parse_code(markup->file, markup->at + 1, markup->at, &brace.code, &brace.code_start);
    struct bytes code = brace.code;
    if (is_keyword(code, "if"))
        open_if(&brace);
    else if (is_keyword(code, "for"))
        open_for(&brace);
    else if (is_keyword(code, "switch"))
        open_switch(&brace);
    else if (is_keyword(code, "else"))
        branch_else(&brace);
    else if (is_keyword(code, "case"))
        branch_case(&brace, "case");
    else if (bytes_equal_string(code, "default"))
        branch_case(&brace, "default");
    else if (bytes_equal_string(code, "children"))
        slot(&brace, code, true);
    else if (is_keyword(code, "slot") && (code.size == 4 || zsx_is_space(code.data[4])))
        open_slot(&brace);
    else if (is_keyword(code, "fragment") && (code.size == 8 || zsx_is_space(code.data[8])))
        open_part(&brace);
    else if (is_keyword(code, "let") && (code.size == 3 || zsx_is_space(code.data[3])))
        let(&brace);
    else if (code.size > 0 && code.data[0] == '/' &&
             host_next(markup->file->options.target, code, 0).kind != HOST_COMMENT)
        close_block(&brace);
    else
        expression(&brace);
}
