// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"

#include <ctype.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

struct stopped_clock {
    struct clock clock;
    int64_t now_ms;
};

static int64_t stopped_realtime_ns(struct clock *clock) {
    return ((struct stopped_clock *)clock)->now_ms * 1000000;
}

TEST(random_seeded_repeats_itself) {
    struct random_seeded a, b, c;
    random_seeded_init(&a, 42);
    random_seeded_init(&b, 42);
    random_seeded_init(&c, 43);
    for (int i = 0; i < 100; i++) {
        uint64_t value = random_u64(&a.source);
        CHECK(value == random_u64(&b.source));
        CHECK(value != random_u64(&c.source));
    }
}

TEST(random_below_stays_below_and_reaches_all) {
    struct random_seeded random;
    random_seeded_init(&random, test_seed());
    int hits[7] = {0};
    for (int i = 0; i < 7000; i++) hits[random_below(&random.source, 7)]++;
    for (int i = 0; i < 7; i++) CHECK(hits[i] > 700 && hits[i] < 1300);
    CHECK_EQUAL(0, random_below(&random.source, 1));
}

TEST(random_system_fills_everything_of_any_size) {
    static uint8_t data[10000];
    for (size_t size = 64; size <= sizeof data; size = size * 3 / 2) {
        memset(data, 0, sizeof data);
        random_fill(random_system(), data, size);
        size_t zeros = 0;
        for (size_t i = 0; i < size; i++) zeros += data[i] == 0;
        CHECK(zeros < size / 8);
        for (size_t i = size; i < sizeof data; i++) CHECK_EQUAL(0, data[i]);
    }
}

TEST(random_system_does_not_repeat_in_a_forked_child) {
    (void)random_u64(random_system()); // fills the pool that the child inherits
    int ends[2];
    CHECK(pipe(ends) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        uint64_t value = random_u64(random_system());
        _exit(write(ends[1], &value, sizeof value) == sizeof value ? 0 : 1);
    }
    uint64_t here = random_u64(random_system()), there = 0;
    CHECK(read(ends[0], &there, sizeof there) == sizeof there);
    CHECK(waitpid(child, NULL, 0) == child);
    CHECK(here != there);
    close(ends[0]);
    close(ends[1]);
}

TEST(uuid_v7_has_version_variant_and_time) {
    struct stopped_clock clock = {{.realtime_ns = stopped_realtime_ns}, 0x0123456789ab};
    struct uuid_generator generator = {.clock = &clock.clock, .random = random_system()};
    uint8_t uuid[16];
    uuid_v7(&generator, uuid);
    CHECK_EQUAL(0x0123456789ab, load_be64(uuid) >> 16);
    CHECK_EQUAL(7, uuid[6] >> 4);
    CHECK_EQUAL(2, uuid[8] >> 6);
}

// The clock stands, runs and goes back; the counter overflows on the way.
TEST(uuid_v7_never_goes_backwards) {
    struct stopped_clock clock = {{.realtime_ns = stopped_realtime_ns}, 1700000000000};
    struct random_seeded random;
    random_seeded_init(&random, test_seed());
    struct uuid_generator generator = {.clock = &clock.clock, .random = &random.source};
    uint8_t previous[16] = {0}, uuid[16];
    for (int i = 0; i < 200000; i++) {
        if (i % 1000 == 999) clock.now_ms += (int64_t)random_below(&random.source, 7) - 3;
        if (i == 100000) generator.counter = (1 << 26) - 3;
        uuid_v7(&generator, uuid);
        CHECK(memcmp(previous, uuid, 16) < 0);
        CHECK(uuid[6] >> 4 == 7 && uuid[8] >> 6 == 2);
        memcpy(previous, uuid, 16);
    }
}

TEST(uuid_text_is_read_back) {
    static const uint8_t uuid[16] = {0x01, 0x8f, 0x3c, 0x00, 0xab, 0xcd, 0x7e, 0xf0,
                                     0x80, 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0xff};
    char text[37];
    uuid_format(uuid, text);
    CHECK(strcmp(text, "018f3c00-abcd-7ef0-8000-1122334455ff") == 0);
    uint8_t back[16];
    CHECK_EQUAL(0, uuid_parse(text, 36, back));
    CHECK(memcmp(uuid, back, 16) == 0);
    for (int i = 0; i < 36; i++) text[i] = (char)toupper(text[i]);
    CHECK_EQUAL(0, uuid_parse(text, 36, back));
    CHECK(memcmp(uuid, back, 16) == 0);
}

TEST(uuid_parse_refuses_other_forms) {
    static const char *const bad[] = {"",
                                      "018f3c00-abcd-7ef0-8000-1122334455f",
                                      "018f3c00-abcd-7ef0-8000-1122334455fff",
                                      "018f3c00abcd7ef080001122334455ff0000",
                                      "018f3c00-abcd-7ef0-8000-1122334455fg",
                                      "018f3c00-abcd-7ef0-80001-122334455ff",
                                      " 18f3c00-abcd-7ef0-8000-1122334455ff"};
    uint8_t uuid[16] = {9};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_EQUAL(-1, uuid_parse(bad[i], strlen(bad[i]), uuid));
    CHECK_EQUAL(9, uuid[0]);
}

TEST(clock_system_tells_the_time) {
    struct clock *clock = clock_system();
    uint64_t before = clock_monotonic_ns(clock);
    CHECK(clock_monotonic_ns(clock) >= before);
    CHECK(clock_realtime_ms(clock) > 1700000000000);
}
