/* kernel.h: what ext/ needs of the kernel, in a process with one thread. A
 * wait whose condition does not hold runs the pump in place of other threads. */
#ifndef WHELK_TEST_EXT_KERNEL_H
#define WHELK_TEST_EXT_KERNEL_H

#include "base/types.h"

extern bool (*kernel_pump)(void); /* false: it had nothing to do */
extern char kernel_log[512];      /* the last line */
extern u32 kernel_log_lines;
extern u32 kernel_preempt;        /* nesting of preempt_disable */
extern u64 kernel_heap_bytes;     /* allocated and not freed, in blocks */

extern u64 kernel_pages_free;
extern void (*kernel_thread)(void *); /* what the last thread_create was to run */
void kernel_run_thread(void);         /* what the last thread_prepare was to run, to its end */

#endif
