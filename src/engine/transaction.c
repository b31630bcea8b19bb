// SPDX-License-Identifier: Apache-2.0
// The transaction of a call: begin, commit, abort, and the one that begins by itself.
#include "engine/session.h"

void call_set_automatic(struct call *call, bool automatic) {
    ASSERT(call->transaction == NULL);
    call->automatic = automatic;
    call->committed = false;
}

bool call_in_transaction(const struct call *call) {
    return call->transaction != NULL;
}

bool call_committed(const struct call *call) {
    return call->committed;
}

static enum status begin(struct call *call, enum isolation isolation) {
    enum status status = transaction_begin(call->session->reader, isolation, &call->transaction);
    if (status == STATUS_OK) return status;
    return error_set(&call->error, status, "cannot begin a transaction: %s", status_text(status));
}

enum status call_commit(struct call *call, uint64_t *ret_sequence, struct error *error) {
    struct transaction *transaction = call->transaction;
    struct write_result result;
    call_end(call);
    *ret_sequence = 0;
    if (transaction == NULL) return STATUS_OK;
    call->transaction = NULL;
    enum status status = transaction_commit(transaction, &result, error);
    *ret_sequence = status == STATUS_OK ? result.last_sequence : result.depends_on;
    return status;
}

void call_abort(struct call *call) {
    call_end(call);
    transaction_abort(call->transaction);
    call->transaction = NULL;
}

enum status call_transaction_prepare(struct call *call, const struct op_info *op) {
    if (op->permission == PERMISSION_ADMIN && call->transaction != NULL)
        return error_set(&call->error, STATUS_INVALID, "%s is not possible in a transaction",
                         op->name);
    bool documents = (op->op >= OP_INSERT && op->op <= OP_WRITE) || op->op == OP_PQL;
    if (!call->automatic || call->transaction != NULL || !documents) return STATUS_OK;
    return begin(call, ISOLATION_SNAPSHOT);
}

// ---- operations -----------------------------------------------------------------------------

static enum status read_isolation(struct call *call, enum isolation *ret) {
    struct head_field fields[] = {{"isolation", false, {0}}};
    struct bytes name = bytes_of_string("snapshot");
    enum status status = head_read(call->head, fields, 1, &call->error);
    if (status == STATUS_OK) status = head_string(&fields[0], &name, &call->error);
    if (status != STATUS_OK) return status;
    *ret = ISOLATION_SNAPSHOT;
    if (bytes_equal_string(name, "snapshot")) return STATUS_OK;
    *ret = ISOLATION_SERIALIZABLE;
    if (bytes_equal_string(name, "serializable")) return STATUS_OK;
    return error_set(&call->error, STATUS_INVALID, "isolation is snapshot or serializable");
}

enum status operation_begin(struct call *call, uint64_t deadline_ns) {
    (void)deadline_ns;
    enum isolation isolation;
    enum status status = read_isolation(call, &isolation);
    if (status != STATUS_OK) return status;
    if (call->transaction != NULL)
        return error_set(&call->error, STATUS_INVALID, "a transaction is open already");
    status = begin(call, isolation);
    return status == STATUS_OK ? reply_empty(call) : status;
}

// An automatic transaction that nothing has needed yet is open all the same.
static enum status check_open(struct call *call) {
    enum status status = head_read(call->head, NULL, 0, &call->error);
    if (status != STATUS_OK || call->transaction != NULL || call->automatic) return status;
    return error_set(&call->error, STATUS_INVALID, "no transaction is open");
}

enum status operation_commit(struct call *call, uint64_t deadline_ns) {
    (void)deadline_ns;
    enum status status = check_open(call);
    if (status != STATUS_OK) return status;
    uint64_t sequence;
    status = call_commit(call, &sequence, &call->error);
    call_depends_on(call, sequence);
    if (status != STATUS_OK) return status;
    if (sequence != 0) call->committed = true;
    return reply_sequence(call, sequence);
}

enum status operation_abort(struct call *call, uint64_t deadline_ns) {
    (void)deadline_ns;
    enum status status = check_open(call);
    if (status != STATUS_OK) return status;
    call_abort(call);
    return reply_empty(call);
}
