// SPDX-License-Identifier: Apache-2.0
#include "fake_host.h"

#include <setjmp.h>
#include <sys/mman.h>

#include "base/arena.h"
#include "planck/host.h"

#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(start, size) ((void)(start), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(start, size) ((void)(start), (void)(size))
#endif

struct fake_host host = {
    .memory_limit = 64 << 20, .body_piece = 1000, .now_ns = 1700000000123456789};

// ---- memory -------------------------------------------------------------------------------------

#define RESERVED ((size_t)256 << 20)

static uint8_t *memory;
static size_t memory_size;

uint8_t *memory_start(void) {
    if (memory == NULL) {
        memory = mmap(NULL, RESERVED, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        CHECK(memory != MAP_FAILED);
        memory_size = 2 * MEMORY_PAGE;
        ASAN_POISON_MEMORY_REGION(memory, RESERVED);
    }
    return memory + 1001; // data ends anywhere
}

uint8_t *memory_end(void) {
    return memory + memory_size;
}

bool memory_grow(size_t pages) {
    if (pages * MEMORY_PAGE > host.memory_limit - memory_size) return false;
    memory_size += pages * MEMORY_PAGE;
    return true;
}

void memory_allow(const void *start, size_t size) {
    ASAN_UNPOISON_MEMORY_REGION(start, size);
}

void memory_forbid(const void *start, size_t size) {
    ASAN_POISON_MEMORY_REGION(start, size);
}

// ---- the handler under test ---------------------------------------------------------------------

static pk_handler *handler_under_test;
static jmp_buf aborted;
static bool serving, responded;

static void call_handler(struct pk_request *request) {
    handler_under_test(request);
}

extern const struct pk_route pk_routes[];
extern const uint32_t pk_route_count;
const struct pk_route pk_routes[] = {{"/other", NULL},
                                     {"/test/:first/of/:second/*rest", call_handler}};
const uint32_t pk_route_count = 2;

#define ROUTE_UNDER_TEST 1
#define REQUEST_FIXED 72

static void put_view(struct buffer *buffer, size_t field, const void *data, size_t size) {
    store_le32(buffer->data + field, (uint32_t)buffer->size);
    store_le32(buffer->data + field + 4, (uint32_t)size);
    CHECK_OK(buffer_append(buffer, data, size));
}

static void put_string(struct buffer *buffer, size_t field, const char *text) {
    put_view(buffer, field, text, strlen(text));
}

static size_t put_zeros(struct buffer *buffer, size_t size) {
    static const uint8_t zeros[REQUEST_FIXED];
    size_t start = buffer->size;
    CHECK_OK(buffer_append(buffer, zeros, size));
    return start;
}

static void put_params(struct buffer *buffer, const struct fake_request *request) {
    uint16_t count = 0;
    while (count < 4 && request->params[count] != NULL) count++;
    store_le16(buffer->data + 44, count);
    store_le32(buffer->data + 48, (uint32_t)buffer->size);
    size_t table = put_zeros(buffer, count * 8u);
    for (size_t i = 0; i < count; i++) put_string(buffer, table + i * 8, request->params[i]);
}

static void put_headers(struct buffer *buffer, const struct fake_request *request) {
    uint16_t count = 0;
    while (count < 4 && request->headers[count].name != NULL) count++;
    store_le16(buffer->data + 46, count);
    store_le32(buffer->data + 52, (uint32_t)buffer->size);
    size_t table = put_zeros(buffer, count * 16u);
    for (size_t i = 0; i < count; i++) {
        put_string(buffer, table + i * 16, request->headers[i].name);
        put_string(buffer, table + i * 16 + 8, request->headers[i].value);
    }
}

static void encode_request(struct buffer *buffer, const struct fake_request *request) {
    put_zeros(buffer, REQUEST_FIXED);
    store_le16(buffer->data + 4, 1);
    buffer->data[6] = (uint8_t)(request->method == 0 ? PK_GET : request->method);
    buffer->data[7] = request->body_apart;
    store_le32(buffer->data + 8, ROUTE_UNDER_TEST);
    put_string(buffer, 12, "/test/a%20b");
    put_string(buffer, 20, request->query == NULL ? "" : request->query);
    put_view(buffer, 28, request->body.data, request->body_apart ? 0 : request->body.size);
    store_le64(buffer->data + 36, request->body.size);
    put_params(buffer, request);
    put_headers(buffer, request);
    put_string(buffer, 56, "request-1");
    put_string(buffer, 64, "127.0.0.1");
    store_le32(buffer->data, (uint32_t)buffer->size);
    if (request->body_apart)
        CHECK_OK(buffer_append(&host.body_apart, request->body.data, request->body.size));
}

bool host_serve(pk_handler *handler, const struct fake_request *request) {
    struct buffer encoded = {0};
    encode_request(&encoded, request);
    handler_under_test = handler;
    serving = true;
    responded = false;
    host.abort_reason[0] = '\0';
    if (setjmp(aborted) == 0) {
        uint8_t *target = planck_alloc((uint32_t)encoded.size);
        CHECK(target != NULL && ((uintptr_t)target & 7) == 0);
        memcpy(target, encoded.data, encoded.size);
        CHECK_EQUAL(0, pk_export_process(target, (uint32_t)encoded.size));
        CHECK(responded);
    }
    serving = false;
    buffer_done(&encoded);
    return host.abort_reason[0] == '\0';
}

void host_run(pk_handler *handler) {
    if (!host_serve(handler, &(struct fake_request){0}))
        test_fail(__FILE__, __LINE__, "aborted: %s", host.abort_reason);
}

void host_run_aborted(pk_handler *handler, const char *reason) {
    CHECK(!host_serve(handler, &(struct fake_request){0}));
    CHECK_BYTES(reason, bytes_of_string(host.abort_reason));
}

// ---- responses ----------------------------------------------------------------------------------

static void keep_text(char *target, size_t room, const char *data, size_t size) {
    CHECK(size < room);
    if (size > 0) memcpy(target, data, size);
    target[size] = '\0';
}

void pk_host_respond(const void *data, uint32_t size) {
    const struct response *response = data;
    CHECK(!responded && size == sizeof *response && response->header_count <= 64);
    for (size_t i = 0; i < sizeof response->zero; i++) CHECK(response->zero[i] == 0);
    responded = true;
    host.status = response->status;
    host.header_count = response->header_count;
    for (size_t i = 0; i < host.header_count; i++) {
        const struct response_header *header = &response->headers[i];
        keep_text(host.headers[i].name, sizeof host.headers[i].name, header->name,
                  header->name_size);
        keep_text(host.headers[i].value, sizeof host.headers[i].value, header->value,
                  header->value_size);
    }
    buffer_clear(&host.body);
    if (response->body_size > 0)
        CHECK_OK(buffer_append(&host.body, response->body, response->body_size));
}

struct bytes host_body(void) {
    return buffer_bytes(&host.body);
}

const char *host_header(const char *name) {
    for (size_t i = 0; i < host.header_count; i++) {
        if (strcmp(host.headers[i].name, name) == 0) return host.headers[i].value;
    }
    return NULL;
}

void pk_host_abort(const void *reason, uint32_t size) {
    keep_text(host.abort_reason, sizeof host.abort_reason, reason, size);
    if (!serving) test_fail(__FILE__, __LINE__, "aborted: %s", host.abort_reason);
    longjmp(aborted, 1);
}

// ---- packets ------------------------------------------------------------------------------------

static size_t reply_offset(uint32_t offset, void *target, uint32_t capacity) {
    const struct buffer *reply = &host.replies[host.replies_given - 1];
    if (offset >= reply->size) return 0;
    size_t count = reply->size - offset < capacity ? reply->size - offset : capacity;
    memcpy(target, reply->data + offset, count);
    return count;
}

static int64_t give_reply(void *target, uint32_t capacity) {
    CHECK(host.replies_given < host.reply_count);
    const struct buffer *reply = &host.replies[host.replies_given++];
    reply_offset(0, target, capacity);
    return (int64_t)load_le32(reply->data + 16) << 32 | (int64_t)reply->size;
}

int64_t pk_host_request(const void *packet, uint32_t size, void *reply, uint32_t capacity) {
    buffer_clear(&host.packet);
    CHECK_OK(buffer_append(&host.packet, packet, size));
    CHECK(capacity >= 16384);
    host.packet_count++;
    if (!host.pending) return give_reply(reply, capacity);
    memset(reply, 0xee, capacity);
    return (int64_t)HOST_PENDING;
}

int64_t pk_host_wait(void *reply, uint32_t capacity) {
    CHECK(host.pending);
    host.pending = false;
    return give_reply(reply, capacity);
}

uint32_t pk_host_reply_read(uint32_t offset, void *target, uint32_t capacity) {
    host.reply_reads++;
    return (uint32_t)reply_offset(offset, target, capacity);
}

void host_reply(uint16_t op, uint32_t status, const char *const *documents, size_t count,
                const char *trailer) {
    CHECK(host.reply_count < 8);
    struct buffer *reply = &host.replies[host.reply_count++];
    size_t start;
    CHECK_OK(packet_begin(reply, op, 0, &start));
    for (size_t i = 0; i < count; i++)
        CHECK_OK(doc_from_json(reply, bytes_of_string(documents[i]), NULL));
    if (trailer != NULL) CHECK_OK(doc_from_json(reply, bytes_of_string(trailer), NULL));
    int flags = PACKET_REPLY | (trailer == NULL ? 0 : PACKET_TRAILER);
    CHECK_OK(packet_finish(reply, start, (uint16_t)flags, status, (uint32_t)count));
}

void host_reply_trailer(uint16_t op, const char *trailer) {
    host_reply(op, PK_OK, NULL, 0, trailer);
}

void host_reply_error(uint16_t op, uint32_t status, const char *message) {
    struct error error;
    CHECK(error_set(&error, (enum status)status, "%s", message) != STATUS_OK);
    CHECK_OK(packet_error(&host.replies[host.reply_count++], 0, op, 0, &error, -1));
}

void host_check_packet(uint16_t op, const char *const *documents, size_t count) {
    struct packet packet;
    struct error error;
    CHECK_OK(packet_decode(buffer_bytes(&host.packet), &packet, &error));
    CHECK_EQUAL(op, packet.op);
    CHECK_EQUAL(0, packet.flags);
    CHECK_EQUAL(0, packet.status);
    CHECK_EQUAL(count, packet.count);
    struct bytes body = packet.body, document;
    for (size_t i = 0; i < count; i++) {
        CHECK_OK(packet_next_document(&body, &document, &error));
        CHECK_BYTES(json_of(bson_of(documents[i])), bytes_of_string(json_of(document)));
    }
    CHECK_EQUAL(0, body.size);
}

void host_check_head(uint16_t op, const char *head) {
    host_check_packet(op, &head, 1);
}

// ---- the other functions ------------------------------------------------------------------------

int32_t pk_host_body_read(void *target, uint32_t capacity) {
    if (host.body_piece == 0) return -1;
    size_t count = host.body_apart.size < capacity ? host.body_apart.size : capacity;
    if (count > host.body_piece) count = host.body_piece;
    if (count > 0) memcpy(target, host.body_apart.data, count);
    buffer_consume(&host.body_apart, count);
    return (int32_t)count;
}

void pk_host_log(int32_t level, const void *text, uint32_t size) {
    host.log_level = level;
    keep_text(host.log, sizeof host.log, text, size);
}

int64_t pk_host_now_ns(void) {
    return host.now_ns;
}

void pk_host_random(void *target, uint32_t size) {
    static uint8_t next = 1;
    for (uint32_t i = 0; i < size; i++) ((uint8_t *)target)[i] = next++;
}

// Results live as long as the process; the arena keeps them reachable for leak checks.
static struct bytes keep_bytes(struct buffer *buffer) {
    static struct arena arena;
    struct bytes copy = arena_copy(&arena, buffer_bytes(buffer));
    CHECK(copy.data != NULL);
    buffer_done(buffer);
    return copy;
}

const char *json_of(struct bytes document) {
    struct error error = {0};
    if (doc_validate(document, &error) != STATUS_OK)
        test_fail(__FILE__, __LINE__, "a document is malformed: %s", error.message);
    struct buffer text = {0};
    CHECK_OK(doc_to_json(&text, document));
    CHECK_OK(buffer_append(&text, "", 1));
    return (const char *)keep_bytes(&text).data;
}

struct bytes bson_of(const char *json) {
    struct buffer buffer = {0};
    struct error error = {0};
    if (doc_from_json(&buffer, bytes_of_string(json), &error) != STATUS_OK)
        test_fail(__FILE__, __LINE__, "%s: %s", json, error.message);
    return keep_bytes(&buffer);
}
