// SPDX-License-Identifier: Apache-2.0
// Its `init` never returns.
#include "guest.h"

EXPORT(init) int init(const uint8_t *config, uint32_t length) {
    for (volatile uint32_t i = 0;; i++) continue;
}

EXPORT(process) int process(const uint8_t *request, uint32_t length) {
    return 0;
}
