/* clock.h: the one timer interrupt behind timers and turns. */
#ifndef WHELK_KERN_CLOCK_H
#define WHELK_KERN_CLOCK_H

#include "base/types.h"

void clock_init(void);          /* calibrates; the TSC counts from here on */
void clock_set_turn(u64 at_ns); /* when the running thread's turn ends; UINT64_MAX: never */
void clock_interrupt(void);

#endif
