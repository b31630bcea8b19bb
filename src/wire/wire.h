// SPDX-License-Identifier: Apache-2.0
// Packets (docs/PROTOCOL.md): header, body documents, and the one table of operations.
// Pure functions over bytes; any thread.
#pragma once

#include "doc/doc.h"

//  name          number  permission  mutates  documents beyond the head (minimum, maximum)
#define OPS_TABLE(X)                                                                               \
    X(PING, 1, READ, false, 0, 0)                                                                  \
    X(CREATE_STORE, 2, ADMIN, true, 0, 0)                                                          \
    X(DROP_STORE, 3, ADMIN, true, 0, 0)                                                            \
    X(CREATE_INDEX, 4, ADMIN, true, 0, 0)                                                          \
    X(DROP_INDEX, 5, ADMIN, true, 0, 0)                                                            \
    X(CATALOG, 6, READ, false, 0, 0)                                                               \
    X(INSERT, 10, WRITE, true, 1, BATCH_OPS_MAX)                                                   \
    X(GET, 11, READ, false, 0, 0)                                                                  \
    X(REPLACE, 12, WRITE, true, 1, 1)                                                              \
    X(UPDATE, 13, WRITE, true, 0, 0)                                                               \
    X(DELETE, 14, WRITE, true, 0, 0)                                                               \
    X(QUERY, 15, READ, false, 0, 0)                                                                \
    X(COUNT, 16, READ, false, 0, 0)                                                                \
    X(PUT, 17, WRITE, true, 1, BATCH_OPS_MAX)                                                      \
    X(WRITE, 18, WRITE, true, 0, BATCH_OPS_MAX)                                                    \
    X(PQL, 20, READ, false, 0, 0)                                                                  \
    X(BEGIN, 24, READ, false, 0, 0)                                                                \
    X(COMMIT, 25, READ, true, 0, 0)                                                                \
    X(ABORT, 26, READ, false, 0, 0)

enum op {
#define OP_ENUM(name, number, permission, mutates, low, high) OP_##name = number,
    OPS_TABLE(OP_ENUM)
#undef OP_ENUM
};
enum permission { PERMISSION_READ, PERMISSION_WRITE, PERMISSION_ADMIN };
struct op_info {
    enum op op;
    const char *name; // as in the table
    enum permission permission;
    bool mutates;
    uint32_t documents_min, documents_max;
};
// NULL for a number outside the table.
const struct op_info *op_find(uint16_t number);

#define PACKET_HEADER_SIZE 24
enum packet_flags { PACKET_REPLY = 1, PACKET_ERROR = 2, PACKET_TRAILER = 4 };

struct packet {
    uint16_t op;
    uint16_t flags;
    uint64_t correlation_id;
    uint32_t status;
    uint32_t count;
    struct bytes body;
};
// Checks the header against the whole packet (hostile until then); documents are not looked at.
// STATUS_MALFORMED, STATUS_TOO_LARGE.
CHECKED enum status packet_decode(struct bytes bytes, struct packet *ret, struct error *error);
// The next document of a body, validated (doc_validate), taken off `body`. STATUS_END at its end.
CHECKED enum status packet_next_document(struct bytes *body, struct bytes *ret_document,
                                         struct error *error);

// Building: begin writes a header into `buffer` (appending; `ret_start` is its offset), documents
// are appended by the caller, finish fills in length, flags, status and count.
CHECKED enum status packet_begin(struct buffer *buffer, uint16_t op, uint64_t correlation_id,
                                 size_t *ret_start);
CHECKED enum status packet_finish(struct buffer *buffer, size_t start, uint16_t flags,
                                  uint32_t status, uint32_t count);
// A whole error reply; `failed` < 0: not stated. Leaves what the buffer held before `start`.
CHECKED enum status packet_error(struct buffer *buffer, size_t start, uint16_t op,
                                 uint64_t correlation_id, const struct error *error,
                                 int64_t failed);
