// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"
#include "base/limits.h"
#include "storage/catalog.h"
#include "test.h"

static struct bytes text(const char *string) {
    return bytes_of_string(string);
}

// Applies an operation, giving up the reference to `catalog`.
static struct catalog *apply(struct catalog *catalog, enum operation_kind kind, uint32_t id,
                             struct buffer *value) {
    struct operation operation = {.kind = kind, .id = id};
    if (value != NULL) operation.value = buffer_bytes(value);
    struct catalog *after = NULL;
    CHECK_OK(catalog_apply(catalog, &operation, &after));
    catalog_unref(catalog);
    if (value != NULL) buffer_done(value);
    return after;
}

static void check_refused(const struct catalog *catalog, enum operation_kind kind, uint32_t id,
                          struct bytes value) {
    struct operation operation = {.kind = kind, .id = id, .value = value};
    struct catalog *after = NULL;
    CHECK_STATUS(STATUS_CORRUPT, catalog_apply(catalog, &operation, &after));
}

static struct catalog *create_store(struct catalog *catalog, uint32_t id, const char *name) {
    struct buffer value = {0};
    CHECK_OK(catalog_encode_store(&value, id, text(name), KEY_UUID));
    return apply(catalog, OPERATION_CREATE_STORE, id, &value);
}

static struct catalog *create_index(struct catalog *catalog, uint32_t id, uint32_t store_id,
                                    const char *name) {
    struct buffer value = {0};
    CHECK_OK(catalog_encode_index(&value, id, store_id, text(name), text("address.city"),
                                  INDEX_BUILDING));
    return apply(catalog, OPERATION_CREATE_INDEX, id, &value);
}

// Stores zoo, ants, mice with indexes on the first two.
static struct catalog *sample(void) {
    struct catalog *catalog = create_store(catalog_new(), 1, "zoo");
    catalog = create_store(catalog, 2, "ants");
    catalog = create_store(catalog, 3, "mice");
    catalog = create_index(catalog, 1, 1, "by_city");
    catalog = create_index(catalog, 2, 2, "by_city");
    catalog = create_index(catalog, 3, 1, "by_town");
    return apply(catalog, OPERATION_INDEX_READY, 3, NULL);
}

TEST(catalog_finds_stores_and_indexes) {
    struct catalog *catalog = sample();
    CHECK_EQUAL(3, catalog_store_count(catalog));
    CHECK(strcmp(catalog_store_at(catalog, 0)->name, "ants") == 0);
    CHECK(strcmp(catalog_store_at(catalog, 1)->name, "mice") == 0);
    CHECK(strcmp(catalog_store_at(catalog, 2)->name, "zoo") == 0);
    const struct store_info *zoo = catalog_store(catalog, text("zoo"));
    CHECK(zoo != NULL && zoo == catalog_store_by_id(catalog, 1));
    CHECK_EQUAL(KEY_UUID, zoo->key_type);
    CHECK_EQUAL(2, zoo->index_count);
    const struct index_info *town = store_index(zoo, text("by_town"));
    CHECK(town != NULL && town == catalog_index_by_id(catalog, 3));
    CHECK_EQUAL(INDEX_READY, town->state);
    CHECK_EQUAL(INDEX_BUILDING, store_index(zoo, text("by_city"))->state);
    CHECK(strcmp(town->field, "address.city") == 0);
    CHECK_EQUAL(1, town->store_id);
    CHECK(catalog_store(catalog, text("zo")) == NULL);
    CHECK(catalog_store(catalog, text("zoos")) == NULL);
    CHECK(catalog_store(catalog, bytes_of(NULL, 0)) == NULL);
    CHECK(catalog_store_by_id(catalog, 4) == NULL);
    CHECK(catalog_index_by_id(catalog, 4) == NULL);
    CHECK(store_index(zoo, text("by")) == NULL);
    CHECK_EQUAL(4, catalog_next_store_id(catalog));
    CHECK_EQUAL(4, catalog_next_index_id(catalog));
    catalog_unref(catalog);
}

TEST(catalog_versions_do_not_disturb_each_other) {
    struct catalog *before = sample();
    const struct store_info *ants = catalog_store(before, text("ants"));
    struct catalog *after = apply(catalog_ref(before), OPERATION_DROP_STORE, 1, NULL);
    CHECK(catalog_store(after, text("zoo")) == NULL);
    CHECK(catalog_index_by_id(after, 1) == NULL);
    CHECK(catalog_index_by_id(after, 3) == NULL);
    CHECK(catalog_index_by_id(after, 2) != NULL);
    CHECK_EQUAL(2, catalog_store_count(after));
    CHECK(catalog_store(after, text("ants")) == ants); // shared, not copied
    CHECK_EQUAL(4, catalog_next_store_id(after));
    CHECK(catalog_store(before, text("zoo")) != NULL);
    CHECK(catalog_index_by_id(before, 3) != NULL);
    catalog_unref(before);
    CHECK(strcmp(ants->name, "ants") == 0);
    after = apply(after, OPERATION_DROP_INDEX, 2, NULL);
    CHECK_EQUAL(0, catalog_store(after, text("ants"))->index_count);
    after = create_index(after, 4, 2, "by_city");
    CHECK_EQUAL(4, store_index(catalog_store(after, text("ants")), text("by_city"))->id);
    after = create_store(after, 4, "zoo"); // the name is free again, the id is not
    CHECK_EQUAL(4, catalog_store(after, text("zoo"))->id);
    catalog_unref(after);
}

TEST(catalog_refuses_operations_that_do_not_fit) {
    struct catalog *catalog = sample();
    const struct bytes nothing = {0};
    struct buffer value = {0};
    const enum operation_kind unknown[] = {OPERATION_DROP_STORE, OPERATION_INDEX_READY,
                                           OPERATION_DROP_INDEX};
    for (size_t i = 0; i < 3; i++) {
        check_refused(catalog, unknown[i], 0, nothing);
        check_refused(catalog, unknown[i], 4, nothing);
        check_refused(catalog, unknown[i], UINT32_MAX, nothing);
    }
    check_refused(catalog, OPERATION_PUT, 1, nothing);
    check_refused(catalog, OPERATION_CREATE_STORE, 4, nothing);
    const struct {
        uint32_t id, operation_id;
        const char *name;
        int key_type;
    } stores[] = {
        {4, 4, "zoo", KEY_UUID}, {3, 3, "new", KEY_UUID}, {4, 5, "new", KEY_UUID},
        {4, 4, "new", 0},        {4, 4, "new", 5},        {4, 4, "", KEY_UUID},
        {4, 4, "a/b", KEY_UUID}, {4, 4, ".x", KEY_UUID},  {UINT32_MAX, UINT32_MAX, "new", 1},
    };
    for (size_t i = 0; i < sizeof stores / sizeof stores[0]; i++) {
        buffer_clear(&value);
        CHECK_OK(catalog_encode_store(&value, stores[i].id, text(stores[i].name),
                                      (enum key_type)stores[i].key_type));
        check_refused(catalog, OPERATION_CREATE_STORE, stores[i].operation_id,
                      buffer_bytes(&value));
    }
    const struct {
        uint32_t id, store_id;
        const char *name, *field;
        int state;
    } indexes[] = {
        {3, 1, "new", "a", 1},     {4, 9, "new", "a", 1},    {4, 1, "by_city", "a", 1},
        {4, 1, "new", "", 1},      {4, 1, "new", "a..b", 1}, {4, 1, "new", "a", 3},
        {4, 1, "new one", "a", 1}, {4, 0, "new", "a", 1},    {UINT32_MAX, 1, "new", "a", 1},
    };
    for (size_t i = 0; i < sizeof indexes / sizeof indexes[0]; i++) {
        buffer_clear(&value);
        CHECK_OK(catalog_encode_index(&value, indexes[i].id, indexes[i].store_id,
                                      text(indexes[i].name), text(indexes[i].field),
                                      (enum index_state)indexes[i].state));
        check_refused(catalog, OPERATION_CREATE_INDEX, indexes[i].id, buffer_bytes(&value));
    }
    buffer_done(&value);
    catalog_unref(catalog);
}

// Each byte of a value changed in turn: refused, or a catalogue that still makes sense.
TEST(catalog_survives_hostile_values) {
    struct catalog *catalog = sample();
    struct buffer value = {0};
    for (int kind = OPERATION_CREATE_STORE; kind <= OPERATION_CREATE_INDEX;
         kind += OPERATION_CREATE_INDEX - OPERATION_CREATE_STORE) {
        buffer_clear(&value);
        if (kind == OPERATION_CREATE_STORE)
            CHECK_OK(catalog_encode_store(&value, 4, text("new"), KEY_STRING));
        else
            CHECK_OK(catalog_encode_index(&value, 4, 2, text("new"), text("f"), INDEX_BUILDING));
        for (size_t size = 0; size < value.size; size++) {
            struct operation operation = {.kind = (enum operation_kind)kind, .id = 4};
            operation.value = bytes_of(value.data, size);
            struct catalog *after = NULL;
            CHECK_STATUS(STATUS_CORRUPT, catalog_apply(catalog, &operation, &after));
        }
        for (size_t i = 0; i < value.size * 256; i++) {
            uint8_t kept = value.data[i / 256];
            value.data[i / 256] = (uint8_t)i;
            struct operation operation = {.kind = (enum operation_kind)kind, .id = 4};
            operation.value = buffer_bytes(&value);
            struct catalog *after = NULL;
            enum status status = catalog_apply(catalog, &operation, &after);
            CHECK(status == STATUS_OK || status == STATUS_CORRUPT);
            if (status == STATUS_OK) CHECK(catalog_store_count(after) >= 3);
            if (status == STATUS_OK) catalog_unref(after);
            value.data[i / 256] = kept;
        }
    }
    buffer_done(&value);
    catalog_unref(catalog);
}

// A map from entry name to value in place of the index's tree.
struct entries {
    struct map *map;
    size_t writes;
};

static enum status write_entry(struct bytes name, struct bytes value, void *context) {
    struct entries *entries = context;
    entries->writes++;
    struct bytes *old = map_remove(entries->map, name);
    CHECK(value.data != NULL || old != NULL);
    free(old);
    if (value.data == NULL) return STATUS_OK;
    struct bytes *copy = malloc(sizeof *copy + value.size);
    *copy = bytes_of(copy + 1, value.size);
    memcpy(copy + 1, value.data, value.size);
    CHECK(map_put(entries->map, name, copy));
    return STATUS_OK;
}

static struct catalog *load(const struct entries *entries) {
    struct catalog *catalog = catalog_new();
    size_t cursor = 0;
    struct bytes name;
    void *value;
    while (map_next(entries->map, &cursor, &name, &value))
        CHECK_OK(catalog_load(catalog, name, *(struct bytes *)value));
    CHECK_OK(catalog_load_end(catalog));
    return catalog;
}

static void free_entries(struct entries *entries) {
    size_t cursor = 0;
    struct bytes name;
    void *value;
    while (map_next(entries->map, &cursor, &name, &value)) free(value);
    map_free(entries->map);
}

static void check_same_index(const struct index_info *a, const struct index_info *b) {
    CHECK_EQUAL(a->id, b->id);
    CHECK_EQUAL(a->store_id, b->store_id);
    CHECK_EQUAL(a->state, b->state);
    CHECK(strcmp(a->name, b->name) == 0 && strcmp(a->field, b->field) == 0);
}

static void check_same(const struct catalog *a, const struct catalog *b) {
    CHECK_EQUAL(catalog_store_count(a), catalog_store_count(b));
    CHECK_EQUAL(catalog_next_store_id(a), catalog_next_store_id(b));
    CHECK_EQUAL(catalog_next_index_id(a), catalog_next_index_id(b));
    for (size_t i = 0; i < catalog_store_count(a); i++) {
        const struct store_info *one = catalog_store_at(a, i), *other = catalog_store_at(b, i);
        CHECK_EQUAL(one->id, other->id);
        CHECK_EQUAL(one->key_type, other->key_type);
        CHECK(strcmp(one->name, other->name) == 0);
        CHECK_EQUAL(one->index_count, other->index_count);
        for (size_t j = 0; j < one->index_count; j++)
            check_same_index(one->indexes[j], other->indexes[j]);
    }
}

TEST(catalog_changes_and_loading_round_trip) {
    struct entries entries = {.map = map_new()};
    struct catalog *before = NULL, *after = sample();
    CHECK_OK(catalog_store_changes(NULL, after, write_entry, &entries));
    CHECK_EQUAL(7, entries.writes);
    for (int step = 0; step < 6; step++) {
        struct catalog *loaded = load(&entries);
        check_same(after, loaded);
        catalog_unref(loaded);
        catalog_unref(before);
        before = after;
        catalog_ref(before);
        entries.writes = 0;
        if (step == 0) after = apply(after, OPERATION_INDEX_READY, 1, NULL);
        if (step == 1) after = apply(after, OPERATION_DROP_INDEX, 2, NULL);
        if (step == 2) after = create_store(after, 4, "bats");
        if (step == 3) after = create_index(after, 4, 3, "by_tail");
        if (step == 4) after = apply(after, OPERATION_DROP_STORE, 1, NULL);
        CHECK_OK(catalog_store_changes(before, after, write_entry, &entries));
        const size_t writes[] = {1, 1, 2, 2, 3, 0};
        CHECK_EQUAL(writes[step], entries.writes);
    }
    catalog_unref(before);
    catalog_unref(after);
    free_entries(&entries);
}

static enum status refuse_entry(struct bytes name, struct bytes value, void *context) {
    return STATUS_NO_SPACE;
}

TEST(catalog_changes_end_with_the_writers_failure) {
    struct catalog *catalog = sample();
    CHECK_STATUS(STATUS_NO_SPACE, catalog_store_changes(NULL, catalog, refuse_entry, NULL));
    catalog_unref(catalog);
}

TEST(catalog_refuses_entries_that_do_not_fit) {
    struct catalog *catalog = catalog_new();
    struct buffer store = {0}, index = {0};
    CHECK_OK(catalog_encode_store(&store, 7, text("zoo"), KEY_INT64));
    CHECK_OK(catalog_encode_index(&index, 8, 7, text("by_a"), text("a"), INDEX_READY));
    struct bytes s7 = bytes_of("s\0\0\0\7", 5), i8 = bytes_of("i\0\0\0\10", 5);
    CHECK_STATUS(STATUS_CORRUPT, catalog_load(catalog, bytes_of("s", 1), buffer_bytes(&store)));
    CHECK_STATUS(STATUS_CORRUPT, catalog_load(catalog, bytes_of("", 0), buffer_bytes(&store)));
    CHECK_STATUS(STATUS_CORRUPT, catalog_load(catalog, i8, buffer_bytes(&store)));
    CHECK_STATUS(STATUS_CORRUPT, catalog_load(catalog, text("n"), buffer_bytes(&store)));
    CHECK_STATUS(STATUS_CORRUPT,
                 catalog_load(catalog, bytes_of("s\0\0\0\6", 5), buffer_bytes(&store)));
    CHECK_STATUS(STATUS_CORRUPT,
                 catalog_load(catalog, bytes_of("x\0\0\0\7", 5), buffer_bytes(&store)));
    CHECK_OK(catalog_load(catalog, i8, buffer_bytes(&index)));
    CHECK_STATUS(STATUS_CORRUPT, catalog_load_end(catalog));
    check_refused(catalog, OPERATION_DROP_STORE, 7, bytes_of(NULL, 0));
    CHECK_OK(catalog_load(catalog, s7, buffer_bytes(&store)));
    CHECK_OK(catalog_load_end(catalog));
    CHECK_STATUS(STATUS_CORRUPT, catalog_load(catalog, s7, buffer_bytes(&store)));
    CHECK_STATUS(STATUS_CORRUPT, catalog_load(catalog, i8, buffer_bytes(&index)));
    CHECK_EQUAL(8, catalog_next_store_id(catalog));
    CHECK_EQUAL(9, catalog_next_index_id(catalog));
    CHECK_EQUAL(KEY_INT64, catalog_store(catalog, text("zoo"))->key_type);
    CHECK(catalog_index_by_id(catalog, 8) != NULL);
    buffer_done(&store);
    buffer_done(&index);
    catalog_unref(catalog);
}

TEST(catalog_checks_names) {
    char longest[STORE_NAME_MAX + 2];
    memset(longest, 'n', sizeof longest);
    const char *good[] = {"a", "Z9", "_", "a.b-c_d", "0", "_."};
    const char *bad[] = {"", ".", "-", ".a", "-a", "a b", "a/b", "a\n", "\xc3\xa4", "a*"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        CHECK_OK(catalog_check_name(text(good[i]), NULL));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct error error = {0};
        CHECK_STATUS(STATUS_INVALID, catalog_check_name(text(bad[i]), &error));
        CHECK(error.message[0] != '\0');
    }
    CHECK_OK(catalog_check_name(bytes_of(longest, STORE_NAME_MAX), NULL));
    CHECK_STATUS(STATUS_INVALID, catalog_check_name(bytes_of(longest, STORE_NAME_MAX + 1), NULL));
    CHECK_STATUS(STATUS_INVALID, catalog_check_name(bytes_of("a\0b", 3), NULL));
}

// Random creation and dropping of many stores beside a plain array of what must be there.
TEST(catalog_holds_many_stores) {
    enum { COUNT = 2000 };
    struct catalog *catalog = catalog_new();
    struct random_seeded random;
    random_seeded_init(&random, test_seed());
    static uint32_t ids[COUNT];
    char name[32];
    for (int step = 0; step < 3 * COUNT; step++) {
        size_t i = (size_t)random_below(&random.source, COUNT);
        snprintf(name, sizeof name, "store-%zu", i);
        if (ids[i] == 0) {
            ids[i] = catalog_next_store_id(catalog);
            catalog = create_store(catalog, ids[i], name);
        } else if (step % 3 != 0) {
            catalog = apply(catalog, OPERATION_DROP_STORE, ids[i], NULL);
            ids[i] = 0;
        } else {
            char index[32];
            snprintf(index, sizeof index, "index-%u", catalog_next_index_id(catalog));
            catalog = create_index(catalog, catalog_next_index_id(catalog), ids[i], index);
        }
    }
    size_t there = 0;
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "store-%zu", i);
        const struct store_info *store = catalog_store(catalog, text(name));
        CHECK((store != NULL) == (ids[i] != 0));
        if (store == NULL) continue;
        there++;
        CHECK_EQUAL(ids[i], store->id);
        CHECK(catalog_store_by_id(catalog, ids[i]) == store);
        for (size_t j = 0; j < store->index_count; j++)
            CHECK(catalog_index_by_id(catalog, store->indexes[j]->id) == store->indexes[j]);
    }
    CHECK_EQUAL(there, catalog_store_count(catalog));
    for (size_t i = 1; i < there; i++)
        CHECK(strcmp(catalog_store_at(catalog, i - 1)->name, catalog_store_at(catalog, i)->name) <
              0);
    catalog_unref(catalog);
}
