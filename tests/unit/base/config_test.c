// SPDX-License-Identifier: Apache-2.0
#include "base/config.h"

#include "base/limits.h"
#include "test.h"

struct options {
    int64_t port;
    bool tls;
    int64_t body_max;
    char *module;
    int64_t isolation;
    int64_t offset;
};

static const struct config_row rows[] = {
    {"http.port", CONFIG_INT, offsetof(struct options, port), "3010", 0, 65535, "", NULL,
     "Port to listen on."},
    {"http.tls.enabled", CONFIG_BOOL, offsetof(struct options, tls), "false", 0, 0, "", NULL,
     "Whether to encrypt."},
    {"http.body_max", CONFIG_SIZE, offsetof(struct options, body_max), "16MiB", 1024, GIB, "bytes",
     NULL, "Largest body."},
    {"module", CONFIG_STRING, offsetof(struct options, module), "service.wasm", 1, 20, "", NULL,
     "The module."},
    {"isolation", CONFIG_ENUM, offsetof(struct options, isolation), "instance", 0, 0, "",
     "instance|request", "Reuse of instances."},
    {"offset", CONFIG_INT, offsetof(struct options, offset), "0", INT64_MIN, INT64_MAX, "ms", NULL,
     "Any number."},
};
static const struct config_table table = {"db.yaml", rows, sizeof rows / sizeof rows[0]};

TEST(config_defaults_are_those_of_the_table) {
    struct options options;
    config_defaults(&table, &options);
    CHECK_EQUAL(3010, options.port);
    CHECK(!options.tls);
    CHECK_EQUAL(16 * MIB, options.body_max);
    CHECK(strcmp(options.module, "service.wasm") == 0);
    CHECK_EQUAL(0, options.isolation);
    config_done(&table, &options);
    CHECK(options.module == NULL);
}

TEST(config_reads_every_type) {
    struct options options;
    config_defaults(&table, &options);
    struct error error = {.message = ""};
    static const char text[] = "http:\n  port: 8080 # a comment\n  tls: {enabled: true}\n"
                               "  body_max: 64MiB\nmodule: pizza.wasm\nisolation: request\n"
                               "offset: -5\n";
    CHECK_OK(config_parse(&table, bytes_of_string(text), "db.yaml", &options, &error));
    CHECK_EQUAL(8080, options.port);
    CHECK(options.tls);
    CHECK_EQUAL(64 * MIB, options.body_max);
    CHECK(strcmp(options.module, "pizza.wasm") == 0);
    CHECK_EQUAL(1, options.isolation);
    CHECK_EQUAL(-5, options.offset);
    config_done(&table, &options);
}

static void check_size(const char *text, int64_t expected) {
    struct options options;
    config_defaults(&table, &options);
    char line[100];
    snprintf(line, sizeof line, "http: {body_max: %s}", text);
    CHECK_OK(config_parse(&table, bytes_of_string(line), "f", &options, NULL));
    CHECK_EQUAL(expected, options.body_max);
    config_done(&table, &options);
}

TEST(config_reads_sizes_in_every_unit) {
    check_size("64MiB", 64 * MIB);
    check_size("16 KiB", 16 * KIB);
    check_size("\"16 KiB\"", 16 * KIB);
    check_size("1GiB", GIB);
    check_size("4096", 4096);
}

TEST(config_accepts_an_empty_section_and_an_empty_file) {
    struct options options;
    config_defaults(&table, &options);
    struct error error = {.message = ""};
    CHECK_OK(config_parse(&table, bytes_of_string("http:\nmodule: a\n"), "f", &options, &error));
    CHECK_OK(config_parse(&table, bytes_of_string(""), "f", &options, &error));
    CHECK_EQUAL(3010, options.port);
    config_done(&table, &options);
}

static void check_refused(const char *text, const char *message) {
    struct options options;
    config_defaults(&table, &options);
    struct error error = {.message = ""};
    CHECK_STATUS(STATUS_INVALID,
                 config_parse(&table, bytes_of_string(text), "db.yaml", &options, &error));
    if (strcmp(error.message, message) != 0)
        test_fail(__FILE__, __LINE__, "message \"%s\", expected \"%s\"", error.message, message);
    CHECK_EQUAL(STATUS_INVALID, error.status);
    CHECK(error.line > 0 && error.column > 0);
    config_done(&table, &options);
}

TEST(config_refuses_unknown_and_repeated_keys) {
    check_refused("http:\n  prot: 1\n", "db.yaml:2:3: unknown key http.prot");
    check_refused("modul: a\n", "db.yaml:1:1: unknown key modul");
    check_refused("module: a\nmodule: b\n", "db.yaml:2:1: repeated key module");
    check_refused("http: {port: 1}\nhttp: {body_max: 2048}\n", "db.yaml:2:1: repeated key http");
    check_refused("htt:\n  port: 1\n", "db.yaml:1:1: unknown key htt");
    check_refused("modules:\n- a\n", "db.yaml:1:1: unknown key modules");
}

TEST(config_refuses_wrong_types) {
    check_refused("http:\n  port: abc\n",
                  "db.yaml:2:9: http.port must be a whole number from 0 to 65535, not abc");
    check_refused("http: {port: \"80\"}",
                  "db.yaml:1:14: http.port must be a whole number from 0 to 65535, not \"80\"");
    check_refused("http: {port: 8.5}",
                  "db.yaml:1:14: http.port must be a whole number from 0 to 65535, not 8.5");
    check_refused("http: {port: 0080}",
                  "db.yaml:1:14: http.port must be a whole number from 0 to 65535, not 0080");
    check_refused("http:\n  port:\n",
                  "db.yaml:2:8: http.port must be a whole number from 0 to 65535");
    check_refused("http: {port: [1]}",
                  "db.yaml:1:14: http.port must be a whole number from 0 to 65535");
    check_refused("http: {port: {a: 1}}",
                  "db.yaml:1:14: http.port must be a whole number from 0 to 65535");
    check_refused("http: {tls: {enabled: yes}}",
                  "db.yaml:1:23: http.tls.enabled must be true or false, not yes");
    check_refused("http: 5", "db.yaml:1:7: http must be a section with keys of its own");
    check_refused("module: 5", "db.yaml:1:9: module must be text from 1 to 20 bytes, not 5");
    check_refused("module: true", "db.yaml:1:9: module must be text from 1 to 20 bytes, not true");
    check_refused("isolation: none",
                  "db.yaml:1:12: isolation must be one of instance, request, not none");
    check_refused("http: {body_max: 5MB}",
                  "db.yaml:1:18: http.body_max must be a size from 1KiB to 1GiB, not 5MB");
}

TEST(config_refuses_what_is_out_of_range) {
    check_refused("http: {port: 65536}",
                  "db.yaml:1:14: http.port must be a whole number from 0 to 65535, not 65536");
    check_refused("http: {port: -1}",
                  "db.yaml:1:14: http.port must be a whole number from 0 to 65535, not -1");
    check_refused("http: {body_max: 2GiB}",
                  "db.yaml:1:18: http.body_max must be a size from 1KiB to 1GiB, not 2GiB");
    check_refused("http: {body_max: 9999999999TiB}",
                  "db.yaml:1:18: http.body_max must be a size from 1KiB to 1GiB, "
                  "not 9999999999TiB");
    check_refused("offset: 9223372036854775808",
                  "db.yaml:1:9: offset must be a whole number of at least "
                  "-9223372036854775808, not 9223372036854775808");
    check_refused("module: \"\"", "db.yaml:1:9: module must be text from 1 to 20 bytes, not \"\"");
    check_refused("module: abcdefghijklmnopqrstuvwxyz",
                  "db.yaml:1:9: module must be text from 1 to 20 bytes, "
                  "not abcdefghijklmnopqrstuvwxyz");
}

TEST(config_says_where_the_syntax_breaks) {
    check_refused("http: {port: 1\n", "db.yaml:2:1: did not find expected ',' or '}'");
}

TEST(config_load_takes_a_missing_file_for_the_defaults) {
    struct file_system *fs = file_system_posix();
    struct options options;
    config_defaults(&table, &options);
    char path[300];
    snprintf(path, sizeof path, "%s/db.yaml", test_directory());
    struct error error = {.message = ""};
    CHECK_OK(config_load(&table, fs, path, &options, &error));
    CHECK_EQUAL(3010, options.port);
    CHECK_OK(file_write_atomic(fs, path, bytes_of_string("http: {port: 1}"), NULL));
    CHECK_OK(config_load(&table, fs, path, &options, &error));
    CHECK_EQUAL(1, options.port);
    CHECK_OK(file_write_atomic(fs, path, bytes_of_string("http: {port: x}"), NULL));
    CHECK_STATUS(STATUS_INVALID, config_load(&table, fs, path, &options, &error));
    CHECK(strncmp(error.message, path, strlen(path)) == 0);
    CHECK_STATUS(STATUS_IO, config_load(&table, fs, test_directory(), &options, &error));
    CHECK(error.message[0] != '\0');
    config_done(&table, &options);
}

TEST(config_documents_every_row) {
    struct buffer buffer = {0};
    CHECK_OK(config_document(&table, &buffer));
    CHECK_OK(buffer_append(&buffer, "", 1));
    const char *text = (const char *)buffer.data;
    CHECK(strstr(text, "| `http.body_max` | `16MiB` | bytes | a size from 1KiB to 1GiB | "
                       "Largest body. |\n") != NULL);
    CHECK(strstr(text, "| `isolation` | `instance` |  | one of instance, request |") != NULL);
    buffer_done(&buffer);
}
