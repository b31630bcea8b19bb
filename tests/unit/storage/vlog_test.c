// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/thread.h"
#include "storage/vlog.h"
#include "test.h"

#define SEGMENT_BYTES (64 * KIB)
#define HEADER 64 // of a segment

// The system's files, of which writes and syncs can be made to fail.
static struct file_system faulty;
static int writes_left = -1; // -1: no limit
static bool fail_sync;
static int syncs;

static enum status faulty_write(struct file *file, uint64_t offset, const void *data, size_t size) {
    if (writes_left == 0) return STATUS_NO_SPACE;
    if (writes_left > 0) writes_left--;
    return file_system_posix()->write_at(file, offset, data, size);
}

static enum status faulty_sync(struct file *file) {
    syncs++;
    return fail_sync ? STATUS_IO : file_system_posix()->sync(file);
}

static struct file_system *faulty_system(void) {
    faulty = *file_system_posix();
    faulty.write_at = faulty_write;
    faulty.sync = faulty_sync;
    return &faulty;
}

static enum status try_open(struct vlog_position tail, struct vlog **ret, struct error *error) {
    struct vlog_options options = {
        .fs = faulty_system(),
        .directory = test_directory(),
        .segment_bytes = SEGMENT_BYTES,
        .tail = tail,
    };
    return vlog_open(&options, ret, error);
}

static struct vlog *open_vlog(struct vlog_position tail) {
    struct vlog *vlog = NULL;
    struct error error = {0};
    if (try_open(tail, &vlog, &error) != STATUS_OK)
        test_fail(__FILE__, __LINE__, "vlog_open: %s", error.message);
    return vlog;
}

static struct vlog *new_vlog(void) {
    return open_vlog((struct vlog_position){0});
}

static const char *segment_path(uint32_t number) {
    static char path[4200];
    snprintf(path, sizeof path, "%s/%08x.vlog", test_directory(), number);
    return path;
}

static uint64_t size_of_segment(uint32_t number) {
    struct stat information;
    if (stat(segment_path(number), &information) != 0) return 0;
    return (uint64_t)information.st_size;
}

static struct key key_of(uint64_t number) {
    struct key key = {0};
    store_le64(key.bytes, number);
    store_le64(key.bytes + 8, ~number);
    return key;
}

// A value that its number decides, of `size` bytes.
static uint8_t *value_of(uint64_t number, size_t size) {
    uint8_t *value = malloc(size + 1);
    for (size_t i = 0; i < size; i++) value[i] = (uint8_t)(number * 31 + i * 7 + (i >> 8));
    return value;
}

static struct vlog_pointer append(struct vlog *vlog, uint64_t number, size_t size) {
    uint8_t *value = value_of(number, size);
    struct key key = key_of(number);
    struct vlog_pointer pointer;
    CHECK_OK(vlog_append(vlog, OPERATION_PUT, 5, &key, number, bytes_of(value, size), &pointer));
    CHECK_EQUAL(size, pointer.size);
    free(value);
    return pointer;
}

static enum status read_number(struct vlog *vlog, const struct vlog_pointer *pointer,
                               uint64_t number) {
    struct key key = key_of(number);
    struct bytes found;
    enum status status = vlog_read(vlog, pointer, 5, &key, number, &found);
    if (status != STATUS_OK) return status;
    uint8_t *value = value_of(number, pointer->size);
    CHECK(bytes_equal(found, bytes_of(value, pointer->size)));
    free(value);
    return STATUS_OK;
}

TEST(vlog_reads_what_was_appended) {
    struct vlog *vlog = new_vlog();
    CHECK_EQUAL(0, vlog_tail(vlog).segment);
    CHECK_EQUAL(0, vlog_bytes(vlog));
    struct vlog_pointer pointers[300];
    for (uint64_t i = 0; i < 300; i++) pointers[i] = append(vlog, i, i);
    CHECK_STATUS(STATUS_CORRUPT, read_number(vlog, &pointers[299], 299)); // buffered still
    CHECK_OK(vlog_flush(vlog, true));
    for (uint64_t i = 0; i < 300; i++) CHECK_OK(read_number(vlog, &pointers[i], i));
    CHECK_EQUAL(1, pointers[0].segment);
    CHECK_EQUAL(HEADER, pointers[0].offset);
    CHECK_EQUAL(HEADER + VLOG_RECORD_HEADER_SIZE, pointers[1].offset);
    CHECK_EQUAL(vlog_tail(vlog).offset, size_of_segment(vlog_tail(vlog).segment));
    vlog_close(vlog);
}

TEST(vlog_rolls_to_new_segments) {
    struct vlog *vlog = new_vlog();
    struct vlog_pointer pointers[500];
    for (uint64_t i = 0; i < 500; i++) {
        pointers[i] = append(vlog, i, 1000);
        CHECK_EQUAL(i / 62 + 1, pointers[i].segment); // 62 records of 1040 bytes in 64 KiB
    }
    uint32_t segments = vlog_tail(vlog).segment;
    CHECK_EQUAL(9, segments);
    CHECK_OK(vlog_flush(vlog, true));
    for (uint64_t i = 0; i < 500; i++) {
        vlog_prefetch(vlog, &pointers[i]);
        CHECK_OK(read_number(vlog, &pointers[i], i));
    }
    uint64_t bytes = 0;
    for (uint32_t i = 1; i <= segments; i++) bytes += size_of_segment(i);
    CHECK_EQUAL(bytes, vlog_bytes(vlog));
    vlog_close(vlog);
}

TEST(vlog_has_room_for_very_many_segments) {
    struct vlog *vlog = new_vlog();
    struct vlog_pointer pointers[200];
    for (uint64_t i = 0; i < 200; i++) {
        pointers[i] = append(vlog, i, 60000);
        CHECK_OK(vlog_flush(vlog, false));
        CHECK_EQUAL(i + 1, pointers[i].segment);
        CHECK_OK(read_number(vlog, &pointers[0], 0));
    }
    for (uint64_t i = 0; i < 200; i++) CHECK_OK(read_number(vlog, &pointers[i], i));
    vlog_close(vlog);
}

TEST(vlog_gives_a_large_record_its_own_segment) {
    struct vlog *vlog = new_vlog();
    struct vlog_pointer first = append(vlog, 1, 3 * MIB + 5);
    struct vlog_pointer small = append(vlog, 2, 10);
    struct vlog_pointer second = append(vlog, 3, DOCUMENT_SIZE_MAX);
    struct vlog_pointer exact = append(vlog, 4, SEGMENT_BYTES - HEADER - VLOG_RECORD_HEADER_SIZE);
    CHECK_EQUAL(1, first.segment);
    CHECK_EQUAL(2, small.segment);
    CHECK_EQUAL(3, second.segment);
    CHECK_EQUAL(4, exact.segment);
    CHECK_OK(vlog_flush(vlog, true));
    CHECK_EQUAL(SEGMENT_BYTES, size_of_segment(4));
    struct vlog_position tail = vlog_tail(vlog);
    for (int round = 0; round < 2; round++) {
        CHECK_OK(read_number(vlog, &first, 1));
        CHECK_OK(read_number(vlog, &small, 2));
        CHECK_OK(read_number(vlog, &second, 3));
        CHECK_OK(read_number(vlog, &exact, 4));
        vlog_close(vlog);
        vlog = open_vlog(tail);
    }
    vlog_close(vlog);
}

TEST(vlog_continues_after_reopening) {
    struct vlog *vlog = new_vlog();
    struct vlog_pointer pointers[200];
    for (uint64_t i = 0; i < 100; i++) pointers[i] = append(vlog, i, 1000);
    CHECK_OK(vlog_flush(vlog, true));
    struct vlog_position tail = vlog_tail(vlog);
    uint64_t bytes = vlog_bytes(vlog);
    vlog_close(vlog);
    vlog = open_vlog(tail);
    CHECK_EQUAL(bytes, vlog_bytes(vlog));
    CHECK_EQUAL(tail.offset, vlog_tail(vlog).offset);
    for (uint64_t i = 100; i < 200; i++) pointers[i] = append(vlog, i, 1000);
    CHECK_OK(vlog_flush(vlog, false));
    for (uint64_t i = 0; i < 200; i++) CHECK_OK(read_number(vlog, &pointers[i], i));
    vlog_close(vlog);
}

TEST(vlog_cuts_what_lies_behind_the_tail) {
    struct vlog *vlog = new_vlog();
    struct vlog_pointer kept = append(vlog, 1, 1000);
    CHECK_OK(vlog_flush(vlog, true));
    struct vlog_position tail = vlog_tail(vlog);
    struct vlog_pointer cut = append(vlog, 2, 1000);
    for (uint64_t i = 3; i < 200; i++) append(vlog, i, 1000);
    CHECK_OK(vlog_flush(vlog, true));
    CHECK(size_of_segment(4) > 0);
    vlog_close(vlog);
    vlog = open_vlog(tail);
    CHECK_EQUAL(tail.offset, size_of_segment(1));
    for (uint32_t i = 2; i <= 4; i++) CHECK_EQUAL(0, size_of_segment(i));
    CHECK_OK(read_number(vlog, &kept, 1));
    CHECK_STATUS(STATUS_CORRUPT, read_number(vlog, &cut, 2));
    struct vlog_pointer again = append(vlog, 7, 500);
    CHECK_EQUAL(cut.offset, again.offset);
    CHECK_OK(vlog_flush(vlog, false));
    CHECK_OK(read_number(vlog, &again, 7));
    vlog_close(vlog);
    vlog = new_vlog(); // without a checkpoint nothing counts
    CHECK_EQUAL(0, size_of_segment(1));
    vlog_close(vlog);
}

static void flip(const char *path, uint64_t offset, int bit) {
    int descriptor = open(path, O_RDWR);
    uint8_t byte = 0;
    CHECK_EQUAL(1, pread(descriptor, &byte, 1, (off_t)offset));
    byte = (uint8_t)(byte ^ (1 << bit));
    CHECK_EQUAL(1, pwrite(descriptor, &byte, 1, (off_t)offset));
    close(descriptor);
}

static enum status ignore_record(const struct vlog_record *record, void *context) {
    return STATUS_OK;
}

TEST(vlog_detects_every_flipped_bit_of_a_record) {
    struct vlog *vlog = new_vlog();
    append(vlog, 1, 33);
    struct vlog_pointer pointer = append(vlog, 2, 33);
    append(vlog, 3, 33);
    CHECK_OK(vlog_flush(vlog, true));
    for (uint64_t i = 0; i < VLOG_RECORD_HEADER_SIZE + 33; i++) {
        for (int bit = 0; bit < 8; bit++) {
            flip(segment_path(1), pointer.offset + i, bit);
            struct error error = {0};
            CHECK_STATUS(STATUS_CORRUPT, read_number(vlog, &pointer, 2));
            CHECK_STATUS(STATUS_CORRUPT, vlog_walk(vlog, ignore_record, NULL, &error));
            CHECK_EQUAL(pointer.offset, error.offset);
            flip(segment_path(1), pointer.offset + i, bit);
        }
    }
    CHECK_OK(read_number(vlog, &pointer, 2));
    CHECK_OK(vlog_walk(vlog, ignore_record, NULL, NULL));
    vlog_close(vlog);
}

TEST(vlog_detects_every_flipped_byte_of_a_segment_header) {
    struct vlog *vlog = new_vlog();
    for (uint64_t i = 0; i < 100; i++) append(vlog, i, 1000);
    CHECK_OK(vlog_flush(vlog, true));
    struct vlog_position tail = vlog_tail(vlog);
    vlog_close(vlog);
    for (uint32_t segment = 1; segment <= 2; segment++) {
        for (uint64_t i = 0; i < HEADER; i++) {
            flip(segment_path(segment), i, (int)(i % 8));
            struct error error = {0};
            CHECK_STATUS(STATUS_CORRUPT, try_open(tail, &vlog, &error));
            CHECK(strstr(error.message, segment_path(segment)) != NULL);
            flip(segment_path(segment), i, (int)(i % 8));
        }
    }
    vlog_close(open_vlog(tail));
}

TEST(vlog_refuses_missing_and_short_segments) {
    struct vlog *vlog = new_vlog();
    for (uint64_t i = 0; i < 150; i++) append(vlog, i, 1000);
    CHECK_OK(vlog_flush(vlog, true));
    struct vlog_position tail = vlog_tail(vlog);
    CHECK_EQUAL(3, tail.segment);
    vlog_close(vlog);
    struct vlog_position wrong = {tail.segment, tail.offset + 8};
    CHECK_STATUS(STATUS_CORRUPT, try_open(wrong, &vlog, NULL));
    wrong = (struct vlog_position){tail.segment + 1, 64};
    CHECK_STATUS(STATUS_CORRUPT, try_open(wrong, &vlog, NULL));
    wrong = (struct vlog_position){UINT32_MAX, 64};
    CHECK_STATUS(STATUS_CORRUPT, try_open(wrong, &vlog, NULL));
    wrong = (struct vlog_position){tail.segment, tail.offset + 1};
    CHECK_STATUS(STATUS_CORRUPT, try_open(wrong, &vlog, NULL));
    wrong = (struct vlog_position){tail.segment, 32};
    CHECK_STATUS(STATUS_CORRUPT, try_open(wrong, &vlog, NULL));
    wrong = (struct vlog_position){0, 64};
    CHECK_STATUS(STATUS_CORRUPT, try_open(wrong, &vlog, NULL));
    CHECK_EQUAL(0, truncate(segment_path(2), (off_t)size_of_segment(2) - 8));
    struct error error = {0};
    CHECK_STATUS(STATUS_CORRUPT, try_open(tail, &vlog, &error));
    CHECK(strstr(error.message, segment_path(2)) != NULL);
    CHECK_EQUAL(0, unlink(segment_path(2)));
    CHECK_STATUS(STATUS_CORRUPT, try_open(tail, &vlog, &error));
    CHECK(strstr(error.message, "missing") != NULL);
}

TEST(vlog_refuses_pointers_that_lead_nowhere) {
    struct vlog *vlog = new_vlog();
    struct vlog_pointer good = append(vlog, 1, 100);
    append(vlog, 2, 100);
    CHECK_OK(vlog_flush(vlog, false));
    CHECK_OK(read_number(vlog, &good, 1));
    const struct vlog_pointer bad[] = {
        {0, good.size, good.offset},
        {2, good.size, good.offset},
        {UINT32_MAX, good.size, good.offset},
        {1, good.size, 0},
        {1, good.size, good.offset + 1},
        {1, good.size, good.offset + 8},
        {1, good.size, 1 << 20},
        {1, good.size, UINT64_MAX - 7},
        {1, good.size, vlog_tail(vlog).offset},
        {1, good.size, vlog_tail(vlog).offset - 8},
        {1, good.size - 1, good.offset},
        {1, UINT32_MAX, good.offset},
    };
    struct key key = key_of(1);
    struct bytes value;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK_STATUS(STATUS_CORRUPT, vlog_read(vlog, &bad[i], 5, &key, 1, &value));
        vlog_prefetch(vlog, &bad[i]);
    }
    struct key other = key_of(2);
    CHECK_STATUS(STATUS_CORRUPT, vlog_read(vlog, &good, 6, &key, 1, &value));
    CHECK_STATUS(STATUS_CORRUPT, vlog_read(vlog, &good, 5, &other, 1, &value));
    CHECK_STATUS(STATUS_CORRUPT, vlog_read(vlog, &good, 5, &key, 2, &value));
    vlog_close(vlog);
}

static enum status count_records(const struct vlog_record *record, void *context) {
    uint64_t *count = context;
    CHECK_EQUAL(*count, record->sequence);
    CHECK_EQUAL(*count % 3 == 0 ? VLOG_GENERATION_FOOTER : OPERATION_PUT, record->kind);
    CHECK_EQUAL(5 + *count % 2, record->id);
    struct key key = key_of(*count);
    CHECK(key_compare(&key, &record->key) == 0);
    uint8_t *value = value_of(*count, (size_t)*count * 5);
    CHECK(bytes_equal(record->value, bytes_of(value, (size_t)*count * 5)));
    free(value);
    CHECK_EQUAL(record->value.size, record->pointer.size);
    (*count)++;
    return *count == 1000 ? STATUS_CANCELLED : STATUS_OK;
}

TEST(vlog_walks_all_records_in_order) {
    struct vlog *vlog = new_vlog();
    for (uint64_t i = 0; i < 300; i++) {
        uint8_t *value = value_of(i, (size_t)i * 5);
        struct key key = key_of(i);
        uint8_t kind = i % 3 == 0 ? VLOG_GENERATION_FOOTER : OPERATION_PUT;
        CHECK_OK(vlog_append(vlog, kind, (uint32_t)(5 + i % 2), &key, i,
                             bytes_of(value, (size_t)i * 5), NULL));
        free(value);
    }
    uint64_t count = 0;
    CHECK_OK(vlog_walk(vlog, count_records, &count, NULL));
    CHECK_EQUAL(300, count);
    count = 0;
    CHECK_OK(vlog_flush(vlog, true));
    struct vlog_position tail = vlog_tail(vlog);
    CHECK(tail.segment > 1);
    vlog_close(vlog);
    vlog = open_vlog(tail);
    CHECK_OK(vlog_walk(vlog, count_records, &count, NULL));
    CHECK_EQUAL(300, count);
    vlog_close(vlog);
}

TEST(vlog_takes_no_key_and_no_value) {
    struct vlog *vlog = new_vlog();
    struct vlog_pointer pointer;
    CHECK_OK(vlog_append(vlog, OPERATION_DROP_STORE, 9, NULL, 77, bytes_of(NULL, 0), &pointer));
    CHECK_OK(vlog_flush(vlog, true));
    struct key zero = {0};
    struct bytes value;
    CHECK_OK(vlog_read(vlog, &pointer, 9, &zero, 77, &value));
    CHECK_EQUAL(0, value.size);
    vlog_close(vlog);
}

// Fails the nth write for each n, then goes on as after the disk got room again.
TEST(vlog_forgets_a_record_that_could_not_be_written) {
    for (int n = 0; n <= 8; n++) {
        struct vlog *vlog = new_vlog();
        struct vlog_pointer pointers[20], lost;
        uint8_t *value = value_of(99, 5 * MIB);
        struct key key = key_of(99);
        for (uint64_t i = 0; i < 10; i++) pointers[i] = append(vlog, i, 2000);
        writes_left = n;
        enum status status =
            vlog_append(vlog, OPERATION_PUT, 5, &key, 99, bytes_of(value, 5 * MIB), &lost);
        if (status == STATUS_OK) status = vlog_flush(vlog, true);
        CHECK_STATUS(n < 8 ? STATUS_NO_SPACE : STATUS_OK, status); // data, header, 6 parts
        writes_left = -1;
        for (uint64_t i = 10; i < 20; i++) pointers[i] = append(vlog, i, 2000);
        CHECK_OK(vlog_flush(vlog, true));
        CHECK_OK(vlog_walk(vlog, ignore_record, NULL, NULL));
        struct vlog_position tail = vlog_tail(vlog);
        for (int round = 0; round < 2; round++) {
            for (uint64_t i = 0; i < 20; i++) CHECK_OK(read_number(vlog, &pointers[i], i));
            CHECK_OK(vlog_walk(vlog, ignore_record, NULL, NULL));
            vlog_close(vlog);
            vlog = open_vlog(tail);
        }
        vlog_close(vlog);
        free(value);
    }
}

TEST(vlog_syncs_every_segment_it_wrote) {
    struct vlog *vlog = new_vlog();
    for (uint64_t i = 0; i < 5; i++) append(vlog, i, 60000);
    CHECK_OK(vlog_flush(vlog, false));
    CHECK_EQUAL(0, syncs);
    CHECK_OK(vlog_flush(vlog, true));
    CHECK_EQUAL(5, syncs);
    append(vlog, 5, 10);
    CHECK_OK(vlog_flush(vlog, true));
    CHECK_EQUAL(6, syncs);
    fail_sync = true;
    CHECK_STATUS(STATUS_IO, vlog_flush(vlog, true));
    fail_sync = false;
    CHECK_STATUS(STATUS_IO, vlog_flush(vlog, true)); // what was written is unknown
    vlog_close(vlog);
}

// Pointers handed from the appender to reading threads, as the index does it.
enum { SHARED = 3000 };
static struct {
    struct vlog *vlog;
    struct vlog_pointer pointers[SHARED];
    _Atomic uint64_t count;
} shared;

static void read_shared(void *context) {
    uint64_t *failures = context;
    for (uint64_t done = 0; done < SHARED;) {
        uint64_t count = atomic_load(&shared.count);
        for (; done < count; done++) {
            struct key key = key_of(done);
            struct bytes value;
            if (vlog_read(shared.vlog, &shared.pointers[done], 5, &key, done, &value) != STATUS_OK)
                (*failures)++;
        }
    }
}

TEST(vlog_is_read_by_threads_while_it_grows) {
    shared.vlog = new_vlog();
    struct thread threads[2] = {0};
    uint64_t failures[2] = {0};
    for (int i = 0; i < 2; i++)
        CHECK_OK(thread_start(&threads[i], "reader", read_shared, &failures[i]));
    for (uint64_t i = 0; i < SHARED; i++) {
        shared.pointers[i] = append(shared.vlog, i, 1500); // more segments than the first table has
        if (i % 50 != 49) continue;
        CHECK_OK(vlog_flush(shared.vlog, false));
        atomic_store(&shared.count, i + 1);
    }
    for (int i = 0; i < 2; i++) {
        thread_join(&threads[i]);
        CHECK_EQUAL(0, failures[i]);
    }
    CHECK(vlog_tail(shared.vlog).segment > 64);
    vlog_close(shared.vlog);
}
