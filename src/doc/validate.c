// SPDX-License-Identifier: Apache-2.0
// Validation of whole documents that come from outside. Iterative: nesting costs no stack.
#include "base/limits.h"
#include "doc/element.h"
#include "doc/utf8.h"

// `ends` holds, for each open document, where its final NUL stands.
struct validation {
    const uint8_t *start;
    const uint8_t *next;
    struct error *error;
    uint32_t depth;
    const uint8_t *ends[DOCUMENT_DEPTH_MAX];
};

static enum status malformed(const struct validation *validation, const uint8_t *place,
                             const char *what) {
    int64_t offset = place - validation->start;
    return error_set_at(validation->error, STATUS_MALFORMED, offset,
                        "BSON is malformed at byte %lld: %s", (long long)offset, what);
}

static enum status check_utf8(const struct validation *validation, struct bytes text) {
    size_t valid = utf8_valid_size(text);
    if (valid == text.size) return STATUS_OK;
    return malformed(validation, text.data + valid, "not UTF-8");
}

// Opens the document at `start`, whose `size` bytes are known to lie within the enclosing one.
static enum status open_document(struct validation *validation, const uint8_t *start, size_t size) {
    if (load_le32(start) != size) return malformed(validation, start, "wrong document length");
    if (start[size - 1] != 0)
        return malformed(validation, start + size - 1, "a document does not end in NUL");
    if (validation->depth == DOCUMENT_DEPTH_MAX)
        return malformed(validation, start, "nested too deeply");
    validation->ends[validation->depth++] = start + size - 1;
    validation->next = start + 4;
    return STATUS_OK;
}

static enum status check_regex(const struct validation *validation, const struct element *element) {
    size_t pattern_size = strlen((const char *)element->payload);
    enum status status = check_utf8(validation, bytes_of(element->payload, pattern_size));
    if (status != STATUS_OK) return status;
    return check_utf8(validation, bytes_of(element->payload + pattern_size + 1,
                                           element->payload_size - pattern_size - 2));
}

static enum status check_binary(const struct validation *validation,
                                const struct element *element) {
    size_t size = element->payload_size - 5;
    // Subtype 2, the old generic binary, repeats its length inside.
    if (element->payload[4] == 2 && (size < 4 || load_le32(element->payload + 5) != size - 4))
        return malformed(validation, element->payload, "wrong length of an old binary");
    return STATUS_OK;
}

static enum status check_value(struct validation *validation, const struct element *element) {
    const uint8_t *payload = element->payload;
    size_t size = element->payload_size;
    switch ((enum doc_type)element->type) {
    case DOC_STRING:
        if (payload[size - 1] != 0)
            return malformed(validation, payload, "a string does not end in NUL");
        return check_utf8(validation, bytes_of(payload + 4, size - 5));
    case DOC_DOCUMENT:
    case DOC_ARRAY:
        return open_document(validation, payload, size);
    case DOC_BINARY:
        return check_binary(validation, element);
    case DOC_BOOL:
        if (payload[0] > 1) return malformed(validation, payload, "a bool is neither 0 nor 1");
        return STATUS_OK;
    case DOC_REGEX:
        return check_regex(validation, element);
    default:
        return STATUS_OK;
    }
}

// Says why element_next() found no element at `next`.
static enum status explain(const struct validation *validation, const uint8_t *end) {
    const uint8_t *start = validation->next;
    if (element_sizes[*start] == 0)
        return malformed(validation, start, "unknown or deprecated element type");
    if (element_find_nul(start + 1, end) == NULL)
        return malformed(validation, start + 1, "a field name does not end");
    return malformed(validation, start, "a value does not fit in its document");
}

static enum status check_elements(struct validation *validation) {
    while (validation->depth > 0) {
        const uint8_t *end = validation->ends[validation->depth - 1];
        if (validation->next == end) {
            validation->next = end + 1;
            validation->depth--;
            continue;
        }
        struct element element;
        const uint8_t *next = validation->next;
        if (!element_next(&next, end, &element)) return explain(validation, end);
        enum status status = check_utf8(validation, element.name);
        if (status != STATUS_OK) return status;
        validation->next = next; // open_document() sets it back to the first element inside
        status = check_value(validation, &element);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

enum status doc_validate_within(struct bytes document, size_t size_max, struct error *error) {
    struct validation validation;
    validation.start = document.data;
    validation.error = error;
    validation.depth = 0;
    if (document.size < DOC_EMPTY_SIZE)
        return error_set_at(error, STATUS_MALFORMED, 0, "BSON is malformed: %zu bytes are too few",
                            document.size);
    if (document.size > size_max || document.size > INT32_MAX)
        return error_set_at(error, STATUS_MALFORMED, 0,
                            "a document of %zu bytes is too large, at most %zu are allowed",
                            document.size, size_max);
    enum status status = open_document(&validation, document.data, document.size);
    if (status != STATUS_OK) return status;
    return check_elements(&validation);
}

enum status doc_validate(struct bytes document, struct error *error) {
    return doc_validate_within(document, DOCUMENT_SIZE_MAX, error);
}
