// SPDX-License-Identifier: Apache-2.0
// Documents from and to JSON, for the tests of doc and of what stands on it. Memory lives as long
// as the process.
#pragma once

#include "base/arena.h"
#include "doc/doc.h"
#include "test.h"

extern struct arena fixture_memory;

struct bytes fixture_copy(struct bytes bytes);
// A document from extended JSON; fails the test when it is not valid.
struct bytes fixture_document(const char *json);
// Relaxed JSON without blanks.
const char *fixture_json(struct bytes document);
