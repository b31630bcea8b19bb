// SPDX-License-Identifier: Apache-2.0
// A part of planck.c. Texts, UTF-8, and runs of characters that need no care.

static inline struct pk_text text_of(const void *data, size_t size) {
    return (struct pk_text){data, size};
}

struct pk_text pk_text_of(const char *string) {
    return text_of(string, string == NULL ? 0 : __builtin_strlen(string));
}

bool pk_text_equal(struct pk_text a, struct pk_text b) {
    return a.size == b.size && same(a.data, b.data, a.size);
}

bool pk_text_is(struct pk_text text, const char *string) {
    return text.data != NULL && pk_text_equal(text, pk_text_of(string));
}

static bool is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct pk_text pk_text_trim(struct pk_text text) {
    while (text.size > 0 && is_blank(text.data[0])) text.data++, text.size--;
    while (text.size > 0 && is_blank(text.data[text.size - 1])) text.size--;
    return text;
}

static inline bool is_digit(uint8_t c) {
    return c >= '0' && c <= '9';
}

bool pk_text_to_int(struct pk_text text, int64_t *ret) {
    bool negative = text.size > 0 && text.data[0] == '-';
    uint64_t limit = (uint64_t)INT64_MAX + negative, value = 0;
    size_t i = negative;
    if (i == text.size) return false;
    for (; i < text.size; i++) {
        uint8_t c = (uint8_t)text.data[i];
        if (!is_digit(c) || value > (limit - (c - '0')) / 10) return false;
        value = value * 10 + (c - '0');
    }
    *ret = (int64_t)(negative ? 0 - value : value);
    return true;
}

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

// `string` in lower case.
static bool begins_with_any_case(struct pk_text text, const char *string) {
    for (size_t i = 0; string[i] != '\0'; i++) {
        if (i >= text.size || lower(text.data[i]) != string[i]) return false;
    }
    return true;
}

// The decimal digits of `value` at `target`, which has room for 20; their number.
static size_t write_decimal(uint8_t *target, uint64_t value) {
    uint8_t digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (uint8_t)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    size_t size = sizeof digits - at;
    for (size_t i = 0; i < size; i++) target[i] = digits[at + i];
    return size;
}

static size_t write_signed(uint8_t *target, int64_t value) {
    if (value >= 0) return write_decimal(target, (uint64_t)value);
    *target = '-';
    return 1 + write_decimal(target + 1, 0 - (uint64_t)value);
}

// ---- UTF-8 ------------------------------------------------------------------------------------

// The size of the well-formed sequence at `p`, of at most `size` bytes; 0 when there is none.
static size_t utf8_sequence(const uint8_t *p, size_t size) {
    uint8_t lead = p[0], low = 0x80, high = 0xbf;
    if (lead < 0x80) return 1;
    size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (lead < 0xc2 || lead > 0xf4 || length > size) return 0;
    if (lead == 0xe0) low = 0xa0;  // overlong
    if (lead == 0xed) high = 0x9f; // surrogates
    if (lead == 0xf0) low = 0x90;  // overlong
    if (lead == 0xf4) high = 0x8f; // beyond U+10FFFF
    if (p[1] < low || p[1] > high) return 0;
    for (size_t i = 2; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80) return 0;
    }
    return length;
}

// Writes `code_point`, which is no surrogate, to `target` (room for 4).
static size_t utf8_write(uint8_t *target, uint32_t code_point) {
    if (code_point < 0x80) {
        target[0] = (uint8_t)code_point;
        return 1;
    }
    size_t length = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--, code_point >>= 6)
        target[i] = (uint8_t)(0x80 | (code_point & 0x3f));
    target[0] = (uint8_t)((0xf00 >> length) | code_point);
    return length;
}

static const uint8_t utf8_replacement[3] = {0xef, 0xbf, 0xbd}; // U+FFFD

// ---- runs -------------------------------------------------------------------------------------

// Eight bytes at a time: a byte of the result has its top bit set where the byte is wanted. Above
// the lowest such byte there may be wrong ones, so only that lowest one counts.
#define EACH_BYTE(byte) (0x0101010101010101ULL * (byte))
static inline uint64_t find_zero(uint64_t word) {
    return (word - EACH_BYTE(1)) & ~word & EACH_BYTE(0x80);
}
static inline uint64_t find_byte(uint64_t word, uint8_t byte) {
    return find_zero(word ^ EACH_BYTE(byte));
}

static inline uint64_t find_json_special(uint64_t word) {
    uint64_t control = (word - EACH_BYTE(0x20)) & ~word;
    return ((control | word) & EACH_BYTE(0x80)) | find_byte(word, '"') | find_byte(word, '\\') |
           find_byte(word, '<');
}
static inline bool is_json_special(uint8_t c) {
    return c < 0x20 || c >= 0x80 || c == '"' || c == '\\' || c == '<';
}

// How many bytes stand before the first one that JSON strings cannot hold as it is (or that is not
// ASCII, or '<').
static inline size_t json_plain_run(const uint8_t *p, size_t size) {
    size_t i = 0;
    for (; i + 8 <= size; i += 8) {
        uint64_t found = find_json_special(load64(p + i));
        if (found != 0) return i + (size_t)__builtin_ctzll(found) / 8;
    }
    while (i < size && !is_json_special(p[i])) i++;
    return i;
}

// & and ' differ in the last bit only, < and > in the last but one.
static inline uint64_t find_html_special(uint64_t word) {
    return find_byte(word, '"') | find_zero((word & EACH_BYTE(0xfe)) ^ EACH_BYTE('&')) |
           find_zero((word & EACH_BYTE(0xfd)) ^ EACH_BYTE('<'));
}
static inline bool is_html_special(uint8_t c) {
    return c == '"' || c == '&' || c == '\'' || c == '<' || c == '>';
}

static inline size_t html_plain_run(const uint8_t *p, size_t size) {
    size_t i = 0;
    for (; i + 8 <= size; i += 8) {
        uint64_t found = find_html_special(load64(p + i));
        if (found != 0) return i + (size_t)__builtin_ctzll(found) / 8;
    }
    while (i < size && !is_html_special(p[i])) i++;
    return i;
}
