// SPDX-License-Identifier: Apache-2.0
// Any bytes as a packet: decoding never reads outside them, and every document that it lets
// through is valid.
#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct packet packet;
    struct error error;
    if (packet_decode(bytes_of(data, size), &packet, &error) != STATUS_OK) return 0;
    struct bytes document;
    while (packet_next_document(&packet.body, &document, &error) == STATUS_OK)
        ASSERT(doc_validate(document, NULL) == STATUS_OK);
    return 0;
}
