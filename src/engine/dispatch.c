// SPDX-License-Identifier: Apache-2.0
// One door: packet in, reply out.
#include <stdlib.h>

#include "base/limits.h"
#include "base/metrics.h"
#include "engine/session.h"

#define CALL_ARENA_MAX (256 * MIB)
#define KEPT_BUFFER_MAX (1 * MIB) // larger buffers are not kept from one packet to the next

static operation_handler *const handlers[] = {
    [OP_PING] = operation_ping,
    [OP_CREATE_STORE] = operation_create_store,
    [OP_DROP_STORE] = operation_drop_store,
    [OP_CREATE_INDEX] = operation_create_index,
    [OP_DROP_INDEX] = operation_drop_index,
    [OP_CATALOG] = operation_catalog,
    [OP_INSERT] = operation_insert,
    [OP_GET] = operation_get,
    [OP_REPLACE] = operation_replace,
    [OP_UPDATE] = operation_update,
    [OP_DELETE] = operation_delete,
    [OP_QUERY] = operation_query,
    [OP_COUNT] = operation_count,
    [OP_PUT] = operation_put,
    [OP_WRITE] = operation_write,
    [OP_PQL] = operation_pql,
    [OP_BEGIN] = operation_begin,
    [OP_COMMIT] = operation_commit,
    [OP_ABORT] = operation_abort,
};

enum status call_new(struct session *session, struct call **ret) {
    struct call *call = calloc(1, sizeof *call);
    if (call == NULL) return STATUS_NO_MEMORY;
    call->session = session;
    call->arena.limit = CALL_ARENA_MAX;
    call->arena.block_size = 4 * KIB;
    call->reply.limit = PACKET_SIZE_MAX;
    session->calls++;
    *ret = call;
    return STATUS_OK;
}

void call_end(struct call *call) {
    if (call->query != NULL) query_close(call->query);
    call->query = NULL;
    call_view_end(call);
    call->pending = false;
}

void call_free(struct call *call) {
    if (call == NULL) return;
    call_abort(call);
    call->session->calls--;
    arena_done(&call->arena);
    buffer_done(&call->reply);
    buffer_done(&call->scratch);
    free(call);
}

struct bytes call_reply(const struct call *call) {
    return buffer_bytes(&call->reply);
}
enum status call_status(const struct call *call) {
    return call->status;
}
uint64_t call_sequence(const struct call *call) {
    return call->sequence;
}

enum status call_view_begin(struct call *call) {
    ASSERT(!call->viewing);
    enum status status = call->transaction != NULL
                             ? transaction_view(call->transaction, &call->view)
                             : view_begin(call->session->reader, call->point, &call->view);
    if (status != STATUS_OK)
        return error_set(&call->error, status, "cannot begin a view: %s", status_text(status));
    call->viewing = true;
    if (call->point == READ_LATEST || call->transaction != NULL)
        call_depends_on(call, call->view.sequence);
    return STATUS_OK;
}

void call_view_end(struct call *call) {
    if (!call->viewing) return;
    view_end(&call->view);
    call->viewing = false;
}

enum status call_find_store(struct call *call, const struct catalog *catalog, struct bytes name,
                            const struct store_info **ret) {
    const struct store_info *store = catalog_store(catalog, name);
    if (store == NULL)
        return error_set(&call->error, STATUS_NO_STORE, "there is no store '%.*s'",
                         (int)(name.size < 64 ? name.size : 64), (const char *)name.data);
    *ret = store;
    return STATUS_OK;
}

static void buffer_restart(struct buffer *buffer) {
    if (buffer->capacity > KEPT_BUFFER_MAX) {
        free(buffer->data);
        *buffer = (struct buffer){.limit = buffer->limit};
    }
    buffer_clear(buffer);
}

// Its message is long, and most packets need none of it.
static void error_clear(struct error *error) {
    error->status = STATUS_OK;
    error->line = error->column = 0;
    error->offset = -1;
    error->message[0] = '\0';
}

static void call_restart(struct call *call, enum read_point point) {
    call_end(call);
    arena_reset(&call->arena);
    buffer_restart(&call->reply);
    buffer_restart(&call->scratch);
    error_clear(&call->error);
    call->failed = -1;
    call->sequence = 0;
    call->status = STATUS_OK;
    call->point = point;
    call->packet = (struct packet){0};
    call->pql = NULL;
    call->attempts = 0;
}

// A refused packet is answered under its own operation and correlation id where it has a header.
static void echo_header(struct call *call, struct bytes bytes) {
    if (bytes.size < PACKET_HEADER_SIZE) return;
    call->packet.op = load_le16(bytes.data + 4);
    call->packet.correlation_id = load_le64(bytes.data + 8);
}

// Header, permission, number of documents, head document.
static enum status check_packet(struct call *call, struct bytes bytes, const struct op_info **ret) {
    struct error *error = &call->error;
    enum status status = packet_decode(bytes, &call->packet, error);
    if (status != STATUS_OK) {
        echo_header(call, bytes);
        return status;
    }
    const struct packet *packet = &call->packet;
    const struct op_info *op = op_find(packet->op);
    if (op == NULL)
        return error_set_at(error, STATUS_UNSUPPORTED, 4, "unknown operation %u", packet->op);
    if (packet->flags != 0 || packet->status != 0)
        return error_set_at(error, STATUS_MALFORMED, 6, "a request has no flags and no status");
    if (op->permission > call->session->role)
        return error_set(error, STATUS_FORBIDDEN, "%s is not allowed in this session", op->name);
    if (packet->count < 1 + op->documents_min ||
        (uint64_t)packet->count > 1 + (uint64_t)op->documents_max)
        return error_set_at(error, STATUS_MALFORMED, 20,
                            "%s takes a head and %u to %u documents, the packet states %u",
                            op->name, op->documents_min, op->documents_max, packet->count);
    status = packet_next_document(&call->packet.body, &call->head, error);
    if (status == STATUS_END)
        return error_set_at(error, STATUS_MALFORMED, PACKET_HEADER_SIZE, "no head document");
    if (status == STATUS_OK && op->documents_max == 0 && call->packet.body.size > 0)
        return error_set(error, STATUS_MALFORMED, "%zu bytes behind the head document",
                         call->packet.body.size);
    *ret = op;
    return status;
}

// Turns the outcome of a handler into a reply; STATUS_OK unless not even that was possible.
static enum status conclude(struct call *call, enum status status) {
    call_end(call);
    call->status = status;
    if (status == STATUS_OK) return STATUS_OK;
    if (call->error.message[0] == '\0') // a failure that has nothing to say but its name
        error_set(&call->error, status, "%s", status_text(status));
    call->error.status = status;
    call->reply.size = 0;
    return packet_error(&call->reply, 0, call->packet.op, call->packet.correlation_id, &call->error,
                        call->failed);
}

static uint64_t deadline_after(struct call *call, uint64_t budget_ns) {
    if (budget_ns == UINT64_MAX) return UINT64_MAX;
    uint64_t now = clock_monotonic_ns(call->session->clock);
    return now + budget_ns < now ? UINT64_MAX : now + budget_ns;
}

bool engine_may_suspend(struct bytes packet) {
    uint16_t op = packet.size < PACKET_HEADER_SIZE ? 0 : load_le16(packet.data + 4);
    return op == OP_QUERY || op == OP_COUNT || op == OP_PQL;
}

enum status engine_dispatch(struct call *call, struct bytes bytes, enum read_point point,
                            uint64_t budget_ns) {
    call_restart(call, point);
    metric_add(METRIC_engine_operations, 1);
    const struct op_info *op = NULL;
    size_t start = 0;
    enum status status = check_packet(call, bytes, &op);
    if (status == STATUS_OK)
        status = packet_begin(&call->reply, call->packet.op, call->packet.correlation_id, &start);
    if (status == STATUS_NO_MEMORY) error_set(&call->error, status, "no memory for the reply");
    if (status == STATUS_OK) status = call_transaction_prepare(call, op);
    if (status == STATUS_OK) {
        bool sliced = engine_may_suspend(bytes);
        status = handlers[op->op](call, sliced ? deadline_after(call, budget_ns) : UINT64_MAX);
        ASSERT(sliced || status != STATUS_PENDING);
    }
    if (status == STATUS_PENDING) {
        call->pending = true;
        return STATUS_PENDING;
    }
    return conclude(call, status);
}

enum status engine_resume(struct call *call, uint64_t budget_ns) {
    ASSERT(call->pending);
    enum status status = operation_query_step(call, deadline_after(call, budget_ns));
    if (status == STATUS_PENDING) return status;
    return conclude(call, status);
}
