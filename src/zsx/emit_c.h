// SPDX-License-Identifier: Apache-2.0
// Between the files that write C. Private to zsx.
#pragma once

#include "zsx/emit.h"

static inline void put(struct zsx_emitter *emitter, const char *text) {
    zsx_put_string(emitter, text);
}
void zsx_c_fresh_line(struct zsx_emitter *emitter);
// A new line that the compiler takes for that of `offset`.
void zsx_c_line(struct zsx_emitter *emitter, size_t offset);

// Members of zsx_language_c.
void zsx_c_import(struct zsx_emitter *emitter, const struct zsx_node *node);
void zsx_c_prototype(struct zsx_emitter *emitter, const struct zsx_function *function);
void zsx_c_function_begin(struct zsx_emitter *emitter, const struct zsx_function *function);
void zsx_c_function_end(struct zsx_emitter *emitter, const struct zsx_function *function);
void zsx_c_host(struct zsx_emitter *emitter, const struct zsx_node *node);
void zsx_c_return_begin(struct zsx_emitter *emitter);
void zsx_c_return_end(struct zsx_emitter *emitter);
