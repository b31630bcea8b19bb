// SPDX-License-Identifier: Apache-2.0
// Opens a data directory (recovering it when it was not closed) and prints what is in it, for
// crash.py, which knows what has to be there:
//
//   dump DATA_DIRECTORY
//
// A line per document, {"store": <name>, "document": <extended JSON>}, and one per index,
// {"store": <name>, "index": <name>, "entries": <count>, "strangers": <count>}: entries of the
// index, and those of them whose document is not in the store under that key.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "storage/storage.h"

static void require(enum status status, const struct error *error, const char *what) {
    if (status == STATUS_OK) return;
    fprintf(stderr, "dump: %s: %s: %s\n", what, status_text(status),
            error == NULL ? "" : error->message);
    exit(1);
}

static void print_document(const struct store_info *store, struct bytes document) {
    struct buffer json = {0};
    require(doc_validate(document, NULL), NULL, "a document that is not well formed");
    require(doc_to_json(&json, document), NULL, "document");
    printf("{\"store\": \"%s\", \"document\": %.*s}\n", store->name, (int)json.size,
           (const char *)json.data);
    buffer_done(&json);
}

static void dump_documents(const struct view *view, const struct store_info *store) {
    struct scan_options options = {.store_id = store->id};
    struct scan_entry entry;
    struct scan *scan;
    require(scan_open(view, &options, &scan), NULL, store->name);
    enum status status;
    while ((status = scan_next(scan, &entry)) == STATUS_OK) print_document(store, entry.document);
    if (status != STATUS_END) require(status, NULL, store->name);
    scan_close(scan);
}

static void dump_index(const struct view *view, const struct store_info *store,
                       const struct index_info *index) {
    struct scan_options options = {.store_id = store->id, .index_id = index->id, .keys_only = true};
    struct scan_entry entry;
    struct scan *scan;
    uint64_t entries = 0, strangers = 0;
    require(scan_open(view, &options, &scan), NULL, index->name);
    enum status status;
    while ((status = scan_next(scan, &entry)) == STATUS_OK) {
        struct bytes document;
        entries++;
        strangers += storage_get(view, store->id, &entry.key, &document, NULL) != STATUS_OK;
    }
    if (status != STATUS_END) require(status, NULL, index->name);
    scan_close(scan);
    printf("{\"store\": \"%s\", \"index\": \"%s\", \"entries\": %" PRIu64
           ", \"strangers\": %" PRIu64 "}\n",
           store->name, index->name, entries, strangers);
}

static void dump(const struct view *view) {
    const struct catalog *catalog = view_catalog(view);
    for (size_t i = 0; i < catalog_store_count(catalog); i++) {
        const struct store_info *store = catalog_store_at(catalog, i);
        dump_documents(view, store);
        for (size_t k = 0; k < store->index_count; k++)
            if (store->indexes[k]->state == INDEX_READY) dump_index(view, store, store->indexes[k]);
    }
}

int main(int count, char **values) {
    if (count != 2) {
        fprintf(stderr, "usage: dump DATA_DIRECTORY\n");
        return 2;
    }
    struct storage_options options = storage_options_default();
    struct storage *storage;
    struct reader *reader;
    struct view view;
    struct error error = {0};
    require(storage_open(values[1], &options, &storage, &error), &error, values[1]);
    require(reader_open(storage, &reader), NULL, "reader");
    require(view_begin(reader, READ_LATEST, &view), NULL, "view");
    dump(&view);
    view_end(&view);
    reader_close(reader);
    storage_close(storage);
    return 0;
}
