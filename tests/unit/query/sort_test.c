// SPDX-License-Identifier: Apache-2.0
// Orders, pages, projections, slices, and the sorter alone.
#include "fixture.h"
#include "query/sort.h"

static void open_with_five(struct database *database) {
    static const char *const documents[] = {
        "{\"_id\": 1, \"a\": 2, \"b\": \"x\"}", "{\"_id\": 2, \"a\": 1, \"b\": \"y\"}",
        "{\"_id\": 3, \"a\": 2, \"b\": \"z\"}", "{\"_id\": 4, \"b\": \"x\"}",
        ("{\"_id\": 5, \"a\": null, \"b\": \"x\", "
         "\"n\": {\"x\": 1, \"y\": {\"z\": 2}, \"w\": [{\"v\": 1}]}}")};
    database_open(database);
    uint32_t store = database_store(database, "s", KEY_INT64);
    for (size_t i = 0; i < 5; i++) database_put_json(database, store, documents[i]);
}

#define CHECK_IDS(database, ids, form)                                                             \
    do {                                                                                           \
        const char *check_ids = run_ids(database, form);                                           \
        if (strcmp(check_ids, ids) != 0)                                                           \
            test_fail(__FILE__, __LINE__, "%s: %s, expected %s", form, check_ids, ids);            \
    } while (0)

#define SORTED(fields) "{\"store\": \"s\", \"sort\": [" fields "]}"

// Ties go by `_id` in the direction of the last field.
TEST(orders) {
    struct database database;
    open_with_five(&database);
    for (int round = 0; round < 2; round++) {
        CHECK_IDS(&database, "1,2,3,4,5", "{\"store\": \"s\"}");
        CHECK_IDS(&database, "4,5,2,1,3", SORTED("{\"field\": \"a\"}"));
        CHECK_IDS(&database, "3,1,2,5,4", SORTED("{\"field\": \"a\", \"descending\": true}"));
        CHECK_IDS(&database, "1,3,2,5,4",
                  SORTED("{\"field\": \"a\", \"descending\": true}, {\"field\": \"_id\"}"));
        CHECK_IDS(&database, "5,4,3,2,1", SORTED("{\"field\": \"_id\", \"descending\": true}"));
        CHECK_IDS(&database, "4,5,1,2,3", SORTED("{\"field\": \"b\"}, {\"field\": \"a\"}"));
        CHECK_IDS(&database, "1,5,4,2,3",
                  SORTED("{\"field\": \"b\"}, {\"field\": \"a\", \"descending\": true}"));
        CHECK_IDS(&database, "3,2,4,5,1",
                  SORTED("{\"field\": \"b\", \"descending\": true}, {\"field\": \"a\"}"));
        database_index(&database, "s", round == 0 ? "by_a" : "by_b", round == 0 ? "a" : "b");
    }
    database_close(&database);
}

TEST(limit_skip_and_next) {
    struct database database;
    open_with_five(&database);
    CHECK_IDS(&database, "2,3", "{\"store\": \"s\", \"skip\": 1, \"limit\": 2}");
    CHECK_IDS(&database, "", "{\"store\": \"s\", \"skip\": 5}");
    CHECK_IDS(&database, "5,2",
              "{\"store\": \"s\", \"skip\": 1, \"limit\": 2, \"sort\": [{\"field\": \"a\"}]}");
    CHECK(run_json(&database, "{\"store\": \"s\", \"limit\": 4}").next.size > 0);
    CHECK(run_json(&database, "{\"store\": \"s\", \"limit\": 5}").next.size == 0);
    CHECK(run_json(&database, "{\"store\": \"s\", \"limit\": 6}").next.size == 0);
    struct bytes count = fixture_document("{\"store\": \"s\", \"limit\": 3, \"skip\": 1}");
    CHECK_EQUAL(3, run_form(&database, count, true, UINT64_MAX).count);
    count = fixture_document("{\"store\": \"s\", \"limit\": 3, \"skip\": 4}");
    CHECK_EQUAL(1, run_form(&database, count, true, UINT64_MAX).count);
    database_close(&database);
}

static struct result run_after(struct database *database, struct bytes cursor, const char *sort) {
    struct buffer buffer = {0};
    struct doc_builder builder;
    struct doc_value order = doc_get(fixture_document(sort), bytes_of_string("sort"));
    doc_builder_begin(&builder, &buffer);
    doc_add_string(&builder, "store", bytes_of_string("s"));
    doc_add_value(&builder, bytes_of_string("sort"), &order);
    doc_add_binary(&builder, "after", 0, cursor);
    CHECK_OK(doc_builder_finish(&builder));
    struct result result = run_form(database, buffer_bytes(&buffer), false, UINT64_MAX);
    buffer_done(&buffer);
    return result;
}

#define PAGES_OF(filter, field)                                                                    \
    "{\"store\": \"s\", \"filter\": {\"op\": \"in\", " filter "}, \"limit\": 2, \"sort\": "        \
    "[{\"field\": \"" field "\", \"descending\": true}]}"

// Lists of keys and of values, backwards and in pages.
TEST(lists_backwards) {
    struct database database;
    open_with_five(&database);
    database_index(&database, "s", "by_a", "a");
    static const char *const pages[][2] = {
        {PAGES_OF("\"field\": \"_id\", \"values\": [5, 1, 4, 9, 2]", "_id"), "5,4|2,1"},
        {PAGES_OF("\"field\": \"a\", \"values\": [1, null, 2]", "a"), "3,1|2,5|4"},
    };
    for (size_t i = 0; i < 2; i++) {
        char seen[64] = "";
        struct bytes sort = fixture_document(pages[i][0]), after = {0};
        do {
            struct buffer form = {0};
            struct doc_builder builder;
            CHECK_OK(doc_set_fields(&form, sort, fixture_document("{}"), NULL));
            if (after.size > 0) {
                struct buffer change = {0};
                doc_builder_begin(&builder, &change);
                doc_add_binary(&builder, "after", 0, after);
                CHECK_OK(doc_builder_finish(&builder));
                buffer_clear(&form);
                CHECK_OK(doc_set_fields(&form, sort, buffer_bytes(&change), NULL));
                buffer_done(&change);
            }
            struct result result = run_form(&database, buffer_bytes(&form), false, UINT64_MAX);
            CHECK_STATUS(STATUS_OK, result.status);
            CHECK(strstr(result.plan, " in ordered") != NULL);
            for (size_t j = 0; j < result.count; j++) {
                int64_t id;
                CHECK(doc_get_int(result.documents[j], "_id", &id));
                size_t used = strlen(seen);
                snprintf(seen + used, sizeof seen - used, "%s%lld",
                         j > 0      ? ","
                         : used > 0 ? "|"
                                    : "",
                         (long long)id);
            }
            after = result.next;
            buffer_done(&form);
        } while (after.size > 0);
        if (strcmp(seen, pages[i][1]) != 0) test_fail(__FILE__, __LINE__, "%s", seen);
    }
    database_close(&database);
}

TEST(cursors_are_checked) {
    struct database database;
    open_with_five(&database);
    struct bytes next = run_json(&database, "{\"store\": \"s\", \"limit\": 2, \"sort\": "
                                            "[{\"field\": \"a\"}]}")
                            .next;
    CHECK(next.size > 0);
    CHECK_EQUAL(3, run_after(&database, next, "{\"sort\": [{\"field\": \"a\"}]}").count);
    // The document it points to may be gone.
    database_delete(&database, 1, 5);
    CHECK_EQUAL(3, run_after(&database, next, "{\"sort\": [{\"field\": \"a\"}]}").count);
    static const char *const others[] = {
        "{}", "{\"sort\": [{\"field\": \"b\"}]}",
        "{\"sort\": [{\"field\": \"a\", \"descending\": true}]}",
        "{\"sort\": [{\"field\": \"a\"}, {\"field\": \"_id\", \"descending\": true}]}"};
    for (size_t i = 0; i < 4; i++) {
        struct result result = run_after(&database, next, others[i]);
        CHECK_STATUS(STATUS_INVALID, result.status);
        CHECK(strcmp(result.error.message,
                     "after: the cursor is of another store or another sort") == 0);
    }
    for (size_t i = 0; i < next.size; i++) { // damage anywhere, and any shorter cursor
        uint8_t damaged[256];
        CHECK(next.size <= sizeof damaged);
        memcpy(damaged, next.data, next.size);
        damaged[i] ^= 0x10;
        CHECK_STATUS(STATUS_INVALID, run_after(&database, bytes_of(damaged, next.size),
                                               "{\"sort\": [{\"field\": \"a\"}]}")
                                         .status);
        CHECK_STATUS(STATUS_INVALID, run_after(&database, bytes_of(next.data, i),
                                               "{\"sort\": [{\"field\": \"a\"}]}")
                                         .status);
    }
    database_close(&database);
}

static void check_projection(struct database *database, const char *fields, const char *expected) {
    char form[512];
    snprintf(form, sizeof form,
             "{\"store\": \"s\", \"filter\": {\"op\": \"eq\", \"field\": \"_id\", \"value\": 5}, "
             "\"fields\": [%s]}",
             fields);
    struct result result = run_json(database, form);
    CHECK_EQUAL(1, result.count);
    const char *json = fixture_json(result.documents[0]);
    if (strcmp(json, expected) != 0) test_fail(__FILE__, __LINE__, "%s: %s", fields, json);
}

TEST(projection) {
    struct database database;
    open_with_five(&database);
    check_projection(&database, "", "{\"_id\":5}");
    check_projection(&database, "\"b\", \"a\"", "{\"_id\":5,\"a\":null,\"b\":\"x\"}");
    check_projection(&database, "\"z\"", "{\"_id\":5}");
    check_projection(&database, "\"nx.y\", \"bb\"", "{\"_id\":5}");
    check_projection(&database, "\"n.x\"", "{\"_id\":5,\"n\":{\"x\":1}}");
    check_projection(&database, "\"n.y.z\", \"n.x\"",
                     "{\"_id\":5,\"n\":{\"x\":1,\"y\":{\"z\":2}}}");
    check_projection(&database, "\"n.y.q\"", "{\"_id\":5,\"n\":{\"y\":{}}}");
    check_projection(&database, "\"n.w.v\"", "{\"_id\":5,\"n\":{\"w\":[{\"v\":1}]}}");
    check_projection(&database, "\"b.c\", \"_id\"", "{\"_id\":5}");
    database_close(&database);
}

TEST(a_query_runs_in_slices) {
    struct database database;
    database_open(&database);
    uint32_t store = database_store(&database, "s", KEY_INT64);
    for (int i = 0; i < 1000; i++) {
        char json[64];
        snprintf(json, sizeof json, "{\"_id\": %d, \"a\": %d}", i, i * 7919 % 1000);
        database_put_json(&database, store, json);
    }
    static const char *const forms[] = {
        "{\"store\": \"s\", \"limit\": 700}",
        "{\"store\": \"s\", \"limit\": 700, \"sort\": [{\"field\": \"a\"}]}",
        "{\"store\": \"s\", \"filter\": {\"op\": \"lt\", \"field\": \"a\", \"value\": 500}}"};
    for (size_t i = 0; i < 3; i++) {
        struct bytes form = fixture_document(forms[i]);
        struct result whole = run_form(&database, form, false, UINT64_MAX);
        struct result sliced = run_form(&database, form, false, 0);
        CHECK(whole.status == STATUS_OK && sliced.status == STATUS_OK);
        CHECK_EQUAL(0, whole.slices);
        CHECK(sliced.slices >= 9);
        CHECK_EQUAL(whole.count, sliced.count);
        for (size_t j = 0; j < whole.count; j++)
            CHECK(bytes_equal(whole.documents[j], sliced.documents[j]));
        CHECK(bytes_equal(whole.next, sliced.next));
    }
    database_close(&database);
}

TEST(a_reply_has_its_limit) {
    struct database database;
    open_with_five(&database);
    struct view view;
    struct arena arena = {0};
    struct query *query;
    struct error error = {0};
    struct buffer out = {.limit = 80};
    CHECK_OK(view_begin(database.reader, READ_LATEST, &view));
    CHECK_OK(query_prepare(&view, fixture_document("{\"store\": \"s\"}"), false, &arena, &query,
                           &error));
    CHECK_STATUS(STATUS_TOO_LARGE, query_step(query, clock_system(), UINT64_MAX, &out, &error));
    CHECK(strstr(error.message, "the reply grows too large") != NULL);
    query_close(query);
    view_end(&view);
    arena_done(&arena);
    buffer_done(&out);
    database_close(&database);
}

// ---- the sorter -----------------------------------------------------------------------------

TEST(the_sorter_keeps_the_first) {
    struct random_seeded random;
    random_seeded_init(&random, test_seed());
    for (size_t kept = 1; kept < 60; kept += 7) {
        struct sorter sorter = {0};
        bool seen[256] = {0};
        sorter_begin(&sorter, kept);
        for (int i = 0; i < 300; i++) {
            uint8_t key = (uint8_t)random_below(&random.source, 256);
            if (seen[key]) continue;
            seen[key] = true;
            CHECK_OK(sorter_add(&sorter, bytes_of(&key, 1), bytes_of(NULL, 0)));
        }
        struct bytes key, document;
        size_t popped = 0;
        for (unsigned value = 0; value < 256 && popped < kept; value++) {
            if (!seen[value]) continue;
            CHECK(sorter_pop(&sorter, &key, &document));
            CHECK_EQUAL(value, key.data[0]);
            popped++;
        }
        CHECK(!sorter_pop(&sorter, &key, &document) && !sorter_pop(&sorter, &key, &document));
        sorter_done(&sorter);
    }
}

TEST(the_sorter_is_bounded) {
    struct sorter sorter = {0};
    static uint8_t key[MIB];
    enum status status = STATUS_OK;
    size_t added = 0;
    sorter_begin(&sorter, SIZE_MAX);
    for (; status == STATUS_OK && added < 100; added++) {
        key[0] = (uint8_t)added;
        status = sorter_add(&sorter, bytes_of(key, sizeof key), bytes_of(NULL, 0));
    }
    CHECK_STATUS(STATUS_TOO_LARGE, status);
    CHECK_EQUAL(64, added);
    sorter_done(&sorter);
}
