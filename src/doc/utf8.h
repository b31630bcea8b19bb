// SPDX-License-Identifier: Apache-2.0
// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include "base/bytes.h"

#define UTF8_SHORT_TEXT 64

// Whether all bytes are ASCII. The last load overlaps the one before it.
static inline bool utf8_is_ascii(struct bytes text) {
    const uint8_t *p = text.data;
    size_t size = text.size;
    uint64_t bits = 0;
    if (size >= 8) {
        for (size_t i = 0; i + 8 < size; i += 8) bits |= load_le64(p + i);
        bits |= load_le64(p + size - 8);
    } else if (size >= 4) {
        bits = load_le32(p) | load_le32(p + size - 4);
    } else if (size > 0) {
        bits = p[0] | p[size / 2] | p[size - 1];
    }
    return (bits & 0x8080808080808080ULL) == 0;
}

size_t utf8_valid_size_of_any(struct bytes text);
// The number of leading bytes of `text` that are whole, valid characters; text.size when all are.
// Most texts are short and ASCII, which is seen without a call.
static inline size_t utf8_valid_size(struct bytes text) {
    if (text.size <= UTF8_SHORT_TEXT && utf8_is_ascii(text)) return text.size;
    return utf8_valid_size_of_any(text);
}
static inline bool utf8_valid(struct bytes text) {
    return utf8_valid_size(text) == text.size;
}
