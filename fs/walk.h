/* walk.h: the place of a name, for what adds, removes or moves names. Inside
 * fs/ only; vfs_tree_lock is held from the search until the change is done. */
#ifndef WHELK_FS_WALK_H
#define WHELK_FS_WALK_H

#include "fs/tmpfs.h"

/* The directory that holds, or would hold, the last part of a path. */
struct place {
    struct inode *dir;
    struct entry *entry; /* NULL if the name is free */
    u8 length;
    bool slash; /* the path ended with one */
    char name[LINUX_NAME_MAX];
};

/* Links in the last part are followed unless nofollow, so that O_CREAT through
 * a dangling link makes its target. -EEXIST for "/", "." and "..". */
i64 vfs_find_place(struct vfs_at at, struct place *out);
struct bytes vfs_place_name(const struct place *p);

#endif
