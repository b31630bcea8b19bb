// SPDX-License-Identifier: Apache-2.0
// The examples of docs/PQL.md, and the plans and forms of tests/golden/pql: documents, queries and
// results as the pages have them.
#include "fixture.h"

#define PAGE_MAX (256 * 1024)

static char *page;

static void read_page(const char *path) {
    FILE *file = fopen(path, "r");
    if (file == NULL) test_fail(__FILE__, __LINE__, "%s cannot be read", path);
    page = calloc(1, PAGE_MAX);
    CHECK(page != NULL);
    CHECK(fread(page, 1, PAGE_MAX - 1, file) < PAGE_MAX - 1);
    fclose(file);
}

// The next fenced block whose first line begins with "```" and a word; its lines end in NUL.
static char *next_block(char **at, char **ret_head) {
    char *start = strstr(*at, "\n```");
    if (start == NULL) return NULL;
    *ret_head = start + 4;
    char *body = strchr(start + 1, '\n'), *end = strstr(body, "\n```");
    CHECK(end != NULL);
    *body++ = '\0';
    if (end >= body) *end = '\0';
    *at = end + 4;
    return body;
}

static void create(struct database *database, const char *store, char *lines) {
    char head[256];
    snprintf(head, sizeof head, "{\"store\": \"%s\", \"key_type\": \"int64\"}", store);
    CHECK_REPLY(SEND(database, OP_CREATE_STORE, head));
    snprintf(head, sizeof head, "{\"store\": \"%s\"}", store);
    for (char *line = strtok_r(lines, "\n", &lines); line != NULL;
         line = strtok_r(NULL, "\n", &lines))
        CHECK_REPLY(SEND(database, OP_INSERT, head, line));
}

static struct reply run(struct database *database, const char *text) {
    struct buffer buffer = {0};
    struct doc_builder builder;
    doc_builder_begin(&builder, &buffer);
    doc_add_string(&builder, "text", bytes_of_string(text));
    CHECK_OK(doc_builder_finish(&builder));
    struct bytes head = buffer_bytes(&buffer);
    struct reply reply = send_packet(database, make_packet_of(OP_PQL, &head, 1));
    buffer_done(&buffer);
    if (reply.status != STATUS_OK) test_fail(__FILE__, __LINE__, "%s\n%s", text, reply.message);
    return reply;
}

static void check_result(const char *text, const struct reply *reply, char *lines) {
    size_t i = 0;
    bool trailer = reply->count == 0;
    for (char *line = strtok_r(lines, "\n", &lines); line != NULL;
         line = strtok_r(NULL, "\n", &lines), i++) {
        if (i >= reply->count + trailer)
            test_fail(__FILE__, __LINE__, "%s\nno result for %s", text, line);
        const char *actual = fixture_json(trailer ? reply->trailer : reply->documents[i]);
        const char *expected = fixture_json(fixture_document(line));
        if (strcmp(actual, expected) != 0)
            test_fail(__FILE__, __LINE__, "%s\ngives    %s\nexpected %s", text, actual, expected);
    }
    if (i < reply->count + trailer) test_fail(__FILE__, __LINE__, "%s\nhas more results", text);
}

static void run_page(const char *path) {
    struct database database;
    char *at, *head, *body, *query = NULL;
    int examples = 0;
    read_page(path);
    at = page;
    database_open(&database);
    while ((body = next_block(&at, &head)) != NULL) {
        if (strncmp(head, "documents ", 10) == 0) {
            create(&database, head + 10, body);
        } else if (strcmp(head, "pql") == 0) {
            if (examples == 0) // the stores are there
                CHECK_REPLY(SEND(&database, OP_CREATE_INDEX,
                                 "{\"store\": \"products\", \"index\": \"by_price\", "
                                 "\"field\": \"price\"}"));
            CHECK_OK(storage_wait_indexes(engine_storage(database.engine)));
            query = body;
        } else {
            CHECK(strcmp(head, "result") == 0 && query != NULL);
            struct reply reply = run(&database, query);
            check_result(query, &reply, body);
            query = NULL;
            examples++;
        }
    }
    CHECK(examples >= 20 && query == NULL);
    database_close(&database);
}

TEST(examples_of_the_manual) {
    run_page(PQL_MANUAL);
}

TEST(golden_plans_and_forms) {
    run_page(PQL_GOLDEN);
}
