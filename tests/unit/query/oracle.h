// SPDX-License-Identifier: Apache-2.0
// A second, naive reading of docs/PROTOCOL.md to compare with: filter all, sort all, cut. Shares
// nothing with src/query.
#pragma once

#include "fixture.h"

bool oracle_matches(struct bytes condition, struct bytes document);
// Filters and sorts `documents` in place by the form's filter and sort; returns how many are left.
size_t oracle_select(struct bytes form, struct bytes *documents, size_t count);
