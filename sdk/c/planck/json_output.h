// SPDX-License-Identifier: Apache-2.0
// A part of planck.c. JSON output. Whatever goes in, what comes out is JSON, and may stand inside a
// <script> element, because '<' is always escaped.

// ---- scalars ----------------------------------------------------------------------------------

// Writes the character at `p`, which json_plain_run() stopped at; how many bytes of input it took.
static size_t json_write_special(struct buffer *buffer, const uint8_t *p, size_t rest) {
    static const char digits[] = "0123456789abcdef";
    static const char named[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";
    if (*p >= 0x80) {
        size_t length = utf8_sequence(p, rest);
        buffer_append(buffer, length == 0 ? utf8_replacement : p,
                      length == 0 ? sizeof utf8_replacement : length);
        return length == 0 ? 1 : length;
    }
    for (size_t i = 0; i < sizeof named - 1; i++) {
        if (*p != (uint8_t)named[i]) continue;
        buffer_append_byte(buffer, '\\');
        buffer_append_byte(buffer, (uint8_t)names[i]);
        return 1;
    }
    uint8_t escape[6] = {'\\', 'u', '0', '0', (uint8_t)digits[*p >> 4], (uint8_t)digits[*p & 15]};
    buffer_append(buffer, escape, sizeof escape);
    return 1;
}

static void json_write_string(struct buffer *buffer, const uint8_t *p, size_t size) {
    uint8_t *target = buffer_reserve(buffer, size + 2);
    if (json_plain_run(p, size) == size) { // most are
        target[0] = '"';
        copy(target + 1, p, size);
        target[size + 1] = '"';
        buffer->size += size + 2;
        return;
    }
    buffer_append_byte(buffer, '"');
    while (size > 0) {
        size_t taken = json_plain_run(p, size);
        buffer_append(buffer, p, taken);
        if (taken < size) taken += json_write_special(buffer, p + taken, size - taken);
        p += taken;
        size -= taken;
    }
    buffer_append_byte(buffer, '"');
}

static void json_write_text(struct buffer *buffer, struct pk_text text) {
    json_write_string(buffer, (const uint8_t *)text.data, text.size);
}

static void json_write_word(struct buffer *buffer, const char *word) {
    buffer_append(buffer, word, __builtin_strlen(word));
}

static void json_write_int(struct buffer *buffer, int64_t value) {
    buffer->size += write_signed(buffer_reserve(buffer, 20), value);
}

static void json_write_double(struct buffer *buffer, double value) {
    if (!double_is_finite(value)) return json_write_word(buffer, "null");
    buffer->size += write_double(buffer_reserve(buffer, DOUBLE_TEXT_MAX), value);
}

// ---- dates ------------------------------------------------------------------------------------

static uint8_t *write_padded(uint8_t *target, uint64_t value, size_t width) {
    for (size_t i = width; i-- > 0; value /= 10) target[i] = (uint8_t)('0' + value % 10);
    return target + width;
}

#define DATE_MIN (-62167219200000LL) // 0000-01-01
#define DATE_MAX 253402300799999LL   // 9999-12-31
#define DATE_TEXT_SIZE 24

#define ERA_DAYS 146097               // 400 years
#define ERA_START (719468 + ERA_DAYS) // days from -0400-03-01 to 1970-01-01
#define DAY_MS 86400000ULL

// 2024-02-29T12:00:00.000Z. Years begin in March here, so that the leap day is a year's last; days
// are counted from an era before the first that is written, so that no number is negative.
static void write_date(uint8_t *target, int64_t milliseconds) {
    uint64_t since = (uint64_t)milliseconds + ERA_START * DAY_MS;
    uint64_t days = since / DAY_MS, rest = since % DAY_MS;
    uint64_t era = days / ERA_DAYS, day = days % ERA_DAYS;
    uint64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    day -= 365 * year + year / 4 - year / 100;
    uint64_t month = (5 * day + 2) / 153;
    day -= (153 * month + 2) / 5;
    year += era * 400 + (month >= 10) - 400;
    month = month < 10 ? month + 3 : month - 9;
    uint8_t *p = write_padded(target, year, 4);
    const uint64_t fields[] = {month, day + 1, rest / 3600000, rest / 60000 % 60, rest / 1000 % 60};
    static const char marks[] = "--T::";
    for (size_t i = 0; i < 5; i++) {
        *p++ = (uint8_t)marks[i];
        p = write_padded(p, fields[i], 2);
    }
    *p++ = '.';
    p = write_padded(p, rest % 1000, 3);
    *p = 'Z';
}

static void json_write_date(struct buffer *buffer, int64_t milliseconds) {
    if (milliseconds < DATE_MIN || milliseconds > DATE_MAX)
        return json_write_int(buffer, milliseconds);
    uint8_t *p = buffer_reserve(buffer, DATE_TEXT_SIZE + 2);
    p[0] = '"';
    write_date(p + 1, milliseconds);
    p[1 + DATE_TEXT_SIZE] = '"';
    buffer->size += DATE_TEXT_SIZE + 2;
}

// ---- values -----------------------------------------------------------------------------------

static void json_write_binary(struct buffer *buffer, uint8_t subtype, struct pk_text bytes) {
    const uint8_t *data = (const uint8_t *)bytes.data;
    uint8_t *p = buffer_reserve(buffer, base64_size(bytes.size) + UUID_TEXT_SIZE + 2);
    size_t size = UUID_TEXT_SIZE;
    if (subtype == BINARY_UUID && bytes.size == 16) {
        write_uuid(p + 1, data);
    } else {
        size = base64_encode(p + 1, base64_standard, data, bytes.size);
    }
    p[0] = '"';
    p[1 + size] = '"';
    buffer->size += size + 2;
}

#define BSON_DEPTH_MAX 100 // the host accepts no deeper documents

static void json_write_document(struct buffer *buffer, struct pk_document document, bool array,
                                uint32_t depth);

static void json_write_value(struct buffer *buffer, const struct pk_value *value, uint32_t depth) {
    switch ((int)value->type) {
    case PK_TYPE_DOUBLE:
        return json_write_double(buffer, value->number);
    case PK_TYPE_TEXT:
        return json_write_text(buffer, value->text);
    case PK_TYPE_DOCUMENT:
    case PK_TYPE_ARRAY:
        return json_write_document(buffer, value->document, value->type == PK_TYPE_ARRAY, depth);
    case PK_TYPE_BINARY:
        return json_write_binary(buffer, value->subtype, value->text);
    case PK_TYPE_BOOL:
        return json_write_word(buffer, value->integer != 0 ? "true" : "false");
    case PK_TYPE_DATE:
        return json_write_date(buffer, value->integer);
    case PK_TYPE_INT32:
    case PK_TYPE_INT64:
        return json_write_int(buffer, value->integer);
    case BSON_OBJECT_ID: {
        uint8_t hex[24];
        write_hex(hex, (const uint8_t *)value->text.data, 12);
        return json_write_string(buffer, hex, sizeof hex);
    }
    default: // null, and what JSON has no form for
        return json_write_word(buffer, "null");
    }
}

static void json_write_document(struct buffer *buffer, struct pk_document document, bool array,
                                uint32_t depth) {
    if (depth == BSON_DEPTH_MAX || document.data == NULL) return json_write_word(buffer, "null");
    struct pk_iterator iterator = pk_iterate(document);
    struct element element;
    bool comma = false;
    buffer_append_byte(buffer, array ? '[' : '{');
    for (; element_next(&iterator, &element); comma = true) {
        if (comma) buffer_append_byte(buffer, ',');
        if (!array) {
            json_write_string(buffer, element.name, element.name_size);
            buffer_append_byte(buffer, ':');
        }
        struct pk_value value = element_value(&element);
        json_write_value(buffer, &value, depth + 1);
    }
    buffer_append_byte(buffer, array ? ']' : '}');
}

// ---- the writer -------------------------------------------------------------------------------

// What stands before a value: a comma, and in objects its name.
static struct buffer *json_begin(struct pk_out *out, const char *name) {
    struct buffer *buffer = &out->buffer;
    if (out->depth == 0) return buffer;
    if (out->comma) buffer_append_byte(buffer, ',');
    out->comma = true;
    if (out->objects >> (out->depth - 1) & 1) {
        if (name == NULL) pk_abort("JSON: a member of an object without a name");
        json_write_text(buffer, pk_text_of(name));
        buffer_append_byte(buffer, ':');
    }
    return buffer;
}

static void json_open(struct pk_out *out, const char *name, bool object) {
    if (out->depth == JSON_DEPTH_MAX) pk_abort("JSON: nested too deep");
    buffer_append_byte(json_begin(out, name), object ? '{' : '[');
    uint64_t bit = (uint64_t)1 << out->depth++;
    out->objects = object ? out->objects | bit : out->objects & ~bit;
    out->comma = false;
}

void pk_json_object(struct pk_out *out, const char *name) {
    json_open(out, name, true);
}

void pk_json_array(struct pk_out *out, const char *name) {
    json_open(out, name, false);
}

void pk_json_end(struct pk_out *out) {
    if (out->depth == 0) pk_abort("pk_json_end: nothing was begun");
    out->depth--;
    buffer_append_byte(&out->buffer, out->objects >> out->depth & 1 ? '}' : ']');
    out->comma = true;
}

void pk_json_text(struct pk_out *out, const char *name, struct pk_text value) {
    if (value.data == NULL) return pk_json_null(out, name);
    json_write_text(json_begin(out, name), value);
}

void pk_json_int(struct pk_out *out, const char *name, int64_t value) {
    json_write_int(json_begin(out, name), value);
}

void pk_json_double(struct pk_out *out, const char *name, double value) {
    json_write_double(json_begin(out, name), value);
}

void pk_json_bool(struct pk_out *out, const char *name, bool value) {
    json_write_word(json_begin(out, name), value ? "true" : "false");
}

void pk_json_null(struct pk_out *out, const char *name) {
    json_write_word(json_begin(out, name), "null");
}

void pk_json_document(struct pk_out *out, const char *name, struct pk_document document) {
    json_write_document(json_begin(out, name), document, false, 0);
}

void pk_json_value(struct pk_out *out, const char *name, struct pk_value value) {
    json_write_value(json_begin(out, name), &value, 0);
}
