// SPDX-License-Identifier: Apache-2.0
// The index's environment: opening, closing, and what reading and writing share.
#include "storage/index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/index_lmdb.h"

// Below this an index would be of little use: the reservation is given up rather than made smaller.
#define MAP_BYTES_MIN (16 * GIB)

static const char *const tree_names[TREE_COUNT] = {
    [TREE_PRIMARY] = "primary",
    [TREE_SECONDARY] = "secondary",
    [TREE_CATALOG] = "catalog",
    [TREE_META] = "meta",
};

enum status index_status(int code) {
    switch (code) {
    case MDB_SUCCESS:
        return STATUS_OK;
    case MDB_NOTFOUND:
        return STATUS_NOT_FOUND;
    case MDB_MAP_FULL:
    case ENOSPC:
    case EDQUOT:
        return STATUS_NO_SPACE;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_CURSOR_FULL: // a path longer than any sound tree has
    case MDB_PROBLEM:
        return STATUS_CORRUPT;
    case MDB_VERSION_MISMATCH:
        return STATUS_VERSION;
    case MDB_READERS_FULL:
        return STATUS_BUSY;
    case MDB_TXN_FULL:
        return STATUS_LIMIT;
    case ENOMEM:
        return STATUS_NO_MEMORY;
    case EACCES:
    case EPERM:
    case EROFS:
        return STATUS_FORBIDDEN;
    default: // MDB_PANIC, which follows a failed write, and what the system reports otherwise
        return code > 0 || code == MDB_PANIC ? STATUS_IO : STATUS_INTERNAL;
    }
}

void index_encode_entry(uint8_t ret[INDEX_ENTRY_SIZE], const struct index_entry *entry) {
    store_le64(ret, entry->sequence);
    store_le32(ret + 8, entry->pointer.segment);
    store_le32(ret + 12, entry->pointer.size);
    store_le64(ret + 16, entry->pointer.offset);
}

enum status index_decode_entry(MDB_val value, struct index_entry *ret) {
    if (value.mv_size != INDEX_ENTRY_SIZE) return STATUS_CORRUPT;
    const uint8_t *data = value.mv_data;
    ret->sequence = load_le64(data);
    ret->pointer.segment = load_le32(data + 8);
    ret->pointer.size = load_le32(data + 12);
    ret->pointer.offset = load_le64(data + 16);
    return STATUS_OK;
}

// NOMETASYNC and not NOSYNC: every commit syncs its pages before the meta page that refers to them
// is written, so that a power cut may lose the last commits but never the tree.
static int open_environment(const char *path, uint64_t map_bytes, uint32_t readers_max,
                            MDB_env **ret) {
    MDB_env *environment = NULL;
    int code = mdb_env_create(&environment);
    if (code != 0) return code;
    code = mdb_env_set_maxdbs(environment, TREE_COUNT);
    if (code == 0) code = mdb_env_set_maxreaders(environment, readers_max);
    if (code == 0) code = mdb_env_set_mapsize(environment, map_bytes);
    if (code == 0)
        code = mdb_env_open(environment, path, MDB_NOTLS | MDB_NORDAHEAD | MDB_NOMETASYNC, 0600);
    if (code != 0) {
        mdb_env_close(environment);
        return code;
    }
    *ret = environment;
    return 0;
}

// Where address space is limited (sanitizers, containers), a smaller map still serves.
static int open_environment_shrinking(const char *path, uint64_t map_bytes, uint32_t readers_max,
                                      MDB_env **ret) {
    for (;;) {
        int code = open_environment(path, map_bytes, readers_max, ret);
        if (code != ENOMEM || map_bytes / 2 < MAP_BYTES_MIN) return code;
        map_bytes /= 2;
    }
}

static int sync_one(const char *path) {
    int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return errno;
    int code = fsync(descriptor) == 0 ? 0 : errno;
    close(descriptor);
    return code;
}

// LMDB syncs its files but not the directory that names them, nor the one that names that.
static int sync_directory(const char *path) {
    size_t size = strlen(path) + sizeof "/..";
    char *parent = malloc(size);
    if (parent == NULL) return ENOMEM;
    snprintf(parent, size, "%s/..", path);
    int code = sync_one(path);
    if (code == 0) code = sync_one(parent);
    free(parent);
    return code;
}

static int open_trees(struct index *index) {
    MDB_txn *transaction = NULL;
    int code = mdb_txn_begin(index->environment, NULL, 0, &transaction);
    if (code != 0) return code;
    for (int i = 0; i < TREE_COUNT; i++) {
        code = mdb_dbi_open(transaction, tree_names[i], MDB_CREATE, &index->trees[i]);
        if (code != 0) {
            mdb_txn_abort(transaction);
            return code;
        }
    }
    return mdb_txn_commit(transaction);
}

static enum status open_failed(struct index *index, const char *path, int code,
                               struct error *error) {
    index_close(index);
    enum status status = index_status(code);
    if (status == STATUS_NOT_FOUND) status = STATUS_CORRUPT; // a tree that vanished
    return error_set(error, status, "%s: %s", path, mdb_strerror(code));
}

enum status index_open(const char *path, uint64_t map_bytes, uint32_t readers_max,
                       struct index **ret, struct error *error) {
    ASSERT(map_bytes >= MIB && readers_max > 0);
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        int number = errno;
        return error_set(error, index_status(number), "%s: %s", path, mdb_strerror(number));
    }
    struct index *index = calloc(1, sizeof *index);
    if (index == NULL) return error_set(error, STATUS_NO_MEMORY, "%s: no memory", path);
    int code = open_environment_shrinking(path, map_bytes, readers_max, &index->environment);
    if (code == 0) code = open_trees(index);
    if (code == 0) code = sync_directory(path);
    if (code != 0) return open_failed(index, path, code, error);
    ASSERT(mdb_env_get_maxkeysize(index->environment) >= INDEX_SEARCH_KEY_MAX);
    *ret = index;
    return STATUS_OK;
}

void index_close(struct index *index) {
    if (index == NULL) return;
    ASSERT(!atomic_load(&index->writing));
    if (index->environment != NULL) mdb_env_close(index->environment);
    free(index);
}

uint64_t index_bytes(const struct index *index) {
    MDB_envinfo information;
    MDB_stat statistics;
    int code = mdb_env_info(index->environment, &information);
    ASSERT(code == 0);
    code = mdb_env_stat(index->environment, &statistics);
    ASSERT(code == 0);
    return ((uint64_t)information.me_last_pgno + 1) * statistics.ms_psize;
}
