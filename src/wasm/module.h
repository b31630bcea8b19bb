// SPDX-License-Identifier: Apache-2.0
// A loaded module: compiled code whose imports and exports have been checked, and its manifest.
// Any thread; counted.
#pragma once

#include "wasm/runtime.h"

struct code *module_code(const struct wasm_module *module);
struct wasm_runtime *module_runtime(const struct wasm_module *module);
struct wasm_module *module_ref(struct wasm_module *module);

// Appends the contents of all custom sections of that name in a binary module. STATUS_MALFORMED for
// what is not a module.
CHECKED enum status module_custom_section(struct bytes binary, const char *name,
                                          struct buffer *buffer, struct error *error);
