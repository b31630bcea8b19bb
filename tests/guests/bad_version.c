// SPDX-License-Identifier: Apache-2.0
// Made for an ABI that does not exist yet.
#include "guest.h"

EXPORT(planck_abi_version) int planck_abi_version(void) {
    return 2;
}

EXPORT(process) int process(const uint8_t *request, uint32_t length) {
    return 0;
}
