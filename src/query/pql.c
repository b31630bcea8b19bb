// SPDX-License-Identifier: Apache-2.0
// Statements of PQL: `store.clause(...).clause(...)`. Clauses are taken into the form as they come:
// what the access path can do (filter, sort, skip, limit in that order) goes to the form's own
// fields, all else becomes stages.
#include "query/pql_statement.h"

void pql_begin_stage(struct statement *statement, const char *name) {
    doc_begin_document(&statement->stage_builder, NULL);
    doc_add_string(&statement->stage_builder, "stage", bytes_of_string(name));
    statement->stage_count++;
    statement->grouped = false;
}
void pql_end_stage(struct statement *statement) {
    doc_end(&statement->stage_builder);
}

enum status pql_find_store(struct statement *statement, struct bytes name, size_t offset) {
    const char *names[512];
    char suggestion[64];
    if (catalog_store(statement->catalog, name) != NULL) return STATUS_OK;
    size_t count = catalog_store_count(statement->catalog);
    if (count > sizeof names / sizeof names[0]) count = sizeof names / sizeof names[0];
    for (size_t i = 0; i < count; i++) names[i] = catalog_store_at(statement->catalog, i)->name;
    enum status status =
        pql_error_at(&statement->parser.lexer, offset, "there is no store '%.*s'%s",
                     (int)(name.size < 64 ? name.size : 64), (const char *)name.data,
                     pql_suggest(name, names, count, suggestion));
    return status == STATUS_INVALID ? STATUS_NO_STORE : status;
}

// Whether the documents are still those that the access path gives, none cut off.
static bool is_whole(const struct statement *statement) {
    return statement->stage_count == 0 && !statement->has_limit && !statement->has_skip;
}

// ---- filter, having -------------------------------------------------------------------------

static enum status parse_filter(struct statement *statement, size_t offset) {
    struct pql_parser *parser = &statement->parser;
    struct pql_node *node;
    if (pql_is(parser, ")")) return pql_expected(parser, "a condition");
    enum status status = pql_parse_expression(parser, &node);
    if (status != STATUS_OK) return status;
    if (is_whole(statement) && statement->filter_count < FILTERS_MAX) {
        statement->filters[statement->filter_count++] = node;
        return STATUS_OK;
    }
    pql_begin_stage(statement, "filter");
    status = pql_write_condition(parser, &statement->stage_builder, "condition", node);
    pql_end_stage(statement);
    return status;
}

static enum status parse_having(struct statement *statement, size_t offset) {
    if (!statement->grouped)
        return pql_error_at(&statement->parser.lexer, offset, "having stands behind groupBy only");
    return parse_filter(statement, offset);
}

static enum status parse_get(struct statement *statement, size_t offset) {
    struct pql_parser *parser = &statement->parser;
    const struct store_info *store = catalog_store(statement->catalog, statement->pql->store);
    struct pql_node *node, **children;
    struct doc_value value;
    struct key key;
    struct error error = {0};
    if (!is_whole(statement) || statement->filter_count > 0)
        return pql_error_at(&parser->lexer, offset, "get stands directly behind the store");
    offset = parser->token.offset;
    enum status status = pql_parse_value(parser, &value);
    if (status != STATUS_OK) return status;
    if (store != NULL && key_from_value(store->key_type, &value, &key, &error) != STATUS_OK)
        return pql_error_at(&parser->lexer, offset, "%s", error.message);
    node = arena_zalloc(parser->arena, 3 * sizeof *node);
    children = arena_zalloc(parser->arena, 2 * sizeof *children);
    if (node == NULL || children == NULL) return pql_no_memory(parser);
    node[0] = (struct pql_node){.kind = NODE_COMPARE, .offset = offset, .children = children};
    node[0].name = bytes_of_string("eq");
    node[0].count = 2;
    node[1] = (struct pql_node){.kind = NODE_PATH, .name = bytes_of_string("_id")};
    node[2] = (struct pql_node){.kind = NODE_LITERAL, .value = value};
    children[0] = &node[1];
    children[1] = &node[2];
    statement->filters[statement->filter_count++] = node;
    return STATUS_OK;
}

// ---- order and parts ------------------------------------------------------------------------

static enum status parse_order(struct statement *statement, size_t offset) {
    struct pql_parser *parser = &statement->parser;
    bool base = is_whole(statement) && !statement->sorted, more = true;
    struct doc_builder *builder = base ? &statement->sort_builder : &statement->stage_builder;
    enum status status = STATUS_OK;
    if (!base) {
        pql_begin_stage(statement, "sort");
        doc_begin_array(builder, "fields");
    }
    statement->sorted = statement->sorted || base;
    while (more && status == STATUS_OK) {
        struct bytes path;
        bool ascending, descending = false;
        status = pql_parse_path(parser, &path);
        if (status == STATUS_OK) status = pql_accept(parser, "asc", &ascending);
        if (status == STATUS_OK && !ascending) status = pql_accept(parser, "desc", &descending);
        if (status == STATUS_OK) status = pql_accept(parser, ",", &more);
        if (status != STATUS_OK) break;
        doc_begin_document(builder, NULL);
        doc_add_string(builder, "field", path);
        if (descending) doc_add_bool(builder, "descending", true);
        doc_end(builder);
    }
    if (base) return status;
    doc_end(builder);
    pql_end_stage(statement);
    return status;
}

static enum status parse_count_of(struct statement *statement, int64_t least, int64_t *ret) {
    struct pql_parser *parser = &statement->parser;
    struct doc_value value;
    size_t offset = parser->token.offset;
    enum status status = pql_parse_value(parser, &value);
    if (status != STATUS_OK) return status;
    if ((value.type != DOC_INT64 && value.type != DOC_INT32) || value.integer < least)
        return pql_error_at(&parser->lexer, offset, "an integer of at least %lld is expected",
                            (long long)least);
    *ret = value.integer;
    return STATUS_OK;
}

static void add_part(struct statement *statement, const char *name, int64_t count) {
    pql_begin_stage(statement, name);
    doc_add_int(&statement->stage_builder, "count", count);
    pql_end_stage(statement);
}

static enum status parse_limit(struct statement *statement, size_t offset) {
    int64_t count;
    enum status status = parse_count_of(statement, 1, &count);
    if (status != STATUS_OK) return status;
    if (statement->stage_count > statement->select_count || statement->has_limit) {
        add_part(statement, "limit", count);
    } else {
        statement->has_limit = true;
        statement->limit = count;
    }
    return STATUS_OK;
}

static enum status parse_skip(struct statement *statement, size_t offset) {
    int64_t count;
    enum status status = parse_count_of(statement, 0, &count);
    if (status != STATUS_OK) return status;
    // Rows that select makes are the documents one to one, so that it can be done before.
    bool selected = statement->stage_count == statement->select_count;
    if (selected && !statement->has_limit && !statement->has_skip) {
        statement->has_skip = true;
        statement->skip = count;
    } else {
        add_part(statement, "skip", count);
    }
    return STATUS_OK;
}

static enum status parse_after(struct statement *statement, size_t offset) {
    struct pql_parser *parser = &statement->parser;
    if (statement->stage_count > 0 || statement->after.type != DOC_MISSING)
        return pql_error_at(&parser->lexer, offset,
                            "after stands once, and before anything that makes new rows");
    offset = parser->token.offset;
    enum status status = pql_parse_value(parser, &statement->after);
    if (status != STATUS_OK) return status;
    if (statement->after.type != DOC_BINARY && statement->after.type != DOC_NULL)
        return pql_error_at(&parser->lexer, offset, "a cursor is expected, not %s",
                            doc_type_name(statement->after.type));
    return STATUS_OK;
}

// ---- what ends a query ----------------------------------------------------------------------

static enum status parse_count(struct statement *statement, size_t offset) {
    statement->pql->kind = PQL_COUNT;
    statement->ended = true;
    return STATUS_OK;
}

static enum status parse_explain(struct statement *statement, size_t offset) {
    statement->pql->explained = statement->pql->kind;
    statement->pql->kind = PQL_EXPLAIN;
    statement->ended = true;
    return pql_accept(&statement->parser, "analyze", &statement->pql->analyze);
}

// Updates and deletes find whole documents, which no stage has changed.
static enum status check_whole(struct statement *statement, size_t offset, const char *name) {
    if (statement->stage_count > 0 || statement->after.type != DOC_MISSING)
        return pql_error_at(&statement->parser.lexer, offset,
                            "%s follows get, filter, orderBy, skip and limit only", name);
    if (statement->filter_count == 0)
        return pql_error_at(&statement->parser.lexer, offset,
                            "%s needs a filter; filter(true) means all documents", name);
    statement->ended = true;
    return STATUS_OK;
}

static enum status parse_delete(struct statement *statement, size_t offset) {
    statement->pql->kind = PQL_DELETE;
    return check_whole(statement, offset, "delete");
}

static enum status parse_set(struct statement *statement, size_t offset) {
    struct pql_parser *parser = &statement->parser;
    struct doc_value value;
    size_t value_offset = parser->token.offset;
    statement->pql->kind = PQL_UPDATE;
    enum status status = check_whole(statement, offset, "set");
    if (status == STATUS_OK) status = pql_parse_value(parser, &value);
    if (status != STATUS_OK) return status;
    if (value.type != DOC_DOCUMENT)
        return pql_error_at(&parser->lexer, value_offset, "a document is expected, not %s",
                            doc_type_name(value.type));
    if (doc_get(value.payload, bytes_of("_id", 3)).type != DOC_MISSING)
        return pql_error_at(&parser->lexer, value_offset, "_id cannot be changed");
    statement->pql->set = value.payload;
    return STATUS_OK;
}

// insert({…}) and insertMany([{…}, …]): `documents` is an array in both cases.
static enum status parse_insert(struct statement *statement, size_t offset) {
    struct pql_parser *parser = &statement->parser;
    struct buffer buffer = {0};
    struct doc_builder builder;
    struct doc_value value;
    size_t value_offset = parser->token.offset;
    // The clause has a parenthesis behind it, so that there are bytes to compare.
    bool several = memcmp(parser->lexer.text.data + offset, "insertM", 7) == 0;
    statement->pql->kind = PQL_INSERT;
    statement->ended = true;
    if (!is_whole(statement) || statement->filter_count > 0 || statement->sorted)
        return pql_error_at(&parser->lexer, offset, "insert stands directly behind the store");
    enum status status = pql_parse_value(parser, &value);
    if (status != STATUS_OK) return status;
    if (value.type != (several ? DOC_ARRAY : DOC_DOCUMENT))
        return pql_error_at(&parser->lexer, value_offset, "%s is expected, not %s",
                            several ? "an array of documents" : "a document",
                            doc_type_name(value.type));
    statement->pql->documents = value.payload;
    if (several) return STATUS_OK;
    doc_builder_begin(&builder, &buffer);
    doc_add_value(&builder, bytes_of("0", 1), &value);
    status = doc_builder_finish(&builder);
    statement->pql->documents = arena_copy(parser->arena, buffer_bytes(&buffer));
    buffer_done(&buffer);
    return status == STATUS_OK && statement->pql->documents.data != NULL ? STATUS_OK
                                                                         : pql_no_memory(parser);
}

// ---- statements -----------------------------------------------------------------------------

static const struct {
    const char *name;
    clause_parser *parse;
} clauses[] = {
    {"filter", parse_filter},     {"where", parse_filter},      {"get", parse_get},
    {"orderBy", parse_order},     {"skip", parse_skip},         {"limit", parse_limit},
    {"after", parse_after},       {"select", pql_parse_select}, {"distinct", pql_parse_distinct},
    {"groupBy", pql_parse_group}, {"having", parse_having},     {"unwind", pql_parse_unwind},
    {"join", pql_parse_join},     {"leftJoin", pql_parse_join}, {"count", parse_count},
    {"explain", parse_explain},   {"insert", parse_insert},     {"insertMany", parse_insert},
    {"delete", parse_delete},     {"set", parse_set},
};
#define CLAUSE_COUNT (sizeof clauses / sizeof clauses[0])

static enum status unknown_clause(struct pql_parser *parser) {
    const char *names[CLAUSE_COUNT];
    char suggestion[64];
    struct bytes name = parser->token.text;
    for (size_t i = 0; i < CLAUSE_COUNT; i++) names[i] = clauses[i].name;
    return pql_error_at(&parser->lexer, parser->token.offset, "unknown clause '%.*s'%s",
                        (int)(name.size < 40 ? name.size : 40), (const char *)name.data,
                        pql_suggest(name, names, CLAUSE_COUNT, suggestion));
}

static enum status parse_clause(struct statement *statement) {
    struct pql_parser *parser = &statement->parser;
    size_t offset = parser->token.offset, i = 0;
    if (parser->token.kind != PQL_NAME) return pql_expected(parser, "a clause");
    while (i < CLAUSE_COUNT && !bytes_equal_string(parser->token.text, clauses[i].name)) i++;
    if (i == CLAUSE_COUNT) return unknown_clause(parser);
    bool explaining = clauses[i].parse == parse_explain;
    bool counted = statement->pql->kind == PQL_COUNT || statement->pql->kind == PQL_QUERY;
    if (statement->ended && !(explaining && counted))
        return pql_error_at(&parser->lexer, offset, "nothing may follow what ends the query");
    enum status status = pql_advance(parser);
    if (status == STATUS_OK) status = pql_expect(parser, "(");
    if (status == STATUS_OK) status = clauses[i].parse(statement, offset);
    return status == STATUS_OK ? pql_expect(parser, ")") : status;
}

static enum status parse_store(struct statement *statement) {
    struct pql_parser *parser = &statement->parser;
    if (parser->token.kind != PQL_NAME) return pql_expected(parser, "a store");
    statement->pql->store = parser->token.text;
    enum status status = pql_find_store(statement, parser->token.text, parser->token.offset);
    return status == STATUS_OK ? pql_advance(parser) : status;
}

static enum status parse_statement(struct statement *statement) {
    struct pql_parser *parser = &statement->parser;
    enum status status = pql_advance(parser);
    if (status == STATUS_OK) status = parse_store(statement);
    while (status == STATUS_OK && parser->token.kind != PQL_END) {
        status = pql_is(parser, ".") ? pql_advance(parser)
                                     : pql_expected(parser, "'.' and a clause, or the end,");
        if (status == STATUS_OK) status = parse_clause(statement);
    }
    return status;
}

// ---- the form -------------------------------------------------------------------------------

static enum status write_filters(struct statement *statement, struct doc_builder *builder) {
    struct pql_parser *parser = &statement->parser;
    enum status status = STATUS_OK;
    if (statement->filter_count == 0) return STATUS_OK;
    if (statement->filter_count == 1)
        return pql_write_condition(parser, builder, "filter", statement->filters[0]);
    doc_begin_document(builder, "filter");
    doc_add_string(builder, "op", bytes_of_string("and"));
    doc_begin_array(builder, "conditions");
    for (size_t i = 0; i < statement->filter_count && status == STATUS_OK; i++)
        status = pql_write_condition(parser, builder, NULL, statement->filters[i]);
    doc_end(builder);
    doc_end(builder);
    return status;
}

static enum status write_form(struct statement *statement, struct doc_builder *builder) {
    doc_add_string(builder, "store", statement->pql->store);
    enum status status = write_filters(statement, builder);
    bool counting = statement->pql->kind == PQL_COUNT ||
                    (statement->pql->kind == PQL_EXPLAIN && statement->pql->explained == PQL_COUNT);
    bool ordered = !counting || statement->stage_count > 0; // the order of a mere count is idle
    if (statement->sorted && ordered) {
        struct doc_value sort = doc_get(buffer_bytes(&statement->sort), bytes_of_string("sort"));
        doc_add_value(builder, bytes_of_string("sort"), &sort);
    }
    if (statement->has_skip) doc_add_int(builder, "skip", statement->skip);
    // What is written is found whole, as far as one transaction goes.
    bool writing = statement->pql->kind == PQL_UPDATE || statement->pql->kind == PQL_DELETE;
    if (statement->has_limit || writing)
        doc_add_int(builder, "limit", statement->has_limit ? statement->limit : LIMIT_MAX);
    if (statement->after.type != DOC_MISSING)
        doc_add_value(builder, bytes_of_string("after"), &statement->after);
    if (statement->stage_count > 0) {
        struct doc_value stages =
            doc_get(buffer_bytes(&statement->stages), bytes_of_string("stages"));
        doc_add_value(builder, bytes_of_string("stages"), &stages);
    }
    return status;
}

static enum status build_form(struct statement *statement) {
    struct pql_parser *parser = &statement->parser;
    struct buffer form = {0};
    struct doc_builder builder;
    doc_builder_begin(&builder, &form);
    enum status status = write_form(statement, &builder);
    enum status finished = doc_builder_finish(&builder);
    statement->pql->form = arena_copy(parser->arena, buffer_bytes(&form));
    buffer_done(&form);
    if (status != STATUS_OK) return status;
    if (finished != STATUS_OK || statement->pql->form.data == NULL) return pql_no_memory(parser);
    return STATUS_OK;
}

enum status pql_parse(struct bytes text, const struct doc_value *parameters,
                      const struct catalog *catalog, struct arena *arena, struct pql *ret,
                      struct error *error) {
    struct error ignored;
    if (error == NULL) error = &ignored;
    struct statement statement = {.catalog = catalog, .pql = ret};
    struct pql_parser *parser = &statement.parser;
    *ret = (struct pql){.kind = PQL_QUERY};
    parser->lexer = (struct pql_lexer){.text = text, .arena = arena, .error = error};
    parser->arena = arena;
    parser->error = error;
    parser->parameters = *parameters;
    doc_builder_begin(&statement.sort_builder, &statement.sort);
    doc_begin_array(&statement.sort_builder, "sort");
    doc_builder_begin(&statement.stage_builder, &statement.stages);
    doc_begin_array(&statement.stage_builder, "stages");
    enum status status = parse_statement(&statement);
    if (status == STATUS_OK) { // else the builders may be in the middle of something
        doc_end(&statement.sort_builder);
        doc_end(&statement.stage_builder);
        if (doc_builder_finish(&statement.sort_builder) != STATUS_OK ||
            doc_builder_finish(&statement.stage_builder) != STATUS_OK)
            status = pql_no_memory(parser);
    }
    if (status == STATUS_OK && ret->kind != PQL_INSERT) status = build_form(&statement);
    buffer_done(&statement.sort);
    buffer_done(&statement.stages);
    return status;
}
