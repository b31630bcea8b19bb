// SPDX-License-Identifier: Apache-2.0
#include "fake_host.h"

enum { INSERT = 10, GET, REPLACE, UPDATE, DELETE, QUERY, COUNT, PUT, WRITE };

#define UUID_JSON "{\"$binary\": {\"base64\": \"AYkKXayWd0u8zrMCCZqAVw==\", \"subType\": \"04\"}}"
#define UUID_TEXT "01890a5d-ac96-774b-bcce-b302099a8057"

static struct pk_key find_key;
static enum pk_status status;

static void find(struct pk_request *request) {
    struct pk_document document = {NULL, 0};
    status = pk_find("products", find_key, &document);
    struct pk_out *out = pk_json(request);
    if (status == PK_OK) {
        pk_json_document(out, NULL, document);
    } else {
        CHECK(document.data == NULL);
        pk_json_text(out, NULL, pk_error_message());
    }
}

TEST(find_sends_the_key) {
    const char *document = "{\"_id\": 17, \"name\": \"Margherita\"}";
    host_reply(GET, PK_OK, &document, 1, NULL);
    find_key = pk_key_int(17);
    host_run(find);
    host_check_head(GET, "{\"store\": \"products\", \"id\": {\"$numberLong\": \"17\"}}");
    CHECK_BYTES("{\"_id\":17,\"name\":\"Margherita\"}", host_body());
    host_reply(GET, PK_OK, &document, 1, NULL);
    find_key = pk_key_text(PK_TEXT("a key of some length"));
    host_run(find);
    host_check_head(GET, "{\"store\": \"products\", \"id\": \"a key of some length\"}");
    host_reply(GET, PK_OK, &document, 1, NULL);
    CHECK(pk_key_uuid(PK_TEXT(UUID_TEXT), &find_key));
    host_run(find);
    host_check_head(GET, "{\"store\": \"products\", \"id\": " UUID_JSON "}");
}

TEST(failures_have_status_and_message) {
    find_key = pk_key_int(17);
    host_reply_error(GET, PK_NOT_FOUND, "no such document");
    host_run(find);
    CHECK_EQUAL(PK_NOT_FOUND, status);
    CHECK_BYTES("\"no such document\"", host_body());
}

TEST(pending_replies_are_waited_for) {
    const char *document = "{\"_id\": 17}";
    host_reply(GET, PK_OK, &document, 1, NULL);
    find_key = pk_key_int(17);
    host.pending = true;
    host_run(find);
    CHECK(!host.pending);
    CHECK_BYTES("{\"_id\":17}", host_body());
}

#define LONG_SIZE 3000000

TEST(replies_longer_than_memory_are_read_on) {
    char *json = malloc(LONG_SIZE + 32);
    CHECK(json != NULL);
    size_t start = (size_t)sprintf(json, "{\"a\": \"");
    for (size_t i = 0; i < LONG_SIZE; i++) json[start + i] = (char)('a' + i % 23);
    memcpy(json + start + LONG_SIZE, "\"}", 3);
    const char *document = json;
    find_key = pk_key_int(17);
    host_reply(GET, PK_OK, &document, 1, NULL);
    host_run(find);
    CHECK_EQUAL(1, host.reply_reads);
    CHECK_EQUAL(LONG_SIZE + 8, host_body().size);
    CHECK(memcmp(host_body().data + 6, json + start, LONG_SIZE) == 0);
    free(json);
}

// ---- writes -------------------------------------------------------------------------------------

static struct pk_document sample(void) {
    struct pk_builder *builder = pk_document_begin();
    pk_add_int(builder, "_id", 5);
    pk_add_text(builder, "name", PK_TEXT("x"));
    return pk_document_end(builder);
}

#define SAMPLE "{\"_id\": {\"$numberLong\": \"5\"}, \"name\": \"x\"}"

static void insert(struct pk_request *request) {
    struct pk_value id = {.type = PK_MISSING};
    CHECK_EQUAL(PK_OK, pk_insert("orders", sample(), &id));
    pk_raw_text(pk_plain(request), pk_value_to_text(id));
}

TEST(insert_gives_the_id) {
    host_reply_trailer(INSERT, "{\"ids\": [" UUID_JSON "]}");
    host_run(insert);
    const char *const documents[] = {"{\"store\": \"orders\"}", SAMPLE};
    host_check_packet(INSERT, documents, 2);
    CHECK_BYTES(UUID_TEXT, host_body());
}

static void put(struct pk_request *request) {
    CHECK_EQUAL(PK_OK, pk_put("orders", sample()));
}
static void replace(struct pk_request *request) {
    CHECK_EQUAL(PK_OK, pk_replace("orders", sample()));
}
static void delete(struct pk_request *request) {
    CHECK_EQUAL(PK_OK, pk_delete("orders", pk_key_int(5)));
}

TEST(writes_send_documents) {
    const char *const documents[] = {"{\"store\": \"orders\"}", SAMPLE};
    host_reply_trailer(PUT, "{\"sequence\": 9}");
    host_run(put);
    host_check_packet(PUT, documents, 2);
    host_reply_trailer(REPLACE, "{\"sequence\": 9}");
    host_run(replace);
    host_check_packet(REPLACE, documents, 2);
    host_reply_trailer(DELETE, "{\"sequence\": 9}");
    host_run(delete);
    host_check_head(DELETE, "{\"store\": \"orders\", \"id\": {\"$numberLong\": \"5\"}}");
}

static void update(struct pk_request *request) {
    struct pk_builder *changes = pk_document_begin();
    pk_add_text(changes, "address.city", PK_TEXT("Paris"));
    struct pk_document document;
    CHECK_EQUAL(PK_OK, pk_update("orders", pk_key_int(5), pk_document_end(changes), &document));
    pk_json_document(pk_json(request), NULL, document);
}

TEST(update_gives_the_new_document) {
    const char *document = "{\"_id\": 5, \"address\": {\"city\": \"Paris\"}}";
    host_reply(UPDATE, PK_OK, &document, 1, NULL);
    host_run(update);
    host_check_head(UPDATE, "{\"store\": \"orders\", \"id\": {\"$numberLong\": \"5\"}, "
                            "\"set\": {\"address.city\": \"Paris\"}}");
    CHECK_BYTES("{\"_id\":5,\"address\":{\"city\":\"Paris\"}}", host_body());
}

static void commit(struct pk_request *request) {
    struct pk_batch *batch = pk_batch_begin();
    CHECK_EQUAL(PK_OK, pk_batch_commit(batch)); // nothing to do
    pk_batch_insert(batch, "orders", sample());
    pk_batch_delete(batch, "carts", pk_key_text(PK_TEXT("c")));
    for (int i = 0; i < 3; i++) {
        struct pk_builder *line = pk_document_begin();
        pk_add_int(line, "n", i);
        pk_batch_put(batch, "lines", pk_document_end(line));
    }
    pk_batch_replace(batch, "stock", sample());
    status = pk_batch_commit(batch);
    CHECK_EQUAL(PK_OK, pk_batch_commit(batch)); // done already
}

TEST(batches_are_one_packet) {
    host_reply_trailer(WRITE, "{\"sequence\": 9, \"ids\": [1]}");
    host_run(commit);
    CHECK_EQUAL(PK_OK, status);
    CHECK_EQUAL(1, host.packet_count);
    const char *const documents[] = {
        "{\"writes\": [{\"op\": \"insert\", \"store\": \"orders\"}, {\"op\": \"delete\", "
        "\"store\": \"carts\", \"id\": \"c\"}, {\"op\": \"put\", \"store\": \"lines\"}, "
        "{\"op\": \"put\", \"store\": \"lines\"}, {\"op\": \"put\", \"store\": \"lines\"}, "
        "{\"op\": \"replace\", \"store\": \"stock\"}]}",
        SAMPLE,
        "{\"n\": {\"$numberLong\": \"0\"}}",
        "{\"n\": {\"$numberLong\": \"1\"}}",
        "{\"n\": {\"$numberLong\": \"2\"}}",
        SAMPLE,
    };
    host_check_packet(WRITE, documents, 6);
}

TEST(a_refused_batch_says_so) {
    host_reply_error(WRITE, PK_DUPLICATE_KEY, "there already");
    host_run(commit);
    CHECK_EQUAL(PK_DUPLICATE_KEY, status);
}

static void find_many(struct pk_request *request) {
    struct pk_document first, second;
    CHECK_EQUAL(PK_OK, pk_find("a", pk_key_int(1), &first));
    CHECK_EQUAL(PK_NOT_FOUND, pk_find("a", pk_key_int(2), &second));
    CHECK_EQUAL(PK_OK, pk_find("a", pk_key_int(3), &second));
    CHECK(pk_text_is(pk_get_text(first, "v"), "one"));
    CHECK(pk_text_is(pk_get_text(second, "v"), "three"));
    CHECK(pk_text_is(pk_error_message(), "nothing"));
}

TEST(earlier_documents_stay) {
    const char *one = "{\"v\": \"one\"}", *three = "{\"v\": \"three\"}";
    host_reply(GET, PK_OK, &one, 1, NULL);
    host_reply_error(GET, PK_NOT_FOUND, "nothing");
    host_reply(GET, PK_OK, &three, 1, NULL);
    host_run(find_many);
}
