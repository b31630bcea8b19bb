// SPDX-License-Identifier: Apache-2.0
// Fills the store `archive` of a service's data directory with documents of 1 KiB, for
// startup_bench.py: load DATA_DIRECTORY MEGABYTES
#include <stdlib.h>

#include "base/random.h"
#include "figure.h"
#include "storage/storage.h"

enum { DOCUMENT_SIZE = 1024, BATCH = 64, ID_OFFSET = 9 };

static void require(enum status status, const struct error *error, const char *what) {
    if (status == STATUS_OK) return;
    figure_fail("load: %s: %s: %s", what, status_text(status), error == NULL ? "" : error->message);
}

// {_id: 0, payload: "..."} of DOCUMENT_SIZE bytes; the id is set at ID_OFFSET later.
static void make_document(struct buffer *buffer, struct random_source *random) {
    char payload[DOCUMENT_SIZE - 32];
    for (size_t i = 0; i < sizeof payload; i++) payload[i] = (char)('a' + random_below(random, 26));
    struct doc_builder builder;
    doc_builder_begin(&builder, buffer);
    doc_add_int(&builder, "_id", 0);
    doc_add_string(&builder, "payload", bytes_of(payload, sizeof payload));
    require(doc_builder_finish(&builder), NULL, "document");
    if (buffer->size % DOCUMENT_SIZE != 0) figure_fail("load: a document of a wrong size");
}

static void write_batch(struct storage *storage, struct reader *reader, uint32_t store_id,
                        struct buffer *documents, int64_t first) {
    struct write writes[BATCH];
    struct write_result result;
    struct error error = {0};
    for (int i = 0; i < BATCH; i++) {
        uint8_t *document = documents->data + (size_t)i * DOCUMENT_SIZE;
        struct doc_value id = doc_value_int(first + i);
        store_le64(document + ID_OFFSET, (uint64_t)(first + i));
        writes[i] = (struct write){
            .kind = WRITE_PUT, .store_id = store_id, .document = bytes_of(document, DOCUMENT_SIZE)};
        require(key_from_value(KEY_INT64, &id, &writes[i].key, NULL), NULL, "key");
    }
    require(storage_write(storage, reader, writes, BATCH, &result, &error), &error, "write");
    reader_idle(reader, false);
}

static void load(struct storage *storage, int64_t megabytes) {
    struct reader *reader;
    struct view view;
    require(reader_open(storage, &reader), NULL, "reader");
    require(view_begin(reader, READ_LATEST, &view), NULL, "view");
    const struct store_info *store = catalog_store(view_catalog(&view), bytes_of_string("archive"));
    if (store == NULL) figure_fail("load: the service has no store 'archive'");
    uint32_t store_id = store->id;
    view_end(&view);
    struct random_seeded random;
    random_seeded_init(&random, 1);
    struct buffer documents = {0};
    for (int i = 0; i < BATCH; i++) make_document(&documents, &random.source);
    for (int64_t i = 0; i < megabytes * 1024; i += BATCH)
        write_batch(storage, reader, store_id, &documents, i);
    buffer_done(&documents);
    reader_close(reader);
}

int main(int count, char **values) {
    int64_t megabytes = count == 3 ? strtoll(values[2], NULL, 10) : 0;
    if (megabytes <= 0) figure_fail("usage: load DATA_DIRECTORY MEGABYTES");
    struct storage_options options = storage_options_default();
    struct storage *storage;
    struct error error = {0};
    require(storage_open(values[1], &options, &storage, &error), &error, values[1]);
    load(storage, megabytes);
    storage_close(storage);
    return 0;
}
