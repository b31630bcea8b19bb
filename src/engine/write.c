// SPDX-License-Identifier: Apache-2.0
// Operations that write documents. All writes of a packet are one commit.
#include "base/limits.h"
#include "engine/prepared.h"

#define UPDATE_ATTEMPTS 1000 // an update loses only against a write that won, so this is plenty

enum status prepared_new(struct call *call, size_t count, struct prepared *ret) {
    struct arena *arena = &call->arena;
    *ret = (struct prepared){
        .writes = arena_zalloc(arena, count * sizeof *ret->writes),
        .scratch_offsets = arena_zalloc(arena, count * sizeof *ret->scratch_offsets),
        .scratch_sizes = arena_zalloc(arena, count * sizeof *ret->scratch_sizes),
        .key_types = arena_zalloc(arena, count * sizeof *ret->key_types),
        .count = count,
    };
    if (ret->writes == NULL || ret->scratch_offsets == NULL || ret->scratch_sizes == NULL ||
        ret->key_types == NULL)
        return error_set(&call->error, STATUS_NO_MEMORY, "no memory for %zu writes", count);
    return STATUS_OK;
}

static bool id_is_first(struct bytes document) {
    struct doc_iterator iterator;
    struct bytes name;
    struct doc_value value;
    doc_iterate(&iterator, document);
    return doc_next(&iterator, &name, &value) && bytes_equal_string(name, "_id");
}

enum status prepared_take(struct call *call, struct prepared *prepared, size_t i,
                          const struct store_info *store, struct bytes document) {
    struct write *write = &prepared->writes[i];
    struct doc_value id = doc_get(document, bytes_of_string("_id"));
    uint8_t generated[16];
    prepared->key_types[i] = store->key_type;
    prepared->scratch_offsets[i] = SIZE_MAX;
    write->store_id = store->id;
    write->document = document;
    if (id.type == DOC_MISSING) {
        if (store->key_type != KEY_UUID || write->kind != WRITE_INSERT)
            return error_set(&call->error, STATUS_INVALID, "the document has no _id");
        uuid_v7(&call->session->uuids, generated);
        id = (struct doc_value){
            .type = DOC_BINARY, .binary_subtype = 4, .payload = bytes_of(generated, 16)};
    }
    enum status status = key_from_value(store->key_type, &id, &write->key, &call->error);
    if (status != STATUS_OK || id_is_first(document)) return status;
    prepared->scratch_offsets[i] = call->scratch.size;
    status = doc_with_id(&call->scratch, document, &id);
    if (status != STATUS_OK)
        return error_set(&call->error, status, "the document with its _id: %s",
                         status_text(status));
    prepared->scratch_sizes[i] = call->scratch.size - prepared->scratch_offsets[i];
    return STATUS_OK;
}

static enum status next_document(struct call *call, struct bytes *ret) {
    struct bytes body = call->packet.body;
    if (body.size >= DOC_EMPTY_SIZE && load_le32(body.data) > DOCUMENT_SIZE_MAX &&
        load_le32(body.data) <= body.size)
        return error_set(&call->error, STATUS_TOO_LARGE,
                         "a document of %u bytes, at most %llu are allowed", load_le32(body.data),
                         DOCUMENT_SIZE_MAX);
    enum status status = packet_next_document(&call->packet.body, ret, &call->error);
    if (status == STATUS_END)
        return error_set(&call->error, STATUS_MALFORMED,
                         "the packet has fewer documents than its header states");
    return status;
}

static enum status check_body_end(struct call *call) {
    if (call->packet.body.size == 0) return STATUS_OK;
    return error_set(&call->error, STATUS_MALFORMED, "%zu bytes behind the last document",
                     call->packet.body.size);
}

enum status prepared_commit(struct call *call, struct prepared *prepared,
                            struct write_result *ret_result) {
    for (size_t i = 0; i < prepared->count; i++)
        if (prepared->scratch_offsets[i] != SIZE_MAX && prepared->scratch_sizes[i] > 0)
            prepared->writes[i].document = bytes_of(
                call->scratch.data + prepared->scratch_offsets[i], prepared->scratch_sizes[i]);
    struct write_result result = {0};
    enum status status =
        call->transaction != NULL
            ? transaction_write(call->transaction, prepared->writes, prepared->count, &result,
                                &call->error)
            : storage_write(call->session->storage, call->session->reader, prepared->writes,
                            prepared->count, &result, &call->error);
    if (status == STATUS_OK) {
        call_depends_on(call, result.last_sequence);
        *ret_result = result;
    } else {
        call_depends_on(call, result.depends_on);
        call->failed = (int64_t)result.failed;
        if (call->error.message[0] == '\0')
            error_set(&call->error, status, "write refused: %s", status_text(status));
    }
    return status;
}

static void add_ids(struct doc_builder *builder, const struct prepared *prepared) {
    doc_begin_array(builder, "ids");
    for (size_t i = 0; i < prepared->count; i++) {
        uint8_t storage[16];
        struct doc_value id =
            key_to_value(prepared->key_types[i], &prepared->writes[i].key, storage);
        doc_add_value(builder, bytes_of(NULL, 0), &id);
    }
    doc_end(builder);
}

enum status prepared_reply_ids(struct call *call, const struct prepared *prepared, bool sequence,
                               uint64_t last_sequence) {
    struct doc_builder builder;
    doc_builder_begin(&builder, &call->reply);
    if (sequence) doc_add_int(&builder, "sequence", (int64_t)last_sequence);
    add_ids(&builder, prepared);
    enum status status = doc_builder_finish(&builder);
    if (status != STATUS_OK) return error_set(&call->error, status, "no memory for the reply");
    return reply_finish(call, 0, true);
}

// insert, put and replace: {"store"} and documents, each written in the same way.
static enum status write_documents(struct call *call, enum write_kind kind, struct bytes name,
                                   uint64_t expected_sequence, struct prepared *ret_prepared,
                                   struct write_result *ret_result) {
    size_t count = call->packet.count - 1;
    enum status status = prepared_new(call, count, ret_prepared);
    if (status == STATUS_OK) status = call_view_begin(call);
    if (status != STATUS_OK) return status;
    const struct store_info *store;
    status = call_find_store(call, view_catalog(&call->view), name, &store);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct bytes document;
        ret_prepared->writes[i].kind = kind;
        ret_prepared->writes[i].expected_sequence = expected_sequence;
        status = next_document(call, &document);
        if (status == STATUS_OK) status = prepared_take(call, ret_prepared, i, store, document);
        if (status != STATUS_OK) call->failed = (int64_t)i;
    }
    if (status == STATUS_OK) status = check_body_end(call);
    call_view_end(call);
    return status == STATUS_OK ? prepared_commit(call, ret_prepared, ret_result) : status;
}

static enum status read_store_name(struct call *call, struct bytes *ret) {
    struct head_field fields[] = {{"store", true, {0}}};
    enum status status = head_read(call->head, fields, 1, &call->error);
    return status == STATUS_OK ? head_string(&fields[0], ret, &call->error) : status;
}

enum status operation_insert(struct call *call, uint64_t deadline_ns) {
    (void)deadline_ns;
    struct bytes name;
    struct prepared prepared;
    struct write_result result;
    enum status status = read_store_name(call, &name);
    if (status == STATUS_OK)
        status = write_documents(call, WRITE_INSERT, name, 0, &prepared, &result);
    return status == STATUS_OK ? prepared_reply_ids(call, &prepared, false, 0) : status;
}

enum status operation_put(struct call *call, uint64_t deadline_ns) {
    (void)deadline_ns;
    struct bytes name;
    struct prepared prepared;
    struct write_result result;
    enum status status = read_store_name(call, &name);
    if (status == STATUS_OK) status = write_documents(call, WRITE_PUT, name, 0, &prepared, &result);
    return status == STATUS_OK ? reply_sequence(call, result.last_sequence) : status;
}

enum status operation_replace(struct call *call, uint64_t deadline_ns) {
    (void)deadline_ns;
    struct head_field fields[] = {{"store", true, {0}}, {"expected_sequence", false, {0}}};
    struct bytes name;
    uint64_t expected = 0;
    struct prepared prepared;
    struct write_result result;
    enum status status = head_read(call->head, fields, 2, &call->error);
    if (status == STATUS_OK) status = head_string(&fields[0], &name, &call->error);
    if (status == STATUS_OK) status = head_sequence(&fields[1], &expected, &call->error);
    if (status == STATUS_OK)
        status = write_documents(call, WRITE_REPLACE, name, expected, &prepared, &result);
    return status == STATUS_OK ? reply_sequence(call, result.last_sequence) : status;
}

enum status operation_delete(struct call *call, uint64_t deadline_ns) {
    (void)deadline_ns;
    struct head_field fields[] = {
        {"store", true, {0}}, {"id", true, {0}}, {"expected_sequence", false, {0}}};
    struct error *error = &call->error;
    struct bytes name;
    struct prepared prepared;
    struct write_result result;
    enum status status = head_read(call->head, fields, 3, error);
    if (status == STATUS_OK) status = head_string(&fields[0], &name, error);
    if (status == STATUS_OK) status = prepared_new(call, 1, &prepared);
    if (status != STATUS_OK) return status;
    struct write *write = &prepared.writes[0];
    write->kind = WRITE_DELETE;
    status = head_sequence(&fields[2], &write->expected_sequence, error);
    if (status == STATUS_OK) status = call_view_begin(call);
    if (status != STATUS_OK) return status;
    const struct store_info *store;
    status = call_find_store(call, view_catalog(&call->view), name, &store);
    if (status == STATUS_OK)
        status = key_from_value(store->key_type, &fields[1].value, &write->key, error);
    if (status == STATUS_OK) write->store_id = store->id;
    call_view_end(call);
    prepared.scratch_offsets[0] = SIZE_MAX;
    if (status == STATUS_OK) status = prepared_commit(call, &prepared, &result);
    return status == STATUS_OK ? reply_sequence(call, result.last_sequence) : status;
}

// ---- update ---------------------------------------------------------------------------------

struct update {
    struct bytes store;
    struct doc_value id;
    struct bytes set;
    uint64_t expected_sequence;
};

static enum status read_update(struct call *call, struct update *ret) {
    struct head_field fields[] = {{"store", true, {0}},
                                  {"id", true, {0}},
                                  {"set", true, {0}},
                                  {"expected_sequence", false, {0}}};
    struct error *error = &call->error;
    *ret = (struct update){0};
    enum status status = head_read(call->head, fields, 4, error);
    if (status == STATUS_OK) status = head_string(&fields[0], &ret->store, error);
    if (status == STATUS_OK) status = head_sequence(&fields[3], &ret->expected_sequence, error);
    if (status != STATUS_OK) return status;
    if (fields[2].value.type != DOC_DOCUMENT)
        return error_set(error, STATUS_INVALID, "field 'set' must be a document");
    ret->id = fields[1].value;
    ret->set = fields[2].value.payload;
    if (doc_get(ret->set, bytes_of_string("_id")).type != DOC_MISSING)
        return error_set(error, STATUS_INVALID, "_id cannot be changed");
    return STATUS_OK;
}

// One attempt: reads the newest version, sets the fields, writes it if it is still the newest.
static enum status update_once(struct call *call, const struct update *update,
                               struct prepared *prepared) {
    struct write *write = &prepared->writes[0];
    struct error *error = &call->error;
    enum status status = call_view_begin(call);
    if (status != STATUS_OK) return status;
    const struct store_info *store;
    struct bytes document;
    uint64_t sequence = 0;
    status = call_find_store(call, view_catalog(&call->view), update->store, &store);
    if (status == STATUS_OK)
        status = key_from_value(store->key_type, &update->id, &write->key, error);
    if (status == STATUS_OK) {
        write->kind = WRITE_REPLACE;
        write->store_id = store->id;
        status = storage_get(&call->view, store->id, &write->key, &document, &sequence);
        if (status != STATUS_OK)
            error_set(error, status,
                      status == STATUS_NOT_FOUND ? "there is no such document"
                                                 : "reading the document");
    }
    if (status == STATUS_OK) {
        buffer_clear(&call->scratch);
        status = doc_set_fields(&call->scratch, document, update->set, error);
    }
    call_view_end(call);
    if (status != STATUS_OK) return status;
    prepared->scratch_offsets[0] = 0;
    prepared->scratch_sizes[0] = call->scratch.size;
    write->expected_sequence =
        update->expected_sequence != 0 ? update->expected_sequence : sequence;
    struct write_result result;
    return prepared_commit(call, prepared, &result);
}

enum status operation_update(struct call *call, uint64_t deadline_ns) {
    (void)deadline_ns;
    struct update update;
    struct prepared prepared;
    enum status status = read_update(call, &update);
    if (status == STATUS_OK) status = prepared_new(call, 1, &prepared);
    if (status != STATUS_OK) return status;
    call->point = READ_LATEST;
    for (int attempt = 0; attempt < UPDATE_ATTEMPTS; attempt++) {
        status = update_once(call, &update, &prepared);
        if (status != STATUS_CONFLICT || update.expected_sequence != 0) break;
        call->error = (struct error){.offset = -1};
        call->failed = -1;
    }
    if (status == STATUS_CONFLICT && call->error.message[0] == '\0')
        error_set(&call->error, status, "the document kept changing");
    if (status != STATUS_OK) return status;
    status = reply_document(call, buffer_bytes(&call->scratch));
    return status == STATUS_OK ? reply_finish(call, 1, false) : status;
}

// ---- write: several kinds and stores at once --------------------------------------------------

static enum status parse_kind(struct bytes name, enum write_kind *ret, struct error *error) {
    static const struct {
        const char *name;
        enum write_kind kind;
    } kinds[] = {{"insert", WRITE_INSERT},
                 {"put", WRITE_PUT},
                 {"replace", WRITE_REPLACE},
                 {"delete", WRITE_DELETE}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (bytes_equal_string(name, kinds[i].name)) {
            *ret = kinds[i].kind;
            return STATUS_OK;
        }
    return error_set(error, STATUS_INVALID, "op must be insert, put, replace or delete");
}

static enum status prepare_one(struct call *call, struct prepared *prepared, size_t i,
                               struct bytes item) {
    struct head_field fields[] = {{"op", true, {0}},
                                  {"store", true, {0}},
                                  {"id", false, {0}},
                                  {"expected_sequence", false, {0}}};
    struct error *error = &call->error;
    struct write *write = &prepared->writes[i];
    struct bytes op, name, document;
    const struct store_info *store;
    enum status status = head_read(item, fields, 4, error);
    if (status == STATUS_OK) status = head_string(&fields[0], &op, error);
    if (status == STATUS_OK) status = head_string(&fields[1], &name, error);
    if (status == STATUS_OK) status = parse_kind(op, &write->kind, error);
    if (status == STATUS_OK) status = head_sequence(&fields[3], &write->expected_sequence, error);
    if (status == STATUS_OK)
        status = call_find_store(call, view_catalog(&call->view), name, &store);
    if (status != STATUS_OK) return status;
    bool has_id = fields[2].value.type != DOC_MISSING;
    if (has_id != (write->kind == WRITE_DELETE))
        return error_set(error, STATUS_INVALID,
                         has_id ? "'id' goes with delete only" : "delete needs an 'id'");
    if (write->kind == WRITE_DELETE) {
        write->store_id = store->id;
        prepared->scratch_offsets[i] = SIZE_MAX;
        prepared->key_types[i] = store->key_type;
        return key_from_value(store->key_type, &fields[2].value, &write->key, error);
    }
    status = next_document(call, &document);
    return status == STATUS_OK ? prepared_take(call, prepared, i, store, document) : status;
}

static size_t count_elements(struct bytes array) {
    struct doc_iterator iterator;
    struct bytes name;
    struct doc_value value;
    size_t count = 0;
    doc_iterate(&iterator, array);
    while (doc_next(&iterator, &name, &value)) count++;
    return count;
}

// The header's count is the head, and one document for each write but deletes.
static enum status check_document_count(struct call *call, const struct prepared *prepared) {
    size_t count = 1;
    for (size_t i = 0; i < prepared->count; i++)
        if (prepared->writes[i].kind != WRITE_DELETE) count++;
    if (count == call->packet.count) return STATUS_OK;
    return error_set_at(&call->error, STATUS_MALFORMED, 20,
                        "the packet states %u documents and has %zu", call->packet.count, count);
}

static enum status prepare_all(struct call *call, struct prepared *prepared, struct bytes items) {
    struct doc_iterator iterator;
    struct bytes name;
    struct doc_value value;
    doc_iterate(&iterator, items);
    enum status status = call_view_begin(call);
    for (size_t i = 0; i < prepared->count && status == STATUS_OK; i++) {
        bool found = doc_next(&iterator, &name, &value);
        ASSERT(found);
        status = value.type == DOC_DOCUMENT
                     ? prepare_one(call, prepared, i, value.payload)
                     : error_set(&call->error, STATUS_INVALID, "'writes' must hold documents");
        if (status != STATUS_OK) call->failed = (int64_t)i;
    }
    if (status == STATUS_OK) status = check_body_end(call);
    if (status == STATUS_OK) status = check_document_count(call, prepared);
    call_view_end(call);
    return status;
}

enum status operation_write(struct call *call, uint64_t deadline_ns) {
    (void)deadline_ns;
    struct head_field fields[] = {{"writes", true, {0}}};
    enum status status = head_read(call->head, fields, 1, &call->error);
    if (status != STATUS_OK) return status;
    if (fields[0].value.type != DOC_ARRAY)
        return error_set(&call->error, STATUS_INVALID, "field 'writes' must be an array");
    struct bytes items = fields[0].value.payload;
    size_t count = count_elements(items);
    if (count == 0 || count > BATCH_OPS_MAX)
        return error_set(&call->error, STATUS_INVALID, "1 to %d writes, not %zu", BATCH_OPS_MAX,
                         count);
    struct prepared prepared;
    struct write_result result;
    status = prepared_new(call, count, &prepared);
    if (status == STATUS_OK) status = prepare_all(call, &prepared, items);
    if (status == STATUS_OK) status = prepared_commit(call, &prepared, &result);
    return status == STATUS_OK ? prepared_reply_ids(call, &prepared, true, result.last_sequence)
                               : status;
}
