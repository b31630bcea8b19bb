// SPDX-License-Identifier: Apache-2.0
#include "stub_engine.h"

#include <stdlib.h>

#include "base/hash.h"

struct call {
    struct buffer reply;
    struct bytes packet;
    uint64_t packet_hash;
    int slices_left;
};

struct stub_engine stub_engine;

enum status call_new(struct session *session, struct call **ret) {
    struct call *call = calloc(1, sizeof *call);
    if (call == NULL) return STATUS_NO_MEMORY;
    stub_engine.calls_alive++;
    *ret = call;
    return STATUS_OK;
}

void call_free(struct call *call) {
    if (call == NULL) return;
    stub_engine.calls_alive--;
    buffer_done(&call->reply);
    free(call);
}

struct bytes call_reply(const struct call *call) {
    return buffer_bytes(&call->reply);
}

enum status call_status(const struct call *call) {
    return (enum status)load_le32(call->reply.data + 16);
}

uint64_t call_sequence(const struct call *call) {
    return stub_engine.sequence;
}

static enum status complete(struct call *call) {
    uint8_t byte = 'p';
    if (hash_bytes(call->packet, 1) != call->packet_hash) stub_engine.packet_changed = true;
    buffer_clear(&call->reply);
    if (buffer_append(&call->reply, call->packet.data, call->packet.size) != STATUS_OK)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < stub_engine.reply_padding; i++) {
        if (buffer_append(&call->reply, &byte, 1) != STATUS_OK) return STATUS_NO_MEMORY;
    }
    call->reply.data[6] |= PACKET_REPLY;
    return STATUS_OK;
}

bool engine_may_suspend(struct bytes packet) {
    return packet.size >= PACKET_HEADER_SIZE && load_le16(packet.data + 4) == OP_QUERY;
}

enum status engine_dispatch(struct call *call, struct bytes packet, enum read_point point,
                            uint64_t budget_ns) {
    stub_engine.dispatched++;
    stub_engine.last_point = point;
    if (call->slices_left != 0) stub_engine.dispatched_while_pending = true;
    call->packet = packet;
    call->packet_hash = hash_bytes(packet, 1);
    if (packet.size < PACKET_HEADER_SIZE) return STATUS_NO_MEMORY;
    if (!engine_may_suspend(packet) || stub_engine.pending_slices == 0) return complete(call);
    call->slices_left = stub_engine.pending_slices;
    return STATUS_PENDING;
}

// There are no transactions.
void call_set_automatic(struct call *call, bool automatic) {
}

bool call_in_transaction(const struct call *call) {
    return false;
}

bool call_committed(const struct call *call) {
    return false;
}

enum status call_commit(struct call *call, uint64_t *ret_sequence, struct error *error) {
    return STATUS_INTERNAL;
}

void call_abort(struct call *call) {
}

enum status engine_resume(struct call *call, uint64_t budget_ns) {
    stub_engine.resumed++;
    if (call->slices_left < 0) return STATUS_PENDING;
    return --call->slices_left > 0 ? STATUS_PENDING : complete(call);
}
