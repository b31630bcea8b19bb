// SPDX-License-Identifier: Apache-2.0
// Scans: a merge of one cursor per live generation and one over the index, forward or backward. A
// key that several sources hold counts as the newest source has it; tombstones hide it.
//
// The index side is read in runs of up to SCAN_RUN entries, whose documents are prefetched from
// the value log; runs grow from one entry, so that a short scan does not read ahead in vain. The
// index's bytes stay in place until the view ends, so a run only points to them.
#include <stdlib.h>

#include "storage/snapshot.h"
#include "storage/transaction.h"

#define SCAN_RUN 16

struct run_entry {
    struct bytes key;
    struct index_entry entry;
};

struct memory_source {
    struct memtable_cursor cursor;
    struct bytes key;              // at the cursor
    const struct version *version; // that the view sees there; NULL: at the end
    uint64_t sequence;             // what it sees: everything of a transaction's own writes
    bool own;
};

struct scan {
    struct view view;
    uint32_t store_id;
    uint32_t index_id;
    bool secondary, reverse, keys_only;
    bool ended;
    struct bytes last;         // key of the last entry given
    struct bytes lower, upper; // in `bounds`; NULL data: none
    struct index_cursor *cursor;
    bool cursor_placed, cursor_ended;
    size_t run_next, run_count, run_wanted;
    struct run_entry run[SCAN_RUN];
    size_t source_count; // newest first
    struct memory_source *sources;
    uint8_t bounds[];
};

// ---- order and bounds -----------------------------------------------------------------------

// <0 when `a` comes before `b` in key order. Primary keys are two words.
static inline int compare_keys(const struct scan *scan, struct bytes a, struct bytes b) {
    if (scan->secondary) return bytes_compare(a, b);
    uint64_t x = load_be64(a.data), y = load_be64(b.data);
    if (x == y) {
        x = load_be64(a.data + 8);
        y = load_be64(b.data + 8);
    }
    return (x > y) - (x < y);
}

// Whether `key` lies beyond the end of the scan in its direction. Bounds may be prefixes.
static inline bool beyond(const struct scan *scan, struct bytes key) {
    if (scan->reverse) return scan->lower.data != NULL && bytes_compare(key, scan->lower) < 0;
    return scan->upper.data != NULL && bytes_compare(key, scan->upper) >= 0;
}

// ---- memory ---------------------------------------------------------------------------------

// From the cursor's node on to the first key within the bounds that the view sees anything of.
static void memory_settle(const struct scan *scan, struct memory_source *source) {
    while (source->cursor.node != NULL) {
        source->key = memtable_node_key(source->cursor.node);
        if (beyond(scan, source->key)) break;
        source->version = memtable_node_version(source->cursor.node, source->sequence);
        if (source->version != NULL) return;
        if (scan->reverse)
            memtable_cursor_previous(&source->cursor);
        else
            memtable_cursor_next(&source->cursor);
    }
    source->version = NULL;
}

static void memory_next(const struct scan *scan, struct memory_source *source) {
    if (scan->reverse)
        memtable_cursor_previous(&source->cursor);
    else
        memtable_cursor_next(&source->cursor);
    memory_settle(scan, source);
}

static void memory_add(struct scan *scan, const struct generation *generation, uint64_t sequence,
                       bool own) {
    enum memtable_kind kind = scan->secondary ? MEMTABLE_INDEX : MEMTABLE_STORE;
    uint32_t id = scan->secondary ? scan->index_id : scan->store_id;
    const struct memtable *memtable = generation_memtable(generation, kind, id);
    if (memtable == NULL) return;
    struct memory_source *source = &scan->sources[scan->source_count];
    source->sequence = sequence;
    source->own = own;
    if (scan->reverse)
        memtable_seek_before(&source->cursor, memtable, scan->upper);
    else
        memtable_seek(&source->cursor, memtable, scan->lower);
    memory_settle(scan, source);
    if (source->version != NULL) scan->source_count++;
}

static void memory_begin(struct scan *scan) {
    const struct snapshot *snapshot = scan->view.snapshot;
    const struct generation *own = view_own_writes(&scan->view);
    if (own != NULL) memory_add(scan, own, UINT64_MAX, true);
    for (size_t i = 0; i < snapshot->generation_count; i++)
        memory_add(scan, snapshot->version->generations[i], scan->view.sequence, false);
}

// ---- the index ------------------------------------------------------------------------------

static enum status cursor_step(struct scan *scan, struct run_entry *ret) {
    if (scan->cursor_placed)
        return scan->reverse ? index_cursor_previous(scan->cursor, &ret->key, &ret->entry)
                             : index_cursor_next(scan->cursor, &ret->key, &ret->entry);
    scan->cursor_placed = true;
    return scan->reverse
               ? index_cursor_seek_before(scan->cursor, scan->upper, &ret->key, &ret->entry)
               : index_cursor_seek(scan->cursor, scan->lower, &ret->key, &ret->entry);
}

// Reads the next run. An empty one: the index has no more.
static enum status run_fill(struct scan *scan) {
    const struct vlog *vlog = scan->view.snapshot->reader->storage->vlog;
    scan->run_next = scan->run_count = 0;
    if (scan->cursor_ended) return STATUS_OK;
    while (scan->run_count < scan->run_wanted) {
        struct run_entry *entry = &scan->run[scan->run_count];
        enum status status = cursor_step(scan, entry);
        if (status == STATUS_END || (status == STATUS_OK && beyond(scan, entry->key))) {
            scan->cursor_ended = true;
            break;
        }
        if (status != STATUS_OK) return status;
        if (entry->key.size < sizeof(struct key) ||
            (!scan->secondary && entry->key.size != sizeof(struct key)))
            return STATUS_CORRUPT;
        if (!scan->secondary) {
            ASSERT(entry->entry.sequence <= scan->view.sequence);
            if (!scan->keys_only) vlog_prefetch(vlog, &entry->entry.pointer);
        }
        scan->run_count++;
    }
    if (scan->run_wanted < SCAN_RUN) scan->run_wanted *= 2;
    return STATUS_OK;
}

// ---- the merge ------------------------------------------------------------------------------

struct winner {
    struct bytes key;
    const struct version *version;   // from memory …
    bool own;                        // of the transaction that reads
    const struct index_entry *entry; // … or from the index
};

// The next key of all sources with what the newest source says of it; takes it off all of them.
static enum status merge_step(struct scan *scan, struct winner *ret) {
    if (scan->run_next == scan->run_count) {
        enum status status = run_fill(scan);
        if (status != STATUS_OK) return status;
    }
    bool from_index = scan->run_next < scan->run_count;
    *ret = (struct winner){0};
    if (from_index) {
        ret->key = scan->run[scan->run_next].key;
        ret->entry = &scan->run[scan->run_next].entry;
    }
    // Oldest first, so that a newer source takes over on a tie.
    struct memory_source *best = NULL;
    for (size_t i = scan->source_count; i-- > 0;) {
        struct memory_source *source = &scan->sources[i];
        if (source->version == NULL) continue;
        int order = ret->key.data == NULL ? -1 : compare_keys(scan, source->key, ret->key);
        if (scan->reverse && ret->key.data != NULL) order = -order;
        if (order > 0) continue;
        best = source;
        ret->key = source->key;
    }
    if (ret->key.data == NULL) return STATUS_END;
    if (from_index && (best == NULL || bytes_equal(scan->run[scan->run_next].key, ret->key)))
        scan->run_next++;
    if (best == NULL) return STATUS_OK;
    ret->version = best->version;
    ret->own = best->own;
    ret->entry = NULL;
    for (size_t i = 0; i < scan->source_count; i++) {
        struct memory_source *source = &scan->sources[i];
        if (source->version != NULL && bytes_equal(source->key, ret->key))
            memory_next(scan, source);
    }
    return STATUS_OK;
}

static enum status fill_primary(struct scan *scan, const struct winner *winner,
                                struct scan_entry *ret) {
    memcpy(ret->key.bytes, winner->key.data, sizeof ret->key.bytes);
    ret->value = ret->document = (struct bytes){0};
    if (winner->version != NULL) {
        ret->sequence = winner->own ? 0 : winner->version->sequence;
        if (!scan->keys_only) ret->document = version_bytes(winner->version);
        return STATUS_OK;
    }
    ret->sequence = winner->entry->sequence;
    if (scan->keys_only) return STATUS_OK;
    return vlog_read(scan->view.snapshot->reader->storage->vlog, &winner->entry->pointer,
                     scan->store_id, &ret->key, ret->sequence, &ret->document);
}

static enum status fill_secondary(struct scan *scan, const struct winner *winner,
                                  struct scan_entry *ret) {
    size_t value_size = winner->key.size - sizeof(struct key);
    memcpy(ret->key.bytes, winner->key.data + value_size, sizeof ret->key.bytes);
    ret->value = bytes_of(winner->key.data, value_size);
    ret->sequence = 0;
    ret->document = (struct bytes){0};
    if (scan->keys_only) return STATUS_OK;
    enum status status =
        storage_get(&scan->view, scan->store_id, &ret->key, &ret->document, &ret->sequence);
    // An entry goes with its document in every view.
    return status == STATUS_NOT_FOUND ? STATUS_CORRUPT : status;
}

enum status scan_next(struct scan *scan, struct scan_entry *ret) {
    for (;;) {
        struct winner winner;
        enum status status = merge_step(scan, &winner);
        scan->ended = status == STATUS_END;
        if (status != STATUS_OK) return status;
        if (winner.version != NULL && winner.version->tombstone) continue;
        scan->last = winner.key; // stays in place as long as the view
        return scan->secondary ? fill_secondary(scan, &winner, ret)
                               : fill_primary(scan, &winner, ret);
    }
}

// ---- opening --------------------------------------------------------------------------------

static struct scan *scan_new(const struct view *view, const struct scan_options *options) {
    size_t sources = view->snapshot->generation_count + 1; // and the transaction's own writes
    size_t bounds = (options->lower.size + options->upper.size + 15) & ~(size_t)7;
    struct scan *scan = calloc(1, sizeof *scan + bounds + sources * sizeof(struct memory_source));
    if (scan == NULL) return NULL;
    // The bounds come first, rounded so that the sources behind them are aligned.
    uintptr_t place = (uintptr_t)scan->bounds + options->lower.size + options->upper.size;
    scan->sources = (struct memory_source *)((place + 7) & ~(uintptr_t)7);
    if (options->lower.data != NULL) {
        memcpy(scan->bounds, options->lower.data, options->lower.size);
        scan->lower = bytes_of(scan->bounds, options->lower.size);
    }
    if (options->upper.data != NULL) {
        uint8_t *upper = scan->bounds + options->lower.size;
        memcpy(upper, options->upper.data, options->upper.size);
        scan->upper = bytes_of(upper, options->upper.size);
    }
    return scan;
}

enum status scan_open(const struct view *view, const struct scan_options *options,
                      struct scan **ret) {
    const struct catalog *catalog = view_catalog(view);
    if (catalog_store_by_id(catalog, options->store_id) == NULL) return STATUS_NO_STORE;
    if (options->index_id != 0) {
        const struct index_info *index = catalog_index_by_id(catalog, options->index_id);
        if (index == NULL || index->store_id != options->store_id || index->state != INDEX_READY)
            return STATUS_NO_INDEX;
    }
    struct scan *scan = scan_new(view, options);
    if (scan == NULL) return STATUS_NO_MEMORY;
    scan->view = *view;
    scan->view.snapshot->views++;
    scan->store_id = options->store_id;
    scan->index_id = options->index_id;
    scan->secondary = options->index_id != 0;
    scan->reverse = options->reverse;
    scan->keys_only = options->keys_only;
    scan->run_wanted = 1;
    enum status status =
        index_cursor_open(view->snapshot->index, scan->secondary,
                          scan->secondary ? scan->index_id : scan->store_id, &scan->cursor);
    if (status != STATUS_OK) {
        scan->view.snapshot->views--;
        free(scan);
        return status;
    }
    memory_begin(scan);
    *ret = scan;
    return STATUS_OK;
}

// What a serializable transaction has seen of the range: all of it, or up to the last entry.
static void note_range(const struct scan *scan) {
    struct transaction_range range = {.kind = scan->secondary ? MEMTABLE_INDEX : MEMTABLE_STORE,
                                      .store_id = scan->store_id,
                                      .index_id = scan->index_id,
                                      .lower = scan->lower,
                                      .upper = scan->upper};
    if (!scan->ended && scan->last.data == NULL) return; // nothing was asked
    if (!scan->ended && scan->reverse) range.lower = scan->last;
    if (!scan->ended && !scan->reverse) range.last = scan->last;
    transaction_note_range(scan->view.transaction, &range);
}

void scan_close(struct scan *scan) {
    if (scan == NULL) return;
    if (scan->view.transaction != NULL) note_range(scan);
    index_cursor_close(scan->cursor);
    view_end(&scan->view);
    free(scan);
}
