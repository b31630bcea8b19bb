// SPDX-License-Identifier: Apache-2.0
// Parts of dotted field paths, for the files of this folder.
#pragma once

#include "base/bytes.h"

// The first part of `path`: up to the first dot, or all of it.
static inline struct bytes path_first_part(struct bytes path) {
    const uint8_t *dot = path.size == 0 ? NULL : memchr(path.data, '.', path.size);
    return dot == NULL ? path : bytes_of(path.data, (size_t)(dot - path.data));
}
// An array position written in decimal without leading zeros, below 2^31.
bool path_position(struct bytes part, uint32_t *ret);
