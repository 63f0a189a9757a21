/* boot.h: the kernel's own steps, called once by init/main.c in its order. */
#ifndef WHELK_KERN_BOOT_H
#define WHELK_KERN_BOOT_H

#include "arch/x86_64/switch.h"
#include "arch/x86_64/trap.h"
#include "kern/clock.h"
#include "kern/interrupt.h"
#include "kern/memory.h"
#include "kern/random.h"
#include "kern/sched.h"

void percpu_init(void);

#endif
