// SPDX-License-Identifier: Apache-2.0
// What the tests of documents share. Memory lives as long as the process.
#pragma once

#include "doc/doc.h"
#include "documents.h"

// A value from extended JSON: fixture_value("{\"$numberDecimal\": \"1.1\"}").
struct doc_value fixture_value(const char *json);
// A decimal128 from its parts; the exponent is that of the last digit of the coefficient.
struct doc_value fixture_decimal(bool negative, uint64_t high, uint64_t low, int exponent);
// A value of any type, with numbers over-represented and close to each other.
struct doc_value fixture_random_value(struct random_source *random, unsigned depth);
