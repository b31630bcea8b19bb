// SPDX-License-Identifier: Apache-2.0
// Views and growable buffers of bytes, and fixed-endian loads and stores.
// A `struct bytes` owns nothing. A `struct buffer` owns `data`. Single-threaded values.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "base/status.h"

struct bytes {
    const uint8_t *data;
    size_t size;
};

static inline struct bytes bytes_of(const void *data, size_t size) {
    return (struct bytes){.data = data, .size = size};
}
static inline struct bytes bytes_of_string(const char *text) {
    return bytes_of(text, strlen(text));
}
static inline bool bytes_equal(struct bytes a, struct bytes b) {
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}
// Lexicographic order of unsigned bytes, a prefix before its extensions. <0, 0, >0.
static inline int bytes_compare(struct bytes a, struct bytes b) {
    size_t shared = a.size < b.size ? a.size : b.size;
    int order = shared == 0 ? 0 : memcmp(a.data, b.data, shared);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}
static inline bool bytes_equal_string(struct bytes a, const char *text) {
    return bytes_equal(a, bytes_of_string(text));
}

// Growable buffer. Zero-initialised is a valid empty buffer. `limit` caps `capacity` (0 = none).
struct buffer {
    uint8_t *data;
    size_t size;
    size_t capacity;
    size_t limit;
};

void buffer_done(struct buffer *buffer);
static inline void buffer_clear(struct buffer *buffer) {
    buffer->size = 0;
}
static inline struct bytes buffer_bytes(const struct buffer *buffer) {
    return bytes_of(buffer->data, buffer->size);
}
// Makes room for `extra` more bytes. STATUS_NO_MEMORY, or STATUS_TOO_LARGE past `limit`.
CHECKED enum status buffer_reserve(struct buffer *buffer, size_t extra);
CHECKED enum status buffer_append(struct buffer *buffer, const void *data, size_t size);
static inline enum status buffer_append_string(struct buffer *buffer, const char *text) {
    return buffer_append(buffer, text, strlen(text));
}
CHECKED enum status buffer_append_format(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// Drops the first `count` bytes, moving the rest down. Requires count <= size.
void buffer_consume(struct buffer *buffer, size_t count);

// Unaligned loads and stores; le = little-endian, be = big-endian.
static inline uint16_t load_le16(const void *p) {
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return v;
}
static inline uint32_t load_le32(const void *p) {
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}
static inline uint64_t load_le64(const void *p) {
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}
static inline void store_le16(void *p, uint16_t v) {
    memcpy(p, &v, sizeof v);
}
static inline void store_le32(void *p, uint32_t v) {
    memcpy(p, &v, sizeof v);
}
static inline void store_le64(void *p, uint64_t v) {
    memcpy(p, &v, sizeof v);
}
static inline uint32_t load_be32(const void *p) {
    return __builtin_bswap32(load_le32(p));
}
static inline uint64_t load_be64(const void *p) {
    return __builtin_bswap64(load_le64(p));
}
static inline void store_be32(void *p, uint32_t v) {
    store_le32(p, __builtin_bswap32(v));
}
static inline void store_be64(void *p, uint64_t v) {
    store_le64(p, __builtin_bswap64(v));
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "little-endian hosts only");
