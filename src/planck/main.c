// SPDX-License-Identifier: Apache-2.0
// planck DIR: serves the service in DIR until SIGTERM or SIGINT.
// Exit codes: 0 stopped as asked, 1 failure, 2 wrong use or configuration.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "planck/service.h"

enum { CHECK_INTERVAL_SECONDS = 2 };

static void print_rows(const struct config_table *table) {
    printf("\n%s:\n", table->file_name);
    for (size_t i = 0; i < table->row_count; i++) {
        const struct config_row *row = &table->rows[i];
        printf("  %-34s %s%s%s\n      %s\n", row->key,
               row->default_value[0] != '\0' ? row->default_value : "\"\"",
               row->choices != NULL ? "   " : "", row->choices != NULL ? row->choices : "",
               row->doc);
    }
}

static int usage(FILE *stream) {
    fputs("usage: planck DIR [--port N]\n"
          "       planck --help | --version\n\n"
          "Serves the service in DIR: the module service.wasm, configured by the optional files\n"
          "db.yaml and service.yaml, with its data under DIR/data. When ready it prints one JSON "
          "line\n"
          "on standard output; logs go to standard error. SIGTERM and SIGINT stop it gracefully, "
          "SIGHUP\nreads the TLS certificate again.\n\n"
          "  --port N   listen on this port instead of http.port; 0 takes a free one\n",
          stream);
    return stream == stdout ? 0 : 2;
}

static int help(void) {
    usage(stdout);
    fputs("\nConfiguration keys (nested in the file at each dot) and their defaults:\n", stdout);
    print_rows(&options_database_table);
    print_rows(&options_service_table);
    return 0;
}

struct arguments {
    const char *directory;
    int64_t port; // -1: as configured
};

static bool parse_port(const char *text, int64_t *ret) {
    char *end;
    long value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || value < 0 || value > 65535) return false;
    *ret = value;
    return true;
}

// Returns -1 to go on, else the exit code.
static int parse_arguments(int count, char **values, struct arguments *ret) {
    *ret = (struct arguments){.port = -1};
    for (int i = 1; i < count; i++) {
        const char *value = values[i];
        if (strcmp(value, "--help") == 0) return help();
        if (strcmp(value, "--version") == 0) return printf("planck %s\n", PLANCK_VERSION) < 0;
        if (strcmp(value, "--compile-module") == 0) return wasm_compile_main();
        if (strcmp(value, "--port") == 0) {
            if (++i == count || !parse_port(values[i], &ret->port)) {
                fputs("planck: --port needs a number from 0 to 65535\n", stderr);
                return 2;
            }
        } else if (value[0] == '-' || ret->directory != NULL) {
            fprintf(stderr, "planck: unexpected argument: %s\n", value);
            return usage(stderr);
        } else {
            ret->directory = value;
        }
    }
    return ret->directory != NULL ? -1 : usage(stderr);
}

static void block_signals(sigset_t *ret_awaited) {
    sigemptyset(ret_awaited);
    sigaddset(ret_awaited, SIGTERM);
    sigaddset(ret_awaited, SIGINT);
    sigaddset(ret_awaited, SIGHUP);
    sigset_t blocked = *ret_awaited;
    sigaddset(&blocked, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &blocked, NULL);
}

static void print_ready(const struct service *service, const struct options *options) {
    const char *scheme = options->tls_enabled ? "https" : "http";
    const char *format =
        strchr(options->http_address, ':') != NULL
            ? "{\"event\": \"ready\", \"%s\": \"[%s]:%u\", \"service\": \"%s\", \"pid\": %ld}\n"
            : "{\"event\": \"ready\", \"%s\": \"%s:%u\", \"service\": \"%s\", \"pid\": %ld}\n";
    struct buffer name = {0};
    if (log_escape(&name, bytes_of_string(service_name(service))) == STATUS_OK &&
        buffer_append(&name, "", 1) == STATUS_OK) {
        printf(format, scheme, options->http_address, service_port(service),
               (const char *)name.data, (long)getpid());
        fflush(stdout);
    }
    buffer_done(&name);
}

static int fail(const struct error *error, int code) {
    fprintf(stderr, "planck: %s\n", error->message);
    return code;
}

// Waits for a signal to stop; SIGHUP and files that change are looked after meanwhile.
static int await_stop(struct service *service, const sigset_t *awaited) {
    const struct timespec interval = {.tv_sec = CHECK_INTERVAL_SECONDS};
    for (;;) {
        int number = sigtimedwait(awaited, NULL, &interval);
        if (number == SIGHUP)
            service_reload(service);
        else if (number > 0)
            return number;
        else
            service_check(service);
    }
}

static int serve(const struct options *options, const sigset_t *awaited) {
    struct error error = {0};
    struct service *service;
    if (service_open(options, &service, &error) != STATUS_OK) return fail(&error, 1);
    print_ready(service, options);
    log_info("planck", "stopping on signal %d", await_stop(service, awaited));
    service_close(service, (uint64_t)options->shutdown_grace_ms);
    return 0;
}

int main(int count, char **values) {
    struct arguments arguments;
    int code = parse_arguments(count, values, &arguments);
    if (code >= 0) return code;
    struct error error = {0};
    if (access(arguments.directory, R_OK | X_OK) != 0) {
        error_set(&error, STATUS_NOT_FOUND, "cannot read the directory %s", arguments.directory);
        return fail(&error, 2);
    }
    struct options options;
    if (options_load(&options, arguments.directory, &error) != STATUS_OK) {
        options_done(&options);
        return fail(&error, 2);
    }
    if (arguments.port >= 0) options.http_port = arguments.port;
    log_set_level((enum log_level)options.log_level);
    sigset_t awaited;
    block_signals(&awaited);
    code = serve(&options, &awaited);
    options_done(&options);
    return code;
}
