// SPDX-License-Identifier: Apache-2.0
// A part of planck.c. JSON (RFC 8259) to BSON in one pass, straight into a buffer. Names keep their
// order; duplicates are kept, and reading finds the first.

struct json_parser {
    const uint8_t *start;
    const uint8_t *next;
    const uint8_t *end;
    struct buffer buffer;
    const char *error;
};

static bool json_refuse(struct json_parser *parser, const char *error) {
    parser->error = error;
    return false;
}

// The next character that is no blank, 0 at the end (or for a NUL, which no JSON has).
static uint8_t json_peek(struct json_parser *parser) {
    const uint8_t *p = parser->next;
    while (p < parser->end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) p++;
    parser->next = p;
    return p < parser->end ? *p : 0;
}

// ---- strings ----------------------------------------------------------------------------------

static bool json_hex4(struct json_parser *parser, uint32_t *ret) {
    if (parser->end - parser->next < 4) return json_refuse(parser, "\\u needs four digits");
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_value((char)parser->next[i]);
        if (digit < 0) return json_refuse(parser, "\\u needs four hexadecimal digits");
        value = value << 4 | (uint32_t)digit;
    }
    parser->next += 4;
    *ret = value;
    return true;
}

// Behind "\u".
static bool json_unicode_escape(struct json_parser *parser, uint32_t *ret) {
    uint32_t high, low;
    if (!json_hex4(parser, &high)) return false;
    *ret = high;
    if (high < 0xd800 || high > 0xdfff) return true;
    const uint8_t *p = parser->next;
    if (high >= 0xdc00 || parser->end - p < 2 || p[0] != '\\' || p[1] != 'u')
        return json_refuse(parser, "half of a surrogate pair");
    parser->next += 2;
    if (!json_hex4(parser, &low)) return false;
    if (low < 0xdc00 || low > 0xdfff) return json_refuse(parser, "half of a surrogate pair");
    *ret = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    return true;
}

// Behind the backslash.
static bool json_escape(struct json_parser *parser) {
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    uint8_t c = parser->next < parser->end ? *parser->next++ : 0;
    if (c == 'u') {
        uint32_t code_point;
        if (!json_unicode_escape(parser, &code_point)) return false;
        parser->buffer.size += utf8_write(buffer_reserve(&parser->buffer, 4), code_point);
        return true;
    }
    for (size_t i = 0; i < sizeof names - 1; i++) {
        if (c != (uint8_t)names[i]) continue;
        buffer_append_byte(&parser->buffer, (uint8_t)values[i]);
        return true;
    }
    return json_refuse(parser, "an unknown escape");
}

// Appends the characters of the string that begins at `next`.
static bool json_string(struct json_parser *parser) {
    parser->next++;
    while (parser->next < parser->end) {
        const uint8_t *p = parser->next;
        size_t rest = (size_t)(parser->end - p), run = json_plain_run(p, rest);
        if (run == 0 && (*p >= 0x80 || *p == '<')) {
            run = utf8_sequence(p, rest);
            if (run == 0) return json_refuse(parser, "a string is not UTF-8");
        }
        buffer_append(&parser->buffer, p, run);
        parser->next += run;
        if (run > 0) continue;
        if (*p < 0x20) return json_refuse(parser, "a control character in a string");
        parser->next++;
        if (*p == '"') return true;
        if (!json_escape(parser)) return false;
    }
    return json_refuse(parser, "a string does not end");
}

static bool json_text_value(struct json_parser *parser) {
    size_t start = put_start(&parser->buffer);
    if (!json_string(parser)) return false;
    put_end(&parser->buffer, start);
    // The length of a text counts its bytes and NUL, not itself.
    store32(parser->buffer.data + start, (uint32_t)(parser->buffer.size - start - 4));
    return true;
}

// ---- numbers ----------------------------------------------------------------------------------

static bool json_digits(struct json_parser *parser) {
    const uint8_t *start = parser->next;
    while (parser->next < parser->end && is_digit(*parser->next)) parser->next++;
    return parser->next > start;
}

static bool json_accept(struct json_parser *parser, const char *characters) {
    for (; *characters != '\0' && parser->next < parser->end; characters++) {
        if (*parser->next != (uint8_t)*characters) continue;
        parser->next++;
        return true;
    }
    return false;
}

static bool json_number_syntax(struct json_parser *parser, bool *ret_integer) {
    *ret_integer = true;
    json_accept(parser, "-");
    const uint8_t *first = parser->next;
    if (!json_digits(parser) || (*first == '0' && parser->next - first > 1)) return false;
    if (json_accept(parser, ".")) {
        *ret_integer = false;
        if (!json_digits(parser)) return false;
    }
    if (json_accept(parser, "eE")) {
        *ret_integer = false;
        json_accept(parser, "+-");
        if (!json_digits(parser)) return false;
    }
    return true;
}

static bool json_number(struct json_parser *parser, size_t type_at) {
    const uint8_t *start = parser->next;
    bool is_integer;
    if (!json_number_syntax(parser, &is_integer)) return json_refuse(parser, "a malformed number");
    struct pk_text text = text_of(start, (size_t)(parser->next - start));
    int64_t integer;
    double number;
    uint64_t word;
    if (is_integer) {
        if (!pk_text_to_int(text, &integer))
            return json_refuse(parser, "an integer does not fit 64 bits");
        word = (uint64_t)integer;
    } else {
        if (!parse_double(text, &number)) return json_refuse(parser, "a number is too large");
        word = double_bits(number);
    }
    store64(buffer_reserve(&parser->buffer, 8), word);
    parser->buffer.size += 8;
    parser->buffer.data[type_at] = is_integer ? PK_TYPE_INT64 : PK_TYPE_DOUBLE;
    return true;
}

// ---- values -----------------------------------------------------------------------------------

static bool json_word(struct json_parser *parser, const char *word) {
    size_t size = __builtin_strlen(word);
    if ((size_t)(parser->end - parser->next) < size || !same(parser->next, word, size))
        return json_refuse(parser, "a value is expected");
    parser->next += size;
    return true;
}

static bool json_bool(struct json_parser *parser) {
    bool value = *parser->next == 't';
    if (!json_word(parser, value ? "true" : "false")) return false;
    buffer_append_byte(&parser->buffer, value);
    return true;
}

static bool json_members(struct json_parser *parser, bool array, uint32_t depth);

// Parses a value whose BSON type goes to offset `type_at`.
static bool json_value(struct json_parser *parser, size_t type_at, uint32_t depth) {
    uint8_t c = json_peek(parser), type = PK_TYPE_NULL;
    if (c == '-' || is_digit(c)) return json_number(parser, type_at);
    if (c == '"') type = PK_TYPE_TEXT;
    if (c == 't' || c == 'f') type = PK_TYPE_BOOL;
    if (c == '{') type = PK_TYPE_DOCUMENT;
    if (c == '[') type = PK_TYPE_ARRAY;
    parser->buffer.data[type_at] = type;
    switch (type) {
    case PK_TYPE_TEXT:
        return json_text_value(parser);
    case PK_TYPE_BOOL:
        return json_bool(parser);
    case PK_TYPE_NULL:
        return json_word(parser, "null");
    default:
        if (depth == DEPTH_MAX) return json_refuse(parser, "nested too deep");
        return json_members(parser, c == '[', depth);
    }
}

// "name": and nothing of the value.
static bool json_name(struct json_parser *parser) {
    struct buffer *buffer = &parser->buffer;
    if (json_peek(parser) != '"') return json_refuse(parser, "a name in quotes is expected");
    const uint8_t *where = parser->next;
    size_t start = buffer->size;
    if (!json_string(parser)) return false;
    for (size_t i = start; i < buffer->size; i++) {
        if (buffer->data[i] != 0) continue;
        parser->next = where;
        return json_refuse(parser, "a name with a NUL character");
    }
    if (json_peek(parser) != ':') return json_refuse(parser, "':' is expected");
    parser->next++;
    return true;
}

static bool json_member(struct json_parser *parser, bool array, uint32_t index, uint32_t depth) {
    struct buffer *buffer = &parser->buffer;
    size_t type_at = buffer->size;
    buffer_append_byte(buffer, 0);
    if (array) {
        buffer->size += write_decimal(buffer_reserve(buffer, 20), index);
    } else if (!json_name(parser)) {
        return false;
    }
    buffer_append_byte(buffer, 0);
    return json_value(parser, type_at, depth);
}

// An object or array with its brackets, at nesting `depth`; recursion ends at DEPTH_MAX.
static bool json_members(struct json_parser *parser, bool array, uint32_t depth) {
    uint8_t close = array ? ']' : '}';
    size_t start = put_start(&parser->buffer);
    parser->next++;
    bool more = json_peek(parser) != close;
    for (uint32_t index = 0; more; index++) {
        if (!json_member(parser, array, index, depth + 1)) return false;
        more = json_peek(parser) == ',';
        if (more) parser->next++;
    }
    if (json_peek(parser) != close)
        return json_refuse(parser, array ? "',' or ']' is expected" : "',' or '}' is expected");
    parser->next++;
    put_end(&parser->buffer, start);
    return true;
}

// "line 3, column 7: a value is expected"
static struct pk_text json_describe(const struct json_parser *parser) {
    uint64_t line = 1, column = 1;
    for (const uint8_t *p = parser->start; p < parser->next; p++) {
        column = *p == '\n' ? 1 : column + ((*p & 0xc0) != 0x80);
        line += *p == '\n';
    }
    struct buffer text = {0};
    buffer_append(&text, "line ", 5);
    text.size += write_decimal(buffer_reserve(&text, 20), line);
    buffer_append(&text, ", column ", 9);
    text.size += write_decimal(buffer_reserve(&text, 20), column);
    buffer_append(&text, ": ", 2);
    buffer_append(&text, parser->error, __builtin_strlen(parser->error));
    buffer_seal(&text);
    return text_of(text.data, text.size);
}

static bool json_document(struct json_parser *parser) {
    if (json_peek(parser) != '{') return json_refuse(parser, "an object is expected");
    if (!json_members(parser, false, 0)) return false;
    json_peek(parser);
    return parser->next == parser->end || json_refuse(parser, "something follows the object");
}

bool pk_json_parse(struct pk_text json, struct pk_document *ret, struct pk_text *ret_error) {
    const uint8_t *data = (const uint8_t *)json.data;
    if (data == NULL) data = empty_document; // of size 0
    struct json_parser parser = {.start = data, .next = data, .end = data + json.size};
    bool parsed = json_document(&parser);
    if (parsed) {
        buffer_seal(&parser.buffer);
        *ret = (struct pk_document){parser.buffer.data, parser.buffer.size};
    } else if (ret_error != NULL) {
        *ret_error = json_describe(&parser);
    }
    return parsed;
}
