// SPDX-License-Identifier: Apache-2.0
// A part of planck.c. The boundary: what the module imports from its host (docs/ABI.md) and how it
// gets memory. Compiled for another machine than wasm32, the same functions are ordinary ones that
// a test defines, with pointers as wide as that machine's.
#ifndef PLANCK_HOST_H
#define PLANCK_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __wasm__
#define HOST_FUNCTION(name) __attribute__((import_module("planck"), import_name(name)))
#define GUEST_EXPORT(name) __attribute__((export_name(name)))
#else
#define HOST_FUNCTION(name)
#define GUEST_EXPORT(name)
#endif

#define HOST_PENDING (1ULL << 62) // in a result of pk_host_request

HOST_FUNCTION("host_request")
int64_t pk_host_request(const void *packet, uint32_t size, void *reply, uint32_t capacity);
HOST_FUNCTION("host_wait") int64_t pk_host_wait(void *reply, uint32_t capacity);
HOST_FUNCTION("host_reply_read")
uint32_t pk_host_reply_read(uint32_t offset, void *target, uint32_t capacity);
HOST_FUNCTION("host_body_read") int32_t pk_host_body_read(void *target, uint32_t capacity);
HOST_FUNCTION("host_respond") void pk_host_respond(const void *response, uint32_t size);
HOST_FUNCTION("host_log") void pk_host_log(int32_t level, const void *text, uint32_t size);
HOST_FUNCTION("host_now_ns") int64_t pk_host_now_ns(void);
HOST_FUNCTION("host_random") void pk_host_random(void *target, uint32_t size);
HOST_FUNCTION("host_abort") void pk_host_abort(const void *reason, uint32_t size);

GUEST_EXPORT("planck_abi_version") int32_t planck_abi_version(void);
GUEST_EXPORT("planck_alloc") void *planck_alloc(uint32_t size);
GUEST_EXPORT("init") int32_t pk_export_init(const uint8_t *config, uint32_t size);
GUEST_EXPORT("process") int32_t pk_export_process(const uint8_t *request, uint32_t size);

// What pk_host_respond() takes.
struct response_header {
    const char *name;
    size_t name_size;
    const char *value;
    size_t value_size;
};
struct response {
    uint16_t status;
    uint16_t header_count;
    const struct response_header *headers;
    const uint8_t *body;
    size_t body_size;
    uint8_t zero[16];
};
_Static_assert(sizeof(void *) != 4 || sizeof(struct response) == 32, "docs/ABI.md");

// ---- memory ---------------------------------------------------------------------------------

#define MEMORY_PAGE ((size_t)65536)

#ifdef __wasm__
extern uint8_t __heap_base; // by the linker: behind data and stack
static inline uint8_t *memory_start(void) {
    return &__heap_base;
}
static inline uint8_t *memory_end(void) {
    return (uint8_t *)(__builtin_wasm_memory_size(0) * MEMORY_PAGE);
}
// One page is never asked for: with it, the end of memory would be address 0.
static inline bool memory_grow(size_t pages) {
    if (pages >= 65536 - __builtin_wasm_memory_size(0)) return false;
    return __builtin_wasm_memory_grow(0, pages) != (size_t)-1;
}
// For tests only: which bytes of memory may be touched.
static inline void memory_allow(const void *start, size_t size) {
    (void)start, (void)size;
}
static inline void memory_forbid(const void *start, size_t size) {
    (void)start, (void)size;
}
#else
uint8_t *memory_start(void);
uint8_t *memory_end(void);
bool memory_grow(size_t pages);
void memory_allow(const void *start, size_t size);
void memory_forbid(const void *start, size_t size);
#endif

#endif
