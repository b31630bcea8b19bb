// SPDX-License-Identifier: Apache-2.0
// The text of the section `planck.manifest` (docs/ABI.md): one JSON object a line.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "wasm/wasm.h"

#define ENTRIES_MAX 4096

struct parser {
    struct manifest *manifest;
    uint32_t line;
    bool has_service;
    struct error *error;
};

__attribute__((format(printf, 2, 3))) static enum status refuse(struct parser *parser,
                                                                const char *format, ...) {
    char text[180];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    enum status status =
        error_set(parser->error, STATUS_INVALID, "planck.manifest line %u: %s", parser->line, text);
    if (parser->error != NULL) parser->error->line = parser->line;
    return status;
}

// ---- members ------------------------------------------------------------------------------------

// The members of one kind of line: strings, or true and false; absent ones stay empty.
struct member {
    const char *name;
    bool required;
    bool is_flag;
    bool flag;          // as given, or as it is when absent
    struct bytes value; // of a flag: its name, once it was given
};

static struct member *find_member(struct member *members, size_t count, struct bytes name) {
    for (size_t i = 0; i < count; i++) {
        if (bytes_equal_string(name, members[i].name)) return &members[i];
    }
    return NULL;
}

static enum status read_members(struct parser *parser, struct bytes document,
                                struct member *members, size_t count) {
    struct doc_iterator iterator;
    struct bytes name;
    struct doc_value value;
    doc_iterate(&iterator, document);
    while (doc_next(&iterator, &name, &value)) {
        struct member *member = find_member(members, count, name);
        if (member == NULL)
            return refuse(parser, "unknown member \"%.*s\"", (int)name.size, (char *)name.data);
        if (member->value.data != NULL) return refuse(parser, "\"%s\" twice", member->name);
        if (member->is_flag) {
            if (value.type != DOC_BOOL)
                return refuse(parser, "\"%s\" must be true or false", member->name);
            member->flag = value.boolean;
            member->value = name;
            continue;
        }
        if (value.type != DOC_STRING) return refuse(parser, "\"%s\" must be a text", member->name);
        if (memchr(value.payload.data, '\0', value.payload.size) != NULL)
            return refuse(parser, "\"%s\" holds a NUL", member->name);
        member->value = value.payload;
    }
    for (size_t i = 0; i < count; i++) {
        if (members[i].required && members[i].value.size == 0)
            return refuse(parser, "\"%s\" is missing", members[i].name);
    }
    return STATUS_OK;
}

static char *copy_text(struct bytes text) {
    return text.data == NULL ? strdup("") : strndup((const char *)text.data, text.size);
}

// Makes room for one more zeroed element and counts it; NULL when memory is exhausted.
static void *add_element(void *array, size_t *count, size_t size) {
    char *grown = realloc(*(char **)array, (*count + 1) * size);
    if (grown == NULL) return NULL;
    *(char **)array = grown;
    memset(grown + *count * size, 0, size);
    return grown + (*count)++ * size;
}

static enum status no_memory(struct parser *parser) {
    return error_set(parser->error, STATUS_NO_MEMORY, "planck.manifest: no memory");
}

// ---- kinds --------------------------------------------------------------------------------------

static enum status parse_service(struct parser *parser, struct bytes document) {
    struct member members[] = {{"name", true}, {"version"}};
    if (parser->has_service) return refuse(parser, "a second service");
    enum status status = read_members(parser, document, members, 2);
    if (status != STATUS_OK) return status;
    parser->has_service = true;
    free(parser->manifest->service);
    free(parser->manifest->version);
    parser->manifest->service = copy_text(members[0].value);
    parser->manifest->version = copy_text(members[1].value);
    return STATUS_OK;
}

static enum status parse_route(struct parser *parser, struct bytes document) {
    struct member members[] = {
        {"method", true}, {"path", true}, {"transaction", .is_flag = true, .flag = true}};
    enum status status = read_members(parser, document, members, 3);
    if (status != STATUS_OK) return status;
    enum http_method method;
    if (!http_method_parse(members[0].value, &method))
        return refuse(parser, "unknown method \"%.*s\"", (int)members[0].value.size,
                      (char *)members[0].value.data);
    if (members[1].value.data[0] != '/') return refuse(parser, "a path begins with '/'");
    struct manifest *manifest = parser->manifest;
    struct manifest_route *route =
        add_element(&manifest->routes, &manifest->route_count, sizeof *route);
    if (route == NULL) return no_memory(parser);
    route->method = method;
    route->transaction = members[2].flag && !http_method_safe(method);
    route->path = copy_text(members[1].value);
    return route->path != NULL ? STATUS_OK : no_memory(parser);
}

static const struct manifest_store *find_store(const struct manifest *manifest, struct bytes name) {
    for (size_t i = 0; i < manifest->store_count; i++) {
        if (bytes_equal_string(name, manifest->stores[i].name)) return &manifest->stores[i];
    }
    return NULL;
}

static enum status parse_store(struct parser *parser, struct bytes document) {
    struct member members[] = {{"name", true}, {"key_type"}};
    enum status status = read_members(parser, document, members, 2);
    if (status != STATUS_OK) return status;
    enum key_type key_type = KEY_UUID;
    if (members[1].value.data != NULL && !key_type_parse(members[1].value, &key_type))
        return refuse(parser, "unknown key type \"%.*s\"", (int)members[1].value.size,
                      (char *)members[1].value.data);
    struct manifest *manifest = parser->manifest;
    if (find_store(manifest, members[0].value) != NULL)
        return refuse(parser, "the store is declared twice");
    struct manifest_store *store =
        add_element(&manifest->stores, &manifest->store_count, sizeof *store);
    if (store == NULL) return no_memory(parser);
    store->key_type = key_type;
    store->name = copy_text(members[0].value);
    return store->name != NULL ? STATUS_OK : no_memory(parser);
}

static bool has_index(const struct manifest *manifest, struct bytes store, struct bytes name) {
    for (size_t i = 0; i < manifest->index_count; i++) {
        if (bytes_equal_string(store, manifest->indexes[i].store) &&
            bytes_equal_string(name, manifest->indexes[i].name))
            return true;
    }
    return false;
}

static enum status parse_index(struct parser *parser, struct bytes document) {
    struct member members[] = {{"store", true}, {"name", true}, {"field", true}};
    enum status status = read_members(parser, document, members, 3);
    if (status != STATUS_OK) return status;
    if (!doc_path_valid(members[2].value)) return refuse(parser, "\"field\" is not a field path");
    struct manifest *manifest = parser->manifest;
    if (has_index(manifest, members[0].value, members[1].value))
        return refuse(parser, "the index is declared twice");
    struct manifest_index *index =
        add_element(&manifest->indexes, &manifest->index_count, sizeof *index);
    if (index == NULL) return no_memory(parser);
    index->store = copy_text(members[0].value);
    index->name = copy_text(members[1].value);
    index->field = copy_text(members[2].value);
    bool whole = index->store != NULL && index->name != NULL && index->field != NULL;
    return whole ? STATUS_OK : no_memory(parser);
}

static const struct {
    const char *name;
    enum status (*parse)(struct parser *parser, struct bytes document);
} kinds[] = {
    {"service", parse_service},
    {"route", parse_route},
    {"store", parse_store},
    {"index", parse_index},
};

// ---- lines --------------------------------------------------------------------------------------

static enum status parse_object(struct parser *parser, struct bytes document) {
    struct doc_iterator iterator;
    struct bytes name, rest_name;
    struct doc_value value, rest_value;
    doc_iterate(&iterator, document);
    if (!doc_next(&iterator, &name, &value) || doc_next(&iterator, &rest_name, &rest_value))
        return refuse(parser, "an object with exactly one member is expected");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!bytes_equal_string(name, kinds[i].name)) continue;
        if (value.type != DOC_DOCUMENT)
            return refuse(parser, "\"%s\" must be an object", kinds[i].name);
        return kinds[i].parse(parser, value.payload);
    }
    return refuse(parser, "unknown kind \"%.*s\"", (int)name.size, (char *)name.data);
}

static enum status parse_line(struct parser *parser, struct bytes line) {
    struct buffer document = {0};
    struct error reason = {0};
    enum status status = doc_from_json(&document, line, &reason);
    if (status == STATUS_OK)
        status = parse_object(parser, buffer_bytes(&document));
    else if (status == STATUS_NO_MEMORY)
        status = no_memory(parser);
    else
        status = refuse(parser, "not a JSON object: %s", reason.message);
    buffer_done(&document);
    return status;
}

static bool is_blank(struct bytes line) {
    for (size_t i = 0; i < line.size; i++) {
        if (strchr(" \t\r", line.data[i]) == NULL && line.data[i] != '\0') return false;
    }
    return true;
}

// Linkers pad the pieces that they concatenate with NUL bytes.
static struct bytes trim_padding(struct bytes line) {
    while (line.size > 0 && line.data[0] == '\0') line = bytes_of(line.data + 1, line.size - 1);
    while (line.size > 0 && line.data[line.size - 1] == '\0') line.size--;
    return line;
}

static enum status parse_lines(struct parser *parser, struct bytes text) {
    while (text.size > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.size);
        size_t size = end == NULL ? text.size : (size_t)(end - text.data);
        struct bytes line = trim_padding(bytes_of(text.data, size));
        parser->line++;
        text = end == NULL ? bytes_of(text.data, 0) : bytes_of(end + 1, text.size - size - 1);
        if (is_blank(line)) continue;
        if (parser->line > ENTRIES_MAX) return refuse(parser, "too many lines");
        enum status status = parse_line(parser, line);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

static enum status check_indexes(struct parser *parser) {
    const struct manifest *manifest = parser->manifest;
    for (size_t i = 0; i < manifest->index_count; i++) {
        const struct manifest_index *index = &manifest->indexes[i];
        if (find_store(manifest, bytes_of_string(index->store)) == NULL)
            return error_set(parser->error, STATUS_INVALID,
                             "planck.manifest: index \"%s\" is on the undeclared store \"%s\"",
                             index->name, index->store);
    }
    return STATUS_OK;
}

enum status manifest_parse(struct bytes text, struct manifest **ret, struct error *error) {
    struct parser parser = {.manifest = calloc(1, sizeof *parser.manifest), .error = error};
    if (parser.manifest == NULL) return no_memory(&parser);
    parser.manifest->service = strdup("");
    parser.manifest->version = strdup("");
    enum status status = parse_lines(&parser, text);
    if (status == STATUS_OK) status = check_indexes(&parser);
    bool whole = parser.manifest->service != NULL && parser.manifest->version != NULL;
    if (status == STATUS_OK && !whole) status = no_memory(&parser);
    if (status != STATUS_OK) {
        manifest_free(parser.manifest);
        return status;
    }
    *ret = parser.manifest;
    return STATUS_OK;
}

void manifest_free(struct manifest *manifest) {
    if (manifest == NULL) return;
    for (size_t i = 0; i < manifest->route_count; i++) free(manifest->routes[i].path);
    for (size_t i = 0; i < manifest->store_count; i++) free(manifest->stores[i].name);
    for (size_t i = 0; i < manifest->index_count; i++) {
        free(manifest->indexes[i].store);
        free(manifest->indexes[i].name);
        free(manifest->indexes[i].field);
    }
    free(manifest->routes);
    free(manifest->stores);
    free(manifest->indexes);
    free(manifest->service);
    free(manifest->version);
    free(manifest);
}
