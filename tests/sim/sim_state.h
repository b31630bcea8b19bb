// SPDX-License-Identifier: Apache-2.0
// What the engine should hold after each commit, small enough to be copied whole. A document is
// told by its key and the number of the write that made it.
#pragma once

#include "storage/storage.h"

#define STATE_STORES 3
#define STATE_KEYS 40
#define STATE_INDEXES 2

struct state_slot {
    uint64_t sequence;
    uint64_t write; // 0: no document
};
struct state_store {
    uint32_t id; // 0: no such store
    uint32_t indexes[STATE_INDEXES];
    struct state_slot slots[STATE_KEYS];
};
struct state {
    uint64_t sequence; // of the commit's last operation
    struct state_store stores[STATE_STORES];
};

extern const char *const state_store_names[STATE_STORES];
extern const char *const state_index_names[STATE_INDEXES];
extern const char *const state_index_fields[STATE_INDEXES];

struct key state_key(size_t number);
// Valid until the second next call.
struct bytes state_document(size_t number, uint64_t write);

// Reads everything through the view. Fails the simulation at a document that no write can have
// made, and where indexes and documents differ.
void state_read(const struct view *view, struct state *ret);
bool state_equal(const struct state *a, const struct state *b);
// Says on standard error how they differ.
void state_explain(const struct state *expected, const struct state *found);
// Reads the documents of `state`, which may be an old one, through its view.
void state_check_view(const struct view *view, const struct state *state);
