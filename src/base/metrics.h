// SPDX-License-Identifier: Apache-2.0
// Process-wide counters and gauges, declared in one table. Any thread; relaxed atomics.
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

// clang-format off
//        id                            kind     unit       help
#define METRIC_TABLE(X)                                                                            \
    X(http_requests,                    COUNTER, "requests","requests parsed and dispatched")      \
    X(http_bad_requests,                COUNTER, "requests","requests refused by the parser")      \
    X(http_connections,                 GAUGE,   "connections","open connections")                 \
    X(http_bytes_in,                    COUNTER, "bytes",   "bytes read from clients")             \
    X(http_bytes_out,                   COUNTER, "bytes",   "bytes written to clients")            \
    X(wasm_calls,                       COUNTER, "calls",   "requests handed to a guest")          \
    X(wasm_traps,                       COUNTER, "traps",   "guest calls ended by a trap")         \
    X(wasm_retries,                     COUNTER, "attempts","requests run again after a conflict") \
    X(wasm_timeouts,                    COUNTER, "calls",   "guest calls ended by their deadline") \
    X(wasm_host_calls,                  COUNTER, "calls",   "calls from guests into the host")     \
    X(wasm_instances,                   GAUGE,   "instances","live guest instances")               \
    X(engine_operations,                COUNTER, "operations","packets dispatched")                \
    X(storage_commits,                  COUNTER, "commits", "transactions committed")              \
    X(storage_operations,               COUNTER, "operations","documents written or deleted")      \
    X(storage_flushes,                  COUNTER, "flushes", "generations written to the index")    \
    X(wal_bytes,                        COUNTER, "bytes",   "bytes appended to the log")           \
    X(wal_syncs,                        COUNTER, "syncs",   "syncs of the log")                    \
    X(vlog_bytes,                       COUNTER, "bytes",   "bytes appended to the value log")     \
    X(storage_memtable_bytes,           GAUGE,   "bytes",   "memory of all generations")
// clang-format on

enum metric {
#define METRIC_ENUM(id, kind, unit, help) METRIC_##id,
    METRIC_TABLE(METRIC_ENUM)
#undef METRIC_ENUM
        METRIC_COUNT
};

// Each thread counts in one of a few shards, each on cache lines of its own, so that workers do not
// pull one line to and fro; a reader adds them up.
#define METRIC_SHARDS 16
struct metric_shard {
    _Alignas(64) _Atomic int64_t values[METRIC_COUNT];
};
extern struct metric_shard metric_shards[METRIC_SHARDS];
extern _Thread_local struct metric_shard *metric_own_shard; // NULL until the thread's first count
struct metric_shard *metric_choose_shard(void);

static inline void metric_add(enum metric metric, int64_t amount) {
    struct metric_shard *shard = metric_own_shard;
    if (__builtin_expect(shard == NULL, 0)) shard = metric_choose_shard();
    atomic_fetch_add_explicit(&shard->values[metric], amount, memory_order_relaxed);
}
int64_t metric_get(enum metric metric);
