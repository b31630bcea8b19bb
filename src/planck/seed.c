// SPDX-License-Identifier: Apache-2.0
#include "planck/seed.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

#define STATE_STORE "planck.state"
#define SUFFIX ".jsonl"

struct seed {
    const char *directory;
    struct session *session;
    struct error *error;
};

// Whether the note of an earlier import is there; creates the store for it when absent.
static enum status look_up_note(struct storage *storage, bool *ret_done, struct error *error) {
    struct reader *reader;
    enum status status = reader_open(storage, &reader);
    if (status != STATUS_OK) return error_set(error, status, "cannot read the data");
    struct view view;
    bool missing = false;
    status = view_begin(reader, READ_LATEST, &view);
    if (status == STATUS_OK) {
        const struct store_info *store =
            catalog_store(view_catalog(&view), bytes_of_string(STATE_STORE));
        missing = store == NULL;
        if (store != NULL) {
            struct doc_value id = doc_value_string(bytes_of_string("seed"));
            struct key key;
            struct bytes document;
            status = key_from_value(store->key_type, &id, &key, error);
            if (status == STATUS_OK) status = storage_get(&view, store->id, &key, &document, NULL);
            *ret_done = status == STATUS_OK;
            if (status == STATUS_NOT_FOUND) status = STATUS_OK;
        }
        view_end(&view);
    }
    reader_close(reader);
    if (status == STATUS_OK && missing) {
        *ret_done = false;
        status = storage_create_store(storage, bytes_of_string(STATE_STORE), KEY_STRING, NULL, NULL,
                                      error);
    }
    return status;
}

static enum status put_note(struct session *session, struct error *error) {
    struct buffer packet = {0};
    size_t start;
    enum status status = packet_begin(&packet, OP_PUT, 0, &start);
    struct doc_builder builder;
    doc_builder_begin(&builder, &packet);
    doc_add_string(&builder, "store", bytes_of_string(STATE_STORE));
    if (status == STATUS_OK) status = doc_builder_finish(&builder);
    doc_builder_begin(&builder, &packet);
    doc_add_string(&builder, "_id", bytes_of_string("seed"));
    doc_add_bool(&builder, "done", true);
    if (status == STATUS_OK) status = doc_builder_finish(&builder);
    if (status == STATUS_OK) status = packet_finish(&packet, start, 0, 0, 2);
    struct call *call = NULL;
    if (status == STATUS_OK) status = call_new(session, &call);
    if (status == STATUS_OK)
        status = engine_dispatch(call, buffer_bytes(&packet), READ_LATEST, UINT64_MAX);
    if (status == STATUS_OK) status = call_status(call);
    call_free(call);
    buffer_done(&packet);
    return status == STATUS_OK ? status : error_set(error, status, "cannot note the seed import");
}

static enum status import_file(const char *name, void *context) {
    struct seed *seed = context;
    size_t length = strlen(name), suffix = strlen(SUFFIX);
    if (length <= suffix || strcmp(name + length - suffix, SUFFIX) != 0) return STATUS_OK;
    char path[4096];
    int size = snprintf(path, sizeof path, "%s/%s", seed->directory, name);
    if (size < 0 || (size_t)size >= sizeof path)
        return error_set(seed->error, STATUS_INVALID, "path too long: %s", name);
    uint64_t count;
    enum status status = engine_import_json_lines(seed->session, bytes_of(name, length - suffix),
                                                  path, &count, seed->error);
    if (status == STATUS_OK)
        log_info("seed", "%llu documents into %.*s", (unsigned long long)count,
                 (int)(length - suffix), name);
    return status;
}

static enum status import_all(const char *directory, struct session *session,
                              struct storage *storage, struct error *error) {
    bool done = false;
    enum status status = look_up_note(storage, &done, error);
    if (status != STATUS_OK || done) return status;
    struct seed seed = {directory, session, error};
    error->message[0] = '\0';
    struct file_system *fs = file_system_posix();
    status = fs->list(fs, directory, import_file, &seed);
    if (status == STATUS_NOT_FOUND && error->message[0] == '\0') status = STATUS_OK;
    if (status == STATUS_OK) status = put_note(session, error);
    if (status == STATUS_OK) status = storage_sync(storage, storage_visible(storage));
    if (status != STATUS_OK && error->message[0] == '\0')
        error_set(error, status, "seed data in %s: %s", directory, status_text(status));
    return status;
}

enum status seed_import(const struct options *options, struct engine *engine, struct error *error) {
    if (options->seed_directory[0] == '\0') return STATUS_OK;
    char directory[4096];
    int size =
        snprintf(directory, sizeof directory, "%s/%s", options->directory, options->seed_directory);
    if (size < 0 || (size_t)size >= sizeof directory)
        return error_set(error, STATUS_INVALID, "path of the seed directory is too long");
    struct session *session;
    enum status status = session_open(engine, PERMISSION_ADMIN, &session);
    if (status != STATUS_OK) return error_set(error, status, "cannot open a session");
    status = import_all(directory, session, engine_storage(engine), error);
    session_close(session);
    return status;
}
