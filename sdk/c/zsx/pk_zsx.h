// SPDX-License-Identifier: Apache-2.0
// What C code that is generated from .zsx files calls (docs/ZSX.md): values written by their type
// and the place where they stand, and what {for} goes through. It needs planck.h and nothing else,
// allocates nothing, and is included by the generated code's author: #include "zsx/pk_zsx.h".
//
// Values: integers, double, bool, char (one character), texts (struct pk_text, const char *),
// struct pk_value, struct pk_zsx_cents. An absent text (data NULL, or a null pointer) writes
// nothing, and an attribute whose value is absent is left out.
#ifndef PK_ZSX_H
#define PK_ZSX_H

#include "planck.h"

enum pk_zsx_kind {
    PK_ZSX_ABSENT,
    PK_ZSX_TEXT,
    PK_ZSX_INT,
    PK_ZSX_UNSIGNED,
    PK_ZSX_DOUBLE,
    PK_ZSX_BOOL,
    PK_ZSX_CHAR,
    PK_ZSX_CENTS,
};
struct pk_zsx_value {
    enum pk_zsx_kind kind;
    struct pk_text text;
    int64_t integer;
    double number;
};
// Written with two decimals: {(struct pk_zsx_cents){price}} is 12.50 for 1250.
struct pk_zsx_cents {
    int64_t cents;
};
// {...attributes}: names that are safe on every element (pk_zsx_is_safe_name), others are left out.
struct pk_zsx_attribute {
    struct pk_text name, value;
};
struct pk_zsx_attributes {
    const struct pk_zsx_attribute *items;
    size_t count;
};

// ---- values by type -------------------------------------------------------------------------
#define PK_ZSX_INLINE static inline __attribute__((always_inline, unused))

PK_ZSX_INLINE struct pk_zsx_value pk_zsx_of_text(struct pk_text text) {
    return (struct pk_zsx_value){.kind = text.data != NULL ? PK_ZSX_TEXT : PK_ZSX_ABSENT,
                                 .text = text};
}
PK_ZSX_INLINE struct pk_zsx_value pk_zsx_of_string(const char *text) {
    if (text == NULL) return (struct pk_zsx_value){.kind = PK_ZSX_ABSENT};
    return pk_zsx_of_text((struct pk_text){text, __builtin_strlen(text)});
}
PK_ZSX_INLINE struct pk_zsx_value pk_zsx_of_int(int64_t value) {
    return (struct pk_zsx_value){.kind = PK_ZSX_INT, .integer = value};
}
PK_ZSX_INLINE struct pk_zsx_value pk_zsx_of_unsigned(uint64_t value) {
    return (struct pk_zsx_value){.kind = PK_ZSX_UNSIGNED, .integer = (int64_t)value};
}
PK_ZSX_INLINE struct pk_zsx_value pk_zsx_of_double(double value) {
    return (struct pk_zsx_value){.kind = PK_ZSX_DOUBLE, .number = value};
}
PK_ZSX_INLINE struct pk_zsx_value pk_zsx_of_bool(bool value) {
    return (struct pk_zsx_value){.kind = PK_ZSX_BOOL, .integer = value};
}
PK_ZSX_INLINE struct pk_zsx_value pk_zsx_of_char(char value) {
    return (struct pk_zsx_value){.kind = PK_ZSX_CHAR, .integer = value};
}
PK_ZSX_INLINE struct pk_zsx_value pk_zsx_of_cents(struct pk_zsx_cents value) {
    return (struct pk_zsx_value){.kind = PK_ZSX_CENTS, .integer = value.cents};
}
static inline __attribute__((unused)) struct pk_zsx_value pk_zsx_of_value(struct pk_value value) {
    switch (value.type) {
    case PK_TYPE_TEXT:
        return pk_zsx_of_text(value.text);
    case PK_TYPE_INT32:
    case PK_TYPE_INT64:
    case PK_TYPE_DATE:
        return pk_zsx_of_int(value.integer);
    case PK_TYPE_DOUBLE:
        return pk_zsx_of_double(value.number);
    case PK_TYPE_BOOL:
        return pk_zsx_of_bool(value.integer != 0);
    case PK_TYPE_BINARY:
        return pk_zsx_of_text(pk_value_to_text(value));
    default:
        return (struct pk_zsx_value){.kind = PK_ZSX_ABSENT};
    }
}
PK_ZSX_INLINE struct pk_zsx_value pk_zsx_of_itself(struct pk_zsx_value value) {
    return value;
}

#define PK_ZSX_VALUE(...)                                                                          \
    _Generic((__VA_ARGS__),                                                                        \
        struct pk_text: pk_zsx_of_text,                                                            \
        char *: pk_zsx_of_string,                                                                  \
        const char *: pk_zsx_of_string,                                                            \
        bool: pk_zsx_of_bool,                                                                      \
        char: pk_zsx_of_char,                                                                      \
        signed char: pk_zsx_of_int,                                                                \
        short: pk_zsx_of_int,                                                                      \
        int: pk_zsx_of_int,                                                                        \
        long: pk_zsx_of_int,                                                                       \
        long long: pk_zsx_of_int,                                                                  \
        unsigned char: pk_zsx_of_unsigned,                                                         \
        unsigned short: pk_zsx_of_unsigned,                                                        \
        unsigned: pk_zsx_of_unsigned,                                                              \
        unsigned long: pk_zsx_of_unsigned,                                                         \
        unsigned long long: pk_zsx_of_unsigned,                                                    \
        float: pk_zsx_of_double,                                                                   \
        double: pk_zsx_of_double,                                                                  \
        struct pk_value: pk_zsx_of_value,                                                          \
        struct pk_zsx_cents: pk_zsx_of_cents,                                                      \
        struct pk_zsx_value: pk_zsx_of_itself)(__VA_ARGS__)

// ---- numbers --------------------------------------------------------------------------------
static inline __attribute__((unused)) void pk_zsx_write_unsigned(struct pk_out *out,
                                                                 uint64_t value) {
    char digits[20];
    size_t at = sizeof digits;
    do digits[--at] = (char)('0' + value % 10);
    while ((value /= 10) != 0);
    pk_raw_text(out, (struct pk_text){digits + at, sizeof digits - at});
}

// The shortest of up to 15 significant digits that reads back as the same number, else 15 digits;
// 1e-07 and 1e+15 and beyond with an exponent. NaN and infinities as JavaScript writes them.
static inline __attribute__((unused)) void pk_zsx_write_double(struct pk_out *out, double value) {
    if (value != value) {
        pk_raw(out, "NaN");
        return;
    }
    if (value < 0) {
        pk_raw(out, "-");
        value = -value;
    }
    if (value > 1.7976931348623157e308) {
        pk_raw(out, "Infinity");
        return;
    }
    int exponent = 0;
    if (value >= 1e15 || (value > 0 && value < 1e-6)) {
        for (; value >= 10; exponent++) value /= 10;
        for (; value < 1; exponent--) value *= 10;
    }
    double scale = 1, limit = 1e15;
    int decimals = 0;
    uint64_t scaled = (uint64_t)(value + 0.5);
    while ((double)scaled / scale != value && decimals < 20 && value * scale * 10 < limit) {
        scale *= 10;
        decimals++;
        scaled = (uint64_t)(value * scale + 0.5);
    }
    char digits[24];
    size_t at = sizeof digits;
    for (int i = 0; i < decimals; i++, scaled /= 10) digits[--at] = (char)('0' + scaled % 10);
    size_t end = sizeof digits;
    while (end > at && digits[end - 1] == '0') end--;
    pk_zsx_write_unsigned(out, scaled);
    if (end > at) {
        pk_raw(out, ".");
        pk_raw_text(out, (struct pk_text){digits + at, end - at});
    }
    if (exponent == 0) return;
    pk_raw_text(out, exponent < 0 ? PK_TEXT("e") : PK_TEXT("e+"));
    pk_write_int(out, exponent);
}

PK_ZSX_INLINE void pk_zsx_write_char(struct pk_out *out, char value) {
    pk_escape(out, (struct pk_text){&value, 1});
}

// ---- text and attributes ------------------------------------------------------------------------
PK_ZSX_INLINE void pk_zsx_write_text(struct pk_out *out, struct pk_zsx_value value) {
    switch (value.kind) {
    case PK_ZSX_ABSENT:
        return;
    case PK_ZSX_TEXT:
        pk_escape(out, value.text);
        return;
    case PK_ZSX_INT:
        pk_write_int(out, value.integer);
        return;
    case PK_ZSX_UNSIGNED:
        pk_zsx_write_unsigned(out, (uint64_t)value.integer);
        return;
    case PK_ZSX_DOUBLE:
        pk_zsx_write_double(out, value.number);
        return;
    case PK_ZSX_BOOL:
        pk_raw_text(out, value.integer != 0 ? PK_TEXT("true") : PK_TEXT("false"));
        return;
    case PK_ZSX_CHAR:
        pk_zsx_write_char(out, (char)value.integer);
        return;
    case PK_ZSX_CENTS:
        pk_write_cents(out, value.integer);
        return;
    }
}
#define pk_zsx_text(out, ...) pk_zsx_write_text((out), PK_ZSX_VALUE(__VA_ARGS__))

// For {raw …} only.
#define pk_zsx_raw(out, ...)                                                                       \
    pk_raw_text((out), _Generic((__VA_ARGS__),                                                     \
                    struct pk_text: pk_zsx_raw_text,                                               \
                    char *: pk_text_of,                                                            \
                    const char *: pk_text_of)(__VA_ARGS__))
PK_ZSX_INLINE struct pk_text pk_zsx_raw_text(struct pk_text text) {
    return text;
}

#define pk_zsx_attribute_text(out, begin, ...)                                                     \
    pk_zsx_write_attribute((out), PK_TEXT(begin), PK_ZSX_VALUE(__VA_ARGS__))
PK_ZSX_INLINE void pk_zsx_write_attribute(struct pk_out *out, struct pk_text begin,
                                          struct pk_zsx_value value) {
    if (value.kind == PK_ZSX_ABSENT) return;
    pk_raw_text(out, begin);
    pk_zsx_write_text(out, value);
    pk_raw(out, "\"");
}

// ---- URLs -----------------------------------------------------------------------------------
PK_ZSX_INLINE char pk_zsx_lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

// Whether it has no scheme, or one that runs nothing: http, https, mailto, tel, sms. Read as
// browsers do: blanks and control characters before it and line breaks and tabs in it are ignored.
static inline __attribute__((unused)) bool pk_zsx_is_safe_url(struct pk_text url) {
    char scheme[8];
    size_t size = 0;
    for (size_t i = 0; i < url.size; i++) {
        char c = url.data[i];
        if (c == '\t' || c == '\n' || c == '\r' || (size == 0 && (unsigned char)c <= ' ')) continue;
        if (c == '/' || c == '?' || c == '#') return true;
        if (c == ':') {
            struct pk_text found = {scheme, size};
            return pk_text_is(found, "http") || pk_text_is(found, "https") ||
                   pk_text_is(found, "mailto") || pk_text_is(found, "tel") ||
                   pk_text_is(found, "sms");
        }
        if (size < sizeof scheme) scheme[size] = pk_zsx_lower(c);
        if (size < sizeof scheme) size++;
    }
    return true;
}

// A whole URL; one that is not safe becomes about:invalid#zsx.
static inline __attribute__((unused)) void pk_zsx_write_url(struct pk_out *out,
                                                            struct pk_zsx_value value) {
    if (value.kind == PK_ZSX_TEXT && !pk_zsx_is_safe_url(value.text))
        pk_raw(out, "about:invalid#zsx");
    else
        pk_zsx_write_text(out, value);
}
#define pk_zsx_url(out, ...) pk_zsx_write_url((out), PK_ZSX_VALUE(__VA_ARGS__))
#define pk_zsx_attribute_url(out, begin, ...)                                                      \
    pk_zsx_write_url_attribute((out), PK_TEXT(begin), PK_ZSX_VALUE(__VA_ARGS__))
static inline __attribute__((unused)) void
pk_zsx_write_url_attribute(struct pk_out *out, struct pk_text begin, struct pk_zsx_value value) {
    if (value.kind == PK_ZSX_ABSENT) return;
    pk_raw_text(out, begin);
    pk_zsx_write_url(out, value);
    pk_raw(out, "\"");
}

// One component: everything that has a meaning in URLs is percent-encoded.
PK_ZSX_INLINE void pk_zsx_write_url_part(struct pk_out *out, struct pk_zsx_value value) {
    char c = (char)value.integer;
    if (value.kind == PK_ZSX_TEXT)
        pk_escape_url(out, value.text);
    else if (value.kind == PK_ZSX_CHAR)
        pk_escape_url(out, (struct pk_text){&c, 1});
    else
        pk_zsx_write_text(out, value);
}
#define pk_zsx_url_part(out, ...) pk_zsx_write_url_part((out), PK_ZSX_VALUE(__VA_ARGS__))

// A whole URL in a list of them.
static inline __attribute__((unused)) void pk_zsx_write_srcset(struct pk_out *out,
                                                               struct pk_zsx_value value) {
    if (value.kind != PK_ZSX_TEXT || !pk_zsx_is_safe_url(value.text)) {
        pk_zsx_write_url(out, value);
        return;
    }
    for (size_t i = 0, start = 0; i <= value.text.size; i++) {
        char c = i < value.text.size ? value.text.data[i] : ',';
        if (c != ',' && (unsigned char)c > ' ') continue;
        pk_escape(out, (struct pk_text){value.text.data + start, i - start});
        if (i < value.text.size) pk_escape_url(out, (struct pk_text){value.text.data + i, 1});
        start = i + 1;
    }
}
#define pk_zsx_srcset(out, ...) pk_zsx_write_srcset((out), PK_ZSX_VALUE(__VA_ARGS__))

// ---- values inside of code and styles -----------------------------------------------------------
// The inside of a JSON string in which no character means anything to HTML or to JavaScript, in
// whatever quotes, template literal or comment it might come to stand.
static inline __attribute__((unused)) void pk_zsx_write_json_characters(struct pk_out *out,
                                                                        struct pk_text text) {
    static const char digits[] = "0123456789abcdef";
    size_t start = 0;
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        // U+2028 and U+2029 end lines in JavaScript: e2 80 a8, e2 80 a9.
        bool separator = c == 0xe2 && i + 2 < text.size &&
                         (unsigned char)text.data[i + 1] == 0x80 &&
                         ((unsigned char)text.data[i + 2] & 0xfe) == 0xa8;
        bool plain = c >= ' ' && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&' &&
                     c != '\'' && c != '`' && c != '$' && c != '/' && c != 0x7f;
        if (plain && !separator) continue;
        pk_raw_text(out, (struct pk_text){text.data + start, i - start});
        char escape[6] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
        if (separator) {
            escape[2] = '2';
            escape[4] = '2';
            escape[5] = (unsigned char)text.data[i + 2] == 0xa8 ? '8' : '9';
            i += 2;
        }
        pk_raw_text(out, (struct pk_text){escape, sizeof escape});
        start = i + 1;
    }
    pk_raw_text(out, (struct pk_text){text.data + start, text.size - start});
}

static inline __attribute__((unused)) void
pk_zsx_write_json(struct pk_out *out, struct pk_text quote, struct pk_zsx_value value) {
    char c = (char)value.integer;
    bool is_text = value.kind == PK_ZSX_TEXT || value.kind == PK_ZSX_CHAR;
    bool is_number = value.kind != PK_ZSX_DOUBLE || value.number - value.number == 0;
    if (value.kind == PK_ZSX_ABSENT || !is_number) {
        pk_raw(out, "null");
    } else if (is_text) {
        pk_raw_text(out, quote);
        pk_zsx_write_json_characters(out, value.kind == PK_ZSX_TEXT ? value.text
                                                                    : (struct pk_text){&c, 1});
        pk_raw_text(out, quote);
    } else {
        pk_zsx_write_text(out, value);
    }
}
#define pk_zsx_script(out, ...) pk_zsx_write_json((out), PK_TEXT("\""), PK_ZSX_VALUE(__VA_ARGS__))
#define pk_zsx_evaluated(out, ...)                                                                 \
    pk_zsx_write_json((out), PK_TEXT("&quot;"), PK_ZSX_VALUE(__VA_ARGS__))

// A value of a CSS property: letters, digits, blanks and "#%.,+-_"; anything else makes it `unset`.
static inline __attribute__((unused)) void pk_zsx_write_css(struct pk_out *out,
                                                            struct pk_zsx_value value) {
    for (size_t i = 0; value.kind == PK_ZSX_TEXT && i < value.text.size; i++) {
        char c = value.text.data[i], l = pk_zsx_lower(c);
        bool plain = (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == ' ' || c == '#' ||
                     c == '%' || c == '.' || c == ',' || c == '+' || c == '-' || c == '_';
        if (!plain) value = pk_zsx_of_text(PK_TEXT("unset"));
    }
    if (value.kind == PK_ZSX_CHAR) value = pk_zsx_of_text(PK_TEXT("unset"));
    pk_zsx_write_text(out, value);
}
#define pk_zsx_css(out, ...) pk_zsx_write_css((out), PK_ZSX_VALUE(__VA_ARGS__))

// ---- {...attributes} --------------------------------------------------------------------------
static inline __attribute__((unused)) bool pk_zsx_has_word(const char *list, struct pk_text word) {
    for (const char *at = list; *at != '\0';) {
        size_t size = 0;
        while (at[size] != '\0' && at[size] != ' ') size++;
        if (size > 0 && pk_text_equal((struct pk_text){at, size}, word)) return true;
        at += size + (at[size] == ' ');
    }
    return false;
}

// Names whose value no browser and no library follows or evaluates.
#define PK_ZSX_SAFE_NAMES                                                                          \
    "id class title lang dir role tabindex name value placeholder for type alt width height min "  \
    "max step minlength maxlength autocomplete inputmode enterkeyhint rows cols colspan rowspan "  \
    "scope headers label translate spellcheck draggable"
static inline __attribute__((unused)) bool pk_zsx_is_safe_name(struct pk_text name) {
    if (pk_zsx_has_word(PK_ZSX_SAFE_NAMES, name)) return true;
    if (name.size < 6 || !pk_text_equal((struct pk_text){name.data, 5}, PK_TEXT("aria-")))
        return false;
    for (size_t i = 5; i < name.size; i++)
        if (name.data[i] < 'a' || name.data[i] > 'z') return false;
    return true;
}
static inline __attribute__((unused)) void pk_zsx_spread(struct pk_out *out, const char *skip,
                                                         struct pk_zsx_attributes attributes) {
    for (size_t i = 0; i < attributes.count; i++) {
        struct pk_text name = attributes.items[i].name, value = attributes.items[i].value;
        if (value.data == NULL || !pk_zsx_is_safe_name(name) || pk_zsx_has_word(skip, name))
            continue;
        pk_raw(out, " ");
        pk_raw_text(out, name);
        pk_raw(out, "=\"");
        pk_escape(out, value);
        pk_raw(out, "\"");
    }
}

// ---- {for item in things} ---------------------------------------------------------------------
// What it goes through has a row: type, type of the cursor, type of the item, and two functions:
//     cursor begin(type);   bool next(cursor *, item *);
// For types of your own, before this header is included:
//     #define PK_ZSX_EACH(ROW) ROW(struct basket, struct basket_cursor, struct line, begin, next)
#ifndef PK_ZSX_EACH
#define PK_ZSX_EACH(ROW)
#endif
#define PK_ZSX_EACH_KNOWN(ROW)                                                                     \
    ROW(struct pk_result, struct pk_result, struct pk_document, pk_zsx_begin_result,               \
        pk_result_next)                                                                            \
    ROW(struct pk_document, struct pk_iterator, struct pk_value, pk_iterate, pk_zsx_next_value)    \
    ROW(struct pk_iterator, struct pk_iterator, struct pk_value, pk_zsx_begin_iterator,            \
        pk_zsx_next_value)                                                                         \
    PK_ZSX_EACH(ROW)

PK_ZSX_INLINE struct pk_result pk_zsx_begin_result(struct pk_result result) {
    return result;
}
PK_ZSX_INLINE struct pk_iterator pk_zsx_begin_iterator(struct pk_iterator iterator) {
    return iterator;
}
PK_ZSX_INLINE bool pk_zsx_next_value(struct pk_iterator *iterator, struct pk_value *ret) {
    struct pk_text name;
    return pk_next(iterator, &name, ret);
}

struct pk_zsx_not_iterable; // a {for} over a type without a row
#define PK_ZSX_CURSOR_ROW(type, cursor, item, begin, next)                                         \
    type:                                                                                          \
    (cursor *)0,
#define PK_ZSX_ITEM_ROW(type, cursor, item, begin, next)                                           \
    type:                                                                                          \
    (item *)0,
#define PK_ZSX_BEGIN_ROW(type, cursor, item, begin, next)                                          \
    type:                                                                                          \
    begin,
#define PK_ZSX_NEXT_ROW(type, cursor, item, begin, next)                                           \
    type:                                                                                          \
    next,
// clang-format off
#define PK_ZSX_CURSOR(...) __typeof__(*_Generic((__VA_ARGS__), PK_ZSX_EACH_KNOWN(PK_ZSX_CURSOR_ROW) struct pk_zsx_not_iterable *: (void *)0))
#define PK_ZSX_ITEM(...) __typeof__(*_Generic((__VA_ARGS__), PK_ZSX_EACH_KNOWN(PK_ZSX_ITEM_ROW) struct pk_zsx_not_iterable *: (void *)0))
#define PK_ZSX_BEGIN(...) _Generic((__VA_ARGS__), PK_ZSX_EACH_KNOWN(PK_ZSX_BEGIN_ROW) struct pk_zsx_not_iterable *: 0)(__VA_ARGS__)
#define PK_ZSX_NEXT(...) _Generic((__VA_ARGS__), PK_ZSX_EACH_KNOWN(PK_ZSX_NEXT_ROW) struct pk_zsx_not_iterable *: 0)
// clang-format on
// Of an array; a pointer, whose length is not known, does not compile.
#define PK_ZSX_COUNT(...)                                                                          \
    (sizeof(__VA_ARGS__) / sizeof((__VA_ARGS__)[0]) +                                              \
     0 * sizeof(char[1 - 2 * __builtin_types_compatible_p(__typeof__(__VA_ARGS__),                 \
                                                          __typeof__(&(__VA_ARGS__)[0]))]))

#endif
