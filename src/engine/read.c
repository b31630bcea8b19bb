// SPDX-License-Identifier: Apache-2.0
// Operations that only read: ping, get, query, count, catalog.
#include "engine/session.h"

enum status operation_ping(struct call *call, uint64_t deadline_ns) {
    (void)deadline_ns;
    enum status status = head_read(call->head, NULL, 0, &call->error);
    return status == STATUS_OK ? reply_empty(call) : status;
}

enum status operation_get(struct call *call, uint64_t deadline_ns) {
    (void)deadline_ns;
    struct head_field fields[] = {{"store", true, {0}}, {"id", true, {0}}};
    struct error *error = &call->error;
    struct bytes name;
    enum status status = head_read(call->head, fields, 2, error);
    if (status == STATUS_OK) status = head_string(&fields[0], &name, error);
    if (status == STATUS_OK) status = call_view_begin(call);
    if (status != STATUS_OK) return status;
    const struct store_info *store;
    struct key key;
    struct bytes document;
    status = call_find_store(call, view_catalog(&call->view), name, &store);
    if (status == STATUS_OK)
        status = key_from_value(store->key_type, &fields[1].value, &key, error);
    if (status != STATUS_OK) return status;
    status = storage_get(&call->view, store->id, &key, &document, NULL);
    if (status == STATUS_NOT_FOUND)
        return error_set(error, status, "there is no such document in '%s'", store->name);
    if (status != STATUS_OK) return error_set(error, status, "reading from '%s'", store->name);
    status = reply_document(call, document);
    return status == STATUS_OK ? reply_finish(call, 1, false) : status;
}

static enum status finish_query(struct call *call) {
    bool counting =
        call->packet.op == OP_COUNT || (call->pql != NULL && call->pql->kind == PQL_COUNT);
    uint64_t count = query_result_count(call->query);
    struct bytes next = counting ? bytes_of(NULL, 0) : query_next_cursor(call->query);
    struct doc_builder builder;
    doc_builder_begin(&builder, &call->reply);
    if (counting)
        doc_add_int(&builder, "count", (int64_t)count);
    else if (next.size == 0)
        doc_add_null(&builder, "next");
    else
        doc_add_binary(&builder, "next", 0, next);
    enum status status = doc_builder_finish(&builder);
    if (status != STATUS_OK)
        return error_set(&call->error, status, "the trailer does not fit into the reply: %s",
                         status_text(status));
    return reply_finish(call, counting ? 0 : (uint32_t)count, true);
}

enum status operation_query_step(struct call *call, uint64_t deadline_ns) {
    enum status status =
        query_step(call->query, call->session->clock, deadline_ns, &call->reply, &call->error);
    if (status != STATUS_OK) return status;
    bool further = call->pql != NULL && (call->pql->analyze || call->pql->kind == PQL_UPDATE ||
                                         call->pql->kind == PQL_DELETE);
    return further ? pql_finish(call, deadline_ns) : finish_query(call);
}

enum status operation_query(struct call *call, uint64_t deadline_ns) {
    enum status status = call_view_begin(call);
    if (status != STATUS_OK) return status;
    status = query_prepare(&call->view, call->head, call->packet.op == OP_COUNT, &call->arena,
                           &call->query, &call->error);
    return status == STATUS_OK ? operation_query_step(call, deadline_ns) : status;
}

enum status operation_count(struct call *call, uint64_t deadline_ns) {
    return operation_query(call, deadline_ns);
}

static void add_store(struct doc_builder *builder, const struct store_info *store) {
    doc_add_string(builder, "store", bytes_of_string(store->name));
    doc_add_int(builder, "id", store->id);
    doc_add_string(builder, "key_type", bytes_of_string(key_type_name(store->key_type)));
    doc_begin_array(builder, "indexes");
    for (size_t i = 0; i < store->index_count; i++) {
        const struct index_info *index = store->indexes[i];
        doc_begin_document(builder, NULL);
        doc_add_string(builder, "index", bytes_of_string(index->name));
        doc_add_int(builder, "id", index->id);
        doc_add_string(builder, "field", bytes_of_string(index->field));
        doc_add_string(builder, "state",
                       bytes_of_string(index->state == INDEX_READY ? "ready" : "building"));
        doc_end(builder);
    }
    doc_end(builder);
}

enum status operation_catalog(struct call *call, uint64_t deadline_ns) {
    (void)deadline_ns;
    enum status status = head_read(call->head, NULL, 0, &call->error);
    if (status == STATUS_OK) status = call_view_begin(call);
    if (status != STATUS_OK) return status;
    const struct catalog *catalog = view_catalog(&call->view);
    size_t count = catalog_store_count(catalog);
    for (size_t i = 0; i < count; i++) {
        struct doc_builder builder;
        doc_builder_begin(&builder, &call->reply);
        add_store(&builder, catalog_store_at(catalog, i));
        status = doc_builder_finish(&builder);
        if (status != STATUS_OK) return error_set(&call->error, status, "reply too large");
    }
    return reply_finish(call, (uint32_t)count, false);
}
