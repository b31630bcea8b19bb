// SPDX-License-Identifier: Apache-2.0
// What the tests of queries share: documents from JSON, a database of one directory, queries run
// to their end. Memory lives as long as the process.
#pragma once

#include "documents.h"
#include "query/query.h"

struct database {
    struct storage *storage;
    struct reader *reader;
};
void database_open(struct database *database);
void database_close(struct database *database);
// Stores of int64 keys unless told.
uint32_t database_store(struct database *database, const char *name, enum key_type type);
void database_index(struct database *database, const char *store, const char *name,
                    const char *field);
// Puts a document, or one after the other as JSON.
void database_put(struct database *database, uint32_t store, enum key_type type,
                  struct bytes document);
void database_put_json(struct database *database, uint32_t store, const char *json);
void database_delete(struct database *database, uint32_t store, int64_t id);

struct result {
    enum status status;
    struct error error;
    struct bytes *documents;
    size_t count; // of documents, or the count
    struct bytes next;
    const char *plan;
    size_t slices; // STATUS_PENDING was returned so often
};
// Runs a form on a view of its own. `budget_ns` of each slice; UINT64_MAX: one slice.
struct result run_form(struct database *database, struct bytes form, bool count,
                       uint64_t budget_ns);
struct result run_json(struct database *database, const char *form);
// The ids of the result, "1,5,3"; the status with the message when it failed.
const char *run_ids(struct database *database, const char *form);
