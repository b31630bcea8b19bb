// SPDX-License-Identifier: Apache-2.0
#include "engine_peers.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/random.h"
#include "figure.h"

// ---- RocksDB --------------------------------------------------------------------------------

// A line of db_bench: "fillseq      :       5.221 micros/op 191534 ops/sec ...".
static void parse_rate(const char *line, const char *name, double *ret) {
    size_t size = strlen(name);
    if (strncmp(line, name, size) != 0 || line[size] != ' ') return;
    double micros, rate;
    if (sscanf(line + size, " : %lf micros/op %lf ops/sec", &micros, &rate) == 2) *ret = rate;
}

static double children_written_bytes(void) {
    struct rusage usage;
    return getrusage(RUSAGE_CHILDREN, &usage) == 0 ? (double)usage.ru_oublock * 512 : 0;
}

bool measure_rocksdb(const char *directory, uint64_t count, uint32_t value_size,
                     struct rocksdb_rates *ret) {
    if (system("command -v db_bench >/dev/null 2>&1") != 0) return false;
    char command[1024], line[512];
    int size = snprintf(command, sizeof command,
                        "exec db_bench --benchmarks=fillseq,readrandom,readseq --db='%s/rocksdb' "
                        "--num=%llu --key_size=16 --value_size=%u --compression_type=none "
                        "--threads=1 --disable_wal=0 --sync=0 2>&1",
                        directory, (unsigned long long)count, value_size);
    if (size < 0 || (size_t)size >= sizeof command) figure_fail("%s: too long", directory);
    *ret = (struct rocksdb_rates){0};
    double before = children_written_bytes();
    FILE *pipe = popen(command, "r");
    if (pipe == NULL) figure_fail("db_bench: %s", strerror(errno));
    while (fgets(line, sizeof line, pipe) != NULL) {
        parse_rate(line, "fillseq", &ret->fill_sequential);
        parse_rate(line, "readrandom", &ret->read_random);
        parse_rate(line, "readseq", &ret->read_sequential);
    }
    if (pclose(pipe) != 0 || ret->fill_sequential <= 0 || ret->read_random <= 0 ||
        ret->read_sequential <= 0)
        figure_fail("db_bench failed: %s", command);
    ret->written_bytes = children_written_bytes() - before;
    return true;
}

// ---- LMDB -----------------------------------------------------------------------------------

enum { LMDB_KEY_SIZE = 20, LMDB_VALUE_SIZE = 24 };

static void lmdb_check(int code, const char *what) {
    if (code != MDB_SUCCESS) figure_fail("LMDB: %s: %s", what, mdb_strerror(code));
}

static void lmdb_key(uint64_t number, uint8_t key[LMDB_KEY_SIZE]) {
    memset(key, 0, LMDB_KEY_SIZE);
    store_be32(key, 1);
    store_be64(key + 4, number);
}

static MDB_dbi lmdb_fill(MDB_env *environment, uint64_t count) {
    MDB_txn *transaction;
    MDB_dbi tree;
    lmdb_check(mdb_txn_begin(environment, NULL, 0, &transaction), "begin");
    lmdb_check(mdb_dbi_open(transaction, NULL, 0, &tree), "open tree");
    uint8_t key[LMDB_KEY_SIZE], value[LMDB_VALUE_SIZE] = {0};
    for (uint64_t i = 0; i < count; i++) {
        lmdb_key(i, key);
        store_le64(value, i);
        MDB_val k = {sizeof key, key}, v = {sizeof value, value};
        lmdb_check(mdb_put(transaction, tree, &k, &v, MDB_APPEND), "put");
    }
    lmdb_check(mdb_txn_commit(transaction), "commit");
    return tree;
}

static uint64_t lmdb_get_all(MDB_txn *transaction, MDB_dbi tree, uint64_t count) {
    struct random_seeded random;
    random_seeded_init(&random, 1);
    uint8_t key[LMDB_KEY_SIZE];
    uint64_t begin = figure_now_ns();
    for (uint64_t i = 0; i < count; i++) {
        uint64_t number = random_below(&random.source, count);
        lmdb_key(number, key);
        MDB_val k = {sizeof key, key}, v;
        lmdb_check(mdb_get(transaction, tree, &k, &v), "get");
        if (load_le64(v.mv_data) != number) figure_fail("LMDB gave a wrong value");
    }
    return figure_now_ns() - begin;
}

double measure_lmdb_get(const char *directory, uint64_t count) {
    char path[512];
    snprintf(path, sizeof path, "%s/lmdb", directory);
    if (mkdir(path, 0700) != 0) figure_fail("%s: %s", path, strerror(errno));
    MDB_env *environment;
    lmdb_check(mdb_env_create(&environment), "create");
    lmdb_check(mdb_env_set_mapsize(environment, 1024 * 1024 * 1024 + count * 256), "map size");
    lmdb_check(mdb_env_open(environment, path, MDB_NORDAHEAD | MDB_NOSYNC, 0600), "open");
    MDB_dbi tree = lmdb_fill(environment, count);
    MDB_txn *transaction;
    lmdb_check(mdb_txn_begin(environment, NULL, MDB_RDONLY, &transaction), "begin to read");
    // The first pass warms up.
    uint64_t elapsed = lmdb_get_all(transaction, tree, count);
    elapsed = lmdb_get_all(transaction, tree, count);
    mdb_txn_abort(transaction);
    mdb_env_close(environment);
    return (double)count * 1e9 / (double)elapsed;
}

// ---- the disk -------------------------------------------------------------------------------

static int compare_times(const void *a, const void *b) {
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

double measure_fdatasync(const char *directory) {
    enum { ROUNDS = 50 };
    static uint8_t block[4096];
    uint64_t times[ROUNDS];
    char path[512];
    snprintf(path, sizeof path, "%s/fdatasync", directory);
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0) figure_fail("%s: %s", path, strerror(errno));
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t begin = figure_now_ns();
        if (write(file, block, sizeof block) != sizeof block || fdatasync(file) != 0)
            figure_fail("%s: %s", path, strerror(errno));
        times[i] = figure_now_ns() - begin;
    }
    close(file);
    qsort(times, ROUNDS, sizeof times[0], compare_times);
    return (double)times[ROUNDS / 2] / 1000;
}
