// SPDX-License-Identifier: Apache-2.0
// The form in which benchmarks give their figures: a line to read, and a row of a TSV file with the
// columns name, unit, ours, peer, peer_name, ratio, goal.
#pragma once

#include <stdint.h>
#include <stdio.h>

struct figure {
    const char *name;
    const char *unit;
    double ours;
    double peer;           // 0: there is none
    const char *peer_name; // may be NULL
    double goal;           // the least ratio of ours to the peer's; 0: none
};

// Opens `path` for appending and writes the columns' names into a new file. NULL path: NULL.
// Ends the program when the file cannot be opened.
FILE *figure_open(const char *path);
// Prints the figure and appends it to `tsv` (may be NULL).
void figure_report(FILE *tsv, const struct figure *figure);

uint64_t figure_now_ns(void);
// What is to be printed when something fails; ends the program.
_Noreturn void figure_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
