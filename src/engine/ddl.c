// SPDX-License-Identifier: Apache-2.0
// Operations on the catalogue.
#include "engine/session.h"

static enum status reply_id(struct call *call, uint32_t id, uint64_t sequence) {
    call_depends_on(call, sequence);
    struct doc_builder builder;
    doc_builder_begin(&builder, &call->reply);
    doc_add_int(&builder, "id", id);
    enum status status = doc_builder_finish(&builder);
    if (status != STATUS_OK) return error_set(&call->error, status, "no memory for the reply");
    return reply_finish(call, 0, true);
}

enum status operation_create_store(struct call *call, uint64_t deadline_ns) {
    (void)deadline_ns;
    struct head_field fields[] = {{"store", true, {0}}, {"key_type", false, {0}}};
    struct error *error = &call->error;
    struct bytes name, type_name = bytes_of_string(key_type_name(KEY_UUID));
    enum status status = head_read(call->head, fields, 2, error);
    if (status == STATUS_OK) status = head_string(&fields[0], &name, error);
    if (status == STATUS_OK) status = head_string(&fields[1], &type_name, error);
    if (status != STATUS_OK) return status;
    enum key_type type;
    if (!key_type_parse(type_name, &type))
        return error_set(error, STATUS_INVALID,
                         "key_type must be uuid, int64, object_id or string");
    uint32_t id;
    uint64_t sequence;
    status = storage_create_store(call->session->storage, name, type, &id, &sequence, error);
    return status == STATUS_OK ? reply_id(call, id, sequence) : status;
}

enum status operation_drop_store(struct call *call, uint64_t deadline_ns) {
    (void)deadline_ns;
    struct head_field fields[] = {{"store", true, {0}}};
    struct bytes name;
    uint64_t sequence;
    enum status status = head_read(call->head, fields, 1, &call->error);
    if (status == STATUS_OK) status = head_string(&fields[0], &name, &call->error);
    if (status == STATUS_OK)
        status = storage_drop_store(call->session->storage, name, &sequence, &call->error);
    if (status != STATUS_OK) return status;
    call_depends_on(call, sequence);
    return reply_empty(call);
}

enum status operation_create_index(struct call *call, uint64_t deadline_ns) {
    (void)deadline_ns;
    struct head_field fields[] = {{"store", true, {0}}, {"index", true, {0}}, {"field", true, {0}}};
    struct bytes values[3];
    enum status status = head_read(call->head, fields, 3, &call->error);
    for (size_t i = 0; i < 3 && status == STATUS_OK; i++)
        status = head_string(&fields[i], &values[i], &call->error);
    uint32_t id;
    uint64_t sequence;
    if (status == STATUS_OK)
        status = storage_create_index(call->session->storage, values[0], values[1], values[2], &id,
                                      &sequence, &call->error);
    return status == STATUS_OK ? reply_id(call, id, sequence) : status;
}

enum status operation_drop_index(struct call *call, uint64_t deadline_ns) {
    (void)deadline_ns;
    struct head_field fields[] = {{"store", true, {0}}, {"index", true, {0}}};
    struct bytes values[2];
    uint64_t sequence;
    enum status status = head_read(call->head, fields, 2, &call->error);
    for (size_t i = 0; i < 2 && status == STATUS_OK; i++)
        status = head_string(&fields[i], &values[i], &call->error);
    if (status == STATUS_OK)
        status = storage_drop_index(call->session->storage, values[0], values[1], &sequence,
                                    &call->error);
    if (status != STATUS_OK) return status;
    call_depends_on(call, sequence);
    return reply_empty(call);
}
