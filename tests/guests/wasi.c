// SPDX-License-Identifier: Apache-2.0
// Uses WASI as a C library would: looks for preopened directories, writes to standard output, tries
// to open a file, ends with proc_exit when asked by a query.
#include "guest.h"

#define WASI(name) __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name)))
WASI(fd_write) int fd_write(int fd, const void *vectors, uint32_t count, uint32_t *written);
WASI(fd_prestat_get) int fd_prestat_get(int fd, void *target);
WASI(path_open)
int path_open(int fd, int flags, const char *path, uint32_t length, int oflags, int64_t rights,
              int64_t inheriting, int fdflags, int *target);
WASI(clock_time_get) int clock_time_get(int clock, int64_t precision, int64_t *target);
WASI(random_get) int random_get(void *target, uint32_t length);
WASI(environ_sizes_get) int environ_sizes_get(uint32_t *count, uint32_t *size);
WASI(proc_exit) _Noreturn void proc_exit(int code);

static int initialized;

EXPORT(_initialize) void initialize(void) {
    uint8_t prestat[8];
    initialized = fd_prestat_get(3, prestat) == 8; // the list of preopened directories ends
}

static int check(void) {
    uint32_t written = 0, count = 9, size = 9, vectors[4];
    int64_t time = 0;
    uint8_t random[16] = {0};
    int descriptor;
    static const char text[] = "hello from wasi\n";
    vectors[0] = (uint32_t)text, vectors[1] = 6, vectors[2] = (uint32_t)text + 6, vectors[3] = 10;
    if (!initialized) return 500;
    if (fd_write(1, vectors, 2, &written) != 0 || written != 16) return 501;
    if (fd_write(7, vectors, 2, &written) != 8) return 502;
    if (path_open(3, 0, "a", 1, 0, 0, 0, 0, &descriptor) != 76) return 503;
    if (clock_time_get(0, 0, &time) != 0 || time < 1700000000000000000) return 504;
    if (clock_time_get(0, 0, (int64_t *)0xfffffffcu) != 21) return 505;
    if (random_get(random, 16) != 0) return 506;
    if (environ_sizes_get(&count, &size) != 0 || count != 0 || size != 0) return 507;
    return 200;
}

EXPORT(process) int process(const uint8_t *request, uint32_t length) {
    respond_text((uint16_t)check(), "wasi");
    if (load32(request, 24) > 0) proc_exit(request[load32(request, 20)] - '0'); // the query's digit
    return 0;
}
