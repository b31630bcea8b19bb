// SPDX-License-Identifier: Apache-2.0
#include "wasm/wasi.h"

#include "base/clock.h"
#include "base/random.h"
#include "wasm/instance.h"

// Numbers of the preview 1 specification.
enum {
    ERRNO_SUCCESS = 0,
    ERRNO_BADF = 8,
    ERRNO_FAULT = 21,
    ERRNO_INVAL = 28,
    ERRNO_NOTCAPABLE = 76
};
enum { CLOCK_ID_REALTIME = 0, CLOCK_ID_MONOTONIC = 1 };
#define VECTORS_MAX 1024

static bool answer(union host_value *values, int32_t number) {
    values[0].i32 = number;
    return true;
}

static uint8_t *range(struct instance *instance, uint32_t pointer, uint32_t count) {
    return guest_range(instance->guest, pointer, count);
}

// ---- no arguments, no environment ---------------------------------------------------------------

bool wasi_args_get(struct instance *instance, union host_value *values) {
    return answer(values, ERRNO_SUCCESS);
}

bool wasi_environ_get(struct instance *instance, union host_value *values) {
    return answer(values, ERRNO_SUCCESS);
}

bool wasi_args_sizes_get(struct instance *instance, union host_value *values) {
    uint8_t *count = range(instance, values[0].u32, 4), *size = range(instance, values[1].u32, 4);
    if (count == NULL || size == NULL) return answer(values, ERRNO_FAULT);
    store_le32(count, 0);
    store_le32(size, 0);
    return answer(values, ERRNO_SUCCESS);
}

bool wasi_environ_sizes_get(struct instance *instance, union host_value *values) {
    return wasi_args_sizes_get(instance, values);
}

// ---- clocks, randomness -------------------------------------------------------------------------

bool wasi_clock_res_get(struct instance *instance, union host_value *values) {
    uint8_t *target = range(instance, values[1].u32, 8);
    if (values[0].u32 > CLOCK_ID_MONOTONIC) return answer(values, ERRNO_INVAL);
    if (target == NULL) return answer(values, ERRNO_FAULT);
    store_le64(target, 1);
    return answer(values, ERRNO_SUCCESS);
}

bool wasi_clock_time_get(struct instance *instance, union host_value *values) {
    struct clock *clock = clock_system();
    uint8_t *target = range(instance, values[2].u32, 8);
    if (values[0].u32 > CLOCK_ID_MONOTONIC) return answer(values, ERRNO_INVAL);
    if (target == NULL) return answer(values, ERRNO_FAULT);
    store_le64(target, values[0].u32 == CLOCK_ID_REALTIME ? (uint64_t)clock_realtime_ns(clock)
                                                          : clock_monotonic_ns(clock));
    return answer(values, ERRNO_SUCCESS);
}

bool wasi_random_get(struct instance *instance, union host_value *values) {
    uint8_t *target = range(instance, values[0].u32, values[1].u32);
    if (target == NULL) return answer(values, ERRNO_FAULT);
    if (values[1].u32 > HOST_RANDOM_MAX) return answer(values, ERRNO_INVAL);
    random_fill(random_system(), target, values[1].u32);
    return answer(values, ERRNO_SUCCESS);
}

// ---- standard output goes to the log ------------------------------------------------------------

static bool is_output(uint32_t descriptor) {
    return descriptor == 1 || descriptor == 2;
}

bool wasi_fd_write(struct instance *instance, union host_value *values) {
    uint32_t count = values[2].u32, total = 0, kept = 0;
    uint8_t text[HOST_LOG_MAX];
    if (!is_output(values[0].u32)) return answer(values, ERRNO_BADF);
    if (count > VECTORS_MAX) return answer(values, ERRNO_INVAL);
    const uint8_t *vector = range(instance, values[1].u32, count * 8);
    uint8_t *written = range(instance, values[3].u32, 4);
    if (vector == NULL || written == NULL) return answer(values, ERRNO_FAULT);
    for (uint32_t i = 0; i < count; i++, vector += 8) {
        uint32_t size = load_le32(vector + 4);
        const uint8_t *part = range(instance, load_le32(vector), size);
        if (part == NULL || size > INT32_MAX - total) return answer(values, ERRNO_FAULT);
        uint32_t copied = size < HOST_LOG_MAX - kept ? size : (uint32_t)HOST_LOG_MAX - kept;
        memcpy(text + kept, part, copied);
        kept += copied;
        total += size;
    }
    while (kept > 0 && text[kept - 1] == '\n') kept--;
    if (kept > 0) host_log_text(instance, values[0].u32 == 2 ? LOG_WARN : LOG_INFO, text, kept);
    store_le32(written, total);
    return answer(values, ERRNO_SUCCESS);
}

bool wasi_fd_fdstat_get(struct instance *instance, union host_value *values) {
    uint8_t *target = range(instance, values[1].u32, 24);
    if (values[0].u32 > 2) return answer(values, ERRNO_BADF);
    if (target == NULL) return answer(values, ERRNO_FAULT);
    memset(target, 0, 24);
    target[0] = 2;                                             // a character device
    store_le64(target + 8, is_output(values[0].u32) ? 64 : 0); // the right to write
    return answer(values, ERRNO_SUCCESS);
}

// C libraries walk the preopened directories at start and stop at the first bad descriptor.
bool wasi_fd_prestat_get(struct instance *instance, union host_value *values) {
    return answer(values, ERRNO_BADF);
}

// ---- the process --------------------------------------------------------------------------------

bool wasi_sched_yield(struct instance *instance, union host_value *values) {
    return answer(values, ERRNO_SUCCESS);
}

// There is no way to end a call from inside but a trap, so the instance goes in any case.
bool wasi_proc_exit(struct instance *instance, union host_value *values) {
    instance->exited = values[0].i32 == 0;
    return instance_refuse(instance, "the guest called proc_exit(%d)", values[0].i32);
}

#define WASI_REFUSED(name, signature)                                                              \
    bool wasi_##name(struct instance *instance, union host_value *values) {                        \
        return answer(values, ERRNO_NOTCAPABLE);                                                   \
    }
WASI_REFUSED_TABLE(WASI_REFUSED)
