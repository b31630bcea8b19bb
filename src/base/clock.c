// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <time.h>

#include "base/assert.h"

static int64_t clock_read(clockid_t id) {
    struct timespec now;
    int failed = clock_gettime(id, &now);
    ASSERT(failed == 0);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static uint64_t system_monotonic_ns(struct clock *clock) {
    return (uint64_t)clock_read(CLOCK_MONOTONIC);
}

static int64_t system_realtime_ns(struct clock *clock) {
    return clock_read(CLOCK_REALTIME);
}

struct clock *clock_system(void) {
    static struct clock system = {
        .monotonic_ns = system_monotonic_ns,
        .realtime_ns = system_realtime_ns,
    };
    return &system;
}
