// SPDX-License-Identifier: Apache-2.0
// The operation pql: text to the logical form, which then runs as a query, a count, an explanation,
// or finds the documents of an update or a delete. What writes needs the permission to.
#include "base/limits.h"
#include "engine/prepared.h"

#define WRITE_ATTEMPTS 100

static bool writes(const struct pql *pql) {
    return pql->kind == PQL_INSERT || pql->kind == PQL_UPDATE || pql->kind == PQL_DELETE;
}

// ---- insert ---------------------------------------------------------------------------------

static enum status prepare_inserts(struct call *call, struct prepared *prepared) {
    struct doc_iterator iterator;
    struct bytes name;
    struct doc_value value;
    const struct store_info *store;
    enum status status = call_find_store(call, view_catalog(&call->view), call->pql->store, &store);
    doc_iterate(&iterator, call->pql->documents);
    for (size_t i = 0; i < prepared->count && status == STATUS_OK; i++) {
        bool found = doc_next(&iterator, &name, &value);
        ASSERT(found);
        prepared->writes[i].kind = WRITE_INSERT;
        status = value.type == DOC_DOCUMENT
                     ? prepared_take(call, prepared, i, store, value.payload)
                     : error_set(&call->error, STATUS_INVALID, "insert takes documents, not %s",
                                 doc_type_name(value.type));
        if (status != STATUS_OK) call->failed = (int64_t)i;
    }
    return status;
}

static enum status insert(struct call *call) {
    struct doc_iterator iterator;
    struct bytes name;
    struct doc_value value;
    size_t count = 0;
    doc_iterate(&iterator, call->pql->documents);
    while (doc_next(&iterator, &name, &value)) count++;
    if (count == 0 || count > BATCH_OPS_MAX)
        return error_set(&call->error, STATUS_INVALID, "1 to %d documents, not %zu", BATCH_OPS_MAX,
                         count);
    struct prepared prepared;
    struct write_result result;
    enum status status = prepared_new(call, count, &prepared);
    if (status == STATUS_OK) status = prepare_inserts(call, &prepared);
    call_view_end(call);
    if (status == STATUS_OK) status = prepared_commit(call, &prepared, &result);
    return status == STATUS_OK ? prepared_reply_ids(call, &prepared, false, 0) : status;
}

// ---- update and delete ----------------------------------------------------------------------

// One document that was found: its key, and that it must not have changed when it is written.
static enum status prepare_found(struct call *call, struct prepared *prepared, size_t i,
                                 const struct store_info *store, struct bytes document) {
    struct write *write = &prepared->writes[i];
    struct doc_value id = doc_get(document, bytes_of_string("_id"));
    struct bytes newest;
    bool update = call->pql->kind == PQL_UPDATE;
    write->kind = update ? WRITE_REPLACE : WRITE_DELETE;
    write->store_id = store->id;
    prepared->scratch_offsets[i] = SIZE_MAX;
    enum status status = key_from_value(store->key_type, &id, &write->key, &call->error);
    if (status == STATUS_OK)
        status =
            storage_get(&call->view, store->id, &write->key, &newest, &write->expected_sequence);
    if (status != STATUS_OK || !update) return status;
    prepared->scratch_offsets[i] = call->scratch.size;
    status = doc_set_fields(&call->scratch, document, call->pql->set, &call->error);
    prepared->scratch_sizes[i] = call->scratch.size - prepared->scratch_offsets[i];
    return status;
}

static enum status prepare_all(struct call *call, struct prepared *prepared,
                               struct bytes documents) {
    const struct store_info *store;
    enum status status = call_find_store(call, view_catalog(&call->view), call->pql->store, &store);
    for (size_t i = 0; i < prepared->count && status == STATUS_OK; i++) {
        ASSERT(documents.size >= DOC_EMPTY_SIZE);
        size_t size = load_le32(documents.data);
        status = prepare_found(call, prepared, i, store, bytes_of(documents.data, size));
        documents = bytes_of(documents.data + size, documents.size - size);
    }
    if (status != STATUS_OK && call->error.message[0] == '\0')
        error_set(&call->error, status, "the documents that were found: %s", status_text(status));
    return status;
}

static enum status reply_count(struct call *call, uint64_t count) {
    struct doc_builder builder;
    call->reply.size = PACKET_HEADER_SIZE;
    doc_builder_begin(&builder, &call->reply);
    doc_add_int(&builder, "count", (int64_t)count);
    enum status status = doc_builder_finish(&builder);
    if (status != STATUS_OK) return error_set(&call->error, status, "no memory for the reply");
    return reply_finish(call, 0, true);
}

static enum status begin_query(struct call *call) {
    return query_prepare(&call->view, call->pql->form, call->pql->kind == PQL_COUNT, &call->arena,
                         &call->query, &call->error);
}

// Finds the documents anew, since one of them has changed.
static enum status start_again(struct call *call, uint64_t deadline_ns) {
    query_close(call->query);
    call->query = NULL;
    call->error = (struct error){.offset = -1};
    call->failed = -1;
    call->reply.size = PACKET_HEADER_SIZE;
    buffer_clear(&call->scratch);
    enum status status = call_view_begin(call);
    if (status == STATUS_OK) status = begin_query(call);
    return status == STATUS_OK ? operation_query_step(call, deadline_ns) : status;
}

// The documents that were found make room for what is told about them.
static enum status reply_explanation(struct call *call) {
    struct doc_builder builder;
    call->reply.size = PACKET_HEADER_SIZE;
    doc_builder_begin(&builder, &call->reply);
    doc_add_string(&builder, "plan", bytes_of_string(query_plan(call->query)));
    if (call->pql->analyze) query_statistics(call->query, &builder);
    doc_add_document(&builder, "form", call->pql->form);
    enum status status = doc_builder_finish(&builder);
    if (status != STATUS_OK) return error_set(&call->error, status, "no memory for the reply");
    return reply_finish(call, 1, false);
}

enum status pql_finish(struct call *call, uint64_t deadline_ns) {
    if (call->pql->analyze) return reply_explanation(call);
    uint64_t count = query_result_count(call->query);
    struct bytes found = buffer_bytes(&call->reply);
    bool more = query_next_cursor(call->query).size > 0;
    if (more && count >= BATCH_OPS_MAX)
        return error_set(&call->error, STATUS_TOO_LARGE,
                         "more than %d documents in one transaction: a limit would help",
                         BATCH_OPS_MAX);
    if (count == 0) return reply_count(call, 0);
    struct prepared prepared;
    struct write_result result;
    found = bytes_of(found.data + PACKET_HEADER_SIZE, found.size - PACKET_HEADER_SIZE);
    enum status status = prepared_new(call, count, &prepared);
    if (status == STATUS_OK) status = prepare_all(call, &prepared, found);
    if (status != STATUS_OK) return status;
    call_view_end(call);
    status = prepared_commit(call, &prepared, &result);
    bool changed = call->transaction == NULL && // whose view stays as it is
                   (status == STATUS_CONFLICT || status == STATUS_NOT_FOUND);
    if (changed && ++call->attempts < WRITE_ATTEMPTS) return start_again(call, deadline_ns);
    return status == STATUS_OK ? reply_count(call, count) : status;
}

// ---- all ------------------------------------------------------------------------------------

static enum status explain(struct call *call, uint64_t deadline_ns) {
    call->pql->kind = call->pql->explained;
    enum status status = begin_query(call);
    if (status != STATUS_OK) return status;
    return call->pql->analyze ? operation_query_step(call, deadline_ns) : reply_explanation(call);
}

static enum status parse(struct call *call) {
    struct head_field fields[] = {{"text", true, {0}}, {"parameters", false, {0}}};
    struct error *error = &call->error;
    struct bytes text;
    enum status status = head_read(call->head, fields, 2, error);
    if (status == STATUS_OK) status = head_string(&fields[0], &text, error);
    if (status != STATUS_OK) return status;
    enum doc_type type = fields[1].value.type;
    if (type != DOC_DOCUMENT && type != DOC_ARRAY && type != DOC_MISSING)
        return error_set(error, STATUS_INVALID,
                         "field 'parameters' must be a document or an array");
    status = call_view_begin(call);
    if (status != STATUS_OK) return status;
    call->pql = arena_zalloc(&call->arena, sizeof *call->pql);
    if (call->pql == NULL) return error_set(error, STATUS_NO_MEMORY, "no memory for the query");
    return pql_parse(text, &fields[1].value, view_catalog(&call->view), &call->arena, call->pql,
                     error);
}

enum status operation_pql(struct call *call, uint64_t deadline_ns) {
    enum status status = parse(call);
    if (status != STATUS_OK) return status;
    if (writes(call->pql)) {
        if (call->session->role < PERMISSION_WRITE)
            return error_set(&call->error, STATUS_FORBIDDEN,
                             "a query that writes is not allowed in this session");
        call->point = READ_LATEST;
        call_view_end(call);
        status = call_view_begin(call);
        if (status != STATUS_OK) return status;
    }
    if (call->pql->kind == PQL_INSERT) return insert(call);
    if (call->pql->kind == PQL_EXPLAIN) return explain(call, deadline_ns);
    status = begin_query(call);
    return status == STATUS_OK ? operation_query_step(call, deadline_ns) : status;
}
