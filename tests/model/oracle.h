// SPDX-License-Identifier: Apache-2.0
// What the engine should hold: stores of few keys in plain arrays, copied whole for a snapshot.
#pragma once

#include "storage/storage.h"

#define ORACLE_STORES 4
#define ORACLE_KEYS 256
#define ORACLE_INDEXES 2
#define ORACLE_SORT_MAX 1100

struct oracle_slot {
    bool exists;
    uint64_t sequence; // of the newest operation
    uint8_t *document; // owned
    size_t size;
};

struct oracle_index {
    bool exists, ready;
    uint32_t id;
    char field[2];
};

struct oracle_store {
    bool exists;
    uint32_t id;
    enum key_type key_type;
    char name[8];
    struct oracle_slot slots[ORACLE_KEYS];
    struct oracle_index indexes[ORACLE_INDEXES];
};

struct oracle {
    struct oracle_store stores[ORACLE_STORES];
};

// Key number `number` of a type; the order of numbers is not the order of keys.
struct key oracle_key(enum key_type type, size_t number);

void oracle_put(struct oracle_store *store, size_t number, struct bytes document,
                uint64_t sequence);
void oracle_delete(struct oracle_store *store, size_t number, uint64_t sequence);
void oracle_clear(struct oracle_store *store); // all slots
struct oracle *oracle_copy(const struct oracle *oracle);
void oracle_free(struct oracle *oracle);

// The entries that a scan with these options must give, in order.
struct oracle_entry {
    uint8_t sort[ORACLE_SORT_MAX]; // primary key, or encoded value ++ primary key
    size_t sort_size;
    size_t value_size; // of an index entry's value, before the key
    size_t number;
};
size_t oracle_scan(const struct oracle_store *store, const struct scan_options *options,
                   const char *field, struct oracle_entry ret[ORACLE_KEYS]);
