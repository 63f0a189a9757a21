/* local.h: sockets inside the image (AF_UNIX): streams, by path, by abstract name,
 * or in pairs. No credentials or descriptors travel; no datagrams.
 *
 * Each function but local_create and local_pair takes a file that local_is. */
#ifndef WHELK_SYS_LOCAL_H
#define WHELK_SYS_LOCAL_H

#include "sys/process.h"

enum { LOCAL_FAMILY = 1 };

bool local_is(const struct file *f);
/* type: with SOCK_CLOEXEC and SOCK_NONBLOCK. A descriptor. */
i64 local_create(u64 type, u64 protocol);
i64 local_pair(u64 type, u64 protocol, struct file *out[2]);

i64 local_bind(struct file *f, u64 user, u32 length);
i64 local_listen(struct file *f, int backlog);
i64 local_accept(struct file *f, u32 flags, struct file **out); /* flags: LINUX_O_NONBLOCK of the new one */
i64 local_connect(struct file *f, u64 user, u32 length);
i64 local_shutdown(struct file *f, u64 how);
i64 local_name(struct file *f, bool peer, u64 user, u64 user_length);
i64 local_getopt(struct file *f, u64 level, u64 name, u64 user, u64 user_length);
i64 local_setopt(u64 level, u64 name, u64 user, u32 length);
/* One send or receive; flags: MSG_*. */
i64 local_move(struct file *f, struct vector *v, bool send, u64 flags);

#endif
