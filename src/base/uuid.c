// SPDX-License-Identifier: Apache-2.0
// UUID version 7, declared in base/random.h.
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/random.h"

enum {
    UUID_COUNTER_BITS = 26,
    UUID_COUNTER_MAX = (1 << UUID_COUNTER_BITS) - 1,
    // A fresh counter leaves its top bit clear, so that a millisecond has room for 2^25 values.
    UUID_COUNTER_SEED_MAX = UUID_COUNTER_MAX >> 1,
};

// Moves to the next (time, counter) pair. Where the clock stood still or went back, or the counter
// overflows, the time in the identifier runs ahead of the clock instead.
static void uuid_advance(struct uuid_generator *generator, uint32_t seed) {
    int64_t now = clock_realtime_ms(generator->clock);
    uint64_t now_ms = now > 0 ? (uint64_t)now : 0;
    if (now_ms <= generator->last_ms && generator->counter < UUID_COUNTER_MAX) {
        generator->counter++;
        return;
    }
    generator->last_ms = now_ms > generator->last_ms ? now_ms : generator->last_ms + 1;
    generator->counter = seed & UUID_COUNTER_SEED_MAX;
}

void uuid_v7(struct uuid_generator *generator, uint8_t ret_uuid[16]) {
    uint8_t random[10];
    random_fill(generator->random, random, sizeof random);
    uuid_advance(generator, load_le32(random));
    uint32_t counter = generator->counter;
    uint32_t high = counter >> 14, low = counter & 0x3fff;
    store_be64(ret_uuid, generator->last_ms << 16 | 0x7000 | high);
    ret_uuid[8] = (uint8_t)(0x80 | low >> 8);
    ret_uuid[9] = (uint8_t)low;
    memcpy(ret_uuid + 10, random + 4, 6);
    ASSERT(ret_uuid[6] >> 4 == 7 && ret_uuid[8] >> 6 == 2);
}

static bool dash_follows(size_t byte_index) {
    return byte_index == 3 || byte_index == 5 || byte_index == 7 || byte_index == 9;
}

void uuid_format(const uint8_t uuid[16], char ret_text[37]) {
    static const char digits[] = "0123456789abcdef";
    char *out = ret_text;
    for (size_t i = 0; i < 16; i++) {
        *out++ = digits[uuid[i] >> 4];
        *out++ = digits[uuid[i] & 15];
        if (dash_follows(i)) *out++ = '-';
    }
    *out = '\0';
    ASSERT(out == ret_text + 36);
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

int uuid_parse(const char *text, size_t size, uint8_t ret_uuid[16]) {
    if (size != 36) return -1;
    uint8_t uuid[16];
    for (size_t i = 0; i < 16; i++) {
        int high = hex_digit(*text++);
        int low = hex_digit(*text++);
        if (high < 0 || low < 0) return -1;
        uuid[i] = (uint8_t)(high << 4 | low);
        if (dash_follows(i) && *text++ != '-') return -1;
    }
    memcpy(ret_uuid, uuid, sizeof uuid);
    return 0;
}
