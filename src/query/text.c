// SPDX-License-Identifier: Apache-2.0
#include "query/text.h"

// Ranges of code points that fold alike (Unicode CaseFolding.txt, statuses C and S). `step` 2:
// every second one from `first` on, capitals that alternate with their small letters.
struct fold_range {
    uint16_t first, last;
    uint8_t step;
    int16_t distance;
};

static const struct fold_range fold_ranges[] = {
    {0x00b5, 0x00b5, 1, 775},  {0x00c0, 0x00d6, 1, 32},   {0x00d8, 0x00de, 1, 32},
    {0x0100, 0x012e, 2, 1},    {0x0132, 0x0136, 2, 1},    {0x0139, 0x0147, 2, 1},
    {0x014a, 0x0176, 2, 1},    {0x0178, 0x0178, 1, -121}, {0x0179, 0x017d, 2, 1},
    {0x017f, 0x017f, 1, -268}, {0x0370, 0x0372, 2, 1},    {0x0376, 0x0376, 1, 1},
    {0x037f, 0x037f, 1, 116},  {0x0386, 0x0386, 1, 38},   {0x0388, 0x038a, 1, 37},
    {0x038c, 0x038c, 1, 64},   {0x038e, 0x038f, 1, 63},   {0x0391, 0x03a1, 1, 32},
    {0x03a3, 0x03ab, 1, 32},   {0x03c2, 0x03c2, 1, 1},    {0x03cf, 0x03cf, 1, 8},
    {0x03d0, 0x03d0, 1, -30},  {0x03d1, 0x03d1, 1, -25},  {0x03d5, 0x03d5, 1, -15},
    {0x03d6, 0x03d6, 1, -22},  {0x03d8, 0x03ee, 2, 1},    {0x03f0, 0x03f0, 1, -54},
    {0x03f1, 0x03f1, 1, -48},  {0x03f4, 0x03f4, 1, -60},  {0x03f5, 0x03f5, 1, -64},
    {0x03f7, 0x03f7, 1, 1},    {0x03f9, 0x03f9, 1, -7},   {0x03fa, 0x03fa, 1, 1},
    {0x03fd, 0x03ff, 1, -130}, {0x0400, 0x040f, 1, 80},   {0x0410, 0x042f, 1, 32},
    {0x0460, 0x0480, 2, 1},    {0x048a, 0x04be, 2, 1},    {0x04c0, 0x04c0, 1, 15},
    {0x04c1, 0x04cd, 2, 1},    {0x04d0, 0x052e, 2, 1},
};

uint32_t text_fold(uint32_t code_point) {
    if (code_point < 0x80)
        return code_point >= 'A' && code_point <= 'Z' ? code_point + 32 : code_point;
    size_t low = 0, high = sizeof fold_ranges / sizeof fold_ranges[0];
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct fold_range *range = &fold_ranges[middle];
        if (code_point < range->first) {
            high = middle;
        } else if (code_point > range->last) {
            low = middle + 1;
        } else {
            bool folds = (code_point - range->first) % range->step == 0;
            return folds ? (uint32_t)((int32_t)code_point + range->distance) : code_point;
        }
    }
    return code_point;
}

// Bad bytes become code points beyond Unicode, so that they equal only themselves.
static uint32_t decode(struct bytes text, size_t offset, size_t *ret_size) {
    const uint8_t *p = text.data + offset;
    size_t available = text.size - offset;
    size_t size = p[0] < 0xc0 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf8 ? 4 : 0;
    *ret_size = 1;
    if (p[0] < 0x80) return p[0];
    if (size == 0 || size > available) return 0x110000U + p[0];
    uint32_t code_point = p[0] & (0x7fU >> size);
    for (size_t i = 1; i < size; i++) {
        if ((p[i] & 0xc0) != 0x80) return 0x110000U + p[0];
        code_point = code_point << 6 | (p[i] & 0x3f);
    }
    *ret_size = size;
    return code_point;
}

uint32_t text_fold_at(struct bytes text, size_t offset, size_t *ret_size) {
    ASSERT(offset < text.size);
    return text_fold(decode(text, offset, ret_size));
}

size_t text_fold_all(struct bytes text, uint32_t *ret_folded) {
    size_t count = 0, size;
    for (size_t offset = 0; offset < text.size; offset += size)
        ret_folded[count++] = text_fold_at(text, offset, &size);
    return count;
}

bool text_contains(struct bytes text, struct bytes part) {
    if (part.size == 0) return true;
    if (text.size < part.size) return false;
    return memmem(text.data, text.size, part.data, part.size) != NULL;
}

bool text_starts_with(struct bytes text, struct bytes part) {
    if (text.size < part.size) return false;
    return part.size == 0 || memcmp(text.data, part.data, part.size) == 0;
}

bool text_ends_with(struct bytes text, struct bytes part) {
    if (text.size < part.size) return false;
    return part.size == 0 || memcmp(text.data + text.size - part.size, part.data, part.size) == 0;
}

// Whether `folded` stands at `offset`; where it ends is stored in `ret_end`.
static bool folded_at(struct bytes text, size_t offset, const uint32_t *folded, size_t count,
                      size_t *ret_end) {
    for (size_t i = 0; i < count; i++) {
        size_t size;
        if (offset >= text.size || text_fold_at(text, offset, &size) != folded[i]) return false;
        offset += size;
    }
    *ret_end = offset;
    return true;
}

bool text_contains_folded(struct bytes text, const uint32_t *folded, size_t count) {
    size_t end, size;
    if (count == 0) return true;
    for (size_t offset = 0; offset < text.size; offset += size)
        if (text_fold_at(text, offset, &size) == folded[0] &&
            folded_at(text, offset, folded, count, &end))
            return true;
    return false;
}

bool text_starts_with_folded(struct bytes text, const uint32_t *folded, size_t count) {
    size_t end;
    return folded_at(text, 0, folded, count, &end);
}

bool text_equals_folded(struct bytes text, const uint32_t *folded, size_t count) {
    size_t end;
    return folded_at(text, 0, folded, count, &end) && end == text.size;
}

bool text_ends_with_folded(struct bytes text, const uint32_t *folded, size_t count) {
    size_t offset = text.size;
    for (size_t i = 0; i < count; i++) { // back over as many characters
        if (offset == 0) return false;
        do offset--;
        while (offset > 0 && (text.data[offset] & 0xc0) == 0x80);
    }
    size_t end;
    return folded_at(text, offset, folded, count, &end) && end == text.size;
}
