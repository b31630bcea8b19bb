// SPDX-License-Identifier: Apache-2.0
// Handlers that write and then succeed, refuse, fail or commit by themselves.
#include "guest.h"

MANIFEST("{\"service\": {\"name\": \"transactions\", \"version\": \"1\"}}")
MANIFEST("{\"store\": {\"name\": \"things\", \"key_type\": \"int64\"}}")
MANIFEST("{\"route\": {\"method\": \"POST\", \"path\": \"/increment\"}}")
MANIFEST("{\"route\": {\"method\": \"POST\", \"path\": \"/refuse\"}}")
MANIFEST("{\"route\": {\"method\": \"POST\", \"path\": \"/trap\"}}")
MANIFEST("{\"route\": {\"method\": \"POST\", \"path\": \"/loop\"}}")
MANIFEST("{\"route\": {\"method\": \"POST\", \"path\": \"/trap-after-respond\"}}")
MANIFEST("{\"route\": {\"method\": \"POST\", \"path\": \"/commit\"}}")
MANIFEST("{\"route\": {\"method\": \"POST\", \"path\": \"/alone\", \"transaction\": false}}")
MANIFEST("{\"route\": {\"method\": \"DELETE\", \"path\": \"/leave/:id\", \"transaction\": true}}")
MANIFEST("{\"route\": {\"method\": \"GET\", \"path\": \"/begin\"}}")

enum { OP_GET = 11, OP_DELETE = 14, OP_COUNT = 16, OP_PUT = 17, OP_BEGIN = 24, OP_COMMIT = 25 };

static uint8_t reply[4096];
static uint32_t runs; // of this instance's memory

static uint32_t send(const struct packet *packet) {
    return result_status(host_request(packet->bytes, packet->size, reply, sizeof reply));
}

static void simple(uint16_t op, const char *isolation) {
    struct packet packet;
    packet_begin(&packet, op);
    if (isolation != NULL) packet_text(&packet, "isolation", isolation);
    packet_end_document(&packet, 24);
    packet_finish(&packet, 1);
    if (send(&packet) != 0) host_abort("refused", 7);
}

static void put(int64_t id, int64_t n) {
    struct packet packet;
    packet_begin(&packet, OP_PUT);
    packet_text(&packet, "store", "things");
    packet_end_document(&packet, 24);
    uint32_t start = packet_begin_document(&packet);
    packet_int(&packet, "_id", id);
    packet_int(&packet, "n", n);
    packet_end_document(&packet, start);
    packet_finish(&packet, 2);
    if (send(&packet) != 0) host_abort("put", 3);
}

// The `n` of document 1; 0 when there is none.
static int64_t value(void) {
    struct packet packet;
    packet_begin(&packet, OP_GET);
    packet_text(&packet, "store", "things");
    packet_int(&packet, "id", 1);
    packet_end_document(&packet, 24);
    packet_finish(&packet, 1);
    if (send(&packet) != 0) return 0;
    int64_t n; // behind header, length, `_id` and its value, type, name
    __builtin_memcpy(&n, reply + 24 + 4 + 5 + 8 + 3, 8);
    return n;
}

static int64_t count(void) {
    struct packet packet;
    packet_begin(&packet, OP_COUNT);
    packet_text(&packet, "store", "things");
    packet_end_document(&packet, 24);
    packet_finish(&packet, 1);
    int64_t result = host_request(packet.bytes, packet.size, reply, sizeof reply);
    if ((uint64_t)result & PENDING) result = host_wait(reply, sizeof reply);
    int64_t n;
    __builtin_memcpy(&n, reply + 24 + 4 + 7, 8);
    return n;
}

// Long enough for others to have their turns in between.
static void spin(void) {
    int64_t end = host_now_ns() + 3000000;
    while (host_now_ns() < end) continue;
}

static void leave(const uint8_t *request) {
    uint32_t param = load32(request, 48);
    simple(OP_BEGIN, "serializable");
    if (count() < 2) {
        respond_text(409, "the last one stays");
        return;
    }
    spin();
    struct packet packet;
    packet_begin(&packet, OP_DELETE);
    packet_text(&packet, "store", "things");
    packet_int(&packet, "id", request[load32(request, param)] - '0');
    packet_end_document(&packet, 24);
    packet_finish(&packet, 1);
    if (send(&packet) != 0) host_abort("delete", 6);
    respond_text(200, "gone");
}

EXPORT(process) int32_t process(const uint8_t *request, uint32_t size) {
    char text[24];
    switch (load32(request, 8)) {
    case 0: {
        int64_t n = value();
        spin();
        put(1, n + 1);
        respond(200, text, write_decimal(text, ++runs));
        return 0;
    }
    case 1:
        put(1, 77);
        respond_text(400, "no");
        return 0;
    case 2:
        put(1, 77);
        __builtin_trap();
    case 3:
        put(1, 77);
        for (volatile int i = 0;; i++) continue;
    case 4:
        put(1, 77);
        respond_text(200, "yes");
        __builtin_trap();
    case 5:
        put(1, 5);
        simple(OP_COMMIT, NULL);
        put(1, 6);
        respond_text(400, "no");
        return 0;
    case 6:
        put(1, 88);
        respond_text(400, "no");
        return 0;
    case 7:
        leave(request);
        return 0;
    default:
        simple(OP_BEGIN, NULL);
        put(1, 99);
        respond_text(200, "never committed");
        return 0;
    }
}
