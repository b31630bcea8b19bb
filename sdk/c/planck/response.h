// SPDX-License-Identifier: Apache-2.0
// A part of planck.c. The response, sent when the handler has returned.

void pk_set_status(struct pk_request *request, int status) {
    if (status < 200 || status > 599) pk_abort("pk_set_status: not 200 to 599");
    request->status = status;
}

// RFC 9110, section 5.6.2.
static bool is_token(struct pk_text text) {
    static const char marks[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        bool good = is_digit((uint8_t)c) || (lower(c) >= 'a' && lower(c) <= 'z');
        for (size_t j = 0; j < sizeof marks - 1 && !good; j++) good = c == marks[j];
        if (!good) return false;
    }
    return text.size > 0;
}

// No line break, so that a value cannot become two headers, and nothing else unseen.
static bool is_header_value(struct pk_text text) {
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = (uint8_t)text.data[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f) return false;
    }
    return true;
}

static void add_header(struct pk_request *request, struct pk_text name, struct pk_text value) {
    if (request->header_count == HEADERS_MAX) pk_abort("pk_set_header: more than 63 headers");
    request->headers[request->header_count++] =
        (struct response_header){name.data, name.size, value.data, value.size};
}

// One place of the headers is kept for the content type.
void pk_set_header(struct pk_request *request, const char *name, struct pk_text value) {
    struct pk_text text = pk_text_of(name);
    if (!is_token(text)) pk_abort("pk_set_header: a malformed name");
    if (!is_header_value(value)) pk_abort("pk_set_header: a line break or control character");
    if (value.data == NULL) value = PK_TEXT("");
    if (is_media_type(text, "content-type")) {
        request->content_type = value;
        return;
    }
    if (request->header_count == HEADERS_MAX - 1) pk_abort("pk_set_header: more than 63 headers");
    add_header(request, text, value);
}

static struct pk_out *begin_body(struct pk_request *request, struct pk_text content_type) {
    struct pk_out *out = &request->out;
    request->content_type = content_type;
    if (out->buffer.data == NULL) {
        out->buffer.data = allocate(OUT_FIRST);
        out->buffer.capacity = OUT_FIRST;
    }
    out->buffer.size = 0;
    out->depth = 0;
    out->comma = false;
    return out;
}

struct pk_out *pk_body(struct pk_request *request, const char *content_type) {
    pk_set_header(request, "content-type", pk_text_of(content_type)); // which checks it
    return begin_body(request, request->content_type);
}

struct pk_out *pk_html(struct pk_request *request) {
    return begin_body(request, PK_TEXT("text/html; charset=utf-8"));
}

struct pk_out *pk_json(struct pk_request *request) {
    return begin_body(request, PK_TEXT("application/json"));
}

struct pk_out *pk_plain(struct pk_request *request) {
    return begin_body(request, PK_TEXT("text/plain; charset=utf-8"));
}

void pk_redirect(struct pk_request *request, int status, struct pk_text location) {
    pk_set_status(request, status);
    pk_set_header(request, "location", location);
}

void pk_fail(struct pk_request *request, int status, const char *code, struct pk_text message) {
    pk_set_status(request, status);
    struct pk_out *out = pk_json(request);
    pk_json_object(out, NULL);
    pk_json_object(out, "error");
    pk_json_text(out, "code", pk_text_of(code));
    pk_json_text(out, "message", message.data == NULL ? PK_TEXT("") : message);
    pk_json_end(out);
    pk_json_end(out);
}

static void send_response(struct pk_request *request) {
    struct pk_out *out = &request->out;
    if (out->depth > 0) pk_abort("JSON: an object or array was not ended");
    if (request->content_type.data != NULL)
        add_header(request, PK_TEXT("content-type"), request->content_type);
    struct response response = {
        .status = (uint16_t)request->status,
        .header_count = (uint16_t)request->header_count,
        .headers = request->headers,
        .body = out->buffer.data,
        .body_size = out->buffer.size,
    };
    pk_host_respond(&response, sizeof response);
}
