// SPDX-License-Identifier: Apache-2.0
// Transactions: own writes through every access path, first committer wins, what serializable
// refuses beyond that, the history of conflicts, bounds, and one record in the log.
#include "storage_fixture.h"

#include "base/limits.h"
#include "storage/transaction.h"

static struct transaction *begin_at(struct database *database, enum isolation isolation) {
    struct transaction *transaction;
    CHECK_OK(transaction_begin(database->reader, isolation, &transaction));
    return transaction;
}

static struct transaction *begin_snapshot(struct database *database) {
    return begin_at(database, ISOLATION_SNAPSHOT);
}

static enum status write_in(struct transaction *transaction, enum write_kind kind, uint32_t store,
                            int64_t id, int64_t value) {
    struct write write = {.kind = kind, .store_id = store, .key = int_key(id)};
    if (kind != WRITE_DELETE) write.document = document(id, value, 100);
    struct write_result result;
    return transaction_write(transaction, &write, 1, &result, NULL);
}

static void put_in(struct transaction *transaction, uint32_t store, int64_t id, int64_t value) {
    CHECK_OK(write_in(transaction, WRITE_PUT, store, id, value));
}

static int64_t get_in(struct transaction *transaction, uint32_t store, int64_t id) {
    struct view view;
    CHECK_OK(transaction_view(transaction, &view));
    int64_t value = get_at(&view, store, id);
    view_end(&view);
    return value;
}

static const char *scan_options_in(struct transaction *transaction, struct scan_options options) {
    struct view view;
    CHECK_OK(transaction_view(transaction, &view));
    const char *text = scan_at(&view, &options);
    view_end(&view);
    return text;
}

static const char *scan_in(struct transaction *transaction, uint32_t store, uint32_t index,
                           bool reverse) {
    struct scan_options options = {.store_id = store, .index_id = index, .reverse = reverse};
    return scan_options_in(transaction, options);
}

static enum status commit(struct transaction *transaction) {
    struct write_result result;
    return transaction_commit(transaction, &result, NULL);
}

// ---- own writes -----------------------------------------------------------------------------

TEST(own_writes_are_seen_through_every_access_path_and_by_nobody_else) {
    struct database database = {0};
    database_open(&database);
    uint32_t store = create_store(&database, "s");
    uint32_t index = create_index(&database, "s", "by_v", "v");
    CHECK_OK(storage_wait_indexes(database.storage));
    for (int64_t i = 1; i <= 4; i++) put(&database, store, i, i * 10);
    CHECK_OK(storage_flush(database.storage));
    put(&database, store, 5, 50);
    struct transaction *transaction = begin_snapshot(&database);
    put_in(transaction, store, 2, 45); // moves in the index
    CHECK_OK(write_in(transaction, WRITE_INSERT, store, 6, 5));
    CHECK_OK(write_in(transaction, WRITE_DELETE, store, 3, 0));
    CHECK_OK(write_in(transaction, WRITE_REPLACE, store, 5, 51));
    put_in(transaction, store, 7, 70);
    CHECK_OK(write_in(transaction, WRITE_DELETE, store, 7, 0)); // written and deleted again
    put(&database, store, 8, 80);                               // of somebody else
    CHECK_EQUAL(45, get_in(transaction, store, 2));
    CHECK_EQUAL(5, get_in(transaction, store, 6));
    CHECK_EQUAL(-1, get_in(transaction, store, 3));
    CHECK_EQUAL(-1, get_in(transaction, store, 7));
    CHECK_EQUAL(-1, get_in(transaction, store, 8));
    CHECK_EQUAL(10, get_in(transaction, store, 1));
    CHECK_TEXT("1:10 2:45 4:40 5:51 6:5", scan_in(transaction, store, 0, false));
    CHECK_TEXT("6:5 5:51 4:40 2:45 1:10", scan_in(transaction, store, 0, true));
    CHECK_TEXT("6:5 1:10 4:40 2:45 5:51", scan_in(transaction, store, index, false));
    CHECK_TEXT("5:51 2:45 4:40 1:10 6:5", scan_in(transaction, store, index, true));
    struct scan_options keys = {.store_id = store, .index_id = index, .keys_only = true};
    CHECK_TEXT("6 1 4 2 5", scan_options_in(transaction, keys));
    CHECK_TEXT("1:10 2:20 3:30 4:40 5:50 8:80", scan_all(&database, store, 0, false));
    CHECK_OK(commit(transaction));
    for (int round = 0; round < 3; round++) {
        CHECK_TEXT("1:10 2:45 4:40 5:51 6:5 8:80", scan_all(&database, store, 0, false));
        CHECK_TEXT("6:5 1:10 4:40 2:45 5:51 8:80", scan_all(&database, store, index, false));
        if (round == 0)
            CHECK_OK(storage_flush(database.storage));
        else
            database_reopen(&database);
    }
    database_close(&database);
}

TEST(own_writes_have_no_sequence_yet) {
    struct database database = {0};
    database_open(&database);
    uint32_t store = create_store(&database, "s");
    put(&database, store, 1, 10);
    uint64_t before = storage_visible(database.storage);
    struct transaction *transaction = begin_snapshot(&database);
    struct write write = {.kind = WRITE_REPLACE,
                          .store_id = store,
                          .key = int_key(1),
                          .document = document(1, 11, 0),
                          .expected_sequence = before + 1};
    struct write_result result;
    CHECK_STATUS(STATUS_CONFLICT, transaction_write(transaction, &write, 1, &result, NULL));
    write.expected_sequence = before;
    CHECK_OK(transaction_write(transaction, &write, 1, &result, NULL));
    CHECK_EQUAL(0, result.last_sequence);
    CHECK_STATUS(STATUS_CONFLICT, transaction_write(transaction, &write, 1, &result, NULL));
    struct view view;
    struct bytes found;
    uint64_t sequence = 1;
    CHECK_OK(transaction_view(transaction, &view));
    CHECK_OK(storage_get(&view, store, &write.key, &found, &sequence));
    CHECK_EQUAL(0, sequence);
    struct scan *scan;
    struct scan_entry entry = {.sequence = 1};
    struct scan_options options = {.store_id = store};
    CHECK_OK(scan_open(&view, &options, &scan));
    CHECK_OK(scan_next(scan, &entry));
    CHECK_EQUAL(0, entry.sequence);
    scan_close(scan);
    view_end(&view);
    CHECK_EQUAL(before, storage_visible(database.storage));
    CHECK_OK(transaction_commit(transaction, &result, NULL));
    CHECK_EQUAL(before + 1, result.last_sequence);
    CHECK_EQUAL(before + 1, result.first_sequence);
    database_close(&database);
}

TEST(a_refused_statement_leaves_the_transaction_as_it_was) {
    struct database database = {0};
    database_open(&database);
    uint32_t store = create_store(&database, "s");
    put(&database, store, 1, 10);
    struct transaction *transaction = begin_snapshot(&database);
    struct write writes[] = {
        {.kind = WRITE_PUT, .store_id = store, .key = int_key(2), .document = document(2, 2, 0)},
        {.kind = WRITE_INSERT, .store_id = store, .key = int_key(1), .document = document(1, 2, 0)},
    };
    struct write_result result;
    struct error error;
    CHECK_STATUS(STATUS_DUPLICATE_KEY, transaction_write(transaction, writes, 2, &result, &error));
    CHECK_EQUAL(1, result.failed);
    CHECK(!transaction_has_writes(transaction));
    CHECK_EQUAL(-1, get_in(transaction, store, 2));
    CHECK_STATUS(STATUS_NOT_FOUND, write_in(transaction, WRITE_DELETE, store, 2, 0));
    CHECK_STATUS(STATUS_NO_STORE, write_in(transaction, WRITE_PUT, 99, 2, 0));
    writes[1].key = int_key(2);
    CHECK_STATUS(STATUS_DUPLICATE_KEY, transaction_write(transaction, writes, 2, &result, NULL));
    put_in(transaction, store, 3, 3);
    CHECK_STATUS(STATUS_DUPLICATE_KEY, write_in(transaction, WRITE_INSERT, store, 3, 4));
    CHECK_EQUAL(3, get_in(transaction, store, 3));
    CHECK_OK(commit(transaction));
    CHECK_TEXT("1:10 3:3", scan_all(&database, store, 0, false));
    database_close(&database);
}

TEST(an_abort_and_an_empty_commit_leave_nothing) {
    struct database database = {0};
    database_open(&database);
    uint32_t store = create_store(&database, "s");
    uint64_t before = storage_visible(database.storage);
    struct transaction *transaction = begin_snapshot(&database);
    put_in(transaction, store, 1, 1);
    transaction_abort(transaction);
    transaction_abort(NULL);
    transaction = begin_at(&database, ISOLATION_SERIALIZABLE);
    CHECK_EQUAL(-1, get_in(transaction, store, 1));
    put(&database, store, 1, 5); // what it read changes, but it writes nothing
    CHECK_OK(commit(transaction));
    transaction = begin_snapshot(&database);
    put_in(transaction, store, 2, 1);
    CHECK_OK(write_in(transaction, WRITE_DELETE, store, 2, 0));
    CHECK_OK(commit(transaction));
    CHECK_EQUAL(before + 1, storage_visible(database.storage));
    CHECK_TEXT("1:5", scan_all(&database, store, 0, false));
    database_close(&database);
}

// ---- conflicts ------------------------------------------------------------------------------

TEST(the_first_committer_wins) {
    struct database database = {0};
    database_open(&database);
    uint32_t store = create_store(&database, "s"), other = create_store(&database, "other");
    put(&database, store, 1, 10);
    struct transaction *first = begin_snapshot(&database), *second = begin_snapshot(&database);
    put_in(first, store, 1, get_in(first, store, 1) + 1);
    put_in(second, store, 1, get_in(second, store, 1) + 1);
    put_in(second, other, 7, 7);
    struct write_result result;
    struct error error;
    CHECK_OK(commit(first));
    CHECK_STATUS(STATUS_CONFLICT, transaction_commit(second, &result, &error));
    CHECK_TEXT("a document that the transaction writes was changed meanwhile", error.message);
    CHECK_EQUAL(storage_visible(database.storage), result.depends_on);
    CHECK_EQUAL(11, get(&database, store, 1));
    CHECK_EQUAL(-1, get(&database, other, 7)); // all or nothing
    // Of different keys, both commit, whatever either has read.
    first = begin_snapshot(&database), second = begin_snapshot(&database);
    put_in(first, store, 2, get_in(first, store, 3));
    put_in(second, store, 3, get_in(second, store, 2));
    CHECK_OK(commit(first));
    CHECK_OK(commit(second));
    database_close(&database);
}

TEST(inserts_and_deletes_conflict_too) {
    struct database database = {0};
    database_open(&database);
    uint32_t store = create_store(&database, "s");
    put(&database, store, 1, 10);
    struct transaction *inserts = begin_snapshot(&database), *deletes = begin_snapshot(&database);
    struct transaction *replaces = begin_snapshot(&database);
    CHECK_OK(write_in(inserts, WRITE_INSERT, store, 2, 1));
    CHECK_OK(write_in(deletes, WRITE_DELETE, store, 1, 1));
    CHECK_OK(write_in(replaces, WRITE_REPLACE, store, 1, 1));
    put(&database, store, 2, 5);
    CHECK_STATUS(STATUS_CONFLICT, commit(inserts));
    CHECK_OK(commit(deletes));
    CHECK_STATUS(STATUS_CONFLICT, commit(replaces));
    CHECK_TEXT("2:5", scan_all(&database, store, 0, false));
    database_close(&database);
}

TEST(a_lost_update_across_a_flush_is_refused) {
    for (int changes = 0; changes < 3; changes++) {
        struct database database = {0};
        database_open(&database);
        char name[8];
        snprintf(name, sizeof name, "s%d", changes);
        uint32_t store = create_store(&database, name);
        put(&database, store, 1, 10);
        struct transaction *transaction = begin_snapshot(&database);
        put_in(transaction, store, 1, get_in(transaction, store, 1) + 1);
        if (changes > 0) put(&database, store, 1, 100);
        if (changes > 1) erase(&database, store, 1);
        for (int64_t i = 2; i < 5; i++) { // and twice more, so that nothing newer is in memory
            CHECK_OK(storage_flush(database.storage));
            put(&database, store, i, 0);
        }
        CHECK_OK(storage_flush(database.storage));
        CHECK_STATUS(changes > 0 ? STATUS_CONFLICT : STATUS_OK, commit(transaction));
        int64_t expected[] = {11, 100, -1};
        CHECK_EQUAL(expected[changes], get(&database, store, 1));
        database_close(&database);
    }
}

TEST(history_goes_with_the_last_transaction_that_needs_it) {
    struct database database = {0};
    database_open(&database);
    uint32_t store = create_store(&database, "s");
    CHECK_OK(storage_flush(database.storage));
    struct list *kept = &database.storage->history.kept;
    struct transaction *old = begin_snapshot(&database);
    put(&database, store, 1, 1);
    CHECK_OK(storage_flush(database.storage));
    CHECK(!list_empty(kept));
    struct transaction *young = begin_snapshot(&database);
    CHECK_OK(commit(old));
    // The flusher frees it; one more flush waits for that.
    put(&database, store, 2, 1);
    CHECK_OK(storage_flush(database.storage));
    CHECK(kept->next->next == kept); // what the young one needs, and no more
    transaction_abort(young);
    put(&database, store, 3, 1);
    CHECK_OK(storage_flush(database.storage));
    CHECK(list_empty(kept));
    CHECK_EQUAL(0, database.storage->history.bytes);
    database_close(&database);
}

TEST(beyond_the_kept_history_a_snapshot_is_too_old) {
    struct database database = {0};
    database.options = database_options();
    database.options.history_bytes_max = (int64_t)(300 * KIB);
    snprintf(database.path, sizeof database.path, "%s/data", test_directory());
    database_open(&database);
    uint32_t store = create_store(&database, "s");
    struct transaction *old = begin_snapshot(&database);
    put_in(old, store, 1, 1);
    for (int64_t i = 0; i < 8000; i++) put(&database, store, 1000 + i, 1);
    CHECK_OK(storage_flush(database.storage));
    struct transaction *young = begin_snapshot(&database);
    struct write_result result;
    struct error error;
    CHECK_STATUS(STATUS_SNAPSHOT_TOO_OLD, transaction_commit(old, &result, &error));
    CHECK(strstr(error.message, "history") != NULL);
    put_in(young, store, 1, 2);
    put(&database, store, 2, 2);
    CHECK_OK(storage_flush(database.storage));
    CHECK_OK(commit(young));
    CHECK_EQUAL(2, get(&database, store, 1));
    database_close(&database);
}

// ---- serializable ---------------------------------------------------------------------------

// Two doctors on call; each goes off if the other stays.
static enum status both_go(struct database *database, enum isolation isolation, uint32_t store,
                           bool flush) {
    put(database, store, 1, 1);
    put(database, store, 2, 1);
    struct transaction *first = begin_at(database, isolation);
    struct transaction *second = begin_at(database, isolation);
    if (get_in(first, store, 2) == 1) put_in(first, store, 1, 0);
    if (get_in(second, store, 1) == 1) put_in(second, store, 2, 0);
    CHECK_OK(commit(first));
    if (flush) CHECK_OK(storage_flush(database->storage));
    return commit(second);
}

TEST(write_skew_is_refused_when_serializable) {
    struct database database = {0};
    database_open(&database);
    uint32_t store = create_store(&database, "doctors");
    CHECK_OK(both_go(&database, ISOLATION_SNAPSHOT, store, false)); // what snapshots allow
    CHECK_TEXT("1:0 2:0", scan_all(&database, store, 0, false));
    CHECK_STATUS(STATUS_CONFLICT, both_go(&database, ISOLATION_SERIALIZABLE, store, false));
    CHECK_TEXT("1:0 2:1", scan_all(&database, store, 0, false));
    CHECK_STATUS(STATUS_CONFLICT, both_go(&database, ISOLATION_SERIALIZABLE, store, true));
    database_close(&database);
}

struct phantom {
    bool secondary, reverse, keys_only;
    int64_t lower, upper; // of the scan; by value when secondary
    int limit;            // entries read; 0: all
    int64_t id, value;    // what somebody else puts, or deletes when value < 0
    enum status expected;
};

static struct bytes index_bound(struct buffer *buffer, int64_t value) {
    struct doc_value bound = doc_value_int(value);
    bool truncated;
    buffer_clear(buffer);
    CHECK_OK(doc_encode_index(buffer, &bound, &truncated));
    return buffer_bytes(buffer);
}

static void read_range(struct transaction *transaction, uint32_t store, uint32_t index,
                       const struct phantom *phantom) {
    struct key low = int_key(phantom->lower), high = int_key(phantom->upper);
    struct buffer lower = {0}, upper = {0};
    struct scan_options options = {
        .store_id = store,
        .index_id = phantom->secondary ? index : 0,
        .reverse = phantom->reverse,
        .keys_only = phantom->keys_only,
        .lower = phantom->secondary ? index_bound(&lower, phantom->lower)
                                    : bytes_of(low.bytes, sizeof low.bytes),
        .upper = phantom->secondary ? index_bound(&upper, phantom->upper)
                                    : bytes_of(high.bytes, sizeof high.bytes)};
    struct view view;
    struct scan *scan;
    struct scan_entry entry;
    CHECK_OK(transaction_view(transaction, &view));
    CHECK_OK(scan_open(&view, &options, &scan));
    for (int i = 0; phantom->limit == 0 || i < phantom->limit; i++)
        if (scan_next(scan, &entry) == STATUS_END) break;
    scan_close(scan);
    view_end(&view);
    buffer_done(&lower);
    buffer_done(&upper);
}

TEST(phantoms_are_refused_in_what_was_scanned_and_only_there) {
    static const struct phantom phantoms[] = {
        // Primary: 10, 20, 30, 40 are there.
        {.lower = 10, .upper = 40, .id = 25, .expected = STATUS_CONFLICT},
        {.lower = 10, .upper = 40, .id = 10, .expected = STATUS_CONFLICT},
        {.lower = 10, .upper = 40, .id = 30, .value = -1, .expected = STATUS_CONFLICT},
        {.lower = 10, .upper = 40, .id = 40, .expected = STATUS_OK},
        {.lower = 10, .upper = 40, .id = 9, .expected = STATUS_OK},
        {.lower = 21, .upper = 29, .id = 25, .expected = STATUS_CONFLICT}, // empty until then
        {.lower = 10, .upper = 90, .limit = 2, .id = 20, .expected = STATUS_CONFLICT},
        {.lower = 10, .upper = 90, .limit = 2, .id = 15, .expected = STATUS_CONFLICT},
        {.lower = 10, .upper = 90, .limit = 2, .id = 21, .expected = STATUS_OK},
        {.lower = 10, .upper = 90, .limit = 9, .id = 89, .expected = STATUS_CONFLICT},
        {.lower = 1,
         .upper = 90,
         .reverse = true,
         .limit = 2,
         .id = 30,
         .expected = STATUS_CONFLICT},
        {.lower = 1,
         .upper = 90,
         .reverse = true,
         .limit = 2,
         .id = 89,
         .expected = STATUS_CONFLICT},
        {.lower = 1, .upper = 90, .reverse = true, .limit = 2, .id = 29, .expected = STATUS_OK},
        // By value, which is ten times the id: 100, 200, 300, 400.
        {.secondary = true,
         .lower = 100,
         .upper = 350,
         .id = 99,
         .value = 250,
         .expected = STATUS_CONFLICT},
        {.secondary = true,
         .lower = 100,
         .upper = 350,
         .id = 99,
         .value = 350,
         .expected = STATUS_OK},
        {.secondary = true,
         .lower = 100,
         .upper = 350,
         .id = 30,
         .value = 999,
         .expected = STATUS_CONFLICT}, // leaves the range
        {.secondary = true,
         .keys_only = true,
         .lower = 100,
         .upper = 350,
         .id = 40,
         .value = 101,
         .expected = STATUS_CONFLICT}, // comes into it
        {.secondary = true,
         .keys_only = true,
         .lower = 100,
         .upper = 350,
         .id = 20,
         .value = 200,
         .expected = STATUS_OK}, // the key alone was read, and stays
        {.secondary = true,
         .lower = 100,
         .upper = 350,
         .id = 20,
         .value = 200,
         .expected = STATUS_CONFLICT}, // the document was
        {.secondary = true,
         .reverse = true,
         .lower = 1,
         .upper = 999,
         .limit = 1,
         .id = 50,
         .value = 500,
         .expected = STATUS_CONFLICT},
        {.secondary = true,
         .reverse = true,
         .lower = 1,
         .upper = 999,
         .limit = 1,
         .id = 50,
         .value = 350,
         .expected = STATUS_OK},
    };
    struct database database = {0};
    database_open(&database);
    for (size_t i = 0; i < sizeof phantoms / sizeof phantoms[0]; i++) {
        const struct phantom *phantom = &phantoms[i];
        char name[8];
        snprintf(name, sizeof name, "s%zu", i);
        uint32_t store = create_store(&database, name);
        uint32_t index = create_index(&database, name, "by_v", "v");
        CHECK_OK(storage_wait_indexes(database.storage));
        for (int64_t id = 10; id <= 40; id += 10) put(&database, store, id, id * 10);
        if (i % 2 == 0) CHECK_OK(storage_flush(database.storage));
        struct transaction *transaction = begin_at(&database, ISOLATION_SERIALIZABLE);
        read_range(transaction, store, index, phantom);
        put_in(transaction, store, 1000, 0);
        if (phantom->value < 0)
            erase(&database, store, phantom->id);
        else
            put(&database, store, phantom->id, phantom->value);
        if (i % 3 == 0) CHECK_OK(storage_flush(database.storage));
        enum status status = commit(transaction);
        if (status != phantom->expected)
            test_fail(__FILE__, __LINE__, "phantom %zu: %s", i, status_text(status));
    }
    database_close(&database);
}

TEST(what_was_not_there_is_read_too) {
    struct database database = {0};
    database_open(&database);
    uint32_t store = create_store(&database, "s");
    struct transaction *transaction = begin_at(&database, ISOLATION_SERIALIZABLE);
    CHECK_EQUAL(-1, get_in(transaction, store, 1));
    put_in(transaction, store, 2, 2);
    put(&database, store, 1, 1);
    CHECK_STATUS(STATUS_CONFLICT, commit(transaction));
    // A refused insert tells that the document is there.
    transaction = begin_at(&database, ISOLATION_SERIALIZABLE);
    CHECK_STATUS(STATUS_DUPLICATE_KEY, write_in(transaction, WRITE_INSERT, store, 1, 1));
    put_in(transaction, store, 2, 2);
    erase(&database, store, 1);
    CHECK_STATUS(STATUS_CONFLICT, commit(transaction));
    // Its own writes are not reads of others' documents.
    transaction = begin_at(&database, ISOLATION_SERIALIZABLE);
    put_in(transaction, store, 5, 5);
    CHECK_EQUAL(5, get_in(transaction, store, 5));
    put(&database, store, 6, 6);
    CHECK_OK(commit(transaction));
    database_close(&database);
}

TEST(what_was_read_or_written_must_not_be_dropped) {
    struct database database = {0};
    database_open(&database);
    uint32_t store = create_store(&database, "s"), other = create_store(&database, "other");
    uint32_t index = create_index(&database, "s", "by_v", "v");
    CHECK_OK(storage_wait_indexes(database.storage));
    put(&database, store, 1, 1);
    struct transaction *reads = begin_at(&database, ISOLATION_SERIALIZABLE);
    struct transaction *writes = begin_snapshot(&database);
    struct transaction *scans = begin_at(&database, ISOLATION_SERIALIZABLE);
    CHECK_EQUAL(-1, get_in(reads, other, 1));
    put_in(reads, store, 3, 3);
    put_in(writes, other, 4, 4);
    CHECK_TEXT("1:1", scan_in(scans, store, index, false));
    put_in(scans, store, 5, 5);
    CHECK_OK(storage_drop_store(database.storage, bytes_of_string("other"), NULL, NULL));
    CHECK_OK(storage_drop_index(database.storage, bytes_of_string("s"), bytes_of_string("by_v"),
                                NULL, NULL));
    CHECK_STATUS(STATUS_CONFLICT, commit(reads));
    CHECK_STATUS(STATUS_NO_STORE, commit(writes));
    CHECK_STATUS(STATUS_CONFLICT, commit(scans));
    CHECK_TEXT("1:1", scan_all(&database, store, 0, false));
    database_close(&database);
}

TEST(an_index_made_meanwhile_is_kept_up) {
    struct database database = {0};
    database_open(&database);
    uint32_t store = create_store(&database, "s");
    put(&database, store, 1, 1);
    struct transaction *transaction = begin_snapshot(&database);
    put_in(transaction, store, 1, 5);
    put_in(transaction, store, 2, 3);
    uint32_t index = create_index(&database, "s", "by_v", "v");
    CHECK_OK(storage_wait_indexes(database.storage));
    CHECK_OK(commit(transaction));
    CHECK_TEXT("2:3 1:5", scan_all(&database, store, index, false));
    database_close(&database);
}

// ---- bounds and durability ------------------------------------------------------------------

TEST(a_transaction_is_bounded_in_bytes) {
    struct database database = {0};
    database.options = database_options();
    database.options.transaction_bytes_max = (int64_t)(200 * KIB);
    snprintf(database.path, sizeof database.path, "%s/data", test_directory());
    database_open(&database);
    uint32_t store = create_store(&database, "s");
    struct transaction *transaction = begin_snapshot(&database);
    enum status status = STATUS_OK;
    int64_t written = 0;
    while (status == STATUS_OK) {
        struct write write = {.kind = WRITE_PUT,
                              .store_id = store,
                              .key = int_key(written),
                              .document = document(written, 1, 10000)};
        struct write_result result;
        status = transaction_write(transaction, &write, 1, &result, NULL);
        written += status == STATUS_OK;
    }
    CHECK_STATUS(STATUS_TOO_LARGE, status);
    CHECK(written >= 10 && written <= 20);
    CHECK_OK(commit(transaction)); // what it holds may still be committed
    CHECK_EQUAL(1, get(&database, store, written - 1));
    CHECK_EQUAL(-1, get(&database, store, written));
    // What is read counts too.
    transaction = begin_at(&database, ISOLATION_SERIALIZABLE);
    struct view view;
    CHECK_OK(transaction_view(transaction, &view));
    for (int64_t i = 0; i < 10000; i++) get_at(&view, store, i);
    view_end(&view);
    CHECK_STATUS(STATUS_TOO_LARGE, transaction_view(transaction, &view));
    put_in(transaction, store, 1, 2);
    CHECK_STATUS(STATUS_TOO_LARGE, commit(transaction));
    database_close(&database);
}

struct test_clock {
    struct clock clock;
    _Atomic uint64_t offset_ns;
};

static uint64_t later(struct clock *clock) {
    return clock_monotonic_ns(clock_system()) + ((struct test_clock *)clock)->offset_ns;
}

static int64_t realtime(struct clock *clock) {
    (void)clock;
    return clock_realtime_ns(clock_system());
}

TEST(a_transaction_is_bounded_in_time) {
    struct database database = {0};
    struct test_clock clock = {.clock = {.monotonic_ns = later, .realtime_ns = realtime}};
    database.options = database_options();
    database.options.clock = &clock.clock;
    snprintf(database.path, sizeof database.path, "%s/data", test_directory());
    database_open(&database);
    uint32_t store = create_store(&database, "s");
    struct transaction *transaction = begin_snapshot(&database);
    put_in(transaction, store, 1, 1);
    clock.offset_ns = 61000000000ULL;
    struct view view;
    struct write_result result;
    struct error error;
    CHECK_STATUS(STATUS_SNAPSHOT_TOO_OLD, transaction_view(transaction, &view));
    CHECK_STATUS(STATUS_SNAPSHOT_TOO_OLD, write_in(transaction, WRITE_PUT, store, 2, 2));
    CHECK_STATUS(STATUS_SNAPSHOT_TOO_OLD, transaction_commit(transaction, &result, &error));
    CHECK_TEXT("the transaction is older than 60000 ms", error.message);
    CHECK_EQUAL(-1, get(&database, store, 1));
    database_close(&database);
}

TEST(a_commit_is_one_record_of_the_log) {
    struct database database = {0};
    database_open(&database);
    uint32_t store = create_store(&database, "s"), other = create_store(&database, "other");
    struct transaction *transaction = begin_snapshot(&database);
    for (int64_t i = 0; i < 2000; i++) put_in(transaction, i % 2 ? store : other, i, i);
    uint64_t before = storage_visible(database.storage);
    struct write_result result;
    CHECK_OK(transaction_commit(transaction, &result, NULL)); // longer than a segment
    CHECK_EQUAL(before + 1, result.first_sequence);
    CHECK_EQUAL(before + 2000, result.last_sequence);
    transaction = begin_snapshot(&database);
    put_in(transaction, store, 1, -1); // never committed
    transaction_abort(transaction);
    database_abandon(&database);
    database_open(&database);
    CHECK_EQUAL(1, get(&database, store, 1));
    CHECK_EQUAL(1998, get(&database, other, 1998));
    database_close(&database);
}
