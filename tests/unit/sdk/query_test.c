// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"
#include "fake_host.h"

enum { QUERY = 15, COUNT = 16 };

static enum pk_status status;
static struct pk_result result;
static struct pk_text after;

static void run_plain(struct pk_request *request) {
    struct pk_select *query = pk_from("products");
    pk_after(query, after);
    status = pk_run(query, &result);
    struct pk_out *out = pk_plain(request);
    if (status != PK_OK) return pk_raw_text(out, pk_error_message());
    struct pk_document document;
    while (pk_result_next(&result, &document)) {
        pk_write_int(out, pk_get_int(document, "_id", -1));
        pk_raw(out, ",");
    }
    CHECK(!pk_result_next(&result, &document));
    pk_raw_text(out, result.next);
}

TEST(a_query_needs_a_store_only) {
    const char *const documents[] = {"{\"_id\": 1}", "{\"_id\": 2, \"a\": \"b\"}", "{\"_id\": 3}"};
    host_reply(QUERY, PK_OK, documents, 3, "{\"next\": null}");
    after = (struct pk_text){NULL, 0};
    host_run(run_plain);
    host_check_head(QUERY, "{\"store\": \"products\"}");
    CHECK_BYTES("1,2,3,", host_body());
    CHECK_EQUAL(3, result.count);
    CHECK(result.next.data == NULL);
}

TEST(no_documents_are_a_result) {
    host_reply(QUERY, PK_OK, NULL, 0, "{\"next\": null}");
    host_run(run_plain);
    CHECK_EQUAL(PK_OK, status);
    CHECK_EQUAL(0, result.count);
}

static void run_everything(struct pk_request *request) {
    struct pk_select *query = pk_from("products");
    struct pk_key key;
    CHECK(pk_key_uuid(PK_TEXT("01890a5d-ac96-774b-bcce-b302099a8057"), &key));
    pk_where_text(query, "category", PK_EQ, PK_TEXT("Pizza"));
    pk_where_int(query, "price", PK_GE, 500);
    pk_any_begin(query);
    pk_where_double(query, "rating", PK_LT, 2.5);
    pk_where_bool(query, "hidden", true);
    pk_any_begin(query);
    pk_any_end(query);
    pk_any_end(query);
    pk_where_text(query, "name", PK_CONTAINS_ANY_CASE, PK_TEXT("é"));
    pk_where_key(query, "_id", PK_NE, key);
    pk_where_exists(query, "address.city");
    pk_order_by(query, "price", PK_DESCENDING);
    pk_order_by(query, "name", PK_ASCENDING);
    pk_limit(query, 20);
    pk_skip(query, 40);
    pk_after(query, PK_TEXT("AQID"));
    pk_fields(query, "name");
    pk_fields(query, "price");
    int64_t count = 0;
    CHECK_EQUAL(PK_OK, pk_count(query, &count));
    CHECK_EQUAL(123, count);
    pk_where_text(query, "late", PK_STARTS_WITH, PK_TEXT("x")); // a query can go on
    status = pk_run(query, &result);
}

#define FILTER(more)                                                                               \
    "\"filter\": {\"op\": \"and\", \"conditions\": ["                                              \
    "{\"op\": \"eq\", \"field\": \"category\", \"value\": \"Pizza\"}, "                            \
    "{\"op\": \"ge\", \"field\": \"price\", \"value\": {\"$numberLong\": \"500\"}}, "              \
    "{\"op\": \"or\", \"conditions\": ["                                                           \
    "{\"op\": \"lt\", \"field\": \"rating\", \"value\": 2.5}, "                                    \
    "{\"op\": \"eq\", \"field\": \"hidden\", \"value\": true}, "                                   \
    "{\"op\": \"or\", \"conditions\": []}]}, "                                                     \
    "{\"op\": \"contains\", \"field\": \"name\", \"ignore_case\": true, \"value\": \"é\"}, "       \
    "{\"op\": \"ne\", \"field\": \"_id\", \"value\": {\"$binary\": {\"base64\": "                  \
    "\"AYkKXayWd0u8zrMCCZqAVw==\", \"subType\": \"04\"}}}, "                                       \
    "{\"op\": \"exists\", \"field\": \"address.city\"}" more "]}"
#define RANGE "\"limit\": {\"$numberLong\": \"20\"}, \"skip\": {\"$numberLong\": \"40\"}"

TEST(the_logical_form_is_written) {
    host_reply_trailer(COUNT, "{\"count\": 123}");
    host_reply(QUERY, PK_OK, NULL, 0, "{\"next\": null}");
    host_run(run_everything);
    CHECK_EQUAL(PK_OK, status);
    host_check_head(QUERY, "{\"store\": \"products\", " FILTER(
                               ", {\"op\": \"starts_with\", \"field\": \"late\", "
                               "\"value\": \"x\"}") ", " RANGE ", \"sort\": [{\"field\": "
                                                    "\"price\", \"descending\": "
                                                    "true}, {\"field\": \"name\"}], "
                                                    "\"fields\": [\"name\", "
                                                    "\"price\"], "
                                                    "\"after\": {\"$binary\": "
                                                    "{\"base64\": \"AQID\", "
                                                    "\"subType\": \"00\"}}}");
}

static void run_count(struct pk_request *request) {
    struct pk_select *query = pk_from("products");
    pk_order_by(query, "price", PK_DESCENDING);
    pk_fields(query, "name");
    pk_after(query, PK_TEXT("AQID"));
    pk_where_exists(query, "a");
    int64_t count;
    status = pk_count(query, &count);
}

TEST(count_leaves_out_what_it_may_not_have) {
    host_reply_trailer(COUNT, "{\"count\": 0}");
    host_run(run_count);
    host_check_head(COUNT, "{\"store\": \"products\", \"filter\": {\"op\": \"and\", "
                           "\"conditions\": [{\"op\": \"exists\", \"field\": \"a\"}]}}");
}

static enum pk_compare compare;

static void run_compare(struct pk_request *request) {
    struct pk_select *query = pk_from("s");
    pk_where_text(query, "f", compare, PK_TEXT("v"));
    status = pk_run(query, &result);
}

TEST(every_comparison_has_its_name) {
    static const char *const names[] = {"eq", "ne",       "lt",          "le",       "gt",
                                        "ge", "contains", "starts_with", "ends_with"};
    for (compare = PK_EQ; compare <= PK_ENDS_WITH; compare++) {
        char head[256];
        snprintf(head, sizeof head,
                 "{\"store\": \"s\", \"filter\": {\"op\": \"and\", \"conditions\": [{\"op\": "
                 "\"%s\", \"field\": \"f\", \"value\": \"v\"}]}}",
                 names[compare]);
        host.reply_count = host.replies_given = 0;
        memset(host.replies, 0, sizeof host.replies);
        host_reply(QUERY, PK_OK, NULL, 0, "{\"next\": null}");
        host_run(run_compare);
        host_check_head(QUERY, head);
        buffer_done(&host.replies[0]);
    }
}

// ---- cursors ------------------------------------------------------------------------------------

// A trailer {"next": <binary>} in relaxed extended JSON.
static void reply_with_cursor(const uint8_t *bytes, size_t size) {
    struct buffer document = {0};
    struct doc_builder builder;
    doc_builder_begin(&builder, &document);
    doc_add_binary(&builder, "next", 0, bytes_of(bytes, size));
    CHECK_OK(doc_builder_finish(&builder));
    host.reply_count = host.replies_given = 0;
    buffer_done(&host.replies[0]);
    host.replies[0] = (struct buffer){0};
    host_reply(QUERY, PK_OK, NULL, 0, json_of(buffer_bytes(&document)));
    buffer_done(&document);
}

TEST(cursors_come_back_as_they_went) {
    struct random_seeded random;
    random_seeded_init(&random, test_seed());
    for (size_t size = 1; size < 70; size++) {
        uint8_t bytes[70];
        random_fill(&random.source, bytes, sizeof bytes);
        reply_with_cursor(bytes, size);
        after = (struct pk_text){NULL, 0};
        host_run(run_plain);
        char text[128];
        snprintf(text, sizeof text, "%.*s", (int)host_body().size, host_body().data);
        CHECK_EQUAL(strlen(text), strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvw"
                                               "xyz0123456789-_"));
        reply_with_cursor(bytes, size);
        after = pk_text_of(text);
        host_run(run_plain);
        struct packet packet;
        CHECK_OK(packet_decode(buffer_bytes(&host.packet), &packet, NULL));
        struct bytes sent;
        CHECK(doc_get_binary(packet.body, "after", &sent));
        CHECK(bytes_equal(bytes_of(bytes, size), sent));
    }
}

TEST(malformed_cursors_are_invalid) {
    static const char *const cursors[] = {"A", "AAAAA", "AB", "AQI=", "AQ ID", "AQ+D", "A/==", "é"};
    for (size_t i = 0; i < sizeof cursors / sizeof *cursors; i++) {
        after = pk_text_of(cursors[i]);
        host_run(run_plain);
        if (status != PK_INVALID) test_fail(__FILE__, __LINE__, "accepted: %s", cursors[i]);
        CHECK_BYTES("the cursor is malformed", host_body());
    }
    CHECK_EQUAL(0, host.packet_count);
}

// ---- misuse -------------------------------------------------------------------------------------

static void leave_open(struct pk_request *request) {
    struct pk_select *query = pk_from("s");
    pk_any_begin(query);
    pk_run(query, &result);
}
static void end_too_often(struct pk_request *request) {
    struct pk_select *query = pk_from("s");
    pk_where_exists(query, "f");
    pk_any_end(query);
}
static void end_at_once(struct pk_request *request) {
    pk_any_end(pk_from("s"));
}

TEST(misuse_of_the_query_ends_the_request) {
    host_run_aborted(leave_open, "pk_any_begin: not ended");
    host_run_aborted(end_too_often, "pk_any_end: nothing was begun");
    host_run_aborted(end_at_once, "pk_any_end: nothing was begun");
}
