// SPDX-License-Identifier: Apache-2.0
#include "sim_state.h"

#include <stdio.h>
#include <string.h>

#include "sim.h"
#include "storage/batch.h"

const char *const state_store_names[STATE_STORES] = {"first", "second", "third"};
const char *const state_index_names[STATE_INDEXES] = {"by_a", "by_b"};
const char *const state_index_fields[STATE_INDEXES] = {"a", "b"};

struct key state_key(size_t number) {
    // The order of keys is not that of numbers.
    struct doc_value value = doc_value_int((int64_t)(number * 7919 % 1009));
    struct key key;
    SIM_CHECK(key_from_value(KEY_INT64, &value, &key, NULL) == STATUS_OK);
    return key;
}

static uint64_t mix(uint64_t value) {
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
    return value ^ (value >> 31);
}

static size_t document_extra(uint64_t hash) {
    // Some histories have few records in a segment of the log.
    if (hash % (sim_seed() % 4 == 0 ? 3 : 40) == 0) return 20000 + hash % 60000;
    if (hash % 5 == 0) return hash % 6000;
    return hash % 300;
}

struct bytes state_document(size_t number, uint64_t write) {
    static struct buffer buffers[2];
    static unsigned next;
    static char text[80001];
    struct buffer *buffer = &buffers[next++ % 2];
    uint64_t hash = mix(write * 1000 + number);
    memset(text, 'a' + (int)(hash % 26), sizeof text);
    buffer_clear(buffer);
    struct doc_builder builder;
    doc_builder_begin(&builder, buffer);
    doc_add_int(&builder, "_id", (int64_t)(number * 7919 % 1009));
    doc_add_int(&builder, "w", (int64_t)write);
    doc_add_int(&builder, "a", (int64_t)(hash >> 8) % 9);
    if (hash % 3 != 0)
        doc_add_string(&builder, "b", bytes_of(text, (hash >> 16) % (hash % 20 == 0 ? 1100 : 9)));
    doc_add_string(&builder, "t", bytes_of(text, document_extra(hash >> 24)));
    SIM_CHECK(doc_builder_finish(&builder) == STATUS_OK);
    return buffer_bytes(buffer);
}

static size_t number_of(const struct key *key) {
    for (size_t i = 0; i < STATE_KEYS; i++) {
        struct key other = state_key(i);
        if (key_compare(&other, key) == 0) return i;
    }
    sim_fail(__FILE__, __LINE__, "a key that nobody wrote");
}

static void read_documents(const struct view *view, struct state_store *store) {
    struct scan *scan;
    struct scan_options options = {.store_id = store->id};
    SIM_CHECK(scan_open(view, &options, &scan) == STATUS_OK);
    struct scan_entry entry;
    enum status status;
    while ((status = scan_next(scan, &entry)) == STATUS_OK) {
        size_t number = number_of(&entry.key);
        int64_t write = 0;
        SIM_CHECK(store->slots[number].write == 0);
        SIM_CHECK(doc_get_int(entry.document, "w", &write) && write > 0);
        SIM_CHECK(bytes_equal(entry.document, state_document(number, (uint64_t)write)));
        SIM_CHECK(entry.sequence <= view->sequence);
        store->slots[number] = (struct state_slot){entry.sequence, (uint64_t)write};
    }
    if (status != STATUS_END) sim_fail(__FILE__, __LINE__, "scan: %s", status_text(status));
    scan_close(scan);
}

// The entry of the document in place must be what the index says, and each document occur once.
static void check_index(const struct view *view, const struct state_store *store,
                        const struct index_info *index) {
    static struct buffer entry_bytes, before;
    bool seen[STATE_KEYS] = {0};
    struct scan *scan;
    struct scan_options options = {.store_id = store->id, .index_id = index->id};
    SIM_CHECK(scan_open(view, &options, &scan) == STATUS_OK);
    buffer_clear(&before);
    struct scan_entry entry;
    enum status status;
    while ((status = scan_next(scan, &entry)) == STATUS_OK) {
        size_t number = number_of(&entry.key);
        SIM_CHECK(!seen[number]);
        seen[number] = true;
        SIM_CHECK(store->slots[number].write != 0);
        struct bytes document = state_document(number, store->slots[number].write);
        SIM_CHECK(bytes_equal(entry.document, document));
        buffer_clear(&entry_bytes);
        SIM_CHECK(batch_index_entry(&entry_bytes, index, &entry.key, document) == STATUS_OK);
        SIM_CHECK(bytes_equal(entry.value,
                              bytes_of(entry_bytes.data, entry_bytes.size - sizeof entry.key)));
        SIM_CHECK(bytes_compare(buffer_bytes(&before), buffer_bytes(&entry_bytes)) < 0);
        buffer_clear(&before);
        SIM_CHECK(buffer_append(&before, entry_bytes.data, entry_bytes.size) == STATUS_OK);
    }
    if (status != STATUS_END) sim_fail(__FILE__, __LINE__, "scan: %s", status_text(status));
    scan_close(scan);
    for (size_t i = 0; i < STATE_KEYS; i++) SIM_CHECK(seen[i] == (store->slots[i].write != 0));
}

void state_read(const struct view *view, struct state *ret) {
    memset(ret, 0, sizeof *ret);
    const struct catalog *catalog = view_catalog(view);
    for (size_t i = 0; i < STATE_STORES; i++) {
        const struct store_info *info =
            catalog_store(catalog, bytes_of_string(state_store_names[i]));
        if (info == NULL) continue;
        struct state_store *store = &ret->stores[i];
        store->id = info->id;
        read_documents(view, store);
        for (size_t k = 0; k < STATE_INDEXES; k++) {
            const struct index_info *index =
                store_index(info, bytes_of_string(state_index_names[k]));
            if (index == NULL) continue;
            store->indexes[k] = index->id;
            if (index->state == INDEX_READY) check_index(view, store, index);
        }
    }
}

bool state_equal(const struct state *a, const struct state *b) {
    return memcmp(a->stores, b->stores, sizeof a->stores) == 0;
}

void state_explain(const struct state *expected, const struct state *found) {
    for (size_t i = 0; i < STATE_STORES; i++) {
        const struct state_store *want = &expected->stores[i], *have = &found->stores[i];
        if (want->id != have->id)
            fprintf(stderr, "  %s: id %u, found %u\n", state_store_names[i], want->id, have->id);
        for (size_t k = 0; k < STATE_INDEXES; k++)
            if (want->indexes[k] != have->indexes[k])
                fprintf(stderr, "  %s.%s: id %u, found %u\n", state_store_names[i],
                        state_index_names[k], want->indexes[k], have->indexes[k]);
        for (size_t k = 0; k < STATE_KEYS; k++)
            if (memcmp(&want->slots[k], &have->slots[k], sizeof want->slots[k]) != 0)
                fprintf(stderr, "  %s %zu: write %llu at %llu, found %llu at %llu\n",
                        state_store_names[i], k, (unsigned long long)want->slots[k].write,
                        (unsigned long long)want->slots[k].sequence,
                        (unsigned long long)have->slots[k].write,
                        (unsigned long long)have->slots[k].sequence);
    }
}

void state_check_view(const struct view *view, const struct state *state) {
    for (size_t i = 0; i < STATE_STORES; i++) {
        const struct state_store *store = &state->stores[i];
        if (store->id == 0) continue;
        for (size_t k = 0; k < STATE_KEYS; k++) {
            struct key key = state_key(k);
            struct bytes document;
            uint64_t sequence = 0;
            enum status status = storage_get(view, store->id, &key, &document, &sequence);
            if (store->slots[k].write == 0) {
                SIM_CHECK(status == STATUS_NOT_FOUND);
                continue;
            }
            SIM_CHECK(status == STATUS_OK && sequence == store->slots[k].sequence);
            SIM_CHECK(bytes_equal(document, state_document(k, store->slots[k].write)));
        }
    }
}
