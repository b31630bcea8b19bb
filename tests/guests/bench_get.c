// SPDX-License-Identifier: Apache-2.0
// Reads documents of the store `items` by key in a loop: the body of the request is
// {count u32, mode u32}. Mode 0 calls the engine, mode 1 only crosses the boundary (host_now_ns is
// the cheapest call that does something; host_reply_read of nothing is cheaper still).
#include "guest.h"

MANIFEST("{\"route\": {\"method\": \"POST\", \"path\": \"/\"}}")

static uint8_t reply[4096];

static int read_documents(uint32_t count) {
    struct packet packet;
    packet_begin(&packet, 11);
    packet_text(&packet, "store", "items");
    packet_int(&packet, "id", 0);
    uint32_t id = packet.size - 8;
    packet_end_document(&packet, 24);
    packet_finish(&packet, 1);
    uint32_t state = 1, bad = 0;
    for (uint32_t i = 0; i < count; i++) {
        state = state * 1664525 + 1013904223;
        packet_store32(&packet, id, (state >> 8) % 10000);
        bad += result_status(host_request(packet.bytes, packet.size, reply, sizeof reply)) != 0;
    }
    return bad == 0 ? 200 : 500;
}

static int cross_boundary(uint32_t count) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i < count; i++) sum += host_reply_read(0, reply, 512);
    return sum == 1 ? 500 : 200;
}

EXPORT(process) int process(const uint8_t *request, uint32_t length) {
    const uint8_t *body = request + load32(request, 28);
    uint32_t count = load32(body, 0);
    int status = load32(body, 4) == 0 ? read_documents(count) : cross_boundary(count);
    respond((uint16_t)status, 0, 0);
    return 0;
}
