// SPDX-License-Identifier: Apache-2.0
// Writing BSON straight into a buffer: lengths are filled in when a document closes.
#include "doc/element.h"

#define DEPTH_MAX (sizeof((struct doc_builder *)0)->starts / sizeof(size_t))
#define POSITION_SIZE_MAX 10 // digits of the greatest uint32_t

static void fail(struct doc_builder *builder, enum status status) {
    if (builder->status == STATUS_OK) builder->status = status;
}

// Writes `number` in decimal so that it ends at `end`; returns where it begins.
static char *format_position(char *end, uint32_t number) {
    do {
        *--end = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return end;
}

// Appends type and name of an element and makes room for `payload_size` bytes, which the caller
// writes at the returned place. NULL when the builder has failed.
static uint8_t *append_head(struct doc_builder *builder, uint8_t type, struct bytes name,
                            size_t payload_size) {
    if (builder->status != STATUS_OK) return NULL;
    ASSERT(builder->depth > 0);
    char digits[POSITION_SIZE_MAX];
    uint32_t level = builder->depth - 1;
    if (builder->arrays[level]) {
        char *start = format_position(digits + sizeof digits, builder->indexes[level]++);
        name = bytes_of(start, (size_t)(digits + sizeof digits - start));
    } else if (name.size > 0 && memchr(name.data, 0, name.size) != NULL) {
        fail(builder, STATUS_INVALID);
        return NULL;
    }
    struct buffer *buffer = builder->buffer;
    size_t size = 1 + name.size + 1 + payload_size;
    if (buffer->capacity - buffer->size < size) {
        enum status status = buffer_reserve(buffer, size);
        if (status != STATUS_OK) {
            fail(builder, status);
            return NULL;
        }
    }
    uint8_t *target = buffer->data + buffer->size;
    *target++ = type;
    if (name.size > 0) memcpy(target, name.data, name.size);
    target[name.size] = 0;
    buffer->size += size;
    return target + name.size + 1;
}

static struct bytes name_bytes(const char *name) {
    return name == NULL ? bytes_of(NULL, 0) : bytes_of_string(name);
}

// Opens a level whose length is written when it closes. Levels beyond the last are an error and
// only counted, so that beginnings and ends still match.
static void open_level(struct doc_builder *builder, size_t start, bool array) {
    if (builder->depth >= DEPTH_MAX) {
        fail(builder, STATUS_INVALID);
        builder->depth++;
        return;
    }
    builder->starts[builder->depth] = start;
    builder->indexes[builder->depth] = 0;
    builder->arrays[builder->depth] = array;
    builder->depth++;
}

void doc_builder_begin(struct doc_builder *builder, struct buffer *buffer) {
    builder->buffer = buffer;
    builder->depth = 0;
    builder->status = buffer_reserve(buffer, 64);
    open_level(builder, buffer->size, false);
    if (builder->status == STATUS_OK) buffer->size += 4;
}

static void close_level(struct doc_builder *builder) {
    static const uint8_t terminator = 0;
    builder->depth--;
    if (builder->status != STATUS_OK) return;
    size_t start = builder->starts[builder->depth];
    fail(builder, buffer_append(builder->buffer, &terminator, 1));
    size_t size = builder->buffer->size - start;
    if (size > INT32_MAX) fail(builder, STATUS_TOO_LARGE);
    if (builder->status == STATUS_OK) store_le32(builder->buffer->data + start, (uint32_t)size);
}

enum status doc_builder_finish(struct doc_builder *builder) {
    ASSERT(builder->depth == 1);
    size_t start = builder->starts[0];
    close_level(builder);
    if (builder->status != STATUS_OK) builder->buffer->size = start;
    return builder->status;
}

static void begin_nested(struct doc_builder *builder, uint8_t type, const char *name) {
    append_head(builder, type, name_bytes(name), 4);
    open_level(builder, builder->buffer->size - 4, type == DOC_ARRAY);
}

void doc_begin_document(struct doc_builder *builder, const char *name) {
    begin_nested(builder, DOC_DOCUMENT, name);
}

void doc_begin_array(struct doc_builder *builder, const char *name) {
    begin_nested(builder, DOC_ARRAY, name);
}

void doc_end(struct doc_builder *builder) {
    ASSERT(builder->depth > 1);
    close_level(builder);
}

void doc_add_value(struct doc_builder *builder, struct bytes name, const struct doc_value *value) {
    if (value->type == DOC_MISSING) return;
    bool variable = element_sizes[(uint8_t)value->type] >= ELEMENT_LENGTH;
    if (variable && value->payload.size > INT32_MAX - 16) {
        fail(builder, STATUS_TOO_LARGE);
        return;
    }
    uint8_t *target = append_head(builder, (uint8_t)value->type, name, value_payload_size(value));
    if (target != NULL) value_write_payload(value, target);
}

void doc_add_int(struct doc_builder *builder, const char *name, int64_t value) {
    uint8_t *target = append_head(builder, DOC_INT64, name_bytes(name), 8);
    if (target != NULL) store_le64(target, (uint64_t)value);
}

void doc_add_double(struct doc_builder *builder, const char *name, double value) {
    uint8_t *target = append_head(builder, DOC_DOUBLE, name_bytes(name), 8);
    if (target != NULL) memcpy(target, &value, 8);
}

void doc_add_bool(struct doc_builder *builder, const char *name, bool value) {
    uint8_t *target = append_head(builder, DOC_BOOL, name_bytes(name), 1);
    if (target != NULL) *target = value;
}

void doc_add_null(struct doc_builder *builder, const char *name) {
    append_head(builder, DOC_NULL, name_bytes(name), 0);
}

void doc_add_string(struct doc_builder *builder, const char *name, struct bytes value) {
    struct doc_value string = doc_value_string(value);
    doc_add_value(builder, name_bytes(name), &string);
}

void doc_add_binary(struct doc_builder *builder, const char *name, uint8_t subtype,
                    struct bytes value) {
    struct doc_value binary = {.type = DOC_BINARY, .binary_subtype = subtype, .payload = value};
    doc_add_value(builder, name_bytes(name), &binary);
}

void doc_add_document(struct doc_builder *builder, const char *name, struct bytes document) {
    struct doc_value value = {.type = DOC_DOCUMENT, .payload = document};
    ASSERT(document.size >= DOC_EMPTY_SIZE);
    doc_add_value(builder, name_bytes(name), &value);
}
