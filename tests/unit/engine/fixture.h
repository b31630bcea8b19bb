// SPDX-License-Identifier: Apache-2.0
// What the tests of the engine share: an engine in the test's directory, one session, packets made
// from JSON and replies taken apart. Memory lives as long as the process.
#pragma once

#include "documents.h"
#include "engine/engine.h"

struct database {
    struct engine *engine;
    struct session *session;
    struct call *call;
};
void database_open(struct database *database);
void database_close(struct database *database);
// The same engine under another role.
void database_role(struct database *database, enum permission role);

struct reply {
    enum status status;
    struct packet packet;
    struct bytes documents[64]; // the first ones
    size_t count;
    struct bytes trailer; // data NULL: none
    const char *message;  // of an error
    int64_t failed;       // of an error, or -1
};
// A request of a head and documents in JSON, ended by NULL.
struct bytes make_packet(enum op op, const char *head, ...);
struct bytes make_packet_of(uint16_t op, const struct bytes *documents, size_t count);
struct reply send_packet(struct database *database, struct bytes packet);
struct reply take_reply(struct database *database);
#define SEND(database, op, ...) send_packet(database, make_packet(op, __VA_ARGS__, NULL))

// The request must succeed, or fail like this with this message.
#define CHECK_REPLY(actual)                                                                        \
    do {                                                                                           \
        struct reply check_reply = (actual);                                                       \
        if (check_reply.status != STATUS_OK)                                                       \
            test_fail(__FILE__, __LINE__, "%s: %s", status_text(check_reply.status),               \
                      check_reply.message);                                                        \
    } while (0)
#define CHECK_ERROR(expected, text, actual)                                                        \
    do {                                                                                           \
        struct reply check_reply = (actual);                                                       \
        if (check_reply.status != (expected) ||                                                    \
            strcmp(check_reply.message == NULL ? "" : check_reply.message, text) != 0)             \
            test_fail(__FILE__, __LINE__, "%s: %s", status_text(check_reply.status),               \
                      check_reply.message == NULL ? "" : check_reply.message);                     \
    } while (0)
#define CHECK_JSON(expected, document)                                                             \
    do {                                                                                           \
        const char *check_json = fixture_json(document);                                           \
        if (strcmp(check_json, expected) != 0)                                                     \
            test_fail(__FILE__, __LINE__, "%s, expected %s", check_json, expected);                \
    } while (0)
