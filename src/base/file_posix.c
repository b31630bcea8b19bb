// SPDX-License-Identifier: Apache-2.0
// The file system of the operating system.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 // Linux 5.14; older kernels refuse it, which a hint may
#endif

struct posix_file {
    struct file file; // first
    int descriptor;
    bool writable;
};

static struct posix_file *posix(struct file *file) {
    return (struct posix_file *)file;
}

static enum status status_of_errno(int number) {
    switch (number) {
    case ENOENT:
    case ENOTDIR:
        return STATUS_NOT_FOUND;
    case EEXIST:
        return STATUS_EXISTS;
    case ENOSPC:
    case EDQUOT:
        return STATUS_NO_SPACE;
    case EACCES:
    case EPERM:
    case EROFS:
        return STATUS_FORBIDDEN;
    case EWOULDBLOCK:
        return STATUS_LOCKED;
    case ENOMEM:
        return STATUS_NO_MEMORY;
    default:
        return STATUS_IO;
    }
}

static int open_flags(int flags) {
    int result = O_CLOEXEC | ((flags & FILE_WRITE) != 0 ? O_RDWR : O_RDONLY);
    if ((flags & FILE_CREATE) != 0) result |= O_CREAT;
    if ((flags & FILE_EXCLUSIVE) != 0) result |= O_EXCL;
    if ((flags & FILE_TRUNCATE) != 0) result |= O_TRUNC;
    return result;
}

static int open_retrying(const char *path, int flags) {
    int descriptor;
    do {
        descriptor = open(path, flags, 0600);
    } while (descriptor < 0 && errno == EINTR);
    return descriptor;
}

static enum status posix_open(struct file_system *fs, const char *path, int flags,
                              struct file **ret, struct error *error) {
    ASSERT((flags & (FILE_CREATE | FILE_TRUNCATE)) == 0 || (flags & FILE_WRITE) != 0);
    ASSERT((flags & FILE_EXCLUSIVE) == 0 || (flags & FILE_CREATE) != 0);
    struct posix_file *file = calloc(1, sizeof *file);
    if (file == NULL) return error_set(error, STATUS_NO_MEMORY, "%s: no memory", path);
    file->file.fs = fs;
    file->writable = (flags & FILE_WRITE) != 0;
    file->descriptor = open_retrying(path, open_flags(flags));
    if (file->descriptor < 0) {
        int number = errno;
        free(file);
        return error_set(error, status_of_errno(number), "%s: %s", path, strerrordesc_np(number));
    }
    *ret = &file->file;
    return STATUS_OK;
}

static void posix_close(struct file *file) {
    close(posix(file)->descriptor); // what had to last was synced before
    free(file);
}

static enum status posix_read_at(struct file *file, uint64_t offset, void *data, size_t size) {
    uint8_t *p = data;
    while (size > 0) {
        ssize_t got = pread(posix(file)->descriptor, p, size, (off_t)offset);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return status_of_errno(errno);
        if (got == 0) return STATUS_END;
        p += got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    return STATUS_OK;
}

static enum status posix_write_at(struct file *file, uint64_t offset, const void *data,
                                  size_t size) {
    ASSERT(posix(file)->writable);
    const uint8_t *p = data;
    while (size > 0) {
        ssize_t put = pwrite(posix(file)->descriptor, p, size, (off_t)offset);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return status_of_errno(errno);
        if (put == 0) return STATUS_IO;
        p += put;
        offset += (uint64_t)put;
        size -= (size_t)put;
    }
    return STATUS_OK;
}

static enum status posix_sync(struct file *file) {
    int failed;
    do {
        failed = fdatasync(posix(file)->descriptor);
    } while (failed != 0 && errno == EINTR);
    return failed == 0 ? STATUS_OK : status_of_errno(errno);
}

static enum status posix_size(struct file *file, uint64_t *ret_size) {
    struct stat information;
    if (fstat(posix(file)->descriptor, &information) != 0) return status_of_errno(errno);
    *ret_size = (uint64_t)information.st_size;
    return STATUS_OK;
}

static enum status posix_truncate(struct file *file, uint64_t size) {
    ASSERT(posix(file)->writable);
    int failed;
    do {
        failed = ftruncate(posix(file)->descriptor, (off_t)size);
    } while (failed != 0 && errno == EINTR);
    return failed == 0 ? STATUS_OK : status_of_errno(errno);
}

static enum status posix_map(struct file *file, size_t size, bool writable, void **ret_address) {
    ASSERT(size > 0);
    ASSERT(!writable || posix(file)->writable);
    int protection = PROT_READ | (writable ? PROT_WRITE : 0);
    void *address = mmap(NULL, size, protection, MAP_SHARED, posix(file)->descriptor, 0);
    if (address == MAP_FAILED) return status_of_errno(errno);
    *ret_address = address;
    return STATUS_OK;
}

static void posix_unmap(struct file *file, void *address, size_t size) {
    if (address == NULL) return;
    int failed = munmap(address, size);
    ASSERT(failed == 0);
}

// Advice for the whole pages that [offset, offset + size) touches.
static void advise(void *address, size_t offset, size_t size, int advice) {
    if (size == 0) return;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t begin = offset & ~(page - 1);
    (void)madvise((uint8_t *)address + begin, offset + size - begin, advice); // a hint
}

static void posix_populate(struct file *file, void *address, size_t offset, size_t size) {
    advise(address, offset, size, MADV_POPULATE_WRITE);
}

static void posix_evict(struct file *file, void *address, size_t offset, size_t size) {
    advise(address, offset, size, MADV_DONTNEED);
}

// flock() belongs to the open file, not to the process: a second open in this process is refused
// too, and closing an unrelated descriptor of the same path does not drop the lock.
static enum status posix_lock(struct file *file) {
    int failed;
    do {
        failed = flock(posix(file)->descriptor, LOCK_EX | LOCK_NB);
    } while (failed != 0 && errno == EINTR);
    return failed == 0 ? STATUS_OK : status_of_errno(errno);
}

static enum status posix_rename(struct file_system *fs, const char *from, const char *to) {
    return rename(from, to) == 0 ? STATUS_OK : status_of_errno(errno);
}

static enum status posix_remove(struct file_system *fs, const char *path) {
    return remove(path) == 0 ? STATUS_OK : status_of_errno(errno);
}

static enum status posix_make_directory(struct file_system *fs, const char *path) {
    return mkdir(path, 0700) == 0 ? STATUS_OK : status_of_errno(errno);
}

static enum status list_entries(DIR *directory, file_list_function *function, void *context) {
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(directory);
        if (entry == NULL) return errno == 0 ? STATUS_OK : status_of_errno(errno);
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        enum status status = function(entry->d_name, context);
        if (status != STATUS_OK) return status;
    }
}

static enum status posix_list(struct file_system *fs, const char *path,
                              file_list_function *function, void *context) {
    DIR *directory = opendir(path);
    if (directory == NULL) return status_of_errno(errno);
    enum status status = list_entries(directory, function, context);
    closedir(directory);
    return status;
}

static enum status posix_sync_directory(struct file_system *fs, const char *path) {
    int descriptor = open_retrying(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return status_of_errno(errno);
    enum status status = fsync(descriptor) == 0 ? STATUS_OK : status_of_errno(errno);
    close(descriptor);
    return status;
}

struct file_system *file_system_posix(void) {
    static struct file_system system = {
        .open = posix_open,
        .close = posix_close,
        .read_at = posix_read_at,
        .write_at = posix_write_at,
        .sync = posix_sync,
        .size = posix_size,
        .truncate = posix_truncate,
        .map = posix_map,
        .unmap = posix_unmap,
        .populate = posix_populate,
        .evict = posix_evict,
        .lock = posix_lock,
        .rename = posix_rename,
        .remove = posix_remove,
        .make_directory = posix_make_directory,
        .list = posix_list,
        .sync_directory = posix_sync_directory,
    };
    return &system;
}
