// SPDX-License-Identifier: Apache-2.0
// Writes being prepared: what the operations that write documents share (write.c, pql.c).
#pragma once

#include "engine/session.h"

// A write being prepared. Documents that had to be rebuilt (with an _id) lie in call->scratch,
// which may move while it grows: `scratch_offset` is resolved to `write.document` at the end.
struct prepared {
    struct write *writes;
    size_t *scratch_offsets; // SIZE_MAX: the document is in the packet
    size_t *scratch_sizes;
    enum key_type *key_types;
    size_t count;
};

// Room for `count` writes in the call's arena.
CHECKED enum status prepared_new(struct call *call, size_t count, struct prepared *ret);
// The document of write `i`, whose kind is set: its _id becomes the key; absent, one is generated
// in uuid stores.
CHECKED enum status prepared_take(struct call *call, struct prepared *prepared, size_t i,
                                  const struct store_info *store, struct bytes document);
// Writes all or nothing. The call must hold no view.
CHECKED enum status prepared_commit(struct call *call, struct prepared *prepared,
                                    struct write_result *ret_result);
// The trailer {"sequence"?, "ids"}.
CHECKED enum status prepared_reply_ids(struct call *call, const struct prepared *prepared,
                                       bool sequence, uint64_t last_sequence);
