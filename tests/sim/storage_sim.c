// SPDX-License-Identifier: Apache-2.0
// The storage engine in the simulated machine of sim.h. Each seed is a history of lives: the engine
// is opened, works at random, and ends by a power loss at a random operation on files (in opening,
// recovering, flushing, building an index, closing), by the end of the process alone, or cleanly.
// After each opening everything is read: it must be the state after some commit, not before the
// last one that was known to be durable (after a mere end of the process: the newest), indexes must
// agree with documents, and no sequence may be given twice.
//
//   storage_sim [--seed N] [--seeds COUNT] [--verbose]
//
// Runs COUNT seeds from N on (1; at random when N is not given), each in a process of its own, and
// prints those that fail. A seed replays exactly; sim.h says what that covers.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "sim.h"
#include "sim_state.h"
#include "storage/state.h"

#define STATES_MAX 4000
#define HELD_MAX 3
#define TRANSACTION_MAX 6
#define SEEDS_DEFAULT 1

struct held {
    bool open;
    struct reader *reader;
    struct view view;
    struct state state;
};

static struct {
    char path[128];
    struct storage *storage;
    struct reader *reader;
    struct state states[STATES_MAX]; // after each commit that may still count, oldest first
    size_t state_count;
    uint64_t promised; // commits up to this sequence must be there
    bool power_lost;   // since the last good opening
    bool clean;        // the last stop was
    uint64_t highest;  // sequence that was ever given
    uint64_t epoch;
    uint64_t writes;    // numbers given to documents
    bool disk_was_full; // in this life
    struct held held[HELD_MAX];
} life;

static struct state *newest(void) {
    return &life.states[life.state_count - 1];
}

static bool is_failing(void) {
    return sim_power_is_off() || sim_sync_has_failed();
}

// What a status other than the expected one may be: only a failing machine excuses it.
static bool excused(enum status status) {
    if (life.disk_was_full && status == STATUS_NO_SPACE) return true;
    return is_failing() && (status == STATUS_IO || status == STATUS_READ_ONLY);
}

static void note_promise(void) {
    uint64_t durable = storage_durable(life.storage), visible = storage_visible(life.storage);
    SIM_CHECK(storage_checkpoint(life.storage) <= durable && durable <= visible);
    if (durable > life.promised) life.promised = durable;
    if (visible > life.highest) life.highest = visible;
}

// ---- opening --------------------------------------------------------------------------------

static struct storage_options random_options(void) {
    struct storage_options options = storage_options_default();
    static const int64_t intervals[] = {0, 0, 3, 1000};
    options.fs = sim_fs();
    options.clock = sim_clock();
    options.random = sim_random();
    options.flush_interval_ms = intervals[sim_below(4)];
    options.wal_segment_bytes = (int64_t)(64 * KIB);
    options.vlog_segment_bytes = (int64_t)MIB;
    options.memtable_bytes = (int64_t)(64 * KIB);
    options.generations_max = 1 + (int64_t)sim_below(4);
    options.index_map_bytes = (int64_t)(256 * MIB);
    return options;
}

// The state after opening must be one of those after a commit that was not promised away.
static void check_survivors(void) {
    struct view view;
    SIM_CHECK(view_begin(life.reader, READ_LATEST, &view) == STATUS_OK);
    static struct state found;
    state_read(&view, &found);
    view_end(&view);
    size_t first = 0;
    if (!life.power_lost) first = life.state_count - 1;
    while (first + 1 < life.state_count && life.states[first + 1].sequence <= life.promised)
        first++;
    for (size_t i = first; i < life.state_count; i++) {
        if (!state_equal(&life.states[i], &found)) continue;
        life.states[0] = life.states[i];
        life.state_count = 1;
        return;
    }
    state_explain(&life.states[first], &found);
    sim_fail(__FILE__, __LINE__, "not the state after any of %zu commits (promised %llu)",
             life.state_count - first, (unsigned long long)life.promised);
}

static void check_numbers(void) {
    uint64_t visible = storage_visible(life.storage), epoch = storage_epoch(life.storage);
    if (visible < life.highest)
        sim_fail(__FILE__, __LINE__, "the next sequence is %llu, but %llu was given",
                 (unsigned long long)visible + 1, (unsigned long long)life.highest);
    if (epoch < life.epoch || (epoch == life.epoch && !life.clean))
        sim_fail(__FILE__, __LINE__, "epoch %llu after %llu", (unsigned long long)epoch,
                 (unsigned long long)life.epoch);
    life.epoch = epoch;
}

static bool open_engine(void) {
    struct storage_options options = random_options();
    struct error error = {0};
    enum status status = storage_open(life.path, &options, &life.storage, &error);
    if (status != STATUS_OK) {
        if (!excused(status))
            sim_fail(__FILE__, __LINE__, "open: %s: %s", status_text(status), error.message);
        return false;
    }
    atomic_store(&life.storage->transaction_entries_max, 3 + sim_below(60));
    SIM_CHECK(reader_open(life.storage, &life.reader) == STATUS_OK);
    check_numbers();
    check_survivors();
    life.clean = false;
    // A loss that happened in between is one of this life.
    life.power_lost = sim_power_is_off();
    if (!life.power_lost) note_promise();
    return true;
}

// ---- writing --------------------------------------------------------------------------------

static struct state *next_state(uint64_t sequence) {
    SIM_CHECK(life.state_count < STATES_MAX);
    struct state *state = &life.states[life.state_count];
    *state = *newest();
    SIM_CHECK(sequence > state->sequence);
    state->sequence = sequence;
    life.state_count++;
    return state;
}

struct plan {
    size_t store, number;
    uint64_t write; // 0: a deletion
};

static void plan_write(struct plan *plan, struct write *ret) {
    plan->store = (size_t)sim_below(STATE_STORES);
    plan->number = (size_t)sim_below(STATE_KEYS);
    plan->write = 0;
    const struct state_store *store = &newest()->stores[plan->store];
    bool exists = store->slots[plan->number].write != 0;
    *ret = (struct write){.store_id = store->id, .key = state_key(plan->number)};
    static const enum write_kind of_present[] = {WRITE_PUT, WRITE_REPLACE, WRITE_DELETE};
    static const enum write_kind of_absent[] = {WRITE_PUT, WRITE_INSERT};
    ret->kind = exists ? of_present[sim_below(3)] : of_absent[sim_below(2)];
    if (exists && sim_chance(10)) ret->expected_sequence = store->slots[plan->number].sequence;
    if (sim_chance(2)) ret->kind = WRITE_INSERT;
    if (ret->kind != WRITE_DELETE) plan->write = ++life.writes;
}

static enum status expected_status(const struct plan *plan, const struct write *write) {
    bool exists = newest()->stores[plan->store].slots[plan->number].write != 0;
    return write->kind == WRITE_INSERT && exists ? STATUS_DUPLICATE_KEY : STATUS_OK;
}

static bool repeats(const struct plan *plans, size_t count) {
    if (newest()->stores[plans[count].store].id == 0) return true;
    for (size_t i = 0; i < count; i++)
        if (plans[i].store == plans[count].store && plans[i].number == plans[count].number)
            return true;
    return false;
}

static void apply_plans(const struct plan *plans, size_t count, const struct write_result *result) {
    SIM_CHECK(result->last_sequence == result->first_sequence + count - 1);
    struct state *state = next_state(result->last_sequence);
    for (size_t i = 0; i < count; i++) {
        struct state_slot *slot = &state->stores[plans[i].store].slots[plans[i].number];
        *slot = (struct state_slot){0};
        if (plans[i].write != 0)
            *slot = (struct state_slot){result->first_sequence + i, plans[i].write};
    }
}

// A plan that fits, or false.
static bool plan_one(struct plan *plans, struct write *writes, size_t position) {
    for (int tries = 0; tries < 20; tries++) {
        plan_write(&plans[position], &writes[position]);
        if (!repeats(plans, position)) return true;
    }
    return false;
}

static void do_write(void) {
    static struct buffer documents[TRANSACTION_MAX];
    struct plan plans[TRANSACTION_MAX];
    struct write writes[TRANSACTION_MAX];
    size_t count = 0, wanted = sim_chance(60) ? 1 : 1 + (size_t)sim_below(TRANSACTION_MAX);
    enum status expected = STATUS_OK;
    for (; count < wanted && plan_one(plans, writes, count); count++) {
        if (plans[count].write != 0) {
            struct bytes document = state_document(plans[count].number, plans[count].write);
            buffer_clear(&documents[count]);
            SIM_CHECK(buffer_append(&documents[count], document.data, document.size) == STATUS_OK);
            writes[count].document = buffer_bytes(&documents[count]);
        }
        if (expected == STATUS_OK) expected = expected_status(&plans[count], &writes[count]);
    }
    if (count == 0) return;
    struct write_result result;
    struct error error = {0};
    enum status status = storage_write(life.storage, life.reader, writes, count, &result, &error);
    if (status == STATUS_OK && expected == STATUS_OK)
        apply_plans(plans, count, &result);
    else if (status != expected && !excused(status))
        sim_fail(__FILE__, __LINE__, "write: %s: %s", status_text(status), error.message);
}

// ---- catalogue ------------------------------------------------------------------------------

static void check_ddl(enum status status) {
    if (!excused(status)) sim_fail(__FILE__, __LINE__, "DDL: %s", status_text(status));
}

static void do_store(void) {
    size_t number = (size_t)sim_below(STATE_STORES);
    struct bytes name = bytes_of_string(state_store_names[number]);
    uint64_t sequence = 0;
    if (newest()->stores[number].id == 0) {
        uint32_t id = 0;
        enum status status =
            storage_create_store(life.storage, name, KEY_INT64, &id, &sequence, NULL);
        if (status == STATUS_OK)
            next_state(sequence)->stores[number].id = id;
        else
            check_ddl(status);
    } else if (sim_chance(15)) {
        enum status status = storage_drop_store(life.storage, name, &sequence, NULL);
        if (status == STATUS_OK)
            memset(&next_state(sequence)->stores[number], 0, sizeof(struct state_store));
        else
            check_ddl(status);
    }
}

static void do_index(void) {
    size_t number = (size_t)sim_below(STATE_STORES), which = (size_t)sim_below(STATE_INDEXES);
    struct state_store *store = &newest()->stores[number];
    if (store->id == 0) return;
    struct bytes of = bytes_of_string(state_store_names[number]);
    struct bytes name = bytes_of_string(state_index_names[which]);
    uint64_t sequence = 0;
    enum status status;
    uint32_t id = 0;
    if (store->indexes[which] == 0)
        status =
            storage_create_index(life.storage, of, name, bytes_of_string(state_index_fields[which]),
                                 &id, &sequence, NULL);
    else if (sim_chance(40))
        status = storage_drop_index(life.storage, of, name, &sequence, NULL);
    else
        return;
    if (status == STATUS_OK)
        next_state(sequence)->stores[number].indexes[which] = id;
    else
        check_ddl(status);
}

// ---- the rest of the work -------------------------------------------------------------------

static void release(struct held *held) {
    if (!held->open) return;
    view_end(&held->view);
    reader_close(held->reader);
    held->open = false;
}

static void do_hold(void) {
    struct held *held = &life.held[sim_below(HELD_MAX)];
    release(held);
    SIM_CHECK(reader_open(life.storage, &held->reader) == STATUS_OK);
    SIM_CHECK(view_begin(held->reader, READ_LATEST, &held->view) == STATUS_OK);
    held->state = *newest();
    held->open = true;
}

static void do_read(void) {
    const struct held *held = &life.held[sim_below(HELD_MAX)];
    if (held->open) {
        state_check_view(&held->view, &held->state);
        return;
    }
    struct view view;
    SIM_CHECK(view_begin(life.reader, READ_LATEST, &view) == STATUS_OK);
    static struct state found;
    state_read(&view, &found);
    view_end(&view);
    if (state_equal(newest(), &found)) return;
    state_explain(newest(), &found);
    sim_fail(__FILE__, __LINE__, "a read differs from what was written");
}

static void do_sync(void) {
    enum status status = storage_sync(life.storage, storage_visible(life.storage));
    SIM_CHECK(status == STATUS_OK || is_failing());
}

static void do_flush(void) {
    enum status status = storage_flush(life.storage);
    SIM_CHECK(status == STATUS_OK || is_failing() || excused(status));
    if (!sim_chance(30)) return;
    status = storage_wait_indexes(life.storage);
    SIM_CHECK(status == STATUS_OK || is_failing() || excused(status));
}

static void do_fill_disk(void) {
    bool full = !sim_disk_is_full() && sim_chance(20);
    sim_disk_fill(full);
    life.disk_was_full = life.disk_was_full || full;
}

static void work_once(void) {
    uint64_t choice = sim_below(100);
    if (choice < 67)
        do_write();
    else if (choice < 68)
        do_fill_disk();
    else if (choice < 74)
        do_store();
    else if (choice < 80)
        do_index();
    else if (choice < 85)
        do_read();
    else if (choice < 88)
        do_hold();
    else if (choice < 93)
        do_sync();
    else if (choice < 96)
        do_flush();
    else if (choice < 98)
        reader_idle(life.reader, sim_chance(50));
    else
        sim_sleep_ns(sim_below(2000) * 1000000);
    // Before the machine fails: afterwards nothing is promised that was not before.
    note_promise();
}

// ---- lives ----------------------------------------------------------------------------------

static void close_engine(bool abandon) {
    for (size_t i = 0; i < HELD_MAX; i++) release(&life.held[i]);
    reader_close(life.reader);
    note_promise();
    if (abandon)
        storage_abandon(life.storage);
    else
        storage_close(life.storage);
    life.clean = !abandon; // it may be clean on the disk though a failure was reported
    if (life.clean && !is_failing()) life.promised = newest()->sequence;
}

static void restore_power(void) {
    life.power_lost = true;
    sim_power_lose();
    sim_power_restore();
}

static void plan_faults(void) {
    uint64_t choice = sim_below(100);
    if (choice < 15)
        sim_power_plan(1 + sim_below(40)); // while opening, mostly
    else if (choice < 70)
        sim_power_plan(1 + sim_below(800));
    else if (choice < 75)
        sim_sync_plan(1 + sim_below(30));
}

static void live(void) {
    plan_faults();
    if (open_engine()) {
        size_t operations = (size_t)(sim_chance(50) ? sim_below(30) : sim_below(300));
        for (size_t i = 0; i < operations && !is_failing(); i++) work_once();
        close_engine(is_failing() ? sim_chance(70) : sim_chance(60));
    }
    sim_disk_fill(false);
    life.disk_was_full = false;
    // After a failed sync the files in memory and those on the disk have parted.
    if (is_failing() || sim_chance(30)) restore_power();
    sim_power_plan(0);
    sim_sync_plan(0);
}

static void remove_files(void) {
    char path[256];
    static const char *const names[] = {"data/index/data.mdb", "data/index/lock.mdb"};
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%.*s%s", (int)(strlen(life.path) - 4), life.path, names[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/index", life.path);
    rmdir(path);
    rmdir(life.path);
    *strrchr(life.path, '/') = 0;
    rmdir(life.path);
}

static void make_path(void) {
    const char *parent = getenv("TMPDIR");
    if (parent == NULL || parent[0] != '/' || strlen(parent) > 80)
        parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(life.path, sizeof life.path, "%s/planck-sim-XXXXXX", parent);
    SIM_CHECK(mkdtemp(life.path) != NULL);
    size_t size = strlen(life.path);
    snprintf(life.path + size, sizeof life.path - size, "/data");
    SIM_CHECK(mkdir(life.path, 0700) == 0);
}

static bool verbose;

static void run_seed(uint64_t seed) {
    sim_init(seed);
    make_path();
    sim_fs_init(life.path);
    life.state_count = 1;
    size_t lives = 3 + (size_t)sim_below(6);
    for (size_t i = 0; i < lives; i++) live();
    remove_files();
    // The same for every run of a seed, whatever it depended on.
    if (verbose)
        fprintf(stderr, "seed %llu: %zu lives, %llu operations on files, fingerprint %016llx\n",
                (unsigned long long)seed, lives, (unsigned long long)sim_points(),
                (unsigned long long)random_u64(sim_random()));
}

// ---- the program ----------------------------------------------------------------------------

static bool seed_passes(uint64_t seed) {
    fflush(NULL);
    pid_t child = fork();
    if (child < 0) {
        perror("fork");
        exit(2);
    }
    if (child == 0) {
        run_seed(seed);
        _exit(0);
    }
    int result = 0;
    while (waitpid(child, &result, 0) < 0 && errno == EINTR) {
    }
    if (result == 0) return true;
    if (WIFSIGNALED(result))
        fprintf(stderr, "FAILED seed %llu: signal %d\n", (unsigned long long)seed,
                WTERMSIG(result));
    fprintf(stderr, "replay: storage_sim --seed %llu --verbose\n", (unsigned long long)seed);
    return false;
}

static uint64_t number_of(const char *text) {
    char *end;
    errno = 0;
    uint64_t number = strtoull(text, &end, 10);
    if (errno == 0 && end != text && *end == 0) return number;
    fprintf(stderr, "storage_sim: not a number: %s\n", text);
    exit(2);
}

int main(int argc, char **argv) {
    uint64_t seed = random_u64(random_system()) >> 16, count = SEEDS_DEFAULT;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--verbose") == 0)
            verbose = true;
        else if (i + 1 < argc && strcmp(argv[i], "--seed") == 0)
            seed = number_of(argv[++i]);
        else if (i + 1 < argc && strcmp(argv[i], "--seeds") == 0)
            count = number_of(argv[++i]);
        else {
            fprintf(stderr, "usage: storage_sim [--seed N] [--seeds COUNT] [--verbose]\n");
            return 2;
        }
    }
    if (!verbose) log_set_descriptor(open("/dev/null", O_WRONLY | O_CLOEXEC));
    uint64_t failures = 0;
    for (uint64_t i = 0; i < count; i++) failures += !seed_passes(seed + i);
    printf("%llu seeds from %llu: %llu failed\n", (unsigned long long)count,
           (unsigned long long)seed, (unsigned long long)failures);
    return failures == 0 ? 0 : 1;
}
