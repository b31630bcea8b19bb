// SPDX-License-Identifier: Apache-2.0
// The clock seam: code above base asks this object, never the operating system.
// clock_system() may be used from any thread.
#pragma once

#include <stdint.h>

struct clock {
    // Monotonic nanoseconds from an arbitrary origin.
    uint64_t (*monotonic_ns)(struct clock *clock);
    // Nanoseconds since 1970-01-01 UTC; may jump.
    int64_t (*realtime_ns)(struct clock *clock);
};

struct clock *clock_system(void);

static inline uint64_t clock_monotonic_ns(struct clock *clock) {
    return clock->monotonic_ns(clock);
}
static inline int64_t clock_realtime_ns(struct clock *clock) {
    return clock->realtime_ns(clock);
}
static inline int64_t clock_realtime_ms(struct clock *clock) {
    return clock->realtime_ns(clock) / 1000000;
}
