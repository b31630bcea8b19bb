// SPDX-License-Identifier: Apache-2.0
// From the syntax tree of an expression to the logical form of a condition or an expression.
#include "query/expression.h"
#include "query/pql_tree.h"
#include "query/regex.h"

static void add_bytes(struct doc_builder *builder, const char *name, struct bytes text) {
    doc_add_string(builder, name, text);
}

static bool has_field(const struct pql_node *node) {
    if (node->kind == NODE_PATH || node->kind == NODE_ANY) return true;
    for (size_t i = 0; i < node->count; i++)
        if (has_field(node->children[i])) return true;
    return false;
}

static bool is_condition(const struct pql_node *node) {
    return node->kind != NODE_LITERAL && node->kind != NODE_PATH && node->kind != NODE_CALL;
}

// ---- constants ------------------------------------------------------------------------------

// Works out an expression without fields, so that `price > 2 * 3` finds an index on price.
static enum status fold(struct pql_parser *parser, const struct pql_node *node,
                        struct doc_value *ret) {
    struct buffer form = {0};
    struct doc_builder builder;
    struct error error = {0};
    if (node->kind == NODE_LITERAL) {
        *ret = node->value;
        return STATUS_OK;
    }
    doc_builder_begin(&builder, &form);
    enum status status = pql_write_expression(parser, &builder, "expression", node);
    enum status finished = doc_builder_finish(&builder);
    struct bytes copy = arena_copy(parser->arena, buffer_bytes(&form));
    buffer_done(&form);
    if (status != STATUS_OK) return status;
    if (finished != STATUS_OK || copy.data == NULL) return pql_no_memory(parser);
    status = expression_constant(copy, parser->arena, ret, &error);
    if (status == STATUS_NO_MEMORY) return pql_no_memory(parser);
    return status == STATUS_OK ? status
                               : pql_error_at(&parser->lexer, node->offset, "%s", error.message);
}

// ---- conditions -----------------------------------------------------------------------------

// What a condition looks at: a field, or an expression.
static enum status write_left(struct pql_parser *parser, struct doc_builder *builder,
                              const struct pql_node *node) {
    if (node->kind != NODE_PATH) return pql_write_expression(parser, builder, "expression", node);
    add_bytes(builder, "field", node->name);
    return STATUS_OK;
}

static struct bytes mirrored(struct bytes name) {
    static const char *const pairs[][2] = {{"lt", "gt"}, {"le", "ge"}, {"gt", "lt"}, {"ge", "le"}};
    for (size_t i = 0; i < 4; i++)
        if (bytes_equal_string(name, pairs[i][0])) return bytes_of_string(pairs[i][1]);
    return name;
}

static enum status write_compare(struct pql_parser *parser, struct doc_builder *builder,
                                 const struct pql_node *node) {
    const struct pql_node *left = node->children[0], *right = node->children[1];
    bool swapped = !has_field(left) && has_field(right);
    struct doc_value value;
    add_bytes(builder, "op", swapped ? mirrored(node->name) : node->name);
    enum status status = write_left(parser, builder, swapped ? right : left);
    if (swapped) right = left;
    if (status != STATUS_OK) return status;
    if (has_field(right)) return pql_write_expression(parser, builder, "than", right);
    status = fold(parser, right, &value);
    if (status == STATUS_OK) doc_add_value(builder, bytes_of_string("value"), &value);
    return status;
}

static enum status write_bound(struct pql_parser *parser, struct doc_builder *builder,
                               const char *name, const struct pql_node *node) {
    struct doc_value value;
    if (has_field(node))
        return pql_error_at(&parser->lexer, node->offset,
                            "between takes constants: write >= and <= for fields");
    enum status status = fold(parser, node, &value);
    if (status == STATUS_OK) doc_add_value(builder, bytes_of_string(name), &value);
    return status;
}

static enum status write_between(struct pql_parser *parser, struct doc_builder *builder,
                                 const struct pql_node *node) {
    doc_add_string(builder, "op", bytes_of_string("between"));
    enum status status = write_left(parser, builder, node->children[0]);
    if (status == STATUS_OK) status = write_bound(parser, builder, "low", node->children[1]);
    return status == STATUS_OK ? write_bound(parser, builder, "high", node->children[2]) : status;
}

static enum status write_text(struct pql_parser *parser, struct doc_builder *builder,
                              const struct pql_node *node) {
    bool any_type = bytes_equal_string(node->name, "contains") && !node->ignore_case;
    if (!any_type && node->value.type != DOC_STRING)
        return pql_error_at(&parser->lexer, node->offset, "a string is expected, not %s",
                            doc_type_name(node->value.type));
    add_bytes(builder, "op", node->name);
    enum status status = write_left(parser, builder, node->children[0]);
    doc_add_value(builder, bytes_of_string("value"), &node->value);
    if (node->ignore_case) doc_add_bool(builder, "ignore_case", true);
    return status;
}

// So that a bad expression is refused with its place.
static enum status check_regex(struct pql_parser *parser, const struct pql_node *node) {
    const struct regex *regex;
    struct error error = {0};
    enum status status =
        regex_compile(node->value.payload, node->flags, parser->arena, &regex, &error);
    if (status == STATUS_NO_MEMORY) return pql_no_memory(parser);
    return status == STATUS_OK ? status
                               : pql_error_at(&parser->lexer, node->offset, "%s", error.message);
}

static enum status write_several(struct pql_parser *parser, struct doc_builder *builder,
                                 const struct pql_node *node) {
    enum status status = STATUS_OK;
    doc_add_string(builder, "op", bytes_of_string(node->kind == NODE_AND ? "and" : "or"));
    doc_begin_array(builder, "conditions");
    for (size_t i = 0; i < node->count && status == STATUS_OK; i++)
        status = pql_write_condition(parser, builder, NULL, node->children[i]);
    doc_end(builder);
    return status;
}

// A field or an expression as a condition: it must be true.
static enum status write_truth(struct pql_parser *parser, struct doc_builder *builder,
                               const struct pql_node *node) {
    if (node->kind == NODE_LITERAL && node->value.type != DOC_BOOL)
        return pql_error_at(&parser->lexer, node->offset, "a condition is expected, not %s",
                            doc_type_name(node->value.type));
    doc_add_string(builder, "op", bytes_of_string("eq"));
    enum status status = write_left(parser, builder, node);
    doc_add_bool(builder, "value", true);
    return status;
}

static enum status write_one(struct pql_parser *parser, struct doc_builder *builder,
                             const struct pql_node *node) {
    enum status status;
    switch (node->kind) {
    case NODE_AND:
    case NODE_OR:
        return write_several(parser, builder, node);
    case NODE_NOT:
        doc_add_string(builder, "op", bytes_of_string("not"));
        return pql_write_condition(parser, builder, "condition", node->children[0]);
    case NODE_COMPARE:
        return write_compare(parser, builder, node);
    case NODE_BETWEEN:
        return write_between(parser, builder, node);
    case NODE_TEXT:
        return write_text(parser, builder, node);
    case NODE_IN:
        doc_add_string(builder, "op", bytes_of_string("in"));
        status = write_left(parser, builder, node->children[0]);
        doc_add_value(builder, bytes_of_string("values"), &node->value);
        return status;
    case NODE_EXISTS:
        doc_add_string(builder, "op", bytes_of_string("exists"));
        add_bytes(builder, "field", node->children[0]->name);
        return STATUS_OK;
    case NODE_REGEX:
        status = check_regex(parser, node);
        if (status != STATUS_OK) return status;
        doc_add_string(builder, "op", bytes_of_string("regex"));
        status = write_left(parser, builder, node->children[0]);
        add_bytes(builder, "pattern", node->value.payload);
        if (node->flags.size > 0) add_bytes(builder, "flags", node->flags);
        return status;
    case NODE_ANY:
        doc_add_string(builder, "op", bytes_of_string("any"));
        add_bytes(builder, "field", node->name);
        return pql_write_condition(parser, builder, "condition", node->children[0]);
    case NODE_LITERAL:
    case NODE_PATH:
    case NODE_CALL:
        break;
    }
    return write_truth(parser, builder, node);
}

enum status pql_write_condition(struct pql_parser *parser, struct doc_builder *builder,
                                const char *name, const struct pql_node *node) {
    doc_begin_document(builder, name);
    enum status status = write_one(parser, builder, node);
    doc_end(builder);
    return status;
}

// ---- expressions ----------------------------------------------------------------------------

static enum status write_call(struct pql_parser *parser, struct doc_builder *builder,
                              const struct pql_node *node) {
    enum status status = STATUS_OK;
    add_bytes(builder, "call", node->name);
    doc_begin_array(builder, "arguments");
    for (size_t i = 0; i < node->count && status == STATUS_OK; i++)
        status = pql_write_expression(parser, builder, NULL, node->children[i]);
    doc_end(builder);
    return status;
}

enum status pql_write_expression(struct pql_parser *parser, struct doc_builder *builder,
                                 const char *name, const struct pql_node *node) {
    enum status status = STATUS_OK;
    doc_begin_document(builder, name);
    if (is_condition(node))
        status = pql_write_condition(parser, builder, "condition", node);
    else if (node->kind == NODE_LITERAL)
        doc_add_value(builder, bytes_of_string("value"), &node->value);
    else if (node->kind == NODE_PATH)
        add_bytes(builder, "field", node->name);
    else
        status = write_call(parser, builder, node);
    doc_end(builder);
    return status;
}
