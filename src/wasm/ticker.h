// SPDX-License-Identifier: Apache-2.0
// The one thread that advances epochs: once each tick while any guest runs. When none has run for
// some ticks it sleeps until one does, so that an idle process uses no CPU.
#pragma once

#include "base/status.h"

struct ticker;
// `function` is called on the ticker's thread, once each tick.
CHECKED enum status ticker_new(uint64_t tick_ns, void (*function)(void *context), void *context,
                               struct ticker **ret);
void ticker_free(struct ticker *ticker); // all presences must be gone
// Ticks since the start. Any thread.
uint64_t ticker_ticks(const struct ticker *ticker);

// A thread that runs guests. Belongs to that thread.
struct presence;
CHECKED enum status presence_new(struct ticker *ticker, struct presence **ret);
void presence_free(struct presence *presence);
// Around each slice of guest code; not nested.
void presence_enter(struct presence *presence);
void presence_leave(struct presence *presence);
