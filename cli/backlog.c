/* backlog.c: listen() may be called again on a listening socket, by anybody
 * who holds it; a parent may take a child's by pidfd_getfd. */
#include "cli/backlog.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BACKLOG = 512 };
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

static bool raise_one(int socket) {
    int family = 0, listens = 0;
    socklen_t n = sizeof family, m = sizeof listens;
    if (getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &family, &n)) return false;
    if (getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &listens, &m)) return false;
    return family == AF_INET && listens && !listen(socket, BACKLOG);
}

u32 backlog_raise(pid_t child) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd", (int)child);
    int process = (int)syscall(SYS_pidfd_open, child, 0);
    DIR *d = process < 0 ? NULL : opendir(path);
    u32 raised = 0;
    for (struct dirent *e; d && (e = readdir(d));) {
        if (e->d_name[0] == '.') continue;
        int fd = (int)syscall(SYS_pidfd_getfd, process, atoi(e->d_name), 0);
        if (fd < 0) continue;
        if (raise_one(fd)) raised++;
        close(fd);
    }
    if (d) closedir(d);
    if (process >= 0) close(process);
    return raised;
}
