// SPDX-License-Identifier: Apache-2.0
// The imports of module `planck` (docs/ABI.md) and the table of all host functions. Everything that
// comes from the guest is hostile: pointers are checked against its memory, and a packet whose
// reply may become pending is copied before the engine reads it, because the guest runs on
// meanwhile. No guest runs while a host function does, and its memory is shared with no other.
#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/random.h"
#include "wasm/instance.h"
#include "wasm/wasi.h"

#define PENDING_BIT (1ULL << 62)

// ---- instance -----------------------------------------------------------------------------------

bool instance_refuse(struct instance *instance, const char *format, ...) {
    if (instance->reason[0] != '\0') return false;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(instance->reason, sizeof instance->reason, format, arguments);
    va_end(arguments);
    return false;
}

const char *instance_request_id(const struct instance *instance) {
    return instance->call == NULL ? "-" : instance->call->request->id;
}

void host_log_text(struct instance *instance, enum log_level level, const uint8_t *text,
                   size_t size) {
    if (size > HOST_LOG_MAX) size = HOST_LOG_MAX;
    if (level < log_get_level()) return;
    log_write(level, "guest", "%s %.*s", instance_request_id(instance), (int)size,
              (const char *)text);
}

// ---- requests to the engine ---------------------------------------------------------------------

static uint32_t copy_reply(struct bytes reply, uint32_t offset, uint8_t *target,
                           uint32_t capacity) {
    if (offset >= reply.size) return 0;
    size_t rest = reply.size - offset;
    uint32_t count = rest < capacity ? (uint32_t)rest : capacity;
    memcpy(target, reply.data + offset, count);
    return count;
}

// Copies the complete reply to the guest and gives the result of host_request.
static int64_t deliver_reply(struct instance *instance, uint8_t *target, uint32_t capacity) {
    struct bytes reply = call_reply(instance->operation);
    uint64_t sequence = call_sequence(instance->operation);
    uint64_t status = (uint64_t)call_status(instance->operation);
    if (sequence > instance->sequence) instance->sequence = sequence;
    instance->has_reply = true;
    instance->wait = WAIT_NONE;
    copy_reply(reply, 0, target, capacity);
    return (int64_t)((status << 32) | (uint32_t)reply.size);
}

static bool keep_packet(struct instance *instance, struct bytes *packet) {
    buffer_clear(&instance->packet);
    if (buffer_append(&instance->packet, packet->data, packet->size) != STATUS_OK) return false;
    *packet = buffer_bytes(&instance->packet);
    return true;
}

static bool host_request(struct instance *instance, union host_value *values) {
    struct guest *guest = instance->guest;
    uint32_t length = values[1].u32, capacity = values[3].u32;
    const uint8_t *packet = guest_range(guest, values[0].u32, length);
    uint8_t *target = guest_range(guest, values[2].u32, capacity);
    instance->host_calls++;
    if (packet == NULL || target == NULL)
        return instance_refuse(instance, "host_request: pointers outside of memory");
    if (length > PACKET_SIZE_MAX)
        return instance_refuse(instance, "host_request: the packet is too large");
    if (instance->wait != WAIT_NONE)
        return instance_refuse(instance, "host_request: a reply is pending");
    if (instance->call == NULL)
        return instance_refuse(instance, "host_request: only process may use it");
    instance->has_reply = false;
    struct bytes bytes = bytes_of(packet, length);
    if (engine_may_suspend(bytes) && !keep_packet(instance, &bytes))
        return instance_refuse(instance, "host_request: no memory");
    enum status status =
        engine_dispatch(instance->operation, bytes, instance->point, instance->slice_ns);
    if (status == STATUS_OK) {
        values[0].i64 = deliver_reply(instance, target, capacity);
        return true;
    }
    if (status != STATUS_PENDING)
        return instance_refuse(instance, "host_request: %s", status_text(status));
    instance->wait = WAIT_PENDING;
    values[0].i64 = (int64_t)PENDING_BIT;
    return true;
}

static bool host_wait(struct instance *instance, union host_value *values) {
    uint8_t *target = guest_range(instance->guest, values[0].u32, values[1].u32);
    if (target == NULL) return instance_refuse(instance, "host_wait: a pointer outside of memory");
    if (instance->wait != WAIT_PENDING)
        return instance_refuse(instance, "host_wait: no reply is pending");
    instance->wait = WAIT_ASLEEP;
    instance->wait_destination = target; // stays: memory neither moves nor shrinks
    instance->wait_capacity = values[1].u32;
    return true;
}

static bool host_wait_resumed(struct instance *instance, union host_value *result) {
    if (instance->wait != WAIT_READY) return false;
    result->i64 = deliver_reply(instance, instance->wait_destination, instance->wait_capacity);
    return true;
}

static bool host_reply_read(struct instance *instance, union host_value *values) {
    uint32_t offset = values[0].u32, capacity = values[2].u32;
    uint8_t *target = guest_range(instance->guest, values[1].u32, capacity);
    if (target == NULL)
        return instance_refuse(instance, "host_reply_read: a pointer outside of memory");
    values[0].u32 = instance->has_reply
                        ? copy_reply(call_reply(instance->operation), offset, target, capacity)
                        : 0;
    return true;
}

// ---- the response -------------------------------------------------------------------------------

static bool host_respond(struct instance *instance, union host_value *values) {
    const char *reason = NULL;
    if (instance->call == NULL || instance->stage != STAGE_PROCESS)
        return instance_refuse(instance, "host_respond: only process may use it");
    if (instance->responded) return instance_refuse(instance, "host_respond: a second response");
    enum status status = response_read(&instance->response, instance->guest, values[0].u32,
                                       values[1].u32, instance->response_max, &reason);
    if (status != STATUS_OK) return instance_refuse(instance, "%s", reason);
    instance->responded = true;
    return true;
}

// ---- not supported yet: checked as they will be -------------------------------------------------

static bool host_body_read(struct instance *instance, union host_value *values) {
    if (guest_range(instance->guest, values[0].u32, values[1].u32) == NULL)
        return instance_refuse(instance, "host_body_read: a pointer outside of memory");
    values[0].i32 = -1;
    return true;
}

static bool host_write(struct instance *instance, union host_value *values) {
    if (guest_range(instance->guest, values[0].u32, values[1].u32) == NULL)
        return instance_refuse(instance, "host_write: a pointer outside of memory");
    values[0].i32 = -1;
    return true;
}

static bool host_call_service(struct instance *instance, union host_value *values) {
    if (guest_range(instance->guest, values[0].u32, values[1].u32) == NULL ||
        guest_range(instance->guest, values[2].u32, values[3].u32) == NULL)
        return instance_refuse(instance, "host_call_service: pointers outside of memory");
    values[0].i64 = (int64_t)STATUS_UNSUPPORTED << 32;
    return true;
}

// ---- small ones ---------------------------------------------------------------------------------

static bool host_log(struct instance *instance, union host_value *values) {
    uint32_t length = values[2].u32;
    const uint8_t *text = guest_range(instance->guest, values[1].u32, length);
    if (text == NULL) return instance_refuse(instance, "host_log: a pointer outside of memory");
    int32_t level = values[0].i32;
    if (level < LOG_DEBUG) level = LOG_DEBUG;
    if (level > LOG_ERROR) level = LOG_ERROR;
    host_log_text(instance, (enum log_level)level, text, length);
    return true;
}

static bool host_now_ns(struct instance *instance, union host_value *values) {
    values[0].i64 = clock_realtime_ns(clock_system());
    return true;
}

static bool host_random(struct instance *instance, union host_value *values) {
    uint8_t *target = guest_range(instance->guest, values[0].u32, values[1].u32);
    if (target == NULL)
        return instance_refuse(instance, "host_random: a pointer outside of memory");
    if (values[1].u32 > HOST_RANDOM_MAX)
        return instance_refuse(instance, "host_random: more than %d bytes", HOST_RANDOM_MAX);
    random_fill(random_system(), target, values[1].u32);
    return true;
}

static bool host_abort(struct instance *instance, union host_value *values) {
    uint32_t length = values[1].u32;
    const uint8_t *text = guest_range(instance->guest, values[0].u32, length);
    if (text == NULL) return instance_refuse(instance, "host_abort: a pointer outside of memory");
    if (length > 512) length = 512;
    return instance_refuse(instance, "aborted by the guest: %.*s", (int)length, (const char *)text);
}

// ---- the table ----------------------------------------------------------------------------------

#define WASI(name, signature) {"wasi_snapshot_preview1", #name, signature, wasi_##name, NULL},

const struct host_function host_functions[] = {
    {"planck", "host_request", "iiii:I", host_request, NULL},
    {"planck", "host_wait", "ii:I", host_wait, host_wait_resumed},
    {"planck", "host_reply_read", "iii:i", host_reply_read, NULL},
    {"planck", "host_body_read", "ii:i", host_body_read, NULL},
    {"planck", "host_respond", "ii:", host_respond, NULL},
    {"planck", "host_respond_head", "ii:i", host_write, NULL},
    {"planck", "host_write", "ii:i", host_write, NULL},
    {"planck", "host_call_service", "iiii:I", host_call_service, NULL},
    {"planck", "host_log", "iii:", host_log, NULL},
    {"planck", "host_now_ns", ":I", host_now_ns, NULL},
    {"planck", "host_random", "ii:", host_random, NULL},
    {"planck", "host_abort", "ii:", host_abort, NULL},
    WASI_TABLE(WASI)};
const size_t host_function_count = sizeof host_functions / sizeof *host_functions;

const struct host_function *host_function_find(struct bytes module, struct bytes name) {
    for (size_t i = 0; i < host_function_count; i++) {
        const struct host_function *function = &host_functions[i];
        if (bytes_equal_string(name, function->name) &&
            bytes_equal_string(module, function->module))
            return function;
    }
    return NULL;
}
