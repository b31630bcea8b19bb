// SPDX-License-Identifier: Apache-2.0
// planctl: the command line of Planck, a verb in each file beside this one.
// Exit codes: 0 done, 1 failure, 2 wrong use.
#include <stdio.h>
#include <string.h>

#include "planctl/verb.h"

static const struct verb verbs[] = {
    {"zsx", "compile or format .zsx templates", verb_zsx},
};

static int usage(FILE *stream) {
    fputs("usage: planctl VERB …\n"
          "       planctl --help | --version\n\n",
          stream);
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        fprintf(stream, "  %-10s %s\n", verbs[i].name, verbs[i].doc);
    fputs("\n`planctl VERB --help` says more.\n", stream);
    return stream == stdout ? 0 : 2;
}

int main(int argc, char **argv) {
    if (argc < 2) return usage(stderr);
    if (strcmp(argv[1], "--help") == 0) return usage(stdout);
    if (strcmp(argv[1], "--version") == 0) return printf("planctl %s\n", PLANCK_VERSION) < 0;
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(argv[1], verbs[i].name) == 0) return verbs[i].run(argc - 1, argv + 1);
    fprintf(stderr, "planctl: there is no verb %s\n", argv[1]);
    return usage(stderr);
}
