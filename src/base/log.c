// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

enum {
    LOG_MESSAGE_MAX = 64 * 1024, // bytes; a longer message is cut
    LOG_FRAME_SIZE = 128,        // about what stands around a message
    LOG_WAIT_MS = 1000,          // how long a full pipe may hold a line up before it is dropped
};

static _Atomic int log_level = LOG_INFO;
static _Atomic int log_descriptor = STDERR_FILENO;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

void log_set_level(enum log_level level) {
    atomic_store_explicit(&log_level, (int)level, memory_order_relaxed);
}

enum log_level log_get_level(void) {
    return (enum log_level)atomic_load_explicit(&log_level, memory_order_relaxed);
}

void log_set_descriptor(int descriptor) {
    atomic_store_explicit(&log_descriptor, descriptor, memory_order_relaxed);
}

// The length of the well-formed UTF-8 sequence at `p` (RFC 3629: no overlong forms, no surrogates,
// nothing above U+10FFFF), or 0.
static size_t utf8_length(const uint8_t *p, size_t left) {
    if (p[0] < 0x80) return 1;
    size_t length = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || left < length) return 0;
    for (size_t i = 1; i < length; i++)
        if ((p[i] & 0xc0) != 0x80) return 0;
    if (p[0] == 0xe0 && p[1] < 0xa0) return 0;
    if (p[0] == 0xed && p[1] > 0x9f) return 0;
    if (p[0] == 0xf0 && p[1] < 0x90) return 0;
    if (p[0] == 0xf4 && p[1] > 0x8f) return 0;
    return length;
}

static bool is_plain(uint8_t c) {
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static enum status escape_ascii(struct buffer *buffer, uint8_t c) {
    switch (c) {
    case '"':
        return buffer_append_string(buffer, "\\\"");
    case '\\':
        return buffer_append_string(buffer, "\\\\");
    case '\n':
        return buffer_append_string(buffer, "\\n");
    case '\r':
        return buffer_append_string(buffer, "\\r");
    case '\t':
        return buffer_append_string(buffer, "\\t");
    default:
        return buffer_append_format(buffer, "\\u%04x", c);
    }
}

enum status log_escape(struct buffer *buffer, struct bytes bytes) {
    enum status status = STATUS_OK;
    size_t at = 0;
    while (at < bytes.size && status == STATUS_OK) {
        size_t begin = at;
        while (at < bytes.size && is_plain(bytes.data[at])) at++;
        if (at > begin) {
            status = buffer_append(buffer, bytes.data + begin, at - begin);
            continue;
        }
        size_t length = utf8_length(bytes.data + at, bytes.size - at);
        if (length == 1) {
            status = escape_ascii(buffer, bytes.data[at]);
        } else if (length == 0) {
            status = buffer_append_string(buffer, "\xef\xbf\xbd");
        } else {
            status = buffer_append(buffer, bytes.data + at, length);
        }
        at += length == 0 ? 1 : length;
    }
    return status;
}

// "2026-01-31T12:00:00.123Z". The date is worked out once a second in each thread.
static void format_time(char text[32]) {
    static _Thread_local time_t cached_second = -1;
    static _Thread_local char cached[24];
    int64_t now_ms = clock_realtime_ms(clock_system());
    time_t second = (time_t)(now_ms / 1000);
    if (second != cached_second) {
        struct tm parts;
        gmtime_r(&second, &parts);
        strftime(cached, sizeof cached, "%Y-%m-%dT%H:%M:%S", &parts);
        cached_second = second;
    }
    snprintf(text, 32, "%s.%03dZ", cached, (int)(now_ms % 1000));
}

static enum status format_line(struct buffer *line, enum log_level level, const char *scope,
                               struct bytes message) {
    static const char *const names[] = {"debug", "info", "warn", "error"};
    char time_text[32];
    format_time(time_text);
    enum status status = buffer_reserve(line, message.size + LOG_FRAME_SIZE);
    if (status != STATUS_OK) return status;
    status = buffer_append_format(line, "{\"time\": \"%s\", \"level\": \"%s\", \"scope\": \"",
                                  time_text, names[level]);
    if (status == STATUS_OK) status = log_escape(line, bytes_of_string(scope));
    if (status == STATUS_OK) status = buffer_append_string(line, "\", \"message\": \"");
    if (status == STATUS_OK) status = log_escape(line, message);
    if (status == STATUS_OK) status = buffer_append_string(line, "\"}\n");
    return status;
}

static void write_line(struct bytes line) {
    int descriptor = atomic_load_explicit(&log_descriptor, memory_order_relaxed);
    pthread_mutex_lock(&log_lock);
    while (line.size > 0) {
        ssize_t put = write(descriptor, line.data, line.size);
        if (put > 0) {
            line = bytes_of(line.data + put, line.size - (size_t)put);
        } else if (put < 0 && errno == EAGAIN) {
            struct pollfd wait = {.fd = descriptor, .events = POLLOUT};
            if (poll(&wait, 1, LOG_WAIT_MS) <= 0) break;
        } else if (put == 0 || errno != EINTR) {
            break; // there is nowhere left to report it
        }
    }
    pthread_mutex_unlock(&log_lock);
}

// Formats into `small` where it fits, else into memory to be freed by the caller. Without memory a
// cut message is better than none.
static char *format_message(char *small, size_t small_size, const char *format, va_list arguments) {
    va_list again;
    va_copy(again, arguments);
    char *message = small;
    int length = vsnprintf(small, small_size, format, arguments);
    if (length < 0) small[0] = '\0';
    if (length >= (int)small_size) {
        size_t size = length < LOG_MESSAGE_MAX ? (size_t)length + 1 : LOG_MESSAGE_MAX;
        char *large = malloc(size);
        if (large != NULL) {
            vsnprintf(large, size, format, again);
            message = large;
        }
    }
    va_end(again);
    return message;
}

void log_write_lines(struct bytes lines) {
    write_line(lines);
}

void log_write(enum log_level level, const char *scope, const char *format, ...) {
    ASSERT(level >= LOG_DEBUG && level <= LOG_ERROR);
    if (level < log_get_level()) return;
    int caller_errno = errno;
    char small[512];
    va_list arguments;
    va_start(arguments, format);
    char *message = format_message(small, sizeof small, format, arguments);
    va_end(arguments);
    struct buffer line = {0};
    if (format_line(&line, level, scope, bytes_of_string(message)) == STATUS_OK)
        write_line(buffer_bytes(&line));
    buffer_done(&line);
    if (message != small) free(message);
    errno = caller_errno;
}
