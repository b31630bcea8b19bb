// SPDX-License-Identifier: Apache-2.0
// Backfill of a new index. Writes maintain the index from its registration on; once a checkpoint
// holds the registration, everything older is in the primary tree, and the build adds an entry for
// each document there, in slices between flushes. A document that has changed since has its
// change in memory, where it shadows what the build adds, until the next flush removes it. An
// unfinished build begins anew after a restart: adding an entry twice is harmless.
#include "storage/batch.h"
#include "storage/ddl.h"
#include "storage/flusher.h"

#define BUILD_SLICE_NS 20000000ULL
#define BUILD_SLICE_MIN 64
#define BUILD_SLICE_MAX 65536

// Which index is to be built: registered as of the checkpoint and still wanted.
static const struct index_info *find_building(const struct storage *storage,
                                              const struct catalog *current) {
    const struct catalog *catalog = storage->checkpoint_catalog;
    for (size_t i = 0; i < catalog_store_count(catalog); i++) {
        const struct store_info *store = catalog_store_at(catalog, i);
        for (size_t k = 0; k < store->index_count; k++) {
            const struct index_info *now = catalog_index_by_id(current, store->indexes[k]->id);
            if (now != NULL && now->state == INDEX_BUILDING) return store->indexes[k];
        }
    }
    return NULL;
}

struct build_slice {
    struct storage *storage;
    const struct index_info *index;
    struct index_writer *writer;
    struct buffer entry;
};

static enum status build_entry(const struct key *key, const struct index_entry *entry,
                               void *context) {
    struct build_slice *slice = context;
    struct bytes document;
    enum status status = vlog_read(slice->storage->vlog, &entry->pointer, slice->index->store_id,
                                   key, entry->sequence, &document);
    if (status != STATUS_OK) return status;
    buffer_clear(&slice->entry);
    status = batch_index_entry(&slice->entry, slice->index, key, document);
    if (status != STATUS_OK) return status;
    slice->storage->build.after = *key;
    slice->storage->build.begun = true;
    return index_put_secondary(slice->writer, slice->index->id, buffer_bytes(&slice->entry));
}

static void adapt_slice(struct build *build, uint64_t elapsed_ns) {
    if (elapsed_ns > BUILD_SLICE_NS)
        build->slice /= 2;
    else if (elapsed_ns < BUILD_SLICE_NS / 2)
        build->slice *= 2;
    if (build->slice < BUILD_SLICE_MIN) build->slice = BUILD_SLICE_MIN;
    if (build->slice > BUILD_SLICE_MAX) build->slice = BUILD_SLICE_MAX;
}

static enum status run_slice(struct storage *storage, const struct index_info *index,
                             bool *ret_left) {
    struct build *build = &storage->build;
    struct build_slice slice = {.storage = storage, .index = index};
    uint64_t start = clock_monotonic_ns(storage->options.clock);
    enum status status = index_write_begin(storage->index, &slice.writer);
    if (status != STATUS_OK) return status;
    struct build before = *build;
    status = index_write_scan(slice.writer, index->store_id, before.begun ? &before.after : NULL,
                              build->slice, build_entry, &slice, ret_left);
    buffer_done(&slice.entry);
    if (status != STATUS_OK) {
        index_write_abort(slice.writer);
        *build = before;
        return status;
    }
    // The log must not say that the index is ready before all of it is durable.
    status = index_write_commit(slice.writer, !*ret_left);
    if (status != STATUS_OK) *build = before; // it may be tried again (a full disk)
    adapt_slice(build, clock_monotonic_ns(storage->options.clock) - start);
    return status;
}

enum status build_run(struct storage *storage, bool *ret_more) {
    struct storage_version *version = storage_take_version(storage);
    const struct index_info *index = find_building(storage, version->catalog);
    *ret_more = index != NULL;
    enum status status = STATUS_OK;
    if (index != NULL) {
        struct build *build = &storage->build;
        if (build->index_id != index->id)
            *build = (struct build){.index_id = index->id, .slice = 1024};
        bool left = false;
        status = run_slice(storage, index, &left);
        if (status == STATUS_OK && !left) status = ddl_index_ready(storage, index->id);
    }
    version_unref(version);
    return status;
}
