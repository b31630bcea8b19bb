// SPDX-License-Identifier: Apache-2.0
#include "base/metrics.h"

struct metric_shard metric_shards[METRIC_SHARDS];
_Thread_local struct metric_shard *metric_own_shard;
static atomic_uint next_shard;

struct metric_shard *metric_choose_shard(void) {
    metric_own_shard = &metric_shards[atomic_fetch_add(&next_shard, 1) % METRIC_SHARDS];
    return metric_own_shard;
}

int64_t metric_get(enum metric metric) {
    int64_t sum = 0;
    for (size_t i = 0; i < METRIC_SHARDS; i++)
        sum += atomic_load_explicit(&metric_shards[i].values[metric], memory_order_relaxed);
    return sum;
}
