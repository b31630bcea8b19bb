// SPDX-License-Identifier: Apache-2.0
// Its `init` refuses.
#include "guest.h"

EXPORT(init) int init(const uint8_t *config, uint32_t length) {
    return 3;
}

EXPORT(process) int process(const uint8_t *request, uint32_t length) {
    return 0;
}
