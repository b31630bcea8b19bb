// SPDX-License-Identifier: Apache-2.0
// A part of planck.c. Memory: the functions that compilers call by themselves, the arena and
// buffers that grow in it.
// The arena is all memory behind the module's data. Allocation moves `next` up; each request begins
// by moving it back to `floor`, below which lie the request buffer and what pk_init() allocated.

// ---- what compilers call ----------------------------------------------------------------------

#ifdef __wasm__
// Weak: a service that brings a C library uses that one's.
#define COMPILER_FUNCTION __attribute__((weak, visibility("hidden")))
void *memcpy(void *target, const void *source, size_t size);
void *memmove(void *target, const void *source, size_t size);
void *memset(void *target, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *string);

// With -mbulk-memory these three are one instruction each.
COMPILER_FUNCTION void *memcpy(void *target, const void *source, size_t size) {
    return __builtin_memcpy(target, source, size);
}
COMPILER_FUNCTION void *memmove(void *target, const void *source, size_t size) {
    return __builtin_memmove(target, source, size);
}
COMPILER_FUNCTION void *memset(void *target, int byte, size_t size) {
    return __builtin_memset(target, byte, size);
}
COMPILER_FUNCTION int memcmp(const void *a, const void *b, size_t size) {
    const uint8_t *left = a, *right = b;
    for (size_t i = 0; i < size; i++) {
        if (left[i] != right[i]) return left[i] < right[i] ? -1 : 1;
    }
    return 0;
}
COMPILER_FUNCTION size_t strlen(const char *string) {
    size_t size = 0;
    while (string[size] != '\0') size++;
    return size;
}
#endif

static inline uint32_t load32(const void *source) {
    uint32_t value;
    __builtin_memcpy(&value, source, sizeof value);
    return value;
}
static inline uint64_t load64(const void *source) {
    uint64_t value;
    __builtin_memcpy(&value, source, sizeof value);
    return value;
}
static inline void store32(void *target, uint32_t value) {
    __builtin_memcpy(target, &value, sizeof value);
}
static inline void store64(void *target, uint64_t value) {
    __builtin_memcpy(target, &value, sizeof value);
}

static inline void copy16(uint8_t *to, const uint8_t *from) {
    uint64_t first = load64(from), second = load64(from + 8);
    store64(to, first);
    store64(to + 8, second);
}

// memcpy() without a call for the short runs that most texts are; overlapping stores cover the
// sizes between powers of two.
static inline void copy(void *target, const void *source, size_t size) {
    uint8_t *to = target;
    const uint8_t *from = source;
    if (size > 64) {
        __builtin_memcpy(to, from, size);
    } else if (size > 32) {
        copy16(to, from);
        copy16(to + 16, from + 16);
        copy16(to + size - 32, from + size - 32);
        copy16(to + size - 16, from + size - 16);
    } else if (size >= 16) {
        copy16(to, from);
        copy16(to + size - 16, from + size - 16);
    } else if (size >= 8) {
        uint64_t first = load64(from), last = load64(from + size - 8);
        store64(to, first);
        store64(to + size - 8, last);
    } else if (size >= 4) {
        uint32_t first = load32(from), last = load32(from + size - 4);
        store32(to, first);
        store32(to + size - 4, last);
    } else {
        for (size_t i = 0; i < size; i++) to[i] = from[i];
    }
}

static inline bool same(const void *a, const void *b, size_t size) {
    const uint8_t *left = a, *right = b;
    if (size >= 8) {
        for (size_t i = 0; i + 8 < size; i += 8) {
            if (load64(left + i) != load64(right + i)) return false;
        }
        return load64(left + size - 8) == load64(right + size - 8);
    }
    if (size >= 4)
        return load32(left) == load32(right) && load32(left + size - 4) == load32(right + size - 4);
    for (size_t i = 0; i < size; i++) {
        if (left[i] != right[i]) return false;
    }
    return true;
}

_Noreturn void pk_abort(const char *reason) {
    pk_host_abort(reason, (uint32_t)__builtin_strlen(reason));
    __builtin_trap();
}

_Noreturn static void out_of_memory(void) {
    pk_abort("out of memory");
}

// ---- the arena --------------------------------------------------------------------------------

#define ALLOCATION_MAX ((size_t)1 << 30)
#define GROWTH_PAGES 4 // what memory grows by at least

static struct {
    uint8_t *next; // aligned to 8
    uint8_t *end;  // of memory
    uint8_t *floor;
} arena;

static inline size_t align8(size_t size) {
    return (size + 7) & ~(size_t)7;
}

static void arena_open(void) {
    if (arena.next != NULL) return;
    arena.next = (uint8_t *)(((uintptr_t)memory_start() + 7) & ~(uintptr_t)7);
    arena.end = memory_end();
    if (arena.end < arena.next) arena.end = arena.next; // no whole page behind the data
    arena.floor = arena.next;
}

static void arena_reset(void) {
    arena_open();
    arena.next = arena.floor;
    memory_forbid(arena.next, (size_t)(arena.end - arena.next));
}

static inline size_t arena_rest(void) {
    return (size_t)(arena.end - arena.next);
}

// Grows memory until `size` bytes are left; a quarter more than there is when that can be had.
__attribute__((noinline)) static bool arena_grow(size_t size) {
    arena_open();
    if (size <= arena_rest()) return true;
    if (size > ALLOCATION_MAX) return false;
    size_t needed = (size - arena_rest() + MEMORY_PAGE - 1) / MEMORY_PAGE;
    size_t wanted = (size_t)(arena.end - memory_start()) / MEMORY_PAGE / 4;
    if (wanted < GROWTH_PAGES) wanted = GROWTH_PAGES;
    if (wanted < needed) wanted = needed;
    bool grown = memory_grow(wanted) || (wanted > needed && memory_grow(needed));
    arena.end = memory_end();
    return grown && size <= arena_rest();
}

static inline bool arena_reach(size_t size) {
    return size <= arena_rest() || arena_grow(size);
}

static inline uint8_t *allocate(size_t size) {
    if (size > ALLOCATION_MAX || !arena_reach(align8(size))) out_of_memory();
    uint8_t *start = arena.next;
    arena.next += align8(size);
    memory_allow(start, size);
    return start;
}

void *pk_allocate(size_t size) {
    return allocate(size);
}

// ---- reading ahead ------------------------------------------------------------------------------

// Whether eight bytes can be loaded from `p`, whatever it belongs to: in a module's memory nothing
// but its end stops a load. Of these bytes only those that do belong to it may count.
#ifdef __wasm__
static inline bool may_load64(const void *p) {
    return (uintptr_t)arena.end - 8 >= (uintptr_t)p && arena.end != NULL;
}
static inline uint64_t load64_beyond(const void *p) {
    __asm__("" : "+r"(p)); // the compiler is not to know of what object
    return load64(p);
}
#else
static inline bool may_load64(const void *p) {
    (void)p;
    return false;
}
static inline uint64_t load64_beyond(const void *p) {
    (void)p;
    return 0;
}
#endif

// ---- buffers ----------------------------------------------------------------------------------

// Bytes that grow in the arena, in place while nothing was allocated behind them. All zero is an
// empty one. `capacity` is a multiple of 8.
struct buffer {
    uint8_t *data;
    size_t size;
    size_t capacity;
};

#define BUFFER_FIRST 256

static inline bool buffer_is_last(const struct buffer *buffer) {
    return buffer->data != NULL && buffer->data + buffer->capacity == arena.next;
}

// Moves to a new place, or grows at this one.
static bool buffer_resize(struct buffer *buffer, size_t capacity) {
    if (buffer_is_last(buffer)) {
        size_t more = capacity - buffer->capacity;
        if (!arena_reach(more)) return false;
        memory_allow(arena.next, more);
        arena.next += more;
    } else {
        if (!arena_reach(capacity)) return false;
        uint8_t *data = allocate(capacity);
        copy(data, buffer->data, buffer->size);
        buffer->data = data;
    }
    buffer->capacity = capacity;
    return true;
}

// By doubling, so that all copies together are at most as long as the result. When memory does not
// suffice for that, by what is needed and all that memory then still has.
__attribute__((noinline)) static void buffer_grow(struct buffer *buffer, size_t extra) {
    if (extra > ALLOCATION_MAX || buffer->size + extra > ALLOCATION_MAX) out_of_memory();
    size_t needed = align8(buffer->size + extra);
    size_t wanted = buffer->capacity * 2;
    if (wanted < BUFFER_FIRST) wanted = BUFFER_FIRST;
    if (wanted > needed && buffer_resize(buffer, wanted)) return;
    if (!buffer_resize(buffer, needed)) out_of_memory();
    if (wanted > needed) buffer_resize(buffer, buffer->capacity + (arena_rest() & ~(size_t)7));
}

// Room for `extra` bytes at the returned place, which is the buffer's end.
static inline uint8_t *buffer_reserve(struct buffer *buffer, size_t extra) {
    if (extra > buffer->capacity - buffer->size) buffer_grow(buffer, extra);
    return buffer->data + buffer->size;
}

static inline void buffer_append(struct buffer *buffer, const void *data, size_t size) {
    copy(buffer_reserve(buffer, size), data, size);
    buffer->size += size;
}

static inline void buffer_append_byte(struct buffer *buffer, uint8_t byte) {
    *buffer_reserve(buffer, 1) = byte;
    buffer->size++;
}

// Gives back what the finished buffer does not need.
static inline void buffer_seal(struct buffer *buffer) {
    if (!buffer_is_last(buffer)) return;
    buffer->capacity = align8(buffer->size);
    memory_forbid(buffer->data + buffer->size, (size_t)(arena.next - buffer->data) - buffer->size);
    arena.next = buffer->data + buffer->capacity;
}
