// SPDX-License-Identifier: Apache-2.0
// Queries: the logical form (BSON, docs/PROTOCOL.md) -> plan (one access path) -> pull executor on
// a view, in slices. A `struct query` belongs to one thread and lives in the caller's arena but for
// its scans and buffers, so query_close() must be called.
#pragma once

#include "base/arena.h"
#include "base/clock.h"
#include "storage/storage.h"

struct query;

// Parses, checks and plans. STATUS_INVALID (what and where in the message), STATUS_NO_STORE,
// STATUS_NO_MEMORY. With `count` the form is that of the count operation. The form's bytes must
// live as long as the query.
CHECKED enum status query_prepare(const struct view *view, struct bytes form, bool count,
                                  struct arena *arena, struct query **ret, struct error *error);
// Runs until done (STATUS_OK), until the clock passes `deadline_ns` (STATUS_PENDING: call again),
// or an error. Appends result documents to `out` (its limit bounds the reply: STATUS_TOO_LARGE).
// The view of query_prepare() must stay open. At least one entry is looked at per call.
CHECKED enum status query_step(struct query *query, struct clock *clock, uint64_t deadline_ns,
                               struct buffer *out, struct error *error);
uint64_t query_result_count(const struct query *query); // documents appended, or the count
// The cursor behind the last document; empty when nothing follows. Valid until query_close().
struct bytes query_next_cursor(const struct query *query);
// One line for tests and logs: "primary", "primary range", "index by_category eq", "scan" …, or
// "nothing" when no document can match; followed, but for counts, by "sort" (in memory) or
// "ordered"; then "keys" when documents are not read to be filtered or sorted.
const char *query_plan(const struct query *query);
void query_close(struct query *query);
// What a finished query did, as members of the document being built: "entries" that were looked at,
// "documents" found (those skipped included), "stages" with the rows that came out of each, "rows"
// of the result.
void query_statistics(const struct query *query, struct doc_builder *builder);

// The condition evaluator alone, for tests and reuse.
struct condition;
CHECKED enum status condition_parse(struct bytes form, struct arena *arena,
                                    const struct condition **ret, struct error *error);
bool condition_matches(const struct condition *condition, struct bytes document);

// ---- PQL (docs/PQL.md) ------------------------------------------------------------------------

enum pql_kind {
    PQL_QUERY,   // `form` is that of the query operation
    PQL_COUNT,   // … of the count operation
    PQL_EXPLAIN, // `form` is that of `explained`, a query or a count
    PQL_INSERT,  // `documents` into `store`
    PQL_UPDATE,  // what `form` finds gets the fields of `set`
    PQL_DELETE,  // what `form` finds
};
struct pql {
    enum pql_kind kind, explained;
    bool analyze; // explain by running
    struct bytes store;
    struct bytes form;      // a document in the arena
    struct bytes documents; // an array
    struct bytes set;       // a document
};
// Parses PQL text (valid UTF-8) to the logical form. `parameters` is a document (names, and "1",
// "2" … for $1, $2 …), an array (of $1 …) or missing. STATUS_INVALID with line, column and offset,
// STATUS_NO_STORE (with a near name; of joined stores too), STATUS_NO_MEMORY.
CHECKED enum status pql_parse(struct bytes text, const struct doc_value *parameters,
                              const struct catalog *catalog, struct arena *arena, struct pql *ret,
                              struct error *error);
