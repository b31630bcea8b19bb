// SPDX-License-Identifier: Apache-2.0
// The catalogue's forms outside memory: operations of the log and entries of the index.
#include "base/limits.h"
#include "storage/catalog.h"
#include "storage/catalog_internal.h"

#define ENTRY_NAME_SIZE 5 // 's' or 'i', and a big-endian id

// ---- names ----------------------------------------------------------------------------------

static bool name_byte_allowed(uint8_t c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
}

enum status catalog_check_name(struct bytes name, struct error *error) {
    if (name.size == 0) return error_set(error, STATUS_INVALID, "a name is empty");
    if (name.size > STORE_NAME_MAX)
        return error_set(error, STATUS_INVALID, "a name has %zu bytes, at most %d are allowed",
                         name.size, STORE_NAME_MAX);
    if (name.data[0] == '.' || name.data[0] == '-')
        return error_set(error, STATUS_INVALID, "a name begins with '%c'", name.data[0]);
    for (size_t i = 0; i < name.size; i++)
        if (!name_byte_allowed(name.data[i]))
            return error_set_at(error, STATUS_INVALID, (int64_t)i,
                                "a name holds a character other than letters, digits, '_', '.' "
                                "and '-' at position %zu",
                                i);
    return STATUS_OK;
}

// ---- values ---------------------------------------------------------------------------------

enum status catalog_encode_store(struct buffer *buffer, uint32_t id, struct bytes name,
                                 enum key_type key_type) {
    struct doc_builder builder;
    doc_builder_begin(&builder, buffer);
    doc_add_int(&builder, "id", id);
    doc_add_string(&builder, "name", name);
    doc_add_int(&builder, "key_type", key_type);
    return doc_builder_finish(&builder);
}

enum status catalog_encode_index(struct buffer *buffer, uint32_t id, uint32_t store_id,
                                 struct bytes name, struct bytes field, enum index_state state) {
    struct doc_builder builder;
    doc_builder_begin(&builder, buffer);
    doc_add_int(&builder, "id", id);
    doc_add_int(&builder, "store_id", store_id);
    doc_add_string(&builder, "name", name);
    doc_add_string(&builder, "field", field);
    doc_add_int(&builder, "state", state);
    return doc_builder_finish(&builder);
}

static enum status encode_next_ids(struct buffer *buffer, const struct catalog *catalog) {
    struct doc_builder builder;
    doc_builder_begin(&builder, buffer);
    doc_add_int(&builder, "store", catalog->next_store_id);
    doc_add_int(&builder, "index", catalog->next_index_id);
    return doc_builder_finish(&builder);
}

static bool get_id(struct bytes document, const char *name, uint32_t *ret) {
    int64_t number = 0;
    if (!doc_get_int(document, name, &number) || number < 1 || number > UINT32_MAX) return false;
    *ret = (uint32_t)number;
    return true;
}

struct store_definition {
    uint32_t id;
    enum key_type key_type;
    struct bytes name;
};

static bool decode_store(struct bytes value, struct store_definition *ret) {
    int64_t key_type = 0;
    if (doc_validate(value, NULL) != STATUS_OK || !get_id(value, "id", &ret->id) ||
        !doc_get_string(value, "name", &ret->name) || !doc_get_int(value, "key_type", &key_type))
        return false;
    if (key_type < KEY_UUID || key_type > KEY_STRING) return false;
    ret->key_type = (enum key_type)key_type;
    return catalog_check_name(ret->name, NULL) == STATUS_OK;
}

static bool decode_index(struct bytes value, struct catalog_index_definition *ret) {
    int64_t state = 0;
    if (doc_validate(value, NULL) != STATUS_OK || !get_id(value, "id", &ret->id) ||
        !get_id(value, "store_id", &ret->store_id) || !doc_get_string(value, "name", &ret->name) ||
        !doc_get_string(value, "field", &ret->field) || !doc_get_int(value, "state", &state))
        return false;
    if (state != INDEX_BUILDING && state != INDEX_READY) return false;
    ret->state = (enum index_state)state;
    return catalog_check_name(ret->name, NULL) == STATUS_OK && doc_path_valid(ret->field);
}

// ---- operations -----------------------------------------------------------------------------

// An id that was given before is corruption, even when what had it is gone.
static enum status create_store(struct catalog *catalog, const struct operation *operation) {
    struct store_definition store;
    if (!decode_store(operation->value, &store) || store.id != operation->id ||
        store.id < catalog->next_store_id)
        return STATUS_CORRUPT;
    return catalog_add_store(catalog, store.id, store.key_type, store.name);
}

static enum status create_index(struct catalog *catalog, const struct operation *operation) {
    struct catalog_index_definition index;
    if (!decode_index(operation->value, &index) || index.id != operation->id ||
        index.id < catalog->next_index_id)
        return STATUS_CORRUPT;
    return catalog_add_index(catalog, &index);
}

static enum status apply(struct catalog *catalog, const struct operation *operation) {
    switch (operation->kind) {
    case OPERATION_CREATE_STORE:
        return create_store(catalog, operation);
    case OPERATION_DROP_STORE:
        return catalog_remove_store(catalog, operation->id);
    case OPERATION_CREATE_INDEX:
        return create_index(catalog, operation);
    case OPERATION_INDEX_READY:
        return catalog_ready_index(catalog, operation->id);
    case OPERATION_DROP_INDEX:
        return catalog_remove_index(catalog, operation->id);
    default:
        return STATUS_CORRUPT;
    }
}

enum status catalog_apply(const struct catalog *catalog, const struct operation *operation,
                          struct catalog **ret) {
    struct catalog *copy = NULL;
    enum status status = catalog_copy(catalog, &copy);
    if (status != STATUS_OK) return status;
    status = apply(copy, operation);
    if (status != STATUS_OK) {
        catalog_unref(copy);
        return status;
    }
    *ret = copy;
    return STATUS_OK;
}

// ---- entries of the index -------------------------------------------------------------------

static enum status load_store(struct catalog *catalog, uint32_t id, struct bytes value) {
    struct store_definition store;
    if (!decode_store(value, &store) || store.id != id) return STATUS_CORRUPT;
    enum status status = catalog_add_store(catalog, store.id, store.key_type, store.name);
    return status == STATUS_OK ? catalog_attach_waiting(catalog, id) : status;
}

static enum status load_index(struct catalog *catalog, uint32_t id, struct bytes value) {
    struct catalog_index_definition index;
    if (!decode_index(value, &index) || index.id != id) return STATUS_CORRUPT;
    if (catalog_store_by_id(catalog, index.store_id) != NULL)
        return catalog_add_index(catalog, &index);
    return catalog_wait_index(catalog, &index);
}

static enum status load_next_ids(struct catalog *catalog, struct bytes value) {
    uint32_t store = 0, index = 0;
    if (doc_validate(value, NULL) != STATUS_OK || !get_id(value, "store", &store) ||
        !get_id(value, "index", &index))
        return STATUS_CORRUPT;
    if (store > catalog->next_store_id) catalog->next_store_id = store;
    if (index > catalog->next_index_id) catalog->next_index_id = index;
    return STATUS_OK;
}

enum status catalog_load(struct catalog *catalog, struct bytes name, struct bytes value) {
    ASSERT(atomic_load(&catalog->references) == 1);
    if (bytes_equal_string(name, "n")) return load_next_ids(catalog, value);
    if (name.size != ENTRY_NAME_SIZE) return STATUS_CORRUPT;
    uint32_t id = load_be32(name.data + 1);
    if (name.data[0] == 's') return load_store(catalog, id, value);
    if (name.data[0] == 'i') return load_index(catalog, id, value);
    return STATUS_CORRUPT;
}

enum status catalog_load_end(const struct catalog *catalog) {
    return catalog->waiting.count == 0 ? STATUS_OK : STATUS_CORRUPT;
}

// ---- changes between catalogues -------------------------------------------------------------

struct entry_writer {
    struct buffer buffer;
    enum status (*write)(struct bytes name, struct bytes value, void *context);
    void *context;
};

static enum status write_entry(struct entry_writer *writer, char kind, uint32_t id,
                               struct bytes value) {
    uint8_t name[ENTRY_NAME_SIZE] = {(uint8_t)kind};
    store_be32(name + 1, id);
    return writer->write(bytes_of(name, sizeof name), value, writer->context);
}

static enum status write_store(struct entry_writer *writer, const struct store_info *store) {
    buffer_clear(&writer->buffer);
    enum status status = catalog_encode_store(&writer->buffer, store->id,
                                              bytes_of_string(store->name), store->key_type);
    if (status != STATUS_OK) return status;
    return write_entry(writer, 's', store->id, buffer_bytes(&writer->buffer));
}

static enum status write_index(struct entry_writer *writer, const struct index_info *index) {
    buffer_clear(&writer->buffer);
    enum status status = catalog_encode_index(&writer->buffer, index->id, index->store_id,
                                              bytes_of_string(index->name),
                                              bytes_of_string(index->field), index->state);
    if (status != STATUS_OK) return status;
    return write_entry(writer, 'i', index->id, buffer_bytes(&writer->buffer));
}

// Ids are never reused, so that only an index's state can differ under one.
static enum status write_changed_store(struct entry_writer *writer, const struct catalog *before,
                                       const struct store_info *store) {
    const struct store_info *old = before != NULL ? catalog_store_by_id(before, store->id) : NULL;
    if (old == store) return STATUS_OK;
    enum status status = old == NULL ? write_store(writer, store) : STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < store->index_count; i++) {
        const struct index_info *index = store->indexes[i];
        const struct index_info *known =
            before != NULL ? catalog_index_by_id(before, index->id) : NULL;
        if (known == NULL || known->state != index->state) status = write_index(writer, index);
    }
    return status;
}

static enum status delete_gone_store(struct entry_writer *writer, const struct catalog *after,
                                     const struct store_info *store) {
    const struct bytes nothing = {0};
    const struct store_info *left = catalog_store_by_id(after, store->id);
    if (left == store) return STATUS_OK;
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < store->index_count; i++)
        if (catalog_index_by_id(after, store->indexes[i]->id) == NULL)
            status = write_entry(writer, 'i', store->indexes[i]->id, nothing);
    if (status != STATUS_OK || left != NULL) return status;
    return write_entry(writer, 's', store->id, nothing);
}

static enum status write_next_ids(struct entry_writer *writer, const struct catalog *before,
                                  const struct catalog *after) {
    if (before != NULL && before->next_store_id == after->next_store_id &&
        before->next_index_id == after->next_index_id)
        return STATUS_OK;
    buffer_clear(&writer->buffer);
    enum status status = encode_next_ids(&writer->buffer, after);
    if (status != STATUS_OK) return status;
    return writer->write(bytes_of_string("n"), buffer_bytes(&writer->buffer), writer->context);
}

enum status catalog_store_changes(const struct catalog *before, const struct catalog *after,
                                  enum status (*write)(struct bytes name, struct bytes value,
                                                       void *context),
                                  void *context) {
    struct entry_writer writer = {.write = write, .context = context};
    enum status status = STATUS_OK;
    for (size_t i = 0; before != NULL && status == STATUS_OK && i < before->store_count; i++)
        status = delete_gone_store(&writer, after, catalog_store_at(before, i));
    for (size_t i = 0; status == STATUS_OK && i < after->store_count; i++)
        status = write_changed_store(&writer, before, catalog_store_at(after, i));
    if (status == STATUS_OK) status = write_next_ids(&writer, before, after);
    buffer_done(&writer.buffer);
    return status;
}
