/* at.h: the (directory descriptor, path) pairs of the *at calls. */
#ifndef WHELK_SYS_AT_H
#define WHELK_SYS_AT_H

#include "fs/vfs.h"

enum at_flags {
    AT_SYMLINK_NOFOLLOW = 0x100,
    AT_EACCESS = 0x200,
    AT_REMOVEDIR = 0x200,
    AT_SYMLINK_FOLLOW = 0x400,
    AT_NO_AUTOMOUNT = 0x800,
    AT_EMPTY_PATH = 0x1000,
    AT_STATX_SYNC = 0x6000,
};
#define AT_FDCWD (-100)

/* A copied path and its counted start: at_end gives both back. */
struct at {
    struct vfs_at v;
    char *path;
    struct inode *base;
};
i64 at_begin(struct at *at, u64 dirfd, u64 user_path, u32 flags); /* AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH */
void at_end(struct at *at);

#endif
