// SPDX-License-Identifier: Apache-2.0
// Cursors of keyset paging: opaque to clients, and hostile when they come back.
//
//   offset  size  field
//   0       1     version, 1
//   1       8     hash of the store and the sort of the form (little-endian)
//   9       4     CRC-32C of what follows
//   13            sort key of the last document that was returned (sort_key.h)
#pragma once

#include "query/sort_key.h"

CHECKED enum status cursor_write(struct buffer *buffer, const struct form *form, uint32_t store_id,
                                 struct bytes sort_key);
// The sort key in `cursor`, in place. STATUS_INVALID when it is damaged or of another form.
CHECKED enum status cursor_read(struct bytes cursor, const struct form *form, uint32_t store_id,
                                struct bytes *ret_sort_key, struct error *error);
