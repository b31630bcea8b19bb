// SPDX-License-Identifier: Apache-2.0
// Line 2 of the manifest has an unknown member.
#include "guest.h"

MANIFEST("{\"service\": {\"name\": \"bad\"}}")
MANIFEST("{\"route\": {\"method\": \"GET\", \"path\": \"/\", \"colour\": \"red\"}}")

EXPORT(process) int process(const uint8_t *request, uint32_t length) {
    return 0;
}
