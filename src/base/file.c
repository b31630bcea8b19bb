// SPDX-License-Identifier: Apache-2.0
// What stands on the file seam alone, so that it runs on any implementation.
#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>

enum { FILE_PATH_MAX = 4096 };

static enum status read_open_file(struct file *file, const char *path, size_t limit,
                                  struct buffer *buffer, struct error *error) {
    uint64_t size = 0;
    enum status status = file_size(file, &size);
    if (status != STATUS_OK) return error_set(error, status, "%s: cannot be read", path);
    if (size > limit)
        return error_set(error, STATUS_TOO_LARGE, "%s: larger than %zu bytes", path, limit);
    status = buffer_reserve(buffer, (size_t)size);
    if (status != STATUS_OK)
        return error_set(error, status, "%s: no room for its %llu bytes", path,
                         (unsigned long long)size);
    if (size == 0) return STATUS_OK;
    status = file_read_at(file, 0, buffer->data, (size_t)size);
    if (status != STATUS_OK) return error_set(error, status, "%s: cannot be read", path);
    buffer->size = (size_t)size;
    return STATUS_OK;
}

enum status file_read_all(struct file_system *fs, const char *path, size_t limit,
                          struct buffer *ret_buffer, struct error *error) {
    buffer_clear(ret_buffer);
    struct file *file = NULL;
    enum status status = file_open(fs, path, FILE_READ, &file, error);
    if (status != STATUS_OK) return status;
    status = read_open_file(file, path, limit, ret_buffer, error);
    file_close(file);
    return status;
}

// The directory that holds `path`, into a buffer of FILE_PATH_MAX bytes.
static void parent_directory(const char *path, char *directory) {
    const char *slash = strrchr(path, '/');
    if (slash == NULL) {
        snprintf(directory, FILE_PATH_MAX, ".");
    } else if (slash == path) {
        snprintf(directory, FILE_PATH_MAX, "/");
    } else {
        snprintf(directory, FILE_PATH_MAX, "%.*s", (int)(slash - path), path);
    }
}

static enum status write_synced(struct file_system *fs, const char *path, struct bytes bytes,
                                struct error *error) {
    struct file *file = NULL;
    int flags = FILE_WRITE | FILE_CREATE | FILE_TRUNCATE;
    enum status status = file_open(fs, path, flags, &file, error);
    if (status != STATUS_OK) return status;
    if (bytes.size > 0) status = file_write_at(file, 0, bytes.data, bytes.size);
    if (status == STATUS_OK) status = file_sync(file);
    file_close(file);
    if (status != STATUS_OK) return error_set(error, status, "%s: cannot be written", path);
    return STATUS_OK;
}

enum status file_write_atomic(struct file_system *fs, const char *path, struct bytes bytes,
                              struct error *error) {
    char temporary[FILE_PATH_MAX], directory[FILE_PATH_MAX];
    int length = snprintf(temporary, sizeof temporary, "%s.tmp", path);
    if (length < 0 || (size_t)length >= sizeof temporary)
        return error_set(error, STATUS_INVALID, "path too long");
    parent_directory(path, directory);

    enum status status = write_synced(fs, temporary, bytes, error);
    if (status == STATUS_OK) {
        status = fs->rename(fs, temporary, path);
        if (status != STATUS_OK) error_set(error, status, "%s: cannot be replaced", path);
    }
    if (status != STATUS_OK) {
        (void)fs->remove(fs, temporary); // the first failure is the one to report
        return status;
    }
    status = fs->sync_directory(fs, directory);
    if (status != STATUS_OK) return error_set(error, status, "%s: cannot be synced", directory);
    return STATUS_OK;
}

// The directory's name must be durable, whoever made it: an earlier process may have been stopped
// before its sync. Above, what is there already is not ours to see to, and may not be readable.
static enum status make_durable_directory(struct file_system *fs, const char *path, bool last) {
    enum status made = fs->make_directory(fs, path);
    if (made != STATUS_OK && made != STATUS_EXISTS) return made;
    if (made == STATUS_EXISTS && !last) return STATUS_OK;
    char parent[FILE_PATH_MAX];
    parent_directory(path, parent);
    enum status status = fs->sync_directory(fs, parent);
    return made == STATUS_EXISTS && status == STATUS_FORBIDDEN ? STATUS_OK : status;
}

enum status file_make_directories(struct file_system *fs, const char *path) {
    char part[FILE_PATH_MAX];
    size_t size = strlen(path);
    if (size == 0 || size >= sizeof part) return STATUS_INVALID;
    memcpy(part, path, size + 1);
    while (size > 1 && part[size - 1] == '/') part[--size] = '\0';
    for (size_t i = 1; i <= size; i++) {
        if (part[i] != '/' && part[i] != '\0') continue;
        char end = part[i];
        part[i] = '\0';
        enum status status = make_durable_directory(fs, part, i == size);
        if (status != STATUS_OK) return status;
        part[i] = end;
    }
    return STATUS_OK;
}
