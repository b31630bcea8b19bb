// SPDX-License-Identifier: Apache-2.0
// Compilation in a child process: niced, with limits on processor time and memory, so that a module
// made to exhaust the compiler harms only the child. The child reads the module on standard input
// and writes the artefact (exit 0) or a message (exit 1) to standard output.
#pragma once

#include "base/bytes.h"
#include "base/limits.h"

// `program` NULL: this process's own executable. Blocks until the child ends, COMPILE_TIMEOUT_MS at
// most. STATUS_INVALID with the compiler's message, STATUS_TIMEOUT, STATUS_IO.
#define COMPILE_TIMEOUT_MS 180000
#define MODULE_SIZE_MAX (256 * MIB)
CHECKED enum status compile_module(const char *program, struct bytes module,
                                   struct buffer *ret_artefact, struct error *error);
