// SPDX-License-Identifier: Apache-2.0
// A guest's response: checked against its memory and copied out of it, so that the guest may reuse
// the memory at once. The copy's buffer is kept from call to call.
#pragma once

#include "base/limits.h"
#include "wasm/runtime.h"

#define RESPONSE_HEADERS_MAX 64
#define RESPONSE_HEADER_BYTES_MAX (64 * KIB)
#define RESPONSE_KEEP_BYTES (256 * KIB) // a larger buffer is given back after the call

struct response {
    int status;
    size_t header_count;
    struct http_header headers[RESPONSE_HEADERS_MAX];
    struct bytes body;
    struct buffer buffer; // holds all of it
};

void response_done(struct response *response);
// Forgets the response, keeps a buffer of moderate size.
void response_clear(struct response *response);
// Reads the structure at `pointer` (docs/ABI.md). On failure `ret_reason` is a text for the log:
// STATUS_INVALID for what the guest did wrong, STATUS_NO_MEMORY.
CHECKED enum status response_read(struct response *response, struct guest *guest, uint32_t pointer,
                                  uint32_t length, size_t body_max, const char **ret_reason);
