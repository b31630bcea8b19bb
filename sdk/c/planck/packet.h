// SPDX-License-Identifier: Apache-2.0
// A part of planck.c. Packets to the engine and its replies (docs/PROTOCOL.md).

enum packet_op {
    OP_INSERT = 10,
    OP_GET = 11,
    OP_REPLACE = 12,
    OP_UPDATE = 13,
    OP_DELETE = 14,
    OP_QUERY = 15,
    OP_COUNT = 16,
    OP_PUT = 17,
    OP_WRITE = 18,
};
#define PACKET_HEADER_SIZE 24
#define PACKET_TRAILER 4

static struct pk_text last_error;

struct pk_text pk_error_message(void) {
    return last_error;
}

static enum pk_status fail_here(struct pk_text message) {
    last_error = message;
    return PK_INVALID;
}

// A buffer with room for the header and `size` bytes.
static struct buffer packet_begin(size_t size) {
    size_t capacity = align8(PACKET_HEADER_SIZE + size);
    if (capacity < BUFFER_FIRST) capacity = BUFFER_FIRST;
    uint8_t *data = allocate(capacity);
    for (size_t i = 0; i < PACKET_HEADER_SIZE; i += 8) store64(data + i, 0);
    return (struct buffer){data, PACKET_HEADER_SIZE, capacity};
}

static void packet_append(struct buffer *packet, struct pk_document document) {
    if (document.data == NULL)
        document = (struct pk_document){empty_document, sizeof empty_document};
    buffer_append(packet, document.data, document.size);
}

// ---- exchange ---------------------------------------------------------------------------------

struct reply {
    enum pk_status status;
    uint32_t count;
    struct pk_document documents; // one behind the other, `count` of them
    struct pk_document trailer;
};

// The size of the document that `rest` begins with.
static size_t next_document_size(const struct pk_document *rest) {
    size_t size = rest->size < 5 ? 0 : load32(rest->data);
    if (size < 5 || size > rest->size) pk_abort("a reply is malformed");
    return size;
}

static void reply_read(struct reply *reply, const uint8_t *data, size_t size) {
    if (size < PACKET_HEADER_SIZE) pk_abort("a reply is malformed");
    uint32_t flags = load32(data + 4) >> 16;
    struct pk_document rest = {data + PACKET_HEADER_SIZE, size - PACKET_HEADER_SIZE};
    reply->count = load32(data + 20);
    reply->documents.data = rest.data;
    for (uint32_t i = 0; i < reply->count; i++) {
        size_t document_size = next_document_size(&rest);
        rest.data += document_size;
        rest.size -= document_size;
    }
    reply->documents.size = (size_t)(rest.data - reply->documents.data);
    reply->trailer = (struct pk_document){NULL, 0};
    if (flags & PACKET_TRAILER)
        reply->trailer = (struct pk_document){rest.data, next_document_size(&rest)};
}

#define REPLY_ROOM_MIN 16384

// Sends the packet and waits for its reply. Replies go straight to the arena's end, into all memory
// that there is, so that a second call for the rest is rare.
static const uint8_t *exchange_bytes(struct buffer *packet, enum pk_status *ret_status,
                                     size_t *ret_size) {
    buffer_seal(packet);
    if (!arena_reach(REPLY_ROOM_MIN)) out_of_memory();
    uint8_t *target = arena.next;
    uint32_t room = (uint32_t)arena_rest();
    memory_allow(target, room);
    uint64_t result = (uint64_t)pk_host_request(packet->data, (uint32_t)packet->size, target, room);
    if (result & HOST_PENDING) result = (uint64_t)pk_host_wait(target, room);
    uint32_t size = (uint32_t)result;
    memory_forbid(target, room);
    allocate(size); // from `target` on; memory grows in place
    if (size > room && pk_host_reply_read(room, target + room, size - room) != size - room)
        pk_abort("a reply was cut short");
    *ret_status = (enum pk_status)(result >> 32 & 0x3fffffff);
    *ret_size = size;
    return target;
}

static enum pk_status exchange(struct buffer *packet, enum packet_op op, uint32_t count,
                               struct reply *ret) {
    store32(packet->data, (uint32_t)packet->size);
    store32(packet->data + 4, op);
    store32(packet->data + 20, count);
    size_t size;
    const uint8_t *data = exchange_bytes(packet, &ret->status, &size);
    reply_read(ret, data, size);
    if (ret->status != PK_OK) last_error = pk_get_text(ret->trailer, "message");
    return ret->status;
}
