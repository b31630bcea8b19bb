// SPDX-License-Identifier: Apache-2.0
// The log in use. wal_recover_test.c damages it.
#include "storage/wal_format.h"
#include "wal_fixture.h"

TEST(wal_replays_what_was_appended) {
    struct fixture fixture;
    fixture_init(&fixture);
    CHECK_OK(fixture_open(&fixture));
    CHECK_EQUAL(1, fixture.recovered.next_sequence);
    CHECK_EQUAL(1, fixture.recovered.epoch);
    uint64_t last = 0;
    for (int i = 0; i < 100; i++) last = fixture_append(&fixture, 0);
    CHECK_EQUAL(last, wal_visible(fixture.wal));
    CHECK_EQUAL(0, wal_durable(fixture.wal));
    fixture_close(&fixture, false);

    CHECK_OK(fixture_open(&fixture));
    CHECK_EQUAL(1, fixture.first_replayed);
    CHECK_EQUAL(last, fixture.replayed);
    CHECK_EQUAL(100, fixture.recovered.records);
    CHECK(!fixture.recovered.torn);
    fixture_close(&fixture, true);
}

TEST(wal_skips_ahead_after_an_unclean_stop_only) {
    struct fixture fixture;
    fixture_init(&fixture);
    CHECK_OK(fixture_open(&fixture));
    uint64_t last = fixture_append(&fixture, 0);
    fixture_close(&fixture, true);

    CHECK_OK(fixture_open(&fixture));
    CHECK_EQUAL(last + 1 + WAL_SEQUENCE_SKIP, fixture.recovered.next_sequence);
    CHECK_EQUAL(2, fixture.recovered.epoch);
    last = fixture_append(&fixture, 0);
    fixture_close(&fixture, false);

    fixture.options.clean_stop = true;
    fixture.options.checkpoint = last;
    fixture.options.epoch = 2;
    for (int i = 0; i < 3; i++) {
        CHECK_OK(fixture_open(&fixture));
        CHECK_EQUAL(0, fixture.recovered.records);
        CHECK_EQUAL(last + 1, fixture.recovered.next_sequence);
        CHECK_EQUAL(2, fixture.recovered.epoch);
        fixture_close(&fixture, false);
    }

    // The index claims a clean stop, but the log holds more: it is not believed.
    CHECK_OK(fixture_open(&fixture));
    last = fixture_append(&fixture, 0);
    fixture_close(&fixture, true);
    CHECK_OK(fixture_open(&fixture));
    CHECK_EQUAL(1, fixture.recovered.records);
    CHECK_EQUAL(3, fixture.recovered.epoch);
    CHECK_EQUAL(last + 1 + WAL_SEQUENCE_SKIP, fixture.recovered.next_sequence);
    fixture_close(&fixture, true);
}

TEST(wal_gives_no_number_twice_when_crashing_at_once) {
    struct fixture fixture;
    fixture_init(&fixture);
    uint64_t next = 0, epoch = 0;
    for (int i = 0; i < 6; i++) {
        CHECK_OK(fixture_open(&fixture));
        CHECK(fixture.recovered.next_sequence > next);
        CHECK(fixture.recovered.epoch > epoch);
        next = fixture.recovered.next_sequence;
        epoch = fixture.recovered.epoch;
        fixture_close(&fixture, true);
    }
}

TEST(wal_rolls_and_recycles_segments) {
    struct fixture fixture;
    fixture_init(&fixture);
    CHECK_OK(fixture_open(&fixture));
    uint64_t checkpoint = 0;
    for (int round = 0; round < 40; round++) {
        uint64_t last = 0;
        for (int i = 0; i < 700; i++) last = fixture_append(&fixture, 0);
        CHECK_OK(wal_sync(fixture.wal, last));
        if (round % 2 == 1) continue;
        checkpoint = last;
        wal_release(fixture.wal, checkpoint);
        CHECK(wal_bytes(fixture.wal) <= 2 * FIXTURE_SEGMENT);
    }
    CHECK(fixture_file_count(&fixture) <= 8);
    uint64_t last = fixture.next - 1;
    fixture_close(&fixture, true);

    // Nothing but what follows the checkpoint comes back, though the files are full of old records.
    fixture.options.checkpoint = checkpoint;
    CHECK_OK(fixture_open(&fixture));
    CHECK_EQUAL(checkpoint + 1, fixture.first_replayed);
    CHECK_EQUAL(last, fixture.replayed);
    CHECK(!fixture.recovered.torn);
    fixture_close(&fixture, true);
    fixture.options.checkpoint = 0;
    CHECK_STATUS(STATUS_CORRUPT, fixture_open(&fixture));
}

TEST(wal_removes_surplus_segments) {
    struct fixture fixture;
    fixture_init(&fixture);
    CHECK_OK(fixture_open(&fixture));
    uint64_t last = 0;
    for (int i = 0; i < 10000; i++) last = fixture_append(&fixture, 0);
    CHECK_OK(wal_sync(fixture.wal, last));
    CHECK(fixture_file_count(&fixture) > 10);
    wal_release(fixture.wal, last);
    CHECK(fixture_file_count(&fixture) <= 5);
    CHECK_EQUAL(FIXTURE_SEGMENT, wal_bytes(fixture.wal));
    fixture_close(&fixture, false);
}

TEST(wal_takes_records_larger_than_a_segment) {
    struct fixture fixture;
    fixture_init(&fixture);
    CHECK_OK(fixture_open(&fixture));
    for (int i = 0; i < 5; i++) {
        fixture_append(&fixture, 0);
        fixture_append(&fixture, 3 * FIXTURE_SEGMENT + (size_t)i);
        fixture_append(&fixture, FIXTURE_SEGMENT - WAL_SEGMENT_HEADER_SIZE - 64);
        fixture_append(&fixture, FIXTURE_SEGMENT - WAL_SEGMENT_HEADER_SIZE - 63);
    }
    fixture_append(&fixture, 2 * 1024 * 1024); // more than a window of resident pages
    uint64_t last = fixture_append(&fixture, 0);
    CHECK_OK(wal_sync(fixture.wal, last));
    fixture_close(&fixture, true);
    CHECK_OK(fixture_open(&fixture));
    CHECK_EQUAL(22, fixture.recovered.records);
    CHECK_EQUAL(last, fixture.replayed);
    fixture_close(&fixture, true);
}

TEST(wal_commit_times_never_decrease) {
    struct fixture fixture;
    fixture_init(&fixture);
    CHECK_OK(fixture_open(&fixture));
    for (int64_t time = 10; time > 0; time--) {
        CHECK_OK(wal_prepare(fixture.wal, 0));
        CHECK_OK(wal_reserve(fixture.wal, 0));
        wal_append(fixture.wal, fixture.next, fixture_operations(fixture.next), time,
                   bytes_of(NULL, 0), 0);
        fixture.next += fixture_operations(fixture.next);
        wal_publish(fixture.wal, fixture.next - 1);
    }
    fixture_close(&fixture, true);
    CHECK_OK(fixture_open(&fixture));
    CHECK_EQUAL(10, fixture.recovered.records);
    CHECK_EQUAL(10, fixture.last_time);
    fixture_close(&fixture, true);
}

TEST(wal_failed_sync_is_final) {
    for (int good = 0; good < 3; good++) {
        struct fixture fixture;
        fixture_init(&fixture);
        CHECK_OK(fixture_open(&fixture));
        atomic_store(&fixture.faulty.fail_sync, good);
        uint64_t durable = fixture.recovered.next_sequence - 1;
        for (int i = 0; i < good; i++) {
            durable = fixture_append(&fixture, 0);
            CHECK_OK(wal_sync(fixture.wal, durable));
        }
        uint64_t last = fixture_append(&fixture, 0);
        CHECK_STATUS(STATUS_IO, wal_sync(fixture.wal, last));
        fixture_wait_event(&fixture, 1000);
        CHECK(fixture.failed);
        CHECK_STATUS(STATUS_READ_ONLY, wal_health(fixture.wal));
        CHECK_EQUAL(durable, wal_durable(fixture.wal));
        CHECK_EQUAL(last, wal_visible(fixture.wal));

        atomic_store(&fixture.faulty.fail_sync, -1); // too late
        CHECK_STATUS(STATUS_READ_ONLY, wal_reserve(fixture.wal, 10));
        CHECK_STATUS(STATUS_READ_ONLY, wal_prepare(fixture.wal, 10));
        CHECK_STATUS(STATUS_IO, wal_sync(fixture.wal, last));
        CHECK_OK(wal_sync(fixture.wal, durable));
        int syncs = atomic_load(&fixture.faulty.syncs);
        fixture_close(&fixture, false);
        CHECK_EQUAL(syncs, atomic_load(&fixture.faulty.syncs));
    }
}

TEST(wal_failed_directory_sync_is_final) {
    struct fixture fixture;
    fixture_init(&fixture);
    CHECK_OK(fixture_open(&fixture));
    uint64_t last = fixture_append(&fixture, 0);
    atomic_store(&fixture.faulty.fail_directory, true);
    CHECK_STATUS(STATUS_READ_ONLY, wal_prepare(fixture.wal, 2 * FIXTURE_SEGMENT));
    fixture_wait_event(&fixture, 1000);
    CHECK(fixture.failed);
    CHECK_STATUS(STATUS_IO, wal_sync(fixture.wal, last));
    fixture_close(&fixture, false);
}

TEST(wal_full_disk_refuses_cleanly_and_recovers) {
    struct fixture fixture;
    fixture_init(&fixture);
    CHECK_OK(fixture_open(&fixture));
    atomic_store(&fixture.faulty.full, true);
    uint64_t last = 0;
    enum status status = STATUS_OK;
    for (int i = 0; i < 5000 && status == STATUS_OK; i++)
        status = fixture_try_append(&fixture, 0, &last);
    CHECK_STATUS(STATUS_NO_SPACE, status);
    CHECK_STATUS(STATUS_NO_SPACE, fixture_try_append(&fixture, 0, &last));
    CHECK_STATUS(STATUS_OK, wal_health(fixture.wal));
    CHECK_OK(wal_sync(fixture.wal, last));
    CHECK_EQUAL(1, fixture_file_count(&fixture)); // no half-made file stays

    atomic_store(&fixture.faulty.full, false);
    last = fixture_append(&fixture, 0);
    CHECK_OK(wal_sync(fixture.wal, last));
    fixture_close(&fixture, true);
    CHECK_OK(fixture_open(&fixture));
    CHECK_EQUAL(last, fixture.replayed);
    fixture_close(&fixture, true);
}

TEST(wal_interval_zero_syncs_on_request_only) {
    struct fixture fixture;
    fixture_init(&fixture);
    CHECK_OK(fixture_open(&fixture));
    int before = atomic_load(&fixture.faulty.syncs);
    uint64_t last = 0;
    for (int i = 0; i < 50; i++) last = fixture_append(&fixture, 0);
    CHECK_EQUAL(before, atomic_load(&fixture.faulty.syncs));
    wal_request_sync(fixture.wal, last);
    fixture_wait_event(&fixture, 1);
    CHECK_EQUAL(last, wal_durable(fixture.wal));
    CHECK_EQUAL(before + 1, atomic_load(&fixture.faulty.syncs));
    wal_request_sync(fixture.wal, last); // nothing to do
    CHECK_OK(wal_sync(fixture.wal, last));
    fixture_append(&fixture, 0);
    fixture_close(&fixture, true);
    CHECK_EQUAL(before + 1, atomic_load(&fixture.faulty.syncs));
}

TEST(wal_interval_syncs_an_idle_tail) {
    struct fixture fixture;
    fixture_init(&fixture);
    fixture.options.flush_interval_ms = 10;
    CHECK_OK(fixture_open(&fixture));
    for (int i = 1; i <= 5; i++) {
        uint64_t last = fixture_append(&fixture, 0);
        fixture_wait_event(&fixture, i); // nobody asks for it
        CHECK_EQUAL(last, wal_durable(fixture.wal));
    }
    fixture_close(&fixture, false);
}

struct committer {
    struct fixture *fixture;
    struct thread thread;
    int commits;
};

static void commit_many(void *context) {
    struct committer *committer = context;
    for (int i = 0; i < committer->commits; i++) {
        uint64_t last = fixture_append(committer->fixture, 0);
        CHECK_OK(wal_sync(committer->fixture->wal, last));
        CHECK(wal_durable(committer->fixture->wal) >= last);
    }
}

TEST(wal_group_commit) {
    struct fixture fixture;
    fixture_init(&fixture);
    fixture.faulty.skip_syncs = false;
    CHECK_OK(fixture_open(&fixture));
    struct committer committers[8];
    for (int i = 0; i < 8; i++) {
        committers[i] = (struct committer){.fixture = &fixture, .commits = 100};
        CHECK_OK(thread_start(&committers[i].thread, "committer", commit_many, &committers[i]));
    }
    for (int i = 0; i < 8; i++) thread_join(&committers[i].thread);
    CHECK(atomic_load(&fixture.faulty.syncs) < 800);
    uint64_t last = fixture.next - 1;
    fixture_close(&fixture, true);
    CHECK_OK(fixture_open(&fixture));
    CHECK_EQUAL(800, fixture.recovered.records);
    CHECK_EQUAL(last, fixture.replayed);
    fixture_close(&fixture, true);
}

static void append_many(void *context) {
    struct committer *committer = context;
    for (int i = 0; i < committer->commits; i++) fixture_append(committer->fixture, 0);
}

TEST(wal_rolls_while_it_is_synced_and_released) {
    struct fixture fixture;
    fixture_init(&fixture);
    fixture.options.flush_interval_ms = 1;
    CHECK_OK(fixture_open(&fixture));
    struct committer committers[3];
    for (int i = 0; i < 3; i++) {
        committers[i] = (struct committer){.fixture = &fixture, .commits = 8000};
        CHECK_OK(thread_start(&committers[i].thread, "committer", append_many, &committers[i]));
    }
    uint64_t checkpoint = 0;
    while (checkpoint < 20000) {
        uint64_t visible = wal_visible(fixture.wal);
        CHECK_OK(wal_sync(fixture.wal, visible));
        checkpoint = wal_durable(fixture.wal);
        wal_release(fixture.wal, checkpoint);
    }
    for (int i = 0; i < 3; i++) thread_join(&committers[i].thread);
    uint64_t last = fixture.next - 1;
    fixture_close(&fixture, false);
    fixture.options.checkpoint = checkpoint;
    CHECK_OK(fixture_open(&fixture));
    CHECK_EQUAL(last, fixture.replayed);
    fixture_close(&fixture, true);
}
