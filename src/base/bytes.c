// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { BUFFER_CAPACITY_MIN = 64 };

void buffer_done(struct buffer *buffer) {
    free(buffer->data);
    buffer->data = NULL;
    buffer->size = buffer->capacity = 0;
}

static size_t grown_capacity(const struct buffer *buffer, size_t needed) {
    size_t capacity =
        buffer->capacity < BUFFER_CAPACITY_MIN ? BUFFER_CAPACITY_MIN : buffer->capacity;
    while (capacity < needed) {
        if (capacity > SIZE_MAX / 2) return needed;
        capacity *= 2;
    }
    if (buffer->limit != 0 && capacity > buffer->limit) capacity = buffer->limit;
    return capacity;
}

enum status buffer_reserve(struct buffer *buffer, size_t extra) {
    ASSERT(buffer->size <= buffer->capacity);
    if (extra <= buffer->capacity - buffer->size) return STATUS_OK;
    if (extra > SIZE_MAX - buffer->size) return STATUS_TOO_LARGE;
    size_t needed = buffer->size + extra;
    if (buffer->limit != 0 && needed > buffer->limit) return STATUS_TOO_LARGE;
    size_t capacity = grown_capacity(buffer, needed);
    uint8_t *data = realloc(buffer->data, capacity);
    if (data == NULL) return STATUS_NO_MEMORY;
    buffer->data = data;
    buffer->capacity = capacity;
    return STATUS_OK;
}

enum status buffer_append(struct buffer *buffer, const void *data, size_t size) {
    if (size == 0) return STATUS_OK;
    enum status status = buffer_reserve(buffer, size);
    if (status != STATUS_OK) return status;
    memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
    return STATUS_OK;
}

// Formats on the stack first, then on the heap, because vsnprintf() wants room for a NUL that
// `limit` may not leave.
enum status buffer_append_format(struct buffer *buffer, const char *format, ...) {
    char small[256];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(small, sizeof small, format, arguments);
    va_end(arguments);
    if (length < 0) return STATUS_INVALID;
    if ((size_t)length < sizeof small) return buffer_append(buffer, small, (size_t)length);

    char *large = NULL;
    va_start(arguments, format);
    length = vasprintf(&large, format, arguments);
    va_end(arguments);
    if (length < 0) return STATUS_NO_MEMORY;
    enum status status = buffer_append(buffer, large, (size_t)length);
    free(large);
    return status;
}

void buffer_consume(struct buffer *buffer, size_t count) {
    ASSERT(count <= buffer->size);
    if (count == 0) return;
    buffer->size -= count;
    if (buffer->size > 0) memmove(buffer->data, buffer->data + count, buffer->size);
}
