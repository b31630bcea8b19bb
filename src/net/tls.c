// SPDX-License-Identifier: Apache-2.0
// OpenSSL, with a BIO of our own below it: what it wants to read comes straight from the socket,
// what it writes goes to the connection's unsent bytes, so that writing never blocks.
#include "tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>

#include "base/thread.h"

enum { PROTOCOL_MAX = 16, PROTOCOLS_MAX = 64 };

struct tls_context {
    char *certificate_file, *key_file;
    bool allow_tls_1_2;
    uint8_t protocols[PROTOCOLS_MAX]; // as ALPN has them: each behind its length
    unsigned protocols_size;
    struct mutex lock; // guards `current`
    SSL_CTX *current;
};

struct tls_session {
    SSL *ssl;
    const struct tls_transport *transport;
    void *transport_context;
    bool ended; // the socket is at its end
    char protocol[PROTOCOL_MAX];
    char reason[128];
};

// ---- the BIO ----------------------------------------------------------------------------------

static int bio_read(BIO *bio, char *data, int size) {
    struct tls_session *session = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ssize_t got = session->transport->receive(session->transport_context, data, (size_t)size);
    if (got == 0) session->ended = true;
    if (got < 0 && errno == EAGAIN) BIO_set_retry_read(bio);
    return (int)got;
}

static int bio_write(BIO *bio, const char *data, int size) {
    struct tls_session *session = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    return session->transport->send(session->transport_context, data, (size_t)size) ? size : -1;
}

static long bio_control(BIO *bio, int command, long number, void *pointer) {
    struct tls_session *session = BIO_get_data(bio);
    (void)number, (void)pointer;
    if (command == BIO_CTRL_EOF) return session->ended;
    return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *method;

static void make_method(void) {
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "connection");
    if (method == NULL) return;
    BIO_meth_set_read(method, bio_read);
    BIO_meth_set_write(method, bio_write);
    BIO_meth_set_ctrl(method, bio_control);
}

static bool have_method(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_method);
    return method != NULL;
}

// ---- the context ------------------------------------------------------------------------------

static enum status refused(struct error *error, const char *file, const char *what) {
    unsigned long code = ERR_peek_last_error();
    const char *reason = code == 0                ? NULL
                         : ERR_SYSTEM_ERROR(code) ? strerrordesc_np(ERR_GET_REASON(code))
                                                  : ERR_reason_error_string(code);
    ERR_clear_error();
    return error_set(error, STATUS_INVALID, "%s: %s%s%s", file, what, reason != NULL ? ": " : "",
                     reason != NULL ? reason : "");
}

static int choose_protocol(SSL *ssl, const unsigned char **ret, unsigned char *ret_size,
                           const unsigned char *offered, unsigned offered_size, void *context) {
    struct tls_context *tls = context;
    (void)ssl;
    int found = SSL_select_next_proto((unsigned char **)(uintptr_t)ret, ret_size, tls->protocols,
                                      tls->protocols_size, offered, offered_size);
    return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

// A key with a passphrase is refused; nobody is there to type it.
static int no_passphrase(char *data, int size, int writing, void *context) {
    (void)data, (void)size, (void)writing, (void)context;
    return -1;
}

static void set_up(struct tls_context *context, SSL_CTX *fresh) {
    static const unsigned char name[] = "planck";
    SSL_CTX_set_min_proto_version(fresh, context->allow_tls_1_2 ? TLS1_2_VERSION : TLS1_3_VERSION);
    // Of TLS 1.2 only what has forward secrecy and authenticated encryption.
    SSL_CTX_set_cipher_list(fresh, "ECDHE+AESGCM:ECDHE+CHACHA20");
    SSL_CTX_set_options(fresh, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(fresh, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(fresh, 1);
    // Sessions live in tickets, which the client keeps; a reload begins with new keys for them.
    SSL_CTX_set_session_cache_mode(fresh, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_session_id_context(fresh, name, sizeof name - 1);
    SSL_CTX_set_default_passwd_cb(fresh, no_passphrase);
    if (context->protocols_size > 0) SSL_CTX_set_alpn_select_cb(fresh, choose_protocol, context);
}

static enum status load(struct tls_context *context, SSL_CTX *fresh, struct error *error) {
    if (SSL_CTX_use_certificate_chain_file(fresh, context->certificate_file) != 1)
        return refused(error, context->certificate_file, "is not a certificate");
    if (SSL_CTX_use_PrivateKey_file(fresh, context->key_file, SSL_FILETYPE_PEM) != 1)
        return refused(error, context->key_file, "is not the certificate's key");
    if (SSL_CTX_check_private_key(fresh) != 1)
        return refused(error, context->key_file, "does not fit the certificate");
    return STATUS_OK;
}

enum status tls_context_reload(struct tls_context *context, struct error *error) {
    ERR_clear_error();
    SSL_CTX *fresh = SSL_CTX_new(TLS_server_method());
    if (fresh == NULL) return error_set(error, STATUS_NO_MEMORY, "no memory for TLS");
    set_up(context, fresh);
    enum status status = load(context, fresh, error);
    if (status != STATUS_OK) {
        SSL_CTX_free(fresh);
        return status;
    }
    mutex_lock(&context->lock);
    SSL_CTX *old = context->current;
    context->current = fresh;
    mutex_unlock(&context->lock);
    SSL_CTX_free(old); // sessions hold their own reference
    return STATUS_OK;
}

static void take_protocols(struct tls_context *context, const char *const *protocols) {
    for (; protocols != NULL && *protocols != NULL; protocols++) {
        size_t size = strlen(*protocols);
        ASSERT(size < PROTOCOL_MAX && context->protocols_size + 1 + size <= PROTOCOLS_MAX);
        context->protocols[context->protocols_size] = (uint8_t)size;
        memcpy(context->protocols + context->protocols_size + 1, *protocols, size);
        context->protocols_size += (unsigned)size + 1;
    }
}

enum status tls_context_new(const struct tls_options *options, struct tls_context **ret,
                            struct error *error) {
    struct tls_context *context = calloc(1, sizeof *context);
    if (context == NULL) return error_set(error, STATUS_NO_MEMORY, "no memory for TLS");
    mutex_init(&context->lock);
    context->certificate_file = strdup(options->certificate_file);
    context->key_file = strdup(options->key_file);
    context->allow_tls_1_2 = options->allow_tls_1_2;
    take_protocols(context, options->protocols);
    bool complete = context->certificate_file != NULL && context->key_file != NULL && have_method();
    enum status status = complete ? tls_context_reload(context, error)
                                  : error_set(error, STATUS_NO_MEMORY, "no memory for TLS");
    if (status != STATUS_OK) {
        tls_context_free(context);
        return status;
    }
    *ret = context;
    return STATUS_OK;
}

void tls_context_free(struct tls_context *context) {
    if (context == NULL) return;
    SSL_CTX_free(context->current);
    mutex_done(&context->lock);
    free(context->certificate_file);
    free(context->key_file);
    free(context);
}

// ---- a session --------------------------------------------------------------------------------

static SSL *new_ssl(struct tls_context *context) {
    mutex_lock(&context->lock);
    SSL *ssl = SSL_new(context->current);
    mutex_unlock(&context->lock);
    return ssl;
}

enum status tls_session_new(struct tls_context *context, const struct tls_transport *transport,
                            void *transport_context, struct tls_session **ret) {
    struct tls_session *session = calloc(1, sizeof *session);
    BIO *bio = session == NULL ? NULL : BIO_new(method);
    if (bio != NULL) session->ssl = new_ssl(context);
    if (bio == NULL || session->ssl == NULL) {
        BIO_free(bio);
        free(session);
        return STATUS_NO_MEMORY;
    }
    session->transport = transport;
    session->transport_context = transport_context;
    BIO_set_data(bio, session);
    BIO_set_init(bio, 1);
    SSL_set_bio(session->ssl, bio, bio);
    SSL_set_accept_state(session->ssl);
    *ret = session;
    return STATUS_OK;
}

void tls_session_free(struct tls_session *session) {
    if (session == NULL) return;
    SSL_free(session->ssl);
    free(session);
}

static enum tls_outcome outcome_of(struct tls_session *session, int result) {
    int kind = SSL_get_error(session->ssl, result);
    if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) return TLS_WANTS_MORE;
    if (kind == SSL_ERROR_ZERO_RETURN) return TLS_END;
    unsigned long code = ERR_peek_last_error();
    const char *reason = code == 0 ? NULL : ERR_reason_error_string(code);
    snprintf(session->reason, sizeof session->reason, "%s",
             reason != NULL ? reason : "the connection was lost");
    ERR_clear_error();
    // An end without a farewell: what is complete by its own framing counts, the rest does not.
    return session->ended ? TLS_END : TLS_FAILED;
}

enum tls_outcome tls_session_handshake(struct tls_session *session) {
    ERR_clear_error();
    int result = SSL_do_handshake(session->ssl);
    if (result != 1) return outcome_of(session, result);
    const unsigned char *name = NULL;
    unsigned size = 0;
    SSL_get0_alpn_selected(session->ssl, &name, &size);
    if (size > 0 && size < PROTOCOL_MAX) memcpy(session->protocol, name, size);
    return TLS_DONE;
}

enum tls_outcome tls_session_read(struct tls_session *session, void *data, size_t size,
                                  size_t *ret_size) {
    ERR_clear_error();
    int result = SSL_read_ex(session->ssl, data, size, ret_size);
    return result == 1 ? TLS_DONE : outcome_of(session, result);
}

enum tls_outcome tls_session_write(struct tls_session *session, struct bytes bytes) {
    if (bytes.size == 0) return TLS_DONE;
    ERR_clear_error();
    size_t put = 0;
    int result = SSL_write_ex(session->ssl, bytes.data, bytes.size, &put);
    if (result == 1 && put == bytes.size) return TLS_DONE;
    outcome_of(session, result);
    return TLS_FAILED;
}

void tls_session_end(struct tls_session *session) {
    ERR_clear_error();
    SSL_shutdown(session->ssl);
    ERR_clear_error();
}

const char *tls_session_protocol(const struct tls_session *session) {
    return session->protocol;
}

const char *tls_session_reason(const struct tls_session *session) {
    return session->reason;
}
