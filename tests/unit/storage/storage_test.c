// SPDX-License-Identifier: Apache-2.0
// The engine as a whole: statuses, DDL, reopening, flushes, snapshots.
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
