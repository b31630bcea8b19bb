// SPDX-License-Identifier: Apache-2.0
// The part of planck.h that templates call, on a fixed buffer, and a program that renders: the .zsx
// under test defines render(). What a document is here: the texts "one", "two", … by a number.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "planck.h"

void render(struct pk_out *out);

struct pk_out {
    char data[64 * 1024];
    size_t size;
};

struct pk_text pk_text_of(const char *string) {
    return (struct pk_text){string, strlen(string)};
}

bool pk_text_equal(struct pk_text a, struct pk_text b) {
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

bool pk_text_is(struct pk_text text, const char *string) {
    return pk_text_equal(text, pk_text_of(string));
}

void pk_raw_text(struct pk_out *out, struct pk_text text) {
    if (text.size > sizeof out->data - out->size) abort();
    if (text.size > 0) memcpy(out->data + out->size, text.data, text.size);
    out->size += text.size;
}

static void put(struct pk_out *out, const char *text) {
    pk_raw_text(out, pk_text_of(text));
}

void pk_escape(struct pk_out *out, struct pk_text text) {
    for (size_t i = 0; i < text.size; i++) {
        switch (text.data[i]) {
        case '&':
            put(out, "&amp;");
            break;
        case '<':
            put(out, "&lt;");
            break;
        case '>':
            put(out, "&gt;");
            break;
        case '"':
            put(out, "&quot;");
            break;
        case '\'':
            put(out, "&#39;");
            break;
        default:
            pk_raw_text(out, (struct pk_text){text.data + i, 1});
        }
    }
}

static bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void pk_escape_url(struct pk_out *out, struct pk_text text) {
    for (size_t i = 0; i < text.size; i++) {
        char encoded[4] = {text.data[i]};
        if (!is_plain(text.data[i]))
            snprintf(encoded, sizeof encoded, "%%%02X", (unsigned char)text.data[i]);
        put(out, encoded);
    }
}

void pk_write_int(struct pk_out *out, int64_t value) {
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)value);
    put(out, text);
}

void pk_write_cents(struct pk_out *out, int64_t cents) {
    char text[32];
    snprintf(text, sizeof text, "%lld.%02lld", (long long)(cents / 100), (long long)(cents % 100));
    put(out, text);
}

static const char *const words[] = {"one", "two", "three", "four"};

bool pk_result_next(struct pk_result *result, struct pk_document *ret) {
    if (result->rest.size >= result->count) return false;
    ret->data = (const uint8_t *)words[result->rest.size];
    ret->size = strlen(words[result->rest.size++]);
    return true;
}

struct pk_text pk_get_text(struct pk_document document, const char *path) {
    (void)path;
    return (struct pk_text){(const char *)document.data, document.size};
}

struct pk_iterator pk_iterate(struct pk_document document) {
    return (struct pk_iterator){document.data, document.data + document.size};
}

// A character each, as a text.
bool pk_next(struct pk_iterator *iterator, struct pk_text *ret_name, struct pk_value *ret_value) {
    if (iterator->next == iterator->end) return false;
    *ret_name = (struct pk_text){NULL, 0};
    *ret_value =
        (struct pk_value){.type = PK_TYPE_TEXT, .text = {(const char *)iterator->next++, 1}};
    return true;
}

struct pk_text pk_value_to_text(struct pk_value value) {
    return value.text;
}

int main(void) {
    static struct pk_out out;
    render(&out);
    return fwrite(out.data, 1, out.size, stdout) == out.size ? 0 : 1;
}
