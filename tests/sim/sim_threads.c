// SPDX-License-Identifier: Apache-2.0
// One thread runs at a time; who runs next is chosen at each call of base/thread.h, which the
// linker's --wrap sends here.
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/thread.h"
#include "sim.h"

#define THREADS_MAX 64
#define NOBODY (-1)

enum thread_state { THREAD_FREE, THREAD_RUNNABLE, THREAD_WAITING, THREAD_ENDED };

struct sim_thread {
    enum thread_state state;
    pthread_t handle;
    sem_t baton;
    const void *awaited; // a mutex, a condition, a thread, or NULL for time alone
    uint64_t deadline;   // 0: none
    bool timed_out;
    void (*function)(void *context);
    void *context;
};

static struct {
    uint64_t seed;
    struct random_seeded random;
    struct sim_thread threads[THREADS_MAX];
    int thread_count;
    int current;
    unsigned switch_percent;
    uint64_t now;
    int64_t realtime_offset;
} sim;

// What is laid over the bytes of a struct mutex; all zero is a free one.
struct sim_mutex {
    int owner; // thread + 1
};

_Noreturn void sim_fail(const char *file, int line, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "FAILED seed %llu: %s:%d: ", (unsigned long long)sim.seed, file, line);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    fflush(stderr);
    _exit(1);
}

// ---- random numbers and time ----------------------------------------------------------------

uint64_t sim_seed(void) {
    return sim.seed;
}

uint64_t sim_below(uint64_t bound) {
    return random_below(&sim.random.source, bound);
}

bool sim_chance(unsigned percent) {
    return sim_below(100) < percent;
}

static uint64_t monotonic(struct clock *clock) {
    return sim.now += 50;
}

static int64_t realtime(struct clock *clock) {
    if (sim_below(50) == 0) // jumps, backwards too
        sim.realtime_offset += (int64_t)sim_below(20000000000ULL) - 10000000000LL;
    return 1800000000000000000LL + (int64_t)sim.now + sim.realtime_offset;
}

struct clock *sim_clock(void) {
    static struct clock clock = {monotonic, realtime};
    return &clock;
}

struct random_source *sim_random(void) {
    return &sim.random.source;
}

void sim_advance_ns(uint64_t ns) {
    sim.now += ns;
}

void sim_init(uint64_t seed) {
    sim.seed = seed;
    random_seeded_init(&sim.random, seed);
    sim.now = 1000000000;
    sim.thread_count = 1;
    sim.threads[0].state = THREAD_RUNNABLE;
    sem_init(&sim.threads[0].baton, 0, 0);
    static const unsigned percents[] = {1, 5, 20, 50};
    sim.switch_percent = percents[sim_below(4)];
}

// ---- the scheduler --------------------------------------------------------------------------

static int earliest_deadline(void) {
    int earliest = NOBODY;
    for (int i = 0; i < sim.thread_count; i++) {
        const struct sim_thread *thread = &sim.threads[i];
        if (thread->state != THREAD_WAITING || thread->deadline == 0) continue;
        if (earliest == NOBODY || thread->deadline < sim.threads[earliest].deadline) earliest = i;
    }
    return earliest;
}

static void wake(int number) {
    sim.threads[number].state = THREAD_RUNNABLE;
    sim.threads[number].awaited = NULL;
    sim.threads[number].deadline = 0;
}

static void fire_deadlines(void) {
    int number;
    while ((number = earliest_deadline()) != NOBODY && sim.threads[number].deadline <= sim.now) {
        sim.threads[number].timed_out = true;
        wake(number);
    }
}

static int choose_runnable(void) {
    int runnable[THREADS_MAX], count = 0;
    for (int i = 0; i < sim.thread_count; i++)
        if (sim.threads[i].state == THREAD_RUNNABLE) runnable[count++] = i;
    return count == 0 ? NOBODY : runnable[sim_below((uint64_t)count)];
}

static int choose(void) {
    sim.now += sim_below(20000);
    fire_deadlines();
    int next = choose_runnable();
    if (next != NOBODY) return next;
    int number = earliest_deadline();
    if (number == NOBODY) sim_fail(__FILE__, __LINE__, "deadlock: no thread can run");
    sim.now = sim.threads[number].deadline;
    fire_deadlines();
    return choose_runnable();
}

static void pass_baton(int self, int next) {
    sim.current = next;
    sem_post(&sim.threads[next].baton);
    if (self == NOBODY) return;
    while (sem_wait(&sim.threads[self].baton) != 0) {
    }
}

static void reschedule(void) {
    int self = sim.current, next = choose();
    if (next != self) pass_baton(self, next);
}

static void wait_for(const void *awaited, uint64_t deadline) {
    struct sim_thread *thread = &sim.threads[sim.current];
    thread->state = THREAD_WAITING;
    thread->awaited = awaited;
    thread->deadline = deadline;
    thread->timed_out = false;
    reschedule();
}

static void wake_waiters(const void *awaited, bool all) {
    int waiting[THREADS_MAX], count = 0;
    for (int i = 0; i < sim.thread_count; i++)
        if (sim.threads[i].state == THREAD_WAITING && sim.threads[i].awaited == awaited)
            waiting[count++] = i;
    if (count == 0) return;
    if (!all) {
        wake(waiting[sim_below((uint64_t)count)]);
        return;
    }
    for (int i = 0; i < count; i++) wake(waiting[i]);
}

void sim_yield(void) {
    if (sim_chance(sim.switch_percent)) reschedule();
}

void sim_sleep_ns(uint64_t ns) {
    wait_for(NULL, sim.now + ns + 1);
}

// ---- what stands for base/thread.h ----------------------------------------------------------

void __wrap_mutex_init(struct mutex *mutex);
void __wrap_mutex_done(struct mutex *mutex);
void __wrap_mutex_lock(struct mutex *mutex);
void __wrap_mutex_unlock(struct mutex *mutex);
void __wrap_condition_init(struct condition *condition);
void __wrap_condition_done(struct condition *condition);
void __wrap_condition_wait(struct condition *condition, struct mutex *mutex);
bool __wrap_condition_wait_for(struct condition *condition, struct mutex *mutex, uint64_t ns);
void __wrap_condition_signal(struct condition *condition);
void __wrap_condition_broadcast(struct condition *condition);
enum status __wrap_thread_start(struct thread *thread, const char *name,
                                void (*function)(void *context), void *context);
void __wrap_thread_join(struct thread *thread);

static struct sim_mutex *mutex_of(struct mutex *mutex) {
    return (struct sim_mutex *)(void *)mutex;
}

void __wrap_mutex_init(struct mutex *mutex) {
    memset(mutex, 0, sizeof *mutex);
}

void __wrap_mutex_done(struct mutex *mutex) {
    SIM_CHECK(mutex_of(mutex)->owner == 0);
}

static void take(struct mutex *mutex) {
    struct sim_mutex *lock = mutex_of(mutex);
    SIM_CHECK(lock->owner != sim.current + 1);
    while (lock->owner != 0) wait_for(mutex, 0);
    lock->owner = sim.current + 1;
}

static void release(struct mutex *mutex) {
    SIM_CHECK(mutex_of(mutex)->owner == sim.current + 1);
    mutex_of(mutex)->owner = 0;
    wake_waiters(mutex, true);
}

void __wrap_mutex_lock(struct mutex *mutex) {
    sim_yield();
    take(mutex);
}

void __wrap_mutex_unlock(struct mutex *mutex) {
    release(mutex);
    sim_yield();
}

void __wrap_condition_init(struct condition *condition) {
    memset(condition, 0, sizeof *condition);
}

void __wrap_condition_done(struct condition *condition) {
}

void __wrap_condition_wait(struct condition *condition, struct mutex *mutex) {
    release(mutex);
    // A wake-up without a reason is allowed.
    wait_for(condition, sim_chance(2) ? sim.now + 1 : 0);
    take(mutex);
}

bool __wrap_condition_wait_for(struct condition *condition, struct mutex *mutex, uint64_t ns) {
    release(mutex);
    wait_for(condition, sim.now + ns + 1);
    bool timed_out = sim.threads[sim.current].timed_out;
    take(mutex);
    return !timed_out;
}

void __wrap_condition_signal(struct condition *condition) {
    wake_waiters(condition, false);
}

void __wrap_condition_broadcast(struct condition *condition) {
    wake_waiters(condition, true);
}

static void *thread_main(void *argument) {
    struct sim_thread *thread = argument;
    while (sem_wait(&thread->baton) != 0) {
    }
    thread->function(thread->context);
    thread->state = THREAD_ENDED;
    wake_waiters(thread, true);
    pass_baton(NOBODY, choose());
    return NULL;
}

static int free_thread(void) {
    for (int i = 0; i < sim.thread_count; i++)
        if (sim.threads[i].state == THREAD_FREE) return i;
    SIM_CHECK(sim.thread_count < THREADS_MAX);
    return sim.thread_count++;
}

enum status __wrap_thread_start(struct thread *thread, const char *name,
                                void (*function)(void *context), void *context) {
    int number = free_thread();
    struct sim_thread *added = &sim.threads[number];
    *added = (struct sim_thread){.function = function, .context = context};
    sem_init(&added->baton, 0, 0);
    SIM_CHECK(pthread_create(&added->handle, NULL, thread_main, added) == 0);
    added->state = THREAD_RUNNABLE;
    thread->handle = (pthread_t)number;
    thread->started = true;
    sim_yield();
    return STATUS_OK;
}

void __wrap_thread_join(struct thread *thread) {
    if (!thread->started) return;
    struct sim_thread *other = &sim.threads[(int)thread->handle];
    while (other->state != THREAD_ENDED) wait_for(other, 0);
    SIM_CHECK(pthread_join(other->handle, NULL) == 0);
    sem_destroy(&other->baton);
    other->state = THREAD_FREE;
    thread->started = false;
}
