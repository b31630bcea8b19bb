// SPDX-License-Identifier: Apache-2.0
#include "planck/options.h"

#include <stdio.h>

#include "base/limits.h"

// clang-format off
#define AT(field) offsetof(struct options, field)
#define ROW(key, type, field, value, low, high, unit, doc) \
    {key, CONFIG_##type, AT(field), value, (int64_t)(low), (int64_t)(high), unit, NULL, doc}
#define CHOICE(key, field, value, choices, doc) \
    {key, CONFIG_ENUM, AT(field), value, 0, 0, "", choices, doc}

static const struct config_row database_rows[] = {
    ROW("durability.flush_interval_in_ms", INT, flush_interval_ms, "1000", 0, 60000, "ms",
        "Longest time that an acknowledged write may stay unsynced; 0: replies wait for the sync."),
    ROW("buffers.memtable", SIZE, memtable_bytes, "64MiB", 64 * KIB, 4 * GIB, "bytes",
        "Memory at which a generation of memtables is frozen and written to the index."),
    ROW("buffers.generations", INT, generations_max, "4", 1, 64, "",
        "Frozen generations that may wait before writers do."),
    ROW("file_sizes.wal", SIZE, wal_segment_bytes, "16MiB", 64 * KIB, 1 * GIB, "bytes",
        "Size of a segment of the commit log."),
    ROW("file_sizes.vlog", SIZE, vlog_segment_bytes, "1GiB", 1 * MIB, 64 * GIB, "bytes",
        "Size of a segment of the value log."),
    ROW("file_sizes.index_map", SIZE, index_map_bytes, "1TiB", 64 * MIB, 64 * 1024 * GIB, "bytes",
        "Address space for the index: the most that it can grow to."),
};

static const struct config_row service_rows[] = {
    ROW("service.name", STRING, service_name, "", 0, 100, "",
        "Name given to the module; empty: what its manifest says."),
    ROW("module", STRING, module, "service.wasm", 1, 1000, "",
        "Path of the module, relative to the service directory."),
    ROW("seed.directory", STRING, seed_directory, "seed", 0, 1000, "",
        "JSON-lines files, one per store, imported once into fresh data; empty: none."),
    ROW("http.address", STRING, http_address, "127.0.0.1", 1, 100, "", "Address to listen on."),
    ROW("http.port", INT, http_port, "3010", 0, 65535, "", "Port to listen on; 0: a free one."),
    ROW("http.workers", INT, http_workers, "0", 0, 64, "", "Worker threads; 0: one per core."),
    ROW("http.backlog", INT, http_backlog, "511", 1, 65535, "", "Connections waiting to be accepted."),
    ROW("http.header_bytes_max", SIZE, header_bytes_max, "16KiB", 1 * KIB, 1 * MIB, "bytes",
        "Request line and headers; beyond it 431."),
    ROW("http.header_count_max", INT, header_count_max, "100", 1, 1000, "", "Headers of a request."),
    ROW("http.body_bytes_max", SIZE, body_bytes_max, "1MiB", 0, 64 * MIB, "bytes",
        "Body of a request; beyond it 413."),
    ROW("http.header_timeout_ms", INT, header_timeout_ms, "10000", 10, 600000, "ms",
        "From the first byte of a request to the end of its headers; then 408."),
    ROW("http.body_timeout_ms", INT, body_timeout_ms, "30000", 10, 600000, "ms",
        "From the end of the headers to the end of the body; then 408."),
    ROW("http.idle_timeout_ms", INT, idle_timeout_ms, "60000", 10, 3600000, "ms",
        "A connection without a request is closed after this."),
    ROW("http.write_timeout_ms", INT, write_timeout_ms, "30000", 10, 600000, "ms",
        "A client that takes nothing of a reply for this long is disconnected."),
    ROW("http.requests_max", INT, requests_max, "100000", 1, 1000000000, "",
        "Requests on one connection before it is closed."),
    ROW("http.connections_max", INT, connections_max, "10000", 1, 1000000, "",
        "Connections of the process; further ones are closed at once."),
    ROW("http.shutdown_grace_ms", INT, shutdown_grace_ms, "10000", 0, 600000, "ms",
        "Time that running requests get after SIGTERM."),
    ROW("http.access_log", BOOL, access_log, "true", 0, 0, "", "One log line per request."),
    ROW("http2.enabled", BOOL, http2_enabled, "true", 0, 0, "",
        "HTTP/2 beside HTTP/1.1: by ALPN over TLS, by prior knowledge in clear."),
    ROW("http2.streams_max", INT, http2_streams_max, "128", 1, 10000, "",
        "Requests at once on one connection; further ones are refused."),
    ROW("http2.bodies_bytes_max", SIZE, http2_bodies_bytes_max, "16MiB", 0, 1 * GIB, "bytes",
        "Request bodies held at once for one connection; beyond it 503."),
    ROW("http2.control_frames_max", INT, http2_control_frames_max, "1000", 10, 1000000, "",
        "Frames a second of one connection that carry no request; beyond it the connection is ended."),
    ROW("http2.resets_max", INT, http2_resets_max, "100", 1, 1000000, "",
        "Streams a second of one connection that are reset; beyond it the connection is ended."),
    ROW("http2.continuations_max", INT, http2_continuations_max, "8", 1, 1000, "",
        "CONTINUATION frames of one request's headers; beyond it the connection is ended."),
    ROW("tls.enabled", BOOL, tls_enabled, "false", 0, 0, "",
        "Serve https; a plain request is redirected. The default will become true."),
    CHOICE("tls.minimum_version", tls_minimum_version, "1.3", "1.3|1.2", "Oldest version of TLS that is spoken."),
    ROW("tls.cert_file", STRING, tls_certificate_file, "", 0, 1000, "",
        "PEM certificate and its chain, relative to the service directory; empty: one of our own in tls/."),
    ROW("tls.key_file", STRING, tls_key_file, "", 0, 1000, "",
        "PEM key of tls.cert_file, without a passphrase."),
    ROW("tls.handshake_timeout_ms", INT, tls_handshake_timeout_ms, "10000", 10, 600000, "ms",
        "From the connection to the end of the TLS handshake; then it is closed."),
    ROW("wasm.pool.min", INT, pool_min, "2", 1, 1000, "", "Instances kept ready per worker."),
    ROW("wasm.pool.max", INT, pool_max, "8", 1, 1000, "", "Handlers running at once, of the process."),
    ROW("wasm.suspended_max", INT, suspended_max, "32", 1, 1000, "",
        "Handlers suspended at once, of the process."),
    ROW("wasm.queue_max", INT, queue_max, "1000", 0, 1000000, "",
        "Requests per worker that may wait for an instance; beyond it 503."),
    ROW("wasm.memory", SIZE, wasm_memory_bytes, "64MiB", 64 * KIB, 4 * GIB - 64 * KIB, "bytes",
        "Memory of one instance."),
    ROW("wasm.memory_total", SIZE, wasm_memory_total_bytes, "1GiB", 64 * KIB, 1024 * GIB, "bytes",
        "Memory of all instances; beyond it none is added and those that are done are let go."),
    ROW("wasm.deadline_ms", INT, deadline_ms, "10000", 1, 3600000, "ms",
        "Wall-clock time of one handler; then 504."),
    ROW("wasm.host_budget_us", INT, host_budget_us, "2000", 100, 100000, "us",
        "Time slice of guest code and of a host call before others get their turn."),
    ROW("wasm.response_bytes_max", SIZE, response_bytes_max, "16MiB", 1 * KIB, 1 * GIB, "bytes",
        "Body of one response."),
    ROW("wasm.recycle_requests", INT, recycle_requests, "0", 0, 1000000000, "",
        "An instance is replaced after so many requests; 0: never."),
    CHOICE("wasm.isolation", isolation, "instance", "instance|request",
        "request: a fresh instance for each request."),
    ROW("wasm.cache_directory", STRING, wasm_cache_directory, "", 0, 1000, "",
        "Directory of compiled code; empty: the user's state directory."),
    CHOICE("log.level", log_level, "info", "debug|info|warn|error", "Least level that is logged."),
};
// clang-format on

const struct config_table options_database_table = {
    .file_name = "db.yaml",
    .rows = database_rows,
    .row_count = sizeof database_rows / sizeof database_rows[0],
};
const struct config_table options_service_table = {
    .file_name = "service.yaml",
    .rows = service_rows,
    .row_count = sizeof service_rows / sizeof service_rows[0],
};

static enum status load_table(const struct config_table *table, struct options *options,
                              const char *directory, struct error *error) {
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/%s", directory, table->file_name);
    if (length < 0 || (size_t)length >= sizeof path)
        return error_set(error, STATUS_INVALID, "path of the service directory is too long");
    return config_load(table, file_system_posix(), path, options, error);
}

enum status options_load(struct options *options, const char *directory, struct error *error) {
    *options = (struct options){.directory = directory};
    config_defaults(&options_database_table, options);
    config_defaults(&options_service_table, options);
    enum status status = load_table(&options_database_table, options, directory, error);
    if (status == STATUS_OK) status = load_table(&options_service_table, options, directory, error);
    return status;
}

void options_done(struct options *options) {
    config_done(&options_database_table, options);
    config_done(&options_service_table, options);
}

struct storage_options options_storage(const struct options *options) {
    struct storage_options storage = storage_options_default();
    storage.flush_interval_ms = options->flush_interval_ms;
    storage.memtable_bytes = options->memtable_bytes;
    storage.generations_max = options->generations_max;
    storage.wal_segment_bytes = options->wal_segment_bytes;
    storage.vlog_segment_bytes = options->vlog_segment_bytes;
    storage.index_map_bytes = options->index_map_bytes;
    return storage;
}

struct http_options options_http(const struct options *options) {
    return (struct http_options){
        .header_bytes_max = options->header_bytes_max,
        .header_count_max = options->header_count_max,
        .body_bytes_max = options->body_bytes_max,
        .header_timeout_ms = options->header_timeout_ms,
        .body_timeout_ms = options->body_timeout_ms,
        .idle_timeout_ms = options->idle_timeout_ms,
        .write_timeout_ms = options->write_timeout_ms,
        .requests_max = options->requests_max,
        .connections_max = options->connections_max,
        .access_log = options->access_log,
        .handshake_timeout_ms = options->tls_handshake_timeout_ms,
        .http2 = options->http2_enabled,
        .http2_streams_max = options->http2_streams_max,
        .http2_bodies_bytes_max = options->http2_bodies_bytes_max,
        .http2_control_frames_max = options->http2_control_frames_max,
        .http2_resets_max = options->http2_resets_max,
        .http2_continuations_max = options->http2_continuations_max,
    };
}

struct wasm_options options_wasm(const struct options *options, int64_t workers) {
    struct wasm_options wasm = wasm_options_default();
    wasm.workers = workers;
    wasm.running_max = options->pool_max;
    wasm.suspended_max = options->suspended_max;
    wasm.queue_max = options->queue_max;
    wasm.pool_min = options->pool_min;
    wasm.memory_bytes_max = options->wasm_memory_bytes;
    wasm.memory_bytes_total_max = options->wasm_memory_total_bytes;
    wasm.deadline_ms = options->deadline_ms;
    wasm.host_budget_us = options->host_budget_us;
    wasm.response_bytes_max = options->response_bytes_max;
    wasm.recycle_requests = options->recycle_requests;
    wasm.isolation_request = options->isolation == 1;
    if (options->wasm_cache_directory[0] != '\0')
        wasm.cache_directory = options->wasm_cache_directory;
    return wasm;
}
