// SPDX-License-Identifier: Apache-2.0
#include "oracle.h"

#include "base/hash.h"
#include "test.h"

struct key oracle_key(enum key_type type, size_t number) {
    uint64_t mixed = hash_words(number + 1, 99);
    struct key key;
    struct doc_value value = {0};
    char text[16];
    uint8_t bytes[16];
    switch (type) {
    case KEY_INT64:
        value = doc_value_int((int64_t)(number % 2 == 0 ? mixed : number));
        break;
    case KEY_STRING:
        value = doc_value_string(bytes_of(
            text, (size_t)snprintf(text, sizeof text, "%zu", mixed % 100000 * 1000 + number)));
        break;
    default:
        store_be64(bytes, mixed);
        store_be64(bytes + 8, number);
        value.type = type == KEY_UUID ? DOC_BINARY : DOC_OBJECT_ID;
        value.binary_subtype = type == KEY_UUID ? 4 : 0;
        value.payload = type == KEY_UUID ? bytes_of(bytes, 16) : bytes_of(bytes + 4, 12);
    }
    CHECK_OK(key_from_value(type, &value, &key, NULL));
    return key;
}

void oracle_put(struct oracle_store *store, size_t number, struct bytes document,
                uint64_t sequence) {
    struct oracle_slot *slot = &store->slots[number];
    free(slot->document);
    slot->document = malloc(document.size);
    CHECK(slot->document != NULL);
    memcpy(slot->document, document.data, document.size);
    slot->size = document.size;
    slot->exists = true;
    slot->sequence = sequence;
}

void oracle_delete(struct oracle_store *store, size_t number, uint64_t sequence) {
    struct oracle_slot *slot = &store->slots[number];
    free(slot->document);
    *slot = (struct oracle_slot){.sequence = sequence};
}

void oracle_clear(struct oracle_store *store) {
    for (size_t i = 0; i < ORACLE_KEYS; i++) oracle_delete(store, i, 0);
}

struct oracle *oracle_copy(const struct oracle *oracle) {
    struct oracle *copy = malloc(sizeof *copy);
    CHECK(copy != NULL);
    *copy = *oracle;
    for (size_t s = 0; s < ORACLE_STORES; s++) {
        for (size_t i = 0; i < ORACLE_KEYS; i++) {
            struct oracle_slot *slot = &copy->stores[s].slots[i];
            if (slot->document == NULL) continue;
            struct bytes old = bytes_of(slot->document, slot->size);
            slot->document = malloc(slot->size);
            CHECK(slot->document != NULL);
            memcpy(slot->document, old.data, old.size);
        }
    }
    return copy;
}

void oracle_free(struct oracle *oracle) {
    for (size_t s = 0; s < ORACLE_STORES; s++) oracle_clear(&oracle->stores[s]);
    free(oracle);
}

static int compare_entries(const void *a, const void *b) {
    const struct oracle_entry *x = a, *y = b;
    return bytes_compare(bytes_of(x->sort, x->sort_size), bytes_of(y->sort, y->sort_size));
}

static void fill_entry(const struct oracle_store *store, size_t number, const char *field,
                       struct oracle_entry *ret) {
    struct buffer sort = {0};
    const struct oracle_slot *slot = &store->slots[number];
    ret->number = number;
    if (field != NULL) {
        struct doc_value value =
            doc_get_path(bytes_of(slot->document, slot->size), bytes_of_string(field));
        bool truncated;
        CHECK_OK(doc_encode_index(&sort, &value, &truncated));
    }
    ret->value_size = sort.size;
    struct key key = oracle_key(store->key_type, number);
    CHECK_OK(buffer_append(&sort, key.bytes, sizeof key.bytes));
    CHECK(sort.size <= sizeof ret->sort);
    memcpy(ret->sort, sort.data, sort.size);
    ret->sort_size = sort.size;
    buffer_done(&sort);
}

size_t oracle_scan(const struct oracle_store *store, const struct scan_options *options,
                   const char *field, struct oracle_entry ret[ORACLE_KEYS]) {
    size_t count = 0;
    for (size_t i = 0; i < ORACLE_KEYS; i++) {
        if (!store->slots[i].exists) continue;
        struct oracle_entry *entry = &ret[count];
        fill_entry(store, i, field, entry);
        struct bytes sort = bytes_of(entry->sort, entry->sort_size);
        if (options->lower.data != NULL && bytes_compare(sort, options->lower) < 0) continue;
        if (options->upper.data != NULL && bytes_compare(sort, options->upper) >= 0) continue;
        count++;
    }
    qsort(ret, count, sizeof *ret, compare_entries);
    for (size_t i = 0; options->reverse && i < count / 2; i++) {
        struct oracle_entry swap = ret[i];
        ret[i] = ret[count - 1 - i];
        ret[count - 1 - i] = swap;
    }
    return count;
}
