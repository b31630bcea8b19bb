// SPDX-License-Identifier: Apache-2.0
// The unit test runner: `TEST(name) { ... }` in any number of files of one program, `CHECK(...)`
// inside. Each test runs in a process of its own (fork), output is TAP. `program PATTERN` runs the
// tests whose names contain PATTERN; TEST_NO_FORK=1 runs them in this process (for debuggers). Exit
// status 0: all passed, 1: some failed, 2: none to run or a bad TEST_SEED.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/status.h"

struct test_case {
    const char *name;
    void (*function)(void);
    struct test_case *next;
};
void test_register(struct test_case *test);

#define TEST(test_name)                                                                            \
    static void test_name(void);                                                                   \
    static struct test_case test_case_##test_name = {#test_name, test_name, NULL};                 \
    __attribute__((constructor)) static void test_register_##test_name(void) {                     \
        test_register(&test_case_##test_name);                                                     \
    }                                                                                              \
    static void test_name(void)

_Noreturn void test_fail(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define CHECK(condition) ((condition) ? (void)0 : test_fail(__FILE__, __LINE__, "%s", #condition))
#define CHECK_OK(expression)                                                                       \
    do {                                                                                           \
        enum status check_status = (expression);                                                   \
        if (check_status != STATUS_OK)                                                             \
            test_fail(__FILE__, __LINE__, "%s: %s", #expression, status_text(check_status));       \
    } while (0)
#define CHECK_STATUS(expected, expression)                                                         \
    do {                                                                                           \
        enum status check_status = (expression);                                                   \
        if (check_status != (expected))                                                            \
            test_fail(__FILE__, __LINE__, "%s: %s, expected %s", #expression,                      \
                      status_text(check_status), status_text(expected));                           \
    } while (0)
#define CHECK_EQUAL(expected, actual)                                                              \
    do {                                                                                           \
        long long check_expected = (long long)(expected), check_actual = (long long)(actual);      \
        if (check_expected != check_actual)                                                        \
            test_fail(__FILE__, __LINE__, "%s is %lld, expected %lld", #actual, check_actual,      \
                      check_expected);                                                             \
    } while (0)
#define CHECK_BYTES(text, actual)                                                                  \
    do {                                                                                           \
        struct bytes check_actual = (actual);                                                      \
        if (!bytes_equal(check_actual, bytes_of_string(text)))                                     \
            test_fail(__FILE__, __LINE__, "%s is \"%.*s\", expected \"%s\"", #actual,              \
                      (int)check_actual.size, (const char *)check_actual.data, text);              \
    } while (0)

// A fresh directory, removed when the test's process ends well; the same path on each call.
const char *test_directory(void);
// The seed of this run: TEST_SEED from the environment, else random; printed on failure.
uint64_t test_seed(void);
