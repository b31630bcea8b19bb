// SPDX-License-Identifier: Apache-2.0
// Expressions of PQL, by recursive descent: or, and, not, comparisons, sums, products, signs,
// primaries. Binding grows in that order.
#include "query/functions.h"
#include "query/pql_tree.h"

#define LIST_MAX 10000
#define OPERANDS_MAX 1000

// ---- nodes ----------------------------------------------------------------------------------

static enum status new_node(struct pql_parser *parser, enum pql_node_kind kind, size_t count,
                            struct pql_node **ret) {
    struct pql_node *node = arena_zalloc(parser->arena, sizeof *node);
    if (node == NULL) return pql_no_memory(parser);
    node->kind = kind;
    node->offset = parser->token.offset;
    node->depth = 1;
    node->children = arena_zalloc(parser->arena, (count + 1) * sizeof(void *));
    if (node->children == NULL) return pql_no_memory(parser);
    *ret = node;
    return STATUS_OK;
}

static enum status too_deep(struct pql_parser *parser, size_t offset) {
    return pql_error_at(&parser->lexer, offset, "expressions nested more than %d deep",
                        PQL_DEPTH_MAX);
}

static enum status add_child(struct pql_parser *parser, struct pql_node *node,
                             struct pql_node *child) {
    node->children[node->count++] = child;
    if (child->depth + 1 > node->depth) node->depth = child->depth + 1;
    return node->depth > PQL_DEPTH_MAX ? too_deep(parser, child->offset) : STATUS_OK;
}

static enum status new_call(struct pql_parser *parser, const char *name, struct pql_node *left,
                            struct pql_node *right, struct pql_node **ret) {
    struct pql_node *node;
    enum status status = new_node(parser, NODE_CALL, 2, &node);
    if (status != STATUS_OK) return status;
    node->name = bytes_of_string(name);
    node->offset = left->offset;
    status = add_child(parser, node, left);
    if (status == STATUS_OK && right != NULL) status = add_child(parser, node, right);
    *ret = node;
    return status;
}

// ---- primaries ------------------------------------------------------------------------------

static enum status parse_any(struct pql_parser *parser, struct pql_node *node);

// `(a, b)` behind the name of a function.
static enum status parse_arguments(struct pql_parser *parser, const struct function *function,
                                   struct pql_node *node) {
    bool more = !pql_is(parser, ")");
    size_t offset = parser->token.offset;
    while (more) {
        struct pql_node *child;
        if (node->count == ARGUMENTS_MAX)
            return pql_error_at(&parser->lexer, offset, "more than %d arguments", ARGUMENTS_MAX);
        enum status status = pql_parse_expression(parser, &child);
        if (status == STATUS_OK) status = add_child(parser, node, child);
        if (status == STATUS_OK) status = pql_accept(parser, ",", &more);
        if (status != STATUS_OK) return status;
    }
    if (node->count < function->arguments_min || node->count > function->arguments_max)
        return function->arguments_min == function->arguments_max
                   ? pql_error_at(&parser->lexer, offset, "%s takes %u argument%s, not %zu",
                                  function->name, function->arguments_min,
                                  function->arguments_min == 1 ? "" : "s", node->count)
                   : pql_error_at(&parser->lexer, offset, "%s takes %u to %u arguments, not %zu",
                                  function->name, function->arguments_min, function->arguments_max,
                                  node->count);
    return pql_expect(parser, ")");
}

static enum status unknown_function(struct pql_parser *parser, struct bytes name, size_t offset) {
    const char *names[64];
    char suggestion[64];
    size_t count = function_names(names, 60);
    names[count++] = "date";
    names[count++] = "uuid";
    names[count++] = "objectId";
    names[count++] = "binary";
    return pql_error_at(&parser->lexer, offset, "unknown function '%.*s'%s",
                        (int)(name.size < 64 ? name.size : 64), (const char *)name.data,
                        pql_suggest(name, names, count, suggestion));
}

static enum status parse_call(struct pql_parser *parser, struct bytes name, size_t offset,
                              struct pql_node **ret) {
    const struct function *function = function_find(name);
    if (function == NULL) return unknown_function(parser, name, offset);
    enum status status = new_node(parser, NODE_CALL, ARGUMENTS_MAX, ret);
    if (status != STATUS_OK) return status;
    (*ret)->name = bytes_of_string(function->name);
    (*ret)->offset = offset;
    status = pql_expect(parser, "(");
    return status == STATUS_OK ? parse_arguments(parser, function, *ret) : status;
}

static bool is_literal_call(struct bytes name) {
    return bytes_equal_string(name, "date") || bytes_equal_string(name, "uuid") ||
           bytes_equal_string(name, "objectId") || bytes_equal_string(name, "binary");
}

static bool is_reserved(struct bytes name) {
    static const char *const words[] = {"and", "or",       "not",        "in",       "between",
                                        "is",  "contains", "startsWith", "endsWith", "exists",
                                        "as",  "asc",      "desc",       "on",       "ignoreCase"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (bytes_equal_string(name, words[i])) return true;
    return false;
}

static bool is_constant(struct bytes name) {
    return bytes_equal_string(name, "true") || bytes_equal_string(name, "false") ||
           bytes_equal_string(name, "null");
}

static enum status parse_literal(struct pql_parser *parser, struct pql_node **ret) {
    enum status status = new_node(parser, NODE_LITERAL, 0, ret);
    return status == STATUS_OK ? pql_parse_value(parser, &(*ret)->value) : status;
}

// Whether `(` follows the name in hand: what makes it a call.
static bool is_followed_by_parenthesis(struct pql_parser *parser) {
    struct pql_lexer ahead = parser->lexer;
    struct pql_token token;
    ahead.error = NULL;
    return pql_lexer_next(&ahead, &token) == STATUS_OK && token.kind == PQL_SYMBOL &&
           bytes_equal_string(token.text, "(");
}

static enum status parse_name(struct pql_parser *parser, struct pql_node **ret) {
    struct bytes name = parser->token.text;
    size_t offset = parser->token.offset;
    bool quoted = parser->token.quoted;
    bool call = !quoted && is_followed_by_parenthesis(parser);
    if (!quoted && (is_constant(name) || (call && is_literal_call(name))))
        return parse_literal(parser, ret);
    if (!quoted && is_reserved(name)) return pql_expected(parser, "an expression");
    enum status status;
    if (call) {
        status = pql_advance(parser);
        return status == STATUS_OK ? parse_call(parser, name, offset, ret) : status;
    }
    status = new_node(parser, NODE_PATH, 1, ret);
    if (status == STATUS_OK) status = pql_parse_path(parser, &(*ret)->name);
    if (status == STATUS_OK && pql_is(parser, "[")) return parse_any(parser, *ret);
    return status;
}

static enum status parse_primary(struct pql_parser *parser, struct pql_node **ret) {
    enum pql_token_kind kind = parser->token.kind;
    if (kind == PQL_NAME) return parse_name(parser, ret);
    if (kind == PQL_END) return pql_expected(parser, "an expression");
    if (kind != PQL_SYMBOL || pql_is(parser, "{") || pql_is(parser, "["))
        return parse_literal(parser, ret);
    if (!pql_is(parser, "(")) return pql_expected(parser, "an expression");
    enum status status = pql_advance(parser);
    if (status == STATUS_OK) status = pql_parse_expression(parser, ret);
    return status == STATUS_OK ? pql_expect(parser, ")") : status;
}

// ---- arithmetic -----------------------------------------------------------------------------

static enum status parse_sign(struct pql_parser *parser, struct pql_node **ret) {
    if (!pql_is(parser, "-")) return parse_primary(parser, ret);
    struct pql_lexer ahead = parser->lexer;
    struct pql_token token = {0};
    ahead.error = NULL;
    if (pql_lexer_next(&ahead, &token) == STATUS_OK &&
        (token.kind == PQL_INTEGER || token.kind == PQL_DOUBLE || token.kind == PQL_DECIMAL))
        return parse_literal(parser, ret);
    if (parser->nesting++ >= PQL_DEPTH_MAX) return too_deep(parser, parser->token.offset);
    struct pql_node *operand;
    enum status status = pql_advance(parser);
    if (status == STATUS_OK) status = parse_sign(parser, &operand);
    parser->nesting--;
    return status == STATUS_OK ? new_call(parser, "negate", operand, NULL, ret) : status;
}

typedef enum status level(struct pql_parser *parser, struct pql_node **ret);

// Operators of one level, from the left.
static enum status parse_chain(struct pql_parser *parser, level *operand,
                               const char *const (*operators)[2], size_t count,
                               struct pql_node **ret) {
    enum status status = operand(parser, ret);
    while (status == STATUS_OK) {
        const char *name = NULL;
        for (size_t i = 0; i < count; i++)
            if (pql_is(parser, operators[i][0])) name = operators[i][1];
        if (name == NULL) return STATUS_OK;
        struct pql_node *right, *left = *ret;
        status = pql_advance(parser);
        if (status == STATUS_OK) status = operand(parser, &right);
        if (status == STATUS_OK) status = new_call(parser, name, left, right, ret);
    }
    return status;
}

static enum status parse_product(struct pql_parser *parser, struct pql_node **ret) {
    static const char *const operators[][2] = {{"*", "multiply"}, {"/", "divide"}, {"%", "modulo"}};
    return parse_chain(parser, parse_sign, operators, 3, ret);
}

static enum status parse_sum(struct pql_parser *parser, struct pql_node **ret) {
    static const char *const operators[][2] = {{"+", "add"}, {"-", "subtract"}};
    return parse_chain(parser, parse_product, operators, 2, ret);
}

// ---- conditions -----------------------------------------------------------------------------

static enum status parse_compare(struct pql_parser *parser, const char *name, struct pql_node *left,
                                 struct pql_node **ret) {
    struct pql_node *right;
    enum status status = new_node(parser, NODE_COMPARE, 2, ret);
    if (status != STATUS_OK) return status;
    (*ret)->name = bytes_of_string(name);
    status = pql_advance(parser);
    if (status == STATUS_OK) status = parse_sum(parser, &right);
    if (status == STATUS_OK) status = add_child(parser, *ret, left);
    return status == STATUS_OK ? add_child(parser, *ret, right) : status;
}

static enum status parse_in(struct pql_parser *parser, struct pql_node *left,
                            struct pql_node **ret) {
    enum status status = new_node(parser, NODE_IN, 1, ret);
    if (status == STATUS_OK) status = pql_advance(parser);
    if (status != STATUS_OK) return status;
    if (!pql_is(parser, "[") && parser->token.kind != PQL_PARAMETER)
        return pql_expected(parser, "a list in brackets");
    size_t offset = parser->token.offset;
    status = pql_parse_value(parser, &(*ret)->value);
    if (status == STATUS_OK && (*ret)->value.type != DOC_ARRAY)
        return pql_error_at(&parser->lexer, offset, "a list is expected after in, not %s",
                            doc_type_name((*ret)->value.type));
    return status == STATUS_OK ? add_child(parser, *ret, left) : status;
}

static enum status parse_between(struct pql_parser *parser, struct pql_node *left,
                                 struct pql_node **ret) {
    struct pql_node *low, *high;
    enum status status = new_node(parser, NODE_BETWEEN, 3, ret);
    if (status == STATUS_OK) status = pql_advance(parser);
    if (status == STATUS_OK) status = parse_sum(parser, &low);
    if (status == STATUS_OK) status = pql_expect(parser, "and");
    if (status == STATUS_OK) status = parse_sum(parser, &high);
    if (status == STATUS_OK) status = add_child(parser, *ret, left);
    if (status == STATUS_OK) status = add_child(parser, *ret, low);
    return status == STATUS_OK ? add_child(parser, *ret, high) : status;
}

static enum status parse_text(struct pql_parser *parser, const char *name, struct pql_node *left,
                              struct pql_node **ret) {
    enum status status = new_node(parser, NODE_TEXT, 1, ret);
    if (status != STATUS_OK) return status;
    (*ret)->name = bytes_of_string(name);
    status = pql_advance(parser);
    if (status == STATUS_OK) status = pql_parse_value(parser, &(*ret)->value);
    if (status == STATUS_OK) status = pql_accept(parser, "ignoreCase", &(*ret)->ignore_case);
    return status == STATUS_OK ? add_child(parser, *ret, left) : status;
}

static enum status parse_regex(struct pql_parser *parser, struct pql_node *left,
                               struct pql_node **ret) {
    struct pql_token token;
    enum status status = new_node(parser, NODE_REGEX, 1, ret);
    if (status == STATUS_OK) status = pql_lexer_regex(&parser->lexer, &token);
    if (status != STATUS_OK) return status;
    (*ret)->value = doc_value_string(token.text);
    (*ret)->flags = token.flags;
    (*ret)->offset = token.offset;
    status = pql_advance(parser);
    return status == STATUS_OK ? add_child(parser, *ret, left) : status;
}

// `is null`, `is not null`.
static enum status parse_is(struct pql_parser *parser, struct pql_node *left,
                            struct pql_node **ret) {
    bool negated;
    struct pql_node *null;
    enum status status = new_node(parser, NODE_COMPARE, 2, ret);
    if (status == STATUS_OK) status = pql_advance(parser);
    if (status == STATUS_OK) status = pql_accept(parser, "not", &negated);
    if (status == STATUS_OK) status = pql_expect(parser, "null");
    if (status == STATUS_OK) status = new_node(parser, NODE_LITERAL, 0, &null);
    if (status != STATUS_OK) return status;
    null->value.type = DOC_NULL;
    (*ret)->name = bytes_of_string(negated ? "ne" : "eq");
    status = add_child(parser, *ret, left);
    return status == STATUS_OK ? add_child(parser, *ret, null) : status;
}

static enum status parse_exists(struct pql_parser *parser, struct pql_node *left,
                                struct pql_node **ret) {
    if (left->kind != NODE_PATH)
        return pql_error_at(&parser->lexer, left->offset, "exists is asked of a field only");
    enum status status = new_node(parser, NODE_EXISTS, 1, ret);
    if (status == STATUS_OK) status = pql_advance(parser);
    return status == STATUS_OK ? add_child(parser, *ret, left) : status;
}

// What may follow `not` behind an operand; STATUS_NOT_FOUND when none of it does.
static enum status parse_word(struct pql_parser *parser, struct pql_node *left,
                              struct pql_node **ret) {
    if (pql_is(parser, "in")) return parse_in(parser, left, ret);
    if (pql_is(parser, "between")) return parse_between(parser, left, ret);
    if (pql_is(parser, "contains")) return parse_text(parser, "contains", left, ret);
    if (pql_is(parser, "startsWith")) return parse_text(parser, "starts_with", left, ret);
    if (pql_is(parser, "endsWith")) return parse_text(parser, "ends_with", left, ret);
    if (pql_is(parser, "exists")) return parse_exists(parser, left, ret);
    if (pql_is(parser, "~")) return parse_regex(parser, left, ret);
    return STATUS_NOT_FOUND;
}

static enum status negate(struct pql_parser *parser, struct pql_node **node) {
    struct pql_node *inner = *node;
    enum status status = new_node(parser, NODE_NOT, 1, node);
    return status == STATUS_OK ? add_child(parser, *node, inner) : status;
}

static enum status parse_comparison(struct pql_parser *parser, struct pql_node **ret) {
    static const char *const operators[][2] = {{"=", "eq"},  {"!=", "ne"}, {"<", "lt"},
                                               {"<=", "le"}, {">", "gt"},  {">=", "ge"}};
    struct pql_node *left;
    enum status status = parse_sum(parser, ret);
    if (status != STATUS_OK) return status;
    left = *ret;
    for (size_t i = 0; i < 6; i++)
        if (pql_is(parser, operators[i][0]))
            return parse_compare(parser, operators[i][1], left, ret);
    if (pql_is(parser, "is")) return parse_is(parser, left, ret);
    bool negated;
    status = pql_accept(parser, "not", &negated);
    if (status == STATUS_OK) status = parse_word(parser, left, ret);
    if (status == STATUS_NOT_FOUND)
        return negated ? pql_expected(parser, "in, between, contains, startsWith, endsWith, "
                                              "exists or ~")
                       : STATUS_OK;
    return status == STATUS_OK && negated ? negate(parser, ret) : status;
}

static enum status parse_not(struct pql_parser *parser, struct pql_node **ret) {
    if (!pql_is(parser, "not")) return parse_comparison(parser, ret);
    if (parser->nesting++ >= PQL_DEPTH_MAX) return too_deep(parser, parser->token.offset);
    enum status status = pql_advance(parser);
    if (status == STATUS_OK) status = parse_not(parser, ret);
    parser->nesting--;
    return status == STATUS_OK ? negate(parser, ret) : status;
}

// Operands joined by one word become one node.
static enum status parse_joined(struct pql_parser *parser, level *operand, const char *word,
                                enum pql_node_kind kind, struct pql_node **ret) {
    enum status status = operand(parser, ret);
    if (status != STATUS_OK || !pql_is(parser, word)) return status;
    struct pql_node *node, *child = *ret;
    status = new_node(parser, kind, OPERANDS_MAX, &node);
    if (status == STATUS_OK) status = add_child(parser, node, child);
    while (status == STATUS_OK && pql_is(parser, word)) {
        if (node->count == OPERANDS_MAX)
            return pql_error_at(&parser->lexer, parser->token.offset, "more than %d conditions",
                                OPERANDS_MAX);
        status = pql_advance(parser);
        if (status == STATUS_OK) status = operand(parser, &child);
        if (status == STATUS_OK) status = add_child(parser, node, child);
    }
    *ret = node;
    return status;
}

static enum status parse_and(struct pql_parser *parser, struct pql_node **ret) {
    return parse_joined(parser, parse_not, "and", NODE_AND, ret);
}

enum status pql_parse_expression(struct pql_parser *parser, struct pql_node **ret) {
    if (parser->nesting++ >= PQL_DEPTH_MAX) return too_deep(parser, parser->token.offset);
    enum status status = parse_joined(parser, parse_and, "or", NODE_OR, ret);
    parser->nesting--;
    return status;
}

// ---- elements of arrays ---------------------------------------------------------------------

// The node of a path in the middle of a condition cannot know what is asked of the element, so the
// whole comparison behind `[any].` is read here: `lines[any].qty > 3`.
static enum status parse_any(struct pql_parser *parser, struct pql_node *node) {
    struct pql_node *condition;
    enum status status = pql_expect(parser, "[");
    if (status == STATUS_OK) status = pql_expect(parser, "any");
    if (status == STATUS_OK) status = pql_expect(parser, "]");
    if (status == STATUS_OK) status = pql_expect(parser, ".");
    if (status != STATUS_OK) return status;
    if (parser->nesting++ >= PQL_DEPTH_MAX) return too_deep(parser, parser->token.offset);
    status = parse_comparison(parser, &condition);
    parser->nesting--;
    if (status != STATUS_OK) return status;
    node->kind = NODE_ANY;
    return add_child(parser, node, condition);
}
