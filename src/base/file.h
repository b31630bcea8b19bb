// SPDX-License-Identifier: Apache-2.0
// The file seam. Everything the engine does with files, but for LMDB's own, goes through a
// `struct file_system`, so that tests can drop unsynced writes, tear pages, fail and count.
// file_system_posix() may be used from any thread; one `struct file` may be read, written and
// synced by several threads at once (ranges must not overlap between a writer and others).
// Errors: STATUS_NOT_FOUND, STATUS_EXISTS, STATUS_NO_SPACE, STATUS_LOCKED, STATUS_FORBIDDEN,
// STATUS_NO_MEMORY, else STATUS_IO; `error` (may be NULL) names the path and the system's reason.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

struct file;

enum file_flags {
    FILE_READ = 0,
    FILE_WRITE = 1,     // read and write
    FILE_CREATE = 2,    // with FILE_WRITE: create when absent, mode 0600
    FILE_EXCLUSIVE = 4, // with FILE_CREATE: fail with STATUS_EXISTS when present
    FILE_TRUNCATE = 8,
};

// Called for each entry except "." and "..". A status other than STATUS_OK ends the listing.
typedef enum status file_list_function(const char *name, void *context);

struct file_system {
    enum status (*open)(struct file_system *fs, const char *path, int flags, struct file **ret,
                        struct error *error);
    void (*close)(struct file *file);
    // Reads exactly `size` bytes; STATUS_END when the file is shorter.
    enum status (*read_at)(struct file *file, uint64_t offset, void *data, size_t size);
    enum status (*write_at)(struct file *file, uint64_t offset, const void *data, size_t size);
    // fdatasync: after success, all bytes written before (also through mappings) are durable, and
    // so is the file's size. A failure is final: what was written is unknown.
    enum status (*sync)(struct file *file);
    enum status (*size)(struct file *file, uint64_t *ret_size);
    enum status (*truncate)(struct file *file, uint64_t size);
    // Shared mapping of [0, size); pages beyond the file's end must not be touched. Writable only
    // for files opened with FILE_WRITE.
    enum status (*map)(struct file *file, size_t size, bool writable, void **ret_address);
    void (*unmap)(struct file *file, void *address, size_t size);
    // Hints; never fail. Populate makes [offset, offset+size) of a writable mapping resident and
    // writable without later faults; evict lets the pages go from this process.
    void (*populate)(struct file *file, void *address, size_t offset, size_t size);
    void (*evict)(struct file *file, void *address, size_t offset, size_t size);
    // Exclusive advisory lock for the life of `file`; STATUS_LOCKED when another holder exists.
    enum status (*lock)(struct file *file);
    enum status (*rename)(struct file_system *fs, const char *from, const char *to);
    enum status (*remove)(struct file_system *fs, const char *path);
    // Creates one directory (mode 0700); STATUS_EXISTS when present.
    enum status (*make_directory)(struct file_system *fs, const char *path);
    enum status (*list)(struct file_system *fs, const char *path, file_list_function *function,
                        void *context);
    // Makes creations, renames and removals in the directory durable.
    enum status (*sync_directory)(struct file_system *fs, const char *path);
};

// Every implementation begins its own struct with this.
struct file {
    struct file_system *fs;
};

struct file_system *file_system_posix(void);

CHECKED static inline enum status file_open(struct file_system *fs, const char *path, int flags,
                                            struct file **ret, struct error *error) {
    return fs->open(fs, path, flags, ret, error);
}
static inline void file_close(struct file *file) {
    if (file != NULL) file->fs->close(file);
}
CHECKED static inline enum status file_read_at(struct file *file, uint64_t offset, void *data,
                                               size_t size) {
    return file->fs->read_at(file, offset, data, size);
}
CHECKED static inline enum status file_write_at(struct file *file, uint64_t offset,
                                                const void *data, size_t size) {
    return file->fs->write_at(file, offset, data, size);
}
CHECKED static inline enum status file_sync(struct file *file) {
    return file->fs->sync(file);
}
CHECKED static inline enum status file_size(struct file *file, uint64_t *ret_size) {
    return file->fs->size(file, ret_size);
}
CHECKED static inline enum status file_truncate(struct file *file, uint64_t size) {
    return file->fs->truncate(file, size);
}
CHECKED static inline enum status file_map(struct file *file, size_t size, bool writable,
                                           void **ret_address) {
    return file->fs->map(file, size, writable, ret_address);
}
static inline void file_unmap(struct file *file, void *address, size_t size) {
    file->fs->unmap(file, address, size);
}
static inline void file_populate(struct file *file, void *address, size_t offset, size_t size) {
    file->fs->populate(file, address, offset, size);
}
static inline void file_evict(struct file *file, void *address, size_t offset, size_t size) {
    file->fs->evict(file, address, offset, size);
}
CHECKED static inline enum status file_lock(struct file *file) {
    return file->fs->lock(file);
}

// Reads a whole file of at most `limit` bytes into `ret_buffer` (cleared first);
// STATUS_TOO_LARGE beyond it.
CHECKED enum status file_read_all(struct file_system *fs, const char *path, size_t limit,
                                  struct buffer *ret_buffer, struct error *error);
// Replaces `path` so that after a crash either the old or the new content is there: writes a
// temporary file beside it ("path.tmp"), syncs, renames, syncs the directory. One writer of a path
// at a time.
CHECKED enum status file_write_atomic(struct file_system *fs, const char *path, struct bytes bytes,
                                      struct error *error);
// make_directory for each missing part; STATUS_OK when all are there and their names are durable
// (of those that were there before, only the last one's name is synced).
CHECKED enum status file_make_directories(struct file_system *fs, const char *path);
