/* linux.h: the numbers of the Linux x86-64 ABI that files need: errno values,
 * open flags, modes, poll bits. Facts of the ABI (Linux uapi), shared by fs/,
 * sys/ and by whoever opens files in the kernel. Only what is used is here. */
#ifndef WHELK_FS_LINUX_H
#define WHELK_FS_LINUX_H

/* X(name, number): functions of fs/ and sys/ return them negated. */
#define LINUX_ERRNOS(X)                                                                        \
    X(EPERM, 1) X(ENOENT, 2) X(ESRCH, 3) X(EINTR, 4) X(EIO, 5) X(ENXIO, 6) X(E2BIG, 7)         \
    X(ENOEXEC, 8) X(EBADF, 9) X(ECHILD, 10) X(EAGAIN, 11) X(ENOMEM, 12) X(EACCES, 13)          \
    X(EFAULT, 14) X(EBUSY, 16) X(EEXIST, 17) X(EXDEV, 18) X(ENODEV, 19) X(ENOTDIR, 20)         \
    X(EISDIR, 21) X(EINVAL, 22) X(ENFILE, 23) X(EMFILE, 24) X(ENOTTY, 25) X(EFBIG, 27)         \
    X(ENOSPC, 28) X(ESPIPE, 29) X(EROFS, 30) X(EMLINK, 31) X(EPIPE, 32) X(ERANGE, 34)          \
    X(ENAMETOOLONG, 36) X(ENOSYS, 38) X(ENOTEMPTY, 39) X(ELOOP, 40) X(EOVERFLOW, 75)           \
    X(ENOTSOCK, 88) X(EDESTADDRREQ, 89) X(EMSGSIZE, 90) X(EPROTOTYPE, 91)                      \
    X(ENOPROTOOPT, 92) X(EPROTONOSUPPORT, 93) X(EOPNOTSUPP, 95) X(EAFNOSUPPORT, 97)            \
    X(EADDRINUSE, 98) X(EADDRNOTAVAIL, 99) X(ENETDOWN, 100) X(ENETUNREACH, 101)                \
    X(ECONNABORTED, 103) X(ECONNRESET, 104) X(ENOBUFS, 105) X(EISCONN, 106) X(ENOTCONN, 107)   \
    X(ETIMEDOUT, 110) X(ECONNREFUSED, 111) X(EHOSTUNREACH, 113) X(EALREADY, 114)               \
    X(EINPROGRESS, 115)

enum linux_errno {
#define X(name, number) LINUX_##name = number,
    LINUX_ERRNOS(X)
#undef X
};

enum linux_open {
    LINUX_O_RDONLY = 0,
    LINUX_O_WRONLY = 1,
    LINUX_O_RDWR = 2,
    LINUX_O_ACCMODE = 3,
    LINUX_O_CREAT = 0100,
    LINUX_O_EXCL = 0200,
    LINUX_O_NOCTTY = 0400,
    LINUX_O_TRUNC = 01000,
    LINUX_O_APPEND = 02000,
    LINUX_O_NONBLOCK = 04000,
    LINUX_O_DSYNC = 010000,
    LINUX_O_DIRECT = 040000,
    LINUX_O_LARGEFILE = 0100000,
    LINUX_O_DIRECTORY = 0200000,
    LINUX_O_NOFOLLOW = 0400000,
    LINUX_O_NOATIME = 01000000,
    LINUX_O_CLOEXEC = 02000000,
    LINUX_O_SYNC = 04010000,
    LINUX_O_PATH = 010000000,
    LINUX_O_TMPFILE = 020200000,
};

enum linux_mode {
    LINUX_S_IFMT = 0170000,
    LINUX_S_IFIFO = 0010000,
    LINUX_S_IFCHR = 0020000,
    LINUX_S_IFDIR = 0040000,
    LINUX_S_IFREG = 0100000,
    LINUX_S_IFLNK = 0120000,
    LINUX_S_IFSOCK = 0140000,
};

enum linux_poll {
    LINUX_POLLIN = 0x1,
    LINUX_POLLPRI = 0x2,
    LINUX_POLLOUT = 0x4,
    LINUX_POLLERR = 0x8,
    LINUX_POLLHUP = 0x10,
    LINUX_POLLNVAL = 0x20,
    LINUX_POLLRDNORM = 0x40,
    LINUX_POLLWRNORM = 0x100,
    LINUX_POLLRDHUP = 0x2000,
};

enum linux_seek { LINUX_SEEK_SET = 0, LINUX_SEEK_CUR = 1, LINUX_SEEK_END = 2 };

enum { LINUX_PATH_MAX = 4096, LINUX_NAME_MAX = 255, LINUX_SYMLINKS_MAX = 40 };

#endif
