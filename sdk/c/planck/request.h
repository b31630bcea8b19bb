// SPDX-License-Identifier: Apache-2.0
// A part of planck.c. The request: views into the structure that the host wrote (docs/ABI.md).

// Offsets of its fields.
enum request_field {
    REQUEST_VERSION = 4,
    REQUEST_METHOD = 6,
    REQUEST_FLAGS = 7,
    REQUEST_ROUTE = 8,
    REQUEST_PATH = 12,
    REQUEST_QUERY = 20,
    REQUEST_BODY = 28,
    REQUEST_BODY_TOTAL = 36,
    REQUEST_PARAM_COUNT = 44,
    REQUEST_HEADER_COUNT = 46,
    REQUEST_PARAMS = 48,
    REQUEST_HEADERS = 52,
    REQUEST_ID = 56,
    REQUEST_SIZE = 72,
};
#define REQUEST_BODY_NOT_INCLUDED 1

extern const struct pk_route pk_routes[];
extern const uint32_t pk_route_count;

#define HEADERS_MAX 64

struct pk_request {
    const uint8_t *data;
    size_t size;
    bool body_known;
    struct pk_text body;
    // The response.
    int status;
    struct pk_text content_type; // absent: no body was begun
    struct pk_out out;
    size_t header_count;
    struct response_header headers[HEADERS_MAX];
};
static struct pk_request current; // an instance handles one at a time

static struct pk_text request_view(const struct pk_request *request, size_t field) {
    uint32_t offset = load32(request->data + field), size = load32(request->data + field + 4);
    if (offset > request->size || size > request->size - offset)
        pk_abort("the request is malformed");
    return text_of(request->data + offset, size);
}

static size_t request_count(const struct pk_request *request, size_t field) {
    return load32(request->data + field) & 0xffff;
}

// The offset of entry `index` in a table of the request.
static size_t request_entry(const struct pk_request *request, size_t field, size_t index,
                            size_t entry_size) {
    size_t table = load32(request->data + field);
    if (table > request->size || request->size - table < (index + 1) * entry_size)
        pk_abort("the request is malformed");
    return table + index * entry_size;
}

enum pk_method pk_request_method(const struct pk_request *request) {
    return (enum pk_method)request->data[REQUEST_METHOD];
}

struct pk_text pk_request_path(const struct pk_request *request) {
    return request_view(request, REQUEST_PATH);
}

struct pk_text pk_request_id(const struct pk_request *request) {
    return request_view(request, REQUEST_ID);
}

// ---- the body ---------------------------------------------------------------------------------

// The host keeps a long body until it is asked for.
static struct pk_text read_body(uint64_t total) {
    if (total > ALLOCATION_MAX) out_of_memory();
    uint8_t *target = allocate((size_t)total);
    size_t size = 0;
    while (size < total) {
        int32_t count = pk_host_body_read(target + size, (uint32_t)(total - size));
        if (count < 0) pk_abort("the host does not give the request's body");
        if (count == 0) break;
        size += (size_t)count;
    }
    return text_of(target, size);
}

struct pk_text pk_request_body(const struct pk_request *request) {
    if (!(request->data[REQUEST_FLAGS] & REQUEST_BODY_NOT_INCLUDED))
        return request_view(request, REQUEST_BODY);
    if (!current.body_known) {
        current.body = read_body(load64(request->data + REQUEST_BODY_TOTAL));
        current.body_known = true;
    }
    return current.body;
}

// ---- names to values ----------------------------------------------------------------------------

// The position of ":name" (or "*name") among the pattern's parameters, or -1.
static int pattern_position(const char *pattern, struct pk_text name) {
    int position = 0;
    for (const char *p = pattern; *p != '\0'; p++) {
        if (p == pattern || p[-1] != '/' || (*p != ':' && *p != '*')) continue;
        size_t size = 0;
        while (p[1 + size] != '\0' && p[1 + size] != '/') size++;
        if (pk_text_equal(name, text_of(p + 1, size))) return position;
        position++;
    }
    return -1;
}

struct pk_text pk_param(const struct pk_request *request, const char *name) {
    uint32_t route = load32(request->data + REQUEST_ROUTE);
    int position = pattern_position(pk_routes[route].pattern, pk_text_of(name));
    if (position < 0 || (size_t)position >= request_count(request, REQUEST_PARAM_COUNT))
        return text_of(NULL, 0);
    return request_view(request, request_entry(request, REQUEST_PARAMS, (size_t)position, 8));
}

struct pk_text pk_query(const struct pk_request *request, const char *name) {
    return form_find(request_view(request, REQUEST_QUERY), name);
}

// The next header of that name from `*index` on.
static struct pk_text next_header(const struct pk_request *request, struct pk_text name,
                                  size_t *index) {
    size_t count = request_count(request, REQUEST_HEADER_COUNT);
    while (*index < count) {
        size_t entry = request_entry(request, REQUEST_HEADERS, (*index)++, 16);
        if (pk_text_equal(request_view(request, entry), name))
            return request_view(request, entry + 8);
    }
    return text_of(NULL, 0);
}

struct pk_text pk_header(const struct pk_request *request, const char *name) {
    size_t index = 0;
    return next_header(request, pk_text_of(name), &index);
}

// RFC 6265: name=value; name=value. A value in quotes is given without them.
static bool find_cookie(struct pk_text header, struct pk_text name, struct pk_text *ret) {
    for (size_t start = 0, end; start < header.size; start = end + 1) {
        for (end = start; end < header.size && header.data[end] != ';';) end++;
        size_t equals = start;
        while (equals < end && header.data[equals] != '=') equals++;
        struct pk_text found = pk_text_trim(text_of(header.data + start, equals - start));
        if (equals == end || !pk_text_equal(found, name)) continue;
        struct pk_text value = pk_text_trim(text_of(header.data + equals + 1, end - equals - 1));
        bool quoted = value.size >= 2 && value.data[0] == '"' && value.data[value.size - 1] == '"';
        *ret = quoted ? text_of(value.data + 1, value.size - 2) : value;
        return true;
    }
    return false;
}

struct pk_text pk_cookie(const struct pk_request *request, const char *name) {
    struct pk_text value;
    size_t index = 0;
    for (;;) {
        struct pk_text header = next_header(request, PK_TEXT("cookie"), &index);
        if (header.data == NULL) return header;
        if (find_cookie(header, pk_text_of(name), &value)) return value;
    }
}

// ---- content types ------------------------------------------------------------------------------

// The media type of the body, without its parameters.
static struct pk_text media_type(const struct pk_request *request) {
    struct pk_text type = pk_header(request, "content-type");
    size_t size = 0;
    while (size < type.size && type.data[size] != ';') size++;
    return pk_text_trim(text_of(type.data, size));
}

static bool is_media_type(struct pk_text type, const char *name) {
    return type.size == __builtin_strlen(name) && begins_with_any_case(type, name);
}

bool pk_is_json(const struct pk_request *request) {
    struct pk_text type = media_type(request);
    if (is_media_type(type, "application/json")) return true;
    return type.size > 5 && is_media_type(text_of(type.data + type.size - 5, 5), "+json");
}

static size_t find_any_case(struct pk_text text, const char *string) {
    for (size_t i = 0; i < text.size; i++) {
        if (begins_with_any_case(text_of(text.data + i, text.size - i), string)) return i;
    }
    return SIZE_NONE;
}

bool pk_prefers_html(const struct pk_request *request) {
    struct pk_text accept = pk_header(request, "accept");
    return find_any_case(accept, "text/html") < find_any_case(accept, "application/json");
}

// ---- forms --------------------------------------------------------------------------------------

static struct pk_text form_of(const struct pk_request *request) {
    if (!is_media_type(media_type(request), "application/x-www-form-urlencoded"))
        return text_of(NULL, 0);
    return pk_request_body(request);
}

struct pk_text pk_form(const struct pk_request *request, const char *name) {
    return form_find(form_of(request), name);
}

bool pk_form_next(const struct pk_request *request, size_t *cursor, struct pk_text *ret_name,
                  struct pk_text *ret_value) {
    struct pk_text name, value;
    if (!form_next_pair(form_of(request), cursor, &name, &value)) return false;
    *ret_name = form_decode(name);
    *ret_value = form_decode(value);
    return true;
}
