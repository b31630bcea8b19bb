// SPDX-License-Identifier: Apache-2.0
// One configuration value between its text and its field. Private to config.
#pragma once

#include "base/config.h"

enum { CONFIG_TEXT_MAX = 240 };

// Stores `text` in the row's field, replacing (and freeing) a string that is there. `plain` says
// that the text was not quoted. STATUS_INVALID (nothing is stored), STATUS_NO_MEMORY.
CHECKED enum status config_value_set(const struct config_row *row, struct bytes text, bool plain,
                                     void *options);
// What the row accepts, as the end of a sentence: "a whole number from 1 to 65535".
void config_value_describe(const struct config_row *row, char ret_text[CONFIG_TEXT_MAX]);
// A size in the largest unit that divides it: "64MiB".
void config_size_format(int64_t size, char ret_text[32]);
