// SPDX-License-Identifier: Apache-2.0
// Writing the index: one LMDB transaction at a time.
#include <stdlib.h>

#include "storage/index.h"

#include "storage/index_lmdb.h"
#include <errno.h>

// A page's worth of distance between two written nodes means another page (a rough rule: LMDB does
// not tell which pages are dirty).
#define PAGE_BYTES 4096

struct index_writer {
    struct index *index;
    MDB_txn *transaction;
    MDB_cursor *cursors[2]; // primary and secondary, kept so that nearby keys are found at once
    enum status failed;     // the first failure of a change: the transaction cannot commit
    uint8_t last_key[INDEX_PRIMARY_KEY_SIZE]; // the highest of the primary tree, or one above it
    size_t last_key_size;                     // 0: the tree is empty
    bool last_key_known;
    size_t pages_moved;  // times that a change came to another page than the last one
    size_t pages_before; // of both trees
    const uint8_t *last_node[2];
};

static size_t tree_pages(const struct index_writer *writer) {
    size_t pages = 0;
    for (int i = 0; i < 2; i++) {
        MDB_stat statistics;
        int code = mdb_stat(writer->transaction, writer->index->trees[i], &statistics);
        if (code == 0) pages += statistics.ms_branch_pages + statistics.ms_leaf_pages;
    }
    return pages;
}

// ---- transactions ---------------------------------------------------------------------------

static void free_writer(struct index_writer *writer) {
    atomic_store(&writer->index->writing, false);
    free(writer);
}

static void close_cursors(struct index_writer *writer) {
    for (int i = 0; i < 2; i++)
        if (writer->cursors[i] != NULL) mdb_cursor_close(writer->cursors[i]);
}

enum status index_write_begin(struct index *index, struct index_writer **ret) {
    struct index_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL) return STATUS_NO_MEMORY;
    bool was_writing = atomic_exchange(&index->writing, true);
    ASSERT(!was_writing); // LMDB would wait for itself for ever
    writer->index = index;
    int code = mdb_txn_begin(index->environment, NULL, 0, &writer->transaction);
    for (int i = 0; code == 0 && i < 2; i++)
        code = mdb_cursor_open(writer->transaction, index->trees[i], &writer->cursors[i]);
    if (code == 0) {
        writer->pages_before = tree_pages(writer);
        *ret = writer;
        return STATUS_OK;
    }
    close_cursors(writer);
    if (writer->transaction != NULL) mdb_txn_abort(writer->transaction);
    free_writer(writer);
    return index_status(code);
}

enum status index_write_commit(struct index_writer *writer, bool sync) {
    if (writer->failed != STATUS_OK) {
        enum status status = writer->failed;
        index_write_abort(writer);
        return status;
    }
    close_cursors(writer);
    int code = mdb_txn_commit(writer->transaction);
    bool committed = code == 0;
    // The commit has synced its pages but not the meta page that makes them the newest state.
    if (code == 0 && sync) code = mdb_env_sync(writer->index->environment, 1);
    // A failed sync is final, whatever the reason: what was written is unknown.
    if (code == ENOSPC && committed) code = EIO;
    free_writer(writer);
    return index_status(code);
}

void index_write_abort(struct index_writer *writer) {
    if (writer == NULL) return;
    close_cursors(writer);
    mdb_txn_abort(writer->transaction);
    free_writer(writer);
}

// Growth of the trees misses pages that were only changed, moves miss some of the new ones: the
// larger of both is near enough.
size_t index_write_pages(const struct index_writer *writer) {
    size_t pages = tree_pages(writer);
    size_t grown = pages > writer->pages_before ? pages - writer->pages_before : 0;
    return grown > writer->pages_moved ? grown : writer->pages_moved;
}

// Keeps the first failure, so that what is half done cannot be committed.
static enum status keep(struct index_writer *writer, enum status status) {
    if (status != STATUS_OK && writer->failed == STATUS_OK) writer->failed = status;
    return status;
}

static enum status changed(struct index_writer *writer, int code) {
    return keep(writer, index_status(code));
}

static void count_page(struct index_writer *writer, enum index_tree tree) {
    MDB_val key, value;
    if (mdb_cursor_get(writer->cursors[tree], &key, &value, MDB_GET_CURRENT) != 0) return;
    const uint8_t *node = key.mv_data, *last = writer->last_node[tree];
    ptrdiff_t distance = (intptr_t)node - (intptr_t)last;
    if (last == NULL || distance >= PAGE_BYTES || distance <= -PAGE_BYTES) writer->pages_moved++;
    writer->last_node[tree] = node;
}

// ---- primary tree ---------------------------------------------------------------------------

static int find_last_key(struct index_writer *writer) {
    MDB_val key, value;
    int code = mdb_cursor_get(writer->cursors[TREE_PRIMARY], &key, &value, MDB_LAST);
    if (code != 0 && code != MDB_NOTFOUND) return code;
    writer->last_key_size = code == 0 ? INDEX_PRIMARY_KEY_SIZE : 0;
    if (code == 0 && key.mv_size != INDEX_PRIMARY_KEY_SIZE) return MDB_CORRUPTED;
    if (code == 0) memcpy(writer->last_key, key.mv_data, key.mv_size);
    writer->last_key_known = true;
    return 0;
}

// Appending fills pages wholly, but only above all keys of all stores. MDB_KEYEXIST when this key
// is not.
static int try_append(struct index_writer *writer, MDB_val *key, MDB_val *value) {
    int code = writer->last_key_known ? 0 : find_last_key(writer);
    if (code != 0) return code;
    if (writer->last_key_size > 0 && memcmp(key->mv_data, writer->last_key, key->mv_size) <= 0)
        return MDB_KEYEXIST;
    return mdb_cursor_put(writer->cursors[TREE_PRIMARY], key, value, MDB_APPEND);
}

// Every new key may be the highest from now on.
static void note_key(struct index_writer *writer, MDB_val key) {
    if (!writer->last_key_known) return;
    if (writer->last_key_size > 0 && memcmp(key.mv_data, writer->last_key, key.mv_size) <= 0)
        return;
    memcpy(writer->last_key, key.mv_data, INDEX_PRIMARY_KEY_SIZE);
    writer->last_key_size = INDEX_PRIMARY_KEY_SIZE;
}

static int put_new(struct index_writer *writer, bool append, MDB_val *key, MDB_val *value) {
    int code = append ? try_append(writer, key, value) : MDB_KEYEXIST;
    if (code == MDB_KEYEXIST)
        code = mdb_cursor_put(writer->cursors[TREE_PRIMARY], key, value, MDB_NOOVERWRITE);
    if (code == 0) note_key(writer, *key);
    return code;
}

static enum status replace(struct index_writer *writer, MDB_val *key, MDB_val existing,
                           const uint8_t entry[INDEX_ENTRY_SIZE], struct index_entry *ret_old) {
    enum status status = keep(writer, index_decode_entry(existing, ret_old));
    if (status != STATUS_OK) return status;
    MDB_val value = {.mv_size = INDEX_ENTRY_SIZE, .mv_data = (void *)(uintptr_t)entry};
    return changed(writer, mdb_cursor_put(writer->cursors[TREE_PRIMARY], key, &value, MDB_CURRENT));
}

enum status index_put(struct index_writer *writer, uint32_t store_id, const struct key *key,
                      const struct index_entry *entry, bool append, struct index_entry *ret_old) {
    ASSERT(entry->sequence > 0);
    uint8_t name[INDEX_PRIMARY_KEY_SIZE], encoded[INDEX_ENTRY_SIZE];
    index_primary_key(name, store_id, key);
    index_encode_entry(encoded, entry);
    MDB_val place = {.mv_size = sizeof name, .mv_data = name};
    MDB_val value = {.mv_size = sizeof encoded, .mv_data = encoded};
    struct index_entry old = {0};
    int code = put_new(writer, append, &place, &value);
    enum status status = code == MDB_KEYEXIST ? replace(writer, &place, value, encoded, &old)
                                              : changed(writer, code);
    if (status != STATUS_OK) return status;
    count_page(writer, TREE_PRIMARY);
    if (ret_old != NULL) *ret_old = old;
    return STATUS_OK;
}

enum status index_delete(struct index_writer *writer, uint32_t store_id, const struct key *key,
                         struct index_entry *ret_old) {
    uint8_t name[INDEX_PRIMARY_KEY_SIZE];
    index_primary_key(name, store_id, key);
    MDB_val place = {.mv_size = sizeof name, .mv_data = name}, value;
    struct index_entry old = {0};
    int code = mdb_cursor_get(writer->cursors[TREE_PRIMARY], &place, &value, MDB_SET);
    if (code == 0) {
        enum status status = keep(writer, index_decode_entry(value, &old));
        if (status != STATUS_OK) return status;
        count_page(writer, TREE_PRIMARY);
        code = mdb_cursor_del(writer->cursors[TREE_PRIMARY], 0);
    } else if (code == MDB_NOTFOUND) {
        code = 0;
    }
    if (code != 0) return changed(writer, code);
    if (ret_old != NULL) *ret_old = old;
    return STATUS_OK;
}

// ---- secondary tree -------------------------------------------------------------------------

static MDB_val secondary_key(uint8_t buffer[INDEX_SECONDARY_KEY_MAX], uint32_t index_id,
                             struct bytes value_and_key) {
    ASSERT(value_and_key.size > sizeof(struct key));
    ASSERT(value_and_key.size <= INDEX_SECONDARY_KEY_MAX - INDEX_ID_SIZE);
    store_be32(buffer, index_id);
    memcpy(buffer + INDEX_ID_SIZE, value_and_key.data, value_and_key.size);
    return (MDB_val){.mv_size = INDEX_ID_SIZE + value_and_key.size, .mv_data = buffer};
}

enum status index_put_secondary(struct index_writer *writer, uint32_t index_id,
                                struct bytes value_and_key) {
    uint8_t buffer[INDEX_SECONDARY_KEY_MAX];
    MDB_val key = secondary_key(buffer, index_id, value_and_key), value = {.mv_data = buffer};
    int code = mdb_cursor_put(writer->cursors[TREE_SECONDARY], &key, &value, MDB_NOOVERWRITE);
    if (code == MDB_KEYEXIST) return STATUS_OK; // a repeated flush
    if (code == 0) count_page(writer, TREE_SECONDARY);
    return changed(writer, code);
}

enum status index_delete_secondary(struct index_writer *writer, uint32_t index_id,
                                   struct bytes value_and_key) {
    uint8_t buffer[INDEX_SECONDARY_KEY_MAX];
    MDB_val key = secondary_key(buffer, index_id, value_and_key), value;
    int code = mdb_cursor_get(writer->cursors[TREE_SECONDARY], &key, &value, MDB_SET);
    if (code == MDB_NOTFOUND) return STATUS_OK;
    if (code == 0) {
        count_page(writer, TREE_SECONDARY);
        code = mdb_cursor_del(writer->cursors[TREE_SECONDARY], 0);
    }
    return changed(writer, code);
}

// ---- meta and catalogue ---------------------------------------------------------------------

static enum status put_named(struct index_writer *writer, enum index_tree tree, struct bytes name,
                             struct bytes value) {
    ASSERT(name.size > 0 && name.size <= INDEX_SEARCH_KEY_MAX);
    MDB_val key = index_value(name), data = index_value(value);
    return changed(writer,
                   mdb_put(writer->transaction, writer->index->trees[tree], &key, &data, 0));
}

static enum status delete_named(struct index_writer *writer, enum index_tree tree,
                                struct bytes name) {
    ASSERT(name.size > 0 && name.size <= INDEX_SEARCH_KEY_MAX);
    MDB_val key = index_value(name);
    int code = mdb_del(writer->transaction, writer->index->trees[tree], &key, NULL);
    return code == MDB_NOTFOUND ? STATUS_OK : changed(writer, code);
}

enum status index_put_meta(struct index_writer *writer, const char *name, struct bytes value) {
    return put_named(writer, TREE_META, bytes_of_string(name), value);
}

enum status index_delete_meta(struct index_writer *writer, const char *name) {
    return delete_named(writer, TREE_META, bytes_of_string(name));
}

enum status index_put_catalog(struct index_writer *writer, struct bytes name, struct bytes value) {
    if (value.data == NULL) return delete_named(writer, TREE_CATALOG, name);
    return put_named(writer, TREE_CATALOG, name, value);
}

// ---- ranges ---------------------------------------------------------------------------------

// Brings `cursor` to the first entry of the range. MDB_NOTFOUND when there is none.
static int first_of_range(MDB_cursor *cursor, uint32_t id, MDB_val *ret_value) {
    uint8_t prefix[INDEX_ID_SIZE];
    store_be32(prefix, id);
    MDB_val key = {.mv_size = sizeof prefix, .mv_data = prefix};
    int code = mdb_cursor_get(cursor, &key, ret_value, MDB_SET_RANGE);
    if (code != 0) return code;
    return index_has_prefix(key, id) ? 0 : MDB_NOTFOUND;
}

static enum status delete_first(struct index_writer *writer, enum index_tree tree, MDB_val value,
                                void (*function)(const struct index_entry *entry, void *context),
                                void *context) {
    struct index_entry entry;
    bool report = tree == TREE_PRIMARY && function != NULL;
    if (report) {
        enum status status = keep(writer, index_decode_entry(value, &entry));
        if (status != STATUS_OK) return status;
    }
    count_page(writer, tree);
    enum status status = changed(writer, mdb_cursor_del(writer->cursors[tree], 0));
    if (status == STATUS_OK && report) function(&entry, context);
    return status;
}

enum status index_delete_range(struct index_writer *writer, bool secondary, uint32_t id,
                               size_t limit,
                               void (*function)(const struct index_entry *entry, void *context),
                               void *context, bool *ret_more) {
    enum index_tree tree = secondary ? TREE_SECONDARY : TREE_PRIMARY;
    MDB_val value;
    // Each round looks for the first entry anew: deleting moves pages under a cursor.
    int code = first_of_range(writer->cursors[tree], id, &value);
    for (size_t count = 0; code == 0 && count < limit; count++) {
        enum status status = delete_first(writer, tree, value, function, context);
        if (status != STATUS_OK) return status;
        code = first_of_range(writer->cursors[tree], id, &value);
    }
    if (code != 0 && code != MDB_NOTFOUND) return changed(writer, code);
    *ret_more = code == 0;
    return STATUS_OK;
}

static int first_after(MDB_cursor *cursor, uint32_t store_id, const struct key *after,
                       MDB_val *ret_key, MDB_val *ret_value) {
    uint8_t name[INDEX_PRIMARY_KEY_SIZE + 1] = {0}; // a byte more: just above `after`
    if (after != NULL)
        index_primary_key(name, store_id, after);
    else
        store_be32(name, store_id);
    MDB_val key = {.mv_size = after != NULL ? sizeof name : INDEX_ID_SIZE, .mv_data = name};
    int code = mdb_cursor_get(cursor, &key, ret_value, MDB_SET_RANGE);
    *ret_key = key;
    return code;
}

static enum status scan_entries(
    MDB_cursor *cursor, uint32_t store_id, const struct key *after, size_t limit,
    enum status (*function)(const struct key *key, const struct index_entry *entry, void *context),
    void *context, bool *ret_more) {
    MDB_val name, value;
    int code = first_after(cursor, store_id, after, &name, &value);
    for (size_t count = 0; code == 0 && index_has_prefix(name, store_id); count++) {
        if (count == limit) {
            *ret_more = true;
            return STATUS_OK;
        }
        struct key key; // a copy: the callback's writes may move the page
        struct index_entry entry;
        if (name.mv_size != INDEX_PRIMARY_KEY_SIZE) return STATUS_CORRUPT;
        memcpy(key.bytes, (const uint8_t *)name.mv_data + INDEX_ID_SIZE, sizeof key.bytes);
        enum status status = index_decode_entry(value, &entry);
        if (status == STATUS_OK) status = function(&key, &entry, context);
        if (status != STATUS_OK) return status;
        code = mdb_cursor_get(cursor, &name, &value, MDB_NEXT);
    }
    *ret_more = false;
    return code == 0 || code == MDB_NOTFOUND ? STATUS_OK : index_status(code);
}

enum status index_write_scan(
    struct index_writer *writer, uint32_t store_id, const struct key *after, size_t limit,
    enum status (*function)(const struct key *key, const struct index_entry *entry, void *context),
    void *context, bool *ret_more) {
    MDB_cursor *cursor = NULL;
    int code = mdb_cursor_open(writer->transaction, writer->index->trees[TREE_PRIMARY], &cursor);
    if (code != 0) return index_status(code);
    enum status status = scan_entries(cursor, store_id, after, limit, function, context, ret_more);
    mdb_cursor_close(cursor);
    return status;
}
