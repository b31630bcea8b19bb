// SPDX-License-Identifier: Apache-2.0
#include "storage_fixture.h"

#include "base/limits.h"

struct storage_options database_options(void) {
    struct storage_options options = storage_options_default();
    options.wal_segment_bytes = (int64_t)(64 * KIB);
    options.vlog_segment_bytes = (int64_t)MIB;
    options.memtable_bytes = (int64_t)(256 * KIB);
    options.index_map_bytes = (int64_t)GIB;
    options.generations_max = 3;
    return options;
}

void database_open(struct database *database) {
    if (database->path[0] == 0) {
        snprintf(database->path, sizeof database->path, "%s/data", test_directory());
        if (database->options.memtable_bytes == 0) database->options = database_options();
    }
    struct error error = {0};
    enum status status =
        storage_open(database->path, &database->options, &database->storage, &error);
    if (status != STATUS_OK) test_fail(__FILE__, __LINE__, "open: %s", error.message);
    CHECK_OK(reader_open(database->storage, &database->reader));
}

void database_close(struct database *database) {
    reader_close(database->reader);
    storage_close(database->storage);
    database->storage = NULL;
}

void database_abandon(struct database *database) {
    reader_close(database->reader);
    storage_abandon(database->storage);
    database->storage = NULL;
}

void database_reopen(struct database *database) {
    database_close(database);
    database_open(database);
}

struct key int_key(int64_t value) {
    struct doc_value v = doc_value_int(value);
    struct key key;
    CHECK_OK(key_from_value(KEY_INT64, &v, &key, NULL));
    return key;
}

int64_t key_int(const struct key *key) {
    uint8_t storage[16];
    return key_to_value(KEY_INT64, key, storage).integer;
}

struct bytes document(int64_t id, int64_t value, size_t extra) {
    static struct buffer ring[16];
    static unsigned next;
    struct buffer *buffer = &ring[next++ % 16];
    static char text[100000];
    if (text[0] == 0) memset(text, 'x', sizeof text);
    CHECK(extra <= sizeof text);
    buffer_clear(buffer);
    struct doc_builder builder;
    doc_builder_begin(&builder, buffer);
    doc_add_int(&builder, "_id", id);
    doc_add_int(&builder, "v", value);
    doc_add_string(&builder, "s", bytes_of(text, extra));
    CHECK_OK(doc_builder_finish(&builder));
    return buffer_bytes(buffer);
}

int64_t document_value(struct bytes document) {
    int64_t value = -2;
    CHECK(doc_get_int(document, "v", &value));
    return value;
}

uint32_t create_store(struct database *database, const char *name) {
    uint32_t id;
    CHECK_OK(
        storage_create_store(database->storage, bytes_of_string(name), KEY_INT64, &id, NULL, NULL));
    return id;
}

uint32_t create_index(struct database *database, const char *store, const char *name,
                      const char *field) {
    uint32_t id;
    CHECK_OK(storage_create_index(database->storage, bytes_of_string(store), bytes_of_string(name),
                                  bytes_of_string(field), &id, NULL, NULL));
    return id;
}

enum status write_one(struct database *database, enum write_kind kind, uint32_t store, int64_t id,
                      int64_t value) {
    struct write write = {.kind = kind, .store_id = store, .key = int_key(id)};
    if (kind != WRITE_DELETE) write.document = document(id, value, 100);
    struct write_result result;
    return storage_write(database->storage, database->reader, &write, 1, &result, NULL);
}

void put(struct database *database, uint32_t store, int64_t id, int64_t value) {
    CHECK_OK(write_one(database, WRITE_PUT, store, id, value));
}

void erase(struct database *database, uint32_t store, int64_t id) {
    CHECK_OK(write_one(database, WRITE_DELETE, store, id, 0));
}

struct view begin(struct database *database) {
    struct view view;
    CHECK_OK(view_begin(database->reader, READ_LATEST, &view));
    return view;
}

int64_t get_at(const struct view *view, uint32_t store, int64_t id) {
    struct key key = int_key(id);
    struct bytes found;
    enum status status = storage_get(view, store, &key, &found, NULL);
    if (status == STATUS_NOT_FOUND) return -1;
    CHECK_OK(status);
    return document_value(found);
}

int64_t get(struct database *database, uint32_t store, int64_t id) {
    struct view view = begin(database);
    int64_t value = get_at(&view, store, id);
    view_end(&view);
    return value;
}

const char *scan_at(const struct view *view, const struct scan_options *options) {
    static char texts[4][65536];
    static unsigned next;
    char *text = texts[next++ % 4];
    size_t used = 0;
    text[0] = 0;
    struct scan *scan;
    CHECK_OK(scan_open(view, options, &scan));
    struct scan_entry entry;
    enum status status;
    while ((status = scan_next(scan, &entry)) == STATUS_OK) {
        const char *space = used == 0 ? "" : " ";
        long long id = key_int(&entry.key);
        if (options->keys_only)
            used += (size_t)snprintf(text + used, sizeof texts[0] - used, "%s%lld", space, id);
        else
            used += (size_t)snprintf(text + used, sizeof texts[0] - used, "%s%lld:%lld", space, id,
                                     (long long)document_value(entry.document));
    }
    CHECK_STATUS(STATUS_END, status);
    scan_close(scan);
    return text;
}

const char *scan_all(struct database *database, uint32_t store, uint32_t index, bool reverse) {
    struct view view = begin(database);
    struct scan_options options = {.store_id = store, .index_id = index, .reverse = reverse};
    const char *text = scan_at(&view, &options);
    view_end(&view);
    return text;
}
