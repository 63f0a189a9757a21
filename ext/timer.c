/* timer.c: the hook `timer`: one thread that calls each handler at the time that
 * its last call asked for.
 *
 * I1 deadlines change under list_lock, and a handler is called with it held: an
 *    extension cannot go away meanwhile, and no handler blocks.
 * I2 no handler is called again sooner than EXT_TIMER_LEAST_NS later: an answer
 *    in the past cannot take the CPU from the program. */
#include "ext/internal.h"
#include "kern/thread.h"
#include "kern/time.h"

#define EXT_TIMER_LEAST_NS 1000000ull

static struct waitq changed = WAITQ_INIT(changed);
static u32 changes; /* under list_lock */

static bool is_timer(const struct ext_slot *s) { return s->hook->id == WHELK_HOOK_TIMER; }

void ext_timer_start(struct ext *x) {
    for (u32 i = 0; i < x->slot_count; i++)
        if (is_timer(&x->slots[i])) x->slots[i].deadline = time_mono_ns() + EXT_TIMER_LEAST_NS;
    changes++;
    wait_wake_all(&changed);
}

/* An extension that is busy (a record handler was preempted) is asked again
 * later; one that trapped gave no time, and its timer ends. */
static void fire(struct ext_slot *s) {
    struct hook_timer event = {.now_ns = time_mono_ns()};
    preempt_disable();
    bool busy = s->ext->busy, live = s->slot.hook && s->slot.state == HOOK_LIVE;
    if (live && !busy) hook_fire_one(&s->slot, &event);
    preempt_enable();
    u64 soonest = time_mono_ns() + EXT_TIMER_LEAST_NS;
    if (!live) s->deadline = 0;
    else if (busy) s->deadline = soonest;
    else s->deadline = event.next_ns ? MAX(event.next_ns, soonest) : 0;
}

u64 ext_timer_step(u32 *seen) {
    u64 next = WAIT_FOREVER;
    mutex_lock(&ext_list_lock);
    *seen = changes;
    LIST_EACH(it, &ext_list_head) {
        struct ext *x = LIST_ENTRY(it, struct ext, node);
        for (u32 i = 0; i < x->slot_count; i++) {
            struct ext_slot *s = &x->slots[i];
            if (!is_timer(s)) continue;
            if (s->deadline && s->deadline <= time_mono_ns()) fire(s);
            if (s->deadline) next = MIN(next, s->deadline);
        }
    }
    mutex_unlock(&ext_list_lock);
    return next;
}

void ext_timer_thread(void *arg) {
    for (;;) {
        u32 seen;
        u64 next = ext_timer_step(&seen);
        wait_event(&changed, __atomic_load_n(&changes, __ATOMIC_ACQUIRE) != seen, next);
    }
}
