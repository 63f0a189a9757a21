/* pwd.h: there is no table of users; see unix.h. */
#ifndef WHELK_TEST_GUEST_PROGRAMS_UNIX_PWD_H
#define WHELK_TEST_GUEST_PROGRAMS_UNIX_PWD_H
#include <sys/types.h>
struct passwd {
    char *pw_name, *pw_dir;
};
struct passwd *getpwuid(uid_t user);
#endif
