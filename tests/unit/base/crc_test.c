// SPDX-License-Identifier: Apache-2.0
#include "base/crc.h"

#include "base/random.h"
#include "test.h"

struct crc_vector {
    uint8_t first;
    int step;
    uint32_t expected;
};

// RFC 3720 appendix B.4: 32 bytes of zeros, of ones, rising and falling.
TEST(crc_gives_the_values_of_rfc_3720) {
    static const struct crc_vector vectors[] = {
        {0, 0, 0x8a9136aa}, {0xff, 0, 0x62a8ab43}, {0, 1, 0x46dd794e}, {31, -1, 0x113fdb5c}};
    for (size_t v = 0; v < 4; v++) {
        uint8_t data[32];
        for (int i = 0; i < 32; i++) data[i] = (uint8_t)(vectors[v].first + i * vectors[v].step);
        CHECK_EQUAL(vectors[v].expected, crc32c(0, data, sizeof data));
        CHECK_EQUAL(vectors[v].expected, crc32c_software(0, data, sizeof data));
    }
    CHECK_EQUAL(0xe3069283, crc32c(0, "123456789", 9));
    CHECK_EQUAL(0xe3069283, crc32c_software(0, "123456789", 9));
    CHECK_EQUAL(0, crc32c(0, NULL, 0));
}

TEST(crc_continues_and_agrees_with_the_tables_at_every_length_and_alignment) {
    static uint8_t data[20000];
    struct random_seeded random;
    random_seeded_init(&random, test_seed());
    random_fill(&random.source, data, sizeof data);
    for (size_t size = 0; size < 300; size++)
        for (size_t offset = 0; offset < 8; offset++)
            CHECK_EQUAL(crc32c_software(7, data + offset, size), crc32c(7, data + offset, size));
    for (int i = 0; i < 200; i++) {
        size_t size = random_below(&random.source, sizeof data);
        size_t cut = random_below(&random.source, size + 1);
        uint32_t whole = crc32c(0, data, size);
        CHECK_EQUAL(whole, crc32c_software(0, data, size));
        CHECK_EQUAL(whole, crc32c(crc32c(0, data, cut), data + cut, size - cut));
    }
}
