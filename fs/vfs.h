/* vfs.h: the one tree of names. A tmpfs, filled from the initrd, with devices
 * under /dev and generated files under /proc.
 *
 * Errors: results >= 0, or a negated LINUX_E* number; a call that fails has
 *   changed nothing.
 * Threads: thread context; may block. One mutex guards the whole tree.
 * Ownership: struct inode is counted; what comes back through an out pointer
 *   is a new reference, given back with inode_put.
 *
 * Example: read a file from inside the kernel
 *   struct file *f;
 *   i64 r = vfs_open((struct vfs_at){.path = "/etc/motd"}, LINUX_O_RDONLY, 0, &f);
 *   if (r >= 0) { n = file_read(f, buf, sizeof buf); file_put(f); } */
#ifndef WHELK_FS_VFS_H
#define WHELK_FS_VFS_H

#include "base/err.h"
#include "base/types.h"
#include "fs/file.h"

/* Where a walk starts and what it may do. */
struct vfs_at {
    struct inode *base; /* directory for relative paths; NULL: the root. Borrowed. */
    const char *path;   /* zero-terminated; at most LINUX_PATH_MAX - 1 bytes */
    bool beneath;       /* never leave base: absolute paths, absolute links and .. above
                         * base answer -EXDEV. What WASI preopens need. */
    bool nofollow;      /* a symbolic link as the last part is not followed */
    bool empty;         /* an empty path names base itself (AT_EMPTY_PATH) */
};

/* The tree with / /dev /proc /tmp, then the archive's files. A bad archive is
 * refused as a whole: the log names the entry, the offset and the remedy. */
enum err vfs_init(struct bytes initrd);

void fs_init(void); /* the boot step: vfs_init on the initrd of bootinfo.h */

struct inode *inode_get(struct inode *i);
void inode_put(struct inode *i); /* NULL allowed */
u32 inode_mode(const struct inode *i);
/* Of a regular file: the first byte from at on that is data, or in a hole (the end is one); -ENXIO. */
i64 inode_find(struct inode *i, u64 at, bool hole);

/* Any kind of file, directory or link. */
i64 vfs_walk(struct vfs_at at, struct inode **out);
/* flags: LINUX_O_*; mode: permissions of a file that O_CREAT makes. */
i64 vfs_open(struct vfs_at at, u32 flags, u32 mode, struct file **out);
i64 vfs_open_inode(struct inode *i, u32 flags, struct file **out);
i64 vfs_stat(struct vfs_at at, struct file_stat *out);
i64 vfs_mkdir(struct vfs_at at, u32 mode);
i64 vfs_symlink(struct vfs_at at, const char *target);
i64 vfs_link(struct vfs_at from, struct vfs_at to);
i64 vfs_unlink(struct vfs_at at); /* not directories */
i64 vfs_rmdir(struct vfs_at at);
i64 vfs_rename(struct vfs_at from, struct vfs_at to, bool no_replace);
/* Not zero-terminated; the length, at most cap. */
i64 vfs_readlink(struct vfs_at at, char *out, size_t cap);
i64 vfs_truncate(struct vfs_at at, u64 size);
i64 vfs_chmod(struct vfs_at at, u32 mode);
/* UINT64_MAX leaves a time as it is. */
i64 vfs_set_times(struct vfs_at at, u64 atime_ns, u64 mtime_ns);
i64 inode_set_times(struct inode *i, u64 atime_ns, u64 mtime_ns);
void inode_stat(struct inode *i, struct file_stat *out);
/* The absolute path of a directory, zero-terminated: its length with the zero,
 * -ERANGE if cap is too small, -ENOENT if it was removed. */
i64 vfs_path(struct inode *dir, char *out, size_t cap);

/* A file whose text is made anew at each open: make writes at most cap bytes and
 * returns how many the text has (more than cap: asked again with more). */
typedef size_t vfs_make(void *arg, char *out, size_t cap);
i64 vfs_add_generated(const char *path, vfs_make *make, void *arg);
/* A symbolic link whose target is made anew. */
i64 vfs_add_generated_link(const char *path, vfs_make *make, void *arg);
/* A character device: open fills in f->ops, f->object and f->queue. */
typedef i64 vfs_device_open(struct file *f);
i64 vfs_add_device(const char *path, u64 rdev, u32 mode, vfs_device_open *open);

/* Totals for statfs and for leak tests. */
struct vfs_usage {
    u64 inodes, pages;
};
struct vfs_usage vfs_usage(void);

#endif
