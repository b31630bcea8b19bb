// SPDX-License-Identifier: Apache-2.0
#include "storage/snapshot.h"

#include <stdlib.h>

#include "storage/flusher.h"

// ---- snapshots ------------------------------------------------------------------------------

static void reader_note_oldest(struct reader *reader) {
    uint64_t oldest = 0;
    if (!list_empty(&reader->snapshots))
        oldest = container_of(reader->snapshots.next, struct snapshot, node)->begun_ns;
    atomic_store_explicit(&reader->oldest_ns, oldest, memory_order_relaxed);
}

static void snapshot_release(struct snapshot *snapshot) {
    ASSERT(snapshot->views > 0);
    if (--snapshot->views > 0) return;
    struct reader *reader = snapshot->reader;
    ASSERT(reader->current != snapshot);
    if (reader->spare_count < SPARE_INDEX_READERS) {
        index_reader_reset(snapshot->index);
        reader->spares[reader->spare_count++] = snapshot->index;
    } else {
        index_reader_close(snapshot->index);
    }
    // The memory of generations goes back on the flusher thread.
    if (version_drop(snapshot->version)) flusher_retire(reader->storage, snapshot->version);
    list_remove(&snapshot->node);
    free(snapshot);
    reader_note_oldest(reader);
}

static enum status open_index_reader(struct reader *reader, struct index_reader **ret) {
    if (reader->spare_count == 0) return index_reader_open(reader->storage->index, ret);
    struct index_reader *index = reader->spares[--reader->spare_count];
    enum status status = index_reader_renew(index);
    if (status != STATUS_OK) {
        index_reader_close(index);
        return status;
    }
    *ret = index;
    return STATUS_OK;
}

static enum status read_checkpoint(struct index_reader *index, uint64_t *ret) {
    struct bytes value;
    enum status status = index_get_meta(index, META_CHECKPOINT, &value);
    if (status == STATUS_NOT_FOUND) {
        *ret = 0;
        return STATUS_OK;
    }
    if (status != STATUS_OK) return status;
    if (value.size != sizeof *ret) return STATUS_CORRUPT;
    *ret = load_le64(value.data);
    return STATUS_OK;
}

// The generations from the oldest on that the index holds wholly are not looked at.
static size_t live_generations(const struct storage_version *version, uint64_t checkpoint) {
    size_t count = version->generation_count;
    while (count > 1) {
        uint64_t last = atomic_load_explicit(&version->generations[count - 1]->last_sequence,
                                             memory_order_acquire);
        ASSERT(last > 0);
        if (last > checkpoint) break;
        count--;
    }
    return count;
}

static enum status snapshot_assemble(struct reader *reader, struct snapshot **ret) {
    struct snapshot *snapshot = calloc(1, sizeof *snapshot);
    if (snapshot == NULL) return STATUS_NO_MEMORY;
    snapshot->reader = reader;
    snapshot->views = 1;
    snapshot->begun_ns = clock_monotonic_ns(reader->storage->options.clock);
    // The version first: its frozen generations must not leave before the index holds them.
    snapshot->version = storage_take_version(reader->storage);
    enum status status = open_index_reader(reader, &snapshot->index);
    if (status == STATUS_OK) status = read_checkpoint(snapshot->index, &snapshot->checkpoint);
    if (status != STATUS_OK) {
        index_reader_close(snapshot->index);
        version_unref(snapshot->version);
        free(snapshot);
        return status;
    }
    snapshot->generation_count = live_generations(snapshot->version, snapshot->checkpoint);
    list_push_back(&reader->snapshots, &snapshot->node);
    reader_note_oldest(reader);
    *ret = snapshot;
    return STATUS_OK;
}

static void reader_let_go(struct reader *reader) {
    struct snapshot *snapshot = reader->current;
    reader->current = NULL;
    if (snapshot != NULL) snapshot_release(snapshot);
}

// ---- readers and views ----------------------------------------------------------------------

enum status reader_open(struct storage *storage, struct reader **ret) {
    struct reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) return STATUS_NO_MEMORY;
    reader->storage = storage;
    list_init(&reader->snapshots);
    mutex_lock(&storage->readers_lock);
    list_push_back(&storage->readers, &reader->node);
    mutex_unlock(&storage->readers_lock);
    *ret = reader;
    return STATUS_OK;
}

void reader_close(struct reader *reader) {
    if (reader == NULL) return;
    reader_let_go(reader);
    ASSERT(list_empty(&reader->snapshots));
    mutex_lock(&reader->storage->readers_lock);
    list_remove(&reader->node);
    mutex_unlock(&reader->storage->readers_lock);
    while (reader->spare_count > 0) index_reader_close(reader->spares[--reader->spare_count]);
    batch_done(&reader->batch);
    free(reader);
}

static bool snapshot_is_current(const struct snapshot *snapshot) {
    const struct storage *storage = snapshot->reader->storage;
    return snapshot->version->number ==
           atomic_load_explicit(&storage->version_number, memory_order_acquire);
}

void reader_idle(struct reader *reader, bool always) {
    if (reader->current == NULL) return;
    if (always || !snapshot_is_current(reader->current)) reader_let_go(reader);
}

enum status view_begin(struct reader *reader, enum read_point point, struct view *ret) {
    const struct storage *storage = reader->storage;
    for (;;) {
        uint64_t sequence = point == READ_ACK ? storage_ack(storage) : wal_visible(storage->wal);
        struct snapshot *snapshot = reader->current;
        if (__builtin_expect(snapshot != NULL && snapshot_is_current(snapshot), 1)) {
            ASSERT(sequence >= snapshot->checkpoint);
            snapshot->views++;
            *ret = (struct view){.snapshot = snapshot, .sequence = sequence};
            return STATUS_OK;
        }
        reader_let_go(reader);
        enum status status = snapshot_assemble(reader, &reader->current);
        if (status != STATUS_OK) return status;
    }
}

void view_end(struct view *view) {
    ASSERT(view->snapshot != NULL);
    snapshot_release(view->snapshot);
    *view = (struct view){0};
}

const struct catalog *view_catalog(const struct view *view) {
    return view->snapshot->version->catalog;
}

// ---- point look-ups -------------------------------------------------------------------------

static bool find_in_memory(const struct snapshot *snapshot, uint64_t sequence, uint32_t store_id,
                           const struct key *key, struct found *ret) {
    for (size_t i = 0; i < snapshot->generation_count; i++) {
        const struct memtable *memtable =
            generation_memtable(snapshot->version->generations[i], MEMTABLE_STORE, store_id);
        if (memtable == NULL) continue;
        const struct version *version =
            memtable_get(memtable, bytes_of(key->bytes, sizeof key->bytes), sequence);
        if (version == NULL) continue;
        *ret = (struct found){
            .exists = !version->tombstone, .sequence = version->sequence, .version = version};
        return true;
    }
    return false;
}

static enum status find_in_index(const struct snapshot *snapshot, uint64_t sequence,
                                 uint32_t store_id, const struct key *key, struct found *ret) {
    *ret = (struct found){0};
    enum status status = index_get(snapshot->index, store_id, key, &ret->entry);
    if (status == STATUS_NOT_FOUND) return STATUS_OK;
    if (status != STATUS_OK) return status;
    ASSERT(ret->entry.sequence <= sequence);
    ret->exists = true;
    ret->sequence = ret->entry.sequence;
    return STATUS_OK;
}

enum status snapshot_find(const struct snapshot *snapshot, uint64_t sequence, uint32_t store_id,
                          const struct key *key, struct found *ret) {
    if (find_in_memory(snapshot, sequence, store_id, key, ret)) return STATUS_OK;
    return find_in_index(snapshot, sequence, store_id, key, ret);
}

static enum status read_top(const struct snapshot *snapshot, struct snapshot_top *top) {
    struct index_cursor *cursor;
    enum status status = index_cursor_open(snapshot->index, false, top->store_id, &cursor);
    if (status != STATUS_OK) return status;
    struct bytes key;
    struct index_entry entry;
    status = index_cursor_seek_before(cursor, (struct bytes){0}, &key, &entry);
    top->empty = status == STATUS_END;
    if (status == STATUS_OK) {
        ASSERT(key.size == sizeof top->key.bytes);
        memcpy(top->key.bytes, key.data, sizeof top->key.bytes);
    }
    index_cursor_close(cursor);
    return status == STATUS_END ? STATUS_OK : status;
}

// The store's greatest key; NULL when it is not kept for so many stores.
static enum status find_top(struct snapshot *snapshot, uint32_t store_id,
                            const struct snapshot_top **ret) {
    for (size_t i = 0; i < snapshot->top_count; i++) {
        *ret = &snapshot->tops[i];
        if (snapshot->tops[i].store_id == store_id) return STATUS_OK;
    }
    *ret = NULL;
    if (snapshot->top_count == SNAPSHOT_TOPS) return STATUS_OK;
    struct snapshot_top *top = &snapshot->tops[snapshot->top_count];
    top->store_id = store_id;
    enum status status = read_top(snapshot, top);
    if (status != STATUS_OK) return status;
    snapshot->top_count++;
    *ret = top;
    return STATUS_OK;
}

enum status snapshot_find_new(struct snapshot *snapshot, uint64_t sequence, uint32_t store_id,
                              const struct key *key, struct found *ret) {
    if (find_in_memory(snapshot, sequence, store_id, key, ret)) return STATUS_OK;
    const struct snapshot_top *top;
    enum status status = find_top(snapshot, store_id, &top);
    if (status != STATUS_OK) return status;
    if (top != NULL && (top->empty || key_compare(key, &top->key) > 0)) {
        *ret = (struct found){0};
        return STATUS_OK;
    }
    return find_in_index(snapshot, sequence, store_id, key, ret);
}

enum status snapshot_document(const struct snapshot *snapshot, uint32_t store_id,
                              const struct key *key, const struct found *found, struct bytes *ret) {
    ASSERT(found->exists);
    if (found->version != NULL) {
        *ret = version_bytes(found->version);
        return STATUS_OK;
    }
    return vlog_read(snapshot->reader->storage->vlog, &found->entry.pointer, store_id, key,
                     found->entry.sequence, ret);
}

enum status storage_get(const struct view *view, uint32_t store_id, const struct key *key,
                        struct bytes *ret_document, uint64_t *ret_sequence) {
    struct found found;
    enum status status = view_find(view, store_id, key, false, &found);
    if (status != STATUS_OK) return status;
    if (!found.exists) return STATUS_NOT_FOUND;
    status = snapshot_document(view->snapshot, store_id, key, &found, ret_document);
    if (status == STATUS_OK && ret_sequence != NULL) *ret_sequence = found.sequence;
    return status;
}
