// SPDX-License-Identifier: Apache-2.0
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void assert_failed(const char *expression, const char *file, int line,
                             const char *function) {
    fprintf(stderr, "%s:%d: %s: assertion failed: %s\n", file, line, function, expression);
    fflush(stderr);
    abort();
}
