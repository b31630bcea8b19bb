// SPDX-License-Identifier: Apache-2.0
// The storage engine beside RocksDB (db_bench) and a bare LMDB get: documents of 200 bytes under
// ascending int64 keys, one thread, flush interval 1000 ms.
//
//   engine_bench [--documents N] [--tsv PATH] [--no-peers]
//
// Works in a new directory under $TMPDIR or /tmp and removes it.
#include <errno.h>
#include <ftw.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"
#include "engine_peers.h"
#include "figure.h"
#include "storage/storage.h"

enum {
    DOCUMENT_SIZE = 200,
    ID_OFFSET = 9, // of the value of `_id` in the document: size, type, "_id" and its NUL
    PASSES = 3,    // of which the median counts
};

struct bench {
    uint64_t documents;
    FILE *tsv;
    bool peers;
    char directory[512];
    struct storage *storage;
    struct reader *reader;
    uint32_t store_id;
    struct rocksdb_rates rocksdb;
    double lmdb_get;
};

static char cleanup_directory[512]; // for the exit handler

static int remove_entry(const char *path, const struct stat *state, int kind, struct FTW *place) {
    (void)state, (void)kind, (void)place;
    return remove(path);
}

static void remove_directory(void) {
    nftw(cleanup_directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void make_directory(struct bench *bench) {
    const char *parent = getenv("TMPDIR");
    if (parent == NULL || *parent == '\0') parent = "/tmp";
    int size =
        snprintf(bench->directory, sizeof bench->directory, "%s/engine_bench.XXXXXX", parent);
    if (size < 0 || (size_t)size >= sizeof bench->directory) figure_fail("TMPDIR is too long");
    if (mkdtemp(bench->directory) == NULL) figure_fail("%s: %s", parent, strerror(errno));
    memcpy(cleanup_directory, bench->directory, sizeof cleanup_directory);
    atexit(remove_directory);
}

static void require(enum status status, const struct error *error, const char *what) {
    if (status == STATUS_OK) return;
    figure_fail("%s: %s: %s", what, status_text(status), error == NULL ? "" : error->message);
}

// What this process has caused to be written to disk so far.
static double written_bytes(void) {
    FILE *file = fopen("/proc/self/io", "r");
    if (file == NULL) return 0;
    char line[128];
    uint64_t bytes = 0;
    while (fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "write_bytes: %" SCNu64, &bytes) == 1) break;
    fclose(file);
    return (double)bytes;
}

static void report(struct bench *bench, const char *name, double ours, double peer,
                   const char *peer_name, double goal) {
    struct figure figure = {.name = name,
                            .unit = "/s",
                            .ours = ours,
                            .peer = peer,
                            .peer_name = peer_name,
                            .goal = goal};
    figure_report(bench->tsv, &figure);
}

// ---- writing --------------------------------------------------------------------------------

static struct key key_of(uint64_t number) {
    struct doc_value value = doc_value_int((int64_t)number);
    struct key key;
    require(key_from_value(KEY_INT64, &value, &key, NULL), NULL, "key");
    return key;
}

// {_id: int64, payload: "..."} of DOCUMENT_SIZE bytes; the id is set at ID_OFFSET later.
static struct bytes make_document(struct buffer *buffer) {
    char payload[DOCUMENT_SIZE];
    struct random_seeded random;
    random_seeded_init(&random, 1);
    for (size_t i = 0; i < sizeof payload; i++)
        payload[i] = (char)('a' + random_below(&random.source, 26));
    // Around the text: 4 + 1, the two elements 1 + 4 + 8 and 1 + 8 + 4 + 1.
    struct bytes text = bytes_of(payload, DOCUMENT_SIZE - 32);
    struct doc_builder builder;
    doc_builder_begin(&builder, buffer);
    doc_add_value(&builder, bytes_of_string("_id"), &(struct doc_value){.type = DOC_INT64});
    doc_add_string(&builder, "payload", text);
    require(doc_builder_finish(&builder), NULL, "document");
    if (buffer->size != DOCUMENT_SIZE) figure_fail("the document has %zu bytes", buffer->size);
    return buffer_bytes(buffer);
}

static void insert(struct bench *bench, uint64_t first, uint64_t count) {
    struct buffer buffer = {0};
    struct bytes document = make_document(&buffer);
    struct error error = {0};
    for (uint64_t i = first; i < first + count; i++) {
        store_le64(buffer.data + ID_OFFSET, i);
        struct write write = {.kind = WRITE_INSERT,
                              .store_id = bench->store_id,
                              .key = key_of(i),
                              .document = document};
        struct write_result result;
        require(storage_write(bench->storage, bench->reader, &write, 1, &result, &error), &error,
                "insert");
        if (i % 1024 == 0) reader_idle(bench->reader, false);
    }
    reader_idle(bench->reader, true);
    buffer_done(&buffer);
}

static void report_insert(struct bench *bench, const char *debt, double rate, double written,
                          double goal) {
    char name[128], peer_name[128];
    snprintf(name, sizeof name, "engine insert, flush debt %s, %.0f MB written", debt,
             written / 1e6);
    snprintf(peer_name, sizeof peer_name, "RocksDB fillseq, %.0f MB written in all",
             bench->rocksdb.written_bytes / 1e6);
    report(bench, name, rate, bench->rocksdb.fill_sequential, peer_name, goal);
}

static void bench_insert(struct bench *bench) {
    double count = (double)bench->documents, written = written_bytes();
    uint64_t begin = figure_now_ns();
    insert(bench, 0, bench->documents);
    double elapsed = (double)(figure_now_ns() - begin);
    report_insert(bench, "not included", count * 1e9 / elapsed, written_bytes() - written, 2.0);
    require(storage_flush(bench->storage), NULL, "flush");
    elapsed = (double)(figure_now_ns() - begin);
    report_insert(bench, "included", count * 1e9 / elapsed, written_bytes() - written, 0);
}

// ---- reading --------------------------------------------------------------------------------

// Gets a second over documents [first, first + count), each in a view of its own.
static double get_rate(struct bench *bench, uint64_t first, uint64_t count) {
    struct random_seeded random;
    random_seeded_init(&random, 2);
    uint64_t begin = figure_now_ns();
    for (uint64_t i = 0; i < count; i++) {
        uint64_t number = first + random_below(&random.source, count);
        struct key key = key_of(number);
        struct view view;
        struct bytes document;
        require(view_begin(bench->reader, READ_ACK, &view), NULL, "view");
        require(storage_get(&view, bench->store_id, &key, &document, NULL), NULL, "get");
        if (document.size != DOCUMENT_SIZE || load_le64(document.data + ID_OFFSET) != number)
            figure_fail("get gave a wrong document");
        view_end(&view);
    }
    return (double)count * 1e9 / (double)(figure_now_ns() - begin);
}

static double scan_rate(struct bench *bench, uint64_t count) {
    uint64_t begin = figure_now_ns(), seen = 0, sum = 0;
    struct scan_options options = {.store_id = bench->store_id};
    struct scan_entry entry;
    struct view view;
    struct scan *scan;
    require(view_begin(bench->reader, READ_ACK, &view), NULL, "view");
    require(scan_open(&view, &options, &scan), NULL, "scan");
    enum status status;
    while ((status = scan_next(scan, &entry)) == STATUS_OK) {
        seen++;
        sum += load_le64(entry.document.data + ID_OFFSET);
    }
    if (status != STATUS_END) require(status, NULL, "scan");
    scan_close(scan);
    view_end(&view);
    if (seen != count || sum != count * (count - 1) / 2)
        figure_fail("the scan met %" PRIu64 " documents, not %" PRIu64, seen, count);
    return (double)count * 1e9 / (double)(figure_now_ns() - begin);
}

static double median(double rates[PASSES]) {
    for (int i = 1; i < PASSES; i++)
        for (int k = i; k > 0 && rates[k] < rates[k - 1]; k--) {
            double rate = rates[k];
            rates[k] = rates[k - 1];
            rates[k - 1] = rate;
        }
    return rates[PASSES / 2];
}

static void bench_get_indexed(struct bench *bench) {
    double rates[PASSES];
    get_rate(bench, 0, bench->documents); // brings everything into memory
    for (int i = 0; i < PASSES; i++) rates[i] = get_rate(bench, 0, bench->documents);
    double rate = median(rates);
    report(bench, "engine get, cached, after flush", rate, bench->rocksdb.read_random,
           "RocksDB readrandom", 4.0);
    report(bench, "engine get, cached, after flush, by LMDB", rate, bench->lmdb_get,
           "bare LMDB get", 0.5);
}

static void bench_scan(struct bench *bench) {
    double rates[PASSES];
    for (int i = 0; i < PASSES; i++) rates[i] = scan_rate(bench, bench->documents);
    report(bench, "engine full scan, after flush", median(rates), bench->rocksdb.read_sequential,
           "RocksDB readseq", 1.0);
}

// A tenth more documents stay in the memtable, in front of all that is in the index.
static void bench_get_memtable(struct bench *bench) {
    uint64_t count = bench->documents / 10 + 1;
    if (count > 100000) count = 100000;
    insert(bench, bench->documents, count);
    double rates[PASSES];
    for (int i = 0; i < PASSES; i++) rates[i] = get_rate(bench, bench->documents, count);
    double rate = median(rates);
    report(bench, "engine get, before flush, in the memtable", rate, bench->rocksdb.read_random,
           "RocksDB readrandom", 4.0);
    for (int i = 0; i < PASSES; i++) rates[i] = scan_rate(bench, bench->documents + count);
    report(bench, "engine full scan, a part before flush, in the memtable", median(rates),
           bench->rocksdb.read_sequential, "RocksDB readseq", 1.0);
}

// ---- the run --------------------------------------------------------------------------------

static void open_engine(struct bench *bench) {
    struct storage_options options = storage_options_default();
    options.flush_interval_ms = 1000;
    struct error error = {0};
    char path[600];
    snprintf(path, sizeof path, "%s/engine", bench->directory);
    require(storage_open(path, &options, &bench->storage, &error), &error, "open");
    require(reader_open(bench->storage, &bench->reader), NULL, "reader");
    require(storage_create_store(bench->storage, bytes_of_string("documents"), KEY_INT64,
                                 &bench->store_id, NULL, &error),
            &error, "store");
}

// What one has written must not be on its way to the disk while the next is measured.
static void settle(const struct bench *bench, const char *leftover) {
    char path[600];
    snprintf(path, sizeof path, "%s/%s", bench->directory, leftover);
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    sync();
}

static void measure_peers(struct bench *bench) {
    sync();
    struct figure disk = {.name = "fdatasync of an append of 4 KiB, median",
                          .unit = "us",
                          .ours = measure_fdatasync(bench->directory)};
    figure_report(bench->tsv, &disk);
    if (!bench->peers) return;
    if (!measure_rocksdb(bench->directory, bench->documents, DOCUMENT_SIZE, &bench->rocksdb))
        printf("db_bench is not installed (Debian: rocksdb-tools): nothing to compare with\n");
    settle(bench, "rocksdb");
    bench->lmdb_get = measure_lmdb_get(bench->directory, bench->documents);
    settle(bench, "lmdb");
}

static void parse_options(struct bench *bench, int argc, char **argv) {
    static const struct option options[] = {{"documents", required_argument, NULL, 'd'},
                                            {"tsv", required_argument, NULL, 't'},
                                            {"no-peers", no_argument, NULL, 'n'},
                                            {NULL, 0, NULL, 0}};
    const char *tsv = NULL;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'd')
            bench->documents = strtoull(optarg, NULL, 10);
        else if (option == 't')
            tsv = optarg;
        else if (option == 'n')
            bench->peers = false;
        else
            figure_fail("usage: engine_bench [--documents N] [--tsv PATH] [--no-peers]");
    }
    if (bench->documents == 0 || optind != argc)
        figure_fail("usage: engine_bench [--documents N] [--tsv PATH] [--no-peers]");
    bench->tsv = figure_open(tsv);
}

int main(int argc, char **argv) {
    struct bench bench = {.documents = 1000000, .peers = true};
    parse_options(&bench, argc, argv);
    make_directory(&bench);
    printf("%" PRIu64 " documents of %d bytes, one thread, flush interval 1000 ms\n",
           bench.documents, DOCUMENT_SIZE);
    measure_peers(&bench);
    open_engine(&bench);
    bench_insert(&bench);
    bench_get_indexed(&bench);
    bench_scan(&bench);
    bench_get_memtable(&bench);
    reader_close(bench.reader);
    storage_close(bench.storage);
    if (bench.tsv != NULL) fclose(bench.tsv);
    return 0;
}
