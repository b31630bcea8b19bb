// SPDX-License-Identifier: Apache-2.0
// A connection is a poll handle and a buffer of unsent bytes. The common case costs one receive
// and one send and never touches the poll set: interest in writing exists only while bytes are
// unsent.
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "loop.h"

enum {
    PARTS_MAX = 8,
    UNSENT_KEPT_MAX = 64 * 1024, // capacity that a drained buffer may keep
};

struct connection {
    uv_poll_t poll;
    struct loop *loop;
    const struct connection_events *events;
    void *context;
    int descriptor;
    int interest; // what the poll handle is asked for
    struct buffer unsent;
    size_t sent; // leading bytes of `unsent` that are gone
    bool paused;
    bool ended;     // the peer closed its direction
    bool failed;    // writing or reading failed
    bool finishing; // connection_finish() was called: what arrives is discarded
    bool closing;   // connection_close() was called
    uint64_t linger_ms;
    uint64_t linger_until_ms;
    struct list linger_node;
};

static void on_poll(uv_poll_t *handle, int failed, int events);

// Errors and hang-ups are always reported for a descriptor in the poll set; asking for urgent data
// alone keeps it there while we want neither to read nor to write, so that a reset is noticed.
static void update_interest(struct connection *connection) {
    int interest = 0;
    if (!connection->ended && (!connection->paused || connection->finishing))
        interest |= UV_READABLE;
    if (connection_unsent(connection) > 0) interest |= UV_WRITABLE;
    if (interest == 0) interest = UV_PRIORITIZED;
    if (connection->closing || interest == connection->interest) return;
    int failed = uv_poll_start(&connection->poll, interest, on_poll);
    ASSERT(failed == 0);
    connection->interest = interest;
}

static bool would_block(int reason) {
    return reason == EAGAIN || reason == EWOULDBLOCK || reason == EINTR;
}

static void fail(struct connection *connection) {
    if (connection->closing) return;
    connection->failed = true;
    if (connection->finishing) {
        connection_close(connection);
        return;
    }
    // A failed descriptor stays ready; it is of no more use to the poll.
    uv_poll_stop(&connection->poll);
    connection->interest = 0;
    connection->events->on_end(true, connection->context);
}

static void end_of_input(struct connection *connection) {
    connection->ended = true;
    if (!connection->finishing) {
        update_interest(connection);
        connection->events->on_end(false, connection->context);
    } else if (connection_unsent(connection) == 0) {
        connection_close(connection);
    } else {
        update_interest(connection);
    }
}

static void read_some(struct connection *connection) {
    uint8_t *buffer = connection->loop->read_buffer;
    ssize_t got = recv(connection->descriptor, buffer, LOOP_READ_BUFFER_SIZE, 0);
    if (got > 0) {
        if (!connection->finishing)
            connection->events->on_read(bytes_of(buffer, (size_t)got), connection->context);
    } else if (got == 0) {
        end_of_input(connection);
    } else if (!would_block(errno)) {
        fail(connection);
    }
}

// Our direction is closed; the peer gets `linger_ms` to close its own.
static void begin_linger(struct connection *connection) {
    shutdown(connection->descriptor, SHUT_WR);
    if (connection->ended || connection->linger_ms == 0) {
        connection_close(connection);
        return;
    }
    connection->linger_until_ms = loop_now_ms(connection->loop) + connection->linger_ms;
    loop_linger(connection->loop, &connection->linger_node);
    update_interest(connection);
}

void connection_linger_sweep(struct loop *loop) {
    uint64_t now_ms = loop_now_ms(loop);
    for (struct list *node = loop->lingering.next, *next; node != &loop->lingering; node = next) {
        next = node->next;
        struct connection *connection = container_of(node, struct connection, linger_node);
        if (now_ms >= connection->linger_until_ms) connection_close(connection);
    }
}

static void unsent_release(struct connection *connection) {
    connection->sent = 0;
    buffer_clear(&connection->unsent);
    if (connection->unsent.capacity > UNSENT_KEPT_MAX) buffer_done(&connection->unsent);
}

static void write_some(struct connection *connection) {
    size_t left = connection_unsent(connection);
    if (left == 0) return;
    ssize_t put = send(connection->descriptor, connection->unsent.data + connection->sent, left,
                       MSG_NOSIGNAL);
    if (put < 0) {
        if (!would_block(errno)) fail(connection);
        return;
    }
    connection->sent += (size_t)put;
    if ((size_t)put < left) return;
    unsent_release(connection);
    if (connection->finishing) {
        begin_linger(connection);
        return;
    }
    update_interest(connection);
    connection->events->on_drained(connection->context);
}

// Only while nothing else is wanted. Urgent data has no meaning here and is thrown away, so that
// it does not keep waking us; without any it was a hang-up.
static void discard_urgent(struct connection *connection) {
    uint8_t byte;
    if (recv(connection->descriptor, &byte, 1, MSG_OOB) < 0 && !would_block(errno))
        fail(connection);
}

static void on_poll(uv_poll_t *handle, int failed, int events) {
    struct connection *connection = handle->data;
    if (failed != 0) {
        fail(connection);
        return;
    }
    if ((events & UV_PRIORITIZED) != 0) discard_urgent(connection);
    if ((events & UV_WRITABLE) != 0 && !connection->failed) write_some(connection);
    bool reads = !connection->closing && !connection->failed && !connection->ended &&
                 (!connection->paused || connection->finishing);
    if ((events & UV_READABLE) != 0 && reads) read_some(connection);
}

enum status connection_open(struct loop *loop, int descriptor,
                            const struct connection_events *events, void *context,
                            struct connection **ret) {
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL) {
        close(descriptor);
        return STATUS_NO_MEMORY;
    }
    if (uv_poll_init(&loop->uv, &connection->poll, descriptor) != 0) {
        close(descriptor);
        free(connection);
        return STATUS_IO;
    }
    connection->poll.data = connection;
    connection->loop = loop;
    connection->events = events;
    connection->context = context;
    connection->descriptor = descriptor;
    list_init(&connection->linger_node);
    update_interest(connection);
    *ret = connection;
    return STATUS_OK;
}

void connection_pause(struct connection *connection) {
    if (connection->paused || connection->failed) return;
    connection->paused = true;
    update_interest(connection);
}

void connection_resume(struct connection *connection) {
    if (!connection->paused || connection->failed) return;
    connection->paused = false;
    update_interest(connection);
}

// Bytes that the socket took at once; -1 when it failed.
static ssize_t send_now(struct connection *connection, const struct bytes *parts, size_t count) {
    ssize_t put = 0;
    if (count == 1) {
        put = send(connection->descriptor, parts[0].data, parts[0].size, MSG_NOSIGNAL);
    } else {
        struct iovec vectors[PARTS_MAX];
        for (size_t i = 0; i < count; i++) {
            vectors[i].iov_base = (void *)(uintptr_t)parts[i].data;
            vectors[i].iov_len = parts[i].size;
        }
        struct msghdr message = {.msg_iov = vectors, .msg_iovlen = count};
        put = sendmsg(connection->descriptor, &message, MSG_NOSIGNAL);
    }
    if (put < 0 && would_block(errno)) return 0;
    return put;
}

// Copies what is beyond the first `skip` bytes of the parts.
static enum status keep_unsent(struct connection *connection, const struct bytes *parts,
                               size_t count, size_t skip) {
    if (connection->sent > connection->unsent.size / 2) {
        buffer_consume(&connection->unsent, connection->sent);
        connection->sent = 0;
    }
    for (size_t i = 0; i < count; i++) {
        size_t gone = skip < parts[i].size ? skip : parts[i].size;
        skip -= gone;
        enum status status =
            buffer_append(&connection->unsent, parts[i].data + gone, parts[i].size - gone);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

enum status connection_write(struct connection *connection, const struct bytes *parts,
                             size_t count) {
    ASSERT(count > 0 && count <= PARTS_MAX);
    if (connection->closing || connection->finishing || connection->failed) return STATUS_CLOSED;
    size_t total = 0, put = 0;
    for (size_t i = 0; i < count; i++) total += parts[i].size;
    if (connection_unsent(connection) == 0) {
        ssize_t taken = send_now(connection, parts, count);
        if (taken < 0) {
            connection->failed = true;
            return STATUS_CLOSED;
        }
        put = (size_t)taken;
    }
    if (put == total) return STATUS_OK;
    enum status status = keep_unsent(connection, parts, count, put);
    if (status != STATUS_OK) return status;
    update_interest(connection);
    return STATUS_OK;
}

size_t connection_unsent(const struct connection *connection) {
    return connection->unsent.size - connection->sent;
}

void connection_finish(struct connection *connection, uint64_t linger_ms) {
    if (connection->closing || connection->finishing) return;
    connection->finishing = true;
    connection->linger_ms = linger_ms;
    if (connection->failed) {
        connection_close(connection);
    } else if (connection_unsent(connection) == 0) {
        begin_linger(connection);
    } else {
        update_interest(connection);
    }
}

static void on_handle_closed(uv_handle_t *handle) {
    struct connection *connection = handle->data;
    connection->events->on_closed(connection->context);
    buffer_done(&connection->unsent);
    free(connection);
}

void connection_close(struct connection *connection) {
    if (connection->closing) return;
    connection->closing = true;
    list_remove(&connection->linger_node);
    if (connection_unsent(connection) > 0) {
        // What the peer gets is cut short: a reset says so, and frees what the system holds.
        struct linger abort = {.l_onoff = 1, .l_linger = 0};
        setsockopt(connection->descriptor, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
    }
    uv_close((uv_handle_t *)&connection->poll, on_handle_closed);
    // The handle has left the poll set; the number may be given out again.
    close(connection->descriptor);
}
