// SPDX-License-Identifier: Apache-2.0
// Any bytes as a document. Valid ones are walked, encoded, compared, rewritten and written as JSON;
// for others only memory safety counts.
#include "doc/doc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(struct bytes document, unsigned depth) {
    struct doc_iterator iterator;
    struct bytes name;
    struct doc_value value;
    volatile uint8_t sink = 0; // the reads must happen
    for (doc_iterate(&iterator, document); doc_next(&iterator, &name, &value);) {
        for (size_t i = 0; i < name.size; i++) sink = name.data[i];
        for (size_t i = 0; i < value.payload.size; i++) sink = value.payload.data[i];
        if (depth < 8 && (value.type == DOC_DOCUMENT || value.type == DOC_ARRAY))
            walk(value.payload, depth + 1);
    }
    (void)sink;
}

static void look_up(struct bytes document, struct bytes path) {
    (void)doc_get(document, path);
    (void)doc_get_path(document, path);
    (void)doc_get_path(document, bytes_of_string("a.0.b.1.c"));
    struct doc_iterator iterator;
    struct bytes name;
    struct doc_value value;
    doc_iterate(&iterator, document);
    while (doc_next(&iterator, &name, &value)) (void)doc_get(document, name);
}

// A document sorts as its encoding does, also against its own fields.
static void check_order(const struct doc_value *a, const struct doc_value *b) {
    struct buffer left = {0}, right = {0};
    if (doc_encode(&left, a) == STATUS_OK && doc_encode(&right, b) == STATUS_OK) {
        int compared = doc_compare(a, b);
        int encoded = bytes_compare(buffer_bytes(&left), buffer_bytes(&right));
        ASSERT((compared < 0) == (encoded < 0) && (compared > 0) == (encoded > 0));
        ASSERT(doc_compare(b, a) == 0 || (doc_compare(b, a) < 0) == (compared > 0));
    }
    buffer_done(&left);
    buffer_done(&right);
}

static void check_fields(struct bytes document) {
    struct doc_value whole = {.type = DOC_DOCUMENT, .payload = document};
    struct doc_value value, last = whole;
    struct doc_iterator iterator;
    struct bytes name;
    doc_iterate(&iterator, document);
    for (int i = 0; i < 64 && doc_next(&iterator, &name, &value); i++) {
        check_order(&value, &last);
        check_order(&value, &value);
        last = value;
    }
    check_order(&whole, &whole);
    ASSERT(doc_compare(&whole, &whole) == 0);
}

static void check_rewriting(struct bytes document) {
    struct buffer result = {0};
    struct doc_value id = doc_value_int(1);
    if (doc_set_fields(&result, document, document, NULL) == STATUS_OK)
        ASSERT(doc_validate(buffer_bytes(&result), NULL) == STATUS_OK);
    buffer_clear(&result);
    ASSERT(doc_with_id(&result, document, &id) == STATUS_OK);
    ASSERT(doc_validate(buffer_bytes(&result), NULL) == STATUS_OK);
    buffer_clear(&result);
    ASSERT(doc_to_json(&result, document) == STATUS_OK);
    buffer_done(&result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bytes document = bytes_of(data, size);
    struct error error;
    struct buffer buffer = {0};
    size_t path_size = size < 16 ? size : 16;
    look_up(document, bytes_of(data + size - path_size, path_size));
    walk(document, 0);
    (void)doc_path_valid(document);
    if (doc_from_json(&buffer, document, &error) == STATUS_OK)
        ASSERT(doc_validate(buffer_bytes(&buffer), NULL) == STATUS_OK);
    buffer_done(&buffer);
    if (doc_validate(document, &error) == STATUS_OK) {
        check_fields(document);
        check_rewriting(document);
    }
    return 0;
}
