// SPDX-License-Identifier: Apache-2.0
#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/random.h"
#include "parser.h"

enum {
    SWEEP_MS_MIN = 10,
    SWEEP_MS_MAX = 500,
    SWEEPS_PER_TIMEOUT = 4,
    IDLE_LINGER_MS = 250, // nothing was promised to an idle connection
    IDLE_KEPT_MS = 5000,  // memory for the next request is kept this long
};

struct http_options http_options_default(void) {
    return (struct http_options){
        .header_bytes_max = 32 * KIB,
        .header_count_max = 100,
        .body_bytes_max = 8 * MIB,
        .header_timeout_ms = 10000,
        .body_timeout_ms = 30000,
        .idle_timeout_ms = 60000,
        .write_timeout_ms = 30000,
        .requests_max = INT64_MAX,
        .connections_max = 10000,
        .access_log = true,
        .handshake_timeout_ms = 10000,
        .http2 = true,
        .http2_streams_max = 128,
        .http2_bodies_bytes_max = 16 * MIB,
        .http2_control_frames_max = 1000,
        .http2_resets_max = 100,
        .http2_continuations_max = 8,
    };
}

const char *const http_protocols[] = {"h2", "http/1.1", NULL};
const char *const http_protocols_without_http2[] = {"http/1.1", NULL};

// ---- ids and times ----------------------------------------------------------------------------

// The finaliser of splitmix64: a bijection, so that different counts give different numbers.
static uint64_t scramble(uint64_t value) {
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
    return value ^ (value >> 31);
}

static void put_hex(char *place, uint64_t value) {
    static const char digits[] = "0123456789abcdef";
    for (int i = 15; i >= 0; i--, value >>= 4) place[i] = digits[value & 15];
}

void server_request_id(struct http_server *server, char ret_id[33]) {
    uint64_t count = server->id_counter++;
    put_hex(ret_id, hash_words(server->id_prefix, count));
    put_hex(ret_id + 16, scramble(server->id_prefix + count));
    ret_id[32] = '\0';
}

int64_t server_clock(struct http_server *server) {
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    int64_t now_ms = clock_realtime_ms(clock_system());
    if (now_ms / 1000 == server->second) return now_ms;
    server->second = now_ms / 1000;
    time_t second = (time_t)server->second;
    struct tm parts;
    gmtime_r(&second, &parts);
    char text[64]; // the compiler does not know that a year has four digits
    snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[parts.tm_wday],
             parts.tm_mday, months[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour, parts.tm_min,
             parts.tm_sec);
    memcpy(server->date, text, DATE_SIZE);
    strftime(server->time, sizeof server->time, "%Y-%m-%dT%H:%M:%S", &parts);
    return now_ms;
}

// ---- the sweep: all timeouts, a few times a second ----------------------------------------------

static void check_writing(struct http_connection *connection, uint64_t now_ms) {
    if (connection_unsent(connection->socket) == 0) {
        connection->write_deadline_ms = 0;
        return;
    }
    uint64_t taken = connection_sent(connection->socket);
    if (connection->write_deadline_ms == 0 || taken != connection->taken_bytes) {
        connection->taken_bytes = taken;
        connection->write_deadline_ms =
            now_ms + (uint64_t)connection->server->options.write_timeout_ms;
    } else if (now_ms >= connection->write_deadline_ms) {
        http_connection_close(connection);
    }
}

// A connection that has been idle for a while keeps its socket and little else.
static void give_back(struct http_connection *connection, uint64_t now_ms) {
    uint64_t idle_timeout_ms = (uint64_t)connection->server->options.idle_timeout_ms;
    if (connection->phase != PHASE_IDLE || connection->posted ||
        now_ms + idle_timeout_ms < connection->deadline_ms + IDLE_KEPT_MS)
        return;
    arena_done(&connection->exchange.arena);
    parser_give_back(connection->parser);
}

static void check_deadline(struct http_connection *connection, uint64_t now_ms) {
    if (now_ms < connection->deadline_ms) return;
    if (connection->phase == PHASE_IDLE || connection->phase == PHASE_HANDSHAKE)
        http_connection_finish(connection, IDLE_LINGER_MS);
    else if (connection->phase != PHASE_CLOSING && !connection->paused)
        http1_time_out(connection);
}

// Nothing here frees a connection: that happens when its socket reports its end.
static void sweep(void *context) {
    struct http_server *server = context;
    uint64_t now_ms = loop_now_ms(server->loop);
    bool over = server->draining && now_ms >= server->drain_deadline_ms;
    struct list *head = &server->connections;
    for (struct list *node = head->next, *next; node != head; node = next) {
        next = node->next;
        struct http_connection *connection = container_of(node, struct http_connection, node);
        if (connection->socket == NULL) continue;
        if (connection->phase == PHASE_STREAMS)
            http2_sweep(connection, now_ms);
        else
            check_deadline(connection, now_ms);
        check_writing(connection, now_ms);
        give_back(connection, now_ms);
        if (over) http_connection_close(connection);
    }
}

static uint64_t sweep_interval_ms(const struct http_options *options) {
    int64_t shortest = options->header_timeout_ms;
    if (options->body_timeout_ms < shortest) shortest = options->body_timeout_ms;
    if (options->idle_timeout_ms < shortest) shortest = options->idle_timeout_ms;
    if (options->write_timeout_ms < shortest) shortest = options->write_timeout_ms;
    if (options->tls != NULL && options->handshake_timeout_ms < shortest)
        shortest = options->handshake_timeout_ms;
    int64_t interval = shortest / SWEEPS_PER_TIMEOUT;
    if (interval < SWEEP_MS_MIN) return SWEEP_MS_MIN;
    return interval > SWEEP_MS_MAX ? SWEEP_MS_MAX : (uint64_t)interval;
}

// ---- connections ------------------------------------------------------------------------------

static void connection_object_free(struct http_connection *connection) {
    http2_free(connection->http2);
    http_parser_free(connection->parser);
    arena_done(&connection->exchange.arena);
    free(connection);
}

static struct http_connection *connection_object_new(struct http_server *server,
                                                     const char *remote) {
    const struct http_options *options = &server->options;
    struct http_connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL) return NULL;
    struct http_parser_limits limits = {
        .header_bytes_max = (size_t)options->header_bytes_max,
        .header_count_max = (size_t)options->header_count_max,
        .body_bytes_max = (size_t)options->body_bytes_max,
    };
    if (http_parser_new(&limits, &connection->parser) != STATUS_OK) {
        free(connection);
        return NULL;
    }
    connection->server = server;
    connection->preface_possible = options->http2 && options->tls == NULL;
    connection->phase = options->tls != NULL ? PHASE_HANDSHAKE : PHASE_IDLE;
    int64_t timeout_ms =
        options->tls != NULL ? options->handshake_timeout_ms : options->idle_timeout_ms;
    connection->deadline_ms = loop_now_ms(server->loop) + (uint64_t)timeout_ms;
    connection->exchange.connection = connection;
    connection->exchange.arena = (struct arena){.limit = ARENA_MAX, .block_size = ARENA_BLOCK};
    snprintf(connection->remote, sizeof connection->remote, "%s", remote);
    return connection;
}

// Too many: says so if the socket takes it at once.
static void turn_away(const struct http_server *server, int descriptor) {
    static const char reply[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n"
                                "Connection: close\r\nRetry-After: 1\r\n\r\n";
    // Whether it arrives does not matter any more.
    if (server->options.tls == NULL) {
        ssize_t ignored = send(descriptor, reply, sizeof reply - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        (void)ignored;
    }
    shutdown(descriptor, SHUT_WR);
    close(descriptor);
}

void http_server_adopt(struct http_server *server, int descriptor, const char *remote) {
    if (server->draining || (int64_t)server->connection_count >= server->options.connections_max) {
        turn_away(server, descriptor);
        return;
    }
    struct http_connection *connection = connection_object_new(server, remote);
    if (connection == NULL) {
        turn_away(server, descriptor);
        return;
    }
    struct tls_context *tls = server->options.tls;
    const struct connection_events *events = &http_connection_events;
    enum status status = tls != NULL ? connection_open_tls(server->loop, descriptor, tls, events,
                                                           connection, &connection->socket)
                                     : connection_open(server->loop, descriptor, events, connection,
                                                       &connection->socket);
    if (status != STATUS_OK) {
        log_warn("http", "a connection from %s was dropped: %s", remote, status_text(status));
        connection_object_free(connection);
        return;
    }
    list_push_back(&server->connections, &connection->node);
    if (server->connection_count++ == 0)
        timer_start(server->sweep, server->sweep_ms, server->sweep_ms);
}

size_t http_server_connections(const struct http_server *server) {
    return server->connection_count;
}

static void report_done(void *context) {
    struct http_server *server = context;
    server->on_done(server->done_context);
}

void server_release(struct http_connection *connection) {
    struct http_server *server = connection->server;
    ASSERT(connection->socket == NULL && !connection->exchange.running);
    list_remove(&connection->node);
    connection_object_free(connection);
    if (--server->connection_count > 0) return;
    timer_stop(server->sweep);
    if (server->draining) loop_post(server->loop, report_done, server);
}

// ---- the server -------------------------------------------------------------------------------

enum status http_server_new(struct loop *loop, const struct http_options *options,
                            http_handler *handler, void *context, struct http_server **ret) {
    ASSERT(options->header_bytes_max > 0 && options->header_count_max > 0);
    ASSERT(options->body_bytes_max >= 0 && options->requests_max > 0);
    ASSERT(options->tls == NULL || options->handshake_timeout_ms > 0);
    ASSERT(!options->http2 || options->http2_streams_max > 0);
    struct http_server *server = calloc(1, sizeof *server);
    if (server == NULL) return STATUS_NO_MEMORY;
    enum status status = timer_new(loop, sweep, server, &server->sweep);
    if (status != STATUS_OK) {
        free(server);
        return status;
    }
    server->loop = loop;
    server->options = *options;
    server->handler = handler;
    server->context = context;
    server->sweep_ms = sweep_interval_ms(options);
    server->id_prefix = random_u64(random_system());
    server->second = -1;
    list_init(&server->connections);
    list_init(&server->unflushed);
    list_init(&server->spare_streams);
    *ret = server;
    return STATUS_OK;
}

void http_server_drain(struct http_server *server, uint64_t grace_ms,
                       void (*on_done)(void *context), void *context) {
    ASSERT(!server->draining);
    server->draining = true;
    server->drain_deadline_ms = loop_now_ms(server->loop) + grace_ms;
    server->on_done = on_done;
    server->done_context = context;
    if (server->connection_count == 0) {
        loop_post(server->loop, report_done, server);
        return;
    }
    struct list *head = &server->connections;
    for (struct list *node = head->next; node != head; node = node->next) {
        struct http_connection *connection = container_of(node, struct http_connection, node);
        if (connection->phase == PHASE_STREAMS)
            http2_drain(connection);
        else if (connection->phase == PHASE_IDLE || connection->phase == PHASE_HANDSHAKE)
            http_connection_finish(connection, IDLE_LINGER_MS);
    }
}

void http_server_free(struct http_server *server) {
    if (server == NULL) return;
    ASSERT(server->connection_count == 0);
    access_log_flush(server);
    http2_free_spares(server);
    timer_free(server->sweep);
    buffer_done(&server->output);
    buffer_done(&server->log);
    free(server);
}

void http_server_turn(struct http_server *server) {
    http2_flush_all(server);
    access_log_flush(server);
}
