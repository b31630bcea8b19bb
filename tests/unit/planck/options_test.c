// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"
#include "planck/options.h"
#include "test.h"

// docs/CONFIG.md is what the tables say. CONFIG_MD=1 rewrites it instead.
TEST(options_document_is_current) {
    struct buffer text = {0}, known = {0};
    CHECK_OK(buffer_append_string(
        &text,
        "# Configuration\n\nTwo optional YAML files in the service directory. A dot in a key "
        "is a level of nesting.\nA missing file or key means the default; an unknown key, a "
        "wrong type, a value out of range or a key\ngiven twice is an error with file, line and "
        "column, and exit code 2. Sizes are bytes, or a number with\nKiB, MiB, GiB or TiB. "
        "There are no environment variables; `--port` on the command line wins over\n"
        "`http.port`.\n\nThis page is made from the tables in src/planck/options.c; a test "
        "compares them.\n\n## db.yaml\n\n"));
    CHECK_OK(config_document(&options_database_table, &text));
    CHECK_OK(buffer_append_string(&text, "\n## service.yaml\n\n"));
    CHECK_OK(config_document(&options_service_table, &text));
    struct error error;
    if (getenv("CONFIG_MD") != NULL)
        CHECK_OK(
            file_write_atomic(file_system_posix(), CONFIG_DOCUMENT, buffer_bytes(&text), &error));
    CHECK_OK(file_read_all(file_system_posix(), CONFIG_DOCUMENT, 1 << 20, &known, &error));
    CHECK(bytes_equal(buffer_bytes(&text), buffer_bytes(&known)));
    buffer_done(&text);
    buffer_done(&known);
}

TEST(options_defaults_reach_the_layers) {
    struct options options;
    struct error error;
    CHECK_OK(options_load(&options, test_directory(), &error));
    CHECK_EQUAL(1000, options_storage(&options).flush_interval_ms);
    CHECK_EQUAL(64 << 20, options_storage(&options).memtable_bytes);
    CHECK_EQUAL(10000, options_wasm(&options, 2).deadline_ms);
    CHECK_EQUAL(1 << 20, options_http(&options).body_bytes_max);
    CHECK_EQUAL(3010, options.http_port);
    options_done(&options);
}
