// SPDX-License-Identifier: Apache-2.0
// The database: storage behind one door. engine_dispatch() takes a packet and gives a reply packet;
// wire, guests and tools all use it. This library is what an embedding program links.
//
// Threads. `struct engine`: any. A `struct session` and its calls: one thread.
#pragma once

#include "storage/storage.h"
#include "wire/wire.h"

struct engine;
CHECKED enum status engine_open(const char *path, const struct storage_options *options,
                                struct engine **ret, struct error *error);
// All sessions must be closed.
void engine_close(struct engine *engine);
struct storage *engine_storage(struct engine *engine);

struct session;
// What the session may do: all operations up to and including this permission.
CHECKED enum status session_open(struct engine *engine, enum permission role, struct session **ret);
// All calls must be ended.
void session_close(struct session *session);
// Lets go of cached snapshots (see reader_idle).
void session_idle(struct session *session, bool always);

// One dispatched packet. `reply` holds the whole reply packet once dispatch or resume returned
// STATUS_OK; `sequence` is what the reply depends on: it may leave the process when
// storage_ack() >= sequence (0: at once).
struct call;
CHECKED enum status call_new(struct session *session, struct call **ret); // reused for many packets
void call_free(struct call *call);                                        // cancels a pending one
struct bytes call_reply(const struct call *call);
enum status call_status(const struct call *call); // of the reply
uint64_t call_sequence(const struct call *call);

// Always produces a reply (an error reply for a bad packet) unless it is pending: STATUS_PENDING
// when the time budget of `budget_ns` was used up; go on with engine_resume(). STATUS_NO_MEMORY
// when not even an error reply could be made. `point`: READ_ACK for requests that write nothing,
// READ_LATEST for others. The packet must stay in place while the call is pending.
CHECKED enum status engine_dispatch(struct call *call, struct bytes packet, enum read_point point,
                                    uint64_t budget_ns);
// Whether that packet may become pending. All others are looked at during engine_dispatch() only.
bool engine_may_suspend(struct bytes packet);
CHECKED enum status engine_resume(struct call *call, uint64_t budget_ns);

// ---- transactions -----------------------------------------------------------------------------
// A call has at most one transaction open, from a `begin` packet to `commit` or `abort`; its
// packets run inside it, whatever their `point`. call_free() aborts it.

// With `automatic`, a packet that reads or writes documents begins a transaction (of snapshots)
// when none is open. Forgets what call_committed() tells. No transaction may be open.
void call_set_automatic(struct call *call, bool automatic);
bool call_in_transaction(const struct call *call);
// Whether a `commit` packet has written anything since call_set_automatic().
bool call_committed(const struct call *call);
// Ends what is pending and the transaction that is open. On success `ret_sequence` is what a reply
// depends on for the writes (0: there were none). As transaction_commit().
CHECKED enum status call_commit(struct call *call, uint64_t *ret_sequence, struct error *error);
void call_abort(struct call *call);

// ---- import -----------------------------------------------------------------------------------
// Reads JSON lines (one extended-JSON object a line; empty lines are skipped) from `path` into the
// store (put: re-running gives the same result), in batches. STATUS_MALFORMED names the line.
CHECKED enum status engine_import_json_lines(struct session *session, struct bytes store,
                                             const char *path, uint64_t *ret_count,
                                             struct error *error);
