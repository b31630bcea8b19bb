// SPDX-License-Identifier: Apache-2.0
// Changes of the catalogue, each a commit of its own with one operation.
#pragma once

#include "storage/state.h"

// Logs that the index is complete (flusher thread). Nothing happens when it was dropped meanwhile.
CHECKED enum status ddl_index_ready(struct storage *storage, uint32_t index_id);
// Appends {sequence, operation} to a generation's list of DDL.
CHECKED enum status ddl_note(struct buffer *buffer, uint64_t sequence,
                             const struct operation *operation);
