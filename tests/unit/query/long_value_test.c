// SPDX-License-Identifier: Apache-2.0
// Values too long for an index: cut there, they give no order among themselves, and two of them may
// share an entry's value.
#include "base/limits.h"
#include "fixture.h"

#define SHARED 1010 // bytes of text that all the long values begin with

// {"_id": id, "a": <SHARED times "m"> <tail>}
static struct bytes long_document(int64_t id, const char *tail) {
    struct buffer buffer = {0}, text = {0};
    struct doc_builder builder;
    for (size_t i = 0; i < SHARED; i++) CHECK_OK(buffer_append(&text, "m", 1));
    CHECK_OK(buffer_append_string(&text, tail));
    doc_builder_begin(&builder, &buffer);
    doc_add_int(&builder, "_id", id);
    doc_add_string(&builder, "a", buffer_bytes(&text));
    CHECK_OK(doc_builder_finish(&builder));
    struct bytes document = fixture_copy(buffer_bytes(&buffer));
    buffer_done(&buffer);
    buffer_done(&text);
    return document;
}

static struct bytes form_of(const char *op, struct doc_value value, bool descending, int64_t limit,
                            struct bytes after) {
    struct buffer buffer = {0};
    struct doc_builder builder;
    doc_builder_begin(&builder, &buffer);
    doc_add_string(&builder, "store", bytes_of_string("s"));
    if (op != NULL) {
        doc_begin_document(&builder, "filter");
        doc_add_string(&builder, "op", bytes_of_string(op));
        doc_add_string(&builder, "field", bytes_of_string("a"));
        doc_add_value(&builder, bytes_of_string("value"), &value);
        doc_end(&builder);
    }
    doc_begin_array(&builder, "sort");
    doc_begin_document(&builder, NULL);
    doc_add_string(&builder, "field", bytes_of_string("a"));
    doc_add_bool(&builder, "descending", descending);
    doc_end(&builder);
    doc_end(&builder);
    doc_add_int(&builder, "limit", limit);
    if (after.size > 0) doc_add_binary(&builder, "after", 0, after);
    CHECK_OK(doc_builder_finish(&builder));
    struct bytes form = fixture_copy(buffer_bytes(&buffer));
    buffer_done(&buffer);
    return form;
}

static void check_ids(struct database *database, const char *op, const char *tail, bool descending,
                      int64_t limit, const int64_t *ids, size_t count) {
    struct doc_value value = {0};
    struct bytes after = {0};
    if (op != NULL) value = doc_get(long_document(0, tail), bytes_of_string("a"));
    size_t seen = 0;
    do {
        struct result result =
            run_form(database, form_of(op, value, descending, limit, after), false, UINT64_MAX);
        CHECK_STATUS(STATUS_OK, result.status);
        CHECK(strncmp(result.plan, "index by_a", 10) == 0 && strstr(result.plan, "ordered"));
        for (size_t i = 0; i < result.count; i++) {
            int64_t id;
            CHECK(doc_get_int(result.documents[i], "_id", &id));
            CHECK(seen < count);
            CHECK_EQUAL(ids[descending ? count - 1 - seen : seen], id);
            seen++;
        }
        after = result.next;
    } while (after.size > 0);
    CHECK_EQUAL(count, seen);
}

TEST(long_values_are_found_and_ordered) {
    struct database database;
    database_open(&database);
    uint32_t store = database_store(&database, "s", KEY_INT64);
    database_index(&database, "s", "by_a", "a");
    static const char *const tails[] = {"zzzzzzzzzzzzzzzzzzzz4",
                                        "",
                                        "zzzz",
                                        "zzzzzzz",
                                        "zzzzzzzzzzzzzzzzzzzz2",
                                        "zzzzzzzzzzzzzzzzzzzz1",
                                        "zzzzzzzzzzzzzzzzzzzz3",
                                        "zzzzzzzzzzzzzzzzzzzz3",
                                        "zzzzzz",
                                        "zzzzzzzzzzz"};
    for (int64_t i = 0; i < 10; i++)
        database_put(&database, store, KEY_INT64, long_document(i + 1, tails[i]));
    database_put_json(&database, store, "{\"_id\": 20, \"a\": \"a\"}");
    database_put_json(&database, store, "{\"_id\": 21, \"a\": \"n\"}");
    for (int round = 0; round < 2; round++) {
        for (int descending = 0; descending < 2; descending++)
            for (int64_t limit = 1; limit < 14; limit += 3) {
                static const int64_t all[] = {20, 2, 3, 9, 4, 10, 6, 5, 7, 8, 1, 21};
                check_ids(&database, NULL, "", descending, limit, all, 12);
                check_ids(&database, "eq", tails[6], descending, limit, all + 8, 2);
                check_ids(&database, "eq", tails[9], descending, limit, all + 5, 1);
                check_ids(&database, "eq", "zzzzz", descending, limit, all, 0);
                check_ids(&database, "gt", tails[4], descending, limit, all + 8, 4);
                check_ids(&database, "ge", tails[4], descending, limit, all + 7, 5);
                check_ids(&database, "lt", tails[3], descending, limit, all, 4);
                check_ids(&database, "le", tails[3], descending, limit, all, 5);
                check_ids(&database, "lt", tails[6], descending, limit, all, 8);
                check_ids(&database, "starts_with", "zzzzzzzzz", descending, limit, all + 5, 6);
            }
        CHECK_OK(storage_flush(database.storage));
    }
    database_close(&database);
}
