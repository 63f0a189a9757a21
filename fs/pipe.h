/* pipe.h: pipes, eventfd counters, and what they share. Files without a name. */
#ifndef WHELK_FS_PIPE_H
#define WHELK_FS_PIPE_H

#include "fs/file.h"

enum { PIPE_CAPACITY = 65536, PIPE_ATOMIC = 4096 };

/* out[0] reads, out[1] writes; flags: LINUX_O_NONBLOCK. */
i64 pipe_open(u32 flags, struct file *out[2]);
/* Of the reading end: nothing more can be written; what is in there can be read. */
void pipe_refuse(struct file *f);
/* eventfd2(2). */
i64 eventfd_open(u64 initial, bool semaphore, u32 flags, struct file **out);

/* Blocks until f->queue is woken: 0; -EAGAIN if f must not block; -EINTR. The
 * caller checks its condition again. ready is asked after enqueueing. */
i64 file_wait(struct file *f, bool (*ready)(void *object), void *object);

#endif
