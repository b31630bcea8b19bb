// SPDX-License-Identifier: Apache-2.0
#include "fixture.h"

#include "base/limits.h"

// ---- database -------------------------------------------------------------------------------

void database_open(struct database *database) {
    struct storage_options options = storage_options_default();
    struct error error = {0};
    options.wal_segment_bytes = (int64_t)MIB;
    options.vlog_segment_bytes = (int64_t)(4 * MIB);
    if (storage_open(test_directory(), &options, &database->storage, &error) != STATUS_OK)
        test_fail(__FILE__, __LINE__, "%s", error.message);
    CHECK_OK(reader_open(database->storage, &database->reader));
}

void database_close(struct database *database) {
    reader_close(database->reader);
    storage_close(database->storage);
}

uint32_t database_store(struct database *database, const char *name, enum key_type type) {
    uint32_t id;
    CHECK_OK(storage_create_store(database->storage, bytes_of_string(name), type, &id, NULL, NULL));
    return id;
}

void database_index(struct database *database, const char *store, const char *name,
                    const char *field) {
    uint32_t id;
    CHECK_OK(storage_create_index(database->storage, bytes_of_string(store), bytes_of_string(name),
                                  bytes_of_string(field), &id, NULL, NULL));
    CHECK_OK(storage_wait_indexes(database->storage));
}

void database_put(struct database *database, uint32_t store, enum key_type type,
                  struct bytes document) {
    struct write write = {.kind = WRITE_PUT, .store_id = store, .document = document};
    struct doc_value id = doc_get(document, bytes_of_string("_id"));
    struct write_result result;
    CHECK_OK(key_from_value(type, &id, &write.key, NULL));
    CHECK_OK(storage_write(database->storage, database->reader, &write, 1, &result, NULL));
}

void database_put_json(struct database *database, uint32_t store, const char *json) {
    database_put(database, store, KEY_INT64, fixture_document(json));
}

void database_delete(struct database *database, uint32_t store, int64_t id) {
    struct write write = {.kind = WRITE_DELETE, .store_id = store};
    struct doc_value value = doc_value_int(id);
    struct write_result result;
    CHECK_OK(key_from_value(KEY_INT64, &value, &write.key, NULL));
    CHECK_OK(storage_write(database->storage, database->reader, &write, 1, &result, NULL));
}

// ---- queries --------------------------------------------------------------------------------

static void split(struct bytes documents, struct result *result) {
    documents = fixture_copy(documents);
    result->documents =
        arena_allocate(&fixture_memory, (result->count + 1) * sizeof(struct bytes), 8);
    for (size_t i = 0; i < result->count; i++) {
        CHECK(documents.size >= DOC_EMPTY_SIZE);
        size_t size = load_le32(documents.data);
        CHECK(size <= documents.size);
        result->documents[i] = bytes_of(documents.data, size);
        CHECK_OK(doc_validate(result->documents[i], NULL));
        documents = bytes_of(documents.data + size, documents.size - size);
    }
    CHECK_EQUAL(0, documents.size);
}

static void run_prepared(struct query *query, bool count, uint64_t budget_ns,
                         struct result *result) {
    struct buffer out = {.limit = 40 * MIB};
    struct clock *clock = clock_system();
    do {
        uint64_t deadline =
            budget_ns == UINT64_MAX ? UINT64_MAX : clock_monotonic_ns(clock) + budget_ns;
        result->status = query_step(query, clock, deadline, &out, &result->error);
        result->slices += result->status == STATUS_PENDING;
    } while (result->status == STATUS_PENDING);
    if (result->status == STATUS_OK) {
        result->count = query_result_count(query);
        if (!count) split(buffer_bytes(&out), result);
        result->next = fixture_copy(query_next_cursor(query));
    }
    buffer_done(&out);
}

struct result run_form(struct database *database, struct bytes form, bool count,
                       uint64_t budget_ns) {
    struct result result = {0};
    struct view view;
    struct arena arena = {0};
    struct query *query;
    CHECK_OK(view_begin(database->reader, READ_LATEST, &view));
    result.status = query_prepare(&view, form, count, &arena, &query, &result.error);
    if (result.status == STATUS_OK) {
        result.plan = arena_string(&fixture_memory, bytes_of_string(query_plan(query)));
        run_prepared(query, count, budget_ns, &result);
        query_close(query);
    }
    view_end(&view);
    arena_done(&arena);
    if (result.status != STATUS_OK) CHECK(result.error.message[0] != '\0');
    return result;
}

struct result run_json(struct database *database, const char *form) {
    return run_form(database, fixture_document(form), false, UINT64_MAX);
}

const char *run_ids(struct database *database, const char *form) {
    struct result result = run_json(database, form);
    struct buffer text = {0};
    if (result.status != STATUS_OK)
        CHECK_OK(buffer_append_format(&text, "%s: %s", status_text(result.status),
                                      result.error.message));
    for (size_t i = 0; i < result.count; i++) {
        int64_t id;
        CHECK(doc_get_int(result.documents[i], "_id", &id));
        CHECK_OK(buffer_append_format(&text, "%s%lld", i > 0 ? "," : "", (long long)id));
    }
    const char *ids = arena_string(&fixture_memory, buffer_bytes(&text));
    buffer_done(&text);
    return ids;
}
