// SPDX-License-Identifier: Apache-2.0
// A part of planck.c. Writing BSON: elements into a buffer, and the builder, which knows nesting
// and array positions.

// Room for an array position: 20 would do, but gcc warns of what copy() does with longer names.
#define POSITION_ROOM 72

// Appends an element's type and name, and room for its value, which is returned.
static inline uint8_t *put_element(struct buffer *buffer, uint8_t type, struct pk_text name,
                                   size_t size) {
    uint8_t *p = buffer_reserve(buffer, name.size + 2 + size);
    p[0] = type;
    copy(p + 1, name.data, name.size);
    p[1 + name.size] = 0;
    buffer->size += name.size + 2 + size;
    return p + 2 + name.size;
}

static void put_text(struct buffer *buffer, struct pk_text name, struct pk_text value) {
    uint8_t *p = put_element(buffer, PK_TYPE_TEXT, name, value.size + 5);
    store32(p, (uint32_t)value.size + 1);
    copy(p + 4, value.data, value.size);
    p[4 + value.size] = 0;
}

static void put_word(struct buffer *buffer, uint8_t type, struct pk_text name, uint64_t value) {
    store64(put_element(buffer, type, name, 8), value);
}

static void put_binary(struct buffer *buffer, struct pk_text name, uint8_t subtype,
                       struct pk_text value) {
    uint8_t *p = put_element(buffer, PK_TYPE_BINARY, name, value.size + 5);
    store32(p, (uint32_t)value.size);
    p[4] = subtype;
    copy(p + 5, value.data, value.size);
}

static const uint8_t empty_document[5] = {5, 0, 0, 0, 0};

// No document is an empty one.
static void put_document(struct buffer *buffer, uint8_t type, struct pk_text name,
                         struct pk_document value) {
    if (value.data == NULL) value = (struct pk_document){empty_document, sizeof empty_document};
    copy(put_element(buffer, type, name, value.size), value.data, value.size);
}

// Begins a document at the buffer's end; where it begins.
static size_t put_start(struct buffer *buffer) {
    size_t start = buffer->size;
    buffer_reserve(buffer, 4);
    buffer->size += 4;
    return start;
}

static void put_end(struct buffer *buffer, size_t start) {
    buffer_append_byte(buffer, 0);
    store32(buffer->data + start, (uint32_t)(buffer->size - start));
}

// ---- the builder ------------------------------------------------------------------------------

#define DEPTH_MAX 32 // of nested documents and arrays

struct pk_builder {
    struct buffer buffer;
    uint32_t depth;
    uint32_t arrays;            // bit n: the one at depth n is an array
    uint32_t counts[DEPTH_MAX]; // elements of the array at that depth
    size_t starts[DEPTH_MAX];
};

static void builder_open(struct pk_builder *builder, bool array) {
    if (builder->depth == DEPTH_MAX) pk_abort("documents are nested too deep");
    uint32_t bit = (uint32_t)1 << builder->depth;
    builder->arrays = array ? builder->arrays | bit : builder->arrays & ~bit;
    builder->counts[builder->depth] = 0;
    builder->starts[builder->depth++] = put_start(&builder->buffer);
}

// Begins a document behind what `buffer` holds.
static void builder_begin(struct pk_builder *builder, struct buffer buffer, bool array) {
    builder->buffer = buffer;
    builder->depth = 0;
    builder->arrays = 0;
    builder_open(builder, array);
}

static void builder_close(struct pk_builder *builder) {
    put_end(&builder->buffer, builder->starts[--builder->depth]);
}

// The name of the next element: the given one, or in arrays a position, written to `storage`.
static struct pk_text builder_name(struct pk_builder *builder, const char *name,
                                   uint8_t storage[POSITION_ROOM]) {
    if (builder->depth == 0) pk_abort("a document that was ended is added to");
    uint32_t level = builder->depth - 1;
    if (builder->arrays >> level & 1)
        return text_of(storage, write_decimal(storage, builder->counts[level]++));
    if (name == NULL) pk_abort("a field without a name");
    return pk_text_of(name);
}

struct pk_builder *pk_document_begin(void) {
    struct pk_builder *builder = (struct pk_builder *)allocate(sizeof *builder);
    builder_begin(builder, (struct buffer){0}, false);
    return builder;
}

struct pk_document pk_document_end(struct pk_builder *builder) {
    if (builder->depth != 1) pk_abort("pk_document_end: something inside was not ended");
    builder_close(builder);
    buffer_seal(&builder->buffer);
    return (struct pk_document){builder->buffer.data, builder->buffer.size};
}

void pk_add_text(struct pk_builder *builder, const char *name, struct pk_text value) {
    if (value.data == NULL) return pk_add_null(builder, name);
    uint8_t storage[POSITION_ROOM];
    put_text(&builder->buffer, builder_name(builder, name, storage), value);
}

static void add_word(struct pk_builder *builder, const char *name, uint8_t type, uint64_t value) {
    uint8_t storage[POSITION_ROOM];
    put_word(&builder->buffer, type, builder_name(builder, name, storage), value);
}

void pk_add_int(struct pk_builder *builder, const char *name, int64_t value) {
    add_word(builder, name, PK_TYPE_INT64, (uint64_t)value);
}

void pk_add_double(struct pk_builder *builder, const char *name, double value) {
    add_word(builder, name, PK_TYPE_DOUBLE, double_bits(value));
}

void pk_add_date(struct pk_builder *builder, const char *name, int64_t milliseconds) {
    add_word(builder, name, PK_TYPE_DATE, (uint64_t)milliseconds);
}

static uint8_t *add_element(struct pk_builder *builder, const char *name, uint8_t type,
                            size_t size) {
    uint8_t storage[POSITION_ROOM];
    return put_element(&builder->buffer, type, builder_name(builder, name, storage), size);
}

void pk_add_bool(struct pk_builder *builder, const char *name, bool value) {
    *add_element(builder, name, PK_TYPE_BOOL, 1) = value;
}

void pk_add_null(struct pk_builder *builder, const char *name) {
    add_element(builder, name, PK_TYPE_NULL, 0);
}

static void add_binary(struct pk_builder *builder, const char *name, uint8_t subtype,
                       struct pk_text value) {
    uint8_t storage[POSITION_ROOM];
    put_binary(&builder->buffer, builder_name(builder, name, storage), subtype, value);
}

static void add_nested(struct pk_builder *builder, const char *name, uint8_t type,
                       struct pk_document value) {
    uint8_t storage[POSITION_ROOM];
    put_document(&builder->buffer, type, builder_name(builder, name, storage), value);
}

void pk_add_document(struct pk_builder *builder, const char *name, struct pk_document value) {
    add_nested(builder, name, PK_TYPE_DOCUMENT, value);
}

void pk_add_array(struct pk_builder *builder, const char *name, struct pk_document value) {
    add_nested(builder, name, PK_TYPE_ARRAY, value);
}

void pk_add_value(struct pk_builder *builder, const char *name, struct pk_value value) {
    switch (value.type) {
    case PK_MISSING:
        return;
    case PK_TYPE_DOUBLE:
        return pk_add_double(builder, name, value.number);
    case PK_TYPE_TEXT:
        return pk_add_text(builder, name, value.text);
    case PK_TYPE_DOCUMENT:
    case PK_TYPE_ARRAY:
        return add_nested(builder, name, (uint8_t)value.type, value.document);
    case PK_TYPE_BINARY:
        return add_binary(builder, name, value.subtype, value.text);
    case PK_TYPE_BOOL:
        return pk_add_bool(builder, name, value.integer != 0);
    case PK_TYPE_DATE:
    case PK_TYPE_INT64:
        return add_word(builder, name, (uint8_t)value.type, (uint64_t)value.integer);
    case PK_TYPE_INT32:
        return store32(add_element(builder, name, PK_TYPE_INT32, 4), (uint32_t)value.integer);
    default: { // as element_value() left it
        uint8_t *p = add_element(builder, name, (uint8_t)value.type, value.text.size);
        return copy(p, value.text.data, value.text.size);
    }
    }
}

static void begin_nested(struct pk_builder *builder, const char *name, bool array) {
    add_element(builder, name, array ? PK_TYPE_ARRAY : PK_TYPE_DOCUMENT, 0);
    builder_open(builder, array);
}

void pk_begin_document(struct pk_builder *builder, const char *name) {
    begin_nested(builder, name, false);
}

void pk_begin_array(struct pk_builder *builder, const char *name) {
    begin_nested(builder, name, true);
}

void pk_end(struct pk_builder *builder) {
    if (builder->depth <= 1) pk_abort("pk_end: nothing was begun");
    builder_close(builder);
}
