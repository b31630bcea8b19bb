// SPDX-License-Identifier: Apache-2.0
// Certificates on disk. What goes over TLS connections is tested end to end, with clients of
// others.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "net/net.h"
#include "test.h"

static char directory[512];
static struct error error;

static const char *path_of(const char *name) {
    static char path[600];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

static bool ensure(void) {
    bool made = false;
    snprintf(directory, sizeof directory, "%s/tls", test_directory());
    CHECK_OK(tls_certificate_ensure(directory, "192.0.2.77", &made, &error));
    return made;
}

static void write_text(const char *name, const char *text) {
    CHECK_OK(file_write_atomic(file_system_posix(), path_of(name), bytes_of_string(text), &error));
}

static enum status load(void) {
    char certificate[600], key[600];
    snprintf(certificate, sizeof certificate, "%s/cert.pem", directory);
    snprintf(key, sizeof key, "%s/key.pem", directory);
    static const char *const protocols[] = {"h2", "http/1.1", NULL};
    struct tls_options options = {
        .certificate_file = certificate, .key_file = key, .protocols = protocols};
    struct tls_context *context = NULL;
    enum status status = tls_context_new(&options, &context, &error);
    if (status == STATUS_OK) {
        CHECK_OK(tls_context_reload(context, &error));
        tls_context_free(context);
    }
    return status;
}

TEST(a_certificate_is_made_once) {
    CHECK(ensure());
    CHECK(!ensure());
    CHECK_OK(load());
    struct stat about;
    CHECK(stat(path_of("key.pem"), &about) == 0 && (about.st_mode & 0777) == 0600);
    CHECK(stat(path_of("ca_key.pem"), &about) == 0 && (about.st_mode & 0777) == 0600);
    CHECK(stat(directory, &about) == 0 && (about.st_mode & 0777) == 0700);
}

TEST(a_certificate_is_made_for_another_address) {
    CHECK(ensure());
    bool made = false;
    CHECK_OK(tls_certificate_ensure(directory, "192.0.2.78", &made, &error));
    CHECK(made);
    CHECK_OK(tls_certificate_ensure(directory, "0.0.0.0", &made, &error));
    CHECK(!made);
}

TEST(what_is_missing_or_damaged_is_made_again) {
    static const char *const names[] = {"cert.pem", "key.pem", "ca.pem", "ca_key.pem"};
    CHECK(ensure());
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        CHECK(unlink(path_of(names[i])) == 0);
        CHECK(ensure());
        CHECK_OK(load());
        write_text(names[i], "-----BEGIN NONSENSE-----\n");
        CHECK(ensure());
        CHECK(!ensure());
        CHECK_OK(load());
    }
}

TEST(files_that_are_no_certificate_are_refused) {
    CHECK(ensure());
    write_text("key.pem", "nonsense");
    CHECK_EQUAL(STATUS_INVALID, load());
    CHECK(strstr(error.message, "key.pem") != NULL);
    write_text("cert.pem", "nonsense");
    CHECK_EQUAL(STATUS_INVALID, load());
    CHECK(strstr(error.message, "cert.pem") != NULL);
    CHECK(unlink(path_of("cert.pem")) == 0);
    CHECK_EQUAL(STATUS_INVALID, load());
}

TEST(a_reload_that_fails_leaves_what_was) {
    CHECK(ensure());
    char certificate[600], key[600];
    snprintf(certificate, sizeof certificate, "%s/cert.pem", directory);
    snprintf(key, sizeof key, "%s/key.pem", directory);
    struct tls_options options = {.certificate_file = certificate, .key_file = key};
    struct tls_context *context = NULL;
    CHECK_OK(tls_context_new(&options, &context, &error));
    write_text("key.pem", "nonsense");
    CHECK_EQUAL(STATUS_INVALID, tls_context_reload(context, &error));
    CHECK(ensure());
    CHECK_OK(tls_context_reload(context, &error));
    tls_context_free(context);
}
