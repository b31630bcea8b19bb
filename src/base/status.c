// SPDX-License-Identifier: Apache-2.0
#include "base/status.h"

#include <stddef.h>
#include <stdio.h>

static const char *const status_texts[] = {
#define STATUS_TEXT(name, code, text, http) [code] = (text),
    STATUS_TABLE(STATUS_TEXT)
#undef STATUS_TEXT
};

static const int status_http_codes[] = {
#define STATUS_HTTP(name, code, text, http) [code] = (http),
    STATUS_TABLE(STATUS_HTTP)
#undef STATUS_HTTP
};

#define STATUS_COUNT (sizeof status_texts / sizeof status_texts[0])

const char *status_text(enum status status) {
    return (size_t)status < STATUS_COUNT ? status_texts[status] : "unknown";
}

int status_http(enum status status) {
    return (size_t)status < STATUS_COUNT ? status_http_codes[status] : 500;
}

static void error_fill(struct error *error, enum status status, int64_t offset, const char *format,
                       va_list arguments) {
    if (error == NULL) return;
    // A caller may pass the old message as an argument of the new one.
    char message[sizeof error->message];
    if (vsnprintf(message, sizeof message, format, arguments) < 0) message[0] = '\0';
    *error = (struct error){.status = status, .offset = offset};
    snprintf(error->message, sizeof error->message, "%s", message);
}

enum status error_set(struct error *error, enum status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    error_fill(error, status, -1, format, arguments);
    va_end(arguments);
    return status;
}

enum status error_set_at(struct error *error, enum status status, int64_t offset,
                         const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    error_fill(error, status, offset, format, arguments);
    va_end(arguments);
    return status;
}
