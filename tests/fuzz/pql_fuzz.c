// SPDX-License-Identifier: Apache-2.0
// Any text as a query: it is refused, or it becomes a valid form that runs on a small database to
// its end or to a clean error. The first line may hold parameters as JSON.
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "query/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 4096, REPLY_MAX = 4 * 1024 * 1024, STEPS_MAX = 200000 };

static struct storage *storage;
static struct reader *reader;
static char directory[] = "/tmp/pql-fuzz-XXXXXX";

static const char *const documents[] = {
    "{\"_id\": 1, \"a\": 1, \"b\": \"x\", \"t\": [1, {\"q\": 2}], \"d\": {\"$date\": 0}}",
    "{\"_id\": 2, \"a\": 2.5, \"b\": \"\xc3\xa4y\", \"n\": {\"x\": null}}",
    "{\"_id\": 3, \"a\": {\"$numberDecimal\": \"1.5\"}, \"t\": []}",
    "{\"_id\": 4, \"a\": \"text\", \"b\": true}",
};

static void put(uint32_t store, const char *json) {
    struct buffer document = {0};
    struct write write = {.kind = WRITE_PUT, .store_id = store};
    struct write_result result;
    ASSERT(doc_from_json(&document, bytes_of_string(json), NULL) == STATUS_OK);
    write.document = buffer_bytes(&document);
    struct doc_value id = doc_get(write.document, bytes_of_string("_id"));
    ASSERT(key_from_value(KEY_INT64, &id, &write.key, NULL) == STATUS_OK);
    ASSERT(storage_write(storage, reader, &write, 1, &result, NULL) == STATUS_OK);
    buffer_done(&document);
}

static int remove_file(const char *path, const struct stat *status, int type, struct FTW *place) {
    return remove(path);
}

static void remove_database(void) {
    reader_close(reader);
    storage_close(storage);
    nftw(directory, remove_file, 8, FTW_DEPTH | FTW_PHYS);
}

// Texts reach the parser out of valid documents.
static bool is_text(struct bytes text) {
    struct buffer buffer = {0};
    struct doc_builder builder;
    doc_builder_begin(&builder, &buffer);
    doc_add_string(&builder, "text", text);
    bool valid = doc_builder_finish(&builder) == STATUS_OK &&
                 doc_validate(buffer_bytes(&buffer), NULL) == STATUS_OK;
    buffer_done(&buffer);
    return valid;
}

static void open_database(void) {
    struct storage_options options = storage_options_default();
    struct error error = {0};
    uint32_t s, t, index;
    ASSERT(mkdtemp(directory) != NULL);
    ASSERT(storage_open(directory, &options, &storage, &error) == STATUS_OK);
    ASSERT(reader_open(storage, &reader) == STATUS_OK);
    struct bytes name = bytes_of("s", 1), other = bytes_of("t", 1), field = bytes_of("a", 1);
    ASSERT(storage_create_store(storage, name, KEY_INT64, &s, NULL, NULL) == STATUS_OK);
    ASSERT(storage_create_store(storage, other, KEY_INT64, &t, NULL, NULL) == STATUS_OK);
    ASSERT(storage_create_index(storage, name, field, field, &index, NULL, NULL) == STATUS_OK);
    ASSERT(storage_wait_indexes(storage) == STATUS_OK);
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
        put(s, documents[i]);
        put(t, documents[i]);
    }
    atexit(remove_database);
}

static void check_rows(struct bytes rows) {
    while (rows.size > 0) {
        ASSERT(rows.size >= DOC_EMPTY_SIZE);
        size_t size = load_le32(rows.data);
        ASSERT(size <= rows.size);
        ASSERT(doc_validate(bytes_of(rows.data, size), NULL) == STATUS_OK);
        rows = bytes_of(rows.data + size, rows.size - size);
    }
}

static void run(const struct view *view, const struct pql *pql, struct arena *arena) {
    struct query *query;
    struct error error = {0};
    struct buffer out = {.limit = REPLY_MAX};
    bool count = pql->kind == PQL_COUNT || pql->explained == PQL_COUNT;
    ASSERT(doc_validate(pql->form, NULL) == STATUS_OK);
    enum status status = query_prepare(view, pql->form, count, arena, &query, &error);
    if (status == STATUS_OK) {
        status = STATUS_PENDING;
        for (int i = 0; i < STEPS_MAX && status == STATUS_PENDING; i++)
            status = query_step(query, clock_system(), 0, &out, &error);
        if (status == STATUS_OK) check_rows(buffer_bytes(&out));
        query_close(query);
    }
    ASSERT(status == STATUS_OK || status == STATUS_PENDING || error.message[0] != '\0');
    buffer_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena arena = {.limit = 64 * 1024 * 1024};
    struct bytes text = bytes_of(data, size);
    struct buffer parameters = {0};
    struct doc_value value = {.type = DOC_MISSING};
    struct view view;
    struct pql pql;
    struct error error = {0};
    if (storage == NULL) open_database();
    if (size > TEXT_MAX || size == 0) return 0;
    const uint8_t *line = memchr(data, '\n', size);
    if (data[0] == '{' && line != NULL) {
        struct bytes json = bytes_of(data, (size_t)(line - data));
        if (doc_from_json(&parameters, json, NULL) != STATUS_OK) parameters.size = 0;
        text = bytes_of(line + 1, size - json.size - 1);
    }
    if (parameters.size > 0) {
        value.type = DOC_DOCUMENT;
        value.payload = buffer_bytes(&parameters);
    }
    if (!is_text(text)) {
        buffer_done(&parameters);
        return 0;
    }
    ASSERT(view_begin(reader, READ_LATEST, &view) == STATUS_OK);
    enum status status = pql_parse(text, &value, view_catalog(&view), &arena, &pql, &error);
    ASSERT(status == STATUS_OK || error.message[0] != '\0');
    if (status == STATUS_OK && pql.kind != PQL_INSERT) run(&view, &pql, &arena);
    view_end(&view);
    arena_done(&arena);
    buffer_done(&parameters);
    return 0;
}
