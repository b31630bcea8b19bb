// SPDX-License-Identifier: Apache-2.0
#include "figure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

FILE *figure_open(const char *path) {
    if (path == NULL) return NULL;
    FILE *tsv = fopen(path, "a");
    if (tsv == NULL) figure_fail("%s: %s", path, strerror(errno));
    if (fseek(tsv, 0, SEEK_END) == 0 && ftell(tsv) == 0)
        fputs("name\tunit\tours\tpeer\tpeer_name\tratio\tgoal\n", tsv);
    return tsv;
}

static void print_line(const struct figure *figure, double ratio) {
    printf("%-58s %12.4g %-6s", figure->name, figure->ours, figure->unit);
    if (figure->peer > 0) {
        printf(" %6.2fx of %.4g %s (%s)", ratio, figure->peer, figure->unit, figure->peer_name);
        if (figure->goal > 0)
            printf(", goal %.1fx: %s", figure->goal,
                   ratio >= figure->goal ? "reached" : "NOT REACHED");
    }
    printf("\n");
    fflush(stdout);
}

void figure_report(FILE *tsv, const struct figure *figure) {
    double ratio = figure->peer > 0 ? figure->ours / figure->peer : 0;
    print_line(figure, ratio);
    if (tsv == NULL) return;
    fprintf(tsv, "%s\t%s\t%.6g\t", figure->name, figure->unit, figure->ours);
    if (figure->peer > 0)
        fprintf(tsv, "%.6g\t%s\t%.3f\t", figure->peer, figure->peer_name, ratio);
    else
        fputs("\t\t\t", tsv);
    if (figure->goal > 0) fprintf(tsv, ">= %.1f", figure->goal);
    fputc('\n', tsv);
    fflush(tsv);
}

uint64_t figure_now_ns(void) {
    return clock_monotonic_ns(clock_system());
}

void figure_fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fflush(stdout);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}
