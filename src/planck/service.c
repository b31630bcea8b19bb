// SPDX-License-Identifier: Apache-2.0
#include "planck/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "planck/certificate.h"
#include "planck/seed.h"
#include "planck/worker.h"

struct service {
    struct options options;
    struct certificate *certificate; // NULL: no TLS
    struct engine *engine;
    struct wasm_runtime *runtime;
    struct wasm_module *module;
    struct http_router *router;
    struct buffer config; // BSON given to the guests' init
    struct worker **workers;
    size_t worker_count;
    size_t started;
    struct listener *listener; // on the first worker's loop
    uint16_t port;
    struct mutex mutex;
    struct condition stopped;
    bool listening;
};

static enum status path_in(const struct options *options, const char *name, char *path, size_t size,
                           struct error *error) {
    int length = name[0] == '/' ? snprintf(path, size, "%s", name)
                                : snprintf(path, size, "%s/%s", options->directory, name);
    if (length < 0 || (size_t)length >= size)
        return error_set(error, STATUS_INVALID, "path too long: %s", name);
    return STATUS_OK;
}

static enum status open_database(struct service *service, struct error *error) {
    char path[4096];
    enum status status = path_in(&service->options, "data", path, sizeof path, error);
    if (status != STATUS_OK) return status;
    struct storage_options storage = options_storage(&service->options);
    return engine_open(path, &storage, &service->engine, error);
}

static size_t choose_worker_count(const struct options *options) {
    if (options->http_workers > 0) return (size_t)options->http_workers;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores > 64 ? 64 : (size_t)cores;
}

static enum status load_module(struct service *service, struct error *error) {
    char path[4096];
    enum status status =
        path_in(&service->options, service->options.module, path, sizeof path, error);
    if (status != STATUS_OK) return status;
    struct wasm_options wasm = options_wasm(&service->options, (int64_t)service->worker_count);
    status = wasm_runtime_new(&wasm, &service->runtime, error);
    if (status != STATUS_OK) return status;
    struct error reason = {0};
    status = wasm_module_load(service->runtime, path, &service->module, &reason);
    if (status == STATUS_OK) return STATUS_OK;
    bool named = strstr(reason.message, service->options.module) != NULL;
    return error_set(error, status, "%s%s%s", named ? "" : service->options.module,
                     named ? "" : ": ", reason.message);
}

static enum status make_router(struct service *service, struct error *error) {
    const struct manifest *manifest = wasm_module_manifest(service->module);
    enum status status = http_router_new(&service->router);
    if (status != STATUS_OK) return error_set(error, status, "no memory for the router");
    for (size_t i = 0; i < manifest->route_count && status == STATUS_OK; i++)
        status = http_router_add(service->router, manifest->routes[i].method,
                                 bytes_of_string(manifest->routes[i].path), (uint32_t)i, error);
    return status;
}

static enum status make_config(struct service *service, struct error *error) {
    const struct manifest *manifest = wasm_module_manifest(service->module);
    struct doc_builder builder;
    doc_builder_begin(&builder, &service->config);
    doc_add_string(&builder, "service", bytes_of_string(service_name(service)));
    doc_add_string(&builder, "version", bytes_of_string(manifest->version));
    enum status status = doc_builder_finish(&builder);
    if (status != STATUS_OK) return error_set(error, status, "configuration of the module");
    return STATUS_OK;
}

static enum status make_workers(struct service *service, struct error *error) {
    service->workers = calloc(service->worker_count, sizeof *service->workers);
    if (service->workers == NULL) return error_set(error, STATUS_NO_MEMORY, "no memory");
    struct worker_options options = {
        .engine = service->engine,
        .runtime = service->runtime,
        .module = service->module,
        .router = service->router,
        .http = options_http(&service->options),
        .config = buffer_bytes(&service->config),
    };
    options.http.tls = certificate_tls(service->certificate);
    int64_t share = service->options.connections_max / (int64_t)service->worker_count;
    options.http.connections_max = share > 0 ? share : 1;
    for (size_t i = 0; i < service->worker_count; i++) {
        options.number = (unsigned)i;
        enum status status = worker_new(&options, &service->workers[i], error);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

// The worker with the fewest connections takes the next one and keeps it.
static void on_accept(int descriptor, const char *remote, void *context) {
    struct service *service = context;
    struct worker *chosen = service->workers[0];
    for (size_t i = 1; i < service->worker_count; i++)
        if (worker_connections(service->workers[i]) < worker_connections(chosen))
            chosen = service->workers[i];
    worker_adopt(chosen, descriptor, remote);
}

static enum status listen_and_start(struct service *service, struct error *error) {
    struct listener_options options = {
        .address = service->options.http_address,
        .port = (uint16_t)service->options.http_port,
        .backlog = (int)service->options.http_backlog,
    };
    // The loop does not run yet, so this thread may still use it.
    enum status status = listener_open(worker_loop(service->workers[0]), &options, on_accept,
                                       service, &service->listener, error);
    if (status != STATUS_OK) return status;
    service->port = listener_port(service->listener);
    service->listening = true;
    for (; service->started < service->worker_count; service->started++) {
        status = worker_start(service->workers[service->started]);
        if (status != STATUS_OK) return error_set(error, status, "cannot start a worker thread");
    }
    return STATUS_OK;
}

enum status service_open(const struct options *options, struct service **ret, struct error *error) {
    struct service *service = calloc(1, sizeof *service);
    if (service == NULL) return error_set(error, STATUS_NO_MEMORY, "no memory");
    service->options = *options;
    service->worker_count = choose_worker_count(options);
    mutex_init(&service->mutex);
    condition_init(&service->stopped);
    // The module first: one that is missing or refused leaves no data directory behind.
    enum status status = load_module(service, error);
    if (status == STATUS_OK)
        status = certificate_open(&service->options, &service->certificate, error);
    if (status == STATUS_OK) status = make_router(service, error);
    if (status == STATUS_OK) status = open_database(service, error);
    if (status == STATUS_OK)
        status = manifest_apply(wasm_module_manifest(service->module), service->engine, error);
    if (status == STATUS_OK) status = seed_import(options, service->engine, error);
    if (status == STATUS_OK) status = make_config(service, error);
    if (status == STATUS_OK) status = make_workers(service, error);
    if (status == STATUS_OK) status = listen_and_start(service, error);
    if (status != STATUS_OK) {
        service_close(service, 0);
        return status;
    }
    certificate_log_address(service->certificate, service->port);
    *ret = service;
    return STATUS_OK;
}

void service_reload(struct service *service) {
    certificate_reload(service->certificate);
}

void service_check(struct service *service) {
    certificate_check(service->certificate);
}

uint16_t service_port(const struct service *service) {
    return service->port;
}

const char *service_name(const struct service *service) {
    return service->options.service_name[0] != '\0'
               ? service->options.service_name
               : wasm_module_manifest(service->module)->service;
}

static void on_stop_listening(void *context) {
    struct service *service = context;
    listener_close(service->listener);
    mutex_lock(&service->mutex);
    service->listening = false;
    condition_signal(&service->stopped);
    mutex_unlock(&service->mutex);
}

static void stop_listening(struct service *service) {
    if (service->started == 0) {
        if (service->listening) listener_close(service->listener);
        return;
    }
    loop_post(worker_loop(service->workers[0]), on_stop_listening, service);
    mutex_lock(&service->mutex);
    while (service->listening) condition_wait(&service->stopped, &service->mutex);
    mutex_unlock(&service->mutex);
}

void service_close(struct service *service, uint64_t grace_ms) {
    stop_listening(service);
    for (size_t i = 0; i < service->started; i++) worker_drain(service->workers[i], grace_ms);
    for (size_t i = 0; i < service->started; i++) worker_join(service->workers[i]);
    for (size_t i = 0; service->workers != NULL && i < service->worker_count; i++)
        worker_free(service->workers[i]);
    free(service->workers);
    certificate_close(service->certificate);
    if (service->engine != NULL) engine_close(service->engine);
    http_router_free(service->router);
    if (service->module != NULL) wasm_module_unref(service->module);
    if (service->runtime != NULL) wasm_runtime_free(service->runtime);
    buffer_done(&service->config);
    condition_done(&service->stopped);
    mutex_done(&service->mutex);
    free(service);
}
