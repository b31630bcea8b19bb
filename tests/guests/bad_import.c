// SPDX-License-Identifier: Apache-2.0
// Imports what does not exist, and one thing with another type.
#include "guest.h"

IMPORT(host_teleport) int host_teleport(int place);
__attribute__((import_module("env"), import_name("printf"))) int print(const char *text);
__attribute__((import_module("planck"), import_name("host_write"))) void write_wrongly(int a);

EXPORT(process) int process(const uint8_t *request, uint32_t length) {
    write_wrongly(1);
    return host_teleport(1) + print("text");
}
