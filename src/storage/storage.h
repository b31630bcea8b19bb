// SPDX-License-Identifier: Apache-2.0
// The storage engine: stores of BSON documents under 128-bit keys, with secondary indexes, MVCC
// snapshots and a commit log. One engine per data directory and process; opening it twice is
// refused (STATUS_LOCKED). On-disk formats: docs/FILE_FORMAT.md. Reasons: ARCHITECTURE.md.
//
// Sequences. Every operation of a commit gets its own number; checkpoint <= durable <= visible
// holds always (asserted). `ack` is durable when flush_interval_ms is 0, else visible: what a reply
// may depend on. An acknowledged write survives kill -9; at interval 0 it survives power loss.
//
// Threads. `struct storage` may be used by any thread. A `struct reader`, its views and its scans
// belong to one thread. Background threads: log writer, flusher.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"
#include "doc/doc.h"

struct storage;

struct storage_options {
    struct file_system *fs;       // NULL: file_system_posix()
    struct clock *clock;          // NULL: clock_system()
    struct random_source *random; // NULL: random_system()
    int64_t flush_interval_ms;    // 0: acknowledged = synced; else a sync at least this often
    int64_t wal_segment_bytes;    // >= 64 KiB
    int64_t vlog_segment_bytes;   // >= 1 MiB
    int64_t memtable_bytes;       // size at which a generation is frozen, >= 64 KiB
    int64_t generations_max;      // frozen generations before writers wait
    int64_t index_map_bytes;      // address space reserved for the index
    // Bounds of a transaction, and of what is kept in memory for the conflicts of live ones.
    int64_t transaction_bytes_max;
    int64_t transaction_age_max_ms;
    int64_t history_bytes_max;
    bool repair; // cut a corrupt log instead of refusing to open
};
// The defaults: 1000 ms, 16 MiB, 1 GiB, 64 MiB, 4, 1 TiB; 64 MiB, 60 s, 128 MiB.
struct storage_options storage_options_default(void);

// Opens or creates the directory `path`, replaying the log. STATUS_LOCKED, STATUS_CORRUPT (where is
// in the message), STATUS_VERSION, STATUS_IO, STATUS_NO_SPACE.
CHECKED enum status storage_open(const char *path, const struct storage_options *options,
                                 struct storage **ret, struct error *error);
// Writes everything to value log and index, marks a clean stop, frees. All readers must be closed.
void storage_close(struct storage *storage);
// Closes without flushing or marking a clean stop, as after a crash (tests).
void storage_abandon(struct storage *storage);

uint64_t storage_visible(const struct storage *storage);
uint64_t storage_durable(const struct storage *storage);
uint64_t storage_ack(const struct storage *storage);
uint64_t storage_checkpoint(const struct storage *storage);
uint64_t storage_epoch(const struct storage *storage);
// STATUS_OK, or STATUS_READ_ONLY after a failed sync or flush: reads go on, writes are refused
// until the directory is opened again.
enum status storage_health(const struct storage *storage);

// Waits until `sequence` is durable. STATUS_IO when the log can never become so.
CHECKED enum status storage_sync(struct storage *storage, uint64_t sequence);
// Asks the log writer for a sync without waiting.
void storage_request_sync(struct storage *storage, uint64_t sequence);
// Freezes the current generation and waits until the index holds everything up to now. What made
// the flusher give up (STATUS_IO, STATUS_CORRUPT …) when it did; STATUS_NO_SPACE when the disk is
// full: it is tried again from time to time, and by the next call.
CHECKED enum status storage_flush(struct storage *storage);

enum storage_event { STORAGE_DURABLE, STORAGE_VERSION, STORAGE_FAILED };
// `function` is called on background threads after durable advanced (STORAGE_DURABLE), after a
// flush or DDL made new versions (STORAGE_VERSION: call reader_idle soon), after the log failed.
// It must return at once. Up to 64 listeners. Returns a handle for storage_unlisten().
int storage_listen(struct storage *storage,
                   void (*function)(enum storage_event event, void *context), void *context);
void storage_unlisten(struct storage *storage, int handle);

// ---- catalogue ------------------------------------------------------------------------------

enum index_state { INDEX_BUILDING = 1, INDEX_READY = 2 };

struct index_info {
    uint32_t id; // never reused
    uint32_t store_id;
    enum index_state state;
    char *name;
    char *field; // dotted path
};

struct store_info {
    uint32_t id; // never reused
    enum key_type key_type;
    char *name;
    struct index_info **indexes;
    size_t index_count;
};

// Immutable; lives as long as the view (or reference) it came from.
struct catalog;
const struct store_info *catalog_store(const struct catalog *catalog, struct bytes name);
const struct store_info *catalog_store_by_id(const struct catalog *catalog, uint32_t id);
const struct index_info *catalog_index_by_id(const struct catalog *catalog, uint32_t id);
size_t catalog_store_count(const struct catalog *catalog);
// Stores in order of name; position < count.
const struct store_info *catalog_store_at(const struct catalog *catalog, size_t position);
// The index of that name of the store, or NULL.
const struct index_info *store_index(const struct store_info *store, struct bytes name);

// Names: 1 to STORE_NAME_MAX bytes of [A-Za-z0-9_.-], not beginning with '.' or '-'. STATUS_EXISTS,
// STATUS_INVALID. `ret_sequence` (may be NULL) is what acknowledgement of the DDL waits for.
CHECKED enum status storage_create_store(struct storage *storage, struct bytes name,
                                         enum key_type key_type, uint32_t *ret_id,
                                         uint64_t *ret_sequence, struct error *error);
// Gone at once for later views; space comes back in the background. STATUS_NO_STORE.
CHECKED enum status storage_drop_store(struct storage *storage, struct bytes name,
                                       uint64_t *ret_sequence, struct error *error);
// Registers a single-field index; writes maintain it from then on, a background build adds what
// was there, and it becomes INDEX_READY when complete (an unfinished build restarts at open).
CHECKED enum status storage_create_index(struct storage *storage, struct bytes store,
                                         struct bytes name, struct bytes field, uint32_t *ret_id,
                                         uint64_t *ret_sequence, struct error *error);
CHECKED enum status storage_drop_index(struct storage *storage, struct bytes store,
                                       struct bytes name, uint64_t *ret_sequence,
                                       struct error *error);
// Waits until no index of the catalogue is building.
CHECKED enum status storage_wait_indexes(struct storage *storage);

// ---- reading --------------------------------------------------------------------------------

struct reader; // one per worker thread
CHECKED enum status reader_open(struct storage *storage, struct reader **ret);
// All views must be released.
void reader_close(struct reader *reader);
// Lets go of the reader's cached snapshot if it is stale (or `always`), so that memory and index
// pages behind it can be freed. Cheap when there is nothing to do.
void reader_idle(struct reader *reader, bool always);

struct snapshot; // version of the memtables and catalogue + index transaction; counted
enum read_point {
    READ_ACK,    // the newest state that needs no waiting: for requests that write nothing
    READ_LATEST, // the newest visible state: replies must wait until ack reaches `sequence`
};
struct view {
    struct snapshot *snapshot;
    uint64_t sequence;               // operations up to and including this one are seen
    struct transaction *transaction; // whose own writes are seen as well, or NULL
};
// Begins a view (tens of ns when nothing changed). STATUS_NO_MEMORY, STATUS_IO.
CHECKED enum status view_begin(struct reader *reader, enum read_point point, struct view *ret);
void view_end(struct view *view);
// The catalogue that goes with the view; it may hold DDL that is newer than the view's sequence.
const struct catalog *view_catalog(const struct view *view);

// The document under `key`. It stays in place until the view ends. STATUS_NOT_FOUND,
// STATUS_CORRUPT, STATUS_IO. `ret_sequence` may be NULL; it is 0 for a transaction's own write.
CHECKED enum status storage_get(const struct view *view, uint32_t store_id, const struct key *key,
                                struct bytes *ret_document, uint64_t *ret_sequence);

struct scan;
struct scan_options {
    uint32_t store_id;
    uint32_t index_id; // 0: primary order
    bool reverse;
    bool keys_only; // entries carry no document: for counts
    // Bounds. Primary: 16-byte keys. Index: prefixes of (encoded value ++ 16-byte key), see
    // doc_encode_index(). Empty `data == NULL`: unbounded. Lower is inclusive, upper exclusive, in
    // either direction (a reverse scan starts just below `upper`).
    struct bytes lower;
    struct bytes upper;
};
struct scan_entry {
    struct key key;
    uint64_t sequence;     // primary scans, and index scans that fetch documents; 0: own write
    struct bytes value;    // index scans: the encoded value as stored (maybe truncated)
    struct bytes document; // valid until the view ends; empty when keys_only
};
// The bounds are copied. The view must outlive the scan. STATUS_NO_STORE, STATUS_NO_INDEX (unknown,
// of another store, or still being built), STATUS_NO_MEMORY, STATUS_IO.
CHECKED enum status scan_open(const struct view *view, const struct scan_options *options,
                              struct scan **ret);
// STATUS_END after the last entry. `ret->value` is valid until the next call.
CHECKED enum status scan_next(struct scan *scan, struct scan_entry *ret);
void scan_close(struct scan *scan);

// ---- writing --------------------------------------------------------------------------------

enum write_kind {
    WRITE_INSERT = 1, // STATUS_DUPLICATE_KEY when the key exists
    WRITE_PUT,        // insert or replace
    WRITE_REPLACE,    // STATUS_NOT_FOUND when it does not exist
    WRITE_DELETE,     // STATUS_NOT_FOUND when it does not exist
};
struct write {
    enum write_kind kind;
    uint32_t store_id;
    struct key key;
    struct bytes document; // valid BSON with this key as _id (callers validate); not for delete
    uint64_t
        expected_sequence; // 0: any; else STATUS_CONFLICT unless the key's newest version is it
};
struct write_result {
    uint64_t first_sequence;
    uint64_t last_sequence; // the reply waits until ack reaches it
    size_t failed;          // position of the write that was refused (on failure)
    uint64_t depends_on;    // on failure: the sequence that a truthful refusal depends on
};
// Commits all writes as one transaction, or none. A key may occur once (STATUS_DUPLICATE_KEY for an
// insert, else STATUS_INVALID, with `failed` at the later one). Documents are copied.
// May block when memory is full (backpressure) and while the log prepares a segment; never on a
// disk sync. STATUS_NO_STORE, STATUS_DUPLICATE_KEY, STATUS_NOT_FOUND, STATUS_CONFLICT,
// STATUS_TOO_LARGE, STATUS_NO_MEMORY, STATUS_NO_SPACE, STATUS_READ_ONLY.
CHECKED enum status storage_write(struct storage *storage, struct reader *reader,
                                  const struct write *writes, size_t count,
                                  struct write_result *ret, struct error *error);

// ---- transactions ---------------------------------------------------------------------------

// Reads at one snapshot with the transaction's own writes laid over it; nobody else sees those
// until the commit, which is all or nothing. The first committer wins: a commit is refused with
// STATUS_CONFLICT when a key that it writes was written by somebody else since the snapshot. A
// serializable transaction is refused as well when anything that it read, a range that it scanned
// included, is not what it was; one that writes nothing always commits.
//
// It belongs to the reader's thread, may outlive any number of other operations of the reader, and
// keeps the memory of its snapshot from being freed: its age and the bytes of its writes and read
// set are bounded (storage_options).
struct transaction;
enum isolation { ISOLATION_SNAPSHOT, ISOLATION_SERIALIZABLE };
// STATUS_NO_MEMORY, STATUS_IO.
CHECKED enum status transaction_begin(struct reader *reader, enum isolation isolation,
                                      struct transaction **ret);
// A view in which its own writes are seen through every access path; to be ended with view_end()
// before the transaction ends. What is written while a scan is open may be met by it or not.
// STATUS_SNAPSHOT_TOO_OLD past the maximum age.
CHECKED enum status transaction_view(struct transaction *transaction, struct view *ret);
// As storage_write(), into the transaction: all of `writes` or none; sequences in the result are 0
// but for `depends_on`. A refusal leaves the transaction as it was. `expected_sequence` of a key
// that the transaction has written is always a conflict. STATUS_TOO_LARGE, STATUS_SNAPSHOT_TOO_OLD.
CHECKED enum status transaction_write(struct transaction *transaction, const struct write *writes,
                                      size_t count, struct write_result *ret, struct error *error);
bool transaction_has_writes(const struct transaction *transaction);
// Commits and frees the transaction, whatever the outcome; its views must have ended. Without
// writes the sequences are 0. STATUS_CONFLICT, STATUS_SNAPSHOT_TOO_OLD (the history of conflicts
// does not reach back to its snapshot, or it is too old itself), STATUS_NO_STORE (dropped since),
// and what storage_write() gives.
CHECKED enum status transaction_commit(struct transaction *transaction, struct write_result *ret,
                                       struct error *error);
// Forgets and frees it; NULL is fine. Its views must have ended.
void transaction_abort(struct transaction *transaction);

struct storage_stats {
    uint64_t memtable_bytes, frozen_generations, wal_bytes, vlog_bytes, vlog_dead_bytes,
        index_bytes, flushes, oldest_view_age_ms;
};
void storage_get_stats(struct storage *storage, struct storage_stats *ret);
