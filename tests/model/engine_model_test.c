// SPDX-License-Identifier: Apache-2.0
// Random operations against the engine and the oracle: writes of every kind in transactions of one
// to eight, reads and scans through old and new views, DDL, flushes, flushes that stop part way,
// clean and unclean restarts. After each, both must agree.
#include "base/limits.h"
#include "oracle.h"
#include "storage/state.h"
#include "test.h"

#define HELD_VIEWS 3
#define TRANSACTION_MAX 8

struct held { // a view that outlives later operations
    bool open;
    struct reader *reader;
    struct view view;
    struct oracle *oracle;
};

struct model {
    struct random_seeded random;
    struct storage_options options;
    char path[512];
    struct storage *storage;
    struct reader *reader;
    struct oracle *oracle;
    struct held held[HELD_VIEWS];
    uint64_t counts[16];
};

static const enum key_type key_types[ORACLE_STORES] = {KEY_UUID, KEY_INT64, KEY_STRING,
                                                       KEY_OBJECT_ID};

static size_t below(struct model *model, size_t bound) {
    return (size_t)random_below(&model->random.source, bound);
}

static bool chance(struct model *model, size_t percent) {
    return below(model, 100) < percent;
}

// The process ends now and then, but power does not: syncs of the logs cost time for nothing.
static struct file_system unsynced;

static enum status unsynced_open(struct file_system *fs, const char *path, int flags,
                                 struct file **ret, struct error *error) {
    (void)fs;
    enum status status = file_system_posix()->open(file_system_posix(), path, flags, ret, error);
    if (status == STATUS_OK) (*ret)->fs = &unsynced;
    return status;
}

static enum status unsynced_sync(struct file *file) {
    (void)file;
    return STATUS_OK;
}

static enum status unsynced_sync_directory(struct file_system *fs, const char *path) {
    (void)fs;
    (void)path;
    return STATUS_OK;
}

// ---- opening and closing --------------------------------------------------------------------

static void model_open(struct model *model) {
    struct error error = {0};
    model->options.flush_interval_ms = chance(model, 50) ? 0 : 1000;
    enum status status = storage_open(model->path, &model->options, &model->storage, &error);
    if (status != STATUS_OK) test_fail(__FILE__, __LINE__, "open: %s", error.message);
    model->storage->transaction_entries_max = 10 + below(model, 300);
    CHECK_OK(reader_open(model->storage, &model->reader));
}

static void release_view(struct held *held) {
    if (!held->open) return;
    view_end(&held->view);
    reader_close(held->reader);
    oracle_free(held->oracle);
    *held = (struct held){0};
}

static void model_close(struct model *model, bool abandon) {
    for (size_t i = 0; i < HELD_VIEWS; i++) release_view(&model->held[i]);
    reader_close(model->reader);
    if (abandon)
        storage_abandon(model->storage);
    else
        storage_close(model->storage);
}

// ---- writes ---------------------------------------------------------------------------------

static void random_field(struct model *model, struct doc_builder *builder, const char *name) {
    char text[1200];
    switch (below(model, 10)) {
    case 0: // missing
        return;
    case 1:
        doc_add_null(builder, name);
        return;
    case 2:
        doc_add_double(builder, name, (double)below(model, 20) / 2);
        return;
    case 3:
    case 4: {
        // Some long enough to be truncated in an index.
        size_t size = chance(model, 10) ? 1000 + below(model, 200) : below(model, 12);
        memset(text, 'a' + (int)below(model, 2), size);
        doc_add_string(builder, name, bytes_of(text, size));
        return;
    }
    default:
        doc_add_int(builder, name, (int64_t)below(model, 20));
    }
}

static void random_document(struct model *model, struct buffer *buffer) {
    static const char padding[400];
    buffer_clear(buffer);
    struct doc_builder builder;
    doc_builder_begin(&builder, buffer);
    doc_add_int(&builder, "n", (int64_t)random_u64(&model->random.source));
    random_field(model, &builder, "a");
    random_field(model, &builder, "b");
    doc_add_binary(&builder, "p", 0, bytes_of(padding, below(model, sizeof padding)));
    CHECK_OK(doc_builder_finish(&builder));
}

struct planned {
    struct write write;
    struct oracle_store *store;
    size_t number;
};

static enum status expected_status(const struct planned *planned) {
    const struct oracle_slot *slot = &planned->store->slots[planned->number];
    const struct write *write = &planned->write;
    if (!planned->store->exists) return STATUS_NO_STORE;
    if (write->expected_sequence != 0 &&
        (!slot->exists || slot->sequence != write->expected_sequence))
        return STATUS_CONFLICT;
    if (write->kind == WRITE_INSERT && slot->exists) return STATUS_DUPLICATE_KEY;
    if ((write->kind == WRITE_REPLACE || write->kind == WRITE_DELETE) && !slot->exists)
        return STATUS_NOT_FOUND;
    return STATUS_OK;
}

static void plan_write(struct model *model, struct planned *planned, struct buffer *document) {
    planned->store = &model->oracle->stores[below(model, ORACLE_STORES)];
    planned->number = below(model, ORACLE_KEYS);
    const struct oracle_slot *slot = &planned->store->slots[planned->number];
    static const enum write_kind kinds[] = {WRITE_PUT,     WRITE_PUT,    WRITE_PUT,   WRITE_INSERT,
                                            WRITE_REPLACE, WRITE_DELETE, WRITE_DELETE};
    planned->write = (struct write){.kind = kinds[below(model, 7)],
                                    .store_id = planned->store->id,
                                    .key = oracle_key(planned->store->key_type, planned->number)};
    // Mostly what succeeds.
    if (planned->write.kind == WRITE_INSERT && slot->exists && chance(model, 90))
        planned->write.kind = WRITE_REPLACE;
    if (planned->write.kind >= WRITE_REPLACE && !slot->exists && chance(model, 90))
        planned->write.kind = WRITE_PUT;
    if (chance(model, 10)) planned->write.expected_sequence = slot->sequence;
    if (chance(model, 1)) planned->write.expected_sequence = 1 + below(model, 100);
    if (planned->write.kind != WRITE_DELETE) {
        random_document(model, document);
        planned->write.document = buffer_bytes(document);
    }
}

static bool occurs(const struct planned *planned, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (planned[i].store == planned[count].store && planned[i].number == planned[count].number)
            return true;
    return false;
}

static void do_write(struct model *model) {
    struct planned planned[TRANSACTION_MAX];
    struct write writes[TRANSACTION_MAX];
    static struct buffer documents[TRANSACTION_MAX];
    size_t count = chance(model, 70) ? 1 : 1 + below(model, TRANSACTION_MAX);
    enum status expected = STATUS_OK;
    size_t failed = 0;
    for (size_t i = 0; i < count; i++) {
        do plan_write(model, &planned[i], &documents[i]);
        while (occurs(planned, i));
        writes[i] = planned[i].write;
        if (expected != STATUS_OK) continue;
        expected = expected_status(&planned[i]);
        failed = i;
    }
    struct write_result result;
    struct error error;
    CHECK_STATUS(expected,
                 storage_write(model->storage, model->reader, writes, count, &result, &error));
    if (expected != STATUS_OK) {
        CHECK_EQUAL(failed, result.failed);
        CHECK_EQUAL(expected, error.status);
        CHECK(result.depends_on <= storage_visible(model->storage));
        return;
    }
    CHECK_EQUAL(result.first_sequence + count - 1, result.last_sequence);
    for (size_t i = 0; i < count; i++) {
        uint64_t sequence = result.first_sequence + i;
        if (writes[i].kind == WRITE_DELETE)
            oracle_delete(planned[i].store, planned[i].number, sequence);
        else
            oracle_put(planned[i].store, planned[i].number, writes[i].document, sequence);
    }
}

// ---- reads ----------------------------------------------------------------------------------

// A view with the oracle that goes with it: a new one, or one that was held.
static struct view choose_view(struct model *model, const struct oracle **ret_oracle,
                               bool *ret_end) {
    struct held *held = &model->held[below(model, HELD_VIEWS)];
    *ret_end = !held->open || chance(model, 60);
    *ret_oracle = *ret_end ? model->oracle : held->oracle;
    if (!*ret_end) return held->view;
    struct view view;
    uint64_t visible = storage_visible(model->storage);
    CHECK_OK(view_begin(model->reader, READ_LATEST, &view));
    CHECK(view.sequence >= visible);
    return view;
}

static void check_get(const struct view *view, const struct oracle_store *store, size_t number) {
    const struct oracle_slot *slot = &store->slots[number];
    struct key key = oracle_key(store->key_type, number);
    struct bytes document;
    uint64_t sequence;
    enum status status = storage_get(view, store->id, &key, &document, &sequence);
    CHECK_STATUS(slot->exists ? STATUS_OK : STATUS_NOT_FOUND, status);
    if (!slot->exists) return;
    CHECK(bytes_equal(document, bytes_of(slot->document, slot->size)));
    CHECK_EQUAL(slot->sequence, sequence);
}

static void do_get(struct model *model) {
    const struct oracle *oracle;
    bool end;
    struct view view = choose_view(model, &oracle, &end);
    const struct oracle_store *store = &oracle->stores[below(model, ORACLE_STORES)];
    if (store->exists)
        for (int i = 0; i < 4; i++) check_get(&view, store, below(model, ORACLE_KEYS));
    if (end) view_end(&view);
}

static void check_scan(const struct view *view, const struct oracle_store *store,
                       const struct scan_options *options, const char *field, size_t limit) {
    static struct oracle_entry entries[ORACLE_KEYS];
    size_t count = oracle_scan(store, options, field, entries);
    struct scan *scan;
    CHECK_OK(scan_open(view, options, &scan));
    for (size_t i = 0; i <= count && i < limit; i++) {
        struct scan_entry entry;
        enum status status = scan_next(scan, &entry);
        CHECK_STATUS(i < count ? STATUS_OK : STATUS_END, status);
        if (i == count) break;
        const struct oracle_entry *wanted = &entries[i];
        const struct oracle_slot *slot = &store->slots[wanted->number];
        struct key key = oracle_key(store->key_type, wanted->number);
        CHECK(key_compare(&key, &entry.key) == 0);
        CHECK(bytes_equal(bytes_of(wanted->sort, wanted->value_size), entry.value));
        if (options->keys_only) {
            CHECK(entry.document.data == NULL);
            continue;
        }
        CHECK(bytes_equal(entry.document, bytes_of(slot->document, slot->size)));
        CHECK_EQUAL(slot->sequence, entry.sequence);
    }
    scan_close(scan);
}

// A bound near what is there: an entry's sort key, cut or with a byte more.
static struct bytes random_bound(struct model *model, const struct oracle_store *store,
                                 const char *field, struct buffer *buffer) {
    if (chance(model, 40)) return (struct bytes){0};
    static struct oracle_entry entries[ORACLE_KEYS];
    struct scan_options all = {0};
    size_t count = oracle_scan(store, &all, field, entries);
    buffer_clear(buffer);
    if (count == 0) return bytes_of("\x80\x01\x02\x03\x04\x05\x06\x07\x08\x09zzzzzz", 16);
    const struct oracle_entry *entry = &entries[below(model, count)];
    size_t size = entry->sort_size;
    if (field != NULL && chance(model, 50)) size = chance(model, 70) ? entry->value_size : 1;
    CHECK_OK(buffer_append(buffer, entry->sort, size));
    if (field != NULL && chance(model, 20)) CHECK_OK(buffer_append(buffer, "\x00", 1));
    return buffer_bytes(buffer);
}

static void do_scan(struct model *model) {
    static struct buffer lower, upper;
    const struct oracle *oracle;
    bool end;
    struct view view = choose_view(model, &oracle, &end);
    const struct oracle_store *store = &oracle->stores[below(model, ORACLE_STORES)];
    const struct oracle_index *index = &store->indexes[below(model, ORACLE_INDEXES)];
    if (store->exists) {
        bool secondary = index->exists && index->ready && chance(model, 60);
        const char *field = secondary ? index->field : NULL;
        struct scan_options options = {.store_id = store->id,
                                       .index_id = secondary ? index->id : 0,
                                       .reverse = chance(model, 50),
                                       .keys_only = chance(model, 30)};
        options.lower = random_bound(model, store, field, &lower);
        options.upper = random_bound(model, store, field, &upper);
        check_scan(&view, store, &options, field, chance(model, 50) ? 5 : ORACLE_KEYS + 1);
    }
    if (end) view_end(&view);
}

static void do_hold(struct model *model) {
    struct held *held = &model->held[below(model, HELD_VIEWS)];
    release_view(held);
    CHECK_OK(reader_open(model->storage, &held->reader));
    CHECK_OK(view_begin(held->reader, READ_LATEST, &held->view));
    held->oracle = oracle_copy(model->oracle);
    held->open = true;
}

// ---- DDL ------------------------------------------------------------------------------------

static void do_store(struct model *model) {
    size_t number = below(model, ORACLE_STORES);
    struct oracle_store *store = &model->oracle->stores[number];
    struct bytes name = bytes_of_string(store->name);
    if (store->exists && number == 0) return; // one stays, so that something becomes old
    if (store->exists) {
        CHECK_STATUS(STATUS_EXISTS,
                     storage_create_store(model->storage, name, store->key_type, NULL, NULL, NULL));
        CHECK_OK(storage_drop_store(model->storage, name, NULL, NULL));
        oracle_clear(store);
        store->exists = false;
        memset(store->indexes, 0, sizeof store->indexes);
        return;
    }
    CHECK_STATUS(STATUS_NO_STORE, storage_drop_store(model->storage, name, NULL, NULL));
    uint32_t before = store->id;
    CHECK_OK(storage_create_store(model->storage, name, store->key_type, &store->id, NULL, NULL));
    CHECK(store->id != before);
    store->exists = true;
}

static void do_index(struct model *model) {
    struct oracle_store *store = &model->oracle->stores[below(model, ORACLE_STORES)];
    size_t number = below(model, ORACLE_INDEXES);
    struct oracle_index *index = &store->indexes[number];
    struct bytes name = bytes_of_string(number == 0 ? "by_a" : "by_b");
    struct bytes of = bytes_of_string(store->name);
    if (!store->exists) return;
    if (index->exists && chance(model, 50)) {
        CHECK_OK(storage_drop_index(model->storage, of, name, NULL, NULL));
        *index = (struct oracle_index){0};
        return;
    }
    if (index->exists) return;
    *index = (struct oracle_index){.exists = true, .field = {(char)('a' + (int)number), 0}};
    CHECK_OK(storage_create_index(model->storage, of, name, bytes_of_string(index->field),
                                  &index->id, NULL, NULL));
}

// Most of the time indexes become ready while other things happen; here one waits for them.
static void do_wait(struct model *model) {
    CHECK_OK(storage_wait_indexes(model->storage));
    for (size_t s = 0; s < ORACLE_STORES; s++)
        for (size_t i = 0; i < ORACLE_INDEXES; i++)
            model->oracle->stores[s].indexes[i].ready = model->oracle->stores[s].indexes[i].exists;
}

static void check_all(struct model *model) {
    struct view view;
    CHECK_OK(view_begin(model->reader, READ_LATEST, &view));
    for (size_t s = 0; s < ORACLE_STORES; s++) {
        const struct oracle_store *store = &model->oracle->stores[s];
        if (!store->exists) continue;
        struct scan_options options = {.store_id = store->id};
        check_scan(&view, store, &options, NULL, ORACLE_KEYS + 1);
        for (size_t i = 0; i < ORACLE_INDEXES; i++) {
            if (!store->indexes[i].ready) continue;
            options.index_id = store->indexes[i].id;
            check_scan(&view, store, &options, store->indexes[i].field, ORACLE_KEYS + 1);
        }
    }
    view_end(&view);
}

// ---- flushes and restarts -------------------------------------------------------------------

static void do_flush(struct model *model) {
    uint64_t visible = storage_visible(model->storage);
    CHECK_OK(storage_flush(model->storage));
    CHECK(storage_checkpoint(model->storage) >= visible);
}

static void do_restart(struct model *model) {
    bool abandon = chance(model, 60);
    if (abandon && chance(model, 60)) {
        // A flush that stops after a few of its transactions.
        atomic_store(&model->storage->stop_after_transactions, 1 + below(model, 6));
        enum status status = storage_flush(model->storage);
        CHECK(status == STATUS_OK || status == STATUS_CANCELLED);
        model->counts[15] += status == STATUS_CANCELLED;
    }
    model_close(model, abandon);
    model_open(model);
    check_all(model);
}

static void step(struct model *model) {
    static const struct {
        unsigned weight; // of 10000
        void (*function)(struct model *model);
    } actions[] = {
        {6000, do_write}, {3000, do_get}, {815, do_scan}, {100, do_hold},  {20, do_flush},
        {10, do_store},   {35, do_index}, {14, do_wait},  {6, do_restart},
    };
    size_t pick = below(model, 10000);
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        if (pick < actions[i].weight) {
            model->counts[i]++;
            actions[i].function(model);
            return;
        }
        pick -= actions[i].weight;
    }
    UNREACHABLE();
}

TEST(engine_agrees_with_the_oracle) {
    struct model model = {.options = storage_options_default()};
    const char *wanted = getenv("MODEL_OPERATIONS");
    size_t operations = wanted == NULL ? 200000 : strtoull(wanted, NULL, 10);
    printf("# TEST_SEED=%llu MODEL_OPERATIONS=%zu\n", (unsigned long long)test_seed(), operations);
    random_seeded_init(&model.random, test_seed());
    unsynced = *file_system_posix();
    unsynced.open = unsynced_open;
    unsynced.sync = unsynced_sync;
    unsynced.sync_directory = unsynced_sync_directory;
    model.options.fs = &unsynced;
    model.options.wal_segment_bytes = (int64_t)(64 * KIB);
    model.options.vlog_segment_bytes = (int64_t)MIB;
    model.options.memtable_bytes = (int64_t)(512 * KIB);
    model.options.index_map_bytes = (int64_t)GIB;
    snprintf(model.path, sizeof model.path, "%s/data", test_directory());
    model.oracle = calloc(1, sizeof *model.oracle);
    CHECK(model.oracle != NULL);
    for (size_t i = 0; i < ORACLE_STORES; i++) {
        struct oracle_store *store = &model.oracle->stores[i];
        store->key_type = key_types[i];
        snprintf(store->name, sizeof store->name, "s%zu", i);
    }
    model_open(&model);
    do_store(&model);
    for (size_t i = 0; i < operations; i++) step(&model);
    check_all(&model);
    model_close(&model, false);
    model_open(&model);
    check_all(&model);
    do_wait(&model);
    check_all(&model);
    model_close(&model, false);
    oracle_free(model.oracle);
    printf("# %llu writes, %llu scans, %llu restarts, %llu flushes cut short\n",
           (unsigned long long)model.counts[0], (unsigned long long)model.counts[2],
           (unsigned long long)model.counts[8], (unsigned long long)model.counts[15]);
}
