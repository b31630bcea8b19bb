// SPDX-License-Identifier: Apache-2.0
#include "wasm/options.h"

#include "base/limits.h"

struct wasm_options wasm_options_default(void) {
    return (struct wasm_options){
        .workers = 1,
        .running_max = 64,
        .suspended_max = 64,
        .queue_max = 1024,
        .pool_min = 2,
        .memory_bytes_max = 64 * MIB,
        .memory_bytes_total_max = 1 * GIB,
        .deadline_ms = 5000,
        .host_budget_us = 1000,
        .response_bytes_max = 16 * MIB,
        .recycle_requests = 0,
        .isolation_request = false,
        .cache_directory = NULL,
        .compiler = NULL,
    };
}

enum status options_check(const struct wasm_options *o, struct error *error) {
    bool good = o->workers > 0 && o->running_max > 0 && o->suspended_max >= 0 &&
                o->running_max + o->suspended_max <= 10000 && o->queue_max >= 0 &&
                o->pool_min >= 0 && o->memory_bytes_max >= 64 * (int64_t)KIB &&
                o->memory_bytes_max <= 4 * (int64_t)GIB && o->memory_bytes_total_max >= 0 &&
                o->deadline_ms > 0 && o->host_budget_us > 0 && o->response_bytes_max > 0 &&
                o->recycle_requests >= 0;
    return good ? STATUS_OK : error_set(error, STATUS_INVALID, "wasm: options out of range");
}
