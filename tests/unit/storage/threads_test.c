// SPDX-License-Identifier: Apache-2.0
// Writers, readers, DDL and flushes at once. Every transaction writes the same value into two
// stores, so any view in which they differ is a broken one; made for the thread sanitizer.
#include "base/limits.h"
#include "storage_fixture.h"

#define STRESS_KEYS 64
#define STRESS_WRITES 3000

struct stress {
    struct storage *storage;
    uint32_t left, right, counter, index;
    uint64_t seed;
    _Atomic bool *stop;
};

static void stress_transaction(const struct stress *stress, struct reader *reader,
                               struct random_seeded *random) {
    int64_t id = (int64_t)random_below(&random->source, STRESS_KEYS);
    int64_t value = (int64_t)random_below(&random->source, 1000);
    uint8_t left[64], right[64]; // document() is for one thread
    for (int i = 0; i < 2; i++) {
        struct buffer buffer = {.data = i == 0 ? left : right, .capacity = 64, .limit = 64};
        struct doc_builder builder;
        doc_builder_begin(&builder, &buffer);
        doc_add_int(&builder, "v", value);
        CHECK_OK(doc_builder_finish(&builder));
    }
    size_t size = load_le32(left);
    struct write writes[] = {{WRITE_PUT, stress->left, int_key(id), bytes_of(left, size), 0},
                             {WRITE_PUT, stress->right, int_key(id), bytes_of(right, size), 0}};
    struct write_result result;
    CHECK_OK(storage_write(stress->storage, reader, writes, 2, &result, NULL));
}

// Adds one to a document that all writers contend for.
static void stress_increment(const struct stress *stress, struct reader *reader) {
    enum status status;
    do {
        struct view view;
        struct key key = int_key(1);
        struct bytes found;
        uint64_t sequence;
        CHECK_OK(view_begin(reader, READ_LATEST, &view));
        CHECK_OK(storage_get(&view, stress->counter, &key, &found, &sequence));
        uint8_t copy[64];
        struct buffer buffer = {.data = copy, .capacity = 64, .limit = 64};
        struct doc_builder builder;
        doc_builder_begin(&builder, &buffer);
        doc_add_int(&builder, "v", document_value(found) + 1);
        CHECK_OK(doc_builder_finish(&builder));
        view_end(&view);
        struct write write = {WRITE_REPLACE, stress->counter, key, buffer_bytes(&buffer), sequence};
        struct write_result result;
        status = storage_write(stress->storage, reader, &write, 1, &result, NULL);
    } while (status == STATUS_CONFLICT);
    CHECK_OK(status);
}

static void stress_write(void *context) {
    const struct stress *stress = context;
    struct random_seeded random;
    random_seeded_init(&random, stress->seed);
    struct reader *reader;
    CHECK_OK(reader_open(stress->storage, &reader));
    for (int i = 0; i < STRESS_WRITES; i++) {
        stress_transaction(stress, reader, &random);
        if (i % 4 == 0) stress_increment(stress, reader);
    }
    reader_close(reader);
}

static void stress_check(const struct stress *stress, const struct view *view) {
    struct scan *scans[3];
    for (uint32_t i = 0; i < 3; i++) {
        struct scan_options options = {.store_id = i == 1 ? stress->right : stress->left,
                                       .index_id = i == 2 ? stress->index : 0};
        CHECK_OK(scan_open(view, &options, &scans[i]));
    }
    struct scan_entry left, right, indexed;
    size_t count = 0, index_count = 0;
    while (scan_next(scans[0], &left) == STATUS_OK) {
        CHECK_OK(scan_next(scans[1], &right));
        CHECK(key_compare(&left.key, &right.key) == 0);
        CHECK_EQUAL(document_value(left.document), document_value(right.document));
        CHECK_EQUAL(left.sequence + 1, right.sequence);
        CHECK_EQUAL(document_value(left.document), get_at(view, stress->right, key_int(&left.key)));
        count++;
    }
    CHECK_STATUS(STATUS_END, scan_next(scans[1], &right));
    int64_t before = -1;
    while (scan_next(scans[2], &indexed) == STATUS_OK) {
        CHECK(document_value(indexed.document) >= before);
        before = document_value(indexed.document);
        index_count++;
    }
    CHECK_EQUAL(count, index_count);
    for (int i = 0; i < 3; i++) scan_close(scans[i]);
}

static void stress_read(void *context) {
    const struct stress *stress = context;
    struct reader *reader;
    CHECK_OK(reader_open(stress->storage, &reader));
    uint64_t last = 0;
    for (int i = 0; !atomic_load(stress->stop); i++) {
        struct view view;
        CHECK_OK(view_begin(reader, i % 2 == 0 ? READ_ACK : READ_LATEST, &view));
        if (i % 2 == 1) CHECK(view.sequence >= last);
        last = view.sequence;
        stress_check(stress, &view);
        view_end(&view);
        reader_idle(reader, i % 16 == 0);
    }
    reader_close(reader);
}

TEST(threads_see_whole_transactions) {
    struct database database = {.options = database_options()};
    database.options.memtable_bytes = (int64_t)(128 * KIB);
    database.options.generations_max = 2;
    database_open(&database);
    atomic_store(&database.storage->transaction_entries_max, 20);
    _Atomic bool stop = false;
    struct stress stress = {.storage = database.storage, .stop = &stop};
    stress.left = create_store(&database, "left");
    stress.right = create_store(&database, "right");
    stress.counter = create_store(&database, "counter");
    stress.index = create_index(&database, "left", "by_v", "v");
    CHECK_OK(storage_wait_indexes(database.storage));
    put(&database, stress.counter, 1, 0);
    struct thread writers[2] = {0}, readers[2] = {0};
    struct stress each[2] = {stress, stress};
    for (int i = 0; i < 2; i++) {
        each[i].seed = test_seed() + (uint64_t)i;
        CHECK_OK(thread_start(&writers[i], "writer", stress_write, &each[i]));
        CHECK_OK(thread_start(&readers[i], "reader", stress_read, &stress));
    }
    for (int i = 0; i < 10; i++) {
        uint32_t store = create_store(&database, "passing");
        put(&database, store, 1, i);
        create_index(&database, "right", "passing", "v");
        CHECK_OK(storage_flush(database.storage));
        CHECK_EQUAL(i, get(&database, store, 1));
        CHECK_OK(storage_drop_index(database.storage, bytes_of_string("right"),
                                    bytes_of_string("passing"), NULL, NULL));
        CHECK_OK(storage_drop_store(database.storage, bytes_of_string("passing"), NULL, NULL));
    }
    for (int i = 0; i < 2; i++) thread_join(&writers[i]);
    atomic_store(&stop, true);
    for (int i = 0; i < 2; i++) thread_join(&readers[i]);
    CHECK_EQUAL(2 * ((STRESS_WRITES + 3) / 4), get(&database, stress.counter, 1));
    database_close(&database);
}

// ---- transactions ---------------------------------------------------------------------------

#define ACCOUNTS 4
#define TRANSFERS 400

struct bank {
    struct storage *storage;
    uint32_t accounts, log;
    uint64_t seed;
    int64_t thread;
};

static int64_t bank_sum(struct transaction *transaction, uint32_t store, int64_t values[ACCOUNTS]) {
    struct view view;
    struct scan *scan;
    struct scan_entry entry;
    struct scan_options options = {.store_id = store};
    int64_t sum = 0;
    CHECK_OK(transaction_view(transaction, &view));
    CHECK_OK(scan_open(&view, &options, &scan));
    for (int i = 0; i < ACCOUNTS; i++) {
        CHECK_OK(scan_next(scan, &entry));
        sum += values[i] = document_value(entry.document);
    }
    CHECK_STATUS(STATUS_END, scan_next(scan, &entry));
    scan_close(scan);
    view_end(&view);
    return sum;
}

static void bank_put(struct transaction *transaction, uint32_t store, int64_t id, int64_t value) {
    uint8_t bytes[64]; // document() is for one thread
    struct buffer buffer = {.data = bytes, .capacity = 64, .limit = 64};
    struct doc_builder builder;
    struct write_result result;
    doc_builder_begin(&builder, &buffer);
    doc_add_int(&builder, "v", value);
    CHECK_OK(doc_builder_finish(&builder));
    struct write write = {WRITE_PUT, store, int_key(id), buffer_bytes(&buffer), 0};
    CHECK_OK(transaction_write(transaction, &write, 1, &result, NULL));
}

// Takes 1 from one account when the sum allows it, or gives 1, and notes that it did.
static enum status bank_transfer(struct bank *bank, struct reader *reader,
                                 struct random_seeded *random, int64_t number) {
    struct transaction *transaction;
    int64_t values[ACCOUNTS];
    struct write_result result;
    CHECK_OK(transaction_begin(reader, ISOLATION_SERIALIZABLE, &transaction));
    int64_t sum = bank_sum(transaction, bank->accounts, values);
    CHECK(sum >= 0);
    int64_t chosen = (int64_t)random_below(&random->source, ACCOUNTS);
    int64_t change = sum == 0 || random_below(&random->source, 3) == 0 ? 1 : -1;
    bank_put(transaction, bank->accounts, chosen, values[chosen] + change);
    bank_put(transaction, bank->log, bank->thread * 100000 + number, change);
    return transaction_commit(transaction, &result, NULL);
}

static void bank_run(void *context) {
    struct bank *bank = context;
    struct random_seeded random;
    struct reader *reader;
    random_seeded_init(&random, bank->seed);
    CHECK_OK(reader_open(bank->storage, &reader));
    for (int64_t i = 0; i < TRANSFERS;) {
        enum status status = bank_transfer(bank, reader, &random, i);
        if (status == STATUS_OK)
            i++;
        else
            CHECK_STATUS(STATUS_CONFLICT, status);
    }
    reader_close(reader);
}

TEST(threads_with_serializable_transactions_keep_what_each_has_checked) {
    struct database database = {.options = database_options()};
    database.options.memtable_bytes = (int64_t)(64 * KIB);
    database.options.generations_max = 2;
    database_open(&database);
    struct bank bank = {.storage = database.storage};
    bank.accounts = create_store(&database, "accounts");
    bank.log = create_store(&database, "log");
    for (int64_t i = 0; i < ACCOUNTS; i++) put(&database, bank.accounts, i, 0);
    struct thread threads[3] = {0};
    struct bank each[3] = {bank, bank, bank};
    for (int i = 0; i < 3; i++) {
        each[i].seed = test_seed() + (uint64_t)i;
        each[i].thread = i + 1;
        CHECK_OK(thread_start(&threads[i], "bank", bank_run, &each[i]));
    }
    for (int i = 0; i < 20; i++) CHECK_OK(storage_flush(database.storage));
    for (int i = 0; i < 3; i++) thread_join(&threads[i]);
    struct view view = begin(&database);
    int64_t sum = 0, logged = 0;
    for (int64_t i = 0; i < ACCOUNTS; i++) sum += get_at(&view, bank.accounts, i);
    for (int64_t thread = 1; thread <= 3; thread++)
        for (int64_t i = 0; i < TRANSFERS; i++)
            logged += get_at(&view, bank.log, thread * 100000 + i);
    view_end(&view);
    CHECK_EQUAL(logged, sum);
    CHECK(sum >= 0);
    database_close(&database);
}
