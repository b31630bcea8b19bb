// SPDX-License-Identifier: Apache-2.0
// TLS of one connection, apart from its socket: bytes go in and out through a transport. Belongs to
// the connection's thread.
#pragma once

#include <sys/types.h>

#include "net/net.h"

struct tls_session;

struct tls_transport {
    // As recv(): bytes received, 0 at the end, -1 with errno (EAGAIN: none now).
    ssize_t (*receive)(void *context, void *data, size_t size);
    // Takes all of it, or returns false without memory.
    bool (*send)(void *context, const void *data, size_t size);
};

enum tls_outcome {
    TLS_DONE,
    TLS_WANTS_MORE, // bytes of the peer
    TLS_END,        // the peer closed its direction
    TLS_FAILED,     // an alert may have been sent
};

CHECKED enum status tls_session_new(struct tls_context *context,
                                    const struct tls_transport *transport, void *transport_context,
                                    struct tls_session **ret);
void tls_session_free(struct tls_session *session); // NULL is fine
enum tls_outcome tls_session_handshake(struct tls_session *session);
// TLS_DONE: `*ret_size` bytes, more than none.
enum tls_outcome tls_session_read(struct tls_session *session, void *data, size_t size,
                                  size_t *ret_size);
// All of `bytes`, or TLS_FAILED.
enum tls_outcome tls_session_write(struct tls_session *session, struct bytes bytes);
// Tells the peer that nothing more comes.
void tls_session_end(struct tls_session *session);
const char *tls_session_protocol(const struct tls_session *session);
// Why it failed, for the log.
const char *tls_session_reason(const struct tls_session *session);
