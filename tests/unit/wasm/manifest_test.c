// SPDX-License-Identifier: Apache-2.0
#include "test.h"
#include "wasm/wasm.h"

TEST(a_manifest_is_read_in_order) {
    struct manifest *manifest;
    struct error error;
    CHECK_OK(manifest_parse(
        bytes_of_string("{\"service\": {\"name\": \"pizza\", \"version\": \"1.0.0\"}}\n"
                        "\n"
                        "  {\"route\": {\"method\": \"GET\", \"path\": \"/products/:id\"}}\r\n"
                        "{\"route\": {\"path\": \"/orders\", \"method\": \"POST\"}}\n"
                        "{\"store\": {\"name\": \"orders\"}}\n"
                        "{\"store\": {\"name\": \"products\", \"key_type\": \"int64\"}}\n"
                        "{\"index\": {\"store\": \"products\", \"name\": \"by_category\", "
                        "\"field\": \"category\"}}"),
        &manifest, &error));
    CHECK_BYTES("pizza", bytes_of_string(manifest->service));
    CHECK_BYTES("1.0.0", bytes_of_string(manifest->version));
    CHECK_EQUAL(2, manifest->route_count);
    CHECK_EQUAL(HTTP_GET, manifest->routes[0].method);
    CHECK_BYTES("/products/:id", bytes_of_string(manifest->routes[0].path));
    CHECK_EQUAL(HTTP_POST, manifest->routes[1].method);
    CHECK_EQUAL(2, manifest->store_count);
    CHECK_EQUAL(KEY_UUID, manifest->stores[0].key_type);
    CHECK_EQUAL(KEY_INT64, manifest->stores[1].key_type);
    CHECK_EQUAL(1, manifest->index_count);
    CHECK_BYTES("category", bytes_of_string(manifest->indexes[0].field));
    manifest_free(manifest);
}

TEST(routes_that_write_are_transactions_unless_they_opt_out) {
    static const struct {
        const char *method, *rest;
        bool expected;
    } rows[] = {
        {"POST", "", true},
        {"PUT", ", \"transaction\": true", true},
        {"PATCH", ", \"transaction\": false", false},
        {"DELETE", "", true},
        {"GET", "", false},
        {"GET", ", \"transaction\": true", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct manifest *manifest;
        char text[200];
        snprintf(text, sizeof text, "{\"route\": {\"method\": \"%s\", \"path\": \"/\"%s}}",
                 rows[i].method, rows[i].rest);
        CHECK_OK(manifest_parse(bytes_of_string(text), &manifest, NULL));
        CHECK(manifest->routes[0].transaction == rows[i].expected);
        manifest_free(manifest);
    }
}

TEST(an_empty_manifest_declares_nothing) {
    struct manifest *manifest;
    CHECK_OK(manifest_parse(bytes_of_string("\n \n"), &manifest, NULL));
    CHECK_BYTES("", bytes_of_string(manifest->service));
    CHECK_EQUAL(0, manifest->route_count);
    manifest_free(manifest);
}

TEST(mistakes_are_refused_with_their_line) {
    static const struct {
        const char *text;
        uint32_t line;
        const char *part;
    } cases[] = {
        {"{\"rout\": {}}", 1, "unknown kind \"rout\""},
        {"\n\n{\"route\": {\"method\": \"GET\"}}", 3, "\"path\" is missing"},
        {"{\"route\": {\"method\": \"FETCH\", \"path\": \"/\"}}", 1, "unknown method \"FETCH\""},
        {"{\"route\": {\"method\": \"GET\", \"path\": \"x\"}}", 1, "begins with"},
        {"{\"route\": {\"method\": 1, \"path\": \"/\"}}", 1, "must be a text"},
        {"{\"store\": {\"name\": \"a\", \"key_type\": \"float\"}}", 1, "unknown key type"},
        {"{\"store\": {\"name\": \"a\"}}\n{\"store\": {\"name\": \"a\"}}", 2, "twice"},
        {"{\"service\": {\"name\": \"a\"}}\n{\"service\": {\"name\": \"b\"}}", 2, "second"},
        {"{\"service\": {\"name\": \"a\"}, \"store\": {\"name\": \"b\"}}", 1, "exactly one"},
        {"{}", 1, "exactly one"},
        {"{\"service\": \"a\"}", 1, "must be an object"},
        {"{\"index\": {\"store\": \"a\", \"name\": \"b\", \"field\": \"x..y\"}}", 1, "field path"},
        {"{\"service\": {\"name\": \"a\"}}\n{\"store\": {", 2, "not a JSON object"},
        {"nonsense", 1, "not a JSON object"},
        {"{\"route\": {\"method\": \"PUT\", \"path\": \"/\", \"transaction\": \"no\"}}", 1,
         "\"transaction\" must be true or false"},
        {"{\"route\": {\"method\": \"PUT\", \"path\": \"/\", \"transaction\": true, "
         "\"transaction\": true}}",
         1, "\"transaction\" twice"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct manifest *manifest;
        struct error error = {0};
        CHECK_STATUS(STATUS_INVALID,
                     manifest_parse(bytes_of_string(cases[i].text), &manifest, &error));
        CHECK_EQUAL(cases[i].line, error.line);
        if (strstr(error.message, cases[i].part) == NULL)
            test_fail(__FILE__, __LINE__, "case %zu: %s", i, error.message);
    }
}

TEST(an_index_on_an_undeclared_store_is_refused) {
    struct manifest *manifest;
    struct error error;
    CHECK_STATUS(STATUS_INVALID,
                 manifest_parse(bytes_of_string("{\"index\": {\"store\": \"a\", \"name\": \"b\", "
                                                "\"field\": \"c\"}}"),
                                &manifest, &error));
    CHECK(strstr(error.message, "undeclared store \"a\"") != NULL);
}
