// SPDX-License-Identifier: Apache-2.0
// Damaged logs: what is cut, what is refused, and that no wrong record ever comes back (the fixture
// checks each one's bytes).
#include "base/crc.h"
#include "storage/operation.h"
#include "storage/wal_format.h"
#include "wal_fixture.h"

static void read_file(const char *path, struct buffer *buffer) {
    CHECK_OK(file_read_all(file_system_posix(), path, 1 << 24, buffer, NULL));
}

static void write_file(const char *path, struct bytes bytes) {
    struct file *file = NULL;
    CHECK_OK(file_open(file_system_posix(), path, FILE_WRITE | FILE_CREATE | FILE_TRUNCATE, &file,
                       NULL));
    if (bytes.size > 0) CHECK_OK(file_write_at(file, 0, bytes.data, bytes.size));
    file_close(file);
}

static void remove_files(struct fixture *fixture) {
    const char *path;
    while ((path = fixture_file(fixture, 0)) != NULL)
        CHECK_OK(file_system_posix()->remove(file_system_posix(), path));
}

#define RECORDS 7
#define SYNCED 4 // records that were durable when the next was written

enum damage { TRUNCATE, ZERO, FLIP };

struct written { // a log of one segment
    struct buffer content;
    char path[4200];
    uint64_t first[RECORDS + 1]; // sequences; the last one would come next
    uint64_t offset[RECORDS + 1];
};

static void write_log(struct fixture *fixture, struct written *ret) {
    memset(ret, 0, sizeof *ret);
    CHECK_OK(fixture_open(fixture));
    ret->offset[0] = WAL_SEGMENT_HEADER_SIZE;
    for (int i = 0; i < RECORDS; i++) {
        ret->first[i] = fixture->next;
        ret->offset[i + 1] = ret->offset[i] + wal_record_size(fixture_payload_size(fixture->next));
        uint64_t last = fixture_append(fixture, 0);
        if (i + 1 == SYNCED) CHECK_OK(wal_sync(fixture->wal, last));
    }
    ret->first[RECORDS] = fixture->next;
    fixture_close(fixture, true);
    snprintf(ret->path, sizeof ret->path, "%s", fixture_file(fixture, 0));
    read_file(ret->path, &ret->content);
}

static bool is_padding(const struct written *log, int record, uint64_t at) {
    return at >=
           log->offset[record] + WAL_RECORD_HEADER_SIZE + fixture_payload_size(log->first[record]);
}

static int record_of(const struct written *log, uint64_t at) {
    int record = 0;
    while (log->offset[record + 1] <= at) record++;
    return record;
}

static void apply(struct fixture *fixture, const struct written *log, enum damage damage,
                  uint64_t at) {
    remove_files(fixture);
    struct buffer copy = {0};
    CHECK_OK(buffer_append(&copy, log->content.data, log->content.size));
    if (damage == FLIP) copy.data[at] ^= 0x10;
    if (damage == ZERO) memset(copy.data + at, 0, copy.size - at);
    if (damage == TRUNCATE) copy.size = at;
    write_file(log->path, buffer_bytes(&copy));
    buffer_done(&copy);
}

// The log goes on after the cut, and the next recovery finds both parts.
static void check_goes_on(struct fixture *fixture) {
    uint64_t records = fixture->recovered.records;
    CHECK(fixture->recovered.next_sequence > WAL_SEQUENCE_SKIP);
    uint64_t last = fixture_append(fixture, 0);
    CHECK_OK(wal_sync(fixture->wal, last));
    fixture_close(fixture, true);
    CHECK_OK(fixture_open(fixture));
    CHECK_EQUAL(records + 1, fixture->recovered.records);
    CHECK_EQUAL(last, fixture->replayed);
    fixture_close(fixture, true);
}

static void check_damage(struct fixture *fixture, const struct written *log, enum damage damage,
                         uint64_t at) {
    int record = record_of(log, at);
    int whole = record; // records that come back
    if (damage == FLIP && is_padding(log, record, at)) whole = RECORDS;
    if (damage != FLIP && is_padding(log, record, at)) whole = record + 1;
    // Later records say that the first ones were durable.
    bool corrupt = damage == FLIP && whole < SYNCED;
    // Zeroing may change nothing: then the record is whole.
    apply(fixture, log, damage, at);
    fixture->options.repair = false;
    enum status status = fixture_open(fixture);
    if (corrupt) {
        CHECK_STATUS(STATUS_CORRUPT, status);
        CHECK_EQUAL(log->offset[record], fixture->error.offset);
        CHECK(strstr(fixture->error.message, "0000000000000001.wal") != NULL);
        CHECK_STATUS(STATUS_CORRUPT, fixture_open(fixture)); // nothing was changed
        fixture->options.repair = true;
        status = fixture_open(fixture);
    }
    CHECK_OK(status);
    CHECK_EQUAL(whole, fixture->recovered.records);
    CHECK_EQUAL(log->first[whole] - 1, fixture->replayed);
    fixture->options.repair = false;
    check_goes_on(fixture);
}

static void check_damage_everywhere(enum damage damage) {
    struct fixture fixture;
    fixture_init(&fixture);
    struct written log;
    write_log(&fixture, &log);
    for (uint64_t at = log.offset[2]; at < log.offset[RECORDS]; at++) {
        // A zero byte that is "zeroed" at the very end of a record leaves it whole.
        if (damage == ZERO && at + 8 >= log.offset[record_of(&log, at) + 1]) {
            bool changes = false;
            uint64_t end = log.offset[record_of(&log, at) + 1];
            for (uint64_t i = at; i < end; i++) changes = changes || log.content.data[i] != 0;
            if (!changes && !is_padding(&log, record_of(&log, at), at)) continue;
        }
        check_damage(&fixture, &log, damage, at);
    }
    buffer_done(&log.content);
}

TEST(wal_cut_at_every_byte) {
    check_damage_everywhere(TRUNCATE);
}

TEST(wal_zeroed_from_every_byte) {
    check_damage_everywhere(ZERO);
}

TEST(wal_flipped_at_every_byte) {
    check_damage_everywhere(FLIP);
}

// ---- several segments -----------------------------------------------------------------------

static void append_to_segments(struct fixture *fixture, size_t files) {
    while (fixture_file_count(fixture) < files) fixture_append(fixture, 1000);
    for (int i = 0; i < 20; i++) fixture_append(fixture, 1000);
}

static void flip(const char *path, uint64_t at) {
    struct buffer content = {0};
    read_file(path, &content);
    content.data[at] ^= 1;
    write_file(path, buffer_bytes(&content));
    buffer_done(&content);
}

TEST(wal_damage_below_a_later_watermark_is_refused) {
    struct fixture fixture;
    fixture_init(&fixture);
    CHECK_OK(fixture_open(&fixture));
    for (int i = 0; i < 50; i++) fixture_append(&fixture, 1000);
    CHECK_OK(wal_sync(fixture.wal, fixture.next - 1));
    append_to_segments(&fixture, 4);
    fixture_close(&fixture, true);
    flip(fixture_file(&fixture, 0), 40 * wal_record_size(1000) + 100);

    CHECK_STATUS(STATUS_CORRUPT, fixture_open(&fixture));
    CHECK(strstr(fixture.error.message, "0000000000000001.wal") != NULL);
    fixture.options.repair = true;
    CHECK_OK(fixture_open(&fixture));
    CHECK_EQUAL(40, fixture.recovered.records);
    CHECK(fixture.recovered.torn);
    fixture.options.repair = false;
    check_goes_on(&fixture);
}

static bool exists(const char *path) {
    struct file *file = NULL;
    enum status status = file_open(file_system_posix(), path, FILE_READ, &file, NULL);
    file_close(file);
    return status == STATUS_OK;
}

static void check_zero_from(const char *path, uint64_t from) {
    struct buffer content = {0};
    read_file(path, &content);
    CHECK_EQUAL(FIXTURE_SEGMENT, content.size);
    for (uint64_t i = from; i < content.size; i++) CHECK(content.data[i] == 0);
    buffer_done(&content);
}

TEST(wal_damage_that_was_never_durable_cuts_later_segments_too) {
    struct fixture fixture;
    fixture_init(&fixture);
    CHECK_OK(fixture_open(&fixture));
    append_to_segments(&fixture, 4);
    uint64_t last = fixture.next - 1;
    fixture_close(&fixture, true);
    char lost[2][4200];
    for (size_t i = 0; i < 2; i++)
        snprintf(lost[i], sizeof lost[i], "%s", fixture_file(&fixture, i + 1));
    uint64_t end = WAL_SEGMENT_HEADER_SIZE + 40 * wal_record_size(1000);
    flip(fixture_file(&fixture, 0), end + 100);

    CHECK_OK(fixture_open(&fixture));
    CHECK_EQUAL(40, fixture.recovered.records);
    CHECK(fixture.recovered.torn);
    CHECK(fixture.recovered.next_sequence > last);
    check_zero_from(fixture_file(&fixture, 0), end);
    CHECK(!exists(lost[0]) && !exists(lost[1]));
    check_goes_on(&fixture);
}

// Every record is whole, but one between them is missing.
TEST(wal_gap_between_records_is_the_end) {
    struct fixture fixture;
    fixture_init(&fixture);
    struct written log;
    write_log(&fixture, &log);
    struct buffer copy = {0};
    CHECK_OK(buffer_append(&copy, log.content.data, log.offset[5]));
    CHECK_OK(buffer_append(&copy, log.content.data + log.offset[6], log.offset[7] - log.offset[6]));
    remove_files(&fixture);
    write_file(log.path, buffer_bytes(&copy));
    CHECK_OK(fixture_open(&fixture));
    CHECK_EQUAL(5, fixture.recovered.records);
    CHECK(fixture.recovered.torn);
    check_goes_on(&fixture);
    buffer_done(&copy);
    buffer_done(&log.content);
}

TEST(wal_lost_segment_header) {
    struct fixture fixture;
    fixture_init(&fixture);
    CHECK_OK(fixture_open(&fixture));
    append_to_segments(&fixture, 3);
    fixture_close(&fixture, true);
    flip(fixture_file(&fixture, 1), 20); // never durable: cut there
    CHECK_OK(fixture_open(&fixture));
    CHECK(fixture.recovered.torn);
    CHECK(fixture.recovered.records > 0);
    append_to_segments(&fixture, fixture_file_count(&fixture) + 2);
    CHECK_OK(wal_sync(fixture.wal, fixture.next - 1));
    fixture_append(&fixture, 1000); // says so
    fixture_close(&fixture, true);
    flip(fixture_file(&fixture, 1), 20);
    CHECK_STATUS(STATUS_CORRUPT, fixture_open(&fixture));
}

TEST(wal_missing_segment_is_refused) {
    struct fixture fixture;
    fixture_init(&fixture);
    CHECK_OK(fixture_open(&fixture));
    append_to_segments(&fixture, 4); // the last may be a spare one
    CHECK_OK(wal_sync(fixture.wal, fixture.next - 1));
    fixture_append(&fixture, 1000);
    fixture_close(&fixture, true);
    CHECK_OK(file_system_posix()->remove(file_system_posix(), fixture_file(&fixture, 1)));
    CHECK_STATUS(STATUS_CORRUPT, fixture_open(&fixture));
}

TEST(wal_log_that_ends_below_the_checkpoint_is_refused) {
    struct fixture fixture;
    fixture_init(&fixture);
    CHECK_OK(fixture_open(&fixture));
    for (int i = 0; i < 10; i++) fixture_append(&fixture, 0);
    uint64_t last = fixture.next - 1;
    fixture_close(&fixture, false);
    fixture.options.checkpoint = last + 1;
    CHECK_STATUS(STATUS_CORRUPT, fixture_open(&fixture));
    fixture.options.clean_stop = true;
    CHECK_STATUS(STATUS_CORRUPT, fixture_open(&fixture));

    fixture.options.repair = true;
    CHECK_OK(fixture_open(&fixture));
    CHECK(fixture.recovered.next_sequence > last + 2);
    fixture.options.repair = fixture.options.clean_stop = false;
    check_goes_on(&fixture);
}

// Numbers are given only once a durable header tells the next run not to give them again.
TEST(wal_does_not_open_without_a_durable_header) {
    struct fixture fixture;
    fixture_init(&fixture);
    CHECK_OK(fixture_open(&fixture));
    append_to_segments(&fixture, 4);
    fixture.options.checkpoint = fixture.next - 1;
    CHECK_OK(wal_sync(fixture.wal, fixture.options.checkpoint));
    wal_release(fixture.wal, fixture.options.checkpoint); // leaves files to recycle
    fixture_close(&fixture, false);
    atomic_store(&fixture.faulty.fail_sync, 0);
    CHECK_STATUS(STATUS_IO, fixture_open(&fixture));
    CHECK(strstr(fixture.error.message, "log segment") != NULL);
    atomic_store(&fixture.faulty.fail_sync, -1);
    CHECK_OK(fixture_open(&fixture));
    fixture_close(&fixture, true);
}

TEST(wal_that_is_missing) {
    struct fixture fixture;
    fixture_init(&fixture);
    fixture.options.checkpoint = 5;
    fixture.options.epoch = 3;
    CHECK_STATUS(STATUS_CORRUPT, fixture_open(&fixture));
    fixture.options.clean_stop = true; // all is in the index: a restored backup
    CHECK_OK(fixture_open(&fixture));
    CHECK_EQUAL(6, fixture.recovered.next_sequence);
    CHECK_EQUAL(3, fixture.recovered.epoch);
    fixture_close(&fixture, true);
}

TEST(wal_of_another_version_is_refused) {
    struct fixture fixture;
    fixture_init(&fixture);
    CHECK_OK(fixture_open(&fixture));
    fixture_append(&fixture, 0);
    fixture_close(&fixture, true);
    struct buffer content = {0};
    const char *path = fixture_file(&fixture, 0);
    read_file(path, &content);
    store_le32(content.data + 8, WAL_FORMAT_VERSION + 1);
    store_le32(content.data + 4, crc32c(0, content.data + 8, WAL_SEGMENT_HEADER_SIZE - 8));
    write_file(path, buffer_bytes(&content));
    buffer_done(&content);
    CHECK_STATUS(STATUS_VERSION, fixture_open(&fixture));
}

TEST(wal_foreign_files_are_left_alone) {
    struct fixture fixture;
    fixture_init(&fixture);
    char path[4200];
    snprintf(path, sizeof path, "%s/README", test_directory());
    write_file(path, bytes_of_string("mine"));
    CHECK_OK(fixture_open(&fixture));
    fixture_append(&fixture, 0);
    fixture_close(&fixture, true);
    CHECK_OK(fixture_open(&fixture));
    fixture_close(&fixture, true);
    struct buffer content = {0};
    read_file(path, &content);
    CHECK_BYTES("mine", buffer_bytes(&content));
    buffer_done(&content);
}

// ---- operations -----------------------------------------------------------------------------

TEST(wal_operations_round_trip) {
    struct buffer buffer = {0};
    for (uint32_t i = 1; i <= 8; i++) {
        struct operation operation = {.kind = (enum operation_kind)i,
                                      .id = i * 100,
                                      .key = {{(uint8_t)i, 2, 3}},
                                      .value = bytes_of("abcdefghij", i)};
        CHECK_OK(operation_encode(&buffer, &operation));
        CHECK_EQUAL(0, buffer.size % 8);
    }
    struct bytes payload = buffer_bytes(&buffer);
    struct operation operation;
    for (uint32_t i = 1; i <= 8; i++) {
        CHECK_OK(operation_decode(&payload, &operation));
        CHECK_EQUAL(i, operation.kind);
        CHECK_EQUAL(i * 100, operation.id);
        CHECK_EQUAL(i, operation.key.bytes[0]);
        CHECK(bytes_equal(operation.value, bytes_of("abcdefghij", i)));
    }
    CHECK_STATUS(STATUS_END, operation_decode(&payload, &operation));
    buffer_done(&buffer);
}

TEST(wal_malformed_operations_are_refused) {
    struct buffer buffer = {0};
    struct operation operation = {.kind = OPERATION_PUT, .id = 1, .value = bytes_of("abc", 3)};
    CHECK_OK(operation_encode(&buffer, &operation));
    for (size_t size = 1; size < buffer.size; size++) {
        struct bytes payload = bytes_of(buffer.data, size);
        CHECK_STATUS(STATUS_CORRUPT, operation_decode(&payload, &operation));
        CHECK_EQUAL(size, payload.size);
    }
    static const struct {
        size_t at;
        uint8_t value;
    } bad[] = {{0, 0}, {0, 9}, {1, 1}, {2, 1}, {24, 9}, {27, 255}, {28, 1}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t before = buffer.data[bad[i].at];
        buffer.data[bad[i].at] = bad[i].value;
        struct bytes payload = buffer_bytes(&buffer);
        CHECK_STATUS(STATUS_CORRUPT, operation_decode(&payload, &operation));
        buffer.data[bad[i].at] = before;
    }
    buffer_done(&buffer);
}
