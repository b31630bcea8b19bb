// SPDX-License-Identifier: Apache-2.0
// Assertions: on in release builds, for bugs of our own and never for input. A failed assertion
// prints the expression with its place to standard error and aborts.
#pragma once

#include <stdint.h>

_Noreturn void assert_failed(const char *expression, const char *file, int line,
                             const char *function);

#define ASSERT(condition)                                                                          \
    (__builtin_expect(!!(condition), 1) ? (void)0                                                  \
                                        : assert_failed(#condition, __FILE__, __LINE__, __func__))

#define UNREACHABLE() assert_failed("unreachable", __FILE__, __LINE__, __func__)
