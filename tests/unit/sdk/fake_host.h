// SPDX-License-Identifier: Apache-2.0
// The host's side of sdk/c for tests in this process: gives the guest library memory, calls its
// exports, records the packets it sends and answers with prepared replies. Under AddressSanitizer
// every byte of guest memory that was not allocated is poisoned.
#pragma once

#include "base/bytes.h"
#include "doc/doc.h"
#include "planck.h"
#include "test.h"
#include "wire/wire.h"

struct name_value {
    const char *name;
    const char *value;
};

// Absent members are empty.
struct fake_request {
    int method;
    const char *query;
    struct bytes body;
    bool body_apart; // to be read with host_body_read
    struct name_value headers[4];
    const char *params[4]; // of the pattern "/test/:first/of/:second/*rest"
};

struct fake_host {
    // The last response.
    int status;
    size_t header_count;
    struct {
        char name[64];
        char value[256];
    } headers[64];
    struct buffer body;
    char abort_reason[256];
    // Packets.
    struct buffer packet; // the last one
    size_t packet_count;
    struct buffer replies[8];
    size_t reply_count;
    size_t replies_given;
    bool pending;       // the next reply comes by host_wait
    size_t reply_reads; // calls of host_reply_read
    // Memory.
    size_t memory_limit; // bytes
    // Other.
    struct buffer body_apart;
    size_t body_piece; // bytes that host_body_read gives at most
    char log[256];
    int log_level;
    int64_t now_ns;
};
extern struct fake_host host;

// Runs the handler; false when it was aborted (the reason is in host.abort_reason).
bool host_serve(pk_handler *handler, const struct fake_request *request);
// The same with an empty request; fails the test when it was aborted, or was not.
void host_run(pk_handler *handler);
void host_run_aborted(pk_handler *handler, const char *reason);
// The body of the last response.
struct bytes host_body(void);
// NULL when the response has no such header.
const char *host_header(const char *name);

// Prepares a reply: documents and trailer (NULL: none) as JSON.
void host_reply(uint16_t op, uint32_t status, const char *const *documents, size_t count,
                const char *trailer);
void host_reply_trailer(uint16_t op, const char *trailer);
void host_reply_error(uint16_t op, uint32_t status, const char *message);

// Checks the last packet: its operation, and its documents as JSON (see json_of()).
void host_check_packet(uint16_t op, const char *const *documents, size_t count);
void host_check_head(uint16_t op, const char *head);

// The document as doc_to_json() writes it, checked by doc_validate() first; memory is never freed.
const char *json_of(struct bytes document);
struct bytes bson_of(const char *json);

static inline struct bytes bytes_of_text(struct pk_text text) {
    return bytes_of(text.data, text.size);
}
static inline struct bytes bytes_of_document(struct pk_document document) {
    return bytes_of(document.data, document.size);
}
static inline struct pk_document document_of(struct bytes bytes) {
    return (struct pk_document){bytes.data, bytes.size};
}
