// SPDX-License-Identifier: Apache-2.0
// A request as the guest sees it: written in one go into the guest's request buffer. The layout is
// specified in docs/ABI.md.
#include "wasm/instance.h"

#define FIXED_SIZE 72
#define ID_SIZE 32

static size_t count_params(const struct http_match *match) {
    return match == NULL ? 0 : match->param_count;
}

enum status request_measure(const struct http_request *request, const struct http_match *match,
                            size_t *ret_size) {
    size_t params = count_params(match);
    if (request->header_count > UINT16_MAX) return STATUS_TOO_LARGE;
    size_t size = FIXED_SIZE + params * 8 + request->header_count * 16 + ID_SIZE +
                  request->path.size + request->query.size + request->remote.size +
                  request->body.size;
    for (size_t i = 0; i < params; i++) size += match->params[i].size;
    for (size_t i = 0; i < request->header_count; i++)
        size += request->headers[i].name.size + request->headers[i].value.size;
    if (size > INT32_MAX) return STATUS_TOO_LARGE;
    *ret_size = size;
    return STATUS_OK;
}

struct encoder {
    uint8_t *start;
    size_t next; // offset of the next data byte
};

// Appends data and writes its {offset, length} at `field`.
static void put(struct encoder *encoder, uint8_t *field, struct bytes bytes) {
    store_le32(field, (uint32_t)encoder->next);
    store_le32(field + 4, (uint32_t)bytes.size);
    if (bytes.size > 0) memcpy(encoder->start + encoder->next, bytes.data, bytes.size);
    encoder->next += bytes.size;
}

static void put_lower_case(struct encoder *encoder, uint8_t *field, struct bytes bytes) {
    uint8_t *copy = encoder->start + encoder->next;
    store_le32(field, (uint32_t)encoder->next);
    store_le32(field + 4, (uint32_t)bytes.size);
    for (size_t i = 0; i < bytes.size; i++) {
        uint8_t c = bytes.data[i];
        copy[i] = c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
    }
    encoder->next += bytes.size;
}

void request_encode(const struct http_request *request, const struct http_match *match,
                    uint8_t *target, size_t size) {
    size_t params = count_params(match);
    uint8_t *param = target + FIXED_SIZE;
    uint8_t *header = param + params * 8;
    struct encoder encoder = {.start = target,
                              .next = FIXED_SIZE + params * 8 + request->header_count * 16};
    store_le32(target, (uint32_t)size);
    store_le16(target + 4, 1);
    target[6] = (uint8_t)request->method;
    target[7] = 0;
    store_le32(target + 8, match == NULL ? 0 : match->route);
    put(&encoder, target + 12, request->path);
    put(&encoder, target + 20, request->query);
    store_le64(target + 36, request->body.size);
    store_le16(target + 44, (uint16_t)params);
    store_le16(target + 46, (uint16_t)request->header_count);
    store_le32(target + 48, (uint32_t)(param - target));
    store_le32(target + 52, (uint32_t)(header - target));
    put(&encoder, target + 56, bytes_of(request->id, ID_SIZE));
    put(&encoder, target + 64, request->remote);
    for (size_t i = 0; i < params; i++) put(&encoder, param + i * 8, match->params[i]);
    for (size_t i = 0; i < request->header_count; i++) {
        put_lower_case(&encoder, header + i * 16, request->headers[i].name);
        put(&encoder, header + i * 16 + 8, request->headers[i].value);
    }
    put(&encoder, target + 28, request->body);
    ASSERT(encoder.next == size);
}
