// SPDX-License-Identifier: Apache-2.0
#include "base/config.h"

#include <stdlib.h>

#include "base/config_value.h"
#include "base/limits.h"
#include "base/yaml.h"

#define CONFIG_FILE_MAX (1 * MIB)

static char **string_field(const struct config_row *row, void *options) {
    return (char **)((uint8_t *)options + row->field);
}

// A default stands in the table as in a file, so an empty string may be written "" there.
static struct bytes default_text(const struct config_row *row) {
    struct bytes text = bytes_of_string(row->default_value);
    bool quoted = text.size >= 2 && text.data[0] == '"' && text.data[text.size - 1] == '"';
    if (row->type == CONFIG_STRING && quoted) return bytes_of(text.data + 1, text.size - 2);
    return text;
}

void config_defaults(const struct config_table *table, void *options) {
    for (size_t i = 0; i < table->row_count; i++) {
        const struct config_row *row = &table->rows[i];
        if (row->type == CONFIG_STRING) *string_field(row, options) = NULL;
        bool plain = row->type != CONFIG_STRING;
        enum status status = config_value_set(row, default_text(row), plain, options);
        ASSERT(status == STATUS_OK);
    }
}

void config_done(const struct config_table *table, void *options) {
    for (size_t i = 0; i < table->row_count; i++) {
        if (table->rows[i].type != CONFIG_STRING) continue;
        char **field = string_field(&table->rows[i], options);
        free(*field);
        *field = NULL;
    }
}

struct config_reading {
    const struct config_table *table;
    const char *path;
    void *options;
    struct error *error;
};

static const struct config_row *find_row(const struct config_table *table, const char *key) {
    for (size_t i = 0; i < table->row_count; i++)
        if (strcmp(table->rows[i].key, key) == 0) return &table->rows[i];
    return NULL;
}

// Whether some key begins with `path` and a dot.
static bool is_section(const struct config_table *table, const char *path) {
    size_t length = strlen(path);
    for (size_t i = 0; i < table->row_count; i++) {
        const char *key = table->rows[i].key;
        if (strncmp(key, path, length) == 0 && key[length] == '.') return true;
    }
    return false;
}

static enum status refuse_value(const struct config_reading *reading, const struct config_row *row,
                                const struct yaml_node *node) {
    char accepted[CONFIG_TEXT_MAX];
    config_value_describe(row, accepted);
    int shown = node->text.size < 40 ? (int)node->text.size : 40;
    if (node->kind != YAML_TEXT || yaml_is_null(node))
        return yaml_error(reading->error, reading->path, node->value, "%s must be %s", row->key,
                          accepted);
    const char *quote = node->plain ? "" : "\"";
    return yaml_error(reading->error, reading->path, node->value, "%s must be %s, not %s%.*s%s",
                      row->key, accepted, quote, shown, (const char *)node->text.data, quote);
}

static enum status read_node(const struct yaml_node *node, void *context) {
    const struct config_reading *reading = context;
    const struct config_row *row = find_row(reading->table, node->path);
    if (row == NULL) {
        if (!is_section(reading->table, node->path))
            return yaml_error(reading->error, reading->path, node->key, "unknown key %s",
                              node->path);
        if (node->kind == YAML_MAPPING || yaml_is_null(node)) return STATUS_OK;
        return yaml_error(reading->error, reading->path, node->value,
                          "%s must be a section with keys of its own", node->path);
    }
    if (node->kind != YAML_TEXT) return refuse_value(reading, row, node);
    enum status status = config_value_set(row, node->text, node->plain, reading->options);
    if (status == STATUS_INVALID) return refuse_value(reading, row, node);
    if (status != STATUS_OK) return error_set(reading->error, status, "%s: no memory", row->key);
    return STATUS_OK;
}

enum status config_parse(const struct config_table *table, struct bytes text, const char *path,
                         void *options, struct error *error) {
    struct config_reading reading = {
        .table = table, .path = path, .options = options, .error = error};
    return yaml_read(text, path, error, read_node, &reading);
}

enum status config_load(const struct config_table *table, struct file_system *fs, const char *path,
                        void *options, struct error *error) {
    struct buffer text = {0};
    struct error reason;
    enum status status = file_read_all(fs, path, CONFIG_FILE_MAX, &text, &reason);
    if (status == STATUS_OK) {
        status = config_parse(table, buffer_bytes(&text), path, options, error);
    } else if (status == STATUS_NOT_FOUND) {
        status = STATUS_OK;
    } else {
        error_set(error, status, "%s", reason.message);
    }
    buffer_done(&text);
    return status;
}

enum status config_document(const struct config_table *table, struct buffer *buffer) {
    enum status status = buffer_append_string(
        buffer, "| Key | Default | Unit | Accepts | Meaning |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < table->row_count && status == STATUS_OK; i++) {
        const struct config_row *row = &table->rows[i];
        char accepted[CONFIG_TEXT_MAX];
        config_value_describe(row, accepted);
        const char *default_value = row->default_value[0] != '\0' ? row->default_value : "\"\"";
        const char *unit = row->unit != NULL ? row->unit : "";
        status = buffer_append_format(buffer, "| `%s` | `%s` | %s | %s | %s |\n", row->key,
                                      default_value, unit, accepted, row->doc);
    }
    return status;
}
