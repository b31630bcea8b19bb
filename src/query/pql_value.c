// SPDX-License-Identifier: Apache-2.0
// Tokens in hand, paths, and values: literals, parameters, documents and arrays of them.
#include <stdio.h>

#include "query/functions.h"
#include "query/pql_tree.h"
#include "query/table.h"

#define SHOWN_MAX 40
#define DECIMAL_SIZE_MAX 48

// ---- tokens ---------------------------------------------------------------------------------

enum status pql_no_memory(struct pql_parser *parser) {
    return error_set(parser->error, STATUS_NO_MEMORY, "no memory for the query");
}

enum status pql_advance(struct pql_parser *parser) {
    return pql_lexer_next(&parser->lexer, &parser->token);
}

bool pql_is(const struct pql_parser *parser, const char *text) {
    const struct pql_token *token = &parser->token;
    return (token->kind == PQL_SYMBOL || (token->kind == PQL_NAME && !token->quoted)) &&
           bytes_equal_string(token->text, text);
}

enum status pql_accept(struct pql_parser *parser, const char *text, bool *ret) {
    *ret = pql_is(parser, text);
    return *ret ? pql_advance(parser) : STATUS_OK;
}

enum status pql_expected(struct pql_parser *parser, const char *what) {
    const struct pql_token *token = &parser->token;
    if (token->kind == PQL_END)
        return pql_error_at(&parser->lexer, token->offset,
                            "%s is expected, but the query ends here", what);
    return pql_error_at(&parser->lexer, token->offset, "%s is expected, not %.*s", what,
                        (int)(token->source.size < SHOWN_MAX ? token->source.size : SHOWN_MAX),
                        (const char *)token->source.data);
}

enum status pql_expect(struct pql_parser *parser, const char *text) {
    char what[32];
    if (pql_is(parser, text)) return pql_advance(parser);
    snprintf(what, sizeof what, "'%s'", text);
    return pql_expected(parser, what);
}

// ---- paths ----------------------------------------------------------------------------------

static enum status append_part(struct pql_parser *parser, struct buffer *path, size_t offset) {
    struct bytes part = parser->token.text;
    char position[24];
    if (parser->token.kind == PQL_INTEGER) {
        int size =
            snprintf(position, sizeof position, "%llu", (unsigned long long)parser->token.integer);
        part = bytes_of(position, (size_t)size);
    } else if (parser->token.kind != PQL_NAME) {
        return pql_expected(parser, "a field name");
    }
    if (part.size == 0 || memchr(part.data, '.', part.size) != NULL)
        return pql_error_at(&parser->lexer, parser->token.offset,
                            "a part of a path is not empty and holds no dot");
    bool large = path->size + part.size + 1 > FIELD_PATH_MAX;
    enum status status = large ? STATUS_TOO_LARGE : STATUS_OK;
    if (status == STATUS_OK && path->size > 0) status = buffer_append(path, ".", 1);
    if (status == STATUS_OK) status = buffer_append(path, part.data, part.size);
    if (status == STATUS_NO_MEMORY) return pql_no_memory(parser);
    if (status != STATUS_OK)
        return pql_error_at(&parser->lexer, offset, "a path of more than %d bytes", FIELD_PATH_MAX);
    return pql_advance(parser);
}

// `[any]` is left to the caller, which knows whether it may stand here.
static bool is_position(const struct pql_parser *parser) {
    struct pql_lexer ahead = parser->lexer;
    struct pql_token token;
    ahead.error = NULL;
    return pql_is(parser, "[") && pql_lexer_next(&ahead, &token) == STATUS_OK &&
           token.kind == PQL_INTEGER;
}

static enum status parse_parts(struct pql_parser *parser, struct buffer *path, size_t offset) {
    enum status status = append_part(parser, path, offset);
    while (status == STATUS_OK) {
        if (is_position(parser)) {
            status = pql_advance(parser);
            if (status == STATUS_OK) status = append_part(parser, path, offset);
            if (status == STATUS_OK) status = pql_expect(parser, "]");
        } else if (pql_is(parser, ".")) {
            status = pql_advance(parser);
            if (status == STATUS_OK) status = append_part(parser, path, offset);
        } else {
            return STATUS_OK;
        }
    }
    return status;
}

enum status pql_parse_path(struct pql_parser *parser, struct bytes *ret) {
    struct buffer path = {0};
    size_t offset = parser->token.offset;
    if (parser->token.kind != PQL_NAME) return pql_expected(parser, "a field");
    enum status status = parse_parts(parser, &path, offset);
    if (status == STATUS_OK) {
        *ret = arena_copy(parser->arena, buffer_bytes(&path));
        if (ret->data == NULL)
            status = pql_no_memory(parser);
        else if (!doc_path_valid(*ret))
            status = pql_error_at(&parser->lexer, offset,
                                  "not a field path: at most %d parts, "
                                  "none beginning with '$'",
                                  FIELD_PATH_PARTS_MAX);
    }
    buffer_done(&path);
    return status;
}

// ---- literals that are written as text --------------------------------------------------------

static enum status parse_decimal(struct pql_parser *parser, struct bytes text, bool negative,
                                 struct doc_value *ret) {
    char json[DECIMAL_SIZE_MAX + 40];
    struct buffer document = {0};
    if (text.size > DECIMAL_SIZE_MAX)
        return pql_error_at(&parser->lexer, parser->token.offset,
                            "a decimal of more than %d "
                            "characters",
                            DECIMAL_SIZE_MAX);
    snprintf(json, sizeof json, "{\"v\":{\"$numberDecimal\":\"%s%.*s\"}}", negative ? "-" : "",
             (int)text.size, (const char *)text.data);
    enum status status = doc_from_json(&document, bytes_of_string(json), NULL);
    struct bytes copy = arena_copy(parser->arena, buffer_bytes(&document));
    buffer_done(&document);
    if (status == STATUS_MALFORMED)
        return pql_error_at(&parser->lexer, parser->token.offset, "not a decimal of 34 digits");
    if (status != STATUS_OK || copy.data == NULL) return pql_no_memory(parser);
    *ret = doc_get(copy, bytes_of_string("v"));
    return STATUS_OK;
}

// Decodes base64 in place of what base libraries do not offer; false for anything else.
static bool decode_base64(struct bytes text, uint8_t *out, size_t *ret_size) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t bits = 0;
    size_t size = text.size, count = 0;
    if (size % 4 != 0) return false;
    for (int i = 0; i < 2 && size > 0 && text.data[size - 1] == '='; i++) size--;
    *ret_size = 0;
    for (size_t i = 0; i < size; i++) {
        const char *digit = text.data[i] == 0 ? NULL : strchr(digits, text.data[i]);
        if (digit == NULL) return false;
        bits = bits << 6 | (uint32_t)(digit - digits);
        count += 6;
        if (count < 8) continue;
        count -= 8;
        out[(*ret_size)++] = (uint8_t)(bits >> count);
    }
    return (bits & ((1u << count) - 1)) == 0;
}

static enum status parse_binary(struct pql_parser *parser, struct bytes text, size_t offset,
                                struct doc_value *ret) {
    size_t size;
    uint8_t *bytes = arena_allocate(parser->arena, text.size + 1, 1);
    if (bytes == NULL) return pql_no_memory(parser);
    if (!decode_base64(text, bytes, &size))
        return pql_error_at(&parser->lexer, offset, "binary takes base64");
    *ret = (struct doc_value){.type = DOC_BINARY, .payload = bytes_of(bytes, size)};
    return STATUS_OK;
}

static enum status parse_key(struct pql_parser *parser, enum key_type type, struct bytes text,
                             size_t offset, struct doc_value *ret) {
    struct key key;
    struct error error = {0};
    uint8_t *storage = arena_allocate(parser->arena, 16, 1);
    if (storage == NULL) return pql_no_memory(parser);
    if (key_from_text(type, text, &key, &error) != STATUS_OK)
        return pql_error_at(&parser->lexer, offset, "%s", error.message);
    *ret = key_to_value(type, &key, storage);
    return STATUS_OK;
}

// date("2026-03-01"), date("2026-03-01T12:30:00Z"), date("2026-03-01T12:30:00.250+02:00").
static enum status parse_date(struct pql_parser *parser, struct bytes text, size_t offset,
                              struct doc_value *ret) {
    int64_t milliseconds;
    if (!date_parse(text, &milliseconds))
        return pql_error_at(&parser->lexer, offset,
                            "not a date: YYYY-MM-DD, YYYY-MM-DDThh:mm:ssZ or with an offset");
    *ret = (struct doc_value){.type = DOC_DATE, .integer = milliseconds};
    return STATUS_OK;
}

static enum status parse_literal_call(struct pql_parser *parser, struct doc_value *ret) {
    struct bytes name = parser->token.text;
    enum status status = pql_advance(parser);
    if (status == STATUS_OK) status = pql_expect(parser, "(");
    if (status != STATUS_OK) return status;
    struct bytes text = parser->token.text;
    size_t offset = parser->token.offset;
    if (parser->token.kind != PQL_STRING) return pql_expected(parser, "a string");
    if (bytes_equal_string(name, "date"))
        status = parse_date(parser, text, offset, ret);
    else if (bytes_equal_string(name, "uuid"))
        status = parse_key(parser, KEY_UUID, text, offset, ret);
    else if (bytes_equal_string(name, "objectId"))
        status = parse_key(parser, KEY_OBJECT_ID, text, offset, ret);
    else if (bytes_equal_string(name, "binary"))
        status = parse_binary(parser, text, offset, ret);
    else
        return pql_error_at(&parser->lexer, offset, "not a literal");
    if (status == STATUS_OK) status = pql_advance(parser);
    return status == STATUS_OK ? pql_expect(parser, ")") : status;
}

// ---- scalars --------------------------------------------------------------------------------

static enum status parse_number(struct pql_parser *parser, bool negative, struct doc_value *ret) {
    const struct pql_token *token = &parser->token;
    enum status status = STATUS_OK;
    if (token->kind == PQL_DOUBLE) {
        *ret = doc_value_double(negative ? -token->number : token->number);
    } else if (token->kind == PQL_DECIMAL) {
        status = parse_decimal(parser, token->text, negative, ret);
    } else if (token->kind == PQL_INTEGER) {
        if (!negative && token->integer > INT64_MAX)
            return pql_error_at(&parser->lexer, token->offset,
                                "the integer does not fit into 64 bits");
        *ret = doc_value_int(negative ? (int64_t)(0 - token->integer) : (int64_t)token->integer);
    } else {
        return pql_expected(parser, "a number");
    }
    return status == STATUS_OK ? pql_advance(parser) : status;
}

static enum status parse_parameter(struct pql_parser *parser, struct doc_value *ret) {
    struct bytes name = parser->token.text;
    char position[24];
    size_t number = 0;
    *ret = (struct doc_value){.type = DOC_MISSING};
    if (parser->parameters.type == DOC_ARRAY) {
        for (size_t i = 0; i < name.size && i < 9 && name.data[i] >= '0' && name.data[i] <= '9';
             i++)
            number = number * 10 + (size_t)(name.data[i] - '0');
        snprintf(position, sizeof position, "%zu", number - 1);
        name = bytes_of_string(position);
    }
    if (parser->parameters.type != DOC_MISSING) *ret = doc_get(parser->parameters.payload, name);
    if (ret->type == DOC_MISSING)
        return pql_error_at(
            &parser->lexer, parser->token.offset, "there is no parameter %.*s",
            (int)(parser->token.source.size < SHOWN_MAX ? parser->token.source.size : SHOWN_MAX),
            (const char *)parser->token.source.data);
    return pql_advance(parser);
}

static enum status parse_constant(struct pql_parser *parser, struct doc_value *ret) {
    if (pql_is(parser, "true") || pql_is(parser, "false"))
        *ret = doc_value_bool(pql_is(parser, "true"));
    else if (pql_is(parser, "null"))
        *ret = (struct doc_value){.type = DOC_NULL};
    else if (pql_is(parser, "date") || pql_is(parser, "uuid") || pql_is(parser, "objectId") ||
             pql_is(parser, "binary"))
        return parse_literal_call(parser, ret);
    else
        return pql_expected(parser, "a value");
    return pql_advance(parser);
}

// ---- documents and arrays -------------------------------------------------------------------

static enum status add_value(struct pql_parser *parser, struct doc_builder *builder,
                             struct bytes name);

static enum status parse_member_name(struct pql_parser *parser, struct table *names,
                                     struct bytes *ret) {
    enum pql_token_kind kind = parser->token.kind;
    if (kind != PQL_NAME && kind != PQL_STRING) return pql_expected(parser, "a member's name");
    *ret = parser->token.text;
    size_t count = names->count;
    if (table_add(names, *ret) == NULL) return pql_no_memory(parser);
    if (names->count == count)
        return pql_error_at(&parser->lexer, parser->token.offset, "the member '%.*s' occurs twice",
                            (int)(ret->size < SHOWN_MAX ? ret->size : SHOWN_MAX),
                            (const char *)ret->data);
    parser->lexer.member = true;
    enum status status = pql_advance(parser);
    parser->lexer.member = false;
    return status == STATUS_OK ? pql_expect(parser, ":") : status;
}

static enum status add_composite(struct pql_parser *parser, struct doc_builder *builder,
                                 const char *end) {
    bool more = !pql_is(parser, end), array = end[0] == ']';
    struct table names = {.arena = parser->arena};
    while (more) {
        struct bytes name = bytes_of("", 0);
        enum status status = array ? STATUS_OK : parse_member_name(parser, &names, &name);
        if (status == STATUS_OK) status = add_value(parser, builder, name);
        if (status == STATUS_OK) status = pql_accept(parser, ",", &more);
        if (status != STATUS_OK) return status;
    }
    if (!pql_is(parser, end)) return pql_expected(parser, array ? "',' or ']'" : "',' or '}'");
    return pql_advance(parser);
}

static enum status parse_scalar(struct pql_parser *parser, struct doc_value *ret) {
    switch (parser->token.kind) {
    case PQL_STRING:
        *ret = doc_value_string(parser->token.text);
        return pql_advance(parser);
    case PQL_PARAMETER:
        return parse_parameter(parser, ret);
    case PQL_NAME:
        return parse_constant(parser, ret);
    default:
        break;
    }
    bool negative;
    enum status status = pql_accept(parser, "-", &negative);
    if (status != STATUS_OK) return status;
    if (!negative && parser->token.kind != PQL_INTEGER && parser->token.kind != PQL_DOUBLE &&
        parser->token.kind != PQL_DECIMAL)
        return pql_expected(parser, "a value");
    return parse_number(parser, negative, ret);
}

static enum status add_value(struct pql_parser *parser, struct doc_builder *builder,
                             struct bytes name) {
    struct doc_value value;
    bool document = pql_is(parser, "{"), array = pql_is(parser, "[");
    if (!document && !array) {
        enum status status = parse_scalar(parser, &value);
        if (status == STATUS_OK) doc_add_value(builder, name, &value);
        return status;
    }
    const char *copy = arena_string(parser->arena, name);
    if (copy == NULL) return pql_no_memory(parser);
    if (parser->nesting++ >= PQL_DEPTH_MAX)
        return pql_error_at(&parser->lexer, parser->token.offset, "values nested more than %d deep",
                            PQL_DEPTH_MAX);
    enum status status = pql_advance(parser);
    if (document)
        doc_begin_document(builder, copy);
    else
        doc_begin_array(builder, copy);
    if (status == STATUS_OK) status = add_composite(parser, builder, document ? "}" : "]");
    doc_end(builder);
    parser->nesting--;
    return status;
}

enum status pql_parse_value(struct pql_parser *parser, struct doc_value *ret) {
    if (!pql_is(parser, "{") && !pql_is(parser, "[")) return parse_scalar(parser, ret);
    struct buffer buffer = {0};
    struct doc_builder builder;
    doc_builder_begin(&builder, &buffer);
    enum status status = add_value(parser, &builder, bytes_of("v", 1));
    enum status finished = doc_builder_finish(&builder);
    struct bytes copy = arena_copy(parser->arena, buffer_bytes(&buffer));
    buffer_done(&buffer);
    if (status != STATUS_OK) return status;
    if (finished != STATUS_OK || copy.data == NULL) return pql_no_memory(parser);
    *ret = doc_get(copy, bytes_of("v", 1));
    return STATUS_OK;
}
