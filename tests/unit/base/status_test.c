// SPDX-License-Identifier: Apache-2.0
#include "base/status.h"

#include "base/metrics.h"
#include "test.h"

TEST(status_has_a_text_and_an_http_code_for_each) {
    CHECK(strcmp(status_text(STATUS_OK), "ok") == 0);
    CHECK(strcmp(status_text(STATUS_DUPLICATE_KEY), "duplicate_key") == 0);
    CHECK(strcmp(status_text((enum status)999), "unknown") == 0);
    CHECK(strcmp(status_text((enum status) - 1), "unknown") == 0);
    CHECK_EQUAL(404, status_http(STATUS_NOT_FOUND));
    CHECK_EQUAL(500, status_http((enum status)999));
    for (int i = STATUS_OK; i <= STATUS_INTERNAL; i++) {
        CHECK(status_text((enum status)i) != NULL);
        CHECK(status_http((enum status)i) >= 200);
    }
}

TEST(error_set_truncates_and_clears_the_position) {
    struct error error = {.line = 4, .column = 5, .offset = 6};
    CHECK_STATUS(STATUS_INVALID, error_set(&error, STATUS_INVALID, "%300d", 1));
    CHECK_EQUAL(sizeof error.message - 1, strlen(error.message));
    CHECK_EQUAL(0, error.line);
    CHECK_EQUAL(-1, error.offset);
    CHECK_STATUS(STATUS_IO, error_set(NULL, STATUS_IO, "nobody listens"));
}

TEST(error_set_may_wrap_its_own_message) {
    struct error error;
    (void)error_set(&error, STATUS_IO, "inner");
    CHECK_STATUS(STATUS_INVALID, error_set_at(&error, STATUS_INVALID, 7, "a: %s", error.message));
    CHECK(strcmp(error.message, "a: inner") == 0);
    CHECK_EQUAL(7, error.offset);
    CHECK_EQUAL(STATUS_INVALID, error.status);
}

TEST(metrics_add_up) {
    metric_add(METRIC_http_requests, 3);
    metric_add(METRIC_http_requests, -1);
    CHECK_EQUAL(2, metric_get(METRIC_http_requests));
    CHECK_EQUAL(0, metric_get(METRIC_wal_syncs));
}
