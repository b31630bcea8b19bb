// SPDX-License-Identifier: Apache-2.0
#include "doc/decimal.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"

#define EXPONENT_BIAS 6176

// ---- decimal --------------------------------------------------------------------------------

static uint128 power_of_ten(unsigned exponent) {
    uint128 power = 1, base = 10;
    for (; exponent > 0; exponent >>= 1, base *= base)
        if (exponent & 1) power *= base;
    return power;
}

static struct decimal canonical(bool negative, uint128 coefficient, int32_t exponent) {
    struct decimal decimal = {.kind = DECIMAL_FINITE};
    if (coefficient == 0) return decimal;
    const uint128 least = power_of_ten(DECIMAL_DIGITS - 1);
    const uint128 least_half = power_of_ten(DECIMAL_DIGITS / 2);
    if (coefficient < least_half) { // 17 digits in one step: most decimals are short
        coefficient *= least_half;
        exponent -= DECIMAL_DIGITS / 2;
    }
    while (coefficient < least) {
        coefficient *= 10;
        exponent--;
    }
    decimal.negative = negative;
    decimal.coefficient = coefficient;
    decimal.exponent = exponent;
    return decimal;
}

struct decimal decimal_decode(const uint8_t payload[16]) {
    uint64_t low = load_le64(payload), high = load_le64(payload + 8);
    bool negative = high >> 63;
    if ((high >> 58 & 0x1f) == 0x1f) return (struct decimal){.kind = DECIMAL_NAN};
    if ((high >> 58 & 0x1f) == 0x1e)
        return (struct decimal){.kind = DECIMAL_INFINITE, .negative = negative};
    // The form with an implied leading 100 only holds coefficients above the greatest.
    if ((high >> 61 & 3) == 3) return canonical(false, 0, 0);
    uint128 coefficient = (uint128)(high & ((1ULL << 49) - 1)) << 64 | low;
    if (coefficient >= power_of_ten(DECIMAL_DIGITS)) coefficient = 0;
    return canonical(negative, coefficient, (int32_t)(high >> 49 & 0x3fff) - EXPONENT_BIAS);
}

struct decimal decimal_from_int(int64_t integer) {
    uint64_t magnitude = integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer;
    return canonical(integer < 0, magnitude, 0);
}

static int compare_magnitudes(const struct decimal *a, const struct decimal *b) {
    if (a->kind != b->kind) return a->kind == DECIMAL_INFINITE ? 1 : -1;
    if (a->coefficient == 0 || b->coefficient == 0)
        return (a->coefficient > 0) - (b->coefficient > 0);
    if (a->exponent != b->exponent) return a->exponent < b->exponent ? -1 : 1;
    return (a->coefficient > b->coefficient) - (a->coefficient < b->coefficient);
}

int decimal_compare(const struct decimal *a, const struct decimal *b) {
    if (a->negative != b->negative) return a->negative ? -1 : 1;
    int order = compare_magnitudes(a, b);
    return a->negative ? -order : order;
}

// ---- against doubles ------------------------------------------------------------------------

// An unsigned integer of up to 1024 bits. The largest that a comparison needs is a double's
// 53 bits times 5^358, 885 bits.
#define WIDE_WORDS 16
struct wide {
    uint64_t words[WIDE_WORDS]; // least significant first
    unsigned count;             // words in use; the last one is not zero
};

static void wide_set(struct wide *wide, uint128 value) {
    memset(wide, 0, sizeof *wide);
    wide->words[0] = (uint64_t)value;
    wide->words[1] = (uint64_t)(value >> 64);
    wide->count = wide->words[1] != 0 ? 2 : wide->words[0] != 0;
}

static void wide_multiply(struct wide *wide, uint64_t factor) {
    uint128 carry = 0;
    for (unsigned i = 0; i < wide->count; i++) {
        carry += (uint128)wide->words[i] * factor;
        wide->words[i] = (uint64_t)carry;
        carry >>= 64;
    }
    if (carry != 0) {
        ASSERT(wide->count < WIDE_WORDS);
        wide->words[wide->count++] = (uint64_t)carry;
    }
}

static void wide_multiply_power_of_five(struct wide *wide, unsigned exponent) {
    const uint64_t five_to_27 = 7450580596923828125ULL;
    for (; exponent >= 27; exponent -= 27) wide_multiply(wide, five_to_27);
    for (; exponent > 0; exponent--) wide_multiply(wide, 5);
}

static int wide_bits(const struct wide *wide) {
    ASSERT(wide->count > 0);
    return (int)wide->count * 64 - __builtin_clzll(wide->words[wide->count - 1]);
}

static void wide_shift_left(struct wide *wide, unsigned bits) {
    unsigned whole = bits / 64, part = bits % 64;
    unsigned count = ((unsigned)wide_bits(wide) + bits + 63) / 64;
    ASSERT(count <= WIDE_WORDS);
    for (unsigned i = count; i-- > 0;) {
        uint64_t upper = i >= whole ? wide->words[i - whole] : 0;
        uint64_t lower = i >= whole + 1 ? wide->words[i - whole - 1] : 0;
        wide->words[i] = part == 0 ? upper : upper << part | lower >> (64 - part);
    }
    wide->count = count;
}

static int wide_compare(const struct wide *a, const struct wide *b) {
    if (a->count != b->count) return a->count < b->count ? -1 : 1;
    for (unsigned i = a->count; i-- > 0;)
        if (a->words[i] != b->words[i]) return a->words[i] < b->words[i] ? -1 : 1;
    return 0;
}

// Compares the magnitude of a finite decimal other than zero with a finite double above zero.
static int compare_magnitude_double(const struct decimal *a, double b) {
    // At least 10^(277 + 33) exceeds every double, and below 10^(-359 + 34) is less than any.
    if (a->exponent > 276) return 1;
    if (a->exponent < -358) return -1;
    int b_exponent;
    double fraction = frexp(b, &b_exponent);
    b_exponent -= 53;
    struct wide left, right;
    wide_set(&left, a->coefficient);
    wide_set(&right, (uint64_t)ldexp(fraction, 53));
    // 10^e is 5^e * 2^e: the fives go to the side where their power is positive.
    if (a->exponent >= 0)
        wide_multiply_power_of_five(&left, (unsigned)a->exponent);
    else
        wide_multiply_power_of_five(&right, (unsigned)-a->exponent);
    int left_bits = wide_bits(&left) + a->exponent, right_bits = wide_bits(&right) + b_exponent;
    if (left_bits != right_bits) return left_bits < right_bits ? -1 : 1;
    if (a->exponent > b_exponent)
        wide_shift_left(&left, (unsigned)(a->exponent - b_exponent));
    else
        wide_shift_left(&right, (unsigned)(b_exponent - a->exponent));
    return wide_compare(&left, &right);
}

int decimal_compare_double(const struct decimal *a, double b) {
    bool a_zero = a->kind == DECIMAL_FINITE && a->coefficient == 0;
    if (a_zero || b == 0) {
        int a_sign = a_zero ? 0 : a->negative ? -1 : 1;
        int b_sign = (b > 0) - (b < 0);
        return (a_sign > b_sign) - (a_sign < b_sign);
    }
    if (a->negative != (b < 0)) return a->negative ? -1 : 1;
    bool a_infinite = a->kind == DECIMAL_INFINITE, b_infinite = isinf(b);
    int order =
        a_infinite || b_infinite ? a_infinite - b_infinite : compare_magnitude_double(a, fabs(b));
    return a->negative ? -order : order;
}

// strtod() gives the nearest double or nearly so; exact comparison then finds the one below. The
// text holds no decimal point, so the locale does not matter.
static double truncate_magnitude(const struct decimal *decimal) {
    const uint64_t half = 100000000000000000ULL; // 10^17: two halves of 17 digits each
    char text[64];
    snprintf(text, sizeof text, "%017llu%017llue%d",
             (unsigned long long)(decimal->coefficient / half),
             (unsigned long long)(decimal->coefficient % half), (int)decimal->exponent);
    double guess = strtod(text, NULL);
    if (isinf(guess)) guess = DBL_MAX;
    while (guess > 0 && compare_magnitude_double(decimal, guess) < 0) guess = nextafter(guess, 0);
    for (;;) {
        double above = nextafter(guess, INFINITY);
        if (isinf(above) || compare_magnitude_double(decimal, above) < 0) return guess;
        guess = above;
    }
}

double decimal_truncate(const struct decimal *decimal) {
    ASSERT(decimal->kind == DECIMAL_FINITE);
    if (decimal->coefficient == 0) return 0;
    double magnitude = truncate_magnitude(decimal);
    return decimal->negative ? -magnitude : magnitude;
}
