// SPDX-License-Identifier: Apache-2.0
#include "base/metrics.h"

_Atomic int64_t metrics_values[METRIC_COUNT];
