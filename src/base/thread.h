// SPDX-License-Identifier: Apache-2.0
// Threads, mutexes and conditions: pthreads with errors turned into assertions (they are bugs),
// thread start into a status (that is the environment).
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

struct mutex {
    pthread_mutex_t handle;
};
void mutex_init(struct mutex *mutex);
void mutex_done(struct mutex *mutex);
void mutex_lock(struct mutex *mutex);
void mutex_unlock(struct mutex *mutex);

struct condition {
    pthread_cond_t handle; // on CLOCK_MONOTONIC
};
void condition_init(struct condition *condition);
void condition_done(struct condition *condition);
void condition_wait(struct condition *condition, struct mutex *mutex);
// Returns false on timeout.
bool condition_wait_for(struct condition *condition, struct mutex *mutex, uint64_t timeout_ns);
void condition_signal(struct condition *condition);
void condition_broadcast(struct condition *condition);

struct thread {
    pthread_t handle;
    bool started;
};
// `name` (at most 15 characters) shows in ps and perf. All signals are blocked in the new thread
// but for those that report a fault of its own (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT,
// SIGSYS). STATUS_NO_MEMORY, or STATUS_LIMIT when the system refuses another thread.
CHECKED enum status thread_start(struct thread *thread, const char *name,
                                 void (*function)(void *context), void *context);
// Waits for the end; a thread that was never started is fine.
void thread_join(struct thread *thread);
