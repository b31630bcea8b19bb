// SPDX-License-Identifier: Apache-2.0
// The places of the types in the total order, for comparison and encoding.
#pragma once

#include "doc/doc.h"

// Also the first byte of an encoding, hence part of the on-disk format. 0x00 and 0x01 are left to
// the structure of documents and arrays; gaps are left for types to come.
enum order_rank {
    RANK_MIN_KEY = 0x08,
    RANK_MISSING = 0x10,
    RANK_NULL = 0x18,
    RANK_NUMBER = 0x20,
    RANK_STRING = 0x28,
    RANK_DOCUMENT = 0x30,
    RANK_ARRAY = 0x38,
    RANK_BINARY = 0x40,
    RANK_OBJECT_ID = 0x48,
    RANK_BOOL = 0x50,
    RANK_DATE = 0x58,
    RANK_TIMESTAMP = 0x60,
    RANK_REGEX = 0x68,
    RANK_MAX_KEY = 0x70,
};

enum order_rank order_rank(enum doc_type type);
