// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "loop.h"

enum {
    ACCEPTS_PER_TURN = 64, // so that a flood of connections does not starve those that exist
    RETRY_MS = 100,        // after descriptors or memory ran out
    REMOTE_TEXT_MAX = 64,
};

struct listener {
    uv_poll_t poll;
    uv_timer_t retry;
    int descriptor;
    int handles; // not closed yet
    uint16_t port;
    bool closing;
    void (*on_accept)(int descriptor, const char *remote, void *context);
    void *context;
};

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static void format_remote(const union address *address, char text[REMOTE_TEXT_MAX]) {
    char host[INET6_ADDRSTRLEN] = "?";
    if (address->any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &address->v4.sin_addr, host, sizeof host);
        snprintf(text, REMOTE_TEXT_MAX, "%s:%u", host, ntohs(address->v4.sin_port));
        return;
    }
    unsigned port = ntohs(address->v6.sin6_port);
    if (IN6_IS_ADDR_V4MAPPED(&address->v6.sin6_addr)) {
        inet_ntop(AF_INET, &address->v6.sin6_addr.s6_addr[12], host, sizeof host);
        snprintf(text, REMOTE_TEXT_MAX, "%s:%u", host, port);
        return;
    }
    inet_ntop(AF_INET6, &address->v6.sin6_addr, host, sizeof host);
    snprintf(text, REMOTE_TEXT_MAX, "[%s]:%u", host, port);
}

static void on_readable(uv_poll_t *handle, int failed, int events);

static void start_polling(struct listener *listener) {
    int failed = uv_poll_start(&listener->poll, UV_READABLE, on_readable);
    ASSERT(failed == 0);
}

static void on_retry(uv_timer_t *handle) {
    start_polling(handle->data);
}

static void pause_for_a_while(struct listener *listener, int reason) {
    log_warn("net", "accept: %s; trying again", strerrordesc_np(reason));
    uv_poll_stop(&listener->poll);
    int failed = uv_timer_start(&listener->retry, on_retry, RETRY_MS, 0);
    ASSERT(failed == 0);
}

static bool ran_out(int reason) {
    return reason == EMFILE || reason == ENFILE || reason == ENOBUFS || reason == ENOMEM;
}

static void on_readable(uv_poll_t *handle, int failed, int events) {
    struct listener *listener = handle->data;
    (void)failed, (void)events;
    for (int i = 0; i < ACCEPTS_PER_TURN && !listener->closing; i++) {
        union address address;
        socklen_t size = sizeof address;
        int descriptor =
            accept4(listener->descriptor, &address.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor < 0) {
            if (ran_out(errno)) pause_for_a_while(listener, errno);
            // Others concern one connection that is gone already; the poll tells when to go on.
            return;
        }
        int on = 1;
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        char remote[REMOTE_TEXT_MAX];
        format_remote(&address, remote);
        listener->on_accept(descriptor, remote, listener->context);
    }
}

static bool parse_address(const struct listener_options *options, union address *ret,
                          socklen_t *ret_size) {
    memset(ret, 0, sizeof *ret);
    if (inet_pton(AF_INET, options->address, &ret->v4.sin_addr) == 1) {
        ret->v4.sin_family = AF_INET;
        ret->v4.sin_port = htons(options->port);
        *ret_size = sizeof ret->v4;
        return true;
    }
    if (inet_pton(AF_INET6, options->address, &ret->v6.sin6_addr) == 1) {
        ret->v6.sin6_family = AF_INET6;
        ret->v6.sin6_port = htons(options->port);
        *ret_size = sizeof ret->v6;
        return true;
    }
    return false;
}

// A listening socket, or -1 with errno.
static int listening_socket(const union address *address, socklen_t size, int backlog) {
    int descriptor = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -1;
    int on = 1, off = 0;
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    // "::" takes IPv4 clients too, whatever the system's default.
    if (address->any.sa_family == AF_INET6)
        setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(descriptor, &address->any, size) != 0 || listen(descriptor, backlog) != 0) {
        int reason = errno;
        close(descriptor);
        errno = reason;
        return -1;
    }
    return descriptor;
}

static enum status open_failed(const struct listener_options *options, struct error *error) {
    enum status status = errno == EADDRINUSE ? STATUS_EXISTS
                         : errno == EACCES   ? STATUS_FORBIDDEN
                                             : STATUS_IO;
    return error_set(error, status, "cannot listen on %s port %u: %s", options->address,
                     options->port, strerrordesc_np(errno));
}

static uint16_t bound_port(int descriptor) {
    union address address;
    socklen_t size = sizeof address;
    if (getsockname(descriptor, &address.any, &size) != 0) return 0;
    return ntohs(address.any.sa_family == AF_INET ? address.v4.sin_port : address.v6.sin6_port);
}

enum status listener_open(struct loop *loop, const struct listener_options *options,
                          void (*on_accept)(int descriptor, const char *remote, void *context),
                          void *context, struct listener **ret, struct error *error) {
    union address address;
    socklen_t size = 0;
    if (!parse_address(options, &address, &size))
        return error_set(error, STATUS_INVALID, "\"%s\" is not an IP address", options->address);
    struct listener *listener = calloc(1, sizeof *listener);
    if (listener == NULL) return error_set(error, STATUS_NO_MEMORY, "no memory");
    listener->descriptor =
        listening_socket(&address, size, options->backlog > 0 ? options->backlog : SOMAXCONN);
    if (listener->descriptor < 0 ||
        uv_poll_init(&loop->uv, &listener->poll, listener->descriptor) != 0) {
        enum status status = open_failed(options, error);
        if (listener->descriptor >= 0) close(listener->descriptor);
        free(listener);
        return status;
    }
    int failed = uv_timer_init(&loop->uv, &listener->retry);
    ASSERT(failed == 0);
    listener->handles = 2;
    listener->poll.data = listener->retry.data = listener;
    listener->port = bound_port(listener->descriptor);
    listener->on_accept = on_accept;
    listener->context = context;
    start_polling(listener);
    *ret = listener;
    return STATUS_OK;
}

uint16_t listener_port(const struct listener *listener) {
    return listener->port;
}

static void on_closed(uv_handle_t *handle) {
    struct listener *listener = handle->data;
    if (--listener->handles == 0) free(listener);
}

void listener_close(struct listener *listener) {
    if (listener == NULL) return;
    ASSERT(!listener->closing);
    listener->closing = true;
    uv_close((uv_handle_t *)&listener->poll, on_closed);
    uv_close((uv_handle_t *)&listener->retry, on_closed);
    close(listener->descriptor);
}
