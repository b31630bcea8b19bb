// SPDX-License-Identifier: Apache-2.0
#include "base/thread.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"

#define NS_PER_SECOND 1000000000ULL

void mutex_init(struct mutex *mutex) {
    int failed = pthread_mutex_init(&mutex->handle, NULL);
    ASSERT(failed == 0);
}

void mutex_done(struct mutex *mutex) {
    int failed = pthread_mutex_destroy(&mutex->handle);
    ASSERT(failed == 0);
}

void mutex_lock(struct mutex *mutex) {
    int failed = pthread_mutex_lock(&mutex->handle);
    ASSERT(failed == 0);
}

void mutex_unlock(struct mutex *mutex) {
    int failed = pthread_mutex_unlock(&mutex->handle);
    ASSERT(failed == 0);
}

void condition_init(struct condition *condition) {
    pthread_condattr_t attributes;
    int failed = pthread_condattr_init(&attributes);
    ASSERT(failed == 0);
    failed = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    ASSERT(failed == 0);
    failed = pthread_cond_init(&condition->handle, &attributes);
    ASSERT(failed == 0);
    pthread_condattr_destroy(&attributes);
}

void condition_done(struct condition *condition) {
    int failed = pthread_cond_destroy(&condition->handle);
    ASSERT(failed == 0);
}

void condition_wait(struct condition *condition, struct mutex *mutex) {
    int failed = pthread_cond_wait(&condition->handle, &mutex->handle);
    ASSERT(failed == 0);
}

bool condition_wait_for(struct condition *condition, struct mutex *mutex, uint64_t timeout_ns) {
    struct timespec until;
    int failed = clock_gettime(CLOCK_MONOTONIC, &until);
    ASSERT(failed == 0);
    uint64_t nanoseconds = (uint64_t)until.tv_nsec + timeout_ns % NS_PER_SECOND;
    until.tv_sec += (time_t)(timeout_ns / NS_PER_SECOND + nanoseconds / NS_PER_SECOND);
    until.tv_nsec = (long)(nanoseconds % NS_PER_SECOND);
    failed = pthread_cond_timedwait(&condition->handle, &mutex->handle, &until);
    ASSERT(failed == 0 || failed == ETIMEDOUT);
    return failed == 0;
}

void condition_signal(struct condition *condition) {
    int failed = pthread_cond_signal(&condition->handle);
    ASSERT(failed == 0);
}

void condition_broadcast(struct condition *condition) {
    int failed = pthread_cond_broadcast(&condition->handle);
    ASSERT(failed == 0);
}

struct thread_start_arguments {
    char name[16];
    void (*function)(void *context);
    void *context;
};

static void *thread_main(void *arguments) {
    struct thread_start_arguments start = *(struct thread_start_arguments *)arguments;
    free(arguments);
    pthread_setname_np(pthread_self(), start.name); // a label only: failure does not matter
    start.function(start.context);
    return NULL;
}

// A fault that is blocked cannot be handled: the kernel kills the process. Guests' memory accesses
// and file mappings rely on handling it, so only asynchronous signals are blocked.
static void fill_asynchronous_signals(sigset_t *set) {
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
    sigfillset(set);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) sigdelset(set, faults[i]);
}

enum status thread_start(struct thread *thread, const char *name, void (*function)(void *context),
                         void *context) {
    struct thread_start_arguments *start = calloc(1, sizeof *start);
    if (start == NULL) return STATUS_NO_MEMORY;
    ASSERT(strlen(name) < sizeof start->name);
    memcpy(start->name, name, strlen(name));
    start->function = function;
    start->context = context;

    // The new thread inherits the mask, so that no signal can reach it before it blocks them.
    sigset_t blocked, before;
    fill_asynchronous_signals(&blocked);
    int failed = pthread_sigmask(SIG_SETMASK, &blocked, &before);
    ASSERT(failed == 0);
    int result = pthread_create(&thread->handle, NULL, thread_main, start);
    failed = pthread_sigmask(SIG_SETMASK, &before, NULL);
    ASSERT(failed == 0);
    thread->started = result == 0;
    if (result == 0) return STATUS_OK;
    free(start);
    return STATUS_LIMIT;
}

void thread_join(struct thread *thread) {
    if (!thread->started) return;
    int failed = pthread_join(thread->handle, NULL);
    ASSERT(failed == 0);
    thread->started = false;
}
