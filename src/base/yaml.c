// SPDX-License-Identifier: Apache-2.0
#include "base/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <yaml.h>

#include "base/hash.h"

struct yaml_reader {
    yaml_parser_t parser;
    const char *file_name;
    struct error *error;
    yaml_function *function;
    void *context;
    struct map *seen; // path -> anything: keys that have been read
    char path[YAML_PATH_MAX + 1];
    size_t path_size;
};

enum status yaml_error(struct error *error, const char *file_name, struct yaml_place place,
                       const char *format, ...) {
    char message[sizeof error->message];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    error_set(error, STATUS_INVALID, "%s:%u:%u: %s", file_name, place.line, place.column, message);
    if (error != NULL) {
        error->line = place.line;
        error->column = place.column;
    }
    return STATUS_INVALID;
}

#define FAIL(reader, place, ...)                                                                   \
    yaml_error((reader)->error, (reader)->file_name, place, __VA_ARGS__)

static struct yaml_place place_of(yaml_mark_t mark) {
    return (struct yaml_place){.line = (uint32_t)mark.line + 1,
                               .column = (uint32_t)mark.column + 1};
}

static enum status no_memory(struct yaml_reader *reader) {
    return error_set(reader->error, STATUS_NO_MEMORY, "%s: no memory", reader->file_name);
}

// Bytes that are not UTF-8 text stop libyaml before it has a mark for them.
static struct yaml_place place_of_offset(struct bytes text, size_t offset) {
    struct yaml_place place = {.line = 1, .column = 1};
    for (size_t i = 0; i < offset && i < text.size; i++) {
        bool continuation = (text.data[i] & 0xc0) == 0x80;
        place.column += !continuation;
        if (text.data[i] == '\n') place = (struct yaml_place){place.line + 1, 1};
    }
    return place;
}

static enum status parser_failed(struct yaml_reader *reader) {
    const yaml_parser_t *parser = &reader->parser;
    if (parser->error == YAML_MEMORY_ERROR) return no_memory(reader);
    const char *problem = parser->problem != NULL ? parser->problem : "not YAML";
    if (parser->error != YAML_READER_ERROR)
        return FAIL(reader, place_of(parser->problem_mark), "%s", problem);
    struct bytes text = bytes_of(parser->input.string.start,
                                 (size_t)(parser->input.string.end - parser->input.string.start));
    return FAIL(reader, place_of_offset(text, parser->problem_offset), "%s", problem);
}

static enum status next_event(struct yaml_reader *reader, yaml_event_t *ret_event) {
    if (yaml_parser_parse(&reader->parser, ret_event) == 0) return parser_failed(reader);
    return STATUS_OK;
}

static enum status refuse_marked(struct yaml_reader *reader, struct yaml_place place,
                                 const yaml_char_t *anchor, const yaml_char_t *tag) {
    if (anchor != NULL) return FAIL(reader, place, "anchors are not supported");
    if (tag != NULL) return FAIL(reader, place, "tags are not supported");
    return STATUS_OK;
}

static enum status refuse_decorations(struct yaml_reader *reader, const yaml_event_t *event) {
    struct yaml_place place = place_of(event->start_mark);
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return FAIL(reader, place, "aliases are not supported");
    case YAML_SCALAR_EVENT:
        return refuse_marked(reader, place, event->data.scalar.anchor, event->data.scalar.tag);
    case YAML_MAPPING_START_EVENT:
        return refuse_marked(reader, place, event->data.mapping_start.anchor,
                             event->data.mapping_start.tag);
    default:
        return STATUS_OK;
    }
}

static struct bytes scalar_text(const yaml_event_t *event) {
    return bytes_of(event->data.scalar.value, event->data.scalar.length);
}

// Appends the key to the path and notes that it has been seen.
static enum status enter_key(struct yaml_reader *reader, const yaml_event_t *event) {
    struct yaml_place place = place_of(event->start_mark);
    if (event->type != YAML_SCALAR_EVENT) return FAIL(reader, place, "a key must be a word");
    enum status status = refuse_decorations(reader, event);
    if (status != STATUS_OK) return status;
    struct bytes key = scalar_text(event);
    size_t dot = reader->path_size > 0 ? 1 : 0;
    if (key.size == 0 || memchr(key.data, '.', key.size) != NULL ||
        memchr(key.data, '\0', key.size) != NULL)
        return FAIL(reader, place, "a key must be a word without dots");
    if (key.size > YAML_PATH_MAX - dot || reader->path_size > YAML_PATH_MAX - dot - key.size)
        return FAIL(reader, place, "key too long");
    if (dot != 0) reader->path[reader->path_size++] = '.';
    memcpy(reader->path + reader->path_size, key.data, key.size);
    reader->path_size += key.size;
    reader->path[reader->path_size] = '\0';

    struct bytes path = bytes_of(reader->path, reader->path_size);
    if (map_get(reader->seen, path) != NULL)
        return FAIL(reader, place, "repeated key %s", reader->path);
    return map_put(reader->seen, path, reader) ? STATUS_OK : no_memory(reader);
}

static void leave_key(struct yaml_reader *reader, size_t path_size) {
    reader->path_size = path_size;
    reader->path[path_size] = '\0';
}

static enum status read_mapping(struct yaml_reader *reader, int depth);

static enum status read_value(struct yaml_reader *reader, struct yaml_place key, int depth,
                              const yaml_event_t *event) {
    enum status status = refuse_decorations(reader, event);
    if (status != STATUS_OK) return status;
    struct yaml_node node = {
        .path = reader->path, .key = key, .value = place_of(event->start_mark)};
    if (event->type == YAML_SCALAR_EVENT) {
        node.kind = YAML_TEXT;
        node.text = scalar_text(event);
        node.plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    } else {
        node.kind = event->type == YAML_MAPPING_START_EVENT ? YAML_MAPPING : YAML_LIST;
    }
    status = reader->function(&node, reader->context);
    if (status != STATUS_OK || node.kind == YAML_TEXT) return status;
    if (node.kind == YAML_LIST) return FAIL(reader, node.value, "lists are not supported");
    if (depth >= YAML_DEPTH_MAX) return FAIL(reader, node.value, "nested too deeply");
    return read_mapping(reader, depth + 1);
}

static enum status read_pair(struct yaml_reader *reader, int depth, const yaml_event_t *key) {
    size_t path_size = reader->path_size;
    enum status status = enter_key(reader, key);
    if (status != STATUS_OK) return status;
    yaml_event_t event;
    status = next_event(reader, &event);
    if (status != STATUS_OK) return status;
    status = read_value(reader, place_of(key->start_mark), depth, &event);
    yaml_event_delete(&event);
    leave_key(reader, path_size);
    return status;
}

static enum status read_mapping(struct yaml_reader *reader, int depth) {
    for (;;) {
        yaml_event_t event;
        enum status status = next_event(reader, &event);
        if (status != STATUS_OK) return status;
        bool end = event.type == YAML_MAPPING_END_EVENT;
        if (!end) status = read_pair(reader, depth, &event);
        yaml_event_delete(&event);
        if (end || status != STATUS_OK) return status;
    }
}

bool yaml_is_null(const struct yaml_node *node) {
    return node->kind == YAML_TEXT && node->plain &&
           (node->text.size == 0 || bytes_equal_string(node->text, "~") ||
            bytes_equal_string(node->text, "null"));
}

static enum status read_root(struct yaml_reader *reader, const yaml_event_t *event) {
    enum status status = refuse_decorations(reader, event);
    if (status != STATUS_OK) return status;
    if (event->type == YAML_MAPPING_START_EVENT) return read_mapping(reader, 1);
    if (event->type == YAML_SCALAR_EVENT) {
        struct yaml_node node = {.kind = YAML_TEXT, .text = scalar_text(event)};
        node.plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
        if (yaml_is_null(&node)) return STATUS_OK;
    }
    return FAIL(reader, place_of(event->start_mark), "expected \"key: value\" lines");
}

// A stream is STREAM-START { DOCUMENT-START root DOCUMENT-END } STREAM-END.
static enum status read_stream(struct yaml_reader *reader) {
    int documents = 0;
    for (;;) {
        yaml_event_t event;
        enum status status = next_event(reader, &event);
        if (status != STATUS_OK) return status;
        yaml_event_type_t type = event.type;
        struct yaml_place place = place_of(event.start_mark);
        if (type != YAML_STREAM_START_EVENT && type != YAML_STREAM_END_EVENT &&
            type != YAML_DOCUMENT_START_EVENT && type != YAML_DOCUMENT_END_EVENT)
            status = read_root(reader, &event);
        yaml_event_delete(&event);
        if (status != STATUS_OK || type == YAML_STREAM_END_EVENT) return status;
        if (type == YAML_DOCUMENT_START_EVENT && documents++ > 0)
            return FAIL(reader, place, "only one document is allowed");
    }
}

enum status yaml_read(struct bytes text, const char *file_name, struct error *error,
                      yaml_function *function, void *context) {
    struct yaml_reader reader = {
        .file_name = file_name, .error = error, .function = function, .context = context};
    reader.seen = map_new();
    if (reader.seen == NULL) return no_memory(&reader);
    if (yaml_parser_initialize(&reader.parser) == 0) {
        map_free(reader.seen);
        return no_memory(&reader);
    }
    // A byte order mark would count as a column.
    if (text.size >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0)
        text = bytes_of(text.data + 3, text.size - 3);
    static const uint8_t nothing[1];
    yaml_parser_set_input_string(&reader.parser, text.size > 0 ? text.data : nothing, text.size);
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    enum status status = read_stream(&reader);
    yaml_parser_delete(&reader.parser);
    map_free(reader.seen);
    return status;
}
