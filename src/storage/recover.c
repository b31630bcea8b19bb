// SPDX-License-Identifier: Apache-2.0
// Opening and closing a data directory. Order of opening: LOCK and FORMAT, the index (it says how
// far everything else is), the value log cut at the tail that the index names, the log replayed
// above the checkpoint; then the index is marked as in use, before the first write can happen.
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "storage/commit.h"
#include "storage/flusher.h"
#include "storage/history.h"
#include "storage/replay.h"

#define FORMAT_TEXT "planck data 1\n"
#define INDEX_READERS_MAX 4096
#define TRANSACTION_ENTRIES_MAX 100000

static char *join(const char *path, const char *name) {
    size_t size = strlen(path) + strlen(name) + 2;
    char *joined = malloc(size);
    if (joined != NULL) snprintf(joined, size, "%s/%s", path, name);
    return joined;
}

// ---- LOCK, FORMAT and the directories -------------------------------------------------------

static enum status take_lock(struct storage *storage, struct error *error) {
    char *path = join(storage->path, "LOCK");
    if (path == NULL) return STATUS_NO_MEMORY;
    enum status status =
        file_open(storage->options.fs, path, FILE_WRITE | FILE_CREATE, &storage->lock_file, error);
    if (status == STATUS_OK) {
        status = file_lock(storage->lock_file);
        if (status != STATUS_OK)
            error_set(error, status, "%s: another process has this data directory open",
                      storage->path);
    }
    free(path);
    return status;
}

static enum status any_entry(const char *name, void *context) {
    (void)name;
    (void)context;
    return STATUS_EXISTS;
}

// Nothing but FORMAT is made before FORMAT is there.
static enum status check_fresh(struct storage *storage, const char *format_path,
                               struct error *error) {
    char *path = join(storage->path, "index");
    if (path == NULL) return STATUS_NO_MEMORY;
    struct file_system *fs = storage->options.fs;
    enum status status = fs->list(fs, path, any_entry, NULL);
    if (status == STATUS_NOT_FOUND) status = STATUS_OK;
    if (status == STATUS_EXISTS)
        status = error_set(error, STATUS_CORRUPT, "%s is missing", format_path);
    else if (status != STATUS_OK)
        error_set(error, status, "%s: cannot be listed", path);
    free(path);
    return status;
}

static enum status check_format(struct storage *storage, struct error *error) {
    char *path = join(storage->path, "FORMAT");
    if (path == NULL) return STATUS_NO_MEMORY;
    struct buffer text = {0};
    struct file_system *fs = storage->options.fs;
    enum status status = file_read_all(fs, path, 256, &text, error);
    if (status == STATUS_NOT_FOUND) {
        status = check_fresh(storage, path, error);
        if (status == STATUS_OK)
            status = file_write_atomic(fs, path, bytes_of_string(FORMAT_TEXT), error);
    } else if (status == STATUS_OK && !bytes_equal_string(buffer_bytes(&text), FORMAT_TEXT)) {
        status = error_set(error, STATUS_VERSION, "%s: the data is of another version", path);
    }
    buffer_done(&text);
    free(path);
    return status;
}

static enum status make_directory(struct storage *storage, const char *name, struct error *error) {
    char *path = join(storage->path, name);
    if (path == NULL) return STATUS_NO_MEMORY;
    enum status status = file_make_directories(storage->options.fs, path);
    if (status != STATUS_OK) error_set(error, status, "%s: cannot be created", path);
    free(path);
    return status;
}

static enum status open_directory(struct storage *storage, struct error *error) {
    struct file_system *fs = storage->options.fs;
    enum status status = file_make_directories(fs, storage->path);
    if (status != STATUS_OK)
        return error_set(error, status, "%s: cannot be created", storage->path);
    status = take_lock(storage, error);
    if (status == STATUS_OK) status = check_format(storage, error);
    if (status == STATUS_OK) status = make_directory(storage, "wal", error);
    if (status == STATUS_OK) status = make_directory(storage, "vlog", error);
    if (status == STATUS_OK) status = fs->sync_directory(fs, storage->path);
    return status;
}

// ---- what the index says --------------------------------------------------------------------

struct known {
    uint64_t checkpoint, epoch;
    bool clean;
    struct vlog_position tail;
};

// Absent is zero.
static enum status read_words(struct index_reader *reader, const char *name, uint64_t *ret,
                              size_t count) {
    struct bytes value;
    memset(ret, 0, count * sizeof *ret);
    enum status status = index_get_meta(reader, name, &value);
    if (status == STATUS_NOT_FOUND) return STATUS_OK;
    if (status != STATUS_OK) return status;
    if (value.size != count * sizeof *ret) return STATUS_CORRUPT;
    memcpy(ret, value.data, value.size);
    return STATUS_OK;
}

static enum status load_catalog_entry(struct bytes name, struct bytes value, void *context) {
    return catalog_load(context, name, value);
}

static enum status load_index(struct storage *storage, struct index_reader *reader,
                              struct known *known) {
    uint64_t clean[2], tail[2];
    enum status status = read_words(reader, META_CHECKPOINT, &known->checkpoint, 1);
    if (status == STATUS_OK) status = read_words(reader, META_EPOCH, &known->epoch, 1);
    if (status == STATUS_OK) status = read_words(reader, META_CLEAN, clean, 2);
    if (status == STATUS_OK) status = read_words(reader, META_VLOG_TAIL, tail, 2);
    if (status == STATUS_OK)
        status = index_each_catalog(reader, load_catalog_entry, storage->checkpoint_catalog);
    if (status == STATUS_OK) status = catalog_load_end(storage->checkpoint_catalog);
    if (status == STATUS_OK) status = drop_load(storage, reader);
    if (status == STATUS_OK) status = dead_load(&storage->dead, reader);
    if (status != STATUS_OK) return status;
    known->clean = clean[0] != 0 && clean[1] == known->checkpoint;
    known->tail = (struct vlog_position){.segment = (uint32_t)tail[0], .offset = tail[1]};
    atomic_store(&storage->checkpoint, known->checkpoint);
    storage->next_sequence = known->checkpoint + 1;
    return STATUS_OK;
}

static enum status mark(struct storage *storage, bool clean) {
    struct index_writer *writer;
    enum status status = index_write_begin(storage->index, &writer);
    if (status != STATUS_OK) return status;
    uint64_t words[2] = {clean, atomic_load(&storage->checkpoint)};
    status = index_put_meta(writer, META_CLEAN, bytes_of(words, sizeof words));
    if (status == STATUS_OK)
        status = index_put_meta(writer, META_EPOCH, bytes_of(&storage->epoch, 8));
    if (status != STATUS_OK) {
        index_write_abort(writer);
        return status;
    }
    return index_write_commit(writer, true);
}

// ---- opening the parts ----------------------------------------------------------------------

static enum status open_index(struct storage *storage, struct index_reader **ret,
                              struct error *error) {
    char *path = join(storage->path, "index");
    if (path == NULL) return STATUS_NO_MEMORY;
    enum status status = index_open(path, (uint64_t)storage->options.index_map_bytes,
                                    INDEX_READERS_MAX, &storage->index, error);
    free(path);
    if (status == STATUS_OK) status = index_reader_open(storage->index, ret);
    return status;
}

static enum status open_vlog(struct storage *storage, const struct known *known,
                             struct error *error) {
    char *path = join(storage->path, "vlog");
    if (path == NULL) return STATUS_NO_MEMORY;
    struct vlog_options options = {
        .fs = storage->options.fs,
        .directory = path,
        .segment_bytes = (uint64_t)storage->options.vlog_segment_bytes,
        .tail = known->tail,
    };
    enum status status = vlog_open(&options, &storage->vlog, error);
    free(path);
    return status;
}

static void on_durable(void *context, bool failed) {
    struct storage *storage = context;
    storage_notify(storage, failed ? STORAGE_FAILED : STORAGE_DURABLE);
}

static enum status open_wal(struct storage *storage, const struct known *known,
                            struct index_reader *reader, struct error *error) {
    char *path = join(storage->path, "wal");
    if (path == NULL) return STATUS_NO_MEMORY;
    struct wal_options options = {
        .fs = storage->options.fs,
        .clock = storage->options.clock,
        .directory = path,
        .segment_bytes = (uint64_t)storage->options.wal_segment_bytes,
        .flush_interval_ms = storage->options.flush_interval_ms,
        .repair = storage->options.repair,
        .checkpoint = known->checkpoint,
        .epoch = known->epoch,
        .clean_stop = known->clean,
        .on_durable = on_durable,
        .context = storage,
    };
    struct replay replay = {.storage = storage, .index = reader};
    struct wal_recovered recovered;
    enum status status =
        wal_open(&options, replay_record, &replay, &storage->wal, &recovered, error);
    replay_done(&replay);
    free(path);
    if (status != STATUS_OK) return status;
    ASSERT(recovered.next_sequence >= storage->next_sequence);
    storage->next_sequence = recovered.next_sequence;
    storage->epoch = recovered.epoch;
    if (recovered.records > 0 || recovered.torn)
        log_info("storage", "replayed %llu records of the log up to sequence %llu%s",
                 (unsigned long long)recovered.records, (unsigned long long)recovered.last_sequence,
                 recovered.torn ? ", cut a torn end" : "");
    return STATUS_OK;
}

static enum status first_version(struct storage *storage) {
    storage->next_generation_number = 2;
    struct generation *active = generation_new(1, storage->next_sequence);
    if (active == NULL) return STATUS_NO_MEMORY;
    struct storage_version *version = version_new(1, storage->checkpoint_catalog, active, NULL, 0);
    generation_unref(active);
    if (version == NULL) return STATUS_NO_MEMORY;
    storage_swap_version(storage, version);
    return STATUS_OK;
}

static enum status open_parts(struct storage *storage, struct error *error) {
    struct index_reader *reader = NULL;
    struct known known = {0};
    enum status status = open_directory(storage, error);
    if (status == STATUS_OK) status = open_index(storage, &reader, error);
    if (status == STATUS_OK) {
        status = load_index(storage, reader, &known);
        if (status != STATUS_OK)
            error_set(error, status, "%s/index: its meta entries are damaged", storage->path);
    }
    if (status == STATUS_OK) status = first_version(storage);
    if (status == STATUS_OK) status = open_vlog(storage, &known, error);
    if (status == STATUS_OK) status = open_wal(storage, &known, reader, error);
    index_reader_close(reader);
    if (status == STATUS_OK) status = mark(storage, false);
    if (status == STATUS_OK) status = flusher_start(storage);
    return status;
}

// ---- the engine -----------------------------------------------------------------------------

static struct storage *storage_new(const char *path, const struct storage_options *options) {
    struct storage *storage = calloc(1, sizeof *storage);
    if (storage == NULL) return NULL;
    storage->options = *options;
    if (storage->options.fs == NULL) storage->options.fs = file_system_posix();
    if (storage->options.clock == NULL) storage->options.clock = clock_system();
    if (storage->options.random == NULL) storage->options.random = random_system();
    mutex_init(&storage->commit_lock);
    mutex_init(&storage->version_lock);
    mutex_init(&storage->readers_lock);
    mutex_init(&storage->listeners_lock);
    mutex_init(&storage->work_lock);
    history_init(storage);
    condition_init(&storage->work);
    condition_init(&storage->progress);
    list_init(&storage->frozen);
    list_init(&storage->readers);
    storage->transaction_entries_max = TRANSACTION_ENTRIES_MAX;
    storage->path = strdup(path);
    storage->checkpoint_catalog = catalog_new();
    return storage;
}

static void storage_free(struct storage *storage) {
    while (!list_empty(&storage->frozen)) {
        struct frozen *frozen = container_of(storage->frozen.next, struct frozen, node);
        list_remove(&frozen->node);
        frozen_free(frozen);
    }
    flusher_free_retired(storage);
    history_done(storage);
    version_unref(storage->version);
    catalog_unref(storage->checkpoint_catalog);
    dead_done(&storage->dead);
    buffer_done(&storage->ddl);
    free(storage->drops);
    vlog_close(storage->vlog);
    index_close(storage->index);
    file_close(storage->lock_file);
    condition_done(&storage->progress);
    condition_done(&storage->work);
    mutex_done(&storage->work_lock);
    mutex_done(&storage->listeners_lock);
    mutex_done(&storage->readers_lock);
    mutex_done(&storage->version_lock);
    mutex_done(&storage->commit_lock);
    free(storage->path);
    free(storage);
}

static void check_options(const struct storage_options *options) {
    ASSERT(options->flush_interval_ms >= 0 && options->generations_max >= 1);
    ASSERT(options->wal_segment_bytes >= 64 * 1024 && options->memtable_bytes >= 64 * 1024);
    ASSERT(options->vlog_segment_bytes >= 1024 * 1024 && options->index_map_bytes > 0);
    ASSERT(options->transaction_bytes_max > 0 && options->transaction_age_max_ms > 0);
    ASSERT(options->history_bytes_max >= 0);
}

enum status storage_open(const char *path, const struct storage_options *options,
                         struct storage **ret, struct error *error) {
    check_options(options);
    if (error != NULL) *error = (struct error){.offset = -1};
    struct storage *storage = storage_new(path, options);
    if (storage == NULL || storage->path == NULL || storage->checkpoint_catalog == NULL) {
        if (storage != NULL) storage_free(storage);
        return error_set(error, STATUS_NO_MEMORY, "%s: no memory", path);
    }
    enum status status = open_parts(storage, error);
    if (status != STATUS_OK) {
        if (storage->wal != NULL) wal_close(storage->wal, true);
        storage_free(storage);
        if (error != NULL && error->status != status)
            error_set(error, status, "%s: cannot be opened: %s", path, status_text(status));
        return status;
    }
    // Builds and drops that were replayed begin after a checkpoint that holds them.
    if (storage->version->catalog != storage->checkpoint_catalog)
        flusher_request(storage);
    else
        flusher_wake(storage);
    *ret = storage;
    return STATUS_OK;
}

static enum status flush_all(struct storage *storage) {
    if (storage_health(storage) != STATUS_OK) return STATUS_READ_ONLY;
    if (wal_visible(storage->wal) > atomic_load(&storage->checkpoint)) {
        enum status status = commit_freeze(storage, NULL);
        if (status != STATUS_OK) return status;
    }
    while (atomic_load(&storage->frozen_count) > 0) {
        enum status status = flush_run(storage);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

void storage_close(struct storage *storage) {
    if (storage == NULL) return;
    ASSERT(list_empty(&storage->readers));
    flusher_stop(storage, false);
    enum status status = flush_all(storage);
    if (status == STATUS_OK) status = mark(storage, true);
    if (status != STATUS_OK)
        log_error("storage", "%s: not stopped cleanly: %s", storage->path, status_text(status));
    wal_close(storage->wal, false);
    storage_free(storage);
}

void storage_abandon(struct storage *storage) {
    if (storage == NULL) return;
    ASSERT(list_empty(&storage->readers));
    flusher_stop(storage, true);
    wal_close(storage->wal, true);
    storage_free(storage);
}
