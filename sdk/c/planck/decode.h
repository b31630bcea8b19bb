// SPDX-License-Identifier: Apache-2.0
// A part of planck.c. Encodings of bytes as text: form and query encoding, base64, hexadecimal.

static int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// ---- application/x-www-form-urlencoded ----------------------------------------------------------

// The byte that begins at `*at`, which moves behind it. A '%' that begins no escape is itself.
static uint8_t form_next_byte(struct pk_text text, size_t *at) {
    char c = text.data[(*at)++];
    if (c == '+') return ' ';
    if (c != '%' || text.size - *at < 2) return (uint8_t)c;
    int high = hex_value(text.data[*at]), low = hex_value(text.data[*at + 1]);
    if (high < 0 || low < 0) return (uint8_t)c;
    *at += 2;
    return (uint8_t)(high << 4 | low);
}

static bool form_name_is(struct pk_text encoded, struct pk_text name) {
    size_t at = 0, i = 0;
    for (; at < encoded.size && i < name.size; i++) {
        if (form_next_byte(encoded, &at) != (uint8_t)name.data[i]) return false;
    }
    return at == encoded.size && i == name.size;
}

// A copy in which each byte that belongs to no UTF-8 sequence is U+FFFD; the text when there is
// none.
static struct pk_text utf8_repair(struct pk_text text) {
    const uint8_t *p = (const uint8_t *)text.data;
    size_t bad = 0, written = 0, length;
    for (size_t i = 0; i < text.size; i += length == 0 ? 1 : length) {
        length = utf8_sequence(p + i, text.size - i);
        bad += length == 0;
    }
    if (bad == 0) return text;
    uint8_t *target = allocate(text.size + bad * 2);
    for (size_t i = 0; i < text.size; i += length == 0 ? 1 : length) {
        length = utf8_sequence(p + i, text.size - i);
        size_t size = length == 0 ? sizeof utf8_replacement : length;
        copy(target + written, length == 0 ? utf8_replacement : p + i, size);
        written += size;
    }
    return text_of(target, written);
}

static struct pk_text form_decode(struct pk_text encoded) {
    bool plain = true;
    for (size_t i = 0; i < encoded.size && plain; i++) {
        char c = encoded.data[i];
        plain = c != '%' && c != '+' && (uint8_t)c < 0x80;
    }
    if (plain) return encoded;
    uint8_t *target = allocate(encoded.size);
    size_t size = 0;
    for (size_t at = 0; at < encoded.size; size++) target[size] = form_next_byte(encoded, &at);
    return utf8_repair(text_of(target, size));
}

// The next "name=value" at `*cursor`, still encoded; empty ones are passed over.
static bool form_next_pair(struct pk_text form, size_t *cursor, struct pk_text *ret_name,
                           struct pk_text *ret_value) {
    size_t start = *cursor;
    while (start < form.size && form.data[start] == '&') start++;
    if (start >= form.size) return false;
    size_t end = start;
    while (end < form.size && form.data[end] != '&') end++;
    size_t equals = start;
    while (equals < end && form.data[equals] != '=') equals++;
    *ret_name = text_of(form.data + start, equals - start);
    size_t value = equals < end ? equals + 1 : end;
    *ret_value = text_of(form.data + value, end - value);
    *cursor = end;
    return true;
}

static struct pk_text form_find(struct pk_text form, const char *name) {
    struct pk_text wanted = pk_text_of(name), encoded, value;
    for (size_t cursor = 0; form_next_pair(form, &cursor, &encoded, &value);) {
        if (form_name_is(encoded, wanted)) return form_decode(value);
    }
    return text_of(NULL, 0);
}

// ---- base64 -------------------------------------------------------------------------------------

static const char base64_url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char base64_standard[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static inline size_t base64_size(size_t size) {
    return size / 3 * 4 + (size % 3 == 0 ? 0 : size % 3 + 1);
}

// Without padding, at `target`; returns how much.
static size_t base64_encode(uint8_t *target, const char *alphabet, const uint8_t *bytes,
                            size_t size) {
    size_t written = 0;
    uint32_t bits = 0;
    unsigned count = 0;
    for (size_t i = 0; i < size; i++) {
        bits = bits << 8 | bytes[i];
        for (count += 8; count >= 6; count -= 6)
            target[written++] = (uint8_t)alphabet[bits >> (count - 6) & 63];
    }
    if (count > 0) target[written++] = (uint8_t)alphabet[bits << (6 - count) & 63];
    return written;
}

static int base64url_value(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

// Unpadded base64url as base64_encode() writes it, and nothing else.
static bool base64url_decode(struct pk_text text, struct pk_text *ret) {
    if (text.size % 4 == 1) return false;
    uint8_t *target = allocate(text.size);
    size_t size = 0;
    uint32_t bits = 0;
    unsigned count = 0;
    for (size_t i = 0; i < text.size; i++) {
        int value = base64url_value(text.data[i]);
        if (value < 0) return false;
        bits = bits << 6 | (uint32_t)value;
        count += 6;
        if (count < 8) continue;
        count -= 8;
        target[size++] = (uint8_t)(bits >> count);
    }
    if ((bits & ((1U << count) - 1)) != 0) return false;
    *ret = text_of(target, size);
    return true;
}

// ---- hexadecimal --------------------------------------------------------------------------------

static void write_hex(uint8_t *target, const uint8_t *bytes, size_t size) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        *target++ = (uint8_t)digits[bytes[i] >> 4];
        *target++ = (uint8_t)digits[bytes[i] & 15];
    }
}

#define UUID_TEXT_SIZE 36

static void write_uuid(uint8_t *target, const uint8_t uuid[16]) {
    static const uint8_t groups[] = {4, 2, 2, 2, 6};
    for (size_t i = 0; i < sizeof groups; i++) {
        if (i > 0) *target++ = '-';
        write_hex(target, uuid, groups[i]);
        target += groups[i] * 2;
        uuid += groups[i];
    }
}

static bool parse_uuid(struct pk_text text, uint8_t ret[16]) {
    if (text.size != UUID_TEXT_SIZE) return false;
    size_t size = 0;
    for (size_t i = 0; i < UUID_TEXT_SIZE;) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (text.data[i++] != '-') return false;
            continue;
        }
        int high = hex_value(text.data[i]), low = hex_value(text.data[i + 1]);
        if (high < 0 || low < 0) return false;
        ret[size++] = (uint8_t)(high << 4 | low);
        i += 2;
    }
    return true;
}
