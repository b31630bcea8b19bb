// SPDX-License-Identifier: Apache-2.0
// The engine as a whole: statuses, DDL, reopening, flushes, snapshots.
#include "base/limits.h"
#include "storage/snapshot.h"
#include "storage_fixture.h"

TEST(write_get_and_statuses) {
    struct database database = {0};
    database_open(&database);
    uint32_t store = create_store(&database, "things");
    CHECK_EQUAL(-1, get(&database, store, 1));
    CHECK_OK(write_one(&database, WRITE_INSERT, store, 1, 10));
    CHECK_EQUAL(10, get(&database, store, 1));
    CHECK_STATUS(STATUS_DUPLICATE_KEY, write_one(&database, WRITE_INSERT, store, 1, 11));
    CHECK_STATUS(STATUS_NOT_FOUND, write_one(&database, WRITE_REPLACE, store, 2, 11));
    CHECK_STATUS(STATUS_NOT_FOUND, write_one(&database, WRITE_DELETE, store, 2, 11));
    CHECK_OK(write_one(&database, WRITE_REPLACE, store, 1, 12));
    CHECK_EQUAL(12, get(&database, store, 1));
    CHECK_OK(write_one(&database, WRITE_DELETE, store, 1, 0));
    CHECK_EQUAL(-1, get(&database, store, 1));
    CHECK_STATUS(STATUS_NOT_FOUND, write_one(&database, WRITE_DELETE, store, 1, 0));
    CHECK_OK(write_one(&database, WRITE_PUT, store, 1, 13));
    CHECK_EQUAL(13, get(&database, store, 1));
    CHECK_STATUS(STATUS_NO_STORE, write_one(&database, WRITE_PUT, 4711, 1, 13));
    database_close(&database);
}

TEST(the_same_after_a_flush_and_after_reopening) {
    struct database database = {0};
    database_open(&database);
    uint32_t store = create_store(&database, "things");
    for (int64_t i = 0; i < 50; i++) put(&database, store, i, i * 2);
    erase(&database, store, 7);
    CHECK_OK(storage_flush(database.storage));
    CHECK_EQUAL(storage_visible(database.storage), storage_checkpoint(database.storage));
    CHECK_EQUAL(98, get(&database, store, 49));
    CHECK_EQUAL(-1, get(&database, store, 7));
    CHECK_STATUS(STATUS_DUPLICATE_KEY, write_one(&database, WRITE_INSERT, store, 49, 1));
    CHECK_OK(write_one(&database, WRITE_INSERT, store, 7, 70));
    erase(&database, store, 8);
    put(&database, store, 9, 90);
    for (int round = 0; round < 3; round++) {
        CHECK_EQUAL(70, get(&database, store, 7));
        CHECK_EQUAL(-1, get(&database, store, 8));
        CHECK_EQUAL(90, get(&database, store, 9));
        if (round == 0) {
            database_reopen(&database);
        } else {
            database_abandon(&database);
            database_open(&database);
        }
    }
    database_close(&database);
}

static enum status write_many(struct database *database, const struct write *writes, size_t count,
                              struct write_result *result) {
    struct error error;
    enum status status =
        storage_write(database->storage, database->reader, writes, count, result, &error);
    if (status != STATUS_OK) CHECK(error.status == status && error.message[0] != 0);
    return status;
}

static struct write write_of(enum write_kind kind, uint32_t store, int64_t id, int64_t value) {
    struct write write = {.kind = kind, .store_id = store, .key = int_key(id)};
    if (kind != WRITE_DELETE) write.document = document(id, value, 0);
    return write;
}

TEST(a_transaction_is_all_or_nothing) {
    struct database database = {0};
    database_open(&database);
    uint32_t store = create_store(&database, "things");
    put(&database, store, 5, 1);
    struct write writes[] = {write_of(WRITE_INSERT, store, 3, 1),
                             write_of(WRITE_INSERT, store, 4, 1),
                             write_of(WRITE_INSERT, store, 5, 2)};
    struct write_result result;
    CHECK_STATUS(STATUS_DUPLICATE_KEY, write_many(&database, writes, 3, &result));
    CHECK_EQUAL(2, result.failed);
    CHECK_EQUAL(storage_visible(database.storage), result.depends_on);
    CHECK_TEXT("5:1", scan_all(&database, store, 0, false));
    writes[2] = write_of(WRITE_DELETE, store, 5, 0);
    CHECK_OK(write_many(&database, writes, 3, &result));
    CHECK_EQUAL(result.first_sequence + 2, result.last_sequence);
    CHECK_TEXT("3:1 4:1", scan_all(&database, store, 0, false));
    database_close(&database);
}

TEST(a_key_may_occur_once_in_a_transaction) {
    struct database database = {0};
    database_open(&database);
    uint32_t store = create_store(&database, "a"), other = create_store(&database, "b");
    struct write writes[] = {
        write_of(WRITE_INSERT, store, 2, 1), write_of(WRITE_INSERT, other, 2, 1),
        write_of(WRITE_INSERT, store, 1, 1), write_of(WRITE_INSERT, store, 2, 3)};
    struct write_result result;
    CHECK_STATUS(STATUS_DUPLICATE_KEY, write_many(&database, writes, 4, &result));
    CHECK_EQUAL(3, result.failed);
    writes[3].kind = WRITE_PUT;
    CHECK_STATUS(STATUS_INVALID, write_many(&database, writes, 4, &result));
    CHECK_OK(write_many(&database, writes, 3, &result));
    CHECK_TEXT("1:1 2:1", scan_all(&database, store, 0, false));
    database_close(&database);
}

TEST(conditional_writes) {
    struct database database = {0};
    database_open(&database);
    uint32_t store = create_store(&database, "things");
    struct write write = write_of(WRITE_PUT, store, 1, 10);
    struct write_result first, result;
    CHECK_OK(write_many(&database, &write, 1, &first));
    for (int flushed = 0; flushed < 2; flushed++) {
        write = write_of(WRITE_REPLACE, store, 1, 11);
        write.expected_sequence = first.last_sequence + 1;
        CHECK_STATUS(STATUS_CONFLICT, write_many(&database, &write, 1, &result));
        write.expected_sequence = first.last_sequence;
        CHECK_OK(write_many(&database, &write, 1, &first));
        CHECK_OK(storage_flush(database.storage));
    }
    write = write_of(WRITE_DELETE, store, 1, 0);
    write.expected_sequence = first.last_sequence;
    CHECK_OK(write_many(&database, &write, 1, &first));
    write = write_of(WRITE_PUT, store, 1, 12);
    write.expected_sequence = first.last_sequence; // of the deletion: there is no document
    CHECK_STATUS(STATUS_CONFLICT, write_many(&database, &write, 1, &result));
    CHECK_EQUAL(first.last_sequence, result.depends_on);
    database_close(&database);
}

TEST(a_document_beyond_the_limit_is_refused) {
    struct database database = {0};
    database_open(&database);
    uint32_t store = create_store(&database, "things");
    uint8_t *large = calloc(1, DOCUMENT_SIZE_MAX + 1);
    CHECK(large != NULL);
    struct write write = {.kind = WRITE_PUT, .store_id = store, .key = int_key(1)};
    write.document = bytes_of(large, DOCUMENT_SIZE_MAX + 1);
    struct write_result result;
    CHECK_STATUS(STATUS_TOO_LARGE, write_many(&database, &write, 1, &result));
    // The largest is many times a memtable, a segment of the log and one of the value log.
    write.document.size = DOCUMENT_SIZE_MAX;
    CHECK_OK(write_many(&database, &write, 1, &result));
    database_reopen(&database);
    struct view view = begin(&database);
    struct bytes found;
    CHECK_OK(storage_get(&view, store, &write.key, &found, NULL));
    CHECK_EQUAL(DOCUMENT_SIZE_MAX, found.size);
    view_end(&view);
    database_close(&database);
    free(large);
}

// ---- catalogue ------------------------------------------------------------------------------

static enum status create(struct database *database, const char *name) {
    struct error error = {0};
    enum status status = storage_create_store(database->storage, bytes_of_string(name), KEY_INT64,
                                              NULL, NULL, &error);
    CHECK(status == STATUS_OK || (error.status == status && error.message[0] != 0));
    return status;
}

static enum status index_status_of(struct database *database, const char *store, const char *name,
                                   const char *field) {
    struct error error = {0};
    enum status status =
        storage_create_index(database->storage, bytes_of_string(store), bytes_of_string(name),
                             bytes_of_string(field), NULL, NULL, &error);
    CHECK(status == STATUS_OK || (error.status == status && error.message[0] != 0));
    return status;
}

TEST(statuses_of_ddl) {
    struct database database = {0};
    database_open(&database);
    CHECK_STATUS(STATUS_INVALID, create(&database, ""));
    CHECK_STATUS(STATUS_INVALID, create(&database, ".hidden"));
    CHECK_STATUS(STATUS_INVALID, create(&database, "a/b"));
    CHECK_OK(create(&database, "things"));
    CHECK_STATUS(STATUS_EXISTS, create(&database, "things"));
    CHECK_STATUS(STATUS_NO_STORE,
                 storage_drop_store(database.storage, bytes_of_string("none"), NULL, NULL));
    CHECK_STATUS(STATUS_NO_STORE, index_status_of(&database, "none", "by_v", "v"));
    CHECK_STATUS(STATUS_INVALID, index_status_of(&database, "things", "by_v", "a..b"));
    CHECK_STATUS(STATUS_INVALID, index_status_of(&database, "things", "-v", "v"));
    CHECK_OK(index_status_of(&database, "things", "by_v", "v"));
    CHECK_STATUS(STATUS_EXISTS, index_status_of(&database, "things", "by_v", "s"));
    CHECK_STATUS(STATUS_NO_INDEX, storage_drop_index(database.storage, bytes_of_string("things"),
                                                     bytes_of_string("by_s"), NULL, NULL));
    CHECK_STATUS(STATUS_NO_STORE, storage_drop_index(database.storage, bytes_of_string("none"),
                                                     bytes_of_string("by_v"), NULL, NULL));
    database_close(&database);
}

static void check_catalog(struct database *database) {
    struct view view = begin(database);
    const struct catalog *catalog = view_catalog(&view);
    CHECK_EQUAL(2, catalog_store_count(catalog));
    const struct store_info *a = catalog_store(catalog, bytes_of_string("a"));
    const struct store_info *c = catalog_store(catalog, bytes_of_string("c"));
    CHECK(a != NULL && c != NULL && a == catalog_store_at(catalog, 0));
    CHECK_EQUAL(KEY_UUID, a->key_type);
    CHECK_EQUAL(KEY_STRING, c->key_type);
    const struct index_info *index = store_index(a, bytes_of_string("by_v"));
    CHECK(index != NULL && index->state == INDEX_READY);
    CHECK_TEXT("v", index->field);
    CHECK(store_index(a, bytes_of_string("by_s")) == NULL);
    view_end(&view);
}

TEST(the_catalogue_survives_restarts) {
    struct database database = {0};
    database_open(&database);
    struct storage *storage = database.storage;
    CHECK_OK(storage_create_store(storage, bytes_of_string("a"), KEY_UUID, NULL, NULL, NULL));
    CHECK_OK(storage_create_store(storage, bytes_of_string("b"), KEY_INT64, NULL, NULL, NULL));
    CHECK_OK(storage_create_store(storage, bytes_of_string("c"), KEY_STRING, NULL, NULL, NULL));
    create_index(&database, "a", "by_s", "s");
    create_index(&database, "a", "by_v", "v");
    CHECK_OK(storage_drop_store(storage, bytes_of_string("b"), NULL, NULL));
    CHECK_OK(
        storage_drop_index(storage, bytes_of_string("a"), bytes_of_string("by_s"), NULL, NULL));
    CHECK_OK(storage_wait_indexes(storage));
    check_catalog(&database);
    database_abandon(&database);
    database_open(&database);
    check_catalog(&database);
    database_reopen(&database);
    check_catalog(&database);
    database_close(&database);
}

TEST(a_dropped_name_begins_anew) {
    struct database database = {0};
    database_open(&database);
    uint32_t first = create_store(&database, "things");
    for (int64_t i = 0; i < 20; i++) put(&database, first, i, i);
    CHECK_OK(storage_flush(database.storage));
    struct view before = begin(&database);
    CHECK_OK(storage_drop_store(database.storage, bytes_of_string("things"), NULL, NULL));
    uint32_t second = create_store(&database, "things");
    CHECK(second != first);
    CHECK_TEXT("", scan_all(&database, second, 0, false));
    put(&database, second, 3, 30);
    CHECK_STATUS(STATUS_NO_STORE, write_one(&database, WRITE_PUT, first, 1, 1));
    CHECK_EQUAL(19, get_at(&before, first, 19)); // the view still has it
    view_end(&before);
    database_reopen(&database);
    CHECK_TEXT("3:30", scan_all(&database, second, 0, false));
    database_close(&database);
}

// Waits until the engine counts as many dead bytes in the value log.
static void wait_dead(struct storage *storage, uint64_t wanted) {
    mutex_lock(&storage->work_lock);
    while (atomic_load(&storage->dead.total) < wanted)
        condition_wait(&storage->progress, &storage->work_lock);
    mutex_unlock(&storage->work_lock);
    CHECK_EQUAL(wanted, atomic_load(&storage->dead.total));
}

TEST(what_a_drop_leaves_is_deleted_even_after_a_restart) {
    struct database database = {0};
    database_open(&database);
    uint32_t store = create_store(&database, "things");
    uint32_t index = create_index(&database, "things", "by_v", "v");
    uint64_t size = (VLOG_RECORD_HEADER_SIZE + document(1, 1, 100).size + 7) & ~7ULL;
    for (int64_t i = 0; i < 1000; i++) put(&database, store, i, 1);
    CHECK_OK(storage_flush(database.storage));
    CHECK_EQUAL(0, atomic_load(&database.storage->dead.total));
    // The drop is in the log only.
    atomic_store(&database.storage->abandon, true);
    CHECK_OK(storage_drop_store(database.storage, bytes_of_string("things"), NULL, NULL));
    database_abandon(&database);
    database_open(&database);
    wait_dead(database.storage, 1000 * size);
    database_reopen(&database);
    CHECK_EQUAL(1000 * size, atomic_load(&database.storage->dead.total));
    struct index_reader *reader;
    CHECK_OK(index_reader_open(database.storage->index, &reader));
    for (int secondary = 0; secondary < 2; secondary++) {
        struct index_cursor *cursor;
        CHECK_OK(index_cursor_open(reader, secondary, secondary ? index : store, &cursor));
        struct bytes key;
        struct index_entry entry;
        enum status status = index_cursor_seek(cursor, (struct bytes){0}, &key, &entry);
        // The index's range may still wait for its turn.
        CHECK(status == STATUS_END || (secondary && status == STATUS_OK));
        index_cursor_close(cursor);
    }
    index_reader_close(reader);
    database_close(&database);
}

// ---- opening --------------------------------------------------------------------------------

static enum status open_again(const struct database *database, struct error *error) {
    struct storage *storage;
    enum status status = storage_open(database->path, &database->options, &storage, error);
    if (status == STATUS_OK) storage_close(storage);
    return status;
}

TEST(a_directory_is_opened_once) {
    struct database database = {0};
    database_open(&database);
    struct error error = {0};
    CHECK_STATUS(STATUS_LOCKED, open_again(&database, &error));
    CHECK_EQUAL(STATUS_LOCKED, error.status);
    database_close(&database);
    CHECK_OK(open_again(&database, &error));
}

TEST(a_strange_format_is_refused) {
    struct database database = {0};
    database_open(&database);
    database_close(&database);
    char path[600];
    snprintf(path, sizeof path, "%s/FORMAT", database.path);
    struct file_system *fs = file_system_posix();
    CHECK_OK(file_write_atomic(fs, path, bytes_of_string("planck data 2\n"), NULL));
    struct error error = {0};
    CHECK_STATUS(STATUS_VERSION, open_again(&database, &error));
    CHECK_OK(fs->remove(fs, path));
    CHECK_STATUS(STATUS_CORRUPT, open_again(&database, &error));
    CHECK(error.message[0] != 0);
}

TEST(epochs_and_sequences_tell_an_unclean_stop) {
    struct database database = {0};
    database_open(&database);
    uint32_t store = create_store(&database, "things");
    put(&database, store, 1, 1);
    uint64_t visible = storage_visible(database.storage), epoch = storage_epoch(database.storage);
    database_reopen(&database);
    CHECK_EQUAL(visible, storage_visible(database.storage));
    CHECK_EQUAL(epoch, storage_epoch(database.storage));
    database_abandon(&database);
    database_open(&database);
    CHECK(storage_visible(database.storage) > visible);
    CHECK(storage_epoch(database.storage) > epoch);
    visible = storage_visible(database.storage);
    epoch = storage_epoch(database.storage);
    // Nothing was written, but the numbers that were skipped stay skipped.
    database_reopen(&database);
    CHECK_EQUAL(visible, storage_visible(database.storage));
    CHECK_EQUAL(epoch, storage_epoch(database.storage));
    CHECK_EQUAL(1, get(&database, store, 1));
    database_close(&database);
}

// ---- views ----------------------------------------------------------------------------------

TEST(a_view_sees_its_own_past) {
    struct database database = {0};
    database_open(&database);
    uint32_t store = create_store(&database, "things");
    for (int64_t i = 0; i < 10; i++) put(&database, store, i, 1);
    struct view first = begin(&database);
    for (int64_t i = 5; i < 10; i++) put(&database, store, i, 2);
    erase(&database, store, 0);
    struct view second = begin(&database);
    for (int round = 0; round < 3; round++) {
        CHECK_EQUAL(1, get_at(&first, store, 0));
        CHECK_EQUAL(1, get_at(&first, store, 9));
        CHECK_EQUAL(-1, get_at(&first, store, 10));
        struct scan_options options = {.store_id = store};
        CHECK_TEXT("0:1 1:1 2:1 3:1 4:1 5:1 6:1 7:1 8:1 9:1", scan_at(&first, &options));
        CHECK_TEXT("1:1 2:1 3:1 4:1 5:2 6:2 7:2 8:2 9:2", scan_at(&second, &options));
        CHECK_OK(storage_flush(database.storage));
        put(&database, store, 10, 3);
        put(&database, store, 9, 3);
    }
    CHECK_EQUAL(3, get(&database, store, 9));
    view_end(&first);
    view_end(&second);
    database_close(&database);
}

TEST(read_ack_is_what_is_durable_at_interval_zero) {
    struct database database = {.options = database_options()};
    database.options.flush_interval_ms = 0;
    database_open(&database);
    uint32_t store = create_store(&database, "things");
    struct write write = write_of(WRITE_PUT, store, 1, 10);
    struct write_result result;
    CHECK_OK(write_many(&database, &write, 1, &result));
    struct view view;
    CHECK_OK(view_begin(database.reader, READ_ACK, &view));
    CHECK_EQUAL(view.sequence >= result.last_sequence ? 10 : -1, get_at(&view, store, 1));
    view_end(&view);
    CHECK_OK(storage_sync(database.storage, result.last_sequence));
    CHECK(storage_ack(database.storage) >= result.last_sequence);
    CHECK_OK(view_begin(database.reader, READ_ACK, &view));
    CHECK_EQUAL(10, get_at(&view, store, 1));
    view_end(&view);
    database_close(&database);
}

TEST(idle_readers_let_go) {
    struct database database = {0};
    database_open(&database);
    uint32_t store = create_store(&database, "things");
    put(&database, store, 1, 1);
    CHECK_EQUAL(1, get(&database, store, 1));
    CHECK_EQUAL(2, database.storage->version->reference_count);
    reader_idle(database.reader, false);
    CHECK_EQUAL(2, database.storage->version->reference_count);
    reader_idle(database.reader, true);
    CHECK_EQUAL(1, database.storage->version->reference_count);
    CHECK_EQUAL(1, get(&database, store, 1));
    database_close(&database);
}

// ---- flushing -------------------------------------------------------------------------------

TEST(writers_wait_for_memory) {
    struct database database = {.options = database_options()};
    database.options.memtable_bytes = (int64_t)(64 * KIB);
    database.options.generations_max = 1;
    database_open(&database);
    uint32_t store = create_store(&database, "things");
    for (int64_t i = 0; i < 600; i++) {
        struct write write = {.kind = WRITE_INSERT, .store_id = store, .key = int_key(i)};
        write.document = document(i, i, 5000);
        struct write_result result;
        CHECK_OK(write_many(&database, &write, 1, &result));
        struct storage_stats stats;
        storage_get_stats(database.storage, &stats);
        CHECK(stats.frozen_generations <= 1);
        CHECK(stats.memtable_bytes < 2 * MIB);
    }
    struct storage_stats stats;
    storage_get_stats(database.storage, &stats);
    CHECK(stats.flushes > 10);
    for (int64_t i = 0; i < 600; i++) {
        CHECK_EQUAL(i, get(&database, store, i));
        CHECK_STATUS(STATUS_DUPLICATE_KEY, write_one(&database, WRITE_INSERT, store, i, 0));
    }
    database_close(&database);
}

TEST(dead_bytes_are_counted) {
    struct database database = {0};
    database_open(&database);
    uint32_t store = create_store(&database, "things");
    uint64_t size = (VLOG_RECORD_HEADER_SIZE + document(1, 1, 100).size + 7) & ~7ULL;
    for (int64_t i = 0; i < 10; i++) put(&database, store, i, 1);
    CHECK_OK(storage_flush(database.storage));
    put(&database, store, 1, 2);
    erase(&database, store, 2);
    put(&database, store, 77, 2);
    CHECK_OK(storage_flush(database.storage));
    struct storage_stats stats;
    storage_get_stats(database.storage, &stats);
    CHECK_EQUAL(2 * size, stats.vlog_dead_bytes);
    database_reopen(&database);
    storage_get_stats(database.storage, &stats);
    CHECK_EQUAL(2 * size, stats.vlog_dead_bytes);
    database_close(&database);
}

static _Atomic int durable_events, version_events;
static void count_event(enum storage_event event, void *context) {
    CHECK(context == &durable_events);
    if (event == STORAGE_DURABLE) atomic_fetch_add(&durable_events, 1);
    if (event == STORAGE_VERSION) atomic_fetch_add(&version_events, 1);
}

TEST(listeners_hear_of_syncs_and_versions) {
    struct database database = {0};
    database_open(&database);
    int handle = storage_listen(database.storage, count_event, &durable_events);
    uint32_t store = create_store(&database, "things");
    CHECK_EQUAL(1, version_events);
    put(&database, store, 1, 1);
    CHECK_OK(storage_flush(database.storage));
    CHECK(durable_events >= 1);
    CHECK_EQUAL(2, version_events);
    storage_unlisten(database.storage, handle);
    put(&database, store, 1, 1);
    CHECK_OK(storage_flush(database.storage));
    CHECK_EQUAL(2, version_events);
    database_close(&database);
}
