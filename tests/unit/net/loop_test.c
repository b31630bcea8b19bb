// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "base/thread.h"
#include "net/net.h"
#include "test.h"

enum { THREADS = 4, POSTS = 5000 };

struct poster {
    struct thread thread;
    struct loop *loop;
    int *total;     // of all, counted on the loop
    int sent, seen; // `seen` on the loop
    struct post {
        struct poster *poster;
        int number;
    } posts[POSTS];
};

static void on_post(void *context) {
    struct post *post = context;
    CHECK_EQUAL(post->number, post->poster->seen); // in order
    post->poster->seen++;
    if (++*post->poster->total == THREADS * POSTS) loop_stop(post->poster->loop);
}

static void post_all(void *context) {
    struct poster *poster = context;
    for (int i = 0; i < POSTS; i++) {
        poster->posts[i] = (struct post){poster, i};
        loop_post(poster->loop, on_post, &poster->posts[i]);
    }
}

TEST(posts_of_many_threads_all_run_in_order) {
    static struct poster posters[THREADS];
    struct loop *loop = NULL;
    int total = 0;
    CHECK_OK(loop_new(&loop));
    for (int i = 0; i < THREADS; i++) {
        posters[i].loop = loop;
        posters[i].total = &total;
        CHECK_OK(thread_start(&posters[i].thread, "poster", post_all, &posters[i]));
    }
    loop_run(loop);
    for (int i = 0; i < THREADS; i++) thread_join(&posters[i].thread);
    CHECK_EQUAL(THREADS * POSTS, total);
    loop_free(loop);
}

struct stopper {
    struct loop *loop;
    int turns, posts;
};

static void stop_loop(void *context) {
    loop_stop(((struct stopper *)context)->loop);
}

TEST(another_thread_stops_the_loop) {
    struct stopper stopper = {0};
    struct thread thread = {0};
    CHECK_OK(loop_new(&stopper.loop));
    for (int i = 0; i < 3; i++) {
        CHECK_OK(thread_start(&thread, "stopper", stop_loop, &stopper));
        loop_run(stopper.loop);
        thread_join(&thread);
    }
    loop_free(stopper.loop);
}

static void post_again(void *context) {
    struct stopper *stopper = context;
    if (++stopper->posts == 3)
        loop_stop(stopper->loop);
    else
        loop_post(stopper->loop, post_again, stopper);
}

TEST(a_post_may_post) {
    struct stopper stopper = {0};
    CHECK_OK(loop_new(&stopper.loop));
    loop_post(stopper.loop, post_again, &stopper);
    loop_run(stopper.loop);
    CHECK_EQUAL(3, stopper.posts);
    loop_free(stopper.loop);
}

static bool take_turn(void *context) {
    struct stopper *stopper = context;
    stopper->turns++;
    if (stopper->turns == 10) loop_stop(stopper->loop);
    return stopper->turns < 10;
}

TEST(a_turn_with_work_left_does_not_block) {
    struct stopper stopper = {0};
    CHECK_OK(loop_new(&stopper.loop));
    loop_set_turn(stopper.loop, take_turn, &stopper);
    loop_run(stopper.loop);
    CHECK(stopper.turns >= 10);
    loop_free(stopper.loop);
}

struct ticks {
    struct loop *loop;
    struct timer *timer;
    int count;
};

static void on_tick(void *context) {
    struct ticks *ticks = context;
    if (++ticks->count == 3) {
        timer_stop(ticks->timer);
        loop_stop(ticks->loop);
    }
}

static void never(void *context) {
    (void)context;
    test_fail(__FILE__, __LINE__, "a stopped timer fired");
}

TEST(timers_repeat_and_stop) {
    struct ticks ticks = {0};
    struct timer *stopped = NULL;
    CHECK_OK(loop_new(&ticks.loop));
    CHECK_OK(timer_new(ticks.loop, on_tick, &ticks, &ticks.timer));
    CHECK_OK(timer_new(ticks.loop, never, NULL, &stopped));
    timer_start(stopped, 1, 0);
    timer_stop(stopped);
    uint64_t before_ms = loop_now_ms(ticks.loop);
    timer_start(ticks.timer, 5, 5);
    loop_run(ticks.loop);
    CHECK_EQUAL(3, ticks.count);
    CHECK(loop_now_ms(ticks.loop) - before_ms >= 15);
    timer_free(ticks.timer);
    timer_free(stopped);
    timer_free(NULL);
    loop_free(ticks.loop);
}
