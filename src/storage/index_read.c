// SPDX-License-Identifier: Apache-2.0
// Reading the index: readers, look-ups and cursors.
#include <stdlib.h>

#include "base/hash.h"
#include "storage/index.h"
#include "storage/index_lmdb.h"

struct index_cursor {
    MDB_cursor *cursor;
    struct index_reader *reader;
    struct index_cursor *next_free; // in the reader's pool of this tree
    uint64_t renewal;               // the reader's when `cursor` was bound to its transaction
    uint32_t id;
    bool secondary;
    bool positioned;
    uint8_t search[INDEX_SEARCH_KEY_MAX];
};

// Look-ups by key are kept, two at each place that a key's hash says: a descent through LMDB's
// pages touches several times as many cache lines. An entry holds for one snapshot, whose number it
// carries.
#define POINT_SLOTS 16384

struct point_slot {
    uint64_t renewal;
    uint32_t store_id;
    struct key key;
    struct index_entry entry;
};
#define CACHE_LINE 64
_Static_assert(sizeof(struct point_slot) <= CACHE_LINE, "a slot is one cache line");

struct index_reader {
    struct index *index;
    uint8_t *points_memory; // zero pages until they are used; NULL: not yet needed, or none left
    uint8_t *points;        // in it, where a cache line begins
    MDB_txn *transaction;
    bool active;      // `transaction` holds a snapshot
    uint64_t renewal; // counts transactions, for cursors to notice a new one
    uint32_t open_cursors;
    MDB_cursor *point; // for index_get(): a kept cursor spares mdb_get()'s set-up
    struct index_cursor *free[2];
};

// ---- readers --------------------------------------------------------------------------------

enum status index_reader_open(struct index *index, struct index_reader **ret) {
    struct index_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) return STATUS_NO_MEMORY;
    reader->index = index;
    int code = mdb_txn_begin(index->environment, NULL, MDB_RDONLY, &reader->transaction);
    if (code == 0) {
        reader->active = true;
        reader->renewal = 1; // 0 is that of empty slots
        code = mdb_cursor_open(reader->transaction, index->trees[TREE_PRIMARY], &reader->point);
    }
    if (code != 0) {
        index_reader_close(reader);
        return index_status(code);
    }
    *ret = reader;
    return STATUS_OK;
}

enum status index_reader_renew(struct index_reader *reader) {
    index_reader_reset(reader);
    int code = mdb_txn_renew(reader->transaction);
    if (code != 0) return index_status(code);
    reader->active = true;
    reader->renewal++;
    code = mdb_cursor_renew(reader->transaction, reader->point);
    ASSERT(code == 0); // it fails for misuse only
    return STATUS_OK;
}

void index_reader_reset(struct index_reader *reader) {
    ASSERT(reader->open_cursors == 0);
    if (!reader->active) return;
    mdb_txn_reset(reader->transaction);
    reader->active = false;
}

static void free_pool(struct index_cursor *cursor) {
    while (cursor != NULL) {
        struct index_cursor *next = cursor->next_free;
        mdb_cursor_close(cursor->cursor);
        free(cursor);
        cursor = next;
    }
}

void index_reader_close(struct index_reader *reader) {
    if (reader == NULL) return;
    ASSERT(reader->open_cursors == 0);
    free_pool(reader->free[0]);
    free_pool(reader->free[1]);
    free(reader->points_memory);
    if (reader->point != NULL) mdb_cursor_close(reader->point);
    if (reader->transaction != NULL) mdb_txn_abort(reader->transaction);
    free(reader);
}

// ---- look-ups -------------------------------------------------------------------------------

static bool has_points(struct index_reader *reader) {
    if (reader->points != NULL) return true;
    reader->points_memory = calloc(POINT_SLOTS + 1, CACHE_LINE);
    if (reader->points_memory == NULL) return false;
    reader->points = reader->points_memory + (-(uintptr_t)reader->points_memory & (CACHE_LINE - 1));
    return true;
}

static struct point_slot *point_slot(const struct index_reader *reader, uint32_t store_id,
                                     const struct key *key) {
    uint64_t high = load_le64(key->bytes), low = load_le64(key->bytes + 8);
    size_t place = hash_words(high ^ store_id, low) % POINT_SLOTS & ~(size_t)1;
    return (struct point_slot *)(reader->points + place * CACHE_LINE);
}

static bool holds(const struct index_reader *reader, const struct point_slot *slot,
                  uint32_t store_id, const struct key *key) {
    return slot->renewal == reader->renewal && slot->store_id == store_id &&
           key_compare(&slot->key, key) == 0;
}

static enum status descend(struct index_reader *reader, uint32_t store_id, const struct key *key,
                           struct index_entry *ret) {
    uint8_t bytes[INDEX_PRIMARY_KEY_SIZE];
    index_primary_key(bytes, store_id, key);
    MDB_val name = {.mv_size = sizeof bytes, .mv_data = bytes}, value;
    int code = mdb_cursor_get(reader->point, &name, &value, MDB_SET);
    if (code != 0) return index_status(code);
    return index_decode_entry(value, ret);
}

enum status index_get(struct index_reader *reader, uint32_t store_id, const struct key *key,
                      struct index_entry *ret) {
    ASSERT(reader->active);
    if (!has_points(reader)) return descend(reader, store_id, key, ret);
    struct point_slot *first = point_slot(reader, store_id, key);
    struct point_slot *second = (struct point_slot *)((uint8_t *)first + CACHE_LINE);
    bool is_first = holds(reader, first, store_id, key);
    bool is_second = !is_first && holds(reader, second, store_id, key);
    if (!is_first && !is_second) {
        struct index_entry entry;
        enum status status = descend(reader, store_id, key, &entry);
        if (status != STATUS_OK) return status;
        *second = *first; // the older one leaves
        *first = (struct point_slot){reader->renewal, store_id, *key, entry};
    }
    *ret = is_second ? second->entry : first->entry;
    return STATUS_OK;
}

enum status index_get_meta(struct index_reader *reader, const char *name, struct bytes *ret) {
    ASSERT(reader->active);
    MDB_val key = index_value(bytes_of_string(name)), value;
    int code = mdb_get(reader->transaction, reader->index->trees[TREE_META], &key, &value);
    if (code != 0) return index_status(code);
    *ret = index_bytes_of(value);
    return STATUS_OK;
}

static bool begins_with(MDB_val key, struct bytes prefix) {
    if (prefix.size == 0) return true;
    return key.mv_size >= prefix.size && memcmp(key.mv_data, prefix.data, prefix.size) == 0;
}

static enum status each_entry(MDB_cursor *cursor, struct bytes prefix,
                              enum status (*function)(struct bytes name, struct bytes value,
                                                      void *context),
                              void *context) {
    MDB_val key = index_value(prefix), value;
    int code = mdb_cursor_get(cursor, &key, &value, prefix.size > 0 ? MDB_SET_RANGE : MDB_FIRST);
    while (code == 0 && begins_with(key, prefix)) {
        enum status status = function(index_bytes_of(key), index_bytes_of(value), context);
        if (status != STATUS_OK) return status;
        code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    return code == MDB_NOTFOUND ? STATUS_OK : index_status(code);
}

static enum status
each_of_tree(struct index_reader *reader, enum index_tree tree, struct bytes prefix,
             enum status (*function)(struct bytes name, struct bytes value, void *context),
             void *context) {
    ASSERT(reader->active);
    MDB_cursor *cursor = NULL;
    int code = mdb_cursor_open(reader->transaction, reader->index->trees[tree], &cursor);
    if (code != 0) return index_status(code);
    enum status status = each_entry(cursor, prefix, function, context);
    mdb_cursor_close(cursor);
    return status;
}

enum status index_each_meta(struct index_reader *reader, const char *prefix,
                            enum status (*function)(struct bytes name, struct bytes value,
                                                    void *context),
                            void *context) {
    return each_of_tree(reader, TREE_META, bytes_of_string(prefix), function, context);
}

enum status index_each_catalog(struct index_reader *reader,
                               enum status (*function)(struct bytes name, struct bytes value,
                                                       void *context),
                               void *context) {
    return each_of_tree(reader, TREE_CATALOG, bytes_of(NULL, 0), function, context);
}

// ---- cursors --------------------------------------------------------------------------------

static enum status new_cursor(struct index_reader *reader, bool secondary,
                              struct index_cursor **ret) {
    struct index_cursor *cursor = malloc(sizeof *cursor);
    if (cursor == NULL) return STATUS_NO_MEMORY;
    MDB_dbi tree = reader->index->trees[secondary ? TREE_SECONDARY : TREE_PRIMARY];
    int code = mdb_cursor_open(reader->transaction, tree, &cursor->cursor);
    if (code != 0) {
        free(cursor);
        return index_status(code);
    }
    cursor->reader = reader;
    cursor->renewal = reader->renewal;
    cursor->secondary = secondary;
    *ret = cursor;
    return STATUS_OK;
}

enum status index_cursor_open(struct index_reader *reader, bool secondary, uint32_t id,
                              struct index_cursor **ret) {
    ASSERT(reader->active);
    struct index_cursor *cursor = reader->free[secondary];
    if (cursor != NULL) {
        reader->free[secondary] = cursor->next_free;
        if (cursor->renewal != reader->renewal) {
            int code = mdb_cursor_renew(reader->transaction, cursor->cursor);
            ASSERT(code == 0);
            cursor->renewal = reader->renewal;
        }
    } else {
        enum status status = new_cursor(reader, secondary, &cursor);
        if (status != STATUS_OK) return status;
    }
    cursor->next_free = NULL;
    cursor->id = id;
    cursor->positioned = false;
    reader->open_cursors++;
    *ret = cursor;
    return STATUS_OK;
}

void index_cursor_close(struct index_cursor *cursor) {
    if (cursor == NULL) return;
    struct index_reader *reader = cursor->reader;
    ASSERT(reader->open_cursors > 0);
    reader->open_cursors--;
    cursor->next_free = reader->free[cursor->secondary];
    reader->free[cursor->secondary] = cursor;
}

// Prefix and key in the cursor's search buffer.
static MDB_val search_key(struct index_cursor *cursor, uint32_t id, struct bytes key) {
    ASSERT(key.size <= sizeof cursor->search - INDEX_ID_SIZE);
    store_be32(cursor->search, id);
    if (key.size > 0) memcpy(cursor->search + INDEX_ID_SIZE, key.data, key.size);
    return (MDB_val){.mv_size = INDEX_ID_SIZE + key.size, .mv_data = cursor->search};
}

// Hands out the entry that LMDB's cursor came to, if it is within the store or index.
static enum status arrive(struct index_cursor *cursor, int code, MDB_val key, MDB_val value,
                          struct bytes *ret_key, struct index_entry *ret_entry) {
    cursor->positioned = false;
    if (code == MDB_NOTFOUND) return STATUS_END;
    if (code != 0) return index_status(code);
    if (!index_has_prefix(key, cursor->id))
        return key.mv_size < INDEX_ID_SIZE ? STATUS_CORRUPT : STATUS_END;
    if (!cursor->secondary) {
        if (key.mv_size != INDEX_PRIMARY_KEY_SIZE) return STATUS_CORRUPT;
        enum status status = index_decode_entry(value, ret_entry);
        if (status != STATUS_OK) return status;
    }
    cursor->positioned = true;
    *ret_key = bytes_of((const uint8_t *)key.mv_data + INDEX_ID_SIZE, key.mv_size - INDEX_ID_SIZE);
    return STATUS_OK;
}

enum status index_cursor_seek(struct index_cursor *cursor, struct bytes key, struct bytes *ret_key,
                              struct index_entry *ret_entry) {
    MDB_val place = search_key(cursor, cursor->id, key), value;
    int code = mdb_cursor_get(cursor->cursor, &place, &value, MDB_SET_RANGE);
    return arrive(cursor, code, place, value, ret_key, ret_entry);
}

enum status index_cursor_seek_before(struct index_cursor *cursor, struct bytes key,
                                     struct bytes *ret_key, struct index_entry *ret_entry) {
    MDB_val place = {0}, value = {0};
    int code = MDB_NOTFOUND;
    if (key.data != NULL || cursor->id < UINT32_MAX) {
        place = key.data != NULL ? search_key(cursor, cursor->id, key)
                                 : search_key(cursor, cursor->id + 1, bytes_of(NULL, 0));
        code = mdb_cursor_get(cursor->cursor, &place, &value, MDB_SET_RANGE);
    }
    if (code == 0)
        code = mdb_cursor_get(cursor->cursor, &place, &value, MDB_PREV);
    else if (code == MDB_NOTFOUND) // every key of the tree is below
        code = mdb_cursor_get(cursor->cursor, &place, &value, MDB_LAST);
    return arrive(cursor, code, place, value, ret_key, ret_entry);
}

static enum status move(struct index_cursor *cursor, MDB_cursor_op direction, struct bytes *ret_key,
                        struct index_entry *ret_entry) {
    if (!cursor->positioned) return STATUS_END;
    MDB_val key, value;
    int code = mdb_cursor_get(cursor->cursor, &key, &value, direction);
    return arrive(cursor, code, key, value, ret_key, ret_entry);
}

enum status index_cursor_next(struct index_cursor *cursor, struct bytes *ret_key,
                              struct index_entry *ret_entry) {
    return move(cursor, MDB_NEXT, ret_key, ret_entry);
}

enum status index_cursor_previous(struct index_cursor *cursor, struct bytes *ret_key,
                                  struct index_entry *ret_entry) {
    return move(cursor, MDB_PREV, ret_key, ret_entry);
}
