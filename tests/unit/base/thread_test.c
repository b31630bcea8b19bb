// SPDX-License-Identifier: Apache-2.0
#include "base/thread.h"

#include <signal.h>

#include "base/clock.h"
#include "test.h"

struct shared {
    struct mutex mutex;
    struct condition condition;
    int count;
    sigset_t mask;
};

static void shared_init(struct shared *shared) {
    memset(shared, 0, sizeof *shared);
    mutex_init(&shared->mutex);
    condition_init(&shared->condition);
}

static void shared_done(struct shared *shared) {
    condition_done(&shared->condition);
    mutex_done(&shared->mutex);
}

static void add_many(void *context) {
    struct shared *shared = context;
    for (int i = 0; i < 10000; i++) {
        mutex_lock(&shared->mutex);
        shared->count++;
        condition_signal(&shared->condition);
        mutex_unlock(&shared->mutex);
    }
}

TEST(threads_share_a_mutex_and_a_condition) {
    struct shared shared;
    shared_init(&shared);
    struct thread threads[4] = {0};
    for (int i = 0; i < 4; i++) CHECK_OK(thread_start(&threads[i], "adder", add_many, &shared));
    mutex_lock(&shared.mutex);
    while (shared.count < 40000) condition_wait(&shared.condition, &shared.mutex);
    mutex_unlock(&shared.mutex);
    for (int i = 0; i < 4; i++) thread_join(&threads[i]);
    thread_join(&threads[0]); // joined already: nothing happens
    CHECK_EQUAL(40000, shared.count);
    shared_done(&shared);
}

TEST(condition_wait_for_times_out) {
    struct shared shared;
    shared_init(&shared);
    mutex_lock(&shared.mutex);
    uint64_t begin = clock_monotonic_ns(clock_system());
    CHECK(!condition_wait_for(&shared.condition, &shared.mutex, 1000000));
    CHECK(clock_monotonic_ns(clock_system()) - begin >= 1000000);
    CHECK(!condition_wait_for(&shared.condition, &shared.mutex, 0));
    mutex_unlock(&shared.mutex);
    shared_done(&shared);
}

static void add_when_locked(void *context) {
    struct shared *shared = context;
    mutex_lock(&shared->mutex);
    shared->count = 1;
    condition_broadcast(&shared->condition);
    mutex_unlock(&shared->mutex);
}

TEST(condition_wait_for_wakes_before_an_endless_timeout) {
    struct shared shared;
    shared_init(&shared);
    struct thread thread = {0};
    mutex_lock(&shared.mutex);
    CHECK_OK(thread_start(&thread, "adder", add_when_locked, &shared));
    while (shared.count == 0)
        CHECK(condition_wait_for(&shared.condition, &shared.mutex, UINT64_MAX));
    mutex_unlock(&shared.mutex);
    thread_join(&thread);
    shared_done(&shared);
}

static void read_mask(void *context) {
    struct shared *shared = context;
    pthread_sigmask(SIG_SETMASK, NULL, &shared->mask);
}

TEST(thread_blocks_signals_but_not_its_own_faults) {
    struct shared shared;
    shared_init(&shared);
    struct thread thread = {0};
    CHECK_OK(thread_start(&thread, "masked", read_mask, &shared));
    thread_join(&thread);
    CHECK(sigismember(&shared.mask, SIGTERM) == 1);
    CHECK(sigismember(&shared.mask, SIGINT) == 1);
    CHECK(sigismember(&shared.mask, SIGSEGV) == 0);
    CHECK(sigismember(&shared.mask, SIGBUS) == 0);
    sigset_t here;
    pthread_sigmask(SIG_SETMASK, NULL, &here);
    CHECK(sigismember(&here, SIGTERM) == 0);
    shared_done(&shared);
}
