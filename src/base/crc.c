// SPDX-License-Identifier: Apache-2.0
#include "base/crc.h"

#include <stdbool.h>
#include <string.h>

#define CRC_POLYNOMIAL_REFLECTED 0x82f63b78u

// Slicing by four: crc_tables[k][b] is the remainder of byte b followed by k zero bytes.
static uint32_t crc_tables[4][256];

__attribute__((constructor)) static void crc_fill_tables(void) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? CRC_POLYNOMIAL_REFLECTED : 0);
        crc_tables[0][byte] = crc;
    }
    for (int table = 1; table < 4; table++)
        for (uint32_t byte = 0; byte < 256; byte++) {
            uint32_t crc = crc_tables[table - 1][byte];
            crc_tables[table][byte] = (crc >> 8) ^ crc_tables[0][crc & 0xff];
        }
}

uint32_t crc32c_software(uint32_t crc, const void *data, size_t size) {
    const uint8_t *p = data;
    crc = ~crc;
    for (; size >= 4; size -= 4, p += 4) {
        uint32_t word;
        memcpy(&word, p, sizeof word);
        crc ^= word;
        crc = crc_tables[3][crc & 0xff] ^ crc_tables[2][(crc >> 8) & 0xff] ^
              crc_tables[1][(crc >> 16) & 0xff] ^ crc_tables[0][crc >> 24];
    }
    for (; size > 0; size--, p++) crc = (crc >> 8) ^ crc_tables[0][(crc ^ *p) & 0xff];
    return ~crc;
}

#if defined(__x86_64__)
#include <nmmintrin.h>

__attribute__((target("sse4.2"))) static uint32_t crc32c_instruction(uint32_t crc, const void *data,
                                                                     size_t size) {
    const uint8_t *p = data;
    uint64_t state = ~crc;
    for (; size >= 8; size -= 8, p += 8) {
        uint64_t word;
        memcpy(&word, p, sizeof word);
        state = _mm_crc32_u64(state, word);
    }
    uint32_t tail = (uint32_t)state;
    for (; size > 0; size--, p++) tail = _mm_crc32_u8(tail, *p);
    return ~tail;
}

uint32_t crc32c(uint32_t crc, const void *data, size_t size) {
    if (__builtin_expect(__builtin_cpu_supports("sse4.2") != 0, 1))
        return crc32c_instruction(crc, data, size);
    return crc32c_software(crc, data, size);
}
#else
uint32_t crc32c(uint32_t crc, const void *data, size_t size) {
    return crc32c_software(crc, data, size);
}
#endif
