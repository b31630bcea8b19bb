// SPDX-License-Identifier: Apache-2.0
#include "query/text.h"

#include "test.h"

static bool folds_to(uint32_t from, uint32_t to) {
    return text_fold(from) == to && text_fold(to) == to;
}

TEST(letters_fold_to_their_small_ones) {
    CHECK(folds_to('A', 'a') && folds_to('Z', 'z') && folds_to('1', '1'));
    CHECK(text_fold('[') == '[' && text_fold('@') == '@');
    CHECK(folds_to(0xc4, 0xe4) && folds_to(0xde, 0xfe)); // Ä, Þ
    CHECK(text_fold(0xd7) == 0xd7 && text_fold(0xf7) == 0xf7 && text_fold(0xdf) == 0xdf);
    CHECK(folds_to(0xb5, 0x3bc)); // micro sign to mu
    CHECK(folds_to(0x100, 0x101) && text_fold(0x101) == 0x101);
    CHECK(folds_to(0x139, 0x13a) && text_fold(0x138) == 0x138 && text_fold(0x13a) == 0x13a);
    CHECK(folds_to(0x178, 0xff) && folds_to(0x179, 0x17a) && folds_to(0x17f, 's'));
    CHECK(text_fold(0x130) == 0x130 && text_fold(0x131) == 0x131); // Turkish, not folded simply
    CHECK(folds_to(0x386, 0x3ac) && folds_to(0x391, 0x3b1) && folds_to(0x3a9, 0x3c9));
    CHECK(folds_to(0x3c2, 0x3c3) && folds_to(0x3d0, 0x3b2)); // final sigma, beta symbol
    CHECK(text_fold(0x3a2) == 0x3a2 && text_fold(0x3b1) == 0x3b1);
    CHECK(folds_to(0x401, 0x451) && folds_to(0x416, 0x436) && folds_to(0x42f, 0x44f));
    CHECK(folds_to(0x4c0, 0x4cf) && folds_to(0x4c1, 0x4c2) && folds_to(0x52e, 0x52f));
    CHECK(text_fold(0x10ffff) == 0x10ffff);
}

TEST(folding_twice_changes_nothing) {
    for (uint32_t c = 0; c < 0x600; c++)
        if (text_fold(text_fold(c)) != text_fold(c)) test_fail(__FILE__, __LINE__, "U+%04x", c);
}

struct folded {
    uint32_t code_points[64];
    size_t count;
};

static struct folded fold(const char *text) {
    struct folded folded;
    folded.count = text_fold_all(bytes_of_string(text), folded.code_points);
    return folded;
}

static bool contains(const char *text, const char *part) {
    struct folded folded = fold(part);
    return text_contains_folded(bytes_of_string(text), folded.code_points, folded.count);
}

static bool ends(const char *text, const char *part) {
    struct folded folded = fold(part);
    return text_ends_with_folded(bytes_of_string(text), folded.code_points, folded.count);
}

static bool starts(const char *text, const char *part) {
    struct folded folded = fold(part);
    return text_starts_with_folded(bytes_of_string(text), folded.code_points, folded.count);
}

TEST(matching_ignores_case) {
    CHECK(contains("Jalapeño Größe", "GRÖSSE") == false);
    CHECK(contains("Jalapeño Größe", "PEÑO grö"));
    CHECK(contains("ΟΔΥΣΣΕΥΣ", "σσευς") && contains("οδυσσευς", "ΣΕΥΣ"));
    CHECK(contains("Борщ", "бОРЩ") && !contains("Борщ", "борщи"));
    CHECK(contains("aab", "AB") && contains("ababac", "ABAC"));
    CHECK(contains("x", "") && starts("", "") && ends("", "") && !contains("", "x"));
    CHECK(ends("CAFÉ", "fé") && !ends("é", "fé") && ends("Mas\xc5\xbf", "ss"));
    CHECK(starts("ÉCLAIR", "éc") && !starts("é", "éc"));
}

// Bytes that are not UTF-8 match themselves and end nothing early.
TEST(bad_bytes_stay_within_the_text) {
    static const char *const bad[] = {"\x80", "\xc3", "a\xe2\x82", "\xf0\x9f\x98", "\xff", "\xc3/"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK(contains(bad[i], bad[i]) && starts(bad[i], bad[i]));
        CHECK(!contains(bad[i], "\xc3\xa4"));
        ends(bad[i], "\xc3\xa4");
    }
}
