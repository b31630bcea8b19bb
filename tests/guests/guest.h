// SPDX-License-Identifier: Apache-2.0
// The least that a guest needs, for guests that misbehave on purpose (docs/ABI.md). Real guests use
// the library in sdk/c.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define IMPORT(name) __attribute__((import_module("planck"), import_name(#name)))
#define EXPORT(name) __attribute__((export_name(#name)))

// A line of the manifest. The section is concatenated by the linker. The text may not hold quotes
// of its own beyond those of JSON, which are escaped as in any C string.
#define MANIFEST(text)                                                                             \
    __asm__(".section .custom_section.planck.manifest,\"\",@\n\t.ascii " #text "\n\t.ascii "       \
            "\"\\n\"\n\t.text\n");

IMPORT(host_request)
int64_t host_request(const void *packet, uint32_t length, void *target, uint32_t capacity);
IMPORT(host_wait) int64_t host_wait(void *target, uint32_t capacity);
IMPORT(host_reply_read) uint32_t host_reply_read(uint32_t offset, void *target, uint32_t capacity);
IMPORT(host_respond) void host_respond(const void *response, uint32_t length);
IMPORT(host_log) void host_log(int32_t level, const void *text, uint32_t length);
IMPORT(host_abort) _Noreturn void host_abort(const void *text, uint32_t length);
IMPORT(host_now_ns) int64_t host_now_ns(void);
IMPORT(host_random) void host_random(void *target, uint32_t length);

struct response {
    uint16_t status, header_count;
    const void *headers;
    const void *body;
    uint32_t body_length;
    uint8_t zero[16];
};
struct header {
    const char *name;
    uint32_t name_length;
    const char *value;
    uint32_t value_length;
};
_Static_assert(sizeof(struct response) == 32 && sizeof(struct header) == 16, "ABI");

static inline uint32_t load32(const uint8_t *bytes, uint32_t offset) {
    uint32_t value;
    __builtin_memcpy(&value, bytes + offset, 4);
    return value;
}

static inline uint32_t text_length(const char *text) {
    uint32_t length = 0;
    while (text[length] != 0) length++;
    return length;
}

static inline void respond(uint16_t status, const void *body, uint32_t length) {
    struct response response = {.status = status, .body = body, .body_length = length};
    host_respond(&response, sizeof response);
}

static inline void respond_text(uint16_t status, const char *text) {
    respond(status, text, text_length(text));
}

static inline uint32_t write_decimal(char *target, uint64_t value) {
    char digits[20];
    uint32_t count = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    for (uint32_t i = 0; i < count; i++) target[i] = digits[count - 1 - i];
    return count;
}

// ---- packets (docs/PROTOCOL.md) -----------------------------------------------------------------
struct packet {
    uint8_t bytes[512];
    uint32_t size;
};

static inline void packet_put(struct packet *packet, const void *data, uint32_t size) {
    __builtin_memcpy(packet->bytes + packet->size, data, size);
    packet->size += size;
}

static inline void packet_store32(struct packet *packet, uint32_t offset, uint32_t value) {
    __builtin_memcpy(packet->bytes + offset, &value, 4);
}

static inline void packet_begin(struct packet *packet, uint16_t op) {
    packet->size = 28; // the header and the length of the first document
    for (uint32_t i = 0; i < 28; i++) packet->bytes[i] = 0;
    __builtin_memcpy(packet->bytes + 4, &op, 2);
    packet->bytes[20] = 1; // count
}

static inline void packet_name(struct packet *packet, uint8_t type, const char *name) {
    packet_put(packet, &type, 1);
    packet_put(packet, name, text_length(name) + 1);
}

static inline void packet_text(struct packet *packet, const char *name, const char *text) {
    uint32_t length = text_length(text) + 1;
    packet_name(packet, 2, name);
    packet_put(packet, &length, 4);
    packet_put(packet, text, length);
}

static inline void packet_int(struct packet *packet, const char *name, int64_t value) {
    packet_name(packet, 0x12, name);
    packet_put(packet, &value, 8);
}

// Ends the document that began at `start`.
static inline void packet_end_document(struct packet *packet, uint32_t start) {
    packet_put(packet, "", 1);
    packet_store32(packet, start, packet->size - start);
}

static inline uint32_t packet_begin_document(struct packet *packet) {
    uint32_t start = packet->size;
    packet_put(packet, "\0\0\0", 4);
    return start;
}

static inline void packet_finish(struct packet *packet, uint8_t count) {
    packet->bytes[20] = count;
    packet_store32(packet, 0, packet->size);
}

static inline uint32_t result_status(int64_t result) {
    return (uint32_t)((uint64_t)result >> 32) & 0x3fffffff;
}
#define PENDING ((uint64_t)1 << 62)

// ---- the request buffer -------------------------------------------------------------------------
// Two buffers are enough: the first one, and one for large requests, taken from fresh memory.
static uint8_t small_buffer[64 * 1024] __attribute__((aligned(8)));

EXPORT(planck_alloc) uint8_t *planck_alloc(uint32_t size) {
    if (size <= sizeof small_buffer) return small_buffer;
    uint32_t pages = (size + 65535) / 65536;
    size_t before = __builtin_wasm_memory_grow(0, pages);
    return before == (size_t)-1 ? NULL : (uint8_t *)(before * 65536);
}
