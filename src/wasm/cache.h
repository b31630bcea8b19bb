// SPDX-License-Identifier: Apache-2.0
// Compiled code on disk. What is loaded from here is executed, so it is trusted only under these
// conditions: the directory and its files belong to this user and nobody else can write or read
// them, no symbolic link is followed, and a keyed MAC over exactly the bytes that are given back
// binds them to the module, the compiler and the processor. The key never leaves the directory.
//
//   <directory>/key           32 random bytes
//   <directory>/<id>.code     magic 8 bytes, MAC 32 bytes, artefact
//
// `id` is the hash of {hash of the module, compiler version, processor features}; the MAC covers
// id and artefact. One thread at a time; several processes may share a directory.
#pragma once

#include "base/bytes.h"

struct cache;
// Creates what is missing. STATUS_FORBIDDEN when owner or mode of the directory or the key are
// wrong, STATUS_IO. `directory` NULL: $XDG_STATE_HOME/planck/code or ~/.local/state/planck/code.
CHECKED enum status cache_open(const char *directory, struct cache **ret, struct error *error);
void cache_close(struct cache *cache);
// STATUS_NOT_FOUND when there is none; STATUS_CORRUPT when what is there is not what was put (or is
// not private): compile again.
CHECKED enum status cache_get(struct cache *cache, struct bytes module,
                              struct buffer *ret_artefact);
// Replaces. Keeps the newest CACHE_FILES_MAX artefacts.
#define CACHE_FILES_MAX 32
CHECKED enum status cache_put(struct cache *cache, struct bytes module, struct bytes artefact);
