// SPDX-License-Identifier: Apache-2.0
// The simulated machine under the storage engine: threads, time, files, the index's commits and
// the power supply, all decided by one seed.
//
// Deterministic: everything that the engine does through base/thread.h, base/clock.h, base/file.h
// and LMDB's commits. The linker replaces (--wrap) mutexes, conditions and threads by a scheduler
// that lets exactly one thread run at a time and chooses the next one at each of those calls and
// each file operation; time is a counter that the scheduler advances; random numbers are seeded. So
// a seed replays the same interleaving, the same faults and the same torn sectors.
// Not deterministic: addresses in memory, which nothing here depends on, and what the machine does
// to the process (signals, memory exhausted). Not simulated: data races (only one thread runs, and
// threads change only at the calls above), readers of other processes.
//
// LMDB lies outside of the file seam, in a real directory. What a power loss can do to it, given
// that it is opened with NOMETASYNC, is decided at its commits: a commit syncs its pages (and so
// the meta page of the commit before), then writes its own meta page without a sync. So at a power
// loss only the newest commit may be lost, unless mdb_env_sync() came after it: the meta page that
// it overwrote is put back. A commit that the power loss meets has not happened. Before the index's
// directory is synced its files may vanish, and the directory itself before the one above is
// synced.
#pragma once

#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"

_Noreturn void sim_fail(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
#define SIM_CHECK(condition)                                                                       \
    ((condition) ? (void)0 : sim_fail(__FILE__, __LINE__, "%s", #condition))

// ---- threads and time (sim_threads.c) -------------------------------------------------------
// Everything begins here: the calling thread becomes the first one.
void sim_init(uint64_t seed);
uint64_t sim_seed(void);
// Uniform in [0, bound).
uint64_t sim_below(uint64_t bound);
bool sim_chance(unsigned percent);
// Lets another thread run, perhaps.
void sim_yield(void);
void sim_advance_ns(uint64_t ns);
void sim_sleep_ns(uint64_t ns);
struct clock *sim_clock(void);
struct random_source *sim_random(void);

// ---- files (sim_fs.c) -----------------------------------------------------------------------
// `data_path` is absolute and at most 140 bytes long. It is a real directory too, but only for the
// index; in the fake file system it is yet to be made, in a parent that is durable.
void sim_fs_init(const char *data_path);
struct file_system *sim_fs(void);

// ---- power (sim_power.c) --------------------------------------------------------------------
// Every operation on files and every commit of the index passes here first, and fails with what is
// returned: STATUS_IO while the power is off, or the status of a planned fault.
enum status sim_point(void);
uint64_t sim_points(void); // so far
// The point after `points` - 1 more fails (0: never), and with `repeats` all that follow. With
// STATUS_NO_SPACE it does not fail, but the disk is full from then on.
void sim_fault_plan(uint64_t points, enum status status, bool repeats);
bool sim_fault_happened(void);
// While the disk is full no file is made and none grows, and the index cannot commit.
void sim_disk_fill(bool full);
bool sim_disk_is_full(void);
// The power goes at the point after `points` more; 0: never.
void sim_power_plan(uint64_t points);
void sim_power_lose(void); // now
bool sim_power_is_off(void);
// After the engine was abandoned: files are as they were found after the loss.
void sim_power_restore(void);
// The sync after `syncs` more fails once, with part of the data written; 0: never.
void sim_sync_plan(uint64_t syncs);
bool sim_sync_fails(void);
bool sim_sync_has_failed(void); // since the last restore

// For sim_power.c.
void sim_fs_lose(void);
void sim_fs_restore(void);
void sim_fs_index_synced(void); // the name of the index's directory is durable
void sim_index_lose(bool directory_lost);
