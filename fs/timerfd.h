/* timerfd.h: timers as files (timerfd_create(2)). Times are of time_mono_ns. */
#ifndef WHELK_FS_TIMERFD_H
#define WHELK_FS_TIMERFD_H

#include "fs/file.h"

struct timerfd_setting {
    u64 deadline, interval; /* ns; deadline 0: disarmed; interval 0: once */
};

i64 timerfd_open(u32 flags, struct file **out); /* flags: LINUX_O_NONBLOCK */
bool timerfd_is(const struct file *f);
/* Arms anew and gives what was set: its deadline is the next to come. */
struct timerfd_setting timerfd_set(struct file *f, struct timerfd_setting now);
struct timerfd_setting timerfd_get(struct file *f);

#endif
