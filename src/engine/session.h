// SPDX-License-Identifier: Apache-2.0
// Inside of the engine: sessions, calls, and the table of operation handlers. One thread a session.
#pragma once

#include "engine/engine.h"
#include "query/query.h"

struct session {
    struct engine *engine;
    struct storage *storage;
    struct clock *clock;
    struct reader *reader;
    enum permission role;
    struct uuid_generator uuids;
    size_t calls; // made and not yet freed
};

struct call {
    struct session *session;
    struct arena arena; // of the packet being worked on
    struct buffer reply;
    struct buffer scratch; // documents made while preparing writes
    struct error error;
    int64_t failed;     // position of the refused document or write, or -1
    enum status status; // of the reply
    uint64_t sequence;  // what the reply depends on
    enum read_point point;
    // The packet and its head document.
    struct packet packet;
    struct bytes head;
    // A query in progress, with the view that it runs on.
    struct query *query;
    struct view view;
    bool viewing;
    bool pending;
    struct pql *pql;   // the text being run, NULL: none
    unsigned attempts; // of its writes
    // From one packet to the next.
    struct transaction *transaction; // open, or NULL
    bool automatic;                  // a packet that needs a transaction begins one
    bool committed;                  // a commit packet has made something permanent
};

// An operation's work. The reply's header is begun; the handler appends documents and a trailer and
// finishes it with reply_finish(), or returns a failure with call->error filled. STATUS_PENDING
// keeps the call going through engine_resume() (queries only).
typedef enum status operation_handler(struct call *call, uint64_t deadline_ns);

operation_handler operation_ping, operation_create_store, operation_drop_store,
    operation_create_index, operation_drop_index, operation_catalog, operation_insert,
    operation_get, operation_replace, operation_update, operation_delete, operation_query,
    operation_count, operation_put, operation_write, operation_pql, operation_begin,
    operation_commit, operation_abort;
// Goes on with a pending query or count.
enum status operation_query_step(struct call *call, uint64_t deadline_ns);

// What a finished query of PQL that explains, updates or deletes does with what it found (pql.c).
CHECKED enum status pql_finish(struct call *call, uint64_t deadline_ns);

// ---- for the handlers -----------------------------------------------------------------------

// A view at the call's read point, or the transaction's; what the reply depends on is noted.
CHECKED enum status call_view_begin(struct call *call);
// Ends the query and the view of a call, if any.
void call_end(struct call *call);
void call_view_end(struct call *call);
static inline void call_depends_on(struct call *call, uint64_t sequence) {
    if (sequence > call->sequence) call->sequence = sequence;
}
// transaction.c: before the handler of `op` runs. Refuses what has no place in a transaction, and
// begins one when the call is automatic.
CHECKED enum status call_transaction_prepare(struct call *call, const struct op_info *op);
// STATUS_NO_STORE with the name in the message.
CHECKED enum status call_find_store(struct call *call, const struct catalog *catalog,
                                    struct bytes name, const struct store_info **ret);

// Fields of a head document: each may occur once, others are refused.
struct head_field {
    const char *name;
    bool required;
    struct doc_value value; // filled; DOC_MISSING when absent
};
CHECKED enum status head_read(struct bytes head, struct head_field *fields, size_t count,
                              struct error *error);
// Typed access to a field that was read; an absent one keeps `*ret`. STATUS_INVALID names the
// field.
CHECKED enum status head_string(const struct head_field *field, struct bytes *ret,
                                struct error *error);
CHECKED enum status head_sequence(const struct head_field *field, uint64_t *ret,
                                  struct error *error);

CHECKED enum status reply_document(struct call *call, struct bytes document);
// Trailers: a begun builder, an empty one, or {"sequence": n}.
CHECKED enum status reply_finish(struct call *call, uint32_t count, bool trailer);
CHECKED enum status reply_empty(struct call *call);
CHECKED enum status reply_sequence(struct call *call, uint64_t sequence);
