// SPDX-License-Identifier: Apache-2.0
// The bounds of struct wasm_options.
#pragma once

#include "wasm/wasm.h"

CHECKED enum status options_check(const struct wasm_options *options, struct error *error);
