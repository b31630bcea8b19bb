// SPDX-License-Identifier: Apache-2.0
// The one closed table of outcomes. A function that can fail returns `enum status`; one whose
// failure a user sees also fills a `struct error` with a message and, where there is one, a
// position. The numeric codes are part of the wire protocol and never change meaning.
#pragma once

#include <stdarg.h>
#include <stdint.h>

// clang-format off
//        name                    code  wire text                http
#define STATUS_TABLE(X)                                                                            \
    X(STATUS_OK,                    0, "ok",                     200)                              \
    X(STATUS_INVALID,               1, "invalid",                400)                              \
    X(STATUS_NOT_FOUND,             2, "not_found",              404)                              \
    X(STATUS_DUPLICATE_KEY,         3, "duplicate_key",          409)                              \
    X(STATUS_CONFLICT,              4, "conflict",               409)                              \
    X(STATUS_NO_STORE,              5, "no_store",               404)                              \
    X(STATUS_NO_INDEX,              6, "no_index",               404)                              \
    X(STATUS_EXISTS,                7, "exists",                 409)                              \
    X(STATUS_FORBIDDEN,             8, "forbidden",              403)                              \
    X(STATUS_TOO_LARGE,             9, "too_large",              413)                              \
    X(STATUS_UNSUPPORTED,          10, "unsupported",            501)                              \
    X(STATUS_MALFORMED,            11, "malformed",              400)                              \
    X(STATUS_NO_MEMORY,            12, "no_memory",              503)                              \
    X(STATUS_BUSY,                 13, "busy",                   503)                              \
    X(STATUS_TIMEOUT,              14, "timeout",                504)                              \
    X(STATUS_CANCELLED,            15, "cancelled",              499)                              \
    X(STATUS_IO,                   16, "io_error",               500)                              \
    X(STATUS_NO_SPACE,             17, "no_space",               507)                              \
    X(STATUS_CORRUPT,              18, "corrupt",                500)                              \
    X(STATUS_LOCKED,               19, "locked",                 500)                              \
    X(STATUS_VERSION,              20, "version_mismatch",       500)                              \
    X(STATUS_READ_ONLY,            21, "read_only",              503)                              \
    X(STATUS_SNAPSHOT_TOO_OLD,     22, "snapshot_too_old",       409)                              \
    X(STATUS_TRAP,                 23, "trap",                   500)                              \
    X(STATUS_LIMIT,                24, "limit",                  503)                              \
    X(STATUS_CLOSED,               25, "closed",                 503)                              \
    X(STATUS_PENDING,              26, "pending",                500)                              \
    X(STATUS_END,                  27, "end",                    500)                              \
    X(STATUS_INTERNAL,             28, "internal",               500)
// clang-format on

enum status {
#define STATUS_ENUM(name, code, text, http) name = code,
    STATUS_TABLE(STATUS_ENUM)
#undef STATUS_ENUM
};

#define CHECKED __attribute__((warn_unused_result))

// Stable text of a status ("duplicate_key"); "unknown" for a number outside the table.
const char *status_text(enum status status);
// The HTTP status code that a reply carries for this outcome.
int status_http(enum status status);

// What a user sees of a failure. `line` and `column` count from 1; 0 means "no position".
// `offset` is a byte offset into the offending input, or -1.
struct error {
    enum status status;
    uint32_t line;
    uint32_t column;
    int64_t offset;
    char message[240];
};

// Fills `error` (which may be NULL) and returns `status`, so that `return error_set(...)` reads
// well. The message is truncated to fit; no position is set.
enum status error_set(struct error *error, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// As error_set(), with a byte offset into the input.
enum status error_set_at(struct error *error, enum status status, int64_t offset,
                         const char *format, ...) __attribute__((format(printf, 4, 5)));
