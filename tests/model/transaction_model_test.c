// SPDX-License-Identifier: Apache-2.0
// Random transactions of both isolations, interleaved with one another and with single writes,
// across flushes and restarts, against plain arrays: what each reads by key, in the order of keys
// and of an index, and whether its commit must conflict.
#include <stdlib.h>

#include "base/limits.h"
#include "base/random.h"
#include "storage/state.h"
#include "storage/storage.h"
#include "test.h"

#define KEYS 40
#define VALUES 15
#define TRANSACTIONS 5
#define CHANGES_MAX 100000
#define READS_MAX 4000
#define ABSENT (-1)
#define UNTOUCHED (-2)

struct change { // committed; a document of value `before` became one of value `after`
    int key, before, after;
};

struct range { // of keys, or of values: low <= x < high
    bool secondary;
    int low, high;
};

struct open_transaction {
    struct transaction *transaction; // NULL: none
    bool serializable;
    size_t since; // changes that its snapshot holds
    int snapshot[KEYS], own[KEYS];
    bool read[KEYS], wrote;
    struct range ranges[READS_MAX];
    size_t range_count;
};

struct model {
    struct random_seeded random;
    struct storage_options options;
    char path[512];
    struct storage *storage;
    struct reader *reader;
    uint32_t store, index;
    int state[KEYS];
    struct change changes[CHANGES_MAX];
    size_t change_count;
    struct open_transaction open[TRANSACTIONS];
    uint64_t conflicts, commits;
};

static int below(struct model *model, uint64_t bound) {
    return (int)random_below(&model->random.source, bound);
}

static struct key key_of(int number) {
    struct doc_value value = doc_value_int(number);
    struct key key;
    CHECK_OK(key_from_value(KEY_INT64, &value, &key, NULL));
    return key;
}

static int number_of(const struct key *key) {
    uint8_t storage[16];
    return (int)key_to_value(KEY_INT64, key, storage).integer;
}

static int value_in(struct bytes document) {
    int64_t value = -9;
    CHECK(doc_get_int(document, "v", &value));
    return (int)value;
}

static struct write make_write(enum write_kind kind, uint32_t store, int key, int value,
                               struct buffer *buffer) {
    struct write write = {.kind = kind, .store_id = store, .key = key_of(key)};
    if (kind == WRITE_DELETE) return write;
    static const char padding[600];
    struct doc_builder builder;
    buffer_clear(buffer);
    doc_builder_begin(&builder, buffer);
    doc_add_int(&builder, "_id", key);
    doc_add_int(&builder, "v", value);
    doc_add_binary(&builder, "p", 0, bytes_of(padding, (size_t)(value * 40)));
    CHECK_OK(doc_builder_finish(&builder));
    write.document = buffer_bytes(buffer);
    return write;
}

static enum status expected_write(enum write_kind kind, int there) {
    if (kind == WRITE_INSERT && there != ABSENT) return STATUS_DUPLICATE_KEY;
    if ((kind == WRITE_REPLACE || kind == WRITE_DELETE) && there == ABSENT) return STATUS_NOT_FOUND;
    return STATUS_OK;
}

// ---- the state ------------------------------------------------------------------------------

static void change(struct model *model, int key, int after) {
    CHECK(model->change_count < CHANGES_MAX);
    model->changes[model->change_count++] =
        (struct change){.key = key, .before = model->state[key], .after = after};
    model->state[key] = after;
}

static int seen(const struct open_transaction *open, int key) {
    return open->own[key] == UNTOUCHED ? open->snapshot[key] : open->own[key];
}

static bool inside(const struct range *range, int x) {
    return x >= range->low && x < range->high;
}

static bool touches(const struct range *range, const struct change *made) {
    if (!range->secondary) return inside(range, made->key);
    return made->before != made->after &&
           (inside(range, made->before) || inside(range, made->after));
}

static bool must_conflict(const struct model *model, const struct open_transaction *open) {
    if (!open->wrote) return false;
    for (size_t i = open->since; i < model->change_count; i++) {
        const struct change *made = &model->changes[i];
        if (open->own[made->key] != UNTOUCHED) return true;
        if (!open->serializable) continue;
        if (open->read[made->key]) return true;
        for (size_t k = 0; k < open->range_count; k++)
            if (touches(&open->ranges[k], made)) return true;
    }
    return false;
}

// ---- transactions ---------------------------------------------------------------------------

static void begin(struct model *model, struct open_transaction *open) {
    *open = (struct open_transaction){.serializable = below(model, 2) == 0,
                                      .since = model->change_count};
    memcpy(open->snapshot, model->state, sizeof open->snapshot);
    for (int i = 0; i < KEYS; i++) open->own[i] = UNTOUCHED;
    CHECK_OK(transaction_begin(model->reader,
                               open->serializable ? ISOLATION_SERIALIZABLE : ISOLATION_SNAPSHOT,
                               &open->transaction));
}

static void end(struct model *model, struct open_transaction *open) {
    struct transaction *transaction = open->transaction;
    open->transaction = NULL;
    if (below(model, 5) == 0) {
        transaction_abort(transaction);
        return;
    }
    struct write_result result;
    bool conflict = must_conflict(model, open);
    CHECK_STATUS(conflict ? STATUS_CONFLICT : STATUS_OK,
                 transaction_commit(transaction, &result, NULL));
    model->conflicts += conflict;
    model->commits += !conflict;
    for (int key = 0; key < KEYS && !conflict; key++)
        if (open->own[key] >= 0 || (open->own[key] == ABSENT && open->snapshot[key] != ABSENT))
            change(model, key, open->own[key]);
}

static void write_in(struct model *model, struct open_transaction *open) {
    static struct buffer buffers[3];
    struct write writes[3];
    int keys[3], values[3];
    size_t count = 1 + (size_t)below(model, 3), failed = 0;
    enum status expected = STATUS_OK;
    for (size_t i = 0; i < count; i++) {
        keys[i] = (below(model, KEYS / 3) * 3 + (int)i) % KEYS; // each once
        values[i] = below(model, VALUES);
        enum write_kind kind = (enum write_kind)(1 + below(model, 4));
        writes[i] = make_write(kind, model->store, keys[i], values[i], &buffers[i]);
        if (kind == WRITE_DELETE) values[i] = ABSENT;
        if (expected != STATUS_OK) continue;
        if (open->own[keys[i]] == UNTOUCHED) open->read[keys[i]] = true;
        expected = expected_write(kind, seen(open, keys[i]));
        failed = i;
    }
    struct write_result result;
    CHECK_STATUS(expected, transaction_write(open->transaction, writes, count, &result, NULL));
    if (expected != STATUS_OK) {
        CHECK_EQUAL(failed, result.failed);
        return;
    }
    open->wrote = true;
    for (size_t i = 0; i < count; i++) open->own[keys[i]] = values[i];
}

static void get_in(struct model *model, struct open_transaction *open) {
    struct view view;
    struct bytes document;
    int number = below(model, KEYS);
    struct key key = key_of(number);
    CHECK_OK(transaction_view(open->transaction, &view));
    enum status status = storage_get(&view, model->store, &key, &document, NULL);
    int expected = seen(open, number);
    CHECK_STATUS(expected == ABSENT ? STATUS_NOT_FOUND : STATUS_OK, status);
    if (expected != ABSENT) CHECK_EQUAL(expected, value_in(document));
    if (open->own[number] == UNTOUCHED) open->read[number] = true;
    view_end(&view);
}

static struct bytes bound(bool secondary, int number, struct buffer *buffer) {
    bool truncated;
    struct doc_value value = doc_value_int(number);
    struct key key = key_of(number);
    buffer_clear(buffer);
    if (secondary)
        CHECK_OK(doc_encode_index(buffer, &value, &truncated));
    else
        CHECK_OK(buffer_append(buffer, key.bytes, sizeof key.bytes));
    return buffer_bytes(buffer);
}

// The keys that a scan must give, in its order.
static size_t expected_scan(const struct open_transaction *open, const struct range *range,
                            bool reverse, int ret[KEYS]) {
    size_t count = 0;
    for (int value = 0; value < (range->secondary ? VALUES : 1); value++)
        for (int key = 0; key < KEYS; key++) {
            int there = seen(open, key);
            if (there == ABSENT || (range->secondary && there != value)) continue;
            if (inside(range, range->secondary ? value : key)) ret[count++] = key;
        }
    for (size_t i = 0; reverse && i < count / 2; i++) {
        int other = ret[i];
        ret[i] = ret[count - 1 - i];
        ret[count - 1 - i] = other;
    }
    return count;
}

static void scan_in(struct model *model, struct open_transaction *open) {
    static struct buffer lower, upper;
    struct range range = {.secondary = below(model, 2) == 0};
    int most = range.secondary ? VALUES : KEYS;
    range.low = below(model, (uint64_t)most);
    range.high = range.low + 1 + below(model, 6);
    struct scan_options options = {.store_id = model->store,
                                   .index_id = range.secondary ? model->index : 0,
                                   .reverse = below(model, 2) == 0,
                                   .keys_only = below(model, 3) == 0,
                                   .lower = bound(range.secondary, range.low, &lower),
                                   .upper = bound(range.secondary, range.high, &upper)};
    int expected[KEYS];
    size_t count = expected_scan(open, &range, options.reverse, expected);
    struct view view;
    struct scan *scan;
    struct scan_entry entry;
    CHECK_OK(transaction_view(open->transaction, &view));
    CHECK_OK(scan_open(&view, &options, &scan));
    for (size_t i = 0; i < count; i++) {
        CHECK_OK(scan_next(scan, &entry));
        CHECK_EQUAL(expected[i], number_of(&entry.key));
        if (options.keys_only) continue;
        CHECK_EQUAL(seen(open, expected[i]), value_in(entry.document));
        if (range.secondary && open->own[expected[i]] == UNTOUCHED) open->read[expected[i]] = true;
    }
    CHECK_STATUS(STATUS_END, scan_next(scan, &entry));
    scan_close(scan);
    view_end(&view);
    CHECK(open->range_count < READS_MAX);
    open->ranges[open->range_count++] = range;
}

// ---- the rest -------------------------------------------------------------------------------

static void write_alone(struct model *model) {
    static struct buffer buffer;
    int key = below(model, KEYS), value = below(model, VALUES);
    enum write_kind kind = (enum write_kind)(1 + below(model, 4));
    struct write write = make_write(kind, model->store, key, value, &buffer);
    struct write_result result;
    enum status expected = expected_write(kind, model->state[key]);
    CHECK_STATUS(expected, storage_write(model->storage, model->reader, &write, 1, &result, NULL));
    if (expected == STATUS_OK) change(model, key, kind == WRITE_DELETE ? ABSENT : value);
}

static void check_state(struct model *model) {
    struct view view;
    CHECK_OK(view_begin(model->reader, READ_LATEST, &view));
    for (int number = 0; number < KEYS; number++) {
        struct key key = key_of(number);
        struct bytes document;
        enum status status = storage_get(&view, model->store, &key, &document, NULL);
        CHECK_STATUS(model->state[number] == ABSENT ? STATUS_NOT_FOUND : STATUS_OK, status);
        if (status == STATUS_OK) CHECK_EQUAL(model->state[number], value_in(document));
    }
    view_end(&view);
}

static void open_storage(struct model *model) {
    struct error error = {0};
    if (storage_open(model->path, &model->options, &model->storage, &error) != STATUS_OK)
        test_fail(__FILE__, __LINE__, "open: %s", error.message);
    CHECK_OK(reader_open(model->storage, &model->reader));
}

static void close_storage(struct model *model, bool abandon) {
    for (int i = 0; i < TRANSACTIONS; i++) {
        transaction_abort(model->open[i].transaction);
        model->open[i].transaction = NULL;
    }
    reader_close(model->reader);
    if (abandon)
        storage_abandon(model->storage);
    else
        storage_close(model->storage);
}

static void step(struct model *model) {
    struct open_transaction *open = &model->open[below(model, TRANSACTIONS)];
    int dice = below(model, 1000);
    if (dice < 1) {
        close_storage(model, below(model, 2) == 0);
        open_storage(model);
        check_state(model);
    } else if (dice < 10) {
        CHECK_OK(storage_flush(model->storage));
    } else if (dice < 60) {
        write_alone(model);
    } else if (open->transaction == NULL) {
        begin(model, open);
    } else if (dice < 200) {
        end(model, open);
        if (below(model, 10) == 0) check_state(model);
    } else if (dice < 450) {
        write_in(model, open);
    } else if (dice < 700) {
        get_in(model, open);
    } else {
        scan_in(model, open);
    }
}

TEST(transactions_agree_with_the_model) {
    static struct model model;
    const char *operations = getenv("MODEL_OPERATIONS");
    long count = operations == NULL ? 60000 : atol(operations);
    random_seeded_init(&model.random, test_seed());
    snprintf(model.path, sizeof model.path, "%s/data", test_directory());
    model.options = storage_options_default();
    model.options.wal_segment_bytes = (int64_t)(64 * KIB);
    model.options.vlog_segment_bytes = (int64_t)MIB;
    model.options.memtable_bytes = (int64_t)(128 * KIB);
    model.options.index_map_bytes = (int64_t)GIB;
    for (int i = 0; i < KEYS; i++) model.state[i] = ABSENT;
    open_storage(&model);
    CHECK_OK(storage_create_store(model.storage, bytes_of_string("s"), KEY_INT64, &model.store,
                                  NULL, NULL));
    CHECK_OK(storage_create_index(model.storage, bytes_of_string("s"), bytes_of_string("by_v"),
                                  bytes_of_string("v"), &model.index, NULL, NULL));
    CHECK_OK(storage_wait_indexes(model.storage));
    for (long i = 0; i < count && model.change_count < CHANGES_MAX - KEYS; i++) step(&model);
    check_state(&model);
    close_storage(&model, false);
    CHECK(count < 10000 || (model.conflicts > 100 && model.commits > 100));
}
