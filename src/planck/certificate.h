// SPDX-License-Identifier: Apache-2.0
// The service's certificate: the configured files, or one of our own in DIR/tls. Main thread.
#pragma once

#include "planck/options.h"

struct certificate;

// `*ret` is NULL when TLS is off.
CHECKED enum status certificate_open(const struct options *options, struct certificate **ret,
                                     struct error *error);
void certificate_close(struct certificate *certificate); // after the workers; NULL is fine
struct tls_context *certificate_tls(const struct certificate *certificate); // NULL: no TLS
// Reads the files again; what is wrong with them is logged, and the old ones stay in use.
void certificate_reload(struct certificate *certificate);
// To be called every few seconds: reloads when a file has changed and renews our own in time.
void certificate_check(struct certificate *certificate);
// Logs how to reach the service.
void certificate_log_address(const struct certificate *certificate, uint16_t port);
