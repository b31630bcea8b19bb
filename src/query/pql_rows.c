// SPDX-License-Identifier: Apache-2.0
// The clauses of PQL that make rows: select, distinct, groupBy, unwind, join.
#include "query/pql_statement.h"

// ---- select, distinct, groupBy --------------------------------------------------------------

static struct bytes last_part(struct bytes path) {
    for (size_t i = path.size; i > 0; i--)
        if (path.data[i - 1] == '.') return bytes_of(path.data + i, path.size - i);
    return path;
}

// The name of a result: `as name`, else that of the field.
static enum status parse_alias(struct pql_parser *parser, struct bytes fallback,
                               struct bytes *ret) {
    bool named;
    enum status status = pql_accept(parser, "as", &named);
    if (status != STATUS_OK) return status;
    *ret = fallback;
    if (!named) return fallback.size > 0 ? STATUS_OK : pql_expected(parser, "'as' and a name");
    if (parser->token.kind != PQL_NAME) return pql_expected(parser, "a name");
    *ret = parser->token.text;
    return pql_advance(parser);
}

static enum status parse_output(struct statement *statement) {
    struct pql_parser *parser = &statement->parser;
    struct doc_builder *builder = &statement->stage_builder;
    struct pql_node *node;
    struct bytes name;
    enum status status = pql_parse_expression(parser, &node);
    if (status != STATUS_OK) return status;
    struct bytes fallback = node->kind == NODE_PATH ? last_part(node->name) : bytes_of("", 0);
    status = parse_alias(parser, fallback, &name);
    if (status != STATUS_OK) return status;
    doc_begin_document(builder, NULL);
    doc_add_string(builder, "name", name);
    status = pql_write_expression(parser, builder, "expression", node);
    doc_end(builder);
    return status;
}

enum status pql_parse_select(struct statement *statement, size_t offset) {
    bool more = true;
    enum status status = STATUS_OK;
    pql_begin_stage(statement, "select");
    statement->select_count++;
    doc_begin_array(&statement->stage_builder, "fields");
    while (more && status == STATUS_OK) {
        status = parse_output(statement);
        if (status == STATUS_OK) status = pql_accept(&statement->parser, ",", &more);
    }
    doc_end(&statement->stage_builder);
    pql_end_stage(statement);
    return status;
}

enum status pql_parse_distinct(struct statement *statement, size_t offset) {
    enum status status =
        pql_is(&statement->parser, ")") ? STATUS_OK : pql_parse_select(statement, offset);
    pql_begin_stage(statement, "distinct");
    pql_end_stage(statement);
    return status;
}

static const char *const aggregates[] = {"count", "sum",  "avg",    "min",     "max",
                                         "first", "last", "stddev", "collect", "countDistinct"};

static bool is_aggregate(const struct pql_parser *parser) {
    struct pql_lexer ahead = parser->lexer;
    struct pql_token token;
    bool named = false;
    for (size_t i = 0; i < sizeof aggregates / sizeof aggregates[0]; i++)
        named = named || pql_is(parser, aggregates[i]);
    ahead.error = NULL;
    return named && pql_lexer_next(&ahead, &token) == STATUS_OK && token.kind == PQL_SYMBOL &&
           bytes_equal_string(token.text, "(");
}

static enum status parse_aggregate(struct statement *statement, struct doc_builder *builder) {
    struct pql_parser *parser = &statement->parser;
    struct bytes function = parser->token.text, name;
    struct pql_node *node = NULL;
    enum status status = pql_advance(parser);
    if (status == STATUS_OK) status = pql_expect(parser, "(");
    if (status != STATUS_OK) return status;
    bool rows = bytes_equal_string(function, "count") && pql_is(parser, ")");
    if (!rows) status = pql_parse_expression(parser, &node);
    if (status == STATUS_OK) status = pql_expect(parser, ")");
    if (status == STATUS_OK) status = parse_alias(parser, function, &name);
    if (status != STATUS_OK) return status;
    doc_begin_document(builder, NULL);
    doc_add_string(builder, "name", name);
    doc_add_string(builder, "function", function);
    if (node != NULL) status = pql_write_expression(parser, builder, "expression", node);
    doc_end(builder);
    return status;
}

// Aggregates are collected beside the keys, and added behind them.
static enum status parse_group_items(struct statement *statement, struct doc_builder *builder) {
    struct pql_parser *parser = &statement->parser;
    bool more = !pql_is(parser, ")"), aggregated = false;
    enum status status = STATUS_OK;
    doc_begin_array(&statement->stage_builder, "by");
    while (more && status == STATUS_OK) {
        if (is_aggregate(parser)) {
            aggregated = true;
            status = parse_aggregate(statement, builder);
        } else if (aggregated) {
            status = pql_expected(parser, "an aggregate (keys stand before them)");
        } else {
            status = parse_output(statement);
        }
        if (status == STATUS_OK) status = pql_accept(parser, ",", &more);
    }
    doc_end(&statement->stage_builder);
    return status;
}

enum status pql_parse_group(struct statement *statement, size_t offset) {
    struct pql_parser *parser = &statement->parser;
    struct buffer buffer = {0};
    struct doc_builder builder;
    if (pql_is(parser, ")")) return pql_expected(parser, "a key or an aggregate");
    pql_begin_stage(statement, "group");
    doc_builder_begin(&builder, &buffer);
    doc_begin_array(&builder, "a");
    enum status status = parse_group_items(statement, &builder);
    doc_end(&builder);
    enum status finished = doc_builder_finish(&builder);
    if (status == STATUS_OK && finished != STATUS_OK) status = pql_no_memory(parser);
    if (status == STATUS_OK) {
        struct doc_value value = doc_get(buffer_bytes(&buffer), bytes_of("a", 1));
        doc_add_value(&statement->stage_builder, bytes_of_string("aggregates"), &value);
    }
    pql_end_stage(statement);
    buffer_done(&buffer);
    statement->grouped = true;
    return status;
}

// ---- unwind, join ---------------------------------------------------------------------------

enum status pql_parse_unwind(struct statement *statement, size_t offset) {
    struct bytes path;
    enum status status = pql_parse_path(&statement->parser, &path);
    if (status != STATUS_OK) return status;
    pql_begin_stage(statement, "unwind");
    doc_add_string(&statement->stage_builder, "field", path);
    pql_end_stage(statement);
    return status;
}

// join(other on value = field as name), leftJoin(…): `field` is one of the other store.
enum status pql_parse_join(struct statement *statement, size_t offset) {
    struct pql_parser *parser = &statement->parser;
    struct pql_node *node;
    struct bytes store = parser->token.text, name;
    size_t store_offset = parser->token.offset;
    bool left = statement->parser.lexer.text.data[offset] == 'l';
    if (parser->token.kind != PQL_NAME) return pql_expected(parser, "a store");
    enum status status = pql_find_store(statement, store, store_offset);
    if (status == STATUS_OK) status = pql_advance(parser);
    if (status == STATUS_OK) status = pql_expect(parser, "on");
    if (status == STATUS_OK) status = pql_parse_expression(parser, &node);
    if (status != STATUS_OK) return status;
    if (node->kind != NODE_COMPARE || !bytes_equal_string(node->name, "eq") ||
        node->children[1]->kind != NODE_PATH)
        return pql_error_at(&parser->lexer, node->offset,
                            "on takes: a field of the rows = a field of '%.*s'",
                            (int)(store.size < 64 ? store.size : 64), (const char *)store.data);
    status = parse_alias(parser, store, &name);
    if (status != STATUS_OK) return status;
    struct doc_builder *builder = &statement->stage_builder;
    pql_begin_stage(statement, "join");
    doc_add_string(builder, "store", store);
    doc_add_string(builder, "field", node->children[1]->name);
    status = pql_write_expression(parser, builder, "value", node->children[0]);
    doc_add_string(builder, "as", name);
    if (left) doc_add_bool(builder, "left", true);
    pql_end_stage(statement);
    return status;
}
