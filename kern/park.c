/* park.c: see park.h.
 *
 * I1 the word is compared and the sleeper enlisted under the lock that a waker
 *    takes: no wake is lost.
 * I2 a sleeper is in the list exactly while it is not woken, and takes the lock
 *    before it leaves: a waker never touches a frame that is gone. */
#include "kern/park.h"

#include "base/assert.h"
#include "kern/time.h"
#include "kern/wait.h"

/* How often *stop is looked at: whoever sets it need not know what sleeps. */
enum { SLICE_NS = 5000000 };

struct sleeper {
    struct list node;
    const void *at;
    struct waitq queue;
    bool woken;
};

static struct spin lock;
static struct list sleepers = LIST_INIT(sleepers); /* under lock */

static bool equal(const void *at, u64 expected, u32 width) {
    if (width == 8) return __atomic_load_n((const u64 *)at, __ATOMIC_SEQ_CST) == expected;
    return __atomic_load_n((const u32 *)at, __ATOMIC_SEQ_CST) == (u32)expected;
}

static bool woken(const struct sleeper *s) { return __atomic_load_n(&s->woken, __ATOMIC_ACQUIRE); }

static enum park sleep(struct sleeper *s, u64 deadline, const u32 *stop) {
    while (!woken(s)) {
        u64 now = time_mono_ns();
        if (__atomic_load_n(stop, __ATOMIC_RELAXED)) return PARK_STOPPED;
        if (now >= deadline) return PARK_TIMED_OUT;
        wait_event(&s->queue, woken(s), MIN(deadline, now + SLICE_NS));
    }
    return PARK_WOKEN;
}

enum park park_wait(const void *at, u64 expected, u32 width, u64 deadline, const u32 *stop) {
    struct sleeper s = {.at = at};
    assert(width == 4 || width == 8);
    waitq_init(&s.queue);
    list_init(&s.node);
    u64 flags = spin_lock(&lock);
    bool same = equal(at, expected, width);
    if (same) list_push_back(&sleepers, &s.node);
    spin_unlock(&lock, flags);
    if (!same) return PARK_NOT_EQUAL;
    enum park r = sleep(&s, deadline, stop);
    flags = spin_lock(&lock);
    if (s.woken) r = PARK_WOKEN;
    list_remove(&s.node); /* harmless if it is in no list */
    spin_unlock(&lock, flags);
    return r;
}

u32 park_wake(const void *at, u32 count) {
    u32 n = 0;
    u64 flags = spin_lock(&lock);
    LIST_EACH(it, &sleepers) {
        struct sleeper *s = LIST_ENTRY(it, struct sleeper, node);
        if (n == count) break;
        if (s->at != at) continue;
        list_remove(&s->node);
        __atomic_store_n(&s->woken, true, __ATOMIC_RELEASE);
        wait_wake_all(&s->queue);
        n++;
    }
    spin_unlock(&lock, flags);
    return n;
}
