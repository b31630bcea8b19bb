// SPDX-License-Identifier: Apache-2.0
// Reading head documents, writing replies.
#include "engine/session.h"

static struct head_field *find_field(struct head_field *fields, size_t count, struct bytes name) {
    // A name in BSON holds no NUL and stands before one.
    for (size_t i = 0; i < count; i++)
        if (name.data[0] == (uint8_t)fields[i].name[0] &&
            strcmp((const char *)name.data, fields[i].name) == 0)
            return &fields[i];
    return NULL;
}

enum status head_read(struct bytes head, struct head_field *fields, size_t count,
                      struct error *error) {
    struct doc_iterator iterator;
    struct bytes name;
    struct doc_value value;
    doc_iterate(&iterator, head);
    while (doc_next(&iterator, &name, &value)) {
        struct head_field *field = find_field(fields, count, name);
        if (field == NULL)
            return error_set(error, STATUS_INVALID, "unknown field '%.*s'",
                             (int)(name.size < 64 ? name.size : 64), (const char *)name.data);
        if (field->value.type != DOC_MISSING)
            return error_set(error, STATUS_INVALID, "field '%s' occurs twice", field->name);
        field->value = value;
    }
    for (size_t i = 0; i < count; i++)
        if (fields[i].required && fields[i].value.type == DOC_MISSING)
            return error_set(error, STATUS_INVALID, "field '%s' is missing", fields[i].name);
    return STATUS_OK;
}

enum status head_string(const struct head_field *field, struct bytes *ret, struct error *error) {
    if (field->value.type == DOC_MISSING) return STATUS_OK;
    if (field->value.type != DOC_STRING)
        return error_set(error, STATUS_INVALID, "field '%s' is %s, a string is expected",
                         field->name, doc_type_name(field->value.type));
    *ret = field->value.payload;
    return STATUS_OK;
}

enum status head_sequence(const struct head_field *field, uint64_t *ret, struct error *error) {
    if (field->value.type == DOC_MISSING) return STATUS_OK;
    if ((field->value.type != DOC_INT64 && field->value.type != DOC_INT32) ||
        field->value.integer < 1)
        return error_set(error, STATUS_INVALID, "field '%s' must be a positive integer",
                         field->name);
    *ret = (uint64_t)field->value.integer;
    return STATUS_OK;
}

enum status reply_document(struct call *call, struct bytes document) {
    enum status status = buffer_append(&call->reply, document.data, document.size);
    return status == STATUS_OK ? status : error_set(&call->error, status, "reply too large");
}

enum status reply_finish(struct call *call, uint32_t count, bool trailer) {
    enum status status =
        packet_finish(&call->reply, 0, (uint16_t)(PACKET_REPLY | (trailer ? PACKET_TRAILER : 0)),
                      STATUS_OK, count);
    return status == STATUS_OK ? status : error_set(&call->error, status, "reply too large");
}

static enum status finish_trailer(struct call *call, struct doc_builder *builder) {
    enum status status = doc_builder_finish(builder);
    if (status != STATUS_OK) return error_set(&call->error, status, "no memory for the reply");
    return reply_finish(call, 0, true);
}

enum status reply_empty(struct call *call) {
    struct doc_builder builder;
    doc_builder_begin(&builder, &call->reply);
    return finish_trailer(call, &builder);
}

enum status reply_sequence(struct call *call, uint64_t sequence) {
    struct doc_builder builder;
    doc_builder_begin(&builder, &call->reply);
    doc_add_int(&builder, "sequence", (int64_t)sequence);
    return finish_trailer(call, &builder);
}
