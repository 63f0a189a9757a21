/* time.h: clocks in nanoseconds, and one-shot timers. */
#ifndef WHELK_KERN_TIME_H
#define WHELK_KERN_TIME_H

#include "base/list.h"
#include "base/types.h"

u64 time_mono_ns(void); /* since boot; never goes back */
u64 time_wall_ns(void); /* since 1970-01-01 UTC */

/* fn runs in the timer interrupt, interrupts off: wake a queue, set a flag. */
struct timer {
    struct list node;
    u64 deadline_ns;
    void (*fn)(struct timer *);
    bool armed;
};
void timer_arm(struct timer *t, u64 deadline_ns); /* re-arms if armed */
void timer_cancel(struct timer *t);

#endif
