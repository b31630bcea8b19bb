// SPDX-License-Identifier: Apache-2.0
#include "text.h"

#include "http/http.h"

// clang-format off
enum {
    T = TEXT_TOKEN, V = TEXT_VALUE, G = TEXT_TARGET, H = TEXT_HOST,
};
const uint8_t text_classes[256] = {
    ['\t'] = V, [' '] = V,
    ['!'] = T | V | G | H, ['"'] = V | G, ['#'] = T | V, ['$'] = T | V | G | H, ['%'] = T | V | G | H,
    ['&'] = T | V | G | H, ['\''] = T | V | G | H, ['('] = V | G | H, [')'] = V | G | H,
    ['*'] = T | V | G | H, ['+'] = T | V | G | H, [','] = V | G | H, ['-'] = T | V | G | H,
    ['.'] = T | V | G | H, ['/'] = V | G,
    ['0' ... '9'] = T | V | G | H, [':'] = V | G | H, [';'] = V | G | H,
    ['<'] = V | G, ['='] = V | G | H, ['>'] = V | G, ['?'] = V | G, ['@'] = V | G,
    ['A' ... 'Z'] = T | V | G | H, ['['] = V | G | H, ['\\'] = V | G, [']'] = V | G | H,
    ['^'] = T | V | G, ['_'] = T | V | G | H, ['`'] = T | V | G,
    ['a' ... 'z'] = T | V | G | H, ['{'] = V | G, ['|'] = T | V | G, ['}'] = V | G,
    ['~'] = T | V | G | H,
    [0x80 ... 0xff] = V,
};
// clang-format on

bool text_all(struct bytes bytes, enum text_class text_class) {
    for (size_t i = 0; i < bytes.size; i++)
        if ((text_classes[bytes.data[i]] & text_class) == 0) return false;
    return true;
}

static uint8_t lower(uint8_t c) {
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

bool text_equal_ignoring_case(struct bytes a, struct bytes b) {
    if (a.size != b.size) return false;
    for (size_t i = 0; i < a.size; i++)
        if (lower(a.data[i]) != lower(b.data[i])) return false;
    return true;
}

bool http_name_equal(struct bytes name, const char *text) {
    return text_equal_ignoring_case(name, bytes_of_string(text));
}

struct bytes text_trim(struct bytes bytes) {
    while (bytes.size > 0 && (bytes.data[0] == ' ' || bytes.data[0] == '\t'))
        bytes = bytes_of(bytes.data + 1, bytes.size - 1);
    while (bytes.size > 0 &&
           (bytes.data[bytes.size - 1] == ' ' || bytes.data[bytes.size - 1] == '\t'))
        bytes.size--;
    return bytes;
}

bool text_next_element(struct bytes *list, struct bytes *ret_element) {
    if (list->size == 0) return false;
    const uint8_t *comma = memchr(list->data, ',', list->size);
    size_t size = comma == NULL ? list->size : (size_t)(comma - list->data);
    size_t taken = comma == NULL ? size : size + 1;
    *ret_element = text_trim(bytes_of(list->data, size));
    *list = bytes_of(list->data + taken, list->size - taken);
    return true;
}

int text_hex_value(uint8_t c) {
    if (c >= '0' && c <= '9') return c - '0';
    uint8_t small = lower(c);
    return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

const char *text_reason(int status) {
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {417, "Expectation Failed"},
        {418, "I'm a teapot"},
        {422, "Unprocessable Content"},
        {428, "Precondition Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {499, "Client Closed Request"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
        {507, "Insufficient Storage"},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].status == status) return reasons[i].reason;
    return "Unknown";
}

char *text_put_number(char *place, uint64_t value) {
    char digits[20];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    while (count > 0) *place++ = digits[--count];
    return place;
}

static const char *const method_names[] = {
    [HTTP_GET] = "GET",     [HTTP_HEAD] = "HEAD",     [HTTP_POST] = "POST",      [HTTP_PUT] = "PUT",
    [HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE", [HTTP_OPTIONS] = "OPTIONS"};

const char *http_method_name(enum http_method method) {
    ASSERT(method >= HTTP_GET && method <= HTTP_OPTIONS);
    return method_names[method];
}

bool http_method_parse(struct bytes name, enum http_method *ret) {
    for (int method = HTTP_GET; method <= HTTP_OPTIONS; method++) {
        if (!bytes_equal_string(name, method_names[method])) continue;
        *ret = (enum http_method)method;
        return true;
    }
    return false;
}

const struct http_header *http_request_header(const struct http_request *request,
                                              const char *name) {
    struct bytes wanted = bytes_of_string(name);
    for (size_t i = 0; i < request->header_count; i++)
        if (text_equal_ignoring_case(request->headers[i].name, wanted)) return &request->headers[i];
    return NULL;
}
