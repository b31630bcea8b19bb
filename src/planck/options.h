// SPDX-License-Identifier: Apache-2.0
// The service directory's configuration: two tables (db.yaml, service.yaml) and the command line.
#pragma once

#include "base/config.h"
#include "wasm/wasm.h"

struct options {
    // db.yaml
    int64_t flush_interval_ms, memtable_bytes, generations_max, wal_segment_bytes,
        vlog_segment_bytes, index_map_bytes;
    // service.yaml
    char *service_name, *module, *seed_directory, *http_address, *wasm_cache_directory,
        *tls_certificate_file, *tls_key_file;
    int64_t http_port, http_workers, http_backlog, header_bytes_max, header_count_max,
        body_bytes_max, header_timeout_ms, body_timeout_ms, idle_timeout_ms, write_timeout_ms,
        requests_max, connections_max, shutdown_grace_ms;
    bool access_log, tls_enabled, http2_enabled;
    int64_t tls_minimum_version, tls_handshake_timeout_ms, http2_streams_max,
        http2_bodies_bytes_max, http2_control_frames_max, http2_resets_max, http2_continuations_max;
    int64_t pool_min, pool_max, suspended_max, queue_max, wasm_memory_bytes,
        wasm_memory_total_bytes, deadline_ms, host_budget_us, response_bytes_max, recycle_requests,
        isolation, log_level;
    // command line
    const char *directory;
};

extern const struct config_table options_database_table;
extern const struct config_table options_service_table;

// Loads both files of `directory`; the error message names file and line.
CHECKED enum status options_load(struct options *options, const char *directory,
                                 struct error *error);
void options_done(struct options *options);

struct storage_options options_storage(const struct options *options);
struct http_options options_http(const struct options *options);
struct wasm_options options_wasm(const struct options *options, int64_t workers);
