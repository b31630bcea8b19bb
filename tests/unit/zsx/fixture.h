// SPDX-License-Identifier: Apache-2.0
// Parses, checks, formats and compiles small texts for the tests.
#pragma once

#include "test.h"
#include "zsx/zsx.h"

// Never freed: a test is a process. `markup` is put into `markup f(…) { return …; }`.
struct zsx_file *fixture_parse(const char *text, enum zsx_target target);
struct zsx_file *fixture_markup(const char *markup);
// "line:column message" of each diagnostic after the check, a line each.
const char *fixture_errors(struct zsx_file *file);
const char *fixture_tree(struct zsx_file *file);
const char *fixture_format(struct zsx_file *file);
const char *fixture_code(struct zsx_file *file);
