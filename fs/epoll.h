/* epoll.h: interest in many files (epoll(7)): level, edge and one-shot.
 * Errors: results >= 0 or negated LINUX_E* numbers. */
#ifndef WHELK_FS_EPOLL_H
#define WHELK_FS_EPOLL_H

#include "fs/file.h"

enum epoll_bits {
    EPOLL_EXCLUSIVE = 1 << 28,
    EPOLL_WAKEUP = 1 << 29,
    EPOLL_ONESHOT = 1 << 30,
};
#define EPOLL_EDGE (1u << 31)

/* struct epoll_event of Linux x86-64: 12 bytes. */
struct epoll_event {
    u32 events;
    u64 data;
} __attribute__((packed));

enum epoll_op { EPOLL_ADD = 1, EPOLL_DEL = 2, EPOLL_MOD = 3 };

i64 epoll_open(struct file **out);
bool file_is_epoll(const struct file *f);
/* Interest is kept for (fd, file), as Linux does. event may be NULL for DEL. */
i64 epoll_change(struct file *ep, enum epoll_op op, int fd, struct file *target,
                 const struct epoll_event *event);
/* Forgets what was woken and is not ready, for file_poll. May block. */
void epoll_settle(struct file *f);
/* Up to max events; 0 when the deadline passes first. */
i64 epoll_collect(struct file *ep, struct epoll_event *out, u32 max, u64 deadline_ns);

#endif
