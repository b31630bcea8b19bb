// SPDX-License-Identifier: Apache-2.0
// A guest whose routes each behave, or misbehave, in one way.
#include "guest.h"

MANIFEST("{\"service\": {\"name\": \"behaviours\", \"version\": \"1\"}}")
MANIFEST("{\"store\": {\"name\": \"things\", \"key_type\": \"int64\"}}")

#define ROUTES(X)                                                                                  \
    X(GET, "/echo/:text", echo)                                                                    \
    X(POST, "/echo/:text", echo_post)                                                              \
    X(GET, "/trap", trap)                                                                          \
    X(GET, "/loop", loop)                                                                          \
    X(GET, "/memory", memory)                                                                      \
    X(GET, "/bad-pointer", bad_pointer)                                                            \
    X(GET, "/bad-request-pointer", bad_request_pointer)                                            \
    X(GET, "/bad-headers", bad_headers)                                                            \
    X(GET, "/second-respond", second_respond)                                                      \
    X(GET, "/no-respond", no_respond)                                                              \
    X(GET, "/huge", huge)                                                                          \
    X(GET, "/abort", abort)                                                                        \
    X(GET, "/nonzero", nonzero)                                                                    \
    X(GET, "/nonzero-after-respond", nonzero_after_respond)                                        \
    X(GET, "/forbidden-header", forbidden_header)                                                  \
    X(GET, "/deep", deep)                                                                          \
    X(GET, "/count", count)                                                                        \
    X(GET, "/scan", scan)                                                                          \
    X(GET, "/request-while-pending", request_while_pending)                                        \
    X(GET, "/wait-without-pending", wait_without_pending)                                          \
    X(GET, "/never-wait", never_wait)                                                              \
    X(GET, "/busy", busy)                                                                          \
    X(GET, "/create-store", create_store)                                                          \
    X(POST, "/things", insert)                                                                     \
    X(GET, "/headers", headers)                                                                    \
    X(GET, "/abuse-stack-of-host", long_log)

// As MANIFEST, put together from pieces.
#define ROUTE_LINE(method, path, name)                                                             \
    __asm__(".section .custom_section.planck.manifest,\"\",@\n"                                    \
            "\t.ascii \"{\\\"route\\\": {\\\"method\\\": \\\"" #method "\\\", \\\"path\\\": \"\n"  \
            "\t.ascii \"\\\"\"\n\t.ascii " #path "\n\t.ascii \"\\\"}}\\n\"\n\t.text\n");
ROUTES(ROUTE_LINE)

static uint8_t reply[64 * 1024];
static uint64_t requests;

static int echo(const uint8_t *request) {
    uint32_t param = load32(request, 48);
    respond(200, request + load32(request, param), load32(request, param + 4));
    return 0;
}

static int echo_post(const uint8_t *request) {
    respond(201, request + load32(request, 28), load32(request, 32));
    return 0;
}

static int trap(const uint8_t *request) {
    __builtin_trap();
}

static int loop(const uint8_t *request) {
    for (volatile uint32_t i = 0;; i++) continue;
}

// Takes all the memory it gets, then gives up.
static int memory(const uint8_t *request) {
    while (__builtin_wasm_memory_grow(0, 16) != (size_t)-1) continue;
    host_abort("out of memory", 13);
}

static int bad_pointer(const uint8_t *request) {
    respond(200, (const void *)0xfffffff0u, 64);
    return 0;
}

static int bad_request_pointer(const uint8_t *request) {
    host_request((const void *)0x7fffffffu, 24, reply, sizeof reply);
    respond_text(200, "not reached");
    return 0;
}

static int bad_headers(const uint8_t *request) {
    struct response response = {.status = 200, .header_count = 64, .headers = (void *)0xffffff00u};
    host_respond(&response, sizeof response);
    return 0;
}

static int second_respond(const uint8_t *request) {
    respond_text(200, "first");
    respond_text(200, "second");
    return 0;
}

static int no_respond(const uint8_t *request) {
    return 0;
}

static int huge(const uint8_t *request) {
    __builtin_wasm_memory_grow(0, 16);
    respond(200, 0, 1u << 20);
    return 0;
}

static int abort(const uint8_t *request) {
    host_abort("as I please", 11);
}

static int nonzero(const uint8_t *request) {
    return 7;
}

static int nonzero_after_respond(const uint8_t *request) {
    respond_text(200, "given");
    return 7;
}

static int forbidden_header(const uint8_t *request) {
    struct header header = {"Content-LENGTH", 14, "5", 1};
    struct response response = {.status = 200, .header_count = 1, .headers = &header};
    host_respond(&response, sizeof response);
    return 0;
}

static volatile uint32_t depth_max = UINT32_MAX, step = 1;

// Exhausts the stack of WebAssembly frames: nothing here uses the stack in memory.
__attribute__((noinline)) static uint32_t descend(uint32_t depth) {
    if (depth >= depth_max) return depth;
    uint32_t below = descend(depth + step);
    return below * 3 + step;
}

static int deep(const uint8_t *request) {
    return (int)descend(0);
}

static int count(const uint8_t *request) {
    char text[20];
    respond(200, text, write_decimal(text, requests));
    return 0;
}

static struct packet query_packet(void) {
    struct packet packet;
    packet_begin(&packet, 15);
    packet_text(&packet, "store", "things");
    packet_end_document(&packet, 24);
    packet_finish(&packet, 1);
    return packet;
}

// A query that takes long: sleeps until it is complete, then tells status and length.
static int scan(const uint8_t *request) {
    struct packet packet = query_packet();
    int64_t result = host_request(packet.bytes, packet.size, reply, 16);
    if ((uint64_t)result & PENDING) {
        __builtin_memset(packet.bytes, 0xee, sizeof packet.bytes); // the host has its own copy
        result = host_wait(reply, 16);
    }
    uint32_t length = (uint32_t)result;
    uint32_t read = host_reply_read(16, reply + 16, sizeof reply - 16);
    if (read + 16 != length && length < sizeof reply) return 1;
    respond(200, reply, length < sizeof reply ? length : sizeof reply);
    return 0;
}

static int request_while_pending(const uint8_t *request) {
    struct packet packet = query_packet();
    host_request(packet.bytes, packet.size, reply, sizeof reply);
    host_request(packet.bytes, packet.size, reply, sizeof reply);
    respond_text(200, "not reached");
    return 0;
}

static int wait_without_pending(const uint8_t *request) {
    host_wait(reply, sizeof reply);
    respond_text(200, "not reached");
    return 0;
}

static int never_wait(const uint8_t *request) {
    struct packet packet = query_packet();
    host_request(packet.bytes, packet.size, reply, sizeof reply);
    respond_text(200, "did not wait");
    return 0;
}

// Computes for 20 ms, giving up its slices in between.
static int busy(const uint8_t *request) {
    int64_t end = host_now_ns() + 20000000;
    while (host_now_ns() < end) continue;
    respond_text(200, "done");
    return 0;
}

static int respond_status(int64_t result) {
    char text[20];
    respond(200, text, write_decimal(text, result_status(result)));
    return 0;
}

static int create_store(const uint8_t *request) {
    struct packet packet;
    packet_begin(&packet, 2);
    packet_text(&packet, "store", "others");
    packet_end_document(&packet, 24);
    packet_finish(&packet, 1);
    return respond_status(host_request(packet.bytes, packet.size, reply, sizeof reply));
}

static int insert(const uint8_t *request) {
    struct packet packet;
    packet_begin(&packet, 10);
    packet_text(&packet, "store", "things");
    packet_end_document(&packet, 24);
    uint32_t start = packet_begin_document(&packet);
    packet_int(&packet, "_id", host_now_ns());
    packet_end_document(&packet, start);
    packet_finish(&packet, 2);
    return respond_status(host_request(packet.bytes, packet.size, reply, sizeof reply));
}

// Answers with the request's headers as its own, prefixed.
static int headers(const uint8_t *request) {
    struct header out[64];
    static char names[64][64];
    uint32_t fields = load32(request, 52);
    uint16_t header_count = (uint16_t)(request[46] | request[47] << 8);
    for (uint32_t i = 0; i < header_count; i++) {
        uint32_t length = load32(request, fields + i * 16 + 4);
        __builtin_memcpy(names[i], "x-", 2);
        __builtin_memcpy(names[i] + 2, request + load32(request, fields + i * 16), length);
        out[i] = (struct header){names[i], length + 2,
                                 (const char *)request + load32(request, fields + i * 16 + 8),
                                 load32(request, fields + i * 16 + 12)};
    }
    struct response response = {.status = 200,
                                .header_count = header_count,
                                .headers = out,
                                .body = request + load32(request, 56),
                                .body_length = 32};
    host_respond(&response, sizeof response);
    return 0;
}

static int long_log(const uint8_t *request) {
    host_log(1, reply, sizeof reply);
    respond_text(200, "logged");
    return 0;
}

#define HANDLER(method, path, name) name,
static int (*const handlers[])(const uint8_t *request) = {ROUTES(HANDLER)};

EXPORT(init) int init(const uint8_t *config, uint32_t length) {
    return load32(config, 0) == length ? 0 : 1;
}

EXPORT(process) int process(const uint8_t *request, uint32_t length) {
    requests++;
    return handlers[load32(request, 8)](request);
}
