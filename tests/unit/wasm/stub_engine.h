// SPDX-License-Identifier: Apache-2.0
// An engine that obeys the test: what a worker sees of engine.h, without a database. A query stays
// pending for as many slices as the test says; every other packet is answered at once. The reply is
// the packet itself with the reply flag.
#pragma once

#include "engine/engine.h"

struct stub_engine {
    int pending_slices;   // of each query; < 0: for ever
    uint64_t sequence;    // of each reply
    size_t reply_padding; // bytes appended to each reply
    // What happened.
    _Atomic int calls_alive; // workers of several threads may share the stub
    int dispatched, resumed;
    enum read_point last_point;
    bool packet_changed; // while it was pending
    bool dispatched_while_pending;
};
extern struct stub_engine stub_engine;
