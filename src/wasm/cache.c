// SPDX-License-Identifier: Apache-2.0
// This file talks to the system itself instead of through base/file.h: owner, mode and links are
// what it is about.
#include "wasm/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "wasm/runtime.h"

#define KEY_SIZE 32
#define MAC_SIZE 32
#define ID_SIZE 16
#define NAME_SIZE (ID_SIZE * 2 + 6)
#define HEADER_SIZE (8 + MAC_SIZE)
#define ARTEFACT_SIZE_MAX (512 * MIB)
static const uint8_t magic[8] = {'P', 'K', 'C', 'O', 'D', 'E', '0', '1'};

struct cache {
    int directory;
    uint8_t key[KEY_SIZE];
};

// ---- files --------------------------------------------------------------------------------------

static bool is_private(const struct stat *stat) {
    return stat->st_uid == geteuid() && (stat->st_mode & 077) == 0;
}

static enum status write_all(int descriptor, const void *data, size_t size) {
    const uint8_t *next = data;
    while (size > 0) {
        ssize_t written = write(descriptor, next, size);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return errno == ENOSPC ? STATUS_NO_SPACE : STATUS_IO;
        next += written;
        size -= (size_t)written;
    }
    return STATUS_OK;
}

static enum status read_all(int descriptor, void *data, size_t size) {
    uint8_t *next = data;
    while (size > 0) {
        ssize_t got = read(descriptor, next, size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return STATUS_IO;
        if (got == 0) return STATUS_CORRUPT;
        next += got;
        size -= (size_t)got;
    }
    return STATUS_OK;
}

// A private regular file; anything else of that name is STATUS_FORBIDDEN.
static enum status open_private(int directory, const char *name, int *ret, size_t *ret_size) {
    int descriptor = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return errno == ENOENT ? STATUS_NOT_FOUND : errno == ELOOP ? STATUS_FORBIDDEN : STATUS_IO;
    struct stat stat;
    if (fstat(descriptor, &stat) != 0 || !S_ISREG(stat.st_mode) || !is_private(&stat)) {
        close(descriptor);
        return STATUS_FORBIDDEN;
    }
    *ret = descriptor;
    *ret_size = (size_t)stat.st_size;
    return STATUS_OK;
}

static enum status write_parts(int descriptor, const struct bytes *parts, size_t count) {
    for (size_t i = 0; i < count; i++) {
        enum status status = write_all(descriptor, parts[i].data, parts[i].size);
        if (status != STATUS_OK) return status;
    }
    return fsync(descriptor) == 0 ? STATUS_OK : STATUS_IO;
}

// Writes a file of a name that nobody else uses, for renaming or linking into place.
static enum status write_temporary(int directory, const struct bytes *parts, size_t count,
                                   char ret_name[40]) {
    snprintf(ret_name, 40, "new-%08x%08x", randombytes_random(), randombytes_random());
    int descriptor =
        openat(directory, ret_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (descriptor < 0) return errno == ENOSPC ? STATUS_NO_SPACE : STATUS_IO;
    enum status status = write_parts(descriptor, parts, count);
    close(descriptor);
    if (status != STATUS_OK) unlinkat(directory, ret_name, 0);
    return status;
}

// ---- opening ------------------------------------------------------------------------------------

static enum status default_directory(char path[PATH_MAX]) {
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    int length = -1;
    if (state != NULL && state[0] == '/')
        length = snprintf(path, PATH_MAX, "%s/planck/code", state);
    else if (home != NULL && home[0] == '/')
        length = snprintf(path, PATH_MAX, "%s/.local/state/planck/code", home);
    return length > 0 && length < PATH_MAX ? STATUS_OK : STATUS_NOT_FOUND;
}

static enum status make_directories(char *path) {
    for (char *slash = path + 1; *slash != '\0'; slash++) {
        if (*slash != '/') continue;
        *slash = '\0';
        bool made = mkdir(path, 0700) == 0 || errno == EEXIST;
        *slash = '/';
        if (!made) return STATUS_IO;
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST ? STATUS_OK : STATUS_IO;
}

static enum status open_directory(const char *wanted, int *ret, struct error *error) {
    char path[PATH_MAX];
    enum status status = STATUS_OK;
    if (wanted == NULL)
        status = default_directory(path);
    else if (snprintf(path, sizeof path, "%s", wanted) >= (int)sizeof path)
        status = STATUS_INVALID;
    if (status != STATUS_OK) return error_set(error, status, "code cache: no usable directory");
    status = make_directories(path);
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory < 0) {
        status = errno == ELOOP || errno == ENOTDIR ? STATUS_FORBIDDEN : STATUS_IO;
        return error_set(error, status, "code cache: %s: %m", path);
    }
    struct stat stat;
    if (fstat(directory, &stat) != 0 || !is_private(&stat)) {
        close(directory);
        return error_set(error, STATUS_FORBIDDEN,
                         "code cache: %s must belong to this user with mode 0700", path);
    }
    *ret = directory;
    return STATUS_OK;
}

static enum status read_key(struct cache *cache) {
    int descriptor;
    size_t size;
    enum status status = open_private(cache->directory, "key", &descriptor, &size);
    if (status != STATUS_OK) return status;
    status = size == KEY_SIZE ? read_all(descriptor, cache->key, KEY_SIZE) : STATUS_CORRUPT;
    close(descriptor);
    return status;
}

// Two processes may start at once: link() lets the first win, and both read what is there then.
static enum status load_key(struct cache *cache, struct error *error) {
    enum status status = read_key(cache);
    if (status == STATUS_NOT_FOUND) {
        uint8_t key[KEY_SIZE];
        char name[40];
        randombytes_buf(key, sizeof key);
        struct bytes part = bytes_of(key, sizeof key);
        status = write_temporary(cache->directory, &part, 1, name);
        if (status == STATUS_OK) {
            if (linkat(cache->directory, name, cache->directory, "key", 0) != 0 && errno != EEXIST)
                status = STATUS_IO;
            unlinkat(cache->directory, name, 0);
        }
        sodium_memzero(key, sizeof key);
        if (status == STATUS_OK) status = read_key(cache);
    }
    if (status == STATUS_OK) return STATUS_OK;
    return error_set(error, status, "code cache: the key file cannot be used (%s)",
                     status_text(status));
}

enum status cache_open(const char *directory, struct cache **ret, struct error *error) {
    if (sodium_init() < 0) return error_set(error, STATUS_INTERNAL, "code cache: no randomness");
    struct cache *cache = calloc(1, sizeof *cache);
    if (cache == NULL) return error_set(error, STATUS_NO_MEMORY, "code cache: no memory");
    cache->directory = -1;
    enum status status = open_directory(directory, &cache->directory, error);
    if (status == STATUS_OK) status = load_key(cache, error);
    if (status != STATUS_OK) {
        cache_close(cache);
        return status;
    }
    *ret = cache;
    return STATUS_OK;
}

void cache_close(struct cache *cache) {
    if (cache == NULL) return;
    if (cache->directory >= 0) close(cache->directory);
    sodium_memzero(cache->key, sizeof cache->key);
    free(cache);
}

// ---- artefacts ----------------------------------------------------------------------------------

static const char *find_features(const char *text) {
    const char *line = strstr(text, "\nflags");
    return line != NULL ? line : strstr(text, "\nFeatures");
}

// The processor as the system describes the first one; compiled code may use any of its features.
static void hash_processor(crypto_generichash_state *state) {
    char text[16 * KIB];
    size_t size = 0;
    int descriptor = open("/proc/cpuinfo", O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return;
    for (ssize_t got = 1; got > 0 && size < sizeof text - 1; size += got > 0 ? (size_t)got : 0)
        got = read(descriptor, text + size, sizeof text - 1 - size);
    close(descriptor);
    text[size] = '\0';
    const char *line = find_features(text);
    if (line != NULL)
        crypto_generichash_update(state, (const uint8_t *)line, strcspn(line + 1, "\n") + 1);
}

static void artefact_id(struct bytes module, uint8_t id[ID_SIZE], char name[NAME_SIZE]) {
    uint8_t digest[32];
    const char *version = runtime_compiler_version();
    crypto_generichash_state state;
    crypto_generichash(digest, sizeof digest, module.data, module.size, NULL, 0);
    crypto_generichash_init(&state, NULL, 0, ID_SIZE);
    crypto_generichash_update(&state, digest, sizeof digest);
    crypto_generichash_update(&state, (const uint8_t *)version, strlen(version) + 1);
    hash_processor(&state);
    crypto_generichash_final(&state, id, ID_SIZE);
    sodium_bin2hex(name, NAME_SIZE, id, ID_SIZE);
    memcpy(name + ID_SIZE * 2, ".code", 6);
}

static void compute_mac(const struct cache *cache, const uint8_t id[ID_SIZE], struct bytes artefact,
                        uint8_t mac[MAC_SIZE]) {
    crypto_generichash_state state;
    crypto_generichash_init(&state, cache->key, KEY_SIZE, MAC_SIZE);
    crypto_generichash_update(&state, magic, sizeof magic);
    crypto_generichash_update(&state, id, ID_SIZE);
    crypto_generichash_update(&state, artefact.data, artefact.size);
    crypto_generichash_final(&state, mac, MAC_SIZE);
}

static enum status read_artefact(const struct cache *cache, const uint8_t id[ID_SIZE],
                                 int descriptor, size_t size, struct buffer *ret_artefact) {
    uint8_t header[HEADER_SIZE], mac[MAC_SIZE];
    if (size < HEADER_SIZE || size > ARTEFACT_SIZE_MAX) return STATUS_CORRUPT;
    enum status status = read_all(descriptor, header, sizeof header);
    if (status != STATUS_OK) return status;
    size -= HEADER_SIZE;
    buffer_clear(ret_artefact);
    status = buffer_reserve(ret_artefact, size);
    if (status != STATUS_OK) return status;
    status = read_all(descriptor, ret_artefact->data, size);
    if (status != STATUS_OK) return status;
    ret_artefact->size = size;
    compute_mac(cache, id, buffer_bytes(ret_artefact), mac);
    bool same = memcmp(header, magic, sizeof magic) == 0 &&
                sodium_memcmp(header + sizeof magic, mac, MAC_SIZE) == 0;
    return same ? STATUS_OK : STATUS_CORRUPT;
}

enum status cache_get(struct cache *cache, struct bytes module, struct buffer *ret_artefact) {
    uint8_t id[ID_SIZE];
    char name[NAME_SIZE];
    int descriptor;
    size_t size;
    artefact_id(module, id, name);
    enum status status = open_private(cache->directory, name, &descriptor, &size);
    if (status == STATUS_FORBIDDEN) return STATUS_CORRUPT;
    if (status != STATUS_OK) return status;
    status = read_artefact(cache, id, descriptor, size, ret_artefact);
    close(descriptor);
    if (status != STATUS_OK) buffer_clear(ret_artefact);
    return status;
}

// Removes the oldest artefacts beyond the bound; a failure only leaves more of them.
static void prune(struct cache *cache) {
    for (;;) {
        int descriptor = openat(cache->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *listing = descriptor < 0 ? NULL : fdopendir(descriptor);
        if (listing == NULL) {
            if (descriptor >= 0) close(descriptor);
            return;
        }
        char oldest[256] = "";
        time_t oldest_time = 0;
        int count = 0;
        for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
            size_t length = strlen(entry->d_name);
            struct stat stat;
            if (length < 5 || strcmp(entry->d_name + length - 5, ".code") != 0) continue;
            if (fstatat(cache->directory, entry->d_name, &stat, AT_SYMLINK_NOFOLLOW) != 0) continue;
            count++;
            if (oldest[0] != '\0' && stat.st_mtime >= oldest_time) continue;
            oldest_time = stat.st_mtime;
            snprintf(oldest, sizeof oldest, "%s", entry->d_name);
        }
        closedir(listing);
        if (count <= CACHE_FILES_MAX || unlinkat(cache->directory, oldest, 0) != 0) return;
    }
}

enum status cache_put(struct cache *cache, struct bytes module, struct bytes artefact) {
    uint8_t id[ID_SIZE], mac[MAC_SIZE];
    char name[NAME_SIZE], temporary[40];
    artefact_id(module, id, name);
    compute_mac(cache, id, artefact, mac);
    struct bytes parts[] = {bytes_of(magic, sizeof magic), bytes_of(mac, sizeof mac), artefact};
    enum status status = write_temporary(cache->directory, parts, 3, temporary);
    if (status != STATUS_OK) return status;
    if (renameat(cache->directory, temporary, cache->directory, name) != 0) {
        unlinkat(cache->directory, temporary, 0);
        return STATUS_IO;
    }
    prune(cache);
    return STATUS_OK;
}
