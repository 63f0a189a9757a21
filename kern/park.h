/* park.h: sleeping on a word of memory until somebody wakes that address. For
 * shared memories of modules; Linux programs have sys/futex.
 *
 * park_wait: thread context, preemption on. park_wake: anywhere. Those who came
 * first are woken first. */
#ifndef WHELK_KERN_PARK_H
#define WHELK_KERN_PARK_H

#include "base/types.h"

enum park { PARK_WOKEN, PARK_NOT_EQUAL, PARK_TIMED_OUT, PARK_STOPPED };

/* If the word of width 4 or 8 at `at` equals expected: sleeps until it is woken,
 * the deadline passes (time_mono_ns) or *stop is seen not to be 0. */
enum park park_wait(const void *at, u64 expected, u32 width, u64 deadline, const u32 *stop);
u32 park_wake(const void *at, u32 count);

#endif
