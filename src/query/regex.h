// SPDX-License-Identifier: Apache-2.0
// Regular expressions by PCRE2, with bounds on the work that one match may do. Everything lives in
// the arena. A compiled expression belongs to one thread.
#pragma once

#include "base/arena.h"

#define REGEX_PATTERN_MAX 1000

struct regex;
// `flags` are letters of "imsx", as in Perl. STATUS_INVALID with what PCRE2 says, STATUS_NO_MEMORY.
CHECKED enum status regex_compile(struct bytes pattern, struct bytes flags, struct arena *arena,
                                  const struct regex **ret, struct error *error);
// Whether the pattern is found in `text`, valid UTF-8. STATUS_LIMIT when that takes too long.
CHECKED enum status regex_matches(const struct regex *regex, struct bytes text, bool *ret);
