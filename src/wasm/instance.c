// SPDX-License-Identifier: Apache-2.0
// The stages of an instance: warming, idle, a call.
#include "wasm/instance.h"

#include <stdlib.h>

#include "base/metrics.h"

#define ABI_VERSION 1
#define PACKET_KEEP_BYTES (1 * MIB) // a larger copy is given back after the call

enum status instance_new(const struct instance_options *options, struct instance **ret) {
    struct instance *instance = calloc(1, sizeof *instance);
    if (instance == NULL) return STATUS_NO_MEMORY;
    const struct wasm_options *limits = runtime_options(options->runtime);
    list_init(&instance->node);
    instance->runtime = options->runtime;
    instance->worker = options->worker;
    instance->session = options->session;
    instance->config = options->config;
    instance->deadline_ns = options->deadline_ns;
    instance->slice_ns = (uint64_t)limits->host_budget_us * 1000;
    instance->response_max = (size_t)limits->response_bytes_max;
    metric_add(METRIC_wasm_instances, 1);
    enum status status = call_new(options->session, &instance->operation);
    if (status == STATUS_OK)
        status = guest_new(options->code, instance, options->presence, &instance->guest);
    if (status != STATUS_OK) {
        instance_free(instance);
        return status;
    }
    instance->stage = STAGE_INSTANTIATE;
    guest_begin_instantiate(instance->guest, instance->deadline_ns);
    *ret = instance;
    return STATUS_OK;
}

void instance_free(struct instance *instance) {
    if (instance == NULL) return;
    list_remove(&instance->node);
    guest_free(instance->guest); // first: a suspended host function may look at the rest
    call_free(instance->operation);
    runtime_memory_change(instance->runtime, -instance->memory_bytes);
    metric_add(METRIC_wasm_instances, -1);
    response_done(&instance->response);
    buffer_done(&instance->packet);
    free(instance);
}

static void measure_memory(struct instance *instance) {
    size_t size;
    guest_memory(instance->guest, &size);
    if ((int64_t)size == instance->memory_bytes) return;
    runtime_memory_change(instance->runtime, (int64_t)size - instance->memory_bytes);
    instance->memory_bytes = (int64_t)size;
}

// ---- stages -------------------------------------------------------------------------------------

static void begin(struct instance *instance, enum instance_stage stage,
                  enum guest_function function, uint32_t first, uint32_t second) {
    instance->stage = stage;
    guest_begin(instance->guest, function, first, second, instance->deadline_ns);
}

static void begin_process(struct instance *instance) {
    uint8_t *target =
        guest_range(instance->guest, instance->request_pointer, (uint32_t)instance->request_size);
    ASSERT(target != NULL && instance->request_size <= instance->request_capacity);
    request_encode(instance->call->request, instance->call->match, target, instance->request_size);
    begin(instance, STAGE_PROCESS, GUEST_PROCESS, instance->request_pointer,
          (uint32_t)instance->request_size);
}

// A buffer for a large request has some room, so that the next one slightly larger fits too.
static uint32_t buffer_size_for(size_t size) {
    if (size <= REQUEST_BUFFER_INITIAL) return REQUEST_BUFFER_INITIAL;
    size_t rounded = (size + 64 * KIB - 1) & ~(size_t)(64 * KIB - 1);
    return rounded > INT32_MAX ? (uint32_t)size : (uint32_t)rounded;
}

static void begin_alloc(struct instance *instance, enum instance_stage stage, size_t size) {
    instance->request_size = size;
    instance->request_capacity = buffer_size_for(size);
    begin(instance, stage, GUEST_ALLOC, instance->request_capacity, 0);
}

static bool take_buffer(struct instance *instance, uint32_t pointer) {
    bool inside =
        pointer != 0 && guest_range(instance->guest, pointer, instance->request_capacity) != NULL;
    instance->request_pointer = pointer;
    if (!inside) {
        instance_refuse(instance, "planck_alloc gave no memory for %u bytes",
                        instance->request_capacity);
        instance->request_capacity = 0;
    }
    return inside;
}

static void begin_init(struct instance *instance) {
    uint32_t size = (uint32_t)instance->config.size;
    uint8_t *target = guest_range(instance->guest, instance->request_pointer, size);
    ASSERT(target != NULL);
    memcpy(target, instance->config.data, size);
    begin(instance, STAGE_INIT, GUEST_INIT, instance->request_pointer, size);
}

static void begin_version(struct instance *instance) {
    if (guest_has(instance->guest, GUEST_ABI_VERSION))
        begin(instance, STAGE_VERSION, GUEST_ABI_VERSION, 0, 0);
    else
        begin_alloc(instance, STAGE_ALLOC, instance->config.size);
}

static void begin_initialize(struct instance *instance) {
    if (guest_has(instance->guest, GUEST_INITIALIZE))
        begin(instance, STAGE_INITIALIZE, GUEST_INITIALIZE, 0, 0);
    else
        begin_version(instance);
}

static enum slice_end done(struct outcome *outcome, enum status status, bool keep) {
    *outcome = (struct outcome){.status = status, .keep = keep};
    return SLICE_DONE;
}

static enum slice_end idle(struct instance *instance) {
    instance->stage = STAGE_IDLE;
    measure_memory(instance);
    return SLICE_WARM;
}

static enum slice_end process_returned(struct instance *instance, uint32_t result,
                                       struct outcome *outcome) {
    measure_memory(instance);
    if (instance->responded) return done(outcome, STATUS_OK, true);
    if (result == 0) {
        instance_refuse(instance, "process returned without a response");
        return done(outcome, STATUS_INTERNAL, true);
    }
    instance_refuse(instance, "process returned %d", (int)result);
    return done(outcome, STATUS_TRAP, false);
}

// What follows after a stage's guest function returned. SLICE_MORE: the next one has begun.
static enum slice_end advance(struct instance *instance, uint32_t result, struct outcome *outcome) {
    switch (instance->stage) {
    case STAGE_INSTANTIATE:
        begin_initialize(instance);
        return SLICE_MORE;
    case STAGE_INITIALIZE:
        begin_version(instance);
        return SLICE_MORE;
    case STAGE_VERSION:
        if (result != ABI_VERSION) {
            instance_refuse(instance, "the module is for ABI %u, not %d", result, ABI_VERSION);
            return done(outcome, STATUS_INVALID, false);
        }
        begin_alloc(instance, STAGE_ALLOC, instance->config.size);
        return SLICE_MORE;
    case STAGE_ALLOC:
        if (!take_buffer(instance, result)) return done(outcome, STATUS_INVALID, false);
        if (!guest_has(instance->guest, GUEST_INIT)) return idle(instance);
        begin_init(instance);
        return SLICE_MORE;
    case STAGE_INIT:
        if (result == 0) return idle(instance);
        instance_refuse(instance, "init returned %d", (int)result);
        return done(outcome, STATUS_INVALID, false);
    case STAGE_GROW:
        if (!take_buffer(instance, result)) return done(outcome, STATUS_TRAP, false);
        begin_process(instance);
        return SLICE_MORE;
    case STAGE_PROCESS:
        return process_returned(instance, result, outcome);
    case STAGE_IDLE:
        break;
    }
    UNREACHABLE();
}

// ---- slices -------------------------------------------------------------------------------------

void instance_start(struct instance *instance, struct wasm_call *call) {
    ASSERT(instance->stage == STAGE_IDLE && instance->call == NULL);
    instance->call = call;
    instance->deadline_ns = call->deadline_ns;
    instance->point = http_method_safe(call->request->method) ? READ_ACK : READ_LATEST;
    instance->requests++;
    call_set_automatic(instance->operation, call->transaction);
    size_t size;
    if (request_measure(call->request, call->match, &size) != STATUS_OK) size = INT32_MAX;
    if (size > instance->request_capacity) {
        begin_alloc(instance, STAGE_GROW, size);
        return;
    }
    instance->request_size = size;
    begin_process(instance);
}

static enum slice_end ended_badly(struct instance *instance, enum guest_end end, const char *text,
                                  struct outcome *outcome) {
    bool warming = instance->call == NULL;
    if (end == GUEST_EXPIRED) {
        instance_refuse(instance, "deadline passed");
        return done(outcome, warming ? STATUS_INVALID : STATUS_TIMEOUT, false);
    }
    if (end == GUEST_TRAPPED && instance->exited && instance->responded)
        return done(outcome, STATUS_OK, false);
    instance_refuse(instance, "%s", text);
    return done(outcome, warming ? STATUS_INVALID : STATUS_TRAP, false);
}

// The reply of a host call that the handler sleeps for; true when the handler can go on.
static bool resume_operation(struct instance *instance, enum status *ret_status) {
    *ret_status = engine_resume(instance->operation, instance->slice_ns);
    if (*ret_status == STATUS_PENDING) return false;
    instance->wait = WAIT_READY;
    return true;
}

// What the handler has written becomes permanent with a reply below 400, or it never was.
static void settle(struct instance *instance, struct outcome *outcome) {
    if (!call_in_transaction(instance->operation)) return;
    bool wanted = outcome->status == STATUS_OK && instance->response.status < 400;
    if (!wanted || !instance->call->transaction) {
        call_abort(instance->operation);
        return;
    }
    uint64_t sequence;
    struct error error = {0};
    enum status status = call_commit(instance->operation, &sequence, &error);
    if (sequence > instance->sequence) instance->sequence = sequence;
    if (status == STATUS_OK) return;
    instance_refuse(instance, "commit: %s", error.message);
    *outcome = (struct outcome){.status = status, .keep = false};
}

static enum slice_end slice(struct instance *instance, struct outcome *ret_outcome) {
    char text[REASON_SIZE];
    if (instance->wait == WAIT_ASLEEP) {
        enum status status;
        if (!resume_operation(instance, &status)) return SLICE_MORE;
        if (status != STATUS_OK) {
            instance_refuse(instance, "host_wait: %s", status_text(status));
            return done(ret_outcome, status, false);
        }
    }
    enum slice_end state;
    do {
        uint32_t result;
        if (!guest_poll(instance->guest)) return SLICE_MORE;
        enum guest_end end = guest_finish(instance->guest, &result, text, sizeof text);
        if (end != GUEST_RETURNED) return ended_badly(instance, end, text, ret_outcome);
        state = advance(instance, result, ret_outcome);
    } while (state == SLICE_MORE);
    return state;
}

enum slice_end instance_slice(struct instance *instance, struct outcome *ret_outcome) {
    enum slice_end end = slice(instance, ret_outcome);
    if (end == SLICE_DONE && instance->call != NULL) settle(instance, ret_outcome);
    return end;
}

// A reply that the guest never waited for is given up with the call that was to make it.
static bool renew_operation(struct instance *instance) {
    call_free(instance->operation);
    instance->operation = NULL;
    return call_new(instance->session, &instance->operation) == STATUS_OK;
}

bool instance_reset(struct instance *instance) {
    if (instance->wait != WAIT_NONE && !renew_operation(instance)) return false;
    instance->call = NULL;
    instance->stage = STAGE_IDLE;
    instance->responded = instance->exited = instance->has_reply = false;
    instance->wait = WAIT_NONE;
    instance->sequence = 0;
    instance->host_calls = 0;
    instance->reason[0] = '\0';
    response_clear(&instance->response);
    if (instance->packet.capacity > PACKET_KEEP_BYTES) {
        buffer_done(&instance->packet);
        instance->packet = (struct buffer){0};
    }
    return true;
}
