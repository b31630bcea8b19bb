// SPDX-License-Identifier: Apache-2.0
// The ordered index on disk: LMDB (only index*.c and their index_lmdb.h see lmdb.h).
// Trees: `primary` (u32 BE store id ++ 16-byte key -> u64 sequence, u32 segment, u32 size, u64
// offset, little-endian), `secondary` (u32 BE index id ++ encoded value ++ 16-byte key -> nothing),
// `catalog` (entry name -> BSON), `meta` (name -> bytes: checkpoint, epoch, clean, value-log tail,
// pending drops, dead bytes per segment).
// Environment flags: NOTLS, NORDAHEAD, NOMETASYNC (every commit syncs its pages, so that a power
// cut may lose the last commits but never the tree), no WRITEMAP; the map size is fixed from the
// start, halved down to 16 GiB where address space is short.
//
// Threads: one write transaction at a time, on the index-writer thread; an index_reader belongs to
// one thread at a time.
#pragma once

#include <stdbool.h>

#include "storage/vlog.h"

struct index;
struct index_reader;
struct index_writer;

struct index_entry {
    uint64_t sequence;
    struct vlog_pointer pointer;
};

// `path` is a directory (created when absent). At most one process and one open index a directory,
// which the caller's lock sees to. STATUS_CORRUPT, STATUS_IO, STATUS_VERSION.
CHECKED enum status index_open(const char *path, uint64_t map_bytes, uint32_t readers_max,
                               struct index **ret, struct error *error);
void index_close(struct index *index);
uint64_t index_bytes(const struct index *index); // used on disk

// ---- reading: a snapshot of the trees -------------------------------------------------------
// Begins a read transaction at the newest commit. STATUS_BUSY past `readers_max`.
CHECKED enum status index_reader_open(struct index *index, struct index_reader **ret);
// Moves an open (or reset) reader to the newest commit; all its cursors must be closed.
CHECKED enum status index_reader_renew(struct index_reader *reader);
// Lets go of the snapshot but keeps the slot, for a later renew.
void index_reader_reset(struct index_reader *reader);
void index_reader_close(struct index_reader *reader);

// A reader keeps the last look-ups of its snapshot, in up to 1 MiB.
CHECKED enum status index_get(struct index_reader *reader, uint32_t store_id, const struct key *key,
                              struct index_entry *ret);
// The bytes are valid until the reader is renewed, reset or closed. STATUS_NOT_FOUND.
CHECKED enum status index_get_meta(struct index_reader *reader, const char *name,
                                   struct bytes *ret);
CHECKED enum status index_each_meta(struct index_reader *reader, const char *prefix,
                                    enum status (*function)(struct bytes name, struct bytes value,
                                                            void *context),
                                    void *context);
CHECKED enum status index_each_catalog(struct index_reader *reader,
                                       enum status (*function)(struct bytes name,
                                                               struct bytes value, void *context),
                                       void *context);

// Cursor over one store (primary) or one index (secondary): keys come without their id prefix and,
// as all bytes, stay valid until the reader is renewed. Cheap to open: the reader keeps closed
// ones.
struct index_cursor;
CHECKED enum status index_cursor_open(struct index_reader *reader, bool secondary, uint32_t id,
                                      struct index_cursor **ret);
void index_cursor_close(struct index_cursor *cursor);
// First entry with key >= `key` (NULL data: the first). STATUS_END.
CHECKED enum status index_cursor_seek(struct index_cursor *cursor, struct bytes key,
                                      struct bytes *ret_key, struct index_entry *ret_entry);
// Last entry with key < `key` (NULL data: the last). STATUS_END.
CHECKED enum status index_cursor_seek_before(struct index_cursor *cursor, struct bytes key,
                                             struct bytes *ret_key, struct index_entry *ret_entry);
// `ret_entry` is filled for primary cursors only (may be NULL for secondary). STATUS_END, also when
// the cursor stands on no entry.
CHECKED enum status index_cursor_next(struct index_cursor *cursor, struct bytes *ret_key,
                                      struct index_entry *ret_entry);
CHECKED enum status index_cursor_previous(struct index_cursor *cursor, struct bytes *ret_key,
                                          struct index_entry *ret_entry);

// ---- writing: the index-writer thread -------------------------------------------------------
CHECKED enum status index_write_begin(struct index *index, struct index_writer **ret);
// Commit and abort free the writer. A commit is durable when `sync`, and all earlier ones with it.
// After a change that failed, commit aborts and returns that failure.
CHECKED enum status index_write_commit(struct index_writer *writer, bool sync);
void index_write_abort(struct index_writer *writer);
// Rough number of pages this transaction has dirtied, to bound it.
size_t index_write_pages(const struct index_writer *writer);

// `ret_old` (may be NULL) gets the entry that was there; its sequence is 0 when there was none.
// `append` promises that the key is above all others of the tree's store range so far (a hint; a
// wrong promise is handled).
CHECKED enum status index_put(struct index_writer *writer, uint32_t store_id, const struct key *key,
                              const struct index_entry *entry, bool append,
                              struct index_entry *ret_old);
// Deleting what is not there is fine; `ret_old` as above.
CHECKED enum status index_delete(struct index_writer *writer, uint32_t store_id,
                                 const struct key *key, struct index_entry *ret_old);
// Putting what is there and deleting what is not are fine.
CHECKED enum status index_put_secondary(struct index_writer *writer, uint32_t index_id,
                                        struct bytes value_and_key);
CHECKED enum status index_delete_secondary(struct index_writer *writer, uint32_t index_id,
                                           struct bytes value_and_key);
CHECKED enum status index_put_meta(struct index_writer *writer, const char *name,
                                   struct bytes value);
CHECKED enum status index_delete_meta(struct index_writer *writer, const char *name);
// NULL data deletes the entry (absent is fine).
CHECKED enum status index_put_catalog(struct index_writer *writer, struct bytes name,
                                      struct bytes value);
// Deletes up to `limit` entries of a store's or index's range. `function` (may be NULL) sees each
// deleted primary entry. `ret_more` tells whether any are left.
CHECKED enum status
index_delete_range(struct index_writer *writer, bool secondary, uint32_t id, size_t limit,
                   void (*function)(const struct index_entry *entry, void *context), void *context,
                   bool *ret_more);
// Reads inside the write transaction (backfill): as the cursor functions above, in batches: up to
// `limit` primary entries with key > `*after` (NULL: from the first); the callback may write
// secondary entries through the same writer.
CHECKED enum status index_write_scan(
    struct index_writer *writer, uint32_t store_id, const struct key *after, size_t limit,
    enum status (*function)(const struct key *key, const struct index_entry *entry, void *context),
    void *context, bool *ret_more);
