// SPDX-License-Identifier: Apache-2.0
#include "doc/utf8.h"

#define SHORT_TEXT 64

// Length of the character at `p`, 0 when it is not valid. The second byte's range carries all of
// the special cases (RFC 3629, section 4).
static size_t character_size(const uint8_t *p, size_t available) {
    uint8_t lead = p[0], low = 0x80, high = 0xbf;
    size_t size;
    if (lead >= 0xc2 && lead <= 0xdf) {
        size = 2;
    } else if (lead >= 0xe0 && lead <= 0xef) {
        size = 3;
        if (lead == 0xe0) low = 0xa0;
        if (lead == 0xed) high = 0x9f;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
        size = 4;
        if (lead == 0xf0) low = 0x90;
        if (lead == 0xf4) high = 0x8f;
    } else {
        return lead < 0x80;
    }
    if (available < size || p[1] < low || p[1] > high) return 0;
    for (size_t i = 2; i < size; i++)
        if ((p[i] & 0xc0) != 0x80) return 0;
    return size;
}

// The last load overlaps the one before it.
static bool is_ascii(const uint8_t *p, size_t size) {
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

size_t utf8_valid_size(struct bytes text) {
    if (text.size <= SHORT_TEXT && is_ascii(text.data, text.size)) return text.size;
    size_t offset = 0;
    while (offset < text.size) { // most text is ASCII: eight bytes a step
        if (text.size - offset >= 8 &&
            (load_le64(text.data + offset) & 0x8080808080808080ULL) == 0) {
            offset += 8;
            continue;
        }
        size_t size = character_size(text.data + offset, text.size - offset);
        if (size == 0) break;
        offset += size;
    }
    return offset;
}
