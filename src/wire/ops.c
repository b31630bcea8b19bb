// SPDX-License-Identifier: Apache-2.0
#include "base/limits.h"
#include "wire/wire.h"

static const struct op_info ops[] = {
#define OP_ROW(upper, number, level, changes, low, high)                                           \
    [OP_##upper] = {.op = OP_##upper,                                                              \
                    .name = #upper,                                                                \
                    .permission = PERMISSION_##level,                                              \
                    .mutates = changes,                                                            \
                    .documents_min = low,                                                          \
                    .documents_max = high},
    OPS_TABLE(OP_ROW)
#undef OP_ROW
};

const struct op_info *op_find(uint16_t number) {
    if (number >= sizeof ops / sizeof ops[0] || ops[number].name == NULL) return NULL;
    return &ops[number];
}
