// SPDX-License-Identifier: Apache-2.0
// JSON in and out. The only file that sees libbson.
#include <bson/bson.h>

#include "base/limits.h"
#include "doc/doc.h"

static size_t skip_space(struct bytes json, size_t offset) {
    while (offset < json.size && (json.data[offset] == ' ' || json.data[offset] == '\t' ||
                                  json.data[offset] == '\n' || json.data[offset] == '\r'))
        offset++;
    return offset;
}

// Where the object that begins at `offset` ends, by its brackets alone; 0 when it does not.
static size_t find_object_end(struct bytes json, size_t offset) {
    size_t depth = 0;
    bool in_string = false;
    for (; offset < json.size; offset++) {
        uint8_t character = json.data[offset];
        if (in_string) {
            if (character == '\\') offset++;
            in_string = character != '"';
            continue;
        }
        if (character == '"') in_string = true;
        if (character == '{' || character == '[') depth++;
        if ((character == '}' || character == ']') && --depth == 0) return offset + 1;
    }
    return 0;
}

// libbson reads the first value of a text and lets pass what follows; here a text is one object.
static enum status find_object(struct bytes json, struct bytes *ret_object, struct error *error) {
    size_t start = skip_space(json, 0);
    if (start == json.size)
        return error_set_at(error, STATUS_MALFORMED, (int64_t)start, "the JSON text is empty");
    if (json.data[start] != '{')
        return error_set_at(error, STATUS_MALFORMED, (int64_t)start, "expected a JSON object");
    size_t end = find_object_end(json, start);
    if (end == 0)
        return error_set_at(error, STATUS_MALFORMED, (int64_t)json.size,
                            "the JSON object does not end");
    size_t rest = skip_space(json, end);
    if (rest != json.size)
        return error_set_at(error, STATUS_MALFORMED, (int64_t)rest,
                            "unexpected text after the JSON object");
    *ret_object = bytes_of(json.data + start, end - start);
    return STATUS_OK;
}

enum status doc_from_json(struct buffer *buffer, struct bytes json, struct error *error) {
    struct bytes object = {0};
    enum status status = find_object(json, &object, error);
    if (status != STATUS_OK) return status;
    bson_error_t reason = {0};
    bson_t *parsed = bson_new_from_json(object.data, (ssize_t)object.size, &reason);
    if (parsed == NULL)
        return error_set(error, STATUS_MALFORMED, "the JSON is malformed: %s", reason.message);
    struct bytes document = bytes_of(bson_get_data(parsed), parsed->len);
    // Extended JSON can spell the deprecated types, and a string that is not UTF-8.
    status = doc_validate(document, error);
    if (status == STATUS_OK) status = buffer_append(buffer, document.data, document.size);
    bson_destroy(parsed);
    return status;
}

enum status doc_to_json(struct buffer *buffer, struct bytes document) {
    bson_t bson;
    if (document.size < DOC_EMPTY_SIZE || !bson_init_static(&bson, document.data, document.size))
        return STATUS_MALFORMED;
    size_t size;
    char *json = bson_as_relaxed_extended_json(&bson, &size);
    if (json == NULL) return STATUS_MALFORMED;
    enum status status = buffer_append(buffer, json, size);
    bson_free(json);
    return status;
}
