// SPDX-License-Identifier: Apache-2.0
#include "documents.h"

struct arena fixture_memory;

struct bytes fixture_copy(struct bytes bytes) {
    struct bytes copy = arena_copy(&fixture_memory, bytes);
    CHECK(copy.data != NULL || bytes.size == 0);
    return copy;
}

struct bytes fixture_document(const char *json) {
    struct buffer buffer = {0};
    struct error error = {0};
    if (doc_from_json(&buffer, bytes_of_string(json), &error) != STATUS_OK)
        test_fail(__FILE__, __LINE__, "%s: %s", json, error.message);
    struct bytes document = fixture_copy(buffer_bytes(&buffer));
    buffer_done(&buffer);
    return document;
}

const char *fixture_json(struct bytes document) {
    struct buffer buffer = {0};
    CHECK_OK(doc_to_json(&buffer, document));
    size_t kept = 0;
    for (size_t i = 0; i < buffer.size; i++)
        if (buffer.data[i] != ' ') buffer.data[kept++] = buffer.data[i];
    const char *text = arena_string(&fixture_memory, bytes_of(buffer.data, kept));
    buffer_done(&buffer);
    CHECK(text != NULL);
    return text;
}
