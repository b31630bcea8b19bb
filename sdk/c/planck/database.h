// SPDX-License-Identifier: Apache-2.0
// A part of planck.c. Operations on documents, and batches of them.

// A packet that holds the head {"store": …} and more of it until head_end().
static struct buffer head_begin(const char *store, size_t more) {
    struct pk_text name = pk_text_of(store);
    struct buffer packet = packet_begin(32 + name.size + more);
    put_start(&packet);
    put_text(&packet, PK_TEXT("store"), name);
    return packet;
}

static void head_end(struct buffer *packet) {
    put_end(packet, PACKET_HEADER_SIZE);
}

static struct buffer head_with_id(const char *store, const struct pk_key *key) {
    struct buffer packet = head_begin(store, 32 + key->text.size);
    put_key(&packet, PK_TEXT("id"), key);
    return packet;
}

// The reply's only document. A reply to another question than ours has none.
static void first_document(const struct reply *reply, struct pk_document *ret) {
    if (reply->count == 0) pk_abort("a reply is malformed");
    *ret = (struct pk_document){reply->documents.data, next_document_size(&reply->documents)};
}

enum pk_status pk_find(const char *store, struct pk_key key, struct pk_document *ret) {
    struct buffer packet = head_with_id(store, &key);
    head_end(&packet);
    struct reply reply;
    enum pk_status status = exchange(&packet, OP_GET, 1, &reply);
    if (status == PK_OK) first_document(&reply, ret);
    return status;
}

static enum pk_status send_document(const char *store, enum packet_op op,
                                    struct pk_document document, struct reply *ret) {
    struct buffer packet = head_begin(store, document.size);
    head_end(&packet);
    packet_append(&packet, document);
    return exchange(&packet, op, 2, ret);
}

enum pk_status pk_insert(const char *store, struct pk_document document, struct pk_value *ret_id) {
    struct reply reply;
    enum pk_status status = send_document(store, OP_INSERT, document, &reply);
    if (status == PK_OK && ret_id != NULL) *ret_id = pk_get(reply.trailer, "ids.0");
    return status;
}

enum pk_status pk_put(const char *store, struct pk_document document) {
    struct reply reply;
    return send_document(store, OP_PUT, document, &reply);
}

enum pk_status pk_replace(const char *store, struct pk_document document) {
    struct reply reply;
    return send_document(store, OP_REPLACE, document, &reply);
}

enum pk_status pk_update(const char *store, struct pk_key key, struct pk_document changes,
                         struct pk_document *ret) {
    struct buffer packet = head_with_id(store, &key);
    put_document(&packet, PK_TYPE_DOCUMENT, PK_TEXT("set"), changes);
    head_end(&packet);
    struct reply reply;
    enum pk_status status = exchange(&packet, OP_UPDATE, 1, &reply);
    if (status == PK_OK && ret != NULL) first_document(&reply, ret);
    return status;
}

enum pk_status pk_delete(const char *store, struct pk_key key) {
    struct buffer packet = head_with_id(store, &key);
    head_end(&packet);
    struct reply reply;
    return exchange(&packet, OP_DELETE, 1, &reply);
}

// ---- batches ----------------------------------------------------------------------------------

struct pk_batch {
    struct buffer packet; // its head is open: {"writes": [
    size_t writes_start;
    uint32_t count;
    uint32_t document_count;
    struct buffer documents;
};

struct pk_batch *pk_batch_begin(void) {
    struct pk_batch *batch = (struct pk_batch *)allocate(sizeof *batch);
    *batch = (struct pk_batch){.packet = packet_begin(0)};
    put_start(&batch->packet);
    put_element(&batch->packet, PK_TYPE_ARRAY, PK_TEXT("writes"), 0);
    batch->writes_start = put_start(&batch->packet);
    return batch;
}

static void batch_add(struct pk_batch *batch, const char *op, const char *store,
                      const struct pk_key *key) {
    struct buffer *packet = &batch->packet;
    uint8_t storage[POSITION_ROOM];
    struct pk_text name = text_of(storage, write_decimal(storage, batch->count++));
    put_element(packet, PK_TYPE_DOCUMENT, name, 0);
    size_t start = put_start(packet);
    put_text(packet, PK_TEXT("op"), pk_text_of(op));
    put_text(packet, PK_TEXT("store"), pk_text_of(store));
    if (key != NULL) put_key(packet, PK_TEXT("id"), key);
    put_end(packet, start);
}

static void batch_add_document(struct pk_batch *batch, const char *op, const char *store,
                               struct pk_document document) {
    batch_add(batch, op, store, NULL);
    packet_append(&batch->documents, document);
    batch->document_count++;
}

void pk_batch_insert(struct pk_batch *batch, const char *store, struct pk_document document) {
    batch_add_document(batch, "insert", store, document);
}

void pk_batch_put(struct pk_batch *batch, const char *store, struct pk_document document) {
    batch_add_document(batch, "put", store, document);
}

void pk_batch_replace(struct pk_batch *batch, const char *store, struct pk_document document) {
    batch_add_document(batch, "replace", store, document);
}

void pk_batch_delete(struct pk_batch *batch, const char *store, struct pk_key key) {
    batch_add(batch, "delete", store, &key);
}

enum pk_status pk_batch_commit(struct pk_batch *batch) {
    if (batch->count == 0) return PK_OK;
    put_end(&batch->packet, batch->writes_start);
    put_end(&batch->packet, PACKET_HEADER_SIZE);
    buffer_append(&batch->packet, batch->documents.data, batch->documents.size);
    struct reply reply;
    enum pk_status status = exchange(&batch->packet, OP_WRITE, 1 + batch->document_count, &reply);
    batch->count = 0; // committing again does nothing
    return status;
}
