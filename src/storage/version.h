// SPDX-License-Identifier: Apache-2.0
// A version of the storage engine: an immutable, counted list of generations, newest first, and
// the catalogue that goes with them. The first generation is the active one (its memtables grow,
// the list does not). Freezing, flushing and DDL make a new version; whoever holds an older one
// keeps its generations alive. Any thread.
#pragma once

#include "storage/catalog.h"
#include "storage/memtable.h"

struct storage_version {
    _Atomic uint64_t reference_count;
    uint64_t number; // 1, 2, 3 …
    struct catalog *catalog;
    struct storage_version *next_retired;
    size_t generation_count; // at least 1
    struct generation *generations[];
};

// Takes references of its own to the catalogue and the generations. `first` (may be NULL) goes
// before those of `rest`. NULL when memory is exhausted.
struct storage_version *version_new(uint64_t number, const struct catalog *catalog,
                                    struct generation *first, struct generation *const *rest,
                                    size_t rest_count);
struct storage_version *version_ref(struct storage_version *version);
void version_unref(struct storage_version *version);
// version_unref() in two parts, for threads that must not wait while tens of MiB are given back:
// true when it was the last reference, and version_free() is to follow somewhere.
bool version_drop(struct storage_version *version);
void version_free(struct storage_version *version);

static inline struct generation *version_active(const struct storage_version *version) {
    return version->generations[0];
}
