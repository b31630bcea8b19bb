// SPDX-License-Identifier: Apache-2.0
#include "base/config_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct size_unit {
    const char *name;
    int shift;
};
// From the largest; a plain number is bytes.
static const struct size_unit size_units[] = {
    {"TiB", 40}, {"GiB", 30}, {"MiB", 20}, {"KiB", 10}, {"", 0}};
enum { SIZE_UNIT_COUNT = sizeof size_units / sizeof size_units[0] };

// Takes the digits at the beginning of `text`. No sign, and no leading zero, because YAML readers
// do not agree on what 010 is.
static enum status take_digits(struct bytes *text, int64_t *ret_value) {
    int64_t value = 0;
    size_t count = 0;
    for (; count < text->size; count++) {
        uint8_t c = text->data[count];
        if (c < '0' || c > '9') break;
        if (count == 1 && text->data[0] == '0') return STATUS_INVALID;
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, c - '0', &value))
            return STATUS_INVALID;
    }
    if (count == 0) return STATUS_INVALID;
    *text = bytes_of(text->data + count, text->size - count);
    *ret_value = value;
    return STATUS_OK;
}

static enum status parse_int(struct bytes text, int64_t *ret_value) {
    bool negative = text.size > 0 && text.data[0] == '-';
    if (negative) text = bytes_of(text.data + 1, text.size - 1);
    int64_t value = 0;
    enum status status = take_digits(&text, &value);
    if (status != STATUS_OK) return status;
    if (text.size > 0) return STATUS_INVALID;
    *ret_value = negative ? -value : value;
    return STATUS_OK;
}

static enum status parse_size(struct bytes text, int64_t *ret_value) {
    int64_t value = 0;
    enum status status = take_digits(&text, &value);
    if (status != STATUS_OK) return status;
    if (text.size > 1 && text.data[0] == ' ') text = bytes_of(text.data + 1, text.size - 1);
    for (int i = 0; i < SIZE_UNIT_COUNT; i++) {
        if (!bytes_equal_string(text, size_units[i].name)) continue;
        if (value > INT64_MAX >> size_units[i].shift) return STATUS_INVALID;
        *ret_value = value << size_units[i].shift;
        return STATUS_OK;
    }
    return STATUS_INVALID;
}

static enum status parse_choice(struct bytes text, const char *choices, int64_t *ret_index) {
    for (int64_t index = 0;; index++) {
        size_t length = strcspn(choices, "|");
        if (bytes_equal(text, bytes_of(choices, length))) {
            *ret_index = index;
            return STATUS_OK;
        }
        if (choices[length] == '\0') return STATUS_INVALID;
        choices += length + 1;
    }
}

static enum status parse_bool(struct bytes text, bool *ret_value) {
    bool value = bytes_equal_string(text, "true");
    if (!value && !bytes_equal_string(text, "false")) return STATUS_INVALID;
    *ret_value = value;
    return STATUS_OK;
}

// Unquoted text that YAML takes for a number, a truth value or nothing is not a string.
static bool means_text(struct bytes text) {
    static const char *const words[] = {"", "~", "null", "true", "false"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (bytes_equal_string(text, words[i])) return false;
    char copy[64];
    if (text.size >= sizeof copy) return true;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    char *end = NULL;
    (void)strtod(copy, &end);
    return end != copy + text.size;
}

static bool in_range(const struct config_row *row, int64_t value) {
    return value >= row->minimum && value <= row->maximum;
}

static enum status set_string(const struct config_row *row, struct bytes text, char **field) {
    if (!in_range(row, (int64_t)text.size)) return STATUS_INVALID;
    if (text.size > 0 && memchr(text.data, '\0', text.size) != NULL) return STATUS_INVALID;
    char *copy = malloc(text.size + 1);
    if (copy == NULL) return STATUS_NO_MEMORY;
    if (text.size > 0) memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    free(*field);
    *field = copy;
    return STATUS_OK;
}

static enum status parse_number(const struct config_row *row, struct bytes text, bool plain,
                                int64_t *ret_value) {
    // A size with a space is often quoted, and cannot be mistaken for anything else.
    if (row->type == CONFIG_SIZE) return parse_size(text, ret_value);
    return plain ? parse_int(text, ret_value) : STATUS_INVALID;
}

static enum status set_number(const struct config_row *row, struct bytes text, bool plain,
                              int64_t *field) {
    int64_t value = 0;
    enum status status = parse_number(row, text, plain, &value);
    if (status != STATUS_OK) return status;
    if (!in_range(row, value)) return STATUS_INVALID;
    *field = value;
    return STATUS_OK;
}

enum status config_value_set(const struct config_row *row, struct bytes text, bool plain,
                             void *options) {
    void *field = (uint8_t *)options + row->field;
    switch (row->type) {
    case CONFIG_BOOL:
        return plain ? parse_bool(text, field) : STATUS_INVALID;
    case CONFIG_INT:
    case CONFIG_SIZE:
        return set_number(row, text, plain, field);
    case CONFIG_STRING:
        return plain && !means_text(text) ? STATUS_INVALID : set_string(row, text, field);
    case CONFIG_ENUM:
        return parse_choice(text, row->choices, field);
    }
    UNREACHABLE();
}

void config_size_format(int64_t size, char ret_text[32]) {
    const struct size_unit *unit = size_units;
    while (size == 0 ? unit->shift != 0 : size % (INT64_C(1) << unit->shift) != 0) unit++;
    snprintf(ret_text, 32, "%" PRId64 "%s", size >> unit->shift, unit->name);
}

static void describe_range(const struct config_row *row, const char *noun, const char *suffix,
                           const char *minimum, const char *maximum, char *ret_text) {
    if (row->maximum == INT64_MAX)
        snprintf(ret_text, CONFIG_TEXT_MAX, "%s of at least %s%s", noun, minimum, suffix);
    else
        snprintf(ret_text, CONFIG_TEXT_MAX, "%s from %s to %s%s", noun, minimum, maximum, suffix);
}

static void describe_choices(const char *choices, char *ret_text) {
    size_t size = (size_t)snprintf(ret_text, CONFIG_TEXT_MAX, "one of ");
    for (; *choices != '\0' && size + 3 < CONFIG_TEXT_MAX; choices++) {
        ret_text[size++] = *choices == '|' ? ',' : *choices;
        if (*choices == '|') ret_text[size++] = ' ';
    }
    ret_text[size] = '\0';
}

void config_value_describe(const struct config_row *row, char ret_text[CONFIG_TEXT_MAX]) {
    char minimum[32], maximum[32];
    if (row->type == CONFIG_SIZE) {
        config_size_format(row->minimum, minimum);
        config_size_format(row->maximum, maximum);
    } else {
        snprintf(minimum, sizeof minimum, "%" PRId64, row->minimum);
        snprintf(maximum, sizeof maximum, "%" PRId64, row->maximum);
    }
    switch (row->type) {
    case CONFIG_BOOL:
        snprintf(ret_text, CONFIG_TEXT_MAX, "true or false");
        return;
    case CONFIG_INT:
        describe_range(row, "a whole number", "", minimum, maximum, ret_text);
        return;
    case CONFIG_SIZE:
        describe_range(row, "a size", "", minimum, maximum, ret_text);
        return;
    case CONFIG_STRING:
        describe_range(row, "text", " bytes", minimum, maximum, ret_text);
        return;
    case CONFIG_ENUM:
        describe_choices(row->choices, ret_text);
        return;
    }
    UNREACHABLE();
}
