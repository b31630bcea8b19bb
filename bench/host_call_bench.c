// SPDX-License-Identifier: Apache-2.0
// What it costs a guest to read one document by key, and what a call of a handler costs beyond the
// guest's own work. The peer of a host call is the bare boundary: the cheapest host function.
//
//   host_call_bench [--tsv PATH] GUEST.wasm
#include <getopt.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "figure.h"
#include "wasm/wasm.h"

#define DOCUMENTS 10000
#define READS 400000
#define CROSSINGS 20000000
#define CALLS 400000
#define GET_GOAL_NS 1500.0

struct bench {
    char directory[64];
    struct engine *engine;
    struct session *session;
    struct wasm_runtime *runtime;
    struct wasm_module *module;
    struct loop *loop;
    struct wasm_worker *worker;
    int status; // of the last reply
    bool answered;
};

static void check(enum status status, const struct error *error, const char *what) {
    if (status != STATUS_OK)
        figure_fail("%s: %s: %s", what, status_text(status), error == NULL ? "" : error->message);
}

static void open_engine(struct bench *bench) {
    struct error error = {0};
    struct storage_options options = storage_options_default();
    snprintf(bench->directory, sizeof bench->directory, "/tmp/planck-bench-XXXXXX");
    if (mkdtemp(bench->directory) == NULL) figure_fail("%s: %m", bench->directory);
    char data[96];
    snprintf(data, sizeof data, "%s/data", bench->directory);
    check(engine_open(data, &options, &bench->engine, &error), &error, "engine");
    uint32_t id;
    check(storage_create_store(engine_storage(bench->engine), bytes_of_string("items"), KEY_INT64,
                               &id, NULL, &error),
          &error, "store");
    check(session_open(bench->engine, PERMISSION_WRITE, &bench->session), NULL, "session");
}

static void add_document(struct buffer *packet, int64_t id) {
    struct doc_builder builder;
    doc_builder_begin(&builder, packet);
    doc_add_int(&builder, "_id", id);
    doc_add_string(&builder, "name", bytes_of_string("Margherita with extra basil"));
    doc_add_string(&builder, "description",
                   bytes_of_string("Tomato, mozzarella and basil on a thin crust, baked in a wood "
                                   "oven for ninety seconds, served with oil."));
    doc_add_int(&builder, "price", 950 + id % 100);
    check(doc_builder_finish(&builder), NULL, "document");
}

static void insert_documents(struct bench *bench) {
    struct buffer packet = {0};
    struct doc_builder builder;
    struct call *call;
    size_t start;
    check(packet_begin(&packet, OP_INSERT, 1, &start), NULL, "packet");
    doc_builder_begin(&builder, &packet);
    doc_add_string(&builder, "store", bytes_of_string("items"));
    check(doc_builder_finish(&builder), NULL, "packet");
    for (int64_t id = 0; id < DOCUMENTS; id++) add_document(&packet, id);
    check(packet_finish(&packet, start, 0, 0, DOCUMENTS + 1), NULL, "packet");
    check(call_new(bench->session, &call), NULL, "call");
    check(engine_dispatch(call, buffer_bytes(&packet), READ_LATEST, 10000000000), NULL, "insert");
    check(call_status(call), NULL, "insert");
    call_free(call);
    buffer_done(&packet);
}

static void open_worker(struct bench *bench, const char *guest) {
    static char cache[96];
    struct error error = {0};
    struct wasm_options options = wasm_options_default();
    snprintf(cache, sizeof cache, "%s/code", bench->directory);
    options.cache_directory = cache;
    options.deadline_ms = 60000;
    check(wasm_runtime_new(&options, &bench->runtime, &error), &error, "runtime");
    check(wasm_module_load(bench->runtime, guest, &bench->module, &error), &error, guest);
    check(loop_new(&bench->loop), NULL, "loop");
    check(wasm_worker_new(bench->runtime, bench->module, bench->loop, bench->session,
                          bytes_of("\5\0\0\0", 5), &bench->worker, &error),
          &error, "worker");
}

static void close_all(struct bench *bench) {
    char command[128];
    wasm_worker_free(bench->worker);
    wasm_module_unref(bench->module);
    wasm_runtime_free(bench->runtime);
    loop_free(bench->loop);
    session_close(bench->session);
    engine_close(bench->engine);
    snprintf(command, sizeof command, "rm -rf '%s'", bench->directory);
    if (system(command) != 0) figure_fail("%s", command);
}

static void on_done(const struct wasm_result *result, void *context) {
    struct bench *bench = context;
    if (result->status != STATUS_OK) figure_fail("guest: %s", result->reason);
    bench->status = result->response.status;
    bench->answered = true;
}

// One call of the handler: `count` host calls of a mode (tests/guests/bench_get.c).
static void call_guest(struct bench *bench, uint32_t count, uint32_t mode) {
    uint8_t body[8];
    struct http_header headers[] = {
        {bytes_of_string("Host"), bytes_of_string("127.0.0.1:3010")},
        {bytes_of_string("User-Agent"), bytes_of_string("bench")},
        {bytes_of_string("Accept"), bytes_of_string("*/*")},
    };
    struct http_request request = {.method = HTTP_GET,
                                   .path = bytes_of_string("/products/17"),
                                   .query = bytes_of("", 0),
                                   .headers = headers,
                                   .header_count = 3,
                                   .body = bytes_of(body, sizeof body),
                                   .remote = bytes_of_string("127.0.0.1:50000"),
                                   .id = "0123456789abcdef0123456789abcdef"};
    struct http_match match;
    match.route = 0;
    match.param_count = 0;
    struct wasm_call *call;
    store_le32(body, count);
    store_le32(body + 4, mode);
    bench->answered = false;
    wasm_worker_call(bench->worker, &request, &match, on_done, bench, &call);
    while (!bench->answered) wasm_worker_turn(bench->worker);
    if (bench->status != 200) figure_fail("guest: status %d", bench->status);
}

static double measure(struct bench *bench, uint32_t count, uint32_t mode) {
    double best = 1e18;
    for (int round = 0; round < 3; round++) {
        uint64_t start = figure_now_ns();
        call_guest(bench, count, mode);
        double each = (double)(figure_now_ns() - start) / count;
        if (each < best) best = each;
    }
    return best;
}

static double measure_calls(struct bench *bench) {
    uint64_t start = figure_now_ns();
    for (int i = 0; i < CALLS; i++) call_guest(bench, 0, 1);
    return (double)(figure_now_ns() - start) / CALLS;
}

static void report(struct bench *bench, FILE *tsv) {
    double boundary = measure(bench, CROSSINGS, 1);
    double get = measure(bench, READS, 0);
    double call = measure_calls(bench);
    figure_report(tsv, &(struct figure){.name = "host call: get by key",
                                        .unit = "ns",
                                        .ours = get,
                                        .peer = boundary,
                                        .peer_name = "bare boundary"});
    // As a rate against the goal's, so that more is better as in every other row.
    figure_report(tsv, &(struct figure){.name = "host call: get by key, rate",
                                        .unit = "1/s",
                                        .ours = 1e9 / get,
                                        .peer = 1e9 / GET_GOAL_NS,
                                        .peer_name = "1.5 us each",
                                        .goal = 1.0});
    figure_report(
        tsv, &(struct figure){
                 .name = "handler call, all host work", .unit = "ns", .ours = call, .peer = 0});
}

int main(int argc, char **argv) {
    struct bench bench = {.status = 0};
    const char *tsv_path = NULL;
    static const struct option options[] = {{"tsv", required_argument, NULL, 't'}, {0}};
    if (argc == 2 && strcmp(argv[1], "--compile-module") == 0) return wasm_compile_main();
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 't') tsv_path = optarg;
        if (option == '?') return 2;
    }
    if (optind + 1 != argc) figure_fail("usage: host_call_bench [--tsv PATH] GUEST.wasm");
    FILE *tsv = figure_open(tsv_path);
    open_engine(&bench);
    insert_documents(&bench);
    open_worker(&bench, argv[optind]);
    report(&bench, tsv);
    close_all(&bench);
    if (tsv != NULL) fclose(tsv);
    return 0;
}
