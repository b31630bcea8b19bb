// SPDX-License-Identifier: Apache-2.0
// Runs PQL for tests that are written in other languages: pql_run DIRECTORY, with commands on
// standard input, a line each:
//   store NAME             creates a store of int64 keys
//   index STORE FIELD      creates an index and waits until it is ready
//   put STORE JSON         writes a document
//   query TEXT             prints the rows as JSON, a line each; of a count the trailer
// Each command's output ends in a line "ok", or is the line "error: …".
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"

struct program {
    struct engine *engine;
    struct session *session;
    struct call *call;
};

static void check(enum status status, const char *what) {
    if (status == STATUS_OK) return;
    fprintf(stderr, "%s: %s\n", what, status_text(status));
    exit(1);
}

static void print_document(struct bytes document) {
    struct buffer json = {0};
    check(doc_to_json(&json, document), "JSON");
    printf("%.*s\n", (int)json.size, (const char *)json.data);
    buffer_done(&json);
}

static void print_reply(struct bytes reply) {
    struct packet packet;
    struct bytes document;
    check(packet_decode(reply, &packet, NULL), "reply");
    if (packet.flags & PACKET_ERROR) {
        check(packet_next_document(&packet.body, &document, NULL), "trailer");
        struct bytes message = bytes_of("", 0);
        doc_get_string(document, "message", &message);
        printf("error: %.*s\n", (int)message.size, (const char *)message.data);
        return;
    }
    bool counted = packet.count == 0 && (packet.flags & PACKET_TRAILER);
    for (uint32_t i = 0; i < packet.count + counted; i++) {
        check(packet_next_document(&packet.body, &document, NULL), "row");
        print_document(document);
    }
    printf("ok\n");
}

static void send(struct program *program, enum op op, struct bytes head, struct bytes document) {
    struct buffer packet = {0};
    size_t start;
    check(packet_begin(&packet, (uint16_t)op, 1, &start), "packet");
    check(buffer_append(&packet, head.data, head.size), "packet");
    check(buffer_append(&packet, document.data, document.size), "packet");
    check(packet_finish(&packet, start, 0, 0, document.size > 0 ? 2 : 1), "packet");
    check(engine_dispatch(program->call, buffer_bytes(&packet), READ_LATEST, UINT64_MAX),
          "dispatch");
    print_reply(call_reply(program->call));
    buffer_done(&packet);
}

static void run(struct program *program, char *line) {
    struct buffer head = {0}, document = {0};
    struct doc_builder builder;
    enum op op = OP_PQL;
    char *argument = strchr(line, ' ');
    if (argument == NULL) check(STATUS_INVALID, line);
    *argument++ = '\0';
    doc_builder_begin(&builder, &head);
    if (strcmp(line, "query") == 0) {
        doc_add_string(&builder, "text", bytes_of_string(argument));
    } else {
        char *second = strchr(argument, ' ');
        if (second != NULL) *second++ = '\0';
        op = strcmp(line, "store") == 0   ? OP_CREATE_STORE
             : strcmp(line, "index") == 0 ? OP_CREATE_INDEX
                                          : OP_PUT;
        doc_add_string(&builder, "store", bytes_of_string(argument));
        if (op == OP_CREATE_STORE) doc_add_string(&builder, "key_type", bytes_of_string("int64"));
        if (op != OP_CREATE_STORE && second == NULL) check(STATUS_INVALID, line);
        if (op == OP_CREATE_INDEX) {
            doc_add_string(&builder, "index", bytes_of_string(second));
            doc_add_string(&builder, "field", bytes_of_string(second));
        }
        if (op == OP_PUT) check(doc_from_json(&document, bytes_of_string(second), NULL), second);
    }
    check(doc_builder_finish(&builder), "head");
    send(program, op, buffer_bytes(&head), buffer_bytes(&document));

    if (op == OP_CREATE_INDEX)
        check(storage_wait_indexes(engine_storage(program->engine)), "index");
    buffer_done(&head);
    buffer_done(&document);
}

int main(int argc, char **argv) {
    struct program program = {0};
    struct storage_options options = storage_options_default();
    char *line = NULL;
    size_t capacity = 0;
    if (argc != 2) {
        fprintf(stderr, "usage: pql_run DIRECTORY\n");
        return 2;
    }
    check(engine_open(argv[1], &options, &program.engine, NULL), "open");
    check(session_open(program.engine, PERMISSION_ADMIN, &program.session), "session");
    check(call_new(program.session, &program.call), "call");
    for (ssize_t size; (size = getline(&line, &capacity, stdin)) > 0;) {
        if (line[size - 1] == '\n') line[size - 1] = '\0';
        run(&program, line);
        fflush(stdout);
    }
    free(line);
    call_free(program.call);
    session_close(program.session);
    engine_close(program.engine);
    return 0;
}
