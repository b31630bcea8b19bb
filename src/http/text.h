// SPDX-License-Identifier: Apache-2.0
// Character classes and small vocabularies of HTTP (RFC 9110 §5.6.2), as tables.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum text_class {
    TEXT_TOKEN = 1,  // tchar: methods, header names
    TEXT_VALUE = 2,  // header values: no controls but the tab
    TEXT_TARGET = 4, // request targets: visible ASCII but '#'
    TEXT_HOST = 8,   // host and port
};
extern const uint8_t text_classes[256];

static inline bool text_is(uint8_t c, enum text_class text_class) {
    return (text_classes[c] & text_class) != 0;
}
// Whether every byte is of the class; true for none.
bool text_all(struct bytes bytes, enum text_class text_class);
// ASCII case-insensitive.
bool text_equal_ignoring_case(struct bytes a, struct bytes b);
// Without spaces and tabs at both ends.
struct bytes text_trim(struct bytes bytes);
// Takes the next element off a comma-separated list, trimmed; false at the end.
bool text_next_element(struct bytes *list, struct bytes *ret_element);
// The value of a hexadecimal digit, or -1.
int text_hex_value(uint8_t c);
// "Not Found"; "Unknown" for a number without a name.
const char *text_reason(int status);
// Writes the decimal digits of `value`; returns the end.
char *text_put_number(char *place, uint64_t value);
