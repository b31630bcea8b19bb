// SPDX-License-Identifier: Apache-2.0
// Loading: what is checked, what is refused, and the cache of compiled code.
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/metrics.h"
#include "fixture.h"
#include "wasm/cache.h"
#include "wasm/module.h"

static struct wasm_runtime *open_runtime(const struct wasm_options *options) {
    struct wasm_runtime *runtime;
    struct error error;
    CHECK_OK(wasm_runtime_new(options, &runtime, &error));
    return runtime;
}

static void check_refused(const char *guest, enum status status, const char *const *parts) {
    struct wasm_options options = fixture_options();
    struct wasm_runtime *runtime = open_runtime(&options);
    struct wasm_module *module = NULL;
    struct error error = {0};
    CHECK_STATUS(status, wasm_module_load(runtime, fixture_guest_path(guest), &module, &error));
    CHECK(module == NULL);
    for (; *parts != NULL; parts++) {
        if (strstr(error.message, *parts) == NULL)
            test_fail(__FILE__, __LINE__, "\"%s\" is not in \"%s\"", *parts, error.message);
    }
    wasm_runtime_free(runtime);
}

TEST(all_unknown_imports_are_listed_at_once) {
    check_refused("bad_import", STATUS_INVALID,
                  (const char *[]){"planck.host_teleport", "env.printf",
                                   "planck.host_write has another type", NULL});
}

TEST(all_missing_exports_are_listed_at_once) {
    check_refused("no_exports", STATUS_INVALID,
                  (const char *[]){"planck_alloc", "process", "init has another type", NULL});
}

TEST(a_bad_manifest_is_refused_with_its_line) {
    check_refused("bad_manifest", STATUS_INVALID, (const char *[]){"line 2", "colour", NULL});
}

TEST(what_is_not_a_module_is_refused) {
    char path[512];
    struct error error;
    struct wasm_module *module;
    struct wasm_options options = fixture_options();
    struct wasm_runtime *runtime = open_runtime(&options);
    snprintf(path, sizeof path, "%s/text.wasm", test_directory());
    CHECK_OK(file_write_atomic(file_system_posix(), path, bytes_of_string("hello"), &error));
    CHECK_STATUS(STATUS_MALFORMED, wasm_module_load(runtime, path, &module, &error));
    // A valid header and a code section that is nonsense: the compiler says so.
    CHECK_OK(file_write_atomic(file_system_posix(), path,
                               bytes_of("\0asm\1\0\0\0\x0a\x02\xff\xff", 12), &error));
    CHECK_STATUS(STATUS_INVALID, wasm_module_load(runtime, path, &module, &error));
    CHECK_STATUS(STATUS_NOT_FOUND, wasm_module_load(runtime, "/nonexistent", &module, &error));
    wasm_runtime_free(runtime);
}

TEST(an_init_that_fails_or_never_ends_or_another_abi_refuses_the_start) {
    static const char *const guests[] = {"bad_init", "endless_init", "bad_version"};
    static const char *const reasons[] = {"init returned 3", "deadline", "ABI 2"};
    struct wasm_options options = fixture_options();
    options.deadline_ms = 100;
    for (int i = 0; i < 3; i++) {
        struct wasm_runtime *runtime = open_runtime(&options);
        struct wasm_module *module;
        struct wasm_worker *worker;
        struct loop *loop;
        struct error error = {0};
        CHECK_OK(loop_new(&loop));
        CHECK_OK(wasm_module_load(runtime, fixture_guest_path(guests[i]), &module, &error));
        CHECK_STATUS(STATUS_INVALID, wasm_worker_new(runtime, module, loop, NULL,
                                                     bytes_of("\5\0\0\0", 5), &worker, &error));
        CHECK(strstr(error.message, reasons[i]) != NULL);
        wasm_module_unref(module);
        wasm_runtime_free(runtime);
        loop_free(loop);
    }
    CHECK_EQUAL(0, metric_get(METRIC_wasm_instances));
}

TEST(options_out_of_range_are_refused) {
    struct wasm_options options = fixture_options();
    struct wasm_runtime *runtime;
    struct error error;
    options.running_max = 0;
    CHECK_STATUS(STATUS_INVALID, wasm_runtime_new(&options, &runtime, &error));
}

// ---- sections -----------------------------------------------------------------------------------

TEST(custom_sections_are_found_and_cut_ones_refused_at_every_byte) {
    static const uint8_t binary[] = {0, 'a', 's', 'm', 1,   0,   0, 0, //
                                     0, 4,   1,   'x', '1', '2',       // custom "x"
                                     1, 1,   0,                        // types, none
                                     0, 4,   1,   'x', '3', '4',       // custom "x" again
                                     0, 3,   1,   'y', 'z'};
    struct buffer text = {0};
    CHECK_OK(module_custom_section(bytes_of(binary, sizeof binary), "x", &text, NULL));
    CHECK_BYTES("12\n34\n", buffer_bytes(&text));
    for (size_t size = 0; size < sizeof binary; size++) {
        uint8_t *copy = malloc(size + 1); // exactly as long, for the sanitizer
        memcpy(copy, binary, size);
        copy = realloc(copy, size > 0 ? size : 1);
        buffer_clear(&text);
        bool boundary = size == 8 || size == 14 || size == 17 || size == 23;
        CHECK_STATUS(boundary ? STATUS_OK : STATUS_MALFORMED,
                     module_custom_section(bytes_of(copy, size), "x", &text, NULL));
        free(copy);
    }
    buffer_done(&text);
}

// ---- the cache ----------------------------------------------------------------------------------

static bool load_from_cache(const struct wasm_options *options) {
    struct wasm_runtime *runtime = open_runtime(options);
    struct wasm_module *module;
    struct error error = {0};
    if (wasm_module_load(runtime, fixture_guest_path("behaviours"), &module, &error) != STATUS_OK)
        test_fail(__FILE__, __LINE__, "%s", error.message);
    bool cached = wasm_module_from_cache(module);
    wasm_module_unref(module);
    wasm_runtime_free(runtime);
    return cached;
}

// The path of the only artefact in the cache.
static void find_artefact(const char *directory, char path[512]) {
    DIR *listing = opendir(directory);
    CHECK(listing != NULL);
    path[0] = '\0';
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        if (strstr(entry->d_name, ".code") == NULL) continue;
        CHECK(path[0] == '\0');
        snprintf(path, 512, "%s/%s", directory, entry->d_name);
    }
    closedir(listing);
    CHECK(path[0] != '\0');
}

TEST(the_second_load_comes_from_the_cache) {
    struct wasm_options options = fixture_options();
    CHECK(!load_from_cache(&options));
    CHECK(load_from_cache(&options));
    struct stat stat_directory, stat_file;
    char path[512];
    find_artefact(options.cache_directory, path);
    CHECK(stat(options.cache_directory, &stat_directory) == 0 && stat(path, &stat_file) == 0);
    CHECK_EQUAL(0700, stat_directory.st_mode & 0777);
    CHECK_EQUAL(0600, stat_file.st_mode & 0777);
}

TEST(a_changed_byte_anywhere_means_compiling_again) {
    struct wasm_options options = fixture_options();
    char path[512];
    CHECK(!load_from_cache(&options));
    find_artefact(options.cache_directory, path);
    struct stat stat_file;
    CHECK(stat(path, &stat_file) == 0);
    off_t places[] = {0, 20, 40, stat_file.st_size / 2, stat_file.st_size - 1};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        int file = open(path, O_RDWR);
        uint8_t byte;
        CHECK(pread(file, &byte, 1, places[i]) == 1);
        byte ^= 1;
        CHECK(pwrite(file, &byte, 1, places[i]) == 1);
        close(file);
        CHECK(!load_from_cache(&options));
        CHECK(load_from_cache(&options));
    }
    CHECK(truncate(path, stat_file.st_size - 1) == 0);
    CHECK(!load_from_cache(&options));
}

TEST(an_artefact_that_others_may_write_or_that_is_a_link_is_not_used) {
    struct wasm_options options = fixture_options();
    char path[512], elsewhere[600];
    CHECK(!load_from_cache(&options));
    find_artefact(options.cache_directory, path);
    CHECK(chmod(path, 0660) == 0);
    CHECK(!load_from_cache(&options));
    CHECK(load_from_cache(&options));
    snprintf(elsewhere, sizeof elsewhere, "%s.moved", path);
    CHECK(rename(path, elsewhere) == 0 && symlink(elsewhere, path) == 0);
    CHECK(!load_from_cache(&options));
}

TEST(an_artefact_of_another_key_or_module_is_not_used) {
    struct wasm_options options = fixture_options();
    struct cache *cache;
    struct buffer artefact = {0};
    struct error error;
    char key[512];
    CHECK_OK(cache_open(options.cache_directory, &cache, &error));
    CHECK_STATUS(STATUS_NOT_FOUND, cache_get(cache, bytes_of_string("one"), &artefact));
    CHECK_OK(cache_put(cache, bytes_of_string("one"), bytes_of_string("native code")));
    CHECK_OK(cache_get(cache, bytes_of_string("one"), &artefact));
    CHECK_BYTES("native code", buffer_bytes(&artefact));
    CHECK_STATUS(STATUS_NOT_FOUND, cache_get(cache, bytes_of_string("two"), &artefact));
    // The right content under another module's name.
    char one[512], two[512];
    find_artefact(options.cache_directory, one);
    snprintf(two, sizeof two, "%s/saved", options.cache_directory);
    CHECK(rename(one, two) == 0);
    CHECK_OK(cache_put(cache, bytes_of_string("two"), bytes_of_string("other code")));
    char place[512];
    find_artefact(options.cache_directory, place);
    CHECK(rename(two, place) == 0);
    CHECK_STATUS(STATUS_CORRUPT, cache_get(cache, bytes_of_string("two"), &artefact));
    CHECK_OK(cache_put(cache, bytes_of_string("two"), bytes_of_string("other code")));
    cache_close(cache);
    snprintf(key, sizeof key, "%s/key", options.cache_directory);
    CHECK(unlink(key) == 0);
    CHECK_OK(cache_open(options.cache_directory, &cache, &error)); // with a new key
    CHECK_STATUS(STATUS_CORRUPT, cache_get(cache, bytes_of_string("two"), &artefact));
    cache_close(cache);
    buffer_done(&artefact);
}

TEST(a_directory_or_key_that_others_can_reach_is_refused) {
    struct wasm_options options = fixture_options();
    struct cache *cache;
    struct error error;
    char path[512], link[512];
    CHECK_OK(cache_open(options.cache_directory, &cache, &error));
    cache_close(cache);
    CHECK(chmod(options.cache_directory, 0750) == 0);
    CHECK_STATUS(STATUS_FORBIDDEN, cache_open(options.cache_directory, &cache, &error));
    CHECK(!load_from_cache(&options)); // and still the module loads
    CHECK(!load_from_cache(&options));
    CHECK(chmod(options.cache_directory, 0700) == 0);
    snprintf(path, sizeof path, "%s/key", options.cache_directory);
    CHECK(chmod(path, 0644) == 0);
    CHECK_STATUS(STATUS_FORBIDDEN, cache_open(options.cache_directory, &cache, &error));
    CHECK(chmod(path, 0600) == 0);
    CHECK_OK(cache_open(options.cache_directory, &cache, &error));
    cache_close(cache);
    snprintf(link, sizeof link, "%s/link", test_directory());
    CHECK(symlink(options.cache_directory, link) == 0);
    CHECK_STATUS(STATUS_FORBIDDEN, cache_open(link, &cache, &error));
}

TEST(the_cache_keeps_a_bounded_number_of_artefacts) {
    struct wasm_options options = fixture_options();
    struct cache *cache;
    struct error error;
    CHECK_OK(cache_open(options.cache_directory, &cache, &error));
    for (uint32_t i = 0; i < CACHE_FILES_MAX + 10; i++)
        CHECK_OK(cache_put(cache, bytes_of(&i, sizeof i), bytes_of_string("code")));
    cache_close(cache);
    DIR *listing = opendir(options.cache_directory);
    int count = 0;
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
        count += strstr(entry->d_name, ".code") != NULL;
    closedir(listing);
    CHECK_EQUAL(CACHE_FILES_MAX, count);
}

TEST(a_process_without_address_space_is_told_so) {
#ifndef PLANCK_SANITIZED
    struct wasm_options options = fixture_options();
    struct wasm_runtime *runtime;
    struct error error = {0};
    struct rlimit limit = {8ULL << 30, 8ULL << 30};
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
    CHECK_STATUS(STATUS_NO_MEMORY, wasm_runtime_new(&options, &runtime, &error));
    CHECK(strstr(error.message, "address space") != NULL);
#endif
}
