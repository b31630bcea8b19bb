// SPDX-License-Identifier: Apache-2.0
// A part of planck.c. Primary keys.

enum key_kind { KEY_INT = 1, KEY_TEXT, KEY_UUID };

struct pk_key pk_key_int(int64_t value) {
    return (struct pk_key){.kind = KEY_INT, .integer = value};
}

struct pk_key pk_key_text(struct pk_text value) {
    return (struct pk_key){.kind = KEY_TEXT, .text = value};
}

bool pk_key_uuid(struct pk_text text, struct pk_key *ret) {
    struct pk_key key = {.kind = KEY_UUID};
    if (!parse_uuid(text, key.uuid)) return false;
    *ret = key;
    return true;
}

// RFC 9562: 48 bits of milliseconds, then (its section 6.2, method 3) 12 bits of their fraction, so
// that keys made one after the other are in order.
struct pk_key pk_key_new(void) {
    struct pk_key key = {.kind = KEY_UUID};
    uint64_t now = (uint64_t)pk_host_now_ns(), milliseconds = now / 1000000;
    uint64_t fraction = now % 1000000 * 4096 / 1000000;
    pk_host_random(key.uuid + 8, 8);
    for (int i = 0; i < 6; i++) key.uuid[i] = (uint8_t)(milliseconds >> (40 - 8 * i));
    key.uuid[6] = (uint8_t)(0x70 | fraction >> 8);
    key.uuid[7] = (uint8_t)fraction;
    key.uuid[8] = (uint8_t)(0x80 | (key.uuid[8] & 0x3f));
    return key;
}

static void put_key(struct buffer *buffer, struct pk_text name, const struct pk_key *key) {
    switch (key->kind) {
    case KEY_INT:
        return put_word(buffer, PK_TYPE_INT64, name, (uint64_t)key->integer);
    case KEY_TEXT:
        return put_text(buffer, name, key->text);
    case KEY_UUID:
        return put_binary(buffer, name, BINARY_UUID, text_of(key->uuid, sizeof key->uuid));
    default:
        pk_abort("a key that was never set");
    }
}

void pk_add_key(struct pk_builder *builder, const char *name, struct pk_key key) {
    uint8_t storage[POSITION_ROOM];
    put_key(&builder->buffer, builder_name(builder, name, storage), &key);
}

// Absent for other types.
struct pk_text pk_value_to_text(struct pk_value value) {
    uint8_t *target;
    switch ((int)value.type) {
    case PK_TYPE_TEXT:
        return value.text;
    case PK_TYPE_INT32:
    case PK_TYPE_INT64:
        target = allocate(20);
        return text_of(target, write_signed(target, value.integer));
    case PK_TYPE_BINARY:
        if (value.subtype != BINARY_UUID || value.text.size != 16) return text_of(NULL, 0);
        target = allocate(UUID_TEXT_SIZE);
        write_uuid(target, (const uint8_t *)value.text.data);
        return text_of(target, UUID_TEXT_SIZE);
    case BSON_OBJECT_ID:
        target = allocate(24);
        write_hex(target, (const uint8_t *)value.text.data, 12);
        return text_of(target, 24);
    default:
        return text_of(NULL, 0);
    }
}
