// SPDX-License-Identifier: Apache-2.0
// The process's log: one JSON line a record on standard error, LOG_INFO and above unless set
// otherwise; a message is cut at 64 KiB. Written only by programs and by the layers that own a
// thread or a request (net, http, wasm, planck) and by the background threads of storage; plain
// library code returns a status instead. Any thread; lines never interleave.
#pragma once

#include "base/bytes.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_set_level(enum log_level level);
enum log_level log_get_level(void);
// Writes to another descriptor (tests); 2 by default.
void log_set_descriptor(int descriptor);
// {"time": …, "level": …, "scope": …, "message": …}; the message is escaped for JSON.
void log_write(enum log_level level, const char *scope, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// Writes whole lines, formatted by the caller, as one record.
void log_write_lines(struct bytes lines);
// Appends `bytes` to `buffer` as the inside of a JSON string: quotes, backslashes and controls
// escaped, invalid UTF-8 replaced by U+FFFD.
CHECKED enum status log_escape(struct buffer *buffer, struct bytes bytes);

#define log_debug(scope, ...)                                                                      \
    (log_get_level() <= LOG_DEBUG ? log_write(LOG_DEBUG, scope, __VA_ARGS__) : (void)0)
#define log_info(scope, ...) log_write(LOG_INFO, scope, __VA_ARGS__)
#define log_warn(scope, ...) log_write(LOG_WARN, scope, __VA_ARGS__)
#define log_error(scope, ...) log_write(LOG_ERROR, scope, __VA_ARGS__)
