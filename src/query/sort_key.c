// SPDX-License-Identifier: Apache-2.0
#include "query/sort_key.h"

enum status sort_key_build(struct buffer *buffer, const struct form *form, const struct key *key,
                           struct bytes document) {
    buffer_clear(buffer);
    for (size_t i = 0; i < form->sort_count; i++) {
        size_t start = buffer->size;
        struct doc_value value = doc_get_path(document, form->sort[i].path);
        enum status status = doc_encode(buffer, &value);
        if (status != STATUS_OK) return status;
        if (form->sort[i].descending) sort_key_invert(buffer->data + start, buffer->size - start);
    }
    enum status status = buffer_append(buffer, key->bytes, KEY_SIZE);
    if (status == STATUS_OK && form->key_descending)
        sort_key_invert(buffer->data + buffer->size - KEY_SIZE, KEY_SIZE);
    return status;
}

struct key sort_key_key(const struct form *form, struct bytes sort_key) {
    struct key key;
    ASSERT(sort_key.size >= KEY_SIZE);
    memcpy(key.bytes, sort_key.data + sort_key.size - KEY_SIZE, KEY_SIZE);
    if (form->key_descending) sort_key_invert(key.bytes, KEY_SIZE);
    return key;
}
