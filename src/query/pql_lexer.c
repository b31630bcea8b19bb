// SPDX-License-Identifier: Apache-2.0
#include "query/pql_lexer.h"

#include <stdio.h>
#include <stdlib.h>

#define NUMBER_SIZE_MAX 64

// ---- errors ---------------------------------------------------------------------------------

enum status pql_error_at(const struct pql_lexer *lexer, size_t offset, const char *format, ...) {
    char message[sizeof lexer->error->message];
    uint32_t line = 1, column = 1;
    va_list arguments;
    for (size_t i = 0; i < offset && i < lexer->text.size; i++) {
        uint8_t byte = lexer->text.data[i];
        if (byte == '\n') {
            line++;
            column = 1;
        } else if ((byte & 0xc0) != 0x80) { // characters, not bytes
            column++;
        }
    }
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    error_set_at(lexer->error, STATUS_INVALID, (int64_t)offset, "line %u, column %u: %s", line,
                 column, message);
    if (lexer->error != NULL) {
        lexer->error->line = line;
        lexer->error->column = column;
    }
    return STATUS_INVALID;
}

static enum status no_memory(const struct pql_lexer *lexer) {
    return error_set(lexer->error, STATUS_NO_MEMORY, "no memory for the query text");
}

// ---- characters -----------------------------------------------------------------------------

static int peek(const struct pql_lexer *lexer, size_t ahead) {
    size_t at = lexer->offset + ahead;
    return at < lexer->text.size ? lexer->text.data[at] : -1;
}

static bool is_digit(int c) {
    return c >= '0' && c <= '9';
}
static bool is_name_start(int c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}
static bool is_name(int c) {
    return is_name_start(c) || is_digit(c);
}

// Blanks, `// …` and `/* … */`.
static enum status skip_blanks(struct pql_lexer *lexer) {
    for (;;) {
        int c = peek(lexer, 0), next = peek(lexer, 1);
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
            lexer->offset++;
        } else if (c == '/' && next == '/') {
            while (peek(lexer, 0) >= 0 && peek(lexer, 0) != '\n') lexer->offset++;
        } else if (c == '/' && next == '*') {
            size_t start = lexer->offset;
            lexer->offset += 2;
            while (peek(lexer, 0) >= 0 && !(peek(lexer, 0) == '*' && peek(lexer, 1) == '/'))
                lexer->offset++;
            if (peek(lexer, 0) < 0)
                return pql_error_at(lexer, start, "the comment that begins here has no end");
            lexer->offset += 2;
        } else {
            return STATUS_OK;
        }
    }
}

// ---- strings --------------------------------------------------------------------------------

static size_t put_utf8(uint8_t *out, uint32_t code) {
    if (code < 0x80) {
        out[0] = (uint8_t)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (uint8_t)(0xc0 | code >> 6);
        out[1] = (uint8_t)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (uint8_t)(0xe0 | code >> 12);
        out[1] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | code >> 18);
    out[1] = (uint8_t)(0x80 | (code >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80 | (code & 0x3f));
    return 4;
}

static int hex_digit(int c) {
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool read_hex4(struct pql_lexer *lexer, uint32_t *ret) {
    uint32_t code = 0;
    for (size_t i = 0; i < 4; i++) {
        int digit = hex_digit(peek(lexer, i));
        if (digit < 0) return false;
        code = code << 4 | (uint32_t)digit;
    }
    lexer->offset += 4;
    *ret = code;
    return true;
}

// What follows `\u`; two of them make one character beyond U+FFFF.
static enum status read_unicode(struct pql_lexer *lexer, size_t start, uint32_t *ret) {
    uint32_t code = 0, low = 0;
    if (!read_hex4(lexer, &code))
        return pql_error_at(lexer, start, "four hexadecimal digits are expected after \\u");
    if (code >= 0xd800 && code < 0xdc00 && peek(lexer, 0) == '\\' && peek(lexer, 1) == 'u') {
        lexer->offset += 2;
        if (!read_hex4(lexer, &low) || low < 0xdc00 || low > 0xdfff)
            return pql_error_at(lexer, start, "half of a surrogate pair");
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    if (code >= 0xd800 && code <= 0xdfff)
        return pql_error_at(lexer, start, "half of a surrogate pair");
    if (code == 0) return pql_error_at(lexer, start, "a string cannot hold \\u0000");
    *ret = code;
    return STATUS_OK;
}

static enum status read_escape(struct pql_lexer *lexer, uint8_t *out, size_t *size) {
    static const char names[] = "nrtbf\\/\"'`", values[] = "\n\r\t\b\f\\/\"'`";
    size_t start = lexer->offset++;
    int c = peek(lexer, 0);
    const char *found = c > 0 ? strchr(names, c) : NULL;
    if (found != NULL) {
        out[(*size)++] = (uint8_t)values[found - names];
        lexer->offset++;
        return STATUS_OK;
    }
    if (c != 'u') return pql_error_at(lexer, start, "unknown escape in a string");
    uint32_t code = 0;
    lexer->offset++;
    enum status status = read_unicode(lexer, start, &code);
    if (status == STATUS_OK) *size += put_utf8(out + *size, code);
    return status;
}

static enum status read_string(struct pql_lexer *lexer, int quote, struct bytes *ret) {
    size_t start = lexer->offset++, size = 0, end = lexer->offset;
    while (end < lexer->text.size && lexer->text.data[end] != quote)
        end += lexer->text.data[end] == '\\' ? 2 : 1;
    if (end >= lexer->text.size)
        return pql_error_at(lexer, start, "the %s that begins here has no end",
                            quote == '`' ? "name" : "string");
    uint8_t *out = arena_allocate(lexer->arena, end - start + 1, 1);
    if (out == NULL) return no_memory(lexer);
    while (peek(lexer, 0) != quote) {
        if (peek(lexer, 0) == '\n')
            return pql_error_at(lexer, start, "a line break in a string: write \\n");
        if (peek(lexer, 0) == '\\') {
            enum status status = read_escape(lexer, out, &size);
            if (status != STATUS_OK) return status;
            continue;
        }
        out[size++] = (uint8_t)peek(lexer, 0);
        lexer->offset++;
    }
    lexer->offset++;
    *ret = bytes_of(out, size);
    return STATUS_OK;
}

// ---- numbers --------------------------------------------------------------------------------

static void skip_digits(struct pql_lexer *lexer) {
    while (is_digit(peek(lexer, 0))) lexer->offset++;
}

static enum status read_integer(struct pql_lexer *lexer, struct pql_token *token) {
    uint64_t value = 0;
    for (size_t i = 0; i < token->text.size; i++) {
        uint64_t digit = (uint64_t)(token->text.data[i] - '0');
        if (value > (0x8000000000000000ULL - digit) / 10)
            return pql_error_at(lexer, token->offset, "the integer does not fit into 64 bits");
        value = value * 10 + digit;
    }
    token->kind = PQL_INTEGER;
    token->integer = value;
    return STATUS_OK;
}

static enum status read_double(struct pql_lexer *lexer, struct pql_token *token) {
    char text[NUMBER_SIZE_MAX];
    if (token->text.size >= sizeof text)
        return pql_error_at(lexer, token->offset, "a number of more than %d characters",
                            NUMBER_SIZE_MAX - 1);
    memcpy(text, token->text.data, token->text.size);
    text[token->text.size] = '\0';
    token->kind = PQL_DOUBLE;
    token->number = strtod(text, NULL);
    if (token->number > 1.7976931348623157e308)
        return pql_error_at(lexer, token->offset, "the number is too large for a double");
    return STATUS_OK;
}

static enum status read_number(struct pql_lexer *lexer, struct pql_token *token) {
    size_t start = lexer->offset;
    bool fraction = false;
    skip_digits(lexer);
    if (peek(lexer, 0) == '.' && is_digit(peek(lexer, 1))) {
        fraction = true;
        lexer->offset++;
        skip_digits(lexer);
    }
    int sign = peek(lexer, 1) == '+' || peek(lexer, 1) == '-';
    if ((peek(lexer, 0) == 'e' || peek(lexer, 0) == 'E') && is_digit(peek(lexer, 1 + sign))) {
        fraction = true;
        lexer->offset += 1 + sign;
        skip_digits(lexer);
    }
    token->text = bytes_of(lexer->text.data + start, lexer->offset - start);
    bool decimal = peek(lexer, 0) == 'm' && !is_name(peek(lexer, 1));
    lexer->offset += decimal;
    if (is_name(peek(lexer, 0)))
        return pql_error_at(lexer, start, "a number cannot be followed by a letter");
    token->kind = PQL_DECIMAL;
    if (decimal) return STATUS_OK;
    return fraction ? read_double(lexer, token) : read_integer(lexer, token);
}

// ---- tokens ---------------------------------------------------------------------------------

static enum status read_name(struct pql_lexer *lexer, struct pql_token *token) {
    size_t start = lexer->offset;
    while (is_name(peek(lexer, 0))) lexer->offset++;
    token->text = bytes_of(lexer->text.data + start, lexer->offset - start);
    return STATUS_OK;
}

static enum status read_symbol(struct pql_lexer *lexer, struct pql_token *token) {
    static const char *const pairs[] = {"!=", "<=", ">="};
    size_t size = 1;
    for (size_t i = 0; i < 3; i++)
        if (peek(lexer, 0) == pairs[i][0] && peek(lexer, 1) == pairs[i][1]) size = 2;
    if (size == 1 &&
        (peek(lexer, 0) == 0 || strchr(".,()[]{}:=<>+-*/%~", peek(lexer, 0)) == NULL)) {
        int c = peek(lexer, 0);
        return c > 0x20 && c < 0x7f
                   ? pql_error_at(lexer, lexer->offset, "unexpected character '%c'", c)
                   : pql_error_at(lexer, lexer->offset, "unexpected byte 0x%02x", (unsigned)c);
    }
    token->kind = PQL_SYMBOL;
    token->text = bytes_of(lexer->text.data + lexer->offset, size);
    lexer->offset += size;
    return STATUS_OK;
}

static enum status read_token(struct pql_lexer *lexer, struct pql_token *token) {
    int c = peek(lexer, 0);
    token->kind = PQL_NAME;
    if (is_name_start(c)) return read_name(lexer, token);
    if (is_digit(c)) return read_number(lexer, token);
    if (c == '"' || c == '\'' || c == '`') {
        token->kind = c == '`' ? PQL_NAME : PQL_STRING;
        token->quoted = true;
        return read_string(lexer, c, &token->text);
    }
    if (c == '$' || (c == ':' && !lexer->member && is_name_start(peek(lexer, 1)))) {
        token->kind = PQL_PARAMETER;
        lexer->offset++;
        if (!is_name(peek(lexer, 0)))
            return pql_error_at(lexer, token->offset,
                                "a parameter's number or name is expected "
                                "after '$'");
        return read_name(lexer, token);
    }
    return read_symbol(lexer, token);
}

enum status pql_lexer_next(struct pql_lexer *lexer, struct pql_token *ret) {
    enum status status = skip_blanks(lexer);
    if (status != STATUS_OK) return status;
    *ret = (struct pql_token){.offset = lexer->offset};
    if (peek(lexer, 0) < 0) return STATUS_OK;
    status = read_token(lexer, ret);
    ret->source = bytes_of(lexer->text.data + ret->offset, lexer->offset - ret->offset);
    return status;
}

enum status pql_lexer_regex(struct pql_lexer *lexer, struct pql_token *ret) {
    enum status status = skip_blanks(lexer);
    if (status != STATUS_OK) return status;
    size_t start = lexer->offset;
    if (peek(lexer, 0) != '/')
        return pql_error_at(lexer, start, "a regular expression is expected: /pattern/flags");
    size_t end = start + 1;
    while (end < lexer->text.size && lexer->text.data[end] != '/' && lexer->text.data[end] != '\n')
        end += lexer->text.data[end] == '\\' ? 2 : 1;
    if (end >= lexer->text.size || lexer->text.data[end] != '/')
        return pql_error_at(lexer, start, "the regular expression that begins here has no end");
    *ret = (struct pql_token){.kind = PQL_REGEX, .offset = start};
    ret->text = bytes_of(lexer->text.data + start + 1, end - start - 1);
    lexer->offset = end + 1;
    struct pql_token flags;
    status = read_name(lexer, &flags);
    ret->flags = flags.text;
    ret->source = bytes_of(lexer->text.data + start, lexer->offset - start);
    return status;
}
