// SPDX-License-Identifier: Apache-2.0
// Fault loops: a fixed history of the storage engine (open, DDL, writes, reads, scans, flushes,
// close, reopen, kill, recovery) in the simulated machine, in which the first allocation fails,
// then the second, and so on until the history ends before its fault; the same for every operation
// on files and commit of the index, with an I/O error and with a full disk, once and for good. Each
// time: no crash, no block of memory left behind, only the statuses that fit, and what was
// acknowledged, and nothing else, is there at the end.
//
//   storage_torture KIND [FIRST [STEP]]     KIND: allocation, allocations, io, ios, space
//
// (The plural fails from there on until the engine is closed.) Each run is a process of its own.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "allocations.h"
#include "base/limits.h"
#include "base/log.h"
#include "sim.h"
#include "sim_state.h"
#include "storage/state.h"

enum kind { KIND_ALLOCATION, KIND_ALLOCATIONS, KIND_IO, KIND_IOS, KIND_SPACE, KIND_COUNT };
static const char *const kind_names[KIND_COUNT] = {"allocation", "allocations", "io", "ios",
                                                   "space"};

static struct {
    enum kind kind;
    uint64_t number; // of the operation that fails
    char path[128];
    struct storage *storage;
    struct reader *reader;
    struct state state; // acknowledged
    uint64_t writes;
    bool happened; // in an earlier life: from then on nothing may fail
} run;

// The engine at work: only here faults happen and allocations count.
#define ENGINE(expression)                                                                         \
    ({                                                                                             \
        allocations_count(true);                                                                   \
        __auto_type engine_result = (expression);                                                  \
        allocations_count(false);                                                                  \
        engine_result;                                                                             \
    })
#define ENGINE_DO(statement)                                                                       \
    do {                                                                                           \
        allocations_count(true);                                                                   \
        statement;                                                                                 \
        allocations_count(false);                                                                  \
    } while (0)

static bool fault_happened(void) {
    return run.kind <= KIND_ALLOCATIONS ? allocations_failed() : sim_fault_happened();
}

static enum status fault_status(void) {
    if (run.kind <= KIND_ALLOCATIONS) return STATUS_NO_MEMORY;
    return run.kind == KIND_SPACE ? STATUS_NO_SPACE : STATUS_IO;
}

// True for success. Anything else must come from the fault, and say so.
static bool succeeded(enum status status, const char *what) {
    if (status == STATUS_OK) return true;
    bool clean = status == fault_status() || status == STATUS_READ_ONLY;
    if (!fault_happened() || !clean)
        sim_fail(__FILE__, __LINE__, "%s %llu: %s: %s", kind_names[run.kind],
                 (unsigned long long)run.number, what, status_text(status));
    return false;
}

static void plan_fault(uint64_t number) {
    bool repeats = run.kind == KIND_ALLOCATIONS || run.kind == KIND_IOS;
    if (run.kind <= KIND_ALLOCATIONS)
        allocations_plan(number, repeats);
    else
        sim_fault_plan(number, fault_status(), repeats);
}

static void end_fault(void) {
    if (!fault_happened()) return;
    run.happened = true;
    plan_fault(0);
    sim_disk_fill(false);
}

// ---- the history's steps --------------------------------------------------------------------

static bool open_engine(void) {
    struct storage_options options = storage_options_default();
    options.fs = sim_fs();
    options.clock = sim_clock();
    options.random = sim_random();
    options.flush_interval_ms = 0;
    options.wal_segment_bytes = (int64_t)(64 * KIB);
    options.vlog_segment_bytes = (int64_t)MIB;
    options.memtable_bytes = (int64_t)(64 * KIB);
    options.index_map_bytes = (int64_t)(256 * MIB);
    struct error error = {0};
    if (!succeeded(ENGINE(storage_open(run.path, &options, &run.storage, &error)), "open"))
        return false;
    atomic_store(&run.storage->transaction_entries_max, 20);
    if (succeeded(ENGINE(reader_open(run.storage, &run.reader)), "reader")) return true;
    ENGINE_DO(storage_abandon(run.storage));
    return false;
}

static void close_engine(bool abandon) {
    ENGINE_DO(reader_close(run.reader));
    if (abandon)
        ENGINE_DO(storage_abandon(run.storage));
    else
        ENGINE_DO(storage_close(run.storage));
}

static void make_store(size_t number) {
    if (run.state.stores[number].id != 0) return;
    uint32_t id = 0;
    struct bytes name = bytes_of_string(state_store_names[number]);
    enum status status =
        ENGINE(storage_create_store(run.storage, name, KEY_INT64, &id, NULL, NULL));
    if (succeeded(status, "create store")) run.state.stores[number].id = id;
}

static void drop_store(size_t number) {
    if (run.state.stores[number].id == 0) return;
    struct bytes name = bytes_of_string(state_store_names[number]);
    if (succeeded(ENGINE(storage_drop_store(run.storage, name, NULL, NULL)), "drop store"))
        memset(&run.state.stores[number], 0, sizeof run.state.stores[number]);
}

static void make_index(size_t number, size_t which) {
    if (run.state.stores[number].id == 0 || run.state.stores[number].indexes[which] != 0) return;
    uint32_t id = 0;
    struct bytes store = bytes_of_string(state_store_names[number]);
    struct bytes name = bytes_of_string(state_index_names[which]);
    struct bytes field = bytes_of_string(state_index_fields[which]);
    enum status status =
        ENGINE(storage_create_index(run.storage, store, name, field, &id, NULL, NULL));
    if (succeeded(status, "create index")) run.state.stores[number].indexes[which] = id;
}

// Documents `first` to `first` + `count` - 1 in one transaction; with `erase` the last one goes.
static void write_documents(size_t number, size_t first, size_t count, bool erase) {
    static struct buffer documents[8];
    struct write writes[8];
    struct state_store *store = &run.state.stores[number];
    if (store->id == 0) return;
    uint64_t numbers[8] = {0};
    for (size_t i = 0; i < count; i++) {
        bool last = erase && i == count - 1 && store->slots[first + i].write != 0;
        writes[i] = (struct write){.kind = last ? WRITE_DELETE : WRITE_PUT,
                                   .store_id = store->id,
                                   .key = state_key(first + i)};
        if (last) continue;
        numbers[i] = ++run.writes;
        struct bytes document = state_document(first + i, numbers[i]);
        buffer_clear(&documents[i]);
        SIM_CHECK(buffer_append(&documents[i], document.data, document.size) == STATUS_OK);
        writes[i].document = buffer_bytes(&documents[i]);
    }
    struct write_result result;
    enum status status =
        ENGINE(storage_write(run.storage, run.reader, writes, count, &result, NULL));
    if (!succeeded(status, "write")) return;
    for (size_t i = 0; i < count; i++)
        store->slots[first + i] =
            (struct state_slot){numbers[i] == 0 ? 0 : result.first_sequence + i, numbers[i]};
}

// Reads must work whatever else failed, but for memory and what lies in files that cannot be
// opened.
static void read_some(void) {
    struct view view;
    if (!succeeded(ENGINE(view_begin(run.reader, READ_LATEST, &view)), "view")) return;
    for (size_t i = 0; i < STATE_STORES; i++) {
        const struct state_store *store = &run.state.stores[i];
        if (store->id == 0) continue;
        struct key key = state_key(3);
        struct bytes document;
        enum status status = ENGINE(storage_get(&view, store->id, &key, &document, NULL));
        if (store->slots[3].write == 0 && status == STATUS_NOT_FOUND) continue;
        if (succeeded(status, "get"))
            SIM_CHECK(bytes_equal(document, state_document(3, store->slots[3].write)));
    }
    ENGINE_DO(view_end(&view));
}

static void scan_some(uint32_t index_id) {
    struct view view;
    if (!succeeded(ENGINE(view_begin(run.reader, READ_LATEST, &view)), "view")) return;
    struct scan *scan;
    struct scan_options options = {.store_id = run.state.stores[0].id, .index_id = index_id};
    enum status status = ENGINE(scan_open(&view, &options, &scan));
    if (status == STATUS_NO_STORE || status == STATUS_NO_INDEX) status = STATUS_END;
    if (status != STATUS_END && succeeded(status, "scan")) {
        struct scan_entry entry;
        do status = ENGINE(scan_next(scan, &entry));
        while (status == STATUS_OK);
        if (status != STATUS_END) (void)succeeded(status, "scan");
        ENGINE_DO(scan_close(scan));
    }
    ENGINE_DO(view_end(&view));
}

static void sync_all(void) {
    (void)succeeded(ENGINE(storage_sync(run.storage, storage_visible(run.storage))), "sync");
}

static void flush_all(void) {
    if (succeeded(ENGINE(storage_flush(run.storage)), "flush"))
        (void)succeeded(ENGINE(storage_wait_indexes(run.storage)), "indexes");
}

// ---- the history ----------------------------------------------------------------------------

// A disk that was full must not need another opening.
static void space_returns(void) {
    if (run.kind != KIND_SPACE) return;
    end_fault();
    sim_sleep_ns(5000000000ULL);
    flush_all();
    write_documents(0, 0, 3, false);
    flush_all();
}

static void first_life(void) {
    if (!open_engine()) return;
    make_store(0);
    make_store(1);
    make_index(0, 0);
    for (size_t i = 0; i < 12; i++) write_documents(i % 2, i * 3, 3, i > 6);
    read_some();
    sync_all();
    flush_all();
    scan_some(run.state.stores[0].indexes[0]);
    for (size_t i = 0; i < 10; i++) write_documents(0, i * 4, 4, i % 3 == 0);
    make_index(0, 1);
    drop_store(1);
    scan_some(0);
    flush_all();
    write_documents(0, 0, 8, true);
    read_some();
    space_returns();
    close_engine(false);
}

static void second_life(void) {
    if (!open_engine()) return;
    make_store(1);
    for (size_t i = 0; i < 6; i++) write_documents(1, i * 5, 5, false);
    scan_some(run.state.stores[0].indexes[1]);
    sync_all();
    close_engine(true);
}

static void third_life(void) {
    if (!open_engine()) return;
    read_some();
    write_documents(0, 10, 4, true);
    close_engine(false);
}

static void check_end(void) {
    SIM_CHECK(open_engine());
    struct view view;
    SIM_CHECK(view_begin(run.reader, READ_LATEST, &view) == STATUS_OK);
    static struct state found;
    state_read(&view, &found);
    view_end(&view);
    if (!state_equal(&run.state, &found)) {
        state_explain(&run.state, &found);
        sim_fail(__FILE__, __LINE__, "%s %llu: what was acknowledged is not what is there",
                 kind_names[run.kind], (unsigned long long)run.number);
    }
    write_documents(0, 0, 3, false);
    close_engine(false);
    if (allocations_live() != 0)
        sim_fail(__FILE__, __LINE__, "%s %llu: %lld blocks of memory were left behind",
                 kind_names[run.kind], (unsigned long long)run.number,
                 (long long)allocations_live());
}

static void remove_files(void) {
    static const char *const names[] = {"/index/data.mdb", "/index/lock.mdb", "/index", ""};
    for (size_t i = 0; i < 4; i++) {
        char path[256];
        snprintf(path, sizeof path, "%s%s", run.path, names[i]);
        if (i < 2)
            unlink(path);
        else
            rmdir(path);
    }
    *strrchr(run.path, '/') = 0;
    rmdir(run.path);
}

static void make_path(void) {
    const char *parent = getenv("TMPDIR");
    if (parent == NULL || parent[0] != '/' || strlen(parent) > 80)
        parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(run.path, sizeof run.path, "%s/planck-torture-XXXXXX", parent);
    SIM_CHECK(mkdtemp(run.path) != NULL);
    size_t size = strlen(run.path);
    snprintf(run.path + size, sizeof run.path - size, "/data");
    SIM_CHECK(mkdir(run.path, 0700) == 0);
}

// Exit status 0: went well with the fault; 3: the history ended before it.
static int run_once(void) {
    sim_init(1);
    make_path();
    sim_fs_init(run.path);
    state_document(0, 1);
    plan_fault(run.number);
    first_life();
    end_fault();
    second_life();
    end_fault();
    third_life();
    end_fault();
    plan_fault(0);
    check_end();
    remove_files();
    return run.happened ? 0 : 3;
}

// ---- the program ----------------------------------------------------------------------------

static int run_in_process(uint64_t number) {
    fflush(NULL);
    pid_t child = fork();
    if (child < 0) return 2;
    if (child == 0) {
        run.number = number;
        int result = run_once();
        _exit(result);
    }
    int result = 0;
    while (waitpid(child, &result, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(result)) return WEXITSTATUS(result);
    fprintf(stderr, "FAILED %s %llu: signal %d\n", kind_names[run.kind], (unsigned long long)number,
            WTERMSIG(result));
    return 1;
}

int main(int argc, char **argv) {
    for (run.kind = 0; argc > 1 && run.kind < KIND_COUNT; run.kind++)
        if (strcmp(argv[1], kind_names[run.kind]) == 0) break;
    if (argc < 2 || argc > 4 || run.kind == KIND_COUNT) {
        fprintf(stderr, "usage: storage_torture KIND [FIRST [STEP]]\n");
        return 2;
    }
    uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    uint64_t step = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    if (step == 0) step = UINT64_MAX; // one only
    log_set_descriptor(open("/dev/null", O_WRONLY | O_CLOEXEC));
    uint64_t runs = 0, failures = 0;
    for (uint64_t number = first;; number += step) {
        int result = run_in_process(number);
        if (result == 3) break;
        runs++;
        failures += result != 0;
        if (step == UINT64_MAX || failures >= 20) break;
    }
    printf("%s: %llu faults, %llu failed\n", kind_names[run.kind], (unsigned long long)runs,
           (unsigned long long)failures);
    return failures == 0 ? 0 : 1;
}
