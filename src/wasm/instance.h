// SPDX-License-Identifier: Apache-2.0
// One guest instance with what the host keeps for it, and one call of a handler. Both belong to a
// worker and its thread.
//
// An instance is warmed (instantiated, `_initialize`, the other exports before `process`), then
// serves calls one after the other. All guest code, warming too, runs in slices from the worker's
// run queue. After anything but a clean return it is dropped and another takes its place.
#pragma once

#include "base/limits.h"
#include "base/list.h"
#include "base/log.h"
#include "wasm/response.h"
#include "wasm/runtime.h"

#define REASON_SIZE 1024
#define REQUEST_BUFFER_INITIAL (16 * KIB)

enum instance_stage {
    STAGE_INSTANTIATE,
    STAGE_INITIALIZE,
    STAGE_VERSION,
    STAGE_ALLOC, // the first request buffer
    STAGE_INIT,
    STAGE_IDLE,
    STAGE_GROW, // a larger request buffer, for the call that waits
    STAGE_PROCESS,
};

enum host_wait_state {
    WAIT_NONE,
    WAIT_PENDING, // host_request answered "pending"; the guest runs on until host_wait
    WAIT_ASLEEP,  // in host_wait: the worker goes on with the engine, slice by slice
    WAIT_READY,   // the reply is complete
};

struct wasm_call {
    struct list node; // the worker's waiting calls, or its spare ones
    struct wasm_worker *worker;
    const struct http_request *request;
    const struct http_match *match;
    struct http_match match_copy; // of a call that waits
    wasm_done *done;
    void *context;
    uint64_t deadline_ns;
    uint64_t not_before_ns; // of the next attempt
    unsigned attempts;      // that have ended with a conflict
    bool transaction;       // the request is one
    bool cancelled;
};

struct instance {
    struct wasm_runtime *runtime;
    struct list node; // the worker's run queue or its idle instances
    struct wasm_worker *worker;
    struct guest *guest;
    struct wasm_call *call; // in progress
    enum instance_stage stage;
    uint64_t deadline_ns; // of the call, or of the warming
    uint64_t requests;
    int64_t memory_bytes; // as last reported to the runtime
    uint32_t request_pointer, request_capacity;
    size_t request_size; // of the request or configuration that is about to be written
    struct bytes config; // for `init`; the worker's
    struct session *session;

    // Of the current call.
    enum read_point point;
    uint64_t slice_ns;      // budget of one slice of a host call
    size_t response_max;    // bytes of a response's body
    bool responded, exited; // exited: the guest called proc_exit(0)
    uint64_t sequence;
    uint32_t host_calls;
    struct response response;
    char reason[REASON_SIZE]; // why the call ended badly; "" when not known

    // host_request and what follows it.
    struct call *operation; // the engine's
    struct buffer packet;   // a copy of one that may suspend: the guest must not change it then
    bool has_reply;
    enum host_wait_state wait;
    uint8_t *wait_destination;
    uint32_t wait_capacity;
};

// ---- instance.c ---------------------------------------------------------------------------------
struct instance_options {
    struct wasm_worker *worker;
    struct wasm_runtime *runtime;
    struct code *code;
    struct presence *presence;
    struct session *session;
    struct bytes config;
    uint64_t deadline_ns; // of the warming
};
// Makes an instance at STAGE_INSTANTIATE.
CHECKED enum status instance_new(const struct instance_options *options, struct instance **ret);
void instance_free(struct instance *instance);

// How a slice ended.
enum slice_end {
    SLICE_MORE, // work is left
    SLICE_WARM, // the warming ended well: STAGE_IDLE
    SLICE_DONE, // the call or the warming ended as `outcome` says
};
struct outcome {
    enum status status; // of the call
    bool keep;          // whether the instance may serve another one
};
// Hands a call to an idle instance; instance_slice() works on it.
void instance_start(struct instance *instance, struct wasm_call *call);
// Runs one slice of guest code or of a host call that is waited for. Top level of the loop only.
enum slice_end instance_slice(struct instance *instance, struct outcome *ret_outcome);
// Makes an instance whose call ended well idle again; false when it must be dropped after all.
CHECKED bool instance_reset(struct instance *instance);

// ---- host_calls.c -------------------------------------------------------------------------------
// Notes why the call ends (unless something earlier is noted) and gives false, for host functions.
bool instance_refuse(struct instance *instance, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// Request id of the current call, or "-" while warming.
const char *instance_request_id(const struct instance *instance);
#define HOST_LOG_MAX (4 * KIB)
// Writes guest text to the log.
void host_log_text(struct instance *instance, enum log_level level, const uint8_t *text,
                   size_t size);

// ---- request.c ----------------------------------------------------------------------------------
// Bytes that the encoded request takes; STATUS_TOO_LARGE beyond 32 bits.
CHECKED enum status request_measure(const struct http_request *request,
                                    const struct http_match *match, size_t *ret_size);
// Writes exactly that many bytes (docs/ABI.md).
void request_encode(const struct http_request *request, const struct http_match *match,
                    uint8_t *target, size_t size);
