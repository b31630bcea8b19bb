// SPDX-License-Identifier: Apache-2.0
// Allocations that fail on demand: the linker's --wrap sends malloc() and its kin here.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// Only what happens while the engine is at work counts and fails.
void allocations_count(bool on);
// The allocation after `count` - 1 more fails (0: none), and with `repeats` all that follow.
void allocations_plan(uint64_t count, bool repeats);
bool allocations_failed(void);
uint64_t allocations_made(void);
// Blocks that were allocated while counting and not freed since.
int64_t allocations_live(void);
