// SPDX-License-Identifier: Apache-2.0
// The place of a document in the order of a form, as bytes: the encoded values of the sort fields
// and the 16-byte key, each inverted when it descends. memcmp order of these is the order of the
// results, and no two documents share one.
#pragma once

#include "query/form.h"

#define KEY_SIZE sizeof(((struct key *)0)->bytes)

// Replaces what `buffer` holds.
CHECKED enum status sort_key_build(struct buffer *buffer, const struct form *form,
                                   const struct key *key, struct bytes document);
// The primary key at the end of a sort key.
struct key sort_key_key(const struct form *form, struct bytes sort_key);
static inline void sort_key_invert(uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)~bytes[i];
}
