// SPDX-License-Identifier: Apache-2.0
// Scans: order, bounds, both directions, across what is flushed and what is not.
#include "storage_fixture.h"

#include "base/limits.h"

// Flushed: the even ones; in a frozen or active generation: the odd ones, a change, a deletion.
static uint32_t mixed_store(struct database *database) {
    uint32_t store = create_store(database, "mixed");
    for (int64_t i = 0; i < 10; i += 2) put(database, store, i, 1);
    CHECK_OK(storage_flush(database->storage));
    for (int64_t i = 1; i < 10; i += 2) put(database, store, i, 2);
    put(database, store, 4, 3);
    erase(database, store, 6);
    return store;
}

static const char *bounded(struct database *database, uint32_t store, int64_t lower, int64_t upper,
                           bool reverse) {
    struct key low = int_key(lower), high = int_key(upper);
    struct view view = begin(database);
    struct scan_options options = {.store_id = store,
                                   .reverse = reverse,
                                   .keys_only = true,
                                   .lower = bytes_of(low.bytes, sizeof low.bytes),
                                   .upper = bytes_of(high.bytes, sizeof high.bytes)};
    const char *text = scan_at(&view, &options);
    view_end(&view);
    return text;
}

TEST(scans_of_flushed_and_unflushed) {
    struct database database = {0};
    database_open(&database);
    uint32_t store = mixed_store(&database);
    for (int round = 0; round < 3; round++) {
        CHECK_TEXT("0:1 1:2 2:1 3:2 4:3 5:2 7:2 8:1 9:2", scan_all(&database, store, 0, false));
        CHECK_TEXT("9:2 8:1 7:2 5:2 4:3 3:2 2:1 1:2 0:1", scan_all(&database, store, 0, true));
        CHECK_TEXT("3 4 5 7", bounded(&database, store, 3, 8, false));
        CHECK_TEXT("7 5 4 3", bounded(&database, store, 3, 8, true));
        CHECK_TEXT("", bounded(&database, store, 6, 7, false));
        CHECK_TEXT("", bounded(&database, store, 6, 7, true));
        CHECK_TEXT("", bounded(&database, store, 8, 3, false));
        CHECK_TEXT("", bounded(&database, store, 8, 3, true));
        CHECK_TEXT("0", bounded(&database, store, -5, 1, true));
        CHECK_TEXT("9", bounded(&database, store, 9, 50, false));
        if (round == 0) {
            CHECK_OK(storage_flush(database.storage));
        } else {
            database_reopen(&database);
        }
    }
    database_close(&database);
}

TEST(empty_and_unknown) {
    struct database database = {0};
    database_open(&database);
    uint32_t store = create_store(&database, "empty"), other = create_store(&database, "other");
    uint32_t index = create_index(&database, "other", "by_v", "v");
    CHECK_OK(storage_wait_indexes(database.storage));
    CHECK_TEXT("", scan_all(&database, store, 0, false));
    CHECK_TEXT("", scan_all(&database, store, 0, true));
    CHECK_TEXT("", scan_all(&database, other, index, true));
    struct view view = begin(&database);
    struct scan *scan;
    struct scan_options options = {.store_id = 99};
    CHECK_STATUS(STATUS_NO_STORE, scan_open(&view, &options, &scan));
    options = (struct scan_options){.store_id = store, .index_id = 99};
    CHECK_STATUS(STATUS_NO_INDEX, scan_open(&view, &options, &scan));
    options.index_id = index; // of another store
    CHECK_STATUS(STATUS_NO_INDEX, scan_open(&view, &options, &scan));
    view_end(&view);
    database_close(&database);
}

TEST(runs_longer_than_one_batch) {
    struct database database = {0};
    database_open(&database);
    uint32_t store = create_store(&database, "many");
    for (int64_t i = 0; i < 1000; i++) put(&database, store, i, i);
    CHECK_OK(storage_flush(database.storage));
    for (int64_t i = 0; i < 1000; i += 100) put(&database, store, i, -i);
    for (int reverse = 0; reverse < 2; reverse++) {
        struct view view = begin(&database);
        struct scan_options options = {.store_id = store, .reverse = reverse};
        struct scan *scan;
        CHECK_OK(scan_open(&view, &options, &scan));
        for (int64_t n = 0; n < 1000; n++) {
            struct scan_entry entry;
            int64_t i = reverse ? 999 - n : n;
            CHECK_OK(scan_next(scan, &entry));
            CHECK_EQUAL(i, key_int(&entry.key));
            CHECK_EQUAL(i % 100 == 0 ? -i : i, document_value(entry.document));
        }
        struct scan_entry entry;
        CHECK_STATUS(STATUS_END, scan_next(scan, &entry));
        CHECK_STATUS(STATUS_END, scan_next(scan, &entry));
        scan_close(scan);
        view_end(&view);
    }
    database_close(&database);
}

TEST(a_scan_does_not_see_what_is_written_meanwhile) {
    struct database database = {0};
    database_open(&database);
    uint32_t store = mixed_store(&database);
    struct view view = begin(&database);
    struct scan_options options = {.store_id = store, .keys_only = true};
    struct scan *scan;
    CHECK_OK(scan_open(&view, &options, &scan));
    struct scan_entry entry;
    static const int64_t expected[] = {0, 1, 2, 3, 4, 5, 7, 8, 9};
    for (size_t i = 0; i < 9; i++) {
        CHECK_OK(scan_next(scan, &entry));
        CHECK_EQUAL(expected[i], key_int(&entry.key));
        put(&database, store, 6, 1);
        put(&database, store, 20 + (int64_t)i, 1);
        if (i == 3) CHECK_OK(storage_flush(database.storage));
        if (i == 5) erase(&database, store, 9);
    }
    CHECK_STATUS(STATUS_END, scan_next(scan, &entry));
    scan_close(scan);
    view_end(&view);
    database_close(&database);
}

// ---- secondary ------------------------------------------------------------------------------

TEST(an_index_follows_its_documents) {
    struct database database = {0};
    database_open(&database);
    uint32_t store = create_store(&database, "things");
    for (int64_t i = 0; i < 5; i++) put(&database, store, i, 10 - i);
    uint32_t index = create_index(&database, "things", "by_v", "v");
    CHECK_OK(storage_wait_indexes(database.storage));
    CHECK_TEXT("4:6 3:7 2:8 1:9 0:10", scan_all(&database, store, index, false));
    put(&database, store, 2, 100);
    put(&database, store, 3, 7); // unchanged
    erase(&database, store, 0);
    put(&database, store, 9, 8);
    for (int round = 0; round < 4; round++) {
        CHECK_TEXT("4:6 3:7 9:8 1:9 2:100", scan_all(&database, store, index, false));
        CHECK_TEXT("2:100 1:9 9:8 3:7 4:6", scan_all(&database, store, index, true));
        if (round == 0) {
            CHECK_OK(storage_flush(database.storage));
        } else if (round == 1) {
            database_reopen(&database);
        } else {
            database_abandon(&database);
            database_open(&database);
        }
    }
    // There and back again before any flush.
    put(&database, store, 1, 50);
    put(&database, store, 1, 9);
    erase(&database, store, 4);
    put(&database, store, 4, 6);
    CHECK_TEXT("4:6 3:7 9:8 1:9 2:100", scan_all(&database, store, index, false));
    CHECK_OK(storage_flush(database.storage));
    CHECK_TEXT("4:6 3:7 9:8 1:9 2:100", scan_all(&database, store, index, false));
    database_close(&database);
}

TEST(a_build_meets_writes_and_restarts) {
    struct database database = {0};
    database_open(&database);
    uint32_t store = create_store(&database, "things");
    for (int64_t i = 0; i < 300; i++) put(&database, store, i, i);
    CHECK_OK(storage_flush(database.storage));
    // Registered and in the log only, as if the process ended before the build began.
    atomic_store(&database.storage->abandon, true);
    uint32_t index = create_index(&database, "things", "by_v", "v");
    put(&database, store, 5, 1000);
    erase(&database, store, 6);
    database_abandon(&database);
    database_open(&database);
    put(&database, store, 7, 2000);
    CHECK_OK(storage_wait_indexes(database.storage));
    for (int round = 0; round < 2; round++) {
        struct view view = begin(&database);
        struct scan_options options = {.store_id = store, .index_id = index, .reverse = true};
        struct scan *scan;
        struct scan_entry entry;
        CHECK_OK(scan_open(&view, &options, &scan));
        size_t count = 0;
        while (scan_next(scan, &entry) == STATUS_OK) {
            if (count == 0) CHECK_EQUAL(7, key_int(&entry.key));
            if (count == 1) CHECK_EQUAL(5, key_int(&entry.key));
            if (count == 2) CHECK_EQUAL(299, key_int(&entry.key));
            count++;
        }
        CHECK_EQUAL(299, count);
        scan_close(scan);
        view_end(&view);
        CHECK_OK(storage_flush(database.storage));
    }
    database_close(&database);
}

// A document with no `v`, one with null, numbers of several types and two long strings.
TEST(missing_null_and_long_values_are_indexed) {
    struct database database = {0};
    database_open(&database);
    uint32_t store = create_store(&database, "things");
    uint32_t index = create_index(&database, "things", "by_v", "v");
    static char text[3000];
    memset(text, 'a', sizeof text);
    for (int64_t i = 0; i < 6; i++) {
        struct buffer buffer = {0};
        struct doc_builder builder;
        doc_builder_begin(&builder, &buffer);
        if (i == 1) doc_add_null(&builder, "v");
        if (i == 2) doc_add_double(&builder, "v", 2.5);
        if (i == 3) doc_add_int(&builder, "v", 3);
        if (i >= 4) doc_add_string(&builder, "v", bytes_of(text, i == 4 ? 3000 : 2));
        CHECK_OK(doc_builder_finish(&builder));
        struct write write = {WRITE_PUT, store, int_key(i), buffer_bytes(&buffer), 0};
        struct write_result result;
        CHECK_OK(storage_write(database.storage, database.reader, &write, 1, &result, NULL));
        buffer_done(&buffer);
    }
    CHECK_OK(storage_wait_indexes(database.storage));
    for (int flushed = 0; flushed < 2; flushed++) {
        struct view view = begin(&database);
        struct scan_options options = {.store_id = store, .index_id = index, .keys_only = true};
        CHECK_TEXT("0 1 2 3 5 4", scan_at(&view, &options));
        struct buffer bound = {0};
        struct doc_value three = doc_value_int(3);
        CHECK_OK(doc_encode(&bound, &three));
        options.lower = buffer_bytes(&bound);
        CHECK_TEXT("3 5 4", scan_at(&view, &options));
        options.reverse = true;
        CHECK_TEXT("4 5 3", scan_at(&view, &options));
        options.upper = options.lower;
        options.lower = (struct bytes){0};
        CHECK_TEXT("2 1 0", scan_at(&view, &options));
        buffer_done(&bound);
        view_end(&view);
        CHECK_OK(storage_flush(database.storage));
    }
    for (int64_t i = 0; i < 6; i++) erase(&database, store, i);
    CHECK_TEXT("", scan_all(&database, store, index, false));
    CHECK_OK(storage_flush(database.storage));
    CHECK_TEXT("", scan_all(&database, store, index, false));
    database_close(&database);
}

TEST(an_index_that_is_being_built_is_not_scanned) {
    struct database database = {0};
    database_open(&database);
    uint32_t store = create_store(&database, "things");
    put(&database, store, 1, 1);
    atomic_store(&database.storage->abandon, true); // the flusher does nothing more
    uint32_t index = create_index(&database, "things", "by_v", "v");
    struct view view = begin(&database);
    struct scan_options options = {.store_id = store, .index_id = index};
    struct scan *scan;
    CHECK_STATUS(STATUS_NO_INDEX, scan_open(&view, &options, &scan));
    view_end(&view);
    database_abandon(&database);
}
