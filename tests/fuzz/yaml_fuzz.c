// SPDX-License-Identifier: Apache-2.0
// The configuration reader on arbitrary bytes: it takes them or says where they are wrong.
#include <stddef.h>

#include "base/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct options {
    int64_t port, memory, level;
    bool verbose;
    char *name;
};

static const struct config_row rows[] = {
    {"http.port", CONFIG_INT, offsetof(struct options, port), "3010", 0, 65535, "", NULL, "Port."},
    {"http.verbose", CONFIG_BOOL, offsetof(struct options, verbose), "false", 0, 1, "", NULL,
     "Verbose."},
    {"buffers.memory", CONFIG_SIZE, offsetof(struct options, memory), "64MiB", 1024, 1LL << 40,
     "bytes", NULL, "Memory."},
    {"log.level", CONFIG_ENUM, offsetof(struct options, level), "info", 0, 0, "",
     "debug|info|warn|error", "Level."},
    {"name", CONFIG_STRING, offsetof(struct options, name), "planck", 0, 100, "", NULL, "Name."},
};
static const struct config_table table = {"fuzz.yaml", rows, sizeof rows / sizeof rows[0]};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct options options = {0};
    struct error error = {0};
    config_defaults(&table, &options);
    enum status status = config_parse(&table, bytes_of(data, size), "fuzz.yaml", &options, &error);
    ASSERT(status == STATUS_OK || error.message[0] != '\0');
    ASSERT(options.port >= 0 && options.port <= 65535);
    ASSERT(options.memory >= 1024 && options.level >= 0 && options.level <= 3);
    ASSERT(options.name != NULL && strlen(options.name) <= 100);
    config_done(&table, &options);
    return 0;
}
