// SPDX-License-Identifier: Apache-2.0
// The verbs of planctl. Each gets its own name as the first argument and returns an exit code.
#pragma once

struct verb {
    const char *name;
    const char *doc;
    int (*run)(int count, char **arguments);
};

int verb_zsx(int count, char **arguments);
