// SPDX-License-Identifier: Apache-2.0
// The operation pql: whole queries through dispatch.
#include "fixture.h"

static const char *const products[] = {
    "{\"_id\": 1, \"name\": \"Carbonara\", \"category\": \"pasta\", \"price\": 9, \"tags\": "
    "[\"pork\"], \"stock\": 4, \"size\": {\"g\": 350}}",
    "{\"_id\": 2, \"name\": \"Arrabbiata\", \"category\": \"pasta\", \"price\": 7.5, \"tags\": "
    "[\"hot\", \"vegan\"], \"stock\": 12}",
    "{\"_id\": 3, \"name\": \"Diavola\", \"category\": \"pizza\", \"price\": 11, \"tags\": "
    "[\"hot\", \"pork\"], \"stock\": 3}",
    "{\"_id\": 4, \"name\": \"Margherita\", \"category\": \"pizza\", \"price\": 8, \"tags\": [], "
    "\"stock\": 20}",
    "{\"_id\": 5, \"name\": \"tiramis\xc3\xb9\", \"category\": \"dessert\", \"price\": 5}",
};
static const char *const orders[] = {
    "{\"_id\": 1, \"customer\": \"ann\", \"at\": {\"$date\": \"2026-03-01T10:00:00Z\"}, \"lines\": "
    "[{\"product\": 1, \"qty\": 2}, {\"product\": 3, \"qty\": 1}]}",
    "{\"_id\": 2, \"customer\": \"bob\", \"at\": {\"$date\": \"2026-03-02T11:30:00Z\"}, \"lines\": "
    "[{\"product\": 2, \"qty\": 5}]}",
    "{\"_id\": 3, \"customer\": \"ann\", \"at\": {\"$date\": \"2026-04-01T09:00:00Z\"}, \"lines\": "
    "[{\"product\": 9, \"qty\": 1}]}",
};

static void open_shop(struct database *database) {
    database_open(database);
    CHECK_REPLY(
        SEND(database, OP_CREATE_STORE, "{\"store\": \"products\", \"key_type\": \"int64\"}"));
    CHECK_REPLY(
        SEND(database, OP_CREATE_STORE, "{\"store\": \"orders\", \"key_type\": \"int64\"}"));
    CHECK_REPLY(SEND(database, OP_CREATE_INDEX,
                     "{\"store\": \"products\", \"index\": \"by_price\", \"field\": \"price\"}"));
    CHECK_OK(storage_wait_indexes(engine_storage(database->engine)));
    for (size_t i = 0; i < sizeof products / sizeof products[0]; i++)
        CHECK_REPLY(SEND(database, OP_INSERT, "{\"store\": \"products\"}", products[i]));
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++)
        CHECK_REPLY(SEND(database, OP_INSERT, "{\"store\": \"orders\"}", orders[i]));
}

static struct bytes packet_of(const char *text, const char *parameters) {
    struct buffer buffer = {0};
    struct doc_builder builder;
    doc_builder_begin(&builder, &buffer);
    doc_add_string(&builder, "text", bytes_of_string(text));
    if (parameters != NULL) doc_add_document(&builder, "parameters", fixture_document(parameters));
    CHECK_OK(doc_builder_finish(&builder));
    struct bytes head = buffer_bytes(&buffer);
    struct bytes packet = make_packet_of(OP_PQL, &head, 1);
    buffer_done(&buffer);
    return packet;
}

static struct reply run(struct database *database, const char *text, const char *parameters) {
    return send_packet(database, packet_of(text, parameters));
}

// The documents in JSON, one after the other; the trailer when there are none.
static void check(struct database *database, int line, const char *text, const char *parameters,
                  const char *expected) {
    char actual[4096];
    size_t used = 0;
    struct reply reply = run(database, text, parameters);
    if (reply.status != STATUS_OK)
        used += (size_t)snprintf(actual, sizeof actual, "%s: %s", status_text(reply.status),
                                 reply.message);
    for (size_t i = 0; i < reply.count && used < sizeof actual; i++)
        used += (size_t)snprintf(actual + used, sizeof actual - used, "%s",
                                 fixture_json(reply.documents[i]));
    if (used == 0) snprintf(actual, sizeof actual, "%s", fixture_json(reply.trailer));
    if (strcmp(actual, expected) != 0)
        test_fail(__FILE__, line, "%s\n    gives    %s\n    expected %s", text, actual, expected);
}
#define CHECK_PQL(text, expected) check(&database, __LINE__, text, NULL, expected)
#define CHECK_PARAMETERS(text, parameters, expected)                                               \
    check(&database, __LINE__, text, parameters, expected)

TEST(queries_of_the_language) {
    struct database database;
    open_shop(&database);
    CHECK_PQL("products.filter(price > 7.5 and (category = \"pasta\" or tags contains 'hot'))"
              ".orderBy(price desc, name).limit(10).select(name, price * 2 as double)",
              "{\"name\":\"Diavola\",\"double\":22}{\"name\":\"Carbonara\",\"double\":18}");
    CHECK_PQL("products.get(4).select(_id)", "{\"_id\":4}");
    CHECK_PQL("products.get(44)", "{\"next\":null}");
    CHECK_PQL("products.filter(price between 7 and 8).count()", "{\"count\":2}");
    CHECK_PQL("products.select(category).distinct()",
              "{\"category\":\"pasta\"}{\"category\":\"pizza\"}{\"category\":\"dessert\"}");
    CHECK_PQL("products.distinct(category).count()", "{\"count\":3}");
    CHECK_PQL("products.filter(category not in [\"pasta\", \"pizza\"]).select(_id)", "{\"_id\":5}");
    CHECK_PQL("products.filter(size.g exists).select(size.g)", "{\"g\":350}");
    CHECK_PQL("products.filter(stock is null).select(_id)", "{\"_id\":5}");
    CHECK_PQL("products.filter(stock * 2 > price).select(_id)", "{\"_id\":2}{\"_id\":4}");
    CHECK_PQL("products.filter(name startsWith \"TIRA\" ignoreCase).select(upper(name) as n)",
              "{\"n\":\"TIRAMIS\xc3\x99\"}");
    CHECK_PQL("products.filter(lower(category) = 'pizza' and not (tags contains \"hot\"))"
              ".select(_id)",
              "{\"_id\":4}");
    CHECK_PQL("products.filter(8 <= price).select(_id, price >= 9 as dear)",
              "{\"_id\":1,\"dear\":true}{\"_id\":3,\"dear\":true}{\"_id\":4,\"dear\":false}");
    CHECK_PARAMETERS("products.filter(category = $1 and price < :most).select(_id)",
                     "{\"1\": \"pasta\", \"most\": 8}", "{\"_id\":2}");
    CHECK_PQL("orders.filter(lines[any].qty > 3).select(customer)", "{\"customer\":\"bob\"}");
    CHECK_PQL("orders.filter(lines[0].product = 1).select(customer)", "{\"customer\":\"ann\"}");
    CHECK_PQL("orders.filter(at >= date(\"2026-03-02\") and at < date(\"2026-04-01\"))"
              ".select(_id, month(at) as m, hour(at) as h)",
              "{\"_id\":2,\"m\":3,\"h\":11}");
    database_close(&database);
}

TEST(grouping_joining_unwinding) {
    struct database database;
    open_shop(&database);
    CHECK_PQL("products.groupBy(category, count() as n, sum(price) as total, min(name) as least)",
              "{\"category\":\"dessert\",\"n\":1,\"total\":5,\"least\":\"tiramis\xc3\xb9\"}"
              "{\"category\":\"pasta\",\"n\":2,\"total\":16.5,\"least\":\"Arrabbiata\"}"
              "{\"category\":\"pizza\",\"n\":2,\"total\":19,\"least\":\"Diavola\"}");
    CHECK_PQL("products.groupBy(category, avg(price) as mean).having(mean >= 8)"
              ".orderBy(mean desc).limit(1)",
              "{\"category\":\"pizza\",\"mean\":9.5}");
    CHECK_PQL("products.groupBy(count(), count(stock) as stocked, countDistinct(category) as c)",
              "{\"count\":5,\"stocked\":4,\"c\":3}");
    CHECK_PQL("products.filter(_id > 100).groupBy(count() as n, sum(price) as s)",
              "{\"n\":0,\"s\":null}");
    CHECK_PQL("products.orderBy(price desc).groupBy(category, first(name) as dearest, "
              "collect(_id) as ids).limit(2)",
              "{\"category\":\"dessert\",\"dearest\":\"tiramis\xc3\xb9\",\"ids\":[5]}"
              "{\"category\":\"pasta\",\"dearest\":\"Carbonara\",\"ids\":[1,2]}");
    CHECK_PQL("products.unwind(tags).groupBy(tags, count() as n).orderBy(n desc, tags)",
              "{\"tags\":\"hot\",\"n\":2}{\"tags\":\"pork\",\"n\":2}{\"tags\":\"vegan\",\"n\":1}");
    CHECK_PQL("orders.unwind(lines).join(products on lines.product = _id as p)"
              ".groupBy(customer, sum(lines.qty * p.price) as total)",
              "{\"customer\":\"ann\",\"total\":29}{\"customer\":\"bob\",\"total\":37.5}");
    CHECK_PQL("orders.unwind(lines).leftJoin(products on lines.product = _id as p)"
              ".filter(p.name is null).select(_id)",
              "{\"_id\":3}");
    CHECK_PQL("products.join(orders on category = customer)", "{\"next\":null}");
    CHECK_PQL("orders.join(orders on customer = customer as other).filter(_id < other._id)"
              ".select(_id, other._id as second)",
              "{\"_id\":1,\"second\":3}");
    CHECK_PQL("orders.groupBy(dateTrunc(at, 'month') as month, stddev(size(lines)) as s)",
              "{\"month\":{\"$date\":\"2026-03-01T00:00:00Z\"},\"s\":0.5}"
              "{\"month\":{\"$date\":\"2026-04-01T00:00:00Z\"},\"s\":0.0}");
    database_close(&database);
}

TEST(writing_by_query) {
    struct database database;
    open_shop(&database);
    CHECK_PQL("products.filter(category = 'pasta').set({price: 10, `on sale`: true})",
              "{\"count\":2}");
    CHECK_PQL("products.filter(`on sale`).select(_id, price)",
              "{\"_id\":1,\"price\":10}{\"_id\":2,\"price\":10}");
    CHECK_PQL("products.filter(price >= 10).orderBy(price desc).limit(1).delete()",
              "{\"count\":1}");
    CHECK_PQL("products.get(3)", "{\"next\":null}");
    CHECK_PQL("products.filter(price > 1000).delete()", "{\"count\":0}");
    CHECK_PQL("products.insert({_id: 8, name: \"new\"})", "{\"ids\":[8]}");
    CHECK_PQL("products.insertMany([{_id: 9}, {_id: 10}])", "{\"ids\":[9,10]}");
    CHECK_PQL("products.insert({_id: 8})", "duplicate_key: a document with this key exists");
    CHECK_PQL("products.filter(true).delete()", "{\"count\":7}");
    CHECK_PQL("products.count()", "{\"count\":0}");
    database_role(&database, PERMISSION_READ);
    CHECK_PQL("products.filter(true).delete()",
              "forbidden: a query that writes is not allowed in this session");
    CHECK_PQL("products.insert({_id: 8})",
              "forbidden: a query that writes is not allowed in this session");
    CHECK_PQL("orders.count()", "{\"count\":3}");
    database_close(&database);
}

TEST(time_slices_change_nothing) {
    static const char *const texts[] = {
        "orders.unwind(lines).join(products on lines.product = _id as p).orderBy(p.price)",
        "orders.join(products on customer = name as p).count()",
        "products.groupBy(category, collect(name) as names, countDistinct(price) as n).distinct()",
        "products.filter(price > 7 and lower(name) ~ /a/).orderBy(stock).select(name)",
        "products.filter(category = 'pizza').set({seen: true})",
        "products.filter(seen and price > 0).select(_id, seen)",
    };
    struct database database;
    size_t slices = 0;
    open_shop(&database);
    for (size_t i = 0; i < 300; i++) {
        char text[128];
        snprintf(text, sizeof text,
                 "orders.insert({_id: %zu, customer: 'c%zu', lines: [{product: 1}]})", 100 + i,
                 i % 7);
        CHECK_REPLY(run(&database, text, NULL));
    }
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct bytes packet = packet_of(texts[i], NULL);
        CHECK_REPLY(send_packet(&database, packet));
        struct bytes whole = call_reply(database.call);
        uint8_t *copy = malloc(whole.size);
        CHECK(copy != NULL);
        memcpy(copy, whole.data, whole.size);
        whole.data = copy;
        enum status status = engine_dispatch(database.call, packet, READ_LATEST, 0);
        for (; status == STATUS_PENDING; slices++) status = engine_resume(database.call, 0);
        CHECK_OK(status);
        CHECK(bytes_equal(whole, call_reply(database.call)));
        free(copy);
    }
    CHECK(slices > 10);
    database_close(&database);
}

TEST(memory_of_stages_is_bounded) {
    enum { SIZE = 1000 * 1000 };
    struct database database;
    open_shop(&database);
    char *text = malloc(SIZE + 100);
    CHECK(text != NULL);
    for (int i = 0; i < 70; i++) {
        int size = snprintf(text, 100, "products.insert({_id: %d, pad: \"", 100 + i);
        memset(text + size, 'a' + i % 20, SIZE);
        snprintf(text + size + SIZE, 60, "\"})");
        CHECK_REPLY(run(&database, text, NULL));
    }
    free(text);
    CHECK_PQL(
        "products.select(_id, pad).orderBy(_id).count()",
        "too_large: sort needs more than 64 MiB: filter more, or keep fewer fields, before it");
    CHECK_PQL("products.groupBy(collect(pad) as pads)",
              "too_large: group needs more than 64 MiB: filter more, or keep fewer fields, before "
              "it");
    CHECK_PQL("products.groupBy(countDistinct(pad) as n, max(length(pad)) as l)",
              "{\"n\":20,\"l\":1000000}");
    CHECK_PQL("products.unwind(pad).distinct(_id).count()", "{\"count\":70}");
    database_close(&database);
}

TEST(failures_while_running) {
    struct database database;
    open_shop(&database);
    CHECK_PQL("products.filter(name + 1 > 3)", "invalid: add: a number is expected, not string");
    CHECK_PQL("products.select(price % (stock - 4) as x)", "invalid: modulo: division by zero");
    CHECK_PQL("products.groupBy(sum(name) as s)", "invalid: sum: a number is expected, not string");
    CHECK_PQL("products.select(_id * 9223372036854775807 as x)",
              "invalid: multiply: the result does not fit into 64 bits");
    CHECK_PQL("products.select(price * 1.5m as x)",
              "unsupported: multiply of decimals is not supported");
    CHECK_PQL("orders.select(dateTrunc(at, 'decade') as x)",
              "invalid: dateTrunc: the unit is 'year', 'month', 'week', 'day', 'hour', 'minute' or "
              "'second'");
    CHECK_PQL("products.filter(price < 12.25m and price > 10.75m).select(_id)", "{\"_id\":3}");
    database_close(&database);
}

TEST(pages_behind_select) {
    struct database database;
    open_shop(&database);
    struct reply reply = run(&database, "products.orderBy(price).select(_id).limit(3)", NULL);
    CHECK_REPLY(reply);
    CHECK_EQUAL(3, reply.count);
    CHECK_JSON("{\"_id\":5}", reply.documents[0]);
    struct doc_value next = doc_get(reply.trailer, bytes_of_string("next"));
    CHECK(next.type == DOC_BINARY);
    struct buffer head = {0};
    struct doc_builder builder;
    doc_builder_begin(&builder, &head);
    doc_add_string(&builder, "text",
                   bytes_of_string("products.orderBy(price).after($1).select(_id).limit(3)"));
    doc_begin_array(&builder, "parameters");
    doc_add_value(&builder, bytes_of_string(""), &next);
    doc_end(&builder);
    CHECK_OK(doc_builder_finish(&builder));
    struct bytes document = buffer_bytes(&head);
    reply = send_packet(&database, make_packet_of(OP_PQL, &document, 1));
    buffer_done(&head);
    CHECK_REPLY(reply);
    CHECK_EQUAL(2, reply.count);
    CHECK_JSON("{\"_id\":1}", reply.documents[0]);
    CHECK_JSON("{\"_id\":3}", reply.documents[1]);
    CHECK_JSON("{\"next\":null}", reply.trailer);
    CHECK_PQL("products.distinct(category).limit(2).count()", "{\"count\":2}");
    CHECK_PQL("products.select(_id).skip(1).limit(1)", "{\"_id\":2}");
    CHECK_PQL("products.select(_id).limit(3).skip(2)", "{\"_id\":3}");
    database_close(&database);
}

TEST(writing_in_a_transaction) {
    struct database database;
    open_shop(&database);
    CHECK_REPLY(SEND(&database, OP_BEGIN, "{}"));
    CHECK_PQL("products.filter(category = 'pasta').set({price: 1})", "{\"count\":2}");
    CHECK_PQL("products.filter(price = 1).set({price: 2})", "{\"count\":2}");
    CHECK_PQL("products.insert({_id: 7, price: 2})", "{\"ids\":[7]}");
    CHECK_PQL("products.filter(price = 2).count()", "{\"count\":3}");
    CHECK_PQL("products.filter(price = 2 and _id > 1).delete()", "{\"count\":2}");
    CHECK_REPLY(SEND(&database, OP_COMMIT, "{}"));
    CHECK_PQL("products.filter(price = 2).select(_id)", "{\"_id\":1}");
    database_close(&database);
}
