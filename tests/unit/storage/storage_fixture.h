// SPDX-License-Identifier: Apache-2.0
// A small engine in the test's directory, with the shortest ways to write and read documents
// {_id: int64, v: int64, s: string}. Every failure that a test does not ask for fails the test.
#pragma once

#include "storage/state.h"
#include "storage/storage.h"
#include "test.h"

struct database {
    struct storage *storage;
    struct reader *reader;
    struct storage_options options;
    char path[512];
};

// Small sizes, so that everything happens often.
struct storage_options database_options(void);
void database_open(struct database *database);
void database_close(struct database *database);
void database_abandon(struct database *database);
void database_reopen(struct database *database);

struct key int_key(int64_t value);
int64_t key_int(const struct key *key);
// A document in a static ring of buffers, valid for a few calls; `extra` bytes of text.
struct bytes document(int64_t id, int64_t value, size_t extra);
int64_t document_value(struct bytes document);

uint32_t create_store(struct database *database, const char *name);
uint32_t create_index(struct database *database, const char *store, const char *name,
                      const char *field);
enum status write_one(struct database *database, enum write_kind kind, uint32_t store, int64_t id,
                      int64_t value);
void put(struct database *database, uint32_t store, int64_t id, int64_t value);
void erase(struct database *database, uint32_t store, int64_t id);
struct view begin(struct database *database);
// The value `v` under the key, or -1 when there is none.
int64_t get_at(const struct view *view, uint32_t store, int64_t id);
int64_t get(struct database *database, uint32_t store, int64_t id);
// The ids (or "value:id" of an index scan) in order, separated by spaces.
const char *scan_at(const struct view *view, const struct scan_options *options);
const char *scan_all(struct database *database, uint32_t store, uint32_t index, bool reverse);
#define CHECK_TEXT(expected, actual) CHECK_BYTES(expected, bytes_of_string(actual))
