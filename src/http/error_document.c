// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"
#include "server.h"
#include "text.h"

// The weight of a media type in thousandths: "q=0.75" is 750; 1000 when absent or malformed.
static int quality(struct bytes parameters) {
    for (size_t i = 0; i + 3 <= parameters.size; i++) {
        const uint8_t *p = parameters.data + i;
        if (p[0] != ';') continue;
        struct bytes rest = text_trim(bytes_of(p + 1, parameters.size - i - 1));
        if (rest.size < 3 || (rest.data[0] | 32) != 'q' || rest.data[1] != '=') continue;
        if (rest.data[2] != '0') return 1000;
        int value = 0, scale = 100;
        for (size_t k = 4; k < rest.size && scale > 0; k++, scale /= 10) {
            if (rest.data[k] < '0' || rest.data[k] > '9') break;
            value += (rest.data[k] - '0') * scale;
        }
        return value;
    }
    return 1000;
}

// Whether Accept names text/html with more weight than JSON, as browsers do.
static bool prefers_html(const struct http_request *request) {
    const struct http_header *accept = http_request_header(request, "accept");
    if (accept == NULL) return false;
    int html = 0, json = -1, any = 0;
    struct bytes list = accept->value, element;
    while (text_next_element(&list, &element)) {
        const uint8_t *mark = element.size == 0 ? NULL : memchr(element.data, ';', element.size);
        size_t size = mark == NULL ? element.size : (size_t)(mark - element.data);
        struct bytes type = text_trim(bytes_of(element.data, size));
        int weight = quality(bytes_of(element.data + size, element.size - size));
        if (http_name_equal(type, "text/html")) html = weight;
        if (http_name_equal(type, "application/json")) json = weight;
        if (http_name_equal(type, "*/*")) any = weight;
    }
    return html > (json >= 0 ? json : any);
}

static enum status add_html_text(struct buffer *page, struct bytes text) {
    enum status status = STATUS_OK;
    for (size_t i = 0; i < text.size && status == STATUS_OK; i++) {
        const char *entity = text.data[i] == '<'   ? "&lt;"
                             : text.data[i] == '>' ? "&gt;"
                             : text.data[i] == '&' ? "&amp;"
                             : text.data[i] == '"' ? "&quot;"
                                                   : NULL;
        status = entity != NULL ? buffer_append_string(page, entity)
                                : buffer_append(page, text.data + i, 1);
    }
    return status;
}

static enum status add_page(struct buffer *page, int status_code, const char *message,
                            const char *id) {
    const char *reason = text_reason(status_code);
    enum status status = buffer_append_format(
        page,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width\"><title>%d %s</title>"
        "<style>body{font:16px/1.5 system-ui,sans-serif;margin:15vh auto;max-width:36em;"
        "padding:0 1em}small{color:#777}</style></head><body><h1>%d %s</h1><p>",
        status_code, reason, status_code, reason);
    if (status == STATUS_OK) status = add_html_text(page, bytes_of_string(message));
    if (status == STATUS_OK)
        status =
            buffer_append_format(page, "</p><p><small>Request %s</small></p></body></html>\n", id);
    return status;
}

static enum status add_json(struct buffer *page, const char *code, const char *message,
                            const char *id) {
    enum status status = buffer_append_string(page, "{\"error\": {\"code\": \"");
    if (status == STATUS_OK) status = log_escape(page, bytes_of_string(code));
    if (status == STATUS_OK) status = buffer_append_string(page, "\", \"message\": \"");
    if (status == STATUS_OK) status = log_escape(page, bytes_of_string(message));
    if (status == STATUS_OK)
        status = buffer_append_format(page, "\", \"request_id\": \"%s\"}}\n", id);
    return status;
}

void http_respond_error(struct http_exchange *exchange, int status, const char *code,
                        const char *message, const char *allow) {
    struct buffer page = {0};
    bool html = prefers_html(&exchange->request);
    const char *id = exchange->request.id;
    enum status built =
        html ? add_page(&page, status, message, id) : add_json(&page, code, message, id);
    if (built != STATUS_OK) buffer_clear(&page); // without memory the status alone must do
    const struct http_header headers[] = {
        {bytes_of_string("Content-Type"),
         bytes_of_string(html ? "text/html; charset=utf-8" : "application/json")},
        {bytes_of_string("Cache-Control"), bytes_of_string("no-store")},
        {bytes_of_string("Allow"), bytes_of_string(allow != NULL ? allow : "")},
    };
    http_respond(exchange, &(struct http_response){.status = status,
                                                   .headers = headers,
                                                   .header_count = allow != NULL ? 3 : 2,
                                                   .body = buffer_bytes(&page)});
    buffer_done(&page);
}
