// SPDX-License-Identifier: Apache-2.0
// A part of planck.c. Doubles as decimal text and back, both exact: the text is the shortest that
// reads back as the same double, and reading rounds to the nearest, ties to even. Common numbers
// take short ways; the others are done with big integers, where correctness is plain to see.

// ---- big integers -----------------------------------------------------------------------------

// 4096 bits, the lowest word first. What is computed below needs at most 3710: a denominator of
// 10^1096 and 64 bits more.
#define BIG_WORDS 128
struct big {
    size_t count; // the word at count - 1 is not 0
    uint32_t words[BIG_WORDS];
};

static void big_set(struct big *big, uint64_t value) {
    big->words[0] = (uint32_t)value;
    big->words[1] = (uint32_t)(value >> 32);
    big->count = big->words[1] != 0 ? 2 : big->words[0] != 0;
}

static void big_push(struct big *big, uint32_t word) {
    if (word == 0) return;
    if (big->count == BIG_WORDS) __builtin_trap();
    big->words[big->count++] = word;
}

static void big_multiply_add(struct big *big, uint32_t factor, uint32_t summand) {
    uint64_t carry = summand;
    for (size_t i = 0; i < big->count; i++) {
        carry += (uint64_t)big->words[i] * factor;
        big->words[i] = (uint32_t)carry;
        carry >>= 32;
    }
    big_push(big, (uint32_t)carry);
}

static void big_multiply_power10(struct big *big, size_t exponent) {
    for (; exponent >= 9; exponent -= 9) big_multiply_add(big, 1000000000, 0);
    for (; exponent > 0; exponent--) big_multiply_add(big, 10, 0);
}

static void big_shift_left(struct big *big, size_t bits) {
    size_t words = bits / 32;
    if (bits % 32 != 0) big_multiply_add(big, (uint32_t)1 << (bits % 32), 0);
    if (words == 0 || big->count == 0) return;
    if (big->count + words > BIG_WORDS) __builtin_trap();
    for (size_t i = big->count; i-- > 0;) big->words[i + words] = big->words[i];
    for (size_t i = 0; i < words; i++) big->words[i] = 0;
    big->count += words;
}

static int big_compare(const struct big *a, const struct big *b) {
    if (a->count != b->count) return a->count < b->count ? -1 : 1;
    for (size_t i = a->count; i-- > 0;) {
        if (a->words[i] != b->words[i]) return a->words[i] < b->words[i] ? -1 : 1;
    }
    return 0;
}

// a -= b; needs a >= b.
static void big_subtract(struct big *a, const struct big *b) {
    int64_t borrow = 0;
    for (size_t i = 0; i < a->count; i++) {
        borrow += (int64_t)a->words[i] - (i < b->count ? b->words[i] : 0);
        a->words[i] = (uint32_t)borrow;
        borrow >>= 32;
    }
    while (a->count > 0 && a->words[a->count - 1] == 0) a->count--;
}

static void big_add(struct big *a, const struct big *b) {
    while (a->count < b->count) a->words[a->count++] = 0;
    uint64_t carry = 0;
    for (size_t i = 0; i < a->count; i++) {
        carry += (uint64_t)a->words[i] + (i < b->count ? b->words[i] : 0);
        a->words[i] = (uint32_t)carry;
        carry >>= 32;
    }
    big_push(a, (uint32_t)carry);
}

static void big_copy(struct big *target, const struct big *source) {
    target->count = source->count;
    __builtin_memcpy(target->words, source->words, source->count * sizeof *source->words);
}

// <0, 0, >0 as a + b is less than, equal to, greater than c.
static int big_compare_sum(const struct big *a, const struct big *b, const struct big *c) {
    struct big sum;
    big_copy(&sum, a);
    big_add(&sum, b);
    return big_compare(&sum, c);
}

static size_t big_bits(const struct big *big) {
    if (big->count == 0) return 0;
    return big->count * 32 - (size_t)__builtin_clz(big->words[big->count - 1]);
}

// ---- doubles to text --------------------------------------------------------------------------

static uint64_t double_bits(double value) {
    uint64_t bits;
    __builtin_memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double double_of_bits(uint64_t bits) {
    double value;
    __builtin_memcpy(&value, &bits, sizeof value);
    return value;
}

static bool double_is_finite(double value) {
    return (double_bits(value) >> 52 & 0x7ff) != 0x7ff;
}

// 0.d1d2d3… × 10^point
struct decimal {
    uint8_t digits[20];
    size_t count;
    int point;
};

static const double powers10[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

// Numbers of at most 15 digits with at most 4 behind the point. Two different decimals of at most
// 15 digits are never the same double, so one that reads back right is the shortest, once it has no
// zeros at its end.
static bool decimal_short(double value, struct decimal *ret) {
    for (int places = 0; places <= 4; places++) {
        double scaled = value * powers10[places];
        if (!(scaled < 1e15)) return false;
        uint64_t integer = (uint64_t)scaled;
        if ((double)integer != scaled || (double)integer / powers10[places] != value) continue;
        ret->count = write_decimal(ret->digits, integer);
        ret->point = (int)ret->count - places;
        while (ret->count > 1 && ret->digits[ret->count - 1] == '0') ret->count--;
        return true;
    }
    return false;
}

// The value is numerator / denominator; doubles reach `below` and `above` far from it, in units of
// the denominator (Steele and White 1990, "free format"; Burger and Dybvig 1996).
struct interval {
    struct big numerator;
    struct big denominator;
    struct big below;
    struct big above;
    bool inclusive; // the ends themselves read back as the value
};

// The exponent of the power of ten in `denominator`, at most one too small.
static int interval_set(struct interval *interval, double value) {
    uint64_t bits = double_bits(value), mantissa = bits & ((1ULL << 52) - 1);
    int biased = (int)(bits >> 52 & 0x7ff);
    bool at_power = mantissa == 0 && biased > 1; // the next lower double is half as far
    if (biased != 0) mantissa |= 1ULL << 52;
    int exponent = (biased != 0 ? biased : 1) - 1075;
    interval->inclusive = (mantissa & 1) == 0;
    big_set(&interval->numerator, mantissa);
    big_set(&interval->denominator, 1);
    big_set(&interval->below, 1);
    if (exponent > 0) {
        big_shift_left(&interval->numerator, (size_t)exponent);
        big_shift_left(&interval->below, (size_t)exponent);
    } else {
        big_shift_left(&interval->denominator, (size_t)-exponent);
    }
    big_copy(&interval->above, &interval->below);
    // Half of the distance to the neighbours: all but the distances is doubled.
    big_shift_left(&interval->numerator, 1 + at_power);
    big_shift_left(&interval->denominator, 1 + at_power);
    big_shift_left(&interval->above, at_power);
    int top_bit = exponent + 63 - __builtin_clzll(mantissa);
    double logarithm = top_bit * 0.30102999566398119 - 1e-9;
    int scale = (int)logarithm;
    return logarithm > scale ? scale + 1 : scale;
}

static void interval_multiply(struct interval *interval, size_t power10) {
    big_multiply_power10(&interval->numerator, power10);
    big_multiply_power10(&interval->below, power10);
    big_multiply_power10(&interval->above, power10);
}

static uint8_t interval_next_digit(struct interval *interval) {
    uint8_t digit = 0;
    for (; big_compare(&interval->numerator, &interval->denominator) >= 0; digit++)
        big_subtract(&interval->numerator, &interval->denominator);
    return digit;
}

static bool interval_reaches_up(const struct interval *interval) {
    int order = big_compare_sum(&interval->numerator, &interval->above, &interval->denominator);
    return interval->inclusive ? order >= 0 : order > 0;
}

static bool interval_reaches_down(const struct interval *interval) {
    int order = big_compare(&interval->numerator, &interval->below);
    return interval->inclusive ? order <= 0 : order < 0;
}

// Of a positive, finite double.
static void decimal_shortest(double value, struct decimal *ret) {
    struct interval interval;
    int scale = interval_set(&interval, value);
    if (scale >= 0) {
        big_multiply_power10(&interval.denominator, (size_t)scale);
    } else {
        interval_multiply(&interval, (size_t)-scale);
    }
    if (interval_reaches_up(&interval)) {
        scale++; // the estimate was one too small
    } else {
        interval_multiply(&interval, 1);
    }
    ret->point = scale;
    ret->count = 0;
    for (;;) {
        uint8_t digit = interval_next_digit(&interval);
        bool down = interval_reaches_down(&interval), up = interval_reaches_up(&interval);
        if (down && up) {
            down = big_compare_sum(&interval.numerator, &interval.numerator,
                                   &interval.denominator) < 0;
        }
        ret->digits[ret->count++] = (uint8_t)('0' + digit + ((down || up) && !down));
        if (down || up || ret->count == sizeof ret->digits) return;
        interval_multiply(&interval, 1);
    }
}

#define DOUBLE_TEXT_MAX 32

// -1.5, 0.001, 1e-7, 1.25e300: always with a point or an exponent, so that it reads as a double.
static size_t write_scientific(uint8_t *target, const struct decimal *decimal) {
    size_t size = 0;
    target[size++] = decimal->digits[0];
    if (decimal->count > 1) {
        target[size++] = '.';
        for (size_t i = 1; i < decimal->count; i++) target[size++] = decimal->digits[i];
    }
    target[size++] = 'e';
    return size + write_signed(target + size, decimal->point - 1);
}

static size_t write_positional(uint8_t *target, const struct decimal *decimal) {
    size_t size = 0;
    int point = decimal->point;
    if (point <= 0) target[size++] = '0';
    for (int i = 0; i < point; i++)
        target[size++] = (size_t)i < decimal->count ? decimal->digits[i] : '0';
    target[size++] = '.';
    for (int i = point; i < 0; i++) target[size++] = '0';
    size_t done = point < 0 ? 0 : (size_t)point;
    if (done >= decimal->count) target[size++] = '0';
    for (size_t i = done; i < decimal->count; i++) target[size++] = decimal->digits[i];
    return size;
}

// Writes a finite double to `target` (room for DOUBLE_TEXT_MAX).
static size_t write_double(uint8_t *target, double value) {
    size_t sign = double_bits(value) >> 63;
    if (sign) *target = '-';
    double magnitude = double_of_bits(double_bits(value) & ~(1ULL << 63));
    struct decimal decimal = {.digits = "0", .count = 1, .point = 1};
    if (magnitude != 0 && !decimal_short(magnitude, &decimal))
        decimal_shortest(magnitude, &decimal);
    bool positional = decimal.point > -5 && decimal.point <= 17;
    return sign + (positional ? write_positional(target + sign, &decimal)
                              : write_scientific(target + sign, &decimal));
}

// ---- text to doubles --------------------------------------------------------------------------

// No double, and no half-way between two, has more significant digits than 768: of what follows
// only matters whether it is all zero.
#define SIGNIFICANT_MAX 769

// The significant digits of a number, point left out: digits × 10^exponent.
struct significand {
    uint8_t digits[SIGNIFICANT_MAX + 1];
    size_t count;
    int64_t exponent;
};

static void significand_add(struct significand *significand, uint8_t digit, bool fraction) {
    if (significand->count == 0 && digit == '0') {
        significand->exponent -= fraction;
    } else if (significand->count < SIGNIFICANT_MAX) {
        significand->digits[significand->count++] = digit;
        significand->exponent -= fraction;
    } else {
        significand->exponent += !fraction;
        if (digit == '0') return;
        if (significand->count == SIGNIFICANT_MAX) significand->exponent--;
        if (significand->count == SIGNIFICANT_MAX) significand->digits[significand->count++] = '1';
    }
}

#define EXPONENT_LIMIT 100000000000LL // more than a text can make up for by its length

// `text` is a JSON number without its sign.
static void significand_set(struct significand *significand, struct pk_text text) {
    significand->count = 0;
    significand->exponent = 0;
    bool fraction = false;
    size_t i = 0;
    for (; i < text.size && (text.data[i] | 0x20) != 'e'; i++) {
        if (text.data[i] == '.') {
            fraction = true;
        } else {
            significand_add(significand, (uint8_t)text.data[i], fraction);
        }
    }
    if (i >= text.size) return;
    bool negative = text.data[++i] == '-';
    if (text.data[i] == '-' || text.data[i] == '+') i++;
    int64_t exponent = 0;
    for (; i < text.size; i++) {
        if (exponent < EXPONENT_LIMIT) exponent = exponent * 10 + (text.data[i] - '0');
    }
    significand->exponent += negative ? -exponent : exponent;
}

// `quotient` × 2^(exponent - 63), its top bit set, and something more when `sticky`, rounded.
static uint64_t round_to_double(uint64_t quotient, int exponent, bool sticky) {
    if (exponent > 1023) return (uint64_t)0x7ff << 52; // infinity
    int drop = exponent >= -1022 ? 11 : 11 - 1022 - exponent;
    if (drop > 64) return 0;
    uint64_t half = 1ULL << (drop - 1);
    uint64_t mantissa = drop == 64 ? 0 : quotient >> drop;
    uint64_t rest = drop == 64 ? quotient : quotient & ((half << 1) - 1);
    if (rest > half || (rest == half && (sticky || (mantissa & 1)))) mantissa++;
    // The mantissa's top bit adds one to the exponent; so does rounding up to a power of two.
    return exponent >= -1022 ? ((uint64_t)(exponent + 1022) << 52) + mantissa : mantissa;
}

static double significand_divide(const struct significand *significand) {
    struct big numerator, denominator;
    big_set(&numerator, 0);
    big_set(&denominator, 1);
    for (size_t i = 0; i < significand->count; i++)
        big_multiply_add(&numerator, 10, significand->digits[i] - '0');
    int64_t power = significand->exponent;
    big_multiply_power10(power >= 0 ? &numerator : &denominator,
                         (size_t)(power >= 0 ? power : -power));
    int exponent = (int)big_bits(&numerator) - (int)big_bits(&denominator);
    if (exponent > 0) big_shift_left(&denominator, (size_t)exponent);
    if (exponent < 0) big_shift_left(&numerator, (size_t)-exponent);
    if (big_compare(&numerator, &denominator) < 0) {
        big_shift_left(&numerator, 1);
        exponent--;
    }
    uint64_t quotient = 0;
    for (int bit = 0; bit < 64; bit++) {
        quotient <<= 1;
        if (big_compare(&numerator, &denominator) >= 0) {
            big_subtract(&numerator, &denominator);
            quotient |= 1;
        }
        big_shift_left(&numerator, 1);
    }
    return double_of_bits(round_to_double(quotient, exponent, numerator.count > 0));
}

// Both operands of the one operation are exact, so its result is rounded right.
static bool significand_short(const struct significand *significand, double *ret) {
    if (significand->count > 15 || significand->exponent > 22 || significand->exponent < -22)
        return false;
    uint64_t integer = 0;
    for (size_t i = 0; i < significand->count; i++)
        integer = integer * 10 + (significand->digits[i] - '0');
    *ret = significand->exponent >= 0 ? (double)integer * powers10[significand->exponent]
                                      : (double)integer / powers10[-significand->exponent];
    return true;
}

// `text` is a JSON number; false when it is beyond the doubles.
static bool parse_double(struct pk_text text, double *ret) {
    bool negative = text.data[0] == '-';
    struct significand significand;
    significand_set(&significand, text_of(text.data + negative, text.size - negative));
    int64_t magnitude = (int64_t)significand.count + significand.exponent;
    double value = 0;
    if (significand.count > 0 && magnitude > 310) return false;
    if (significand.count > 0 && magnitude > -330 && !significand_short(&significand, &value))
        value = significand_divide(&significand);
    if (!double_is_finite(value)) return false;
    *ret = negative ? -value : value;
    return true;
}
