// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target over the files of a corpus directory: a crash is a failed test.
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 1024 * 1024 };

static void run_file(const char *directory, const char *name) {
    static uint8_t input[INPUT_MAX];
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    size_t size = fread(input, 1, sizeof input, file);
    fclose(file);
    // A copy of exact size, so that reading past the end is seen.
    uint8_t *copy = malloc(size + 1);
    if (copy == NULL) abort();
    for (size_t i = 0; i < size; i++) copy[i] = input[i];
    uint8_t *exact = realloc(copy, size > 0 ? size : 1);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

int main(int argc, char **argv) {
    DIR *directory = argc == 2 ? opendir(argv[1]) : NULL;
    if (directory == NULL) {
        fprintf(stderr, "usage: %s DIRECTORY (of inputs)\n", argv[0]);
        return 1;
    }
    int count = 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] == '.') continue;
        run_file(argv[1], entry->d_name);
        count++;
    }
    closedir(directory);
    printf("%d inputs\n", count);
    return count > 0 ? 0 : 1;
}
