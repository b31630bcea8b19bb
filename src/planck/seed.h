// SPDX-License-Identifier: Apache-2.0
// Seed data: `seed/<store>.jsonl` of the service directory, imported once into fresh data.
#pragma once

#include "planck/options.h"

// Imports every file and notes it in the store "planck.state", so that data deleted later stays
// deleted. An interrupted import is done again from the start (it writes the same documents).
CHECKED enum status seed_import(const struct options *options, struct engine *engine,
                                struct error *error);
