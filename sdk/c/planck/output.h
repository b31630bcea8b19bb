// SPDX-License-Identifier: Apache-2.0
// A part of planck.c. The body of a response: raw text, HTML and URL escaping, numbers.

#define OUT_FIRST 4096
#define JSON_DEPTH_MAX 64

struct pk_out {
    struct buffer buffer;
    uint32_t depth;   // of open JSON objects and arrays
    uint64_t objects; // bit n: the one at depth n is an object
    bool comma;       // something stands before in the innermost one
};

static void out_append(struct pk_out *out, const char *text, size_t size) {
    buffer_append(&out->buffer, text, size);
}

void pk_raw_text(struct pk_out *out, struct pk_text text) {
    buffer_append(&out->buffer, text.data, text.size);
}

static void escape_html_character(struct pk_out *out, char c) {
    switch (c) {
    case '&':
        return out_append(out, "&amp;", 5);
    case '<':
        return out_append(out, "&lt;", 4);
    case '>':
        return out_append(out, "&gt;", 4);
    case '"':
        return out_append(out, "&quot;", 6);
    default:
        return out_append(out, "&#39;", 5);
    }
}

void pk_escape(struct pk_out *out, struct pk_text text) {
    while (text.size > 0) {
        size_t run = html_plain_run((const uint8_t *)text.data, text.size);
        buffer_append(&out->buffer, text.data, run);
        text.data += run;
        text.size -= run;
        if (text.size == 0) return;
        escape_html_character(out, *text.data);
        text.data++;
        text.size--;
    }
}

// RFC 3986, "unreserved".
static const bool url_plain[256] = {
    ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['-'] = true,
    ['.'] = true,         ['_'] = true,         ['~'] = true,
};

void pk_escape_url(struct pk_out *out, struct pk_text text) {
    static const char digits[] = "0123456789ABCDEF";
    uint8_t *start = buffer_reserve(&out->buffer, text.size * 3), *p = start;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = (uint8_t)text.data[i];
        if (url_plain[c]) {
            *p++ = c;
            continue;
        }
        *p++ = '%';
        *p++ = (uint8_t)digits[c >> 4];
        *p++ = (uint8_t)digits[c & 15];
    }
    out->buffer.size += (size_t)(p - start);
}

void pk_write_int(struct pk_out *out, int64_t value) {
    out->buffer.size += write_signed(buffer_reserve(&out->buffer, 20), value);
}

void pk_write_cents(struct pk_out *out, int64_t cents) {
    uint8_t *start = buffer_reserve(&out->buffer, 24), *p = start;
    uint64_t magnitude = cents < 0 ? 0 - (uint64_t)cents : (uint64_t)cents;
    if (cents < 0) *p++ = '-';
    p += write_decimal(p, magnitude / 100);
    *p++ = '.';
    *p++ = (uint8_t)('0' + magnitude / 10 % 10);
    *p++ = (uint8_t)('0' + magnitude % 10);
    out->buffer.size += (size_t)(p - start);
}
