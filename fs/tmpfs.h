/* tmpfs.h: the nodes of the tree, and what they hold. Inside fs/ only.
 *
 * I1 an entry holds one reference on its node; so does every open file and walk.
 * I2 names, nlink, parent and times of the tree are under vfs_tree_lock.
 * I3 size and blocks of a regular file are under its own lock, which is taken
 *    after vfs_tree_lock. Nobody touches program memory with either held. */
#ifndef WHELK_FS_TMPFS_H
#define WHELK_FS_TMPFS_H

#include "fs/vfs.h"
#include "kern/page.h"

/* One page of pointers to pages of page numbers: files up to 1 GiB. */
enum { TMPFS_FAN = PAGE_SIZE / 8 };
#define TMPFS_SIZE_MAX ((u64)TMPFS_FAN * TMPFS_FAN * PAGE_SIZE)

struct entry {
    struct list node;
    struct inode *inode;
    u64 cookie; /* grows; the position of readdir */
    u8 length;
    char name[];
};

struct inode {
    /* fixed */
    u64 ino, rdev;
    vfs_device_open *device;
    vfs_make *make; /* generated file or link */
    void *make_arg;
    /* atomic */
    u32 refs;
    /* under vfs_tree_lock */
    u32 mode, nlink;
    u64 atime_ns, mtime_ns, ctime_ns;
    struct inode *parent; /* of a linked directory; the root's is itself */
    struct list entries;
    u64 next_cookie;
    char *target; /* of a symbolic link */
    /* under lock */
    struct mutex lock;
    u64 size;
    phys **blocks; /* [TMPFS_FAN] of [TMPFS_FAN]; NULL is a hole */
};

extern struct mutex vfs_tree_lock;
extern struct inode *vfs_root;

static inline bool is_kind(const struct inode *i, u32 kind) { return (i->mode & LINUX_S_IFMT) == kind; }

struct inode *inode_new(u32 mode); /* one reference, nlink 0; NULL when memory is short */
/* Regular files. Short counts: end of file; -ENOSPC, -EFBIG. */
i64 tmpfs_read(struct inode *i, void *buf, size_t n, u64 at);
i64 tmpfs_write(struct inode *i, const void *buf, size_t n, u64 at);
i64 tmpfs_append(struct inode *i, const void *buf, size_t n, u64 *end);
i64 tmpfs_truncate(struct inode *i, u64 size);

/* Directories, tree locked. */
struct entry *dir_find(struct inode *dir, struct bytes name); /* NULL if absent */
i64 dir_add(struct inode *dir, struct bytes name, struct inode *child);
void dir_remove(struct inode *dir, struct entry *e);

/* A new name for a node; consumes the reference, also on failure. */
i64 vfs_add_node(struct vfs_at at, struct inode *i);

extern const struct file_ops regular_ops, directory_ops, text_ops;
i64 text_open(struct file *f, struct inode *i);

#endif
