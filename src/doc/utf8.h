// SPDX-License-Identifier: Apache-2.0
// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include "base/bytes.h"

// The number of leading bytes of `text` that are whole, valid characters; text.size when all are.
size_t utf8_valid_size(struct bytes text);
static inline bool utf8_valid(struct bytes text) {
    return utf8_valid_size(text) == text.size;
}
