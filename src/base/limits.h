// SPDX-License-Identifier: Apache-2.0
// Bounds that are part of formats or protocols; tunable ones are in the configuration table.
#pragma once

#define KIB (1024ULL)
#define MIB (1024ULL * KIB)
#define GIB (1024ULL * MIB)

#define DOCUMENT_SIZE_MAX (16 * MIB) // one BSON document, bytes
#define DOCUMENT_DEPTH_MAX 100       // nesting of documents and arrays
#define STORE_NAME_MAX 120           // bytes
#define FIELD_PATH_MAX 255           // bytes of a dotted path
#define FIELD_PATH_PARTS_MAX 16
#define INDEX_VALUE_MAX 1024 // bytes of an encoded index value before truncation
#define PACKET_SIZE_MAX (48 * MIB)
#define BATCH_OPS_MAX 100000 // documents in one insert-many
