// SPDX-License-Identifier: Apache-2.0
// When the power goes and when a sync fails; and the index, whose commits pass here (--wrap).
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sim.h"

#define PAGE 4096

static struct {
    uint64_t points_left; // 0: no loss is planned
    uint64_t syncs_left;
    uint64_t points;
    uint64_t fault_left; // 0: none is planned
    enum status fault;
    bool fault_repeats, fault_happened;
    bool disk_full;
    bool off;
    bool sync_failed;
} power;

static struct {
    char path[4096];    // of data.mdb
    bool files_durable; // the directory was synced since they were made
    bool commit_unsynced;
    uint64_t meta; // page that the newest commit overwrote, and what was there
    uint8_t before[PAGE];
} index_state;

enum status sim_point(void) {
    sim_yield();
    power.points++;
    if (power.off) return STATUS_IO;
    if (power.points_left > 0 && --power.points_left == 0) sim_power_lose();
    if (power.off) return STATUS_IO;
    if (power.fault_left == 0 || --power.fault_left > 0) return STATUS_OK;
    if (power.fault_repeats) power.fault_left = 1;
    power.fault_happened = true;
    if (power.fault != STATUS_NO_SPACE) return power.fault;
    power.disk_full = true;
    return STATUS_OK;
}

uint64_t sim_points(void) {
    return power.points;
}

void sim_fault_plan(uint64_t points, enum status status, bool repeats) {
    power.fault_left = points;
    power.fault = status;
    power.fault_repeats = repeats;
    power.fault_happened = false;
}

bool sim_fault_happened(void) {
    return power.fault_happened;
}

void sim_disk_fill(bool full) {
    power.disk_full = full;
}

bool sim_disk_is_full(void) {
    return power.disk_full;
}

void sim_power_plan(uint64_t points) {
    power.points_left = points;
}

void sim_power_lose(void) {
    if (power.off) return;
    power.off = true;
    sim_fs_lose();
}

bool sim_power_is_off(void) {
    return power.off;
}

void sim_sync_plan(uint64_t syncs) {
    power.syncs_left = syncs;
}

bool sim_sync_fails(void) {
    if (power.syncs_left == 0 || --power.syncs_left > 0) return false;
    power.sync_failed = true;
    return true;
}

bool sim_sync_has_failed(void) {
    return power.sync_failed;
}

void sim_power_restore(void) {
    sim_fs_restore();
    power.off = false;
    power.points_left = power.syncs_left = 0;
    power.sync_failed = false;
}

// ---- the index ------------------------------------------------------------------------------

static int point_code(void) {
    enum status status = sim_point();
    if (status == STATUS_OK) return 0;
    return status == STATUS_NO_SPACE ? ENOSPC : EIO;
}

static void restore_meta(void) {
    int descriptor = open(index_state.path, O_WRONLY | O_CLOEXEC);
    SIM_CHECK(descriptor >= 0);
    off_t at = (off_t)(index_state.meta * PAGE);
    SIM_CHECK(pwrite(descriptor, index_state.before, PAGE, at) == PAGE);
    close(descriptor);
}

void sim_index_lose(bool directory_lost) {
    if (index_state.path[0] == 0) return;
    if (directory_lost || (!index_state.files_durable && sim_chance(50))) {
        unlink(index_state.path);
        index_state.files_durable = false;
    } else if (index_state.commit_unsynced && sim_chance(50)) {
        restore_meta();
    }
    index_state.commit_unsynced = false;
}

int __wrap_mdb_txn_commit(MDB_txn *transaction);
int __real_mdb_txn_commit(MDB_txn *transaction);
int __wrap_mdb_env_sync(MDB_env *environment, int force);
int __wrap_mdb_env_open(MDB_env *environment, const char *path, unsigned flags, mdb_mode_t mode);
int __real_mdb_env_open(MDB_env *environment, const char *path, unsigned flags, mdb_mode_t mode);
int __wrap_fsync(int descriptor);
int __wrap_fdatasync(int descriptor);

int __wrap_mdb_env_open(MDB_env *environment, const char *path, unsigned flags, mdb_mode_t mode) {
    int fault = point_code();
    if (fault != 0) return fault;
    snprintf(index_state.path, sizeof index_state.path, "%s/data.mdb", path);
    return __real_mdb_env_open(environment, path, flags, mode);
}

int __wrap_mdb_txn_commit(MDB_txn *transaction) {
    int fault = point_code();
    if (fault == 0 && power.disk_full) fault = ENOSPC;
    if (fault != 0) {
        mdb_txn_abort(transaction);
        return fault;
    }
    uint64_t meta = mdb_txn_id(transaction) & 1;
    uint8_t before[PAGE];
    int descriptor = open(index_state.path, O_RDONLY | O_CLOEXEC);
    SIM_CHECK(descriptor >= 0);
    SIM_CHECK(pread(descriptor, before, PAGE, (off_t)(meta * PAGE)) == PAGE);
    close(descriptor);
    int code = __real_mdb_txn_commit(transaction);
    if (code != 0) return code;
    memcpy(index_state.before, before, PAGE);
    index_state.meta = meta;
    index_state.commit_unsynced = true;
    sim_advance_ns(sim_below(3000000));
    return 0;
}

int __wrap_mdb_env_sync(MDB_env *environment, int force) {
    int fault = point_code();
    if (fault != 0) return fault;
    if (sim_sync_fails()) return EIO;
    index_state.commit_unsynced = false;
    sim_advance_ns(sim_below(3000000));
    return 0;
}

// Outside of the file seam only the index's directory and the one above are synced by fsync(). The
// real disk has nothing to do with durability here.
int __wrap_fsync(int descriptor) {
    int fault = point_code();
    if (fault == 0 && sim_sync_fails()) fault = EIO;
    if (fault != 0) {
        errno = fault;
        return -1;
    }
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t size = readlink(link, path, sizeof path - 1);
    SIM_CHECK(size > 0);
    path[size] = 0;
    if (strncmp(index_state.path, path, (size_t)size) == 0 &&
        strcmp(index_state.path + size, "/data.mdb") == 0)
        index_state.files_durable = true;
    else
        sim_fs_index_synced();
    return 0;
}

int __wrap_fdatasync(int descriptor) {
    return 0;
}
