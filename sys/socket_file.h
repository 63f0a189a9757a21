/* socket_file.h: sockets as files. */
#ifndef WHELK_SYS_SOCKET_FILE_H
#define WHELK_SYS_SOCKET_FILE_H

#include "fs/file.h"
#include "net/socket.h"

enum { SOCKET_CLOEXEC = 02000000, SOCKET_NONBLOCK = 04000 };

/* Takes the socket, also on failure. flags: LINUX_O_NONBLOCK or 0. */
i64 socket_file_new(struct socket *s, u32 flags, struct file **out);
struct socket *file_socket(struct file *f); /* NULL: not a socket */
/* The NET_* flags of a call with these MSG_* flags on this file; -EOPNOTSUPP. */
i64 socket_flags(const struct file *f, u64 flags);
/* struct sockaddr_in. Lengths as the socket calls have them. */
i64 address_read(u64 user, u64 length, struct net_addr *out); /* -EAFNOSUPPORT for others */
i64 address_write(u64 user, u64 user_length, const struct net_addr *a); /* user 0: nothing */

#endif
