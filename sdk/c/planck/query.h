// SPDX-License-Identifier: Apache-2.0
// A part of planck.c. The query builder, which writes the logical form of docs/PROTOCOL.md.

#define NUMBER_ABSENT INT64_MIN

struct pk_select {
    const char *store;
    enum pk_status status;
    int64_t limit;
    int64_t skip;
    struct pk_text after; // decoded
    // Each begun with the first thing in it.
    bool has_filter, has_sort, has_fields;
    struct pk_builder filter; // {"op": "and", "conditions": [ …
    struct pk_builder sort;   // an array
    struct pk_builder fields; // an array
};

struct pk_select *pk_from(const char *store) {
    struct pk_select *query = (struct pk_select *)allocate(sizeof *query);
    query->store = store;
    query->status = PK_OK;
    query->limit = query->skip = NUMBER_ABSENT;
    query->after = text_of(NULL, 0);
    query->has_filter = query->has_sort = query->has_fields = false;
    return query;
}

// ---- conditions -------------------------------------------------------------------------------

static struct pk_builder *filter_of(struct pk_select *query) {
    struct pk_builder *filter = &query->filter;
    if (query->has_filter) return filter;
    query->has_filter = true;
    builder_begin(filter, (struct buffer){0}, false);
    pk_add_text(filter, "op", PK_TEXT("and"));
    pk_begin_array(filter, "conditions");
    return filter;
}

static struct pk_builder *condition_begin(struct pk_select *query, const char *op,
                                          const char *path) {
    struct pk_builder *filter = filter_of(query);
    pk_begin_document(filter, NULL);
    pk_add_text(filter, "op", pk_text_of(op));
    pk_add_text(filter, "field", pk_text_of(path));
    return filter;
}

static struct pk_builder *compare_begin(struct pk_select *query, const char *path,
                                        enum pk_compare compare) {
    static const char *const names[] = {
        [PK_EQ] = "eq",
        [PK_NE] = "ne",
        [PK_LT] = "lt",
        [PK_LE] = "le",
        [PK_GT] = "gt",
        [PK_GE] = "ge",
        [PK_CONTAINS] = "contains",
        [PK_STARTS_WITH] = "starts_with",
        [PK_ENDS_WITH] = "ends_with",
        [PK_CONTAINS_ANY_CASE] = "contains",
    };
    if ((unsigned)compare >= sizeof names / sizeof *names) pk_abort("an unknown comparison");
    struct pk_builder *filter = condition_begin(query, names[compare], path);
    if (compare == PK_CONTAINS_ANY_CASE) pk_add_bool(filter, "ignore_case", true);
    return filter;
}

void pk_where_text(struct pk_select *query, const char *path, enum pk_compare compare,
                   struct pk_text value) {
    struct pk_builder *filter = compare_begin(query, path, compare);
    pk_add_text(filter, "value", value);
    pk_end(filter);
}

void pk_where_int(struct pk_select *query, const char *path, enum pk_compare compare,
                  int64_t value) {
    struct pk_builder *filter = compare_begin(query, path, compare);
    pk_add_int(filter, "value", value);
    pk_end(filter);
}

void pk_where_double(struct pk_select *query, const char *path, enum pk_compare compare,
                     double value) {
    struct pk_builder *filter = compare_begin(query, path, compare);
    pk_add_double(filter, "value", value);
    pk_end(filter);
}

void pk_where_bool(struct pk_select *query, const char *path, bool value) {
    struct pk_builder *filter = compare_begin(query, path, PK_EQ);
    pk_add_bool(filter, "value", value);
    pk_end(filter);
}

void pk_where_key(struct pk_select *query, const char *path, enum pk_compare compare,
                  struct pk_key key) {
    struct pk_builder *filter = compare_begin(query, path, compare);
    pk_add_key(filter, "value", key);
    pk_end(filter);
}

void pk_where_exists(struct pk_select *query, const char *path) {
    pk_end(condition_begin(query, "exists", path));
}

void pk_any_begin(struct pk_select *query) {
    struct pk_builder *filter = filter_of(query);
    pk_begin_document(filter, NULL);
    pk_add_text(filter, "op", PK_TEXT("or"));
    pk_begin_array(filter, "conditions");
}

#define FILTER_DEPTH 2 // of the filter's own document and array

void pk_any_end(struct pk_select *query) {
    if (!query->has_filter || query->filter.depth <= FILTER_DEPTH)
        pk_abort("pk_any_end: nothing was begun");
    pk_end(&query->filter);
    pk_end(&query->filter);
}

// ---- what and how much --------------------------------------------------------------------------

static struct pk_builder *array_of(struct pk_builder *builder, bool *has) {
    if (!*has) builder_begin(builder, (struct buffer){0}, true);
    *has = true;
    return builder;
}

void pk_order_by(struct pk_select *query, const char *path, enum pk_direction direction) {
    struct pk_builder *sort = array_of(&query->sort, &query->has_sort);
    pk_begin_document(sort, NULL);
    pk_add_text(sort, "field", pk_text_of(path));
    if (direction == PK_DESCENDING) pk_add_bool(sort, "descending", true);
    pk_end(sort);
}

void pk_limit(struct pk_select *query, int64_t limit) {
    query->limit = limit;
}

void pk_skip(struct pk_select *query, int64_t skip) {
    query->skip = skip;
}

// An absent or empty cursor is the beginning.
void pk_after(struct pk_select *query, struct pk_text cursor) {
    query->after = text_of(NULL, 0);
    if (cursor.size > 0 && !base64url_decode(cursor, &query->after)) query->status = PK_INVALID;
}

void pk_fields(struct pk_select *query, const char *path) {
    pk_add_text(array_of(&query->fields, &query->has_fields), NULL, pk_text_of(path));
}

// ---- running ------------------------------------------------------------------------------------

// What was built so far, closed in a copy, so that the query can go on and run again.
static void put_open(struct pk_builder *head, const char *name, uint8_t type,
                     const struct pk_builder *open) {
    struct pk_builder closed = *open;
    closed.buffer = (struct buffer){0};
    buffer_append(&closed.buffer, open->buffer.data, open->buffer.size);
    while (closed.depth > 0) builder_close(&closed);
    add_nested(head, name, type, (struct pk_document){closed.buffer.data, closed.buffer.size});
}

static enum pk_status select_run(struct pk_select *query, enum packet_op op, struct reply *ret) {
    if (query->status != PK_OK) return fail_here(PK_TEXT("the cursor is malformed"));
    if (query->has_filter && query->filter.depth != FILTER_DEPTH)
        pk_abort("pk_any_begin: not ended");
    struct pk_builder head;
    builder_begin(&head, packet_begin(0), false);
    pk_add_text(&head, "store", pk_text_of(query->store));
    if (query->has_filter) put_open(&head, "filter", PK_TYPE_DOCUMENT, &query->filter);
    if (query->limit != NUMBER_ABSENT) pk_add_int(&head, "limit", query->limit);
    if (query->skip != NUMBER_ABSENT) pk_add_int(&head, "skip", query->skip);
    if (op == OP_QUERY) {
        if (query->has_sort) put_open(&head, "sort", PK_TYPE_ARRAY, &query->sort);
        if (query->has_fields) put_open(&head, "fields", PK_TYPE_ARRAY, &query->fields);
        if (query->after.data != NULL) add_binary(&head, "after", 0, query->after);
    }
    builder_close(&head);
    return exchange(&head.buffer, op, 1, ret);
}

static struct pk_text cursor_text(struct pk_value next) {
    if (next.type != PK_TYPE_BINARY) return text_of(NULL, 0);
    uint8_t *target = allocate(base64_size(next.text.size));
    const uint8_t *data = (const uint8_t *)next.text.data;
    return text_of(target, base64_encode(target, base64_url, data, next.text.size));
}

enum pk_status pk_run(struct pk_select *query, struct pk_result *ret) {
    struct reply reply;
    enum pk_status status = select_run(query, OP_QUERY, &reply);
    if (status != PK_OK) return status;
    ret->count = reply.count;
    ret->next = cursor_text(pk_get(reply.trailer, "next"));
    ret->rest = reply.documents;
    return PK_OK;
}

bool pk_result_next(struct pk_result *result, struct pk_document *ret) {
    if (result->rest.size == 0) return false;
    size_t size = next_document_size(&result->rest);
    *ret = (struct pk_document){result->rest.data, size};
    result->rest.data += size;
    result->rest.size -= size;
    return true;
}

enum pk_status pk_count(struct pk_select *query, int64_t *ret) {
    struct reply reply;
    enum pk_status status = select_run(query, OP_COUNT, &reply);
    if (status == PK_OK) *ret = pk_get_int(reply.trailer, "count", 0);
    return status;
}
