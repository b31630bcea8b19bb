// SPDX-License-Identifier: Apache-2.0
#include "fake_host.h"
#include "planck/host.h"

static void *kept;
static struct pk_document kept_config;

void pk_init(struct pk_document config) {
    kept_config = config;
    kept = pk_allocate(100);
    memset(kept, 'k', 100);
}

static void *first_allocation;

static void allocate_some(struct pk_request *request) {
    void *start = pk_allocate(10);
    if (first_allocation == NULL) first_allocation = start;
    CHECK(start == first_allocation); // the same place each time: the arena was reset
    CHECK(((uintptr_t)start & 7) == 0);
    memset(start, 1, 10);
    memset(pk_allocate(100000), 2, 100000);
    CHECK(pk_allocate(0) != NULL);
}

TEST(each_request_begins_with_an_empty_arena) {
    for (int i = 0; i < 3; i++) host_run(allocate_some);
}

TEST(what_init_allocates_stays) {
    struct bytes config = bson_of("{\"service\": \"shop\", \"config\": {\"a\": 1}}");
    uint8_t *target = planck_alloc((uint32_t)config.size);
    memcpy(target, config.data, config.size);
    CHECK_EQUAL(0, pk_export_init(target, (uint32_t)config.size));
    for (int i = 0; i < 3; i++) host_run(allocate_some);
    CHECK_EQUAL(1, pk_get_int(kept_config, "config.a", 0));
    for (int i = 0; i < 100; i++) CHECK_EQUAL('k', ((char *)kept)[i]);
}

static void check_body(struct pk_request *request) {
    struct pk_text body = pk_request_body(request);
    for (size_t i = 0; i < body.size; i++) CHECK_EQUAL('b', body.data[i]);
    memset(pk_allocate(5000), 'x', 5000);
    CHECK(body.size == 0 || body.data[body.size - 1] == 'b');
}

TEST(the_request_buffer_grows) {
    for (size_t size = 0; size < 2000000; size = size * 3 + 1) {
        char *body = malloc(size + 1);
        CHECK(body != NULL);
        memset(body, 'b', size);
        CHECK(host_serve(check_body, &(struct fake_request){.body = bytes_of(body, size)}));
        free(body);
    }
    CHECK(planck_alloc(100) == planck_alloc(200));
}

TEST(a_request_buffer_that_does_not_fit_is_refused) {
    CHECK(planck_alloc(100 << 20) == NULL);
    CHECK(planck_alloc(UINT32_MAX) == NULL);
    // Twice as much would not fit, but what is asked for does.
    CHECK(planck_alloc(30 << 20) != NULL);
    CHECK(planck_alloc(33 << 20) != NULL);
    CHECK(planck_alloc(33 << 20) != NULL);
}

static size_t allocation_size;

static void allocate_forever(struct pk_request *request) {
    for (;;) memset(pk_allocate(allocation_size), 1, 8);
}
static void build_forever(struct pk_request *request) {
    struct pk_builder *builder = pk_document_begin();
    for (;;) pk_add_text(builder, "name", PK_TEXT("a value of some length"));
}
static void write_forever(struct pk_request *request) {
    struct pk_out *out = pk_html(request);
    for (;;) pk_raw(out, "some markup that is written again and again");
}

TEST(running_out_of_memory_ends_the_request) {
    static const size_t sizes[] = {64,       4096,        1000000, (size_t)1 << 30, (size_t)1 << 31,
                                   SIZE_MAX, SIZE_MAX - 7};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        allocation_size = sizes[i];
        host_run_aborted(allocate_forever, "out of memory");
    }
    host_run_aborted(build_forever, "out of memory");
    host_run_aborted(write_forever, "out of memory");
    host_run(allocate_some); // memory is still there for the next
}

static void fill_most(struct pk_request *request) {
    struct pk_out *out = pk_html(request);
    char text[1000];
    memset(text, 'x', sizeof text);
    // More than half of all memory: doubling does not fit any more, growing by what is needed does.
    while (host.body.capacity == 0) {
        pk_raw_text(out, (struct pk_text){text, sizeof text});
        if ((size_t)(memory_end() - memory_start()) > (size_t)58 << 20) return;
    }
}

TEST(a_body_may_take_most_of_memory) {
    host_run(fill_most);
    CHECK(host_body().size > (size_t)30 << 20);
}

TEST(no_memory_behind_the_data_is_no_harm) {
    host.memory_limit = 2 * MEMORY_PAGE;
    CHECK(planck_alloc(1 << 20) == NULL);
}
