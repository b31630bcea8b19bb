// SPDX-License-Identifier: Apache-2.0
// Doubles to text and back, against the C library of this machine.
#include <math.h>

#include "base/random.h"
#include "fake_host.h"

static double written;

static void write_one(struct pk_request *request) {
    pk_json_double(pk_json(request), NULL, written);
}

// The text of `value`, valid until the next call.
static const char *text_of_double(double value) {
    static char text[64];
    written = value;
    host_run(write_one);
    struct bytes body = host_body();
    CHECK(body.size < sizeof text);
    memcpy(text, body.data, body.size);
    text[body.size] = '\0';
    return text;
}

static uint64_t bits_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double double_of(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

// Significant digits, without zeros at either end.
static int count_digits(const char *text) {
    char digits[64];
    int count = 0;
    for (; *text != '\0' && *text != 'e'; text++) {
        if (*text >= '0' && *text <= '9' && (count > 0 || *text != '0')) digits[count++] = *text;
    }
    while (count > 0 && digits[count - 1] == '0') count--;
    return count;
}

static int fewest_digits(double value) {
    char text[64];
    for (int digits = 1; digits < 17; digits++) {
        snprintf(text, sizeof text, "%.*e", digits - 1, value);
        if (strtod(text, NULL) == value) return digits;
    }
    return 17;
}

static void check_written(double value) {
    const char *text = text_of_double(value);
    if (bits_of(strtod(text, NULL)) != bits_of(value))
        test_fail(__FILE__, __LINE__, "%a is written %s", value, text);
    // Fewer are possible where the nearest text of that length does not read back but another does.
    if (value != 0 && count_digits(text) > fewest_digits(value))
        test_fail(__FILE__, __LINE__, "%.17g is written %s: not the shortest", value, text);
}

TEST(double_texts) {
    static const struct {
        double value;
        const char *text;
    } table[] = {
        {0, "0.0"},
        {-0.0, "-0.0"},
        {1, "1.0"},
        {-1.5, "-1.5"},
        {0.1, "0.1"},
        {0.05, "0.05"},
        {12.34, "12.34"},
        {1200, "1200.0"},
        {100000000000000.0, "100000000000000.0"},
        {1.0 / 3, "0.3333333333333333"},
        {0.1 + 0.2, "0.30000000000000004"},
        {12345678901234567.0, "12345678901234568.0"},
        {1e17, "1e17"},
        {1e21, "1e21"},
        {1.5e300, "1.5e300"},
        {0.00001, "0.00001"},
        {0.000001, "1e-6"},
        {5e-324, "5e-324"},
        {2.2250738585072014e-308, "2.2250738585072014e-308"},
        {1.7976931348623157e308, "1.7976931348623157e308"},
        {9007199254740993.0, "9007199254740992.0"},
        {INFINITY, "null"},
        {-INFINITY, "null"},
        {NAN, "null"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        CHECK_BYTES(table[i].text, bytes_of_string(text_of_double(table[i].value)));
}

TEST(doubles_are_written_shortest_at_powers) {
    for (int exponent = -1074; exponent < 1024; exponent++) {
        double power = ldexp(1, exponent);
        check_written(power);
        check_written(nextafter(power, 0));
        check_written(nextafter(power, INFINITY));
    }
    for (int exponent = -323; exponent <= 308; exponent++) {
        char text[16];
        snprintf(text, sizeof text, "1e%d", exponent);
        check_written(strtod(text, NULL));
    }
}

TEST(random_doubles_are_written_shortest) {
    struct random_seeded random;
    random_seeded_init(&random, test_seed());
    for (int i = 0; i < 20000; i++) {
        double value = double_of(random_u64(&random.source));
        if (isfinite(value)) check_written(value);
        check_written((double)random_below(&random.source, 1000000000) / 1000);
    }
}

// ---- reading ------------------------------------------------------------------------------------

static struct pk_text read_text;
static double read_value;
static bool read_good;

static void read_one(struct pk_request *request) {
    struct pk_document document;
    read_good = pk_json_parse(read_text, &document, NULL);
    if (!read_good) return;
    struct pk_value value = pk_get(document, "n");
    CHECK_EQUAL(PK_TYPE_DOUBLE, value.type);
    read_value = value.number;
}

// `number` has a fraction or an exponent.
static void check_read(const char *number) {
    static char text[8192];
    int size = snprintf(text, sizeof text, "{\"n\": %s}", number);
    CHECK(size > 0 && (size_t)size < sizeof text);
    read_text = pk_text_of(text);
    host_run(read_one);
    double expected = strtod(number, NULL);
    if (read_good != (isfinite(expected) != 0))
        test_fail(__FILE__, __LINE__, "%s is %s", number, read_good ? "read" : "refused");
    if (read_good && bits_of(read_value) != bits_of(expected))
        test_fail(__FILE__, __LINE__, "%s is read as %a, not %a", number, read_value, expected);
}

TEST(doubles_are_read_rounded_to_nearest) {
    static const char *const table[] = {
        "0.0",
        "-0.0",
        "0e5",
        "1.5",
        "-1.25",
        "0.1",
        "1e22",
        "1e23",
        "1e-22",
        "1e-23",
        "1e308",
        "1.7976931348623157e308",
        "1.7976931348623158e308",
        "1.7976931348623159e308",
        "1.797693134862315807e308",
        "1e309",
        "1e400",
        "1e999999999999999999999",
        "0e999999999999",
        "1e-999999999999999999999",
        "4.9e-324",
        "2.5e-324",
        "2.4703282292062328e-324",
        "2.4703282292062327e-324",
        "1e-324",
        "2.2250738585072011e-308",
        "2.2250738585072014e-308",
        "9007199254740993.0",
        "9007199254740992.99999999999999",
        "9007199254740993.00000000000001",
        "9007199254740991.5",
        "0.500000000000000166533453693773481063544750213623046875",
        "3.518437208883201171875e13",
        "62.5364939768271845828",
        "8.10109172351e-10",
        "1.50000000000000011102230246251565",
        "0.000000000000000000000000000000000000001e39",
        "123456789012345678901234567890.0",
        "6.631236846766476e-316",
        "3.2378839133029012895883524125015321748630094e9",
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) check_read(table[i]);
}

// Exactly half-way between two doubles, and one digit far behind that decides.
static void check_half_way(double value, const char *more) {
    char text[2048];
    double next = nextafter(value, INFINITY);
    // The half has one bit more than the double, which long double holds here.
    snprintf(text, sizeof text, "%.1100Lf%s", ((long double)value + (long double)next) / 2, more);
    check_read(text);
}

TEST(half_way_digits_decide) {
    struct random_seeded random;
    random_seeded_init(&random, test_seed());
    for (int i = 0; i < 300; i++) {
        uint64_t exponent = 1023 - 200 + random_below(&random.source, 400);
        double value = double_of(exponent << 52 | random_u64(&random.source) >> 12);
        check_half_way(value, "");
        check_half_way(value, "1");
    }
    check_half_way(5e-324, "");
    check_half_way(2.2250738585072009e-308, "0000000000000000000000000000000000000000001");
}

TEST(random_decimals_are_read) {
    struct random_seeded random;
    random_seeded_init(&random, test_seed());
    for (int i = 0; i < 20000; i++) {
        char text[512];
        size_t size = 0, digits = 1 + random_below(&random.source, i % 50 == 0 ? 400 : 25);
        text[size++] = (char)('1' + random_below(&random.source, 9));
        text[size++] = '.';
        for (size_t j = 0; j < digits; j++)
            text[size++] = (char)('0' + random_below(&random.source, 10));
        snprintf(text + size, sizeof text - size, "e%d",
                 (int)random_below(&random.source, 660) - 345);
        check_read(text);
    }
}

TEST(written_doubles_read_back) {
    struct random_seeded random;
    random_seeded_init(&random, test_seed());
    for (int i = 0; i < 20000; i++) {
        double value = double_of(random_u64(&random.source));
        if (isfinite(value)) check_read(text_of_double(value));
    }
}
