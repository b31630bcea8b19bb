// SPDX-License-Identifier: Apache-2.0
// Text matching in UTF-8: plain bytes, and code points under the simple case folding of Unicode for
// Basic Latin, Latin-1, Latin Extended-A, Greek and Cyrillic. Pure functions; text that is not
// valid UTF-8 is never read beyond its end, and its bad bytes match themselves.
#pragma once

#include "base/bytes.h"

// The folded form of a code point; itself when it has none.
uint32_t text_fold(uint32_t code_point);
// Decodes and folds the character at `offset` (< text.size); `ret_size` is its size in bytes.
uint32_t text_fold_at(struct bytes text, size_t offset, size_t *ret_size);
// Folds `text` into `ret_folded`, which has room for text.size code points; returns their number.
size_t text_fold_all(struct bytes text, uint32_t *ret_folded);

bool text_contains(struct bytes text, struct bytes part);
bool text_starts_with(struct bytes text, struct bytes part);
bool text_ends_with(struct bytes text, struct bytes part);
// The same where `folded` was made by text_fold_all().
bool text_contains_folded(struct bytes text, const uint32_t *folded, size_t count);
bool text_starts_with_folded(struct bytes text, const uint32_t *folded, size_t count);
bool text_ends_with_folded(struct bytes text, const uint32_t *folded, size_t count);
bool text_equals_folded(struct bytes text, const uint32_t *folded, size_t count);
