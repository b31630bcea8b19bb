// SPDX-License-Identifier: Apache-2.0
// What the storage engine is compared with, measured in the same run on the same disk.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct rocksdb_rates { // operations a second
    double fill_sequential;
    double read_random;
    double read_sequential;
    double written_bytes; // by all of it
};
// Runs RocksDB's db_bench in `directory`: 16-byte keys, values of `value_size` bytes, one thread,
// no compression, log on, no sync. False when db_bench is not installed.
bool measure_rocksdb(const char *directory, uint64_t count, uint32_t value_size,
                     struct rocksdb_rates *ret);

// Gets a second of random keys in a bare LMDB tree of `count` entries, 24 bytes by keys of 20
// bytes, within one read transaction.
double measure_lmdb_get(const char *directory, uint64_t count);

// The median of 50 appends of 4 KiB with their fdatasync, in microseconds.
double measure_fdatasync(const char *directory);
