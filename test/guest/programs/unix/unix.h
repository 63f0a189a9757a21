/* unix.h: what Unix programs name and wasi-libc leaves out: modes, owners and
 * users, locks of files. Put before each source by -include; unix.c answers. */
#ifndef WHELK_TEST_GUEST_PROGRAMS_UNIX_UNIX_H
#define WHELK_TEST_GUEST_PROGRAMS_UNIX_UNIX_H
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#ifdef __wasi__
enum { F_GETLK = 5, F_SETLK = 6, F_SETLKW = 7 };
enum { F_RDLCK = 0, F_WRLCK = 1, F_UNLCK = 2 };
#endif
int chmod(const char *path, mode_t mode);
int fchmod(int fd, mode_t mode);
int chown(const char *path, uid_t owner, gid_t group);
int fchown(int fd, uid_t owner, gid_t group);
uid_t getuid(void);
uid_t geteuid(void);
mode_t umask(mode_t mode);
#endif
