// SPDX-License-Identifier: Apache-2.0
// A certificate of one's own: a small authority whose certificate clients are given, and a server
// certificate signed by it.
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "net/net.h"

enum {
    AUTHORITY_DAYS = 3650,
    SERVER_DAYS = 365,
    RENEWED_DAYS = 30, // before the end
    DAY_SECONDS = 24 * 60 * 60,
    NAMES_MAX = 32,
    NAME_MAX_SIZE = 256,
    PEM_MAX = 64 * 1024,
};

struct name {
    bool is_address;
    char text[NAME_MAX_SIZE];
};

struct names {
    size_t count;
    struct name items[NAMES_MAX];
};

struct pair { // a certificate and its key
    X509 *certificate;
    EVP_PKEY *key;
};

static void pair_done(struct pair *pair) {
    X509_free(pair->certificate);
    EVP_PKEY_free(pair->key);
}

static enum status crypto_failed(struct error *error) {
    unsigned long code = ERR_peek_last_error();
    const char *reason = code == 0 ? NULL : ERR_reason_error_string(code);
    ERR_clear_error();
    return error_set(error, STATUS_INTERNAL, "cannot make a certificate: %s",
                     reason != NULL ? reason : "no memory");
}

// ---- the host's names -------------------------------------------------------------------------

static void add_name(struct names *names, bool is_address, const char *text) {
    if (text[0] == '\0' || strlen(text) >= NAME_MAX_SIZE || names->count == NAMES_MAX) return;
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->items[i].text, text) == 0) return;
    struct name *name = &names->items[names->count++];
    name->is_address = is_address;
    memcpy(name->text, text, strlen(text) + 1);
}

static bool is_host_name(const char *text) {
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
    return text[strspn(text, allowed)] == '\0';
}

static void add_interface(struct names *names, const struct ifaddrs *interface) {
    char text[INET6_ADDRSTRLEN] = "";
    const struct sockaddr *address = interface->ifa_addr;
    if (address == NULL || (interface->ifa_flags & IFF_UP) == 0) return;
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)address;
        inet_ntop(AF_INET, &v4->sin_addr, text, sizeof text);
    } else if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const void *)address;
        // A link-local address means nothing without its interface.
        if (!IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr))
            inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof text);
    }
    add_name(names, true, text);
}

static void add_listening(struct names *names, const char *address) {
    struct in_addr v4;
    struct in6_addr v6;
    bool any = (inet_pton(AF_INET, address, &v4) == 1 && v4.s_addr == INADDR_ANY) ||
               (inet_pton(AF_INET6, address, &v6) == 1 && IN6_IS_ADDR_UNSPECIFIED(&v6));
    if (!any) add_name(names, true, address);
}

static void gather_names(const char *address, struct names *ret) {
    ret->count = 0;
    add_name(ret, false, "localhost");
    add_name(ret, true, "127.0.0.1");
    add_name(ret, true, "::1");
    add_listening(ret, address);
    char host[NAME_MAX_SIZE] = "";
    if (gethostname(host, sizeof host - 1) == 0 && is_host_name(host)) add_name(ret, false, host);
    struct ifaddrs *interfaces = NULL;
    if (getifaddrs(&interfaces) != 0) return;
    for (struct ifaddrs *at = interfaces; at != NULL; at = at->ifa_next) add_interface(ret, at);
    freeifaddrs(interfaces);
}

// ---- files ------------------------------------------------------------------------------------

static BIO *read_pem(const char *directory, const char *name, struct buffer *text) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    if (file_read_all(file_system_posix(), path, PEM_MAX, text, NULL) != STATUS_OK) return NULL;
    return BIO_new_mem_buf(text->data, (int)text->size);
}

// What is there of a pair; both are NULL unless they belong together.
static struct pair read_pair(const char *directory, const char *certificate, const char *key) {
    struct pair pair = {0};
    struct buffer text = {0};
    BIO *bio = read_pem(directory, certificate, &text);
    if (bio != NULL) pair.certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    bio = read_pem(directory, key, &text);
    if (bio != NULL) pair.key = PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)(uintptr_t)"");
    BIO_free(bio);
    if (text.data != NULL) OPENSSL_cleanse(text.data, text.capacity);
    buffer_done(&text);
    bool fits = pair.certificate != NULL && pair.key != NULL &&
                X509_check_private_key(pair.certificate, pair.key) == 1;
    ERR_clear_error();
    if (fits) return pair;
    pair_done(&pair);
    return (struct pair){0};
}

static enum status write_pem(const char *directory, const char *name, BIO *bio,
                             struct error *error) {
    char path[4096];
    char *data = NULL;
    snprintf(path, sizeof path, "%s/%s", directory, name);
    long size = BIO_get_mem_data(bio, &data);
    return file_write_atomic(file_system_posix(), path, bytes_of(data, (size_t)size), error);
}

// The key first: a certificate on disk has one.
static enum status write_pair(const char *directory, const struct pair *pair,
                              const char *certificate, const char *key, struct error *error) {
    BIO *key_bio = BIO_new(BIO_s_secmem());
    BIO *certificate_bio = BIO_new(BIO_s_mem());
    enum status status = STATUS_OK;
    if (key_bio == NULL || certificate_bio == NULL ||
        PEM_write_bio_PrivateKey(key_bio, pair->key, NULL, NULL, 0, NULL, NULL) != 1 ||
        PEM_write_bio_X509(certificate_bio, pair->certificate) != 1)
        status = crypto_failed(error);
    if (status == STATUS_OK) status = write_pem(directory, key, key_bio, error);
    if (status == STATUS_OK) status = write_pem(directory, certificate, certificate_bio, error);
    BIO_free(key_bio);
    BIO_free(certificate_bio);
    return status;
}

// ---- certificates -----------------------------------------------------------------------------

static bool lasts(const X509 *certificate) {
    int days = 0, seconds = 0;
    return ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(certificate)) == 1 &&
           days >= RENEWED_DAYS;
}

static bool covers(X509 *certificate, const struct names *names) {
    for (size_t i = 0; i < names->count; i++) {
        const struct name *name = &names->items[i];
        int found = name->is_address ? X509_check_ip_asc(certificate, name->text, 0)
                                     : X509_check_host(certificate, name->text, 0, 0, NULL);
        if (found != 1) return false;
    }
    return true;
}

static bool add_extension(X509 *certificate, X509 *issuer, int kind, const char *value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    bool added = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

static bool set_serial(X509 *certificate) {
    uint64_t number = 0;
    return RAND_bytes((unsigned char *)&number, sizeof number) == 1 &&
           ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), number >> 1) == 1;
}

// Fills what both kinds have in common. An hour back, for clients whose clocks are behind.
static bool begin_certificate(struct pair *pair, const char *common_name, int days) {
    pair->key = EVP_EC_gen("P-256");
    pair->certificate = X509_new();
    if (pair->key == NULL || pair->certificate == NULL) return false;
    X509 *certificate = pair->certificate;
    X509_NAME *subject = X509_get_subject_name(certificate);
    return X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
           X509_gmtime_adj(X509_getm_notBefore(certificate), -3600) != NULL &&
           X509_time_adj_ex(X509_getm_notAfter(certificate), days, 0, NULL) != NULL &&
           X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                      (const unsigned char *)common_name, -1, -1, 0) == 1 &&
           X509_set_pubkey(certificate, pair->key) == 1;
}

static bool make_authority(struct pair *ret) {
    char name[80];
    uint32_t number = 0;
    // Different authorities have different names, or clients that know several take the wrong one.
    if (RAND_bytes((unsigned char *)&number, sizeof number) != 1) return false;
    snprintf(name, sizeof name, "Planck local authority %08x", number);
    if (!begin_certificate(ret, name, AUTHORITY_DAYS)) return false;
    X509 *own = ret->certificate;
    return X509_set_issuer_name(own, X509_get_subject_name(own)) == 1 &&
           add_extension(own, own, NID_subject_key_identifier, "hash") &&
           add_extension(own, own, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
           add_extension(own, own, NID_key_usage, "critical,keyCertSign,cRLSign") &&
           X509_sign(own, ret->key, EVP_sha256()) > 0;
}

static bool list_names(const struct names *names, struct buffer *ret) {
    for (size_t i = 0; i < names->count; i++) {
        const struct name *name = &names->items[i];
        if (buffer_append_format(ret, "%s%s:%s", i > 0 ? "," : "", name->is_address ? "IP" : "DNS",
                                 name->text) != STATUS_OK)
            return false;
    }
    return buffer_append(ret, "", 1) == STATUS_OK;
}

static bool make_server(const struct pair *authority, const struct names *names, struct pair *ret) {
    struct buffer list = {0};
    bool made = false;
    if (begin_certificate(ret, "planck", SERVER_DAYS) && list_names(names, &list)) {
        X509 *own = ret->certificate, *issuer = authority->certificate;
        made = X509_set_issuer_name(own, X509_get_subject_name(issuer)) == 1 &&
               add_extension(own, issuer, NID_subject_key_identifier, "hash") &&
               add_extension(own, issuer, NID_authority_key_identifier, "keyid:always") &&
               add_extension(own, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
               add_extension(own, issuer, NID_key_usage, "critical,digitalSignature") &&
               add_extension(own, issuer, NID_ext_key_usage, "serverAuth") &&
               add_extension(own, issuer, NID_subject_alt_name, (const char *)list.data) &&
               X509_sign(own, authority->key, EVP_sha256()) > 0;
    }
    buffer_done(&list);
    return made;
}

static enum status make(const char *directory, const struct names *names, struct pair *authority,
                        struct error *error) {
    enum status status = STATUS_OK;
    if (authority->certificate == NULL) {
        if (!make_authority(authority)) return crypto_failed(error);
        status = write_pair(directory, authority, "ca.pem", "ca_key.pem", error);
        if (status != STATUS_OK) return status;
    }
    struct pair server = {0};
    if (!make_server(authority, names, &server))
        status = crypto_failed(error);
    else
        status = write_pair(directory, &server, "cert.pem", "key.pem", error);
    pair_done(&server);
    return status;
}

enum status tls_certificate_ensure(const char *directory, const char *address, bool *ret_made,
                                   struct error *error) {
    enum status status = file_make_directories(file_system_posix(), directory);
    if (status != STATUS_OK) return error_set(error, status, "cannot make %s", directory);
    struct names names;
    gather_names(address, &names);
    ERR_clear_error();
    struct pair authority = read_pair(directory, "ca.pem", "ca_key.pem");
    struct pair server = read_pair(directory, "cert.pem", "key.pem");
    if (authority.certificate != NULL && !lasts(authority.certificate)) {
        pair_done(&authority);
        authority = (struct pair){0};
    }
    bool good = authority.certificate != NULL && server.certificate != NULL &&
                X509_verify(server.certificate, authority.key) == 1 && lasts(server.certificate) &&
                covers(server.certificate, &names);
    ERR_clear_error();
    if (!good) status = make(directory, &names, &authority, error);
    pair_done(&authority);
    pair_done(&server);
    if (status == STATUS_OK) *ret_made = !good;
    return status;
}
