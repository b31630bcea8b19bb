// SPDX-License-Identifier: Apache-2.0
#include "wasm/ticker.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/list.h"
#include "base/thread.h"

#define TICKS_UNTIL_SLEEP 64

// The counter is odd while the thread runs a guest.
struct presence {
    _Alignas(64) _Atomic uint64_t count;
    uint64_t seen; // by the ticker
    struct ticker *ticker;
    struct list node;
};

struct ticker {
    uint64_t tick_ns;
    void (*function)(void *context);
    void *context;
    _Atomic uint64_t ticks;
    _Atomic bool asleep; // written under the mutex
    struct thread thread;
    struct mutex mutex; // of what follows
    struct condition wake;
    struct list presences;
    bool stopping;
};

static bool anyone_ran(struct ticker *ticker) {
    bool ran = false;
    for (struct list *node = ticker->presences.next; node != &ticker->presences;
         node = node->next) {
        struct presence *presence = container_of(node, struct presence, node);
        uint64_t count = atomic_load(&presence->count);
        if (count != presence->seen || (count & 1) != 0) ran = true;
        presence->seen = count;
    }
    return ran;
}

static void tick(struct ticker *ticker) {
    atomic_fetch_add_explicit(&ticker->ticks, 1, memory_order_relaxed);
    ticker->function(ticker->context);
}

// A thread stores its presence and then loads `asleep`; here it is the other way round, so one of
// the two sees the other.
static void sleep_until_needed(struct ticker *ticker) {
    atomic_store(&ticker->asleep, true);
    if (!anyone_ran(ticker)) condition_wait(&ticker->wake, &ticker->mutex);
    atomic_store(&ticker->asleep, false);
}

static void run(void *context) {
    struct ticker *ticker = context;
    int idle_ticks = 0;
    mutex_lock(&ticker->mutex);
    while (!ticker->stopping) {
        if (idle_ticks < TICKS_UNTIL_SLEEP) {
            condition_wait_for(&ticker->wake, &ticker->mutex, ticker->tick_ns);
            idle_ticks = anyone_ran(ticker) ? 0 : idle_ticks + 1;
            tick(ticker);
        } else {
            sleep_until_needed(ticker);
            idle_ticks = 0;
        }
    }
    mutex_unlock(&ticker->mutex);
}

static void wake(struct ticker *ticker) {
    mutex_lock(&ticker->mutex);
    condition_signal(&ticker->wake);
    mutex_unlock(&ticker->mutex);
}

enum status ticker_new(uint64_t tick_ns, void (*function)(void *context), void *context,
                       struct ticker **ret) {
    struct ticker *ticker = calloc(1, sizeof *ticker);
    if (ticker == NULL) return STATUS_NO_MEMORY;
    ticker->tick_ns = tick_ns;
    ticker->function = function;
    ticker->context = context;
    list_init(&ticker->presences);
    mutex_init(&ticker->mutex);
    condition_init(&ticker->wake);
    enum status status = thread_start(&ticker->thread, "wasm-ticker", run, ticker);
    if (status != STATUS_OK) {
        ticker_free(ticker);
        return status;
    }
    *ret = ticker;
    return STATUS_OK;
}

void ticker_free(struct ticker *ticker) {
    if (ticker == NULL) return;
    ASSERT(list_empty(&ticker->presences));
    mutex_lock(&ticker->mutex);
    ticker->stopping = true;
    condition_signal(&ticker->wake);
    mutex_unlock(&ticker->mutex);
    thread_join(&ticker->thread);
    condition_done(&ticker->wake);
    mutex_done(&ticker->mutex);
    free(ticker);
}

uint64_t ticker_ticks(const struct ticker *ticker) {
    return atomic_load_explicit(&ticker->ticks, memory_order_relaxed);
}

// ---- presence -----------------------------------------------------------------------------------

enum status presence_new(struct ticker *ticker, struct presence **ret) {
    struct presence *presence = aligned_alloc(64, sizeof *presence);
    if (presence == NULL) return STATUS_NO_MEMORY;
    *presence = (struct presence){.ticker = ticker};
    mutex_lock(&ticker->mutex);
    list_push_back(&ticker->presences, &presence->node);
    mutex_unlock(&ticker->mutex);
    *ret = presence;
    return STATUS_OK;
}

void presence_free(struct presence *presence) {
    if (presence == NULL) return;
    mutex_lock(&presence->ticker->mutex);
    list_remove(&presence->node);
    mutex_unlock(&presence->ticker->mutex);
    free(presence);
}

void presence_enter(struct presence *presence) {
    uint64_t count = atomic_load_explicit(&presence->count, memory_order_relaxed);
    ASSERT((count & 1) == 0); // a guest is run from inside a guest
    atomic_store(&presence->count, count + 1);
    if (__builtin_expect(atomic_load(&presence->ticker->asleep), 0)) wake(presence->ticker);
}

void presence_leave(struct presence *presence) {
    uint64_t count = atomic_load_explicit(&presence->count, memory_order_relaxed);
    atomic_store_explicit(&presence->count, count + 1, memory_order_release);
}
