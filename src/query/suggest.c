// SPDX-License-Identifier: Apache-2.0
// The nearest of some names, for messages.
#include <stdio.h>

#include "query/pql_tree.h"

#define SUGGESTED_SIZE_MAX 40

static size_t least(size_t a, size_t b, size_t c) {
    size_t smaller = a < b ? a : b;
    return smaller < c ? smaller : c;
}

static uint8_t lower(uint8_t c) {
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

// The number of insertions, removals and replacements between two short texts, case not counted.
static size_t distance(struct bytes a, struct bytes b) {
    size_t row[SUGGESTED_SIZE_MAX + 1];
    for (size_t j = 0; j <= b.size; j++) row[j] = j;
    for (size_t i = 1; i <= a.size; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.size; j++) {
            size_t same = diagonal + (lower(a.data[i - 1]) != lower(b.data[j - 1]));
            diagonal = row[j];
            row[j] = least(row[j] + 1, row[j - 1] + 1, same);
        }
    }
    return row[b.size];
}

const char *pql_suggest(struct bytes name, const char *const *names, size_t count, char text[64]) {
    size_t best = SIZE_MAX, nearest = 0;
    text[0] = '\0';
    if (name.size > SUGGESTED_SIZE_MAX) return text;
    for (size_t i = 0; i < count; i++) {
        struct bytes candidate = bytes_of_string(names[i]);
        if (candidate.size > SUGGESTED_SIZE_MAX) continue;
        size_t steps = distance(name, candidate);
        if (steps < best) {
            best = steps;
            nearest = i;
        }
    }
    size_t allowed = name.size < 3 ? 1 : name.size < 6 ? 2 : 3;
    if (best <= allowed && best < name.size)
        snprintf(text, 64, " (did you mean '%s'?)", names[nearest]);
    return text;
}
