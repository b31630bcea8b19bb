// SPDX-License-Identifier: Apache-2.0
// Connections against the other end of a socket pair or a loopback client, in one thread: the
// loop runs until a callback stops it.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/net.h"
#include "test.h"

struct peer {
    struct loop *loop;
    struct connection *connection;
    int other; // our end
    struct buffer in;
    size_t wanted; // stop the loop when this much came in
    int ends, failures, drained, closed;
};

static void on_read(struct bytes bytes, void *context) {
    struct peer *peer = context;
    CHECK(bytes.size > 0);
    CHECK_OK(buffer_append(&peer->in, bytes.data, bytes.size));
    if (peer->in.size >= peer->wanted) loop_stop(peer->loop);
}

static void on_end(bool failed, void *context) {
    struct peer *peer = context;
    peer->ends++;
    peer->failures += failed;
    loop_stop(peer->loop);
}

static void on_drained(void *context) {
    struct peer *peer = context;
    peer->drained++;
    loop_stop(peer->loop);
}

static void on_closed(void *context) {
    struct peer *peer = context;
    peer->closed++;
    loop_stop(peer->loop);
}

static const struct connection_events events = {on_read, on_end, on_drained, on_closed};

static void open_pair(struct peer *peer) {
    int pair[2];
    memset(peer, 0, sizeof *peer);
    CHECK_OK(loop_new(&peer->loop));
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
    CHECK_OK(connection_open(peer->loop, pair[0], &events, peer, &peer->connection));
    peer->other = pair[1];
}

static void done(struct peer *peer) {
    close(peer->other);
    loop_free(peer->loop);
    CHECK_EQUAL(1, peer->closed);
    buffer_done(&peer->in);
}

static void send_text(struct peer *peer, const char *text) {
    CHECK(send(peer->other, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
}

static void run_turn(struct peer *peer) {
    loop_stop(peer->loop);
    loop_run(peer->loop);
}

static size_t take_all(struct peer *peer) {
    static char sink[65536];
    size_t total = 0;
    ssize_t got;
    while ((got = recv(peer->other, sink, sizeof sink, 0)) > 0) total += (size_t)got;
    return total;
}

TEST(bytes_go_both_ways) {
    struct peer peer;
    open_pair(&peer);
    peer.wanted = 5;
    send_text(&peer, "hello");
    loop_run(peer.loop);
    CHECK_BYTES("hello", buffer_bytes(&peer.in));
    struct bytes parts[3] = {bytes_of_string("one "), bytes_of_string("two "),
                             bytes_of_string("three")};
    CHECK_OK(connection_write(peer.connection, parts, 3));
    run_turn(&peer);
    CHECK_EQUAL(0, connection_unsent(peer.connection));
    CHECK_EQUAL(0, peer.drained);
    char text[32] = {0};
    CHECK_EQUAL(13, recv(peer.other, text, sizeof text, 0));
    CHECK(strcmp(text, "one two three") == 0);
    connection_close(peer.connection);
    CHECK_EQUAL(0, peer.closed); // never inside the call
    done(&peer);
}

TEST(what_the_socket_does_not_take_is_sent_later_in_order) {
    struct peer peer;
    open_pair(&peer);
    static uint8_t block[100000];
    size_t written = 0, received = 0;
    for (int i = 0; i < 40; i++) {
        memset(block, i, sizeof block);
        struct bytes parts[2] = {bytes_of(block, 1), bytes_of(block + 1, sizeof block - 1)};
        CHECK_OK(connection_write(peer.connection, parts, 2));
        written += sizeof block;
    }
    CHECK(connection_unsent(peer.connection) > 0);
    static uint8_t got[4000000];
    struct pollfd wait = {.fd = peer.other, .events = POLLIN};
    while (received < written) {
        // The loop ends by itself only when all is sent; let it take what room there is.
        loop_stop(peer.loop);
        loop_run(peer.loop);
        CHECK(poll(&wait, 1, 10000) == 1);
        ssize_t count = recv(peer.other, got + received, sizeof got - received, 0);
        CHECK(count > 0);
        received += (size_t)count;
    }
    for (size_t i = 0; i < received; i++)
        if (got[i] != i / sizeof block) test_fail(__FILE__, __LINE__, "wrong byte at %zu", i);
    CHECK_EQUAL(0, connection_unsent(peer.connection));
    CHECK_EQUAL(1, peer.drained);
    connection_close(peer.connection);
    done(&peer);
}

TEST(a_paused_connection_does_not_read) {
    struct peer peer;
    open_pair(&peer);
    connection_pause(peer.connection);
    send_text(&peer, "x");
    for (int i = 0; i < 5; i++) {
        loop_stop(peer.loop);
        loop_run(peer.loop);
    }
    CHECK_EQUAL(0, peer.in.size);
    connection_resume(peer.connection);
    loop_run(peer.loop);
    CHECK_EQUAL(1, peer.in.size);
    connection_close(peer.connection);
    done(&peer);
}

static int turns;

static bool count_turn(void *context) {
    (void)context;
    turns++;
    return false;
}

static void stop_loop(void *context) {
    loop_stop(context);
}

TEST(waiting_bytes_do_not_keep_a_paused_connection_busy) {
    struct peer peer;
    struct timer *timer = NULL;
    open_pair(&peer);
    CHECK_OK(timer_new(peer.loop, stop_loop, peer.loop, &timer));
    send_text(&peer, "x");
    connection_pause(peer.connection);
    loop_set_turn(peer.loop, count_turn, NULL);
    timer_start(timer, 20, 0);
    loop_run(peer.loop);
    CHECK(turns < 20);
    timer_free(timer);
    connection_close(peer.connection);
    done(&peer);
}

TEST(an_end_of_input_leaves_the_other_direction_open) {
    struct peer peer;
    open_pair(&peer);
    CHECK(shutdown(peer.other, SHUT_WR) == 0);
    loop_run(peer.loop);
    CHECK_EQUAL(1, peer.ends);
    CHECK_EQUAL(0, peer.failures);
    struct bytes part = bytes_of_string("still here");
    CHECK_OK(connection_write(peer.connection, &part, 1));
    run_turn(&peer);
    CHECK_EQUAL(10, take_all(&peer));
    connection_close(peer.connection);
    done(&peer);
}

TEST(finish_sends_all_then_waits_for_the_peer) {
    struct peer peer;
    open_pair(&peer);
    static uint8_t block[3000000];
    struct bytes part = bytes_of(block, sizeof block);
    CHECK_OK(connection_write(peer.connection, &part, 1));
    connection_finish(peer.connection, 60000);
    CHECK_STATUS(STATUS_CLOSED, connection_write(peer.connection, &part, 1));
    size_t received = 0;
    while (received < sizeof block) {
        loop_stop(peer.loop);
        loop_run(peer.loop);
        received += take_all(&peer);
    }
    send_text(&peer, "ignored");
    char byte;
    struct pollfd wait = {.fd = peer.other, .events = POLLIN};
    loop_stop(peer.loop);
    loop_run(peer.loop);
    CHECK(poll(&wait, 1, 10000) == 1);
    CHECK_EQUAL(0, recv(peer.other, &byte, 1, 0));
    CHECK_EQUAL(0, peer.closed);
    CHECK(shutdown(peer.other, SHUT_WR) == 0);
    loop_run(peer.loop);
    CHECK_EQUAL(1, peer.closed);
    CHECK_EQUAL(0, peer.in.size);
    done(&peer);
}

TEST(a_peer_that_never_closes_is_left_after_a_while) {
    struct peer peer;
    open_pair(&peer);
    connection_finish(peer.connection, 20);
    loop_run(peer.loop);
    CHECK_EQUAL(1, peer.closed);
    done(&peer);
}

// A small write is gathered, so its failure is reported as the connection's; a large one is tried.
TEST(writing_to_a_peer_that_is_gone_fails) {
    struct peer peer;
    open_pair(&peer);
    connection_pause(peer.connection);
    close(peer.other);
    peer.other = open("/dev/null", O_RDONLY | O_CLOEXEC);
    struct bytes part = bytes_of_string("x");
    CHECK_OK(connection_write(peer.connection, &part, 1));
    loop_run(peer.loop);
    CHECK_EQUAL(1, peer.ends);
    CHECK_EQUAL(1, peer.failures);
    CHECK_STATUS(STATUS_CLOSED, connection_write(peer.connection, &part, 1));
    connection_close(peer.connection);
    done(&peer);
}

TEST(a_large_write_to_a_peer_that_is_gone_is_refused) {
    struct peer peer;
    open_pair(&peer);
    close(peer.other);
    peer.other = open("/dev/null", O_RDONLY | O_CLOEXEC);
    static uint8_t block[100000];
    struct bytes part = bytes_of(block, sizeof block);
    CHECK_STATUS(STATUS_CLOSED, connection_write(peer.connection, &part, 1));
    connection_close(peer.connection);
    done(&peer);
}

TEST(gathered_writes_are_sent_in_order_before_a_large_one) {
    struct peer peer;
    open_pair(&peer);
    static uint8_t block[20000], text[20010];
    memset(block, 'b', sizeof block);
    struct bytes small = bytes_of_string("small"), large = bytes_of(block, sizeof block);
    CHECK_OK(connection_write(peer.connection, &small, 1));
    CHECK_OK(connection_write(peer.connection, &small, 1));
    CHECK_EQUAL(0, take_all(&peer));
    CHECK_OK(connection_write(peer.connection, &large, 1));
    CHECK_EQUAL((ssize_t)sizeof text, recv(peer.other, text, sizeof text, MSG_WAITALL));
    CHECK(memcmp(text, "smallsmallb", 11) == 0);
    connection_close(peer.connection);
    done(&peer);
}

TEST(what_was_gathered_is_sent_before_a_close) {
    struct peer peer;
    open_pair(&peer);
    struct bytes part = bytes_of_string("last words");
    CHECK_OK(connection_write(peer.connection, &part, 1));
    connection_close(peer.connection);
    CHECK_EQUAL(10, take_all(&peer));
    done(&peer);
}

// The eighth connection's write sends them all, without a turn of the loop.
TEST(a_few_connections_are_sent_together) {
    struct peer peers[8];
    struct loop *loop;
    struct bytes part = bytes_of_string("reply");
    CHECK_OK(loop_new(&loop));
    for (int i = 0; i < 8; i++) {
        int pair[2];
        memset(&peers[i], 0, sizeof peers[i]);
        peers[i].loop = loop;
        CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
        CHECK_OK(connection_open(loop, pair[0], &events, &peers[i], &peers[i].connection));
        peers[i].other = pair[1];
    }
    for (int i = 0; i < 7; i++) CHECK_OK(connection_write(peers[i].connection, &part, 1));
    CHECK_EQUAL(0, take_all(&peers[0]));
    CHECK_OK(connection_write(peers[7].connection, &part, 1));
    for (int i = 0; i < 8; i++) {
        CHECK_EQUAL(5, take_all(&peers[i]));
        connection_close(peers[i].connection);
        close(peers[i].other);
    }
    loop_free(loop);
}

// ---- listener -----------------------------------------------------------------------------------

struct accepting {
    struct loop *loop;
    int wanted, count;
    int descriptors[16];
    char remote[64];
};

static void on_accept(int descriptor, const char *remote, void *context) {
    struct accepting *accepting = context;
    CHECK((fcntl(descriptor, F_GETFL) & O_NONBLOCK) != 0);
    CHECK((fcntl(descriptor, F_GETFD) & FD_CLOEXEC) != 0);
    accepting->descriptors[accepting->count++] = descriptor;
    snprintf(accepting->remote, sizeof accepting->remote, "%s", remote);
    if (accepting->count == accepting->wanted) loop_stop(accepting->loop);
}

static int connect_to(uint16_t port) {
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CHECK(connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0);
    return descriptor;
}

// A connection over TCP, whose other end may reset it or send urgent data.
static void open_tcp(struct peer *peer) {
    struct accepting accepting = {.wanted = 1};
    struct listener *listener = NULL;
    struct error error;
    memset(peer, 0, sizeof *peer);
    CHECK_OK(loop_new(&peer->loop));
    accepting.loop = peer->loop;
    struct listener_options options = {.address = "127.0.0.1"};
    CHECK_OK(listener_open(peer->loop, &options, on_accept, &accepting, &listener, &error));
    peer->other = connect_to(listener_port(listener));
    loop_run(peer->loop);
    listener_close(listener);
    CHECK_OK(
        connection_open(peer->loop, accepting.descriptors[0], &events, peer, &peer->connection));
}

TEST(a_reset_is_noticed_while_paused) {
    struct peer peer;
    open_tcp(&peer);
    connection_pause(peer.connection);
    CHECK(send(peer.other, "u", 1, MSG_OOB) == 1); // of no interest
    struct linger abort = {.l_onoff = 1, .l_linger = 0};
    CHECK(setsockopt(peer.other, SOL_SOCKET, SO_LINGER, &abort, sizeof abort) == 0);
    for (int i = 0; i < 5; i++) {
        loop_stop(peer.loop);
        loop_run(peer.loop);
    }
    CHECK_EQUAL(0, peer.ends);
    close(peer.other);
    peer.other = open("/dev/null", O_RDONLY | O_CLOEXEC);
    loop_run(peer.loop);
    CHECK_EQUAL(1, peer.failures);
    connection_close(peer.connection);
    done(&peer);
}

TEST(a_listener_accepts) {
    struct accepting accepting = {.wanted = 3};
    struct listener *listener = NULL, *second = NULL;
    struct error error;
    CHECK_OK(loop_new(&accepting.loop));
    struct listener_options options = {.address = "127.0.0.1"};
    CHECK_OK(listener_open(accepting.loop, &options, on_accept, &accepting, &listener, &error));
    options.port = listener_port(listener);
    CHECK(options.port != 0);
    CHECK_STATUS(STATUS_EXISTS,
                 listener_open(accepting.loop, &options, on_accept, &accepting, &second, &error));
    CHECK(strstr(error.message, "127.0.0.1") != NULL);
    options.address = "localhost";
    CHECK_STATUS(STATUS_INVALID,
                 listener_open(accepting.loop, &options, on_accept, &accepting, &second, &error));
    int clients[3];
    for (int i = 0; i < 3; i++) clients[i] = connect_to(options.port);
    loop_run(accepting.loop);
    CHECK_EQUAL(3, accepting.count);
    CHECK(strncmp(accepting.remote, "127.0.0.1:", 10) == 0);
    for (int i = 0; i < 3; i++) close(clients[i]), close(accepting.descriptors[i]);
    listener_close(listener);
    loop_free(accepting.loop);
}

TEST(a_listener_survives_running_out_of_descriptors) {
    struct accepting accepting = {.wanted = 1};
    struct listener *listener = NULL;
    struct error error;
    CHECK_OK(loop_new(&accepting.loop));
    struct listener_options options = {.address = "127.0.0.1"};
    CHECK_OK(listener_open(accepting.loop, &options, on_accept, &accepting, &listener, &error));
    int client = connect_to(listener_port(listener));
    struct rlimit limit, none;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    none = limit;
    none.rlim_cur = 3; // all numbers below are taken
    CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
    for (int i = 0; i < 3; i++) {
        loop_stop(accepting.loop);
        loop_run(accepting.loop);
    }
    CHECK_EQUAL(0, accepting.count);
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    loop_run(accepting.loop);
    CHECK_EQUAL(1, accepting.count);
    close(client);
    close(accepting.descriptors[0]);
    listener_close(listener);
    loop_free(accepting.loop);
}
