// SPDX-License-Identifier: Apache-2.0
// JSON lines.
#include "fixture.h"

static const char *write_lines(const char *text) {
    static char path[512];
    snprintf(path, sizeof path, "%s/../%s.jsonl", test_directory(),
             strrchr(test_directory(), '/') + 1);
    CHECK_OK(file_write_atomic(file_system_posix(), path, bytes_of_string(text), NULL));
    return path;
}

static enum status import(struct database *database, const char *text, uint64_t *count,
                          struct error *error) {
    const char *path = write_lines(text);
    enum status status =
        engine_import_json_lines(database->session, bytes_of_string("s"), path, count, error);
    remove(path);
    return status;
}

static int64_t count_of(struct database *database) {
    int64_t count;
    struct reply reply = SEND(database, OP_COUNT, "{\"store\": \"s\"}");
    CHECK_REPLY(reply);
    CHECK(doc_get_int(reply.trailer, "count", &count));
    return count;
}

static void open_with_store(struct database *database) {
    database_open(database);
    CHECK_REPLY(SEND(database, OP_CREATE_STORE, "{\"store\": \"s\", \"key_type\": \"int64\"}"));
}

TEST(lines_are_imported) {
    struct database database;
    uint64_t count = 0;
    struct error error = {0};
    open_with_store(&database);
    CHECK_OK(import(&database,
                    "{\"_id\": 1, \"a\": \"x\"}\r\n\n  \n{\"_id\": 2}\n{\"a\": 3, \"_id\": 3}",
                    &count, &error));
    CHECK_EQUAL(3, count);
    CHECK_OK(import(&database, "{\"_id\": 2, \"a\": 5}\n", &count, &error));
    CHECK_EQUAL(1, count);
    CHECK_EQUAL(3, count_of(&database));
    struct reply reply = SEND(&database, OP_GET, "{\"store\": \"s\", \"id\": 2}");
    CHECK_JSON("{\"_id\":2,\"a\":5}", reply.documents[0]);
    CHECK_OK(import(&database, "", &count, &error));
    CHECK_EQUAL(0, count);
    database_close(&database);
}

TEST(more_than_one_batch) {
    struct database database;
    uint64_t count = 0;
    struct error error = {0};
    struct buffer text = {0};
    open_with_store(&database);
    for (int i = 0; i < 2500; i++)
        CHECK_OK(buffer_append_format(&text, "{\"_id\": %d, \"a\": \"%0200d\"}\n", i, i));
    CHECK_OK(buffer_append(&text, "", 1));
    CHECK_OK(import(&database, (const char *)text.data, &count, &error));
    CHECK_EQUAL(2500, count);
    CHECK_EQUAL(2500, count_of(&database));
    // A bad line in the third batch.
    text.size--;
    CHECK_OK(buffer_append_format(&text, "{\"_id\": \"x\"}\n{}\n"));
    CHECK_OK(buffer_append(&text, "", 1));
    CHECK_STATUS(STATUS_INVALID, import(&database, (const char *)text.data, &count, &error));
    CHECK_EQUAL(2501, error.line);
    buffer_done(&text);
    database_close(&database);
}

TEST(bad_lines_are_named) {
    static const struct {
        const char *text;
        enum status status;
        uint32_t line;
        const char *part;
    } rows[] = {
        {"{\"_id\": 1}\n{\"_id\": \n", STATUS_MALFORMED, 2, ".jsonl:2: "},
        {"\n\n[1]\n", STATUS_MALFORMED, 3, ".jsonl:3: "},
        {"{\"_id\": 1}\n\n{\"a\": 1}\n", STATUS_INVALID, 3, ".jsonl:3: the document has no _id"},
        {"{\"_id\": 1}\n{\"_id\": 1.5}", STATUS_INVALID, 2,
         ".jsonl:2: the store's key is an int32 or int64, not double"},
    };
    struct database database;
    open_with_store(&database);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct error error = {0};
        uint64_t count = 77;
        enum status status = import(&database, rows[i].text, &count, &error);
        if (status != rows[i].status || error.line != rows[i].line ||
            strstr(error.message, rows[i].part) == NULL)
            test_fail(__FILE__, __LINE__, "%s: %s (line %u)", rows[i].text, error.message,
                      error.line);
        CHECK_EQUAL(77, count);
    }
    struct error error = {0};
    uint64_t count;
    CHECK_STATUS(STATUS_NOT_FOUND, engine_import_json_lines(database.session, bytes_of_string("s"),
                                                            "/nowhere/x.jsonl", &count, &error));
    CHECK_STATUS(STATUS_NO_STORE,
                 engine_import_json_lines(database.session, bytes_of_string("x"),
                                          write_lines("{\"_id\": 1}"), &count, &error));
    CHECK_EQUAL(0, count_of(&database));
    remove(write_lines(""));
    database_close(&database);
}
