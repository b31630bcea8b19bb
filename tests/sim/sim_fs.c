// SPDX-License-Identifier: Apache-2.0
// Files in memory. Each has the bytes that programs see and those that a power loss cannot take
// away; names likewise. A power loss decides for each sector that differs, and for each change of a
// directory that was not synced. A mapping is the current bytes themselves.
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/list.h"
#include "sim.h"

#define CAPACITY ((size_t)4 << 20) // of a file
#define SECTOR 512
#define INODES_MAX 2048
#define NAMES_MAX 2048
#define CHANGES_MAX 8192
#define HANDLES_MAX 512
#define PATH_SIZE 160
#define NO_INODE (-1)

struct inode {
    bool used, directory;
    int handles;
    struct file *locked_by;
    uint8_t *current, *durable;
    uint64_t size, durable_size;
};

struct name {
    char path[PATH_SIZE];
    int inode;
};

struct names {
    struct name entries[NAMES_MAX];
    size_t count;
};

// A change of a directory that is not durable yet: `remove` goes, then `add` comes.
struct change {
    char remove[PATH_SIZE], add[PATH_SIZE];
    int inode;
};

struct sim_file {
    struct file file;
    int inode;
    bool used;
};

static struct {
    struct file_system system;
    char data_path[PATH_SIZE], index_path[PATH_SIZE + 8];
    struct inode inodes[INODES_MAX];
    struct names current, durable;
    struct sim_file handles[HANDLES_MAX]; // not allocated: tests let allocations fail
    struct change changes[CHANGES_MAX];
    size_t change_count;
    bool index_durable; // the name of the index's directory
} fs;

// ---- names ----------------------------------------------------------------------------------

static struct name *find(struct names *names, const char *path) {
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->entries[i].path, path) == 0) return &names->entries[i];
    return NULL;
}

static void set_name(struct names *names, const char *path, int inode) {
    struct name *name = find(names, path);
    if (name == NULL) {
        SIM_CHECK(names->count < NAMES_MAX && strlen(path) < PATH_SIZE);
        name = &names->entries[names->count++];
        snprintf(name->path, sizeof name->path, "%s", path);
    }
    name->inode = inode;
}

static void remove_name(struct names *names, const char *path) {
    struct name *name = find(names, path);
    if (name != NULL) *name = names->entries[--names->count];
}

static bool is_in(const char *path, const char *directory) {
    size_t size = strlen(directory);
    return strncmp(path, directory, size) == 0 && path[size] == '/' &&
           strchr(path + size + 1, '/') == NULL;
}

static void note_change(const char *remove, const char *add, int inode) {
    SIM_CHECK(fs.change_count < CHANGES_MAX);
    struct change *change = &fs.changes[fs.change_count++];
    snprintf(change->remove, sizeof change->remove, "%s", remove);
    snprintf(change->add, sizeof change->add, "%s", add);
    change->inode = inode;
}

static void make_durable(const struct change *change) {
    if (change->remove[0] != 0) remove_name(&fs.durable, change->remove);
    if (change->add[0] != 0) set_name(&fs.durable, change->add, change->inode);
}

static bool changes_in(const struct change *change, const char *directory) {
    return is_in(change->add[0] != 0 ? change->add : change->remove, directory);
}

static void drop_change(size_t position) {
    fs.change_count--;
    memmove(&fs.changes[position], &fs.changes[position + 1],
            (fs.change_count - position) * sizeof fs.changes[0]);
}

// ---- inodes ---------------------------------------------------------------------------------

static uint8_t *reserve_bytes(void) {
    void *bytes = mmap(NULL, CAPACITY, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    SIM_CHECK(bytes != MAP_FAILED);
    return bytes;
}

static int new_inode(bool directory) {
    int number = 0;
    while (number < INODES_MAX && fs.inodes[number].used) number++;
    SIM_CHECK(number < INODES_MAX);
    struct inode *inode = &fs.inodes[number];
    *inode = (struct inode){.used = true, .directory = directory};
    if (!directory) {
        inode->current = reserve_bytes();
        inode->durable = reserve_bytes();
    }
    return number;
}

static void free_inode(struct inode *inode) {
    if (inode->current != NULL) munmap(inode->current, CAPACITY);
    if (inode->durable != NULL) munmap(inode->durable, CAPACITY);
    *inode = (struct inode){0};
}

static struct inode *inode_of(struct file *file) {
    return &fs.inodes[container_of(file, struct sim_file, file)->inode];
}

// ---- operations -----------------------------------------------------------------------------

static int create(const char *path, bool directory) {
    int number = new_inode(directory);
    set_name(&fs.current, path, number);
    note_change("", path, number);
    return number;
}

static void set_size(struct inode *inode, uint64_t size) {
    SIM_CHECK(size <= CAPACITY);
    if (size < inode->size) memset(inode->current + size, 0, (size_t)(inode->size - size));
    inode->size = size;
}

static bool parent_exists(const char *path) {
    char parent[PATH_SIZE];
    snprintf(parent, sizeof parent, "%s", path);
    char *slash = strrchr(parent, '/');
    *slash = 0;
    return parent[0] == 0 || find(&fs.current, parent) != NULL;
}

static enum status sim_open(struct file_system *system, const char *path, int flags,
                            struct file **ret, struct error *error) {
    enum status fault = sim_point();
    if (fault != STATUS_OK) return error_set(error, fault, "%s: %s", path, status_text(fault));
    struct name *name = find(&fs.current, path);
    if (name == NULL && ((flags & FILE_CREATE) == 0 || !parent_exists(path)))
        return error_set(error, STATUS_NOT_FOUND, "%s: not found", path);
    if (name != NULL && (flags & FILE_EXCLUSIVE) != 0)
        return error_set(error, STATUS_EXISTS, "%s: exists", path);
    if (name == NULL && sim_disk_is_full())
        return error_set(error, STATUS_NO_SPACE, "%s: no space", path);
    int number = name != NULL ? name->inode : create(path, false);
    SIM_CHECK(!fs.inodes[number].directory);
    if ((flags & FILE_TRUNCATE) != 0) set_size(&fs.inodes[number], 0);
    struct sim_file *file = fs.handles;
    while (file < fs.handles + HANDLES_MAX && file->used) file++;
    SIM_CHECK(file < fs.handles + HANDLES_MAX);
    *file = (struct sim_file){.file.fs = system, .inode = number, .used = true};
    fs.inodes[number].handles++;
    *ret = &file->file;
    return STATUS_OK;
}

static void sim_close(struct file *file) {
    struct inode *inode = inode_of(file);
    if (inode->locked_by == file) inode->locked_by = NULL;
    inode->handles--;
    container_of(file, struct sim_file, file)->used = false;
}

static enum status sim_read_at(struct file *file, uint64_t offset, void *data, size_t size) {
    enum status fault = sim_point();
    if (fault != STATUS_OK) return fault;
    const struct inode *inode = inode_of(file);
    if (offset > inode->size || size > inode->size - offset) return STATUS_END;
    if (size > 0) memcpy(data, inode->current + offset, size);
    return STATUS_OK;
}

static enum status sim_write_at(struct file *file, uint64_t offset, const void *data, size_t size) {
    enum status fault = sim_point();
    if (fault != STATUS_OK) return fault;
    struct inode *inode = inode_of(file);
    SIM_CHECK(offset + size <= CAPACITY);
    if (offset + size > inode->size && sim_disk_is_full()) return STATUS_NO_SPACE;
    if (offset + size > inode->size) inode->size = offset + size;
    if (size > 0) memcpy(inode->current + offset, data, size);
    return STATUS_OK;
}

static void lose_sectors(struct inode *inode);

static enum status sim_sync(struct file *file) {
    enum status fault = sim_point();
    if (fault != STATUS_OK) return fault;
    struct inode *inode = inode_of(file);
    sim_advance_ns(sim_below(5000000));
    if (sim_sync_fails()) {
        lose_sectors(inode);
        return STATUS_IO;
    }
    uint64_t size = inode->size > inode->durable_size ? inode->size : inode->durable_size;
    memcpy(inode->durable, inode->current, (size_t)size);
    inode->durable_size = inode->size;
    // Others may run between the write and its report: nothing is promised before that.
    return sim_point();
}

static enum status sim_size(struct file *file, uint64_t *ret_size) {
    enum status fault = sim_point();
    if (fault != STATUS_OK) return fault;
    *ret_size = inode_of(file)->size;
    return STATUS_OK;
}

static enum status sim_truncate(struct file *file, uint64_t size) {
    enum status fault = sim_point();
    if (fault != STATUS_OK) return fault;
    set_size(inode_of(file), size);
    return STATUS_OK;
}

static enum status sim_map(struct file *file, size_t size, bool writable, void **ret_address) {
    enum status fault = sim_point();
    if (fault != STATUS_OK) return fault;
    SIM_CHECK(size <= CAPACITY);
    *ret_address = inode_of(file)->current;
    return STATUS_OK;
}

static void sim_unmap(struct file *file, void *address, size_t size) {
    SIM_CHECK(address == inode_of(file)->current);
}

static void sim_hint(struct file *file, void *address, size_t offset, size_t size) {
    sim_yield();
}

static enum status sim_lock(struct file *file) {
    enum status fault = sim_point();
    if (fault != STATUS_OK) return fault;
    struct inode *inode = inode_of(file);
    if (inode->locked_by != NULL && inode->locked_by != file) return STATUS_LOCKED;
    inode->locked_by = file;
    return STATUS_OK;
}

static enum status sim_rename(struct file_system *system, const char *from, const char *to) {
    enum status fault = sim_point();
    if (fault != STATUS_OK) return fault;
    struct name *name = find(&fs.current, from);
    if (name == NULL) return STATUS_NOT_FOUND;
    int number = name->inode;
    remove_name(&fs.current, from);
    set_name(&fs.current, to, number);
    note_change(from, to, number);
    return STATUS_OK;
}

static enum status sim_remove(struct file_system *system, const char *path) {
    enum status fault = sim_point();
    if (fault != STATUS_OK) return fault;
    if (find(&fs.current, path) == NULL) return STATUS_NOT_FOUND;
    remove_name(&fs.current, path);
    note_change(path, "", NO_INODE);
    return STATUS_OK;
}

static enum status sim_make_directory(struct file_system *system, const char *path) {
    enum status fault = sim_point();
    if (fault != STATUS_OK) return fault;
    if (find(&fs.current, path) != NULL) return STATUS_EXISTS;
    if (strcmp(path, fs.index_path) == 0) {
        struct file_system *posix = file_system_posix();
        return posix->make_directory(posix, fs.index_path);
    }
    if (!parent_exists(path)) return STATUS_NOT_FOUND;
    create(path, true);
    return STATUS_OK;
}

static enum status sim_list(struct file_system *system, const char *path,
                            file_list_function *function, void *context) {
    enum status fault = sim_point();
    if (fault != STATUS_OK) return fault;
    if (strcmp(path, fs.index_path) == 0) {
        struct file_system *posix = file_system_posix();
        return posix->list(posix, fs.index_path, function, context);
    }
    if (find(&fs.current, path) == NULL) return STATUS_NOT_FOUND;
    for (size_t i = 0; i < fs.current.count; i++) {
        const char *entry = fs.current.entries[i].path;
        if (!is_in(entry, path)) continue;
        enum status status = function(strrchr(entry, '/') + 1, context);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

static enum status sim_sync_directory(struct file_system *system, const char *path) {
    enum status fault = sim_point();
    if (fault != STATUS_OK) return fault;
    if (sim_sync_fails()) return STATUS_IO;
    if (find(&fs.current, path) == NULL) return STATUS_NOT_FOUND;
    for (size_t i = 0; i < fs.change_count;) {
        if (!changes_in(&fs.changes[i], path)) {
            i++;
            continue;
        }
        make_durable(&fs.changes[i]);
        drop_change(i);
    }
    if (strcmp(path, fs.data_path) == 0 && access(fs.index_path, F_OK) == 0)
        fs.index_durable = true;
    sim_advance_ns(sim_below(5000000));
    return STATUS_OK;
}

// ---- power loss -----------------------------------------------------------------------------

static void lose_sector(struct inode *inode, size_t at, unsigned applied_percent) {
    size_t size = SECTOR, kept = SECTOR;
    if (memcmp(inode->current + at, inode->durable + at, size) == 0) return;
    if (!sim_chance(applied_percent)) {
        if (sim_chance(70)) return;
        kept = (size_t)sim_below(SECTOR); // torn
    }
    if (sim_chance(50))
        memcpy(inode->durable + at, inode->current + at, kept);
    else // the sector's end rather than its beginning
        memcpy(inode->durable + at + size - kept, inode->current + at + size - kept, kept);
}

// What the disk makes of the bytes that were not synced.
static void lose_sectors(struct inode *inode) {
    static const unsigned percents[] = {0, 10, 50, 90, 100};
    unsigned percent = percents[sim_below(5)];
    uint64_t size = inode->size > inode->durable_size ? inode->size : inode->durable_size;
    for (size_t at = 0; at < size; at += SECTOR) lose_sector(inode, at, percent);
    if (sim_chance(50)) inode->durable_size = inode->size;
    if (size > inode->durable_size)
        memset(inode->durable + inode->durable_size, 0, (size_t)(size - inode->durable_size));
}

// Either the changes up to some moment are there, as with a journal, or any of them.
static void lose_changes(void) {
    bool journal = sim_chance(50);
    size_t until = (size_t)sim_below(fs.change_count + 1);
    for (size_t i = 0; i < fs.change_count; i++)
        if (journal ? i < until : sim_chance(50)) make_durable(&fs.changes[i]);
    fs.change_count = 0;
}

static bool parent_is_durable(const char *path) {
    char parent[PATH_SIZE];
    snprintf(parent, sizeof parent, "%s", path);
    char *slash = strrchr(parent, '/');
    *slash = 0;
    return parent[0] == 0 || (find(&fs.durable, parent) != NULL && parent_is_durable(parent));
}

static void drop_orphans(void) {
    for (size_t i = 0; i < fs.durable.count;) {
        if (parent_is_durable(fs.durable.entries[i].path))
            i++;
        else
            fs.durable.entries[i] = fs.durable.entries[--fs.durable.count];
    }
}

// The durable bytes and names become what is found afterwards; the engine, which still runs, sees
// its own until it is closed.
void sim_fs_lose(void) {
    for (int i = 0; i < INODES_MAX; i++)
        if (fs.inodes[i].used && !fs.inodes[i].directory) lose_sectors(&fs.inodes[i]);
    lose_changes();
    drop_orphans();
}

void sim_fs_index_synced(void) {
    fs.index_durable = true;
}

static bool has_name(int inode) {
    for (size_t i = 0; i < fs.durable.count; i++)
        if (fs.durable.entries[i].inode == inode) return true;
    return false;
}

void sim_fs_restore(void) {
    bool lost = find(&fs.durable, fs.data_path) == NULL || (!fs.index_durable && sim_chance(50));
    sim_index_lose(lost);
    if (lost) {
        char path[4200];
        snprintf(path, sizeof path, "%s/lock.mdb", fs.index_path);
        unlink(path);
        rmdir(fs.index_path);
        fs.index_durable = false;
    }
    fs.current = fs.durable;
    for (int i = 0; i < INODES_MAX; i++) {
        struct inode *inode = &fs.inodes[i];
        if (!inode->used) continue;
        SIM_CHECK(inode->handles == 0);
        if (!has_name(i)) {
            free_inode(inode);
        } else if (!inode->directory) {
            uint64_t size = inode->size > inode->durable_size ? inode->size : inode->durable_size;
            memcpy(inode->current, inode->durable, (size_t)size);
            inode->size = inode->durable_size;
        }
    }
}

// ---- the object -----------------------------------------------------------------------------

struct file_system *sim_fs(void) {
    return &fs.system;
}

void sim_fs_init(const char *data_path) {
    fs.system = (struct file_system){
        .open = sim_open,
        .close = sim_close,
        .read_at = sim_read_at,
        .write_at = sim_write_at,
        .sync = sim_sync,
        .size = sim_size,
        .truncate = sim_truncate,
        .map = sim_map,
        .unmap = sim_unmap,
        .populate = sim_hint,
        .evict = sim_hint,
        .lock = sim_lock,
        .rename = sim_rename,
        .remove = sim_remove,
        .make_directory = sim_make_directory,
        .list = sim_list,
        .sync_directory = sim_sync_directory,
    };
    snprintf(fs.data_path, sizeof fs.data_path, "%s", data_path);
    snprintf(fs.index_path, sizeof fs.index_path, "%s/index", data_path);
    // What is above the data directory is there already, durably.
    char path[PATH_SIZE];
    for (size_t i = 1; data_path[i] != 0; i++) {
        if (data_path[i] != '/') continue;
        snprintf(path, i + 1, "%s", data_path);
        int number = new_inode(true);
        set_name(&fs.current, path, number);
        set_name(&fs.durable, path, number);
    }
}
