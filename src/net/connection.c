// SPDX-License-Identifier: Apache-2.0
// A connection is a poll handle and a buffer of unsent bytes. The common case costs one receive
// and one send and never touches the poll set: interest in writing exists only while the socket
// does not take what is unsent. Small writes are gathered and sent a few connections at a time, at
// the latest before the loop polls: each send to a peer that sleeps costs a wake-up, and a peer
// that is awake takes the next ones for nothing. With TLS a session stands between the socket and
// the caller: it receives from the socket itself, and what it wants to send is gathered in the
// unsent bytes.
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/log.h"
#include "loop.h"
#include "tls.h"

enum {
    PARTS_MAX = 8,
    UNSENT_KEPT_MAX = 64 * 1024,      // capacity that a drained buffer may keep
    GATHERED_MAX = 8,                 // connections whose writes are sent together
    GATHERED_BYTES_MAX = 16 * 1024,   // of one connection; more is sent at once
    TLS_RECEIVES = 4,                 // of one connection in a turn, about 16 KiB each
    TLS_GATHERED_MAX = 128 * 1024,    // encrypted before it is sent
    TLS_UNANSWERED_MAX = 1024 * 1024, // unsent bytes at which a TLS peer is not read any more
    TLS_HANDSHAKE_RECORD = 22,        // the first byte of a TLS client
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
    uint64_t sent_total;
    struct tls_context *tls_context; // until the first byte tells whether the peer speaks TLS
    struct tls_session *tls;         // NULL: in clear
    int receives_left;               // in this turn
    bool established;                // the handshake is done
    bool undelivered;                // the session may hold bytes that nobody has read
    bool paused;
    bool ended;     // the peer closed its direction
    bool failed;    // writing or reading failed
    bool finishing; // connection_finish() was called: what arrives is discarded
    bool closing;   // connection_close() was called
    uint64_t linger_ms;
    uint64_t linger_until_ms;
    struct list linger_node;
    struct list gathered_node; // in the loop's list while `gathered`
    bool gathered;             // what is unsent has not been offered to the socket
};

static void on_poll(uv_poll_t *handle, int failed, int events);

// Whether what arrives is wanted. A TLS peer can make us answer without any request (key updates),
// so it is not read while it takes nothing.
static bool reads(const struct connection *connection) {
    if (connection->closing || connection->failed || connection->ended) return false;
    if (connection->finishing) return true;
    bool flooding = connection->tls != NULL && connection_unsent(connection) > TLS_UNANSWERED_MAX;
    return !connection->paused && !flooding;
}

// Errors and hang-ups are always reported for a descriptor in the poll set; asking for urgent data
// alone keeps it there while we want neither to read nor to write, so that a reset is noticed.
static void update_interest(struct connection *connection) {
    int interest = 0;
    if (reads(connection)) interest |= UV_READABLE;
    // What the session holds is no news to the poll; a writable socket wakes us as well.
    bool holds = connection->undelivered && reads(connection);
    bool waits = connection_unsent(connection) > 0 && !connection->gathered;
    if (waits || holds) interest |= UV_WRITABLE;
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

static void read_clear(struct connection *connection) {
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

// False when the socket failed.
static bool send_unsent(struct connection *connection) {
    size_t left = connection_unsent(connection);
    if (left == 0) return true;
    ssize_t put = send(connection->descriptor, connection->unsent.data + connection->sent, left,
                       MSG_NOSIGNAL);
    if (put < 0) return would_block(errno);
    connection->sent += (size_t)put;
    connection->sent_total += (size_t)put;
    if ((size_t)put == left) unsent_release(connection);
    return true;
}

// ---- gathered writes --------------------------------------------------------------------------

static void leave_gathered(struct connection *connection) {
    if (!connection->gathered) return;
    connection->gathered = false;
    list_remove(&connection->gathered_node);
    connection->loop->gathered_count--;
}

// Runs no callback of the caller's: a socket that failed, or takes only a part, is the poll's to
// report.
static void offer_gathered(struct connection *connection) {
    leave_gathered(connection);
    if (connection->failed || connection->closing) return;
    bool sent = send_unsent(connection);
    if (!sent || connection_unsent(connection) > 0) update_interest(connection);
}

void connection_send_gathered(struct loop *loop) {
    while (!list_empty(&loop->gathered))
        offer_gathered(container_of(loop->gathered.next, struct connection, gathered_node));
    ASSERT(loop->gathered_count == 0);
}

static void gather(struct connection *connection) {
    struct loop *loop = connection->loop;
    if (!connection->gathered) {
        connection->gathered = true;
        list_push_back(&loop->gathered, &connection->gathered_node);
        loop->gathered_count++;
    }
    if (loop->gathered_count >= GATHERED_MAX) connection_send_gathered(loop);
}

static void write_some(struct connection *connection) {
    if (connection_unsent(connection) == 0) return;
    if (!send_unsent(connection)) {
        fail(connection);
    } else if (connection_unsent(connection) > 0) {
        update_interest(connection);
    } else if (connection->finishing) {
        begin_linger(connection);
    } else {
        update_interest(connection);
        // During the handshake what was sent was not the caller's.
        if (connection->tls == NULL || connection->established)
            connection->events->on_drained(connection->context);
    }
}

// ---- TLS --------------------------------------------------------------------------------------

static ssize_t tls_receive(void *context, void *data, size_t size) {
    struct connection *connection = context;
    if (connection->receives_left-- <= 0) {
        errno = EAGAIN;
        return -1;
    }
    ssize_t got = recv(connection->descriptor, data, size, 0);
    if (got < 0 && would_block(errno)) errno = EAGAIN;
    return got;
}

static enum status append_unsent(struct connection *connection, const void *data, size_t size) {
    if (connection->sent > connection->unsent.size / 2) {
        buffer_consume(&connection->unsent, connection->sent);
        connection->sent = 0;
    }
    return buffer_append(&connection->unsent, data, size);
}

static bool tls_send(void *context, const void *data, size_t size) {
    return append_unsent(context, data, size) == STATUS_OK;
}

static const struct tls_transport transport = {.receive = tls_receive, .send = tls_send};

// The peer's first byte decides. False when there is none yet or the connection ended.
static bool choose_transport(struct connection *connection) {
    uint8_t first = 0;
    ssize_t got = recv(connection->descriptor, &first, 1, MSG_PEEK);
    if (got == 0) end_of_input(connection);
    if (got < 0 && !would_block(errno)) fail(connection);
    if (got <= 0) return false;
    struct tls_context *context = connection->tls_context;
    connection->tls_context = NULL;
    if (first != TLS_HANDSHAKE_RECORD) {
        connection->events->on_ready(connection->context);
    } else if (tls_session_new(context, &transport, connection, &connection->tls) != STATUS_OK) {
        fail(connection);
    }
    return reads(connection);
}

static enum tls_outcome shake_hands(struct connection *connection) {
    enum tls_outcome outcome = tls_session_handshake(connection->tls);
    if (outcome == TLS_DONE) {
        connection->established = true;
        connection->events->on_ready(connection->context);
    } else if (outcome == TLS_END) {
        outcome = TLS_FAILED;
    }
    if (outcome == TLS_FAILED)
        log_debug("tls", "a handshake failed: %s", tls_session_reason(connection->tls));
    return outcome;
}

static enum tls_outcome deliver(struct connection *connection) {
    enum tls_outcome outcome = TLS_DONE;
    uint8_t *buffer = connection->loop->read_buffer;
    while (outcome == TLS_DONE && reads(connection) && !connection->finishing) {
        size_t size = 0;
        outcome = tls_session_read(connection->tls, buffer, LOOP_READ_BUFFER_SIZE, &size);
        if (outcome == TLS_DONE)
            connection->events->on_read(bytes_of(buffer, size), connection->context);
    }
    connection->undelivered = outcome == TLS_DONE;
    return outcome;
}

static void read_tls(struct connection *connection) {
    connection->receives_left = TLS_RECEIVES;
    enum tls_outcome outcome = TLS_DONE;
    if (!connection->established) outcome = shake_hands(connection);
    if (outcome == TLS_DONE) outcome = deliver(connection);
    if (connection->closing || connection->failed || connection->finishing) return;
    if (outcome == TLS_FAILED) {
        send_unsent(connection); // the alert, if the socket takes it
        fail(connection);
        return;
    }
    write_some(connection); // tickets and the like
    if (connection->closing || connection->failed || connection->finishing) return;
    if (outcome == TLS_END)
        end_of_input(connection);
    else
        update_interest(connection);
}

static void read_some(struct connection *connection) {
    if (connection->tls_context != NULL && !connection->finishing && !choose_transport(connection))
        return;
    if (connection->tls != NULL && !connection->finishing)
        read_tls(connection);
    else
        read_clear(connection);
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
    bool arrived = (events & UV_READABLE) != 0 || connection->undelivered;
    if (arrived && reads(connection)) read_some(connection);
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
    list_init(&connection->gathered_node);
    update_interest(connection);
    *ret = connection;
    return STATUS_OK;
}

enum status connection_open_tls(struct loop *loop, int descriptor, struct tls_context *tls,
                                const struct connection_events *events, void *context,
                                struct connection **ret) {
    ASSERT(events->on_ready != NULL);
    enum status status = connection_open(loop, descriptor, events, context, ret);
    if (status == STATUS_OK) (*ret)->tls_context = tls;
    return status;
}

bool connection_secure(const struct connection *connection) {
    return connection->tls != NULL;
}

const char *connection_protocol(const struct connection *connection) {
    return connection->tls != NULL ? tls_session_protocol(connection->tls) : "";
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
    if (put > 0) connection->sent_total += (size_t)put;
    return put;
}

// Copies what is beyond the first `skip` bytes of the parts.
static enum status keep_unsent(struct connection *connection, const struct bytes *parts,
                               size_t count, size_t skip) {
    for (size_t i = 0; i < count; i++) {
        size_t gone = skip < parts[i].size ? skip : parts[i].size;
        skip -= gone;
        enum status status = append_unsent(connection, parts[i].data + gone, parts[i].size - gone);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

// Encrypts `bytes` piece by piece; while the socket keeps up each piece is sent at once.
static enum status write_encrypted(struct connection *connection, struct bytes bytes,
                                   bool *keeps_up) {
    while (bytes.size > 0) {
        size_t size = bytes.size < TLS_GATHERED_MAX ? bytes.size : TLS_GATHERED_MAX;
        if (tls_session_write(connection->tls, bytes_of(bytes.data, size)) != TLS_DONE)
            return STATUS_NO_MEMORY;
        bytes = bytes_of(bytes.data + size, bytes.size - size);
        if (!*keeps_up || connection_unsent(connection) < TLS_GATHERED_MAX) continue;
        if (!send_unsent(connection)) return STATUS_CLOSED;
        *keeps_up = connection_unsent(connection) == 0;
    }
    return STATUS_OK;
}

static enum status write_tls(struct connection *connection, const struct bytes *parts,
                             size_t count) {
    ASSERT(connection->established);
    bool keeps_up = connection_unsent(connection) == 0;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = write_encrypted(connection, parts[i], &keeps_up);
    if (status == STATUS_OK && keeps_up && !send_unsent(connection)) status = STATUS_CLOSED;
    if (status != STATUS_OK)
        connection->failed = true;
    else
        update_interest(connection);
    return status;
}

enum status connection_write(struct connection *connection, const struct bytes *parts,
                             size_t count) {
    ASSERT(count > 0 && count <= PARTS_MAX);
    if (connection->closing || connection->finishing || connection->failed) return STATUS_CLOSED;
    if (connection->tls != NULL) return write_tls(connection, parts, count);
    ASSERT(connection->tls_context == NULL);
    size_t total = 0, put = 0;
    for (size_t i = 0; i < count; i++) total += parts[i].size;
    bool idle = connection->gathered || connection_unsent(connection) == 0;
    if (idle && connection_unsent(connection) + total <= GATHERED_BYTES_MAX) {
        enum status status = keep_unsent(connection, parts, count, 0);
        if (status == STATUS_OK) gather(connection);
        return status;
    }
    if (connection->gathered) offer_gathered(connection);
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

uint64_t connection_sent(const struct connection *connection) {
    return connection->sent_total;
}

// The farewell of TLS goes behind what is unsent.
static void say_farewell(struct connection *connection) {
    if (connection->tls == NULL || !connection->established || connection->failed) return;
    bool behind = connection_unsent(connection) > 0;
    tls_session_end(connection->tls);
    if (!behind && !send_unsent(connection)) connection->failed = true;
}

void connection_finish(struct connection *connection, uint64_t linger_ms) {
    if (connection->closing || connection->finishing) return;
    say_farewell(connection);
    connection->finishing = true;
    connection->linger_ms = linger_ms;
    if (connection->gathered) offer_gathered(connection);
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
    tls_session_free(connection->tls);
    buffer_done(&connection->unsent);
    free(connection);
}

void connection_close(struct connection *connection) {
    if (connection->closing) return;
    if (connection->gathered) offer_gathered(connection);
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
