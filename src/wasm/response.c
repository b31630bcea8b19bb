// SPDX-License-Identifier: Apache-2.0
#include "wasm/response.h"

#define STRUCTURE_SIZE 32
#define HEADER_ENTRY_SIZE 16

void response_done(struct response *response) {
    buffer_done(&response->buffer);
}

void response_clear(struct response *response) {
    response->status = 0;
    response->header_count = 0;
    response->body = bytes_of(NULL, 0);
    if (response->buffer.capacity > RESPONSE_KEEP_BYTES) {
        buffer_done(&response->buffer);
        response->buffer = (struct buffer){0};
    }
    buffer_clear(&response->buffer);
}

static enum status refuse(const char *reason, const char **ret_reason) {
    *ret_reason = reason;
    return STATUS_INVALID;
}

// RFC 9110 section 5.6.2.
static bool is_token(struct bytes name) {
    static const bool good[256] = {
        ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['!'] = true,
        ['#'] = true,         ['$'] = true,         ['%'] = true,         ['&'] = true,
        ['\''] = true,        ['*'] = true,         ['+'] = true,         ['-'] = true,
        ['.'] = true,         ['^'] = true,         ['_'] = true,         ['`'] = true,
        ['|'] = true,         ['~'] = true,
    };
    for (size_t i = 0; i < name.size; i++)
        if (!good[name.data[i]]) return false;
    return name.size > 0;
}

static bool is_field_value(struct bytes value) {
    for (size_t i = 0; i < value.size; i++) {
        uint8_t c = value.data[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f) return false;
    }
    return true;
}

static bool equal_ignoring_case(struct bytes name, const char *lower) {
    size_t i = 0;
    for (; i < name.size && lower[i] != '\0'; i++) {
        uint8_t c = name.data[i];
        if (c >= 'A' && c <= 'Z') c |= 0x20;
        if (c != (uint8_t)lower[i]) return false;
    }
    return i == name.size && lower[i] == '\0';
}

// What the server itself says about the message and the connection.
static bool belongs_to_server(struct bytes name) {
    static const char *const names[] = {
        "connection", "content-length",    "date",    "keep-alive",   "proxy-connection", "te",
        "trailer",    "transfer-encoding", "upgrade", "x-request-id",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (equal_ignoring_case(name, names[i])) return true;
    }
    return false;
}

static bool guest_view(struct guest *guest, const uint8_t *fields, struct bytes *ret) {
    uint32_t length = load_le32(fields + 4);
    const uint8_t *data = guest_range(guest, load_le32(fields), length);
    *ret = bytes_of(data, length);
    return data != NULL;
}

static enum status read_headers(struct response *response, struct guest *guest, uint32_t pointer,
                                size_t count, size_t *ret_bytes, const char **ret_reason) {
    const uint8_t *entry = guest_range(guest, pointer, (uint32_t)count * HEADER_ENTRY_SIZE);
    if (entry == NULL) return refuse("host_respond: headers outside of memory", ret_reason);
    size_t total = 0;
    for (size_t i = 0; i < count; i++, entry += HEADER_ENTRY_SIZE) {
        struct http_header *header = &response->headers[i];
        if (!guest_view(guest, entry, &header->name) ||
            !guest_view(guest, entry + 8, &header->value))
            return refuse("host_respond: a header outside of memory", ret_reason);
        if (!is_token(header->name) || !is_field_value(header->value))
            return refuse("host_respond: a malformed header", ret_reason);
        if (belongs_to_server(header->name))
            return refuse("host_respond: a header that belongs to the server", ret_reason);
        total += header->name.size + header->value.size;
        if (total > RESPONSE_HEADER_BYTES_MAX)
            return refuse("host_respond: too many bytes of headers", ret_reason);
    }
    *ret_bytes = total;
    return STATUS_OK;
}

static struct bytes keep(struct buffer *buffer, struct bytes view) {
    uint8_t *copy = buffer->data + buffer->size;
    if (view.size > 0) memcpy(copy, view.data, view.size);
    buffer->size += view.size;
    return bytes_of(copy, view.size);
}

static void keep_all(struct response *response, struct bytes body) {
    for (size_t i = 0; i < response->header_count; i++) {
        struct http_header *header = &response->headers[i];
        header->name = keep(&response->buffer, header->name);
        header->value = keep(&response->buffer, header->value);
    }
    response->body = keep(&response->buffer, body);
    ASSERT(response->buffer.size <= response->buffer.capacity);
}

enum status response_read(struct response *response, struct guest *guest, uint32_t pointer,
                          uint32_t length, size_t body_max, const char **ret_reason) {
    const uint8_t *fields = guest_range(guest, pointer, length);
    if (fields == NULL || length != STRUCTURE_SIZE)
        return refuse("host_respond: the structure is not 32 bytes of memory", ret_reason);
    int status = load_le16(fields);
    size_t count = load_le16(fields + 2), header_bytes = 0;
    if (status < 200 || status > 599) return refuse("host_respond: bad status", ret_reason);
    if (count > RESPONSE_HEADERS_MAX) return refuse("host_respond: too many headers", ret_reason);
    if (load_le64(fields + 16) != 0 || load_le64(fields + 24) != 0)
        return refuse("host_respond: reserved fields must be zero", ret_reason);
    struct bytes body;
    if (!guest_view(guest, fields + 8, &body))
        return refuse("host_respond: body outside of memory", ret_reason);
    if (body.size > body_max) return refuse("host_respond: body too large", ret_reason);
    enum status result =
        read_headers(response, guest, load_le32(fields + 4), count, &header_bytes, ret_reason);
    if (result != STATUS_OK) return result;
    buffer_clear(&response->buffer);
    result = buffer_reserve(&response->buffer, header_bytes + body.size);
    if (result != STATUS_OK) {
        *ret_reason = "host_respond: no memory";
        return STATUS_NO_MEMORY;
    }
    response->status = status;
    response->header_count = count;
    keep_all(response, body);
    return STATUS_OK;
}
