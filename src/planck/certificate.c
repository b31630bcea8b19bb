// SPDX-License-Identifier: Apache-2.0
#include "planck/certificate.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"

enum { PATH_SIZE = 4096 };
static const int64_t own_check_interval_ms = 60 * 60 * 1000;

struct certificate {
    const struct options *options;
    struct tls_context *tls;
    bool own;
    char directory[PATH_SIZE - 16]; // of our own
    char certificate_path[PATH_SIZE], key_path[PATH_SIZE];
    struct timespec certificate_changed, key_changed; // when last loaded
    int64_t own_checked_ms;
};

static bool path_in(const struct options *options, const char *name, char *path, size_t size) {
    int length = name[0] == '/' ? snprintf(path, size, "%s", name)
                                : snprintf(path, size, "%s/%s", options->directory, name);
    return length >= 0 && (size_t)length < size;
}

static struct timespec changed(const char *path) {
    struct stat about;
    return stat(path, &about) == 0 ? about.st_mtim : (struct timespec){0};
}

static bool same(struct timespec a, struct timespec b) {
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static void note_changes(struct certificate *certificate) {
    certificate->certificate_changed = changed(certificate->certificate_path);
    certificate->key_changed = changed(certificate->key_path);
}

static enum status find_files(struct certificate *certificate, struct error *error) {
    const struct options *options = certificate->options;
    const char *certificate_file = options->tls_certificate_file, *key_file = options->tls_key_file;
    if ((certificate_file[0] == '\0') != (key_file[0] == '\0'))
        return error_set(error, STATUS_INVALID, "tls.cert_file and tls.key_file need each other");
    certificate->own = certificate_file[0] == '\0';
    bool fits = path_in(options, "tls", certificate->directory, sizeof certificate->directory) &&
                path_in(options, certificate->own ? "tls/cert.pem" : certificate_file,
                        certificate->certificate_path, sizeof certificate->certificate_path) &&
                path_in(options, certificate->own ? "tls/key.pem" : key_file, certificate->key_path,
                        sizeof certificate->key_path);
    return fits ? STATUS_OK
                : error_set(error, STATUS_INVALID, "path of the certificate is too long");
}

static enum status ensure_own(struct certificate *certificate, struct error *error) {
    bool made = false;
    enum status status = tls_certificate_ensure(certificate->directory,
                                                certificate->options->http_address, &made, error);
    certificate->own_checked_ms = clock_realtime_ms(clock_system());
    if (status == STATUS_OK && made)
        log_info("tls", "made a certificate in %s", certificate->directory);
    return status;
}

static enum status load(struct certificate *certificate, struct error *error) {
    struct tls_options tls = {
        .certificate_file = certificate->certificate_path,
        .key_file = certificate->key_path,
        .allow_tls_1_2 = certificate->options->tls_minimum_version == 1,
        .protocols =
            certificate->options->http2_enabled ? http_protocols : http_protocols_without_http2,
    };
    note_changes(certificate);
    return tls_context_new(&tls, &certificate->tls, error);
}

enum status certificate_open(const struct options *options, struct certificate **ret,
                             struct error *error) {
    *ret = NULL;
    if (!options->tls_enabled) return STATUS_OK;
    struct certificate *certificate = calloc(1, sizeof *certificate);
    if (certificate == NULL) return error_set(error, STATUS_NO_MEMORY, "no memory for TLS");
    certificate->options = options;
    enum status status = find_files(certificate, error);
    if (status == STATUS_OK && certificate->own) status = ensure_own(certificate, error);
    if (status == STATUS_OK) status = load(certificate, error);
    if (status != STATUS_OK) {
        certificate_close(certificate);
        return status;
    }
    *ret = certificate;
    return STATUS_OK;
}

void certificate_close(struct certificate *certificate) {
    if (certificate == NULL) return;
    tls_context_free(certificate->tls);
    free(certificate);
}

struct tls_context *certificate_tls(const struct certificate *certificate) {
    return certificate != NULL ? certificate->tls : NULL;
}

void certificate_reload(struct certificate *certificate) {
    if (certificate == NULL) return;
    struct error error = {0};
    note_changes(certificate);
    if (tls_context_reload(certificate->tls, &error) == STATUS_OK)
        log_info("tls", "loaded the certificate %s", certificate->certificate_path);
    else
        log_warn("tls", "the certificate stays as it was: %s", error.message);
}

void certificate_check(struct certificate *certificate) {
    if (certificate == NULL) return;
    struct error error = {0};
    int64_t now_ms = clock_realtime_ms(clock_system());
    bool due = certificate->own && now_ms - certificate->own_checked_ms >= own_check_interval_ms;
    if (due && ensure_own(certificate, &error) != STATUS_OK)
        log_warn("tls", "the certificate was not renewed: %s", error.message);
    if (!same(certificate->certificate_changed, changed(certificate->certificate_path)) ||
        !same(certificate->key_changed, changed(certificate->key_path)))
        certificate_reload(certificate);
}

void certificate_log_address(const struct certificate *certificate, uint16_t port) {
    if (certificate == NULL) return;
    if (certificate->own)
        log_info("tls", "try: curl --cacert %s/ca.pem https://localhost:%u/",
                 certificate->directory, port);
    else
        log_info("tls", "serving https with %s", certificate->certificate_path);
}
