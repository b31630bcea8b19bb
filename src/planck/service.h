// SPDX-License-Identifier: Apache-2.0
// A service from its directory: database, module, workers, listener. Opened and closed on the main
// thread.
#pragma once

#include "planck/options.h"

struct service;

// Opens the data, loads the module, applies its manifest, imports seed data into fresh data, makes
// workers, listens. On failure everything is closed again.
CHECKED enum status service_open(const struct options *options, struct service **ret,
                                 struct error *error);
uint16_t service_port(const struct service *service);
// Main thread: reads the certificate again; looks whether that is called for (every few seconds).
void service_reload(struct service *service);
void service_check(struct service *service);
const char *service_name(const struct service *service);
// Stops accepting, lets running requests finish, flushes, closes.
void service_close(struct service *service, uint64_t grace_ms);
