// SPDX-License-Identifier: Apache-2.0
// A part of planck.c. What the host calls, and what is left of the host's functions.

#define ABI_VERSION 1

// ---- the host's functions -----------------------------------------------------------------------

void pk_log(enum pk_level level, struct pk_text message) {
    pk_host_log((int32_t)level, message.data, (uint32_t)message.size);
}

int64_t pk_now_ms(void) {
    return pk_host_now_ns() / 1000000;
}

#define RANDOM_ONCE ((size_t)1 << 16) // the host gives no more than 1 MiB a call

void pk_random(void *data, size_t size) {
    uint8_t *next = data;
    while (size > 0) {
        size_t count = size < RANDOM_ONCE ? size : RANDOM_ONCE;
        pk_host_random(next, (uint32_t)count);
        next += count;
        size -= count;
    }
}

// ---- exports ------------------------------------------------------------------------------------

int32_t planck_abi_version(void) {
    return ABI_VERSION;
}

// Never called during a request. Twice the size of the buffer before, if that can be had: the
// earlier ones, which stay where they are, are then together no larger than the last.
void *planck_alloc(uint32_t size) {
    static uint8_t *buffer;
    static size_t capacity;
    arena_reset();
    if (buffer != NULL && size <= capacity) return buffer;
    size_t wanted = capacity * 2 > size ? capacity * 2 : size;
    if (size > ALLOCATION_MAX) return NULL;
    if (!arena_reach(align8(wanted))) wanted = size;
    if (!arena_reach(align8(wanted))) return NULL;
    buffer = allocate(wanted);
    capacity = wanted;
    arena.floor = arena.next;
    return buffer;
}

__attribute__((weak)) void pk_init(struct pk_document config) {
    (void)config;
}

// What pk_init() allocates stays; so does the configuration, which the host wrote into the request
// buffer.
int32_t pk_export_init(const uint8_t *config, uint32_t size) {
    arena_reset();
    uint8_t *kept = allocate(size);
    copy(kept, config, size);
    pk_init((struct pk_document){kept, size});
    arena.floor = arena.next;
    return 0;
}

static void begin_request(const uint8_t *data, size_t size) {
    arena_reset();
    last_error = PK_TEXT("");
    current.data = data;
    current.size = size;
    current.body_known = false;
    current.status = 200;
    current.content_type = text_of(NULL, 0);
    current.out = (struct pk_out){0};
    current.header_count = 0;
    if (size < REQUEST_SIZE || (load32(data + REQUEST_VERSION) & 0xffff) != ABI_VERSION)
        pk_abort("the request is not one of ABI 1");
}

int32_t pk_export_process(const uint8_t *request, uint32_t size) {
    begin_request(request, size);
    uint32_t route = load32(request + REQUEST_ROUTE);
    if (route >= pk_route_count) pk_abort("the request is for a route that there is not");
    pk_routes[route].handler(&current);
    send_response(&current);
    return 0;
}
