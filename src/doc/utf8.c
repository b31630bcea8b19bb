// SPDX-License-Identifier: Apache-2.0
#include "doc/utf8.h"

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

size_t utf8_valid_size_of_any(struct bytes text) {
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
