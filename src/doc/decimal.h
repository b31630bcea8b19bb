// SPDX-License-Identifier: Apache-2.0
// Exact arithmetic on decimal128 (IEEE 754-2008, binary integer coefficient), as far as ordering
// needs it: decoding, comparison with each other and with doubles, truncation to a double.
// For the files of this folder. Any thread, nothing allocates.
#pragma once

#include <stdbool.h>
#include <stdint.h>

__extension__ typedef unsigned __int128 uint128;

#define DECIMAL_DIGITS 34

enum decimal_kind { DECIMAL_FINITE, DECIMAL_INFINITE, DECIMAL_NAN };

// A finite value is (-1)^negative * coefficient * 10^exponent. The form is canonical: zero is
// positive with exponent 0, any other coefficient has exactly DECIMAL_DIGITS digits.
struct decimal {
    uint128 coefficient;
    int32_t exponent;
    bool negative;
    enum decimal_kind kind;
};

// Coefficients of more than 34 digits are not canonical and read as zero, as the standard says.
struct decimal decimal_decode(const uint8_t payload[16]);
struct decimal decimal_from_int(int64_t integer);

// Neither may be NaN. <0, 0, >0.
int decimal_compare(const struct decimal *a, const struct decimal *b);
int decimal_compare_double(const struct decimal *a, double b);

// The double next to the finite `decimal` towards zero: the largest one in magnitude that does not
// exceed it. Never infinite. Zero for a magnitude below the least double.
double decimal_truncate(const struct decimal *decimal);
