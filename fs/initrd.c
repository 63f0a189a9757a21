/* initrd.c: the tree at boot: standard directories, then the archive.
 *
 * I1 the archive is checked from end to end before its first entry is used. */
#include "base/assert.h"
#include "base/mem.h"
#include "fs/cpio.h"
#include "fs/dev.h"
#include "fs/tmpfs.h"
#include "kern/bootinfo.h"
#include "kern/heap.h"
#include "kern/log.h"

/* Directories on the way may be missing from an archive. */
static i64 make_parents(char *path) {
    for (char *p = path; (p = strchr(p, '/')); *p++ = '/') {
        *p = 0;
        i64 r = vfs_mkdir((struct vfs_at){.path = path}, 0755);
        if (r < 0 && r != -LINUX_EEXIST) return r;
    }
    return 0;
}

static i64 fill(struct file *f, struct bytes data) {
    for (size_t done = 0; done < data.n;) {
        i64 r = file_write(f, data.p + done, data.n - done);
        if (r < 0) return r;
        done += (size_t)r;
    }
    return 0;
}

static i64 add_regular(struct vfs_at at, const struct cpio_entry *e) {
    struct file *f;
    i64 r = vfs_open(at, LINUX_O_WRONLY | LINUX_O_CREAT | LINUX_O_TRUNC, e->mode & 07777, &f);
    if (r < 0) return r;
    r = fill(f, e->data);
    if (r >= 0) r = inode_set_times(f->inode, UINT64_MAX, e->mtime * 1000000000ull);
    file_put(f);
    return r;
}

static i64 add_link(struct vfs_at at, const struct cpio_entry *e) {
    char *target = kmalloc(e->data.n + 1);
    if (!target) return -LINUX_ENOMEM;
    memcpy(target, e->data.p, e->data.n);
    target[e->data.n] = 0;
    i64 r = vfs_symlink(at, target);
    kfree(target);
    return r;
}

static i64 add_named(char *path, const struct cpio_entry *e) {
    struct vfs_at at = {.path = path};
    i64 r = make_parents(path);
    if (r < 0) return r;
    switch (e->mode & LINUX_S_IFMT) {
    case LINUX_S_IFDIR:
        r = vfs_mkdir(at, e->mode);
        return r == -LINUX_EEXIST ? 0 : r;
    case LINUX_S_IFLNK:
        return add_link(at, e);
    case LINUX_S_IFREG:
        return add_regular(at, e);
    default: /* devices are the kernel's own; a host's mean nothing here */
        log_info("initrd: %s: devices, pipes and sockets of the archive are left out", path);
        return 0;
    }
}

static bool is_short_of_memory(i64 r) { return r == -LINUX_ENOMEM || r == -LINUX_ENOSPC; }

static const char *advice(i64 r) {
    if (is_short_of_memory(r)) return "give the VM more memory (-m) or a smaller root";
    if (r == -LINUX_ENOTDIR) return "a part of its path is a file of the root, not a folder";
    if (r == -LINUX_ENOENT || r == -LINUX_ELOOP) return "a part of its path is a link of the root that leads nowhere";
    return "its place is taken";
}

static i64 add_entry(const struct cpio_entry *e) {
    char *path = kmalloc(e->name.n + 1);
    if (!path) return -LINUX_ENOMEM;
    memcpy(path, e->name.p, e->name.n);
    path[e->name.n] = 0;
    i64 r = e->name.n ? add_named(path, e) : 0;
    if (r < 0) log_error("initrd: %s: cannot be made: errno %d; %s", path, (int)-r, advice(r));
    kfree(path);
    return r;
}

static enum err unpack(struct bytes archive) {
    struct cursor c = cursor_of(archive);
    struct cpio_entry e;
    bool end = false;
    size_t entries, at = 0;
    enum err err = cpio_check(archive, &entries, &at);
    if (err) {
        log_error("initrd: %s at offset %zu: not a cpio archive of format newc; make it with whelk run --root DIR", err_text(err), at);
        return err;
    }
    while (entries-- && !end) {
        err = cpio_next(&c, &e, &end);
        assert(!err && !end); /* I1 */
        i64 r = add_entry(&e);
        if (r < 0) return is_short_of_memory(r) ? ERR_NOMEM : ERR_INVALID;
    }
    return ERR_OK;
}

static bool standard_directories(void) {
    static const char *const names[] = {"/dev", "/proc", "/proc/self", "/proc/self/fd", "/tmp"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (vfs_mkdir((struct vfs_at){.path = names[i]}, 0755) < 0) return false;
    return true;
}

enum err vfs_init(struct bytes initrd) {
    assert(!vfs_root);
    if (!(vfs_root = inode_new(LINUX_S_IFDIR | 0755))) return ERR_NOMEM;
    vfs_root->nlink = 1;
    vfs_root->parent = vfs_root;
    if (!standard_directories() || devfs_init() < 0) return ERR_NOMEM;
    return unpack(initrd);
}

/* The boot step. A bad archive leaves the standard directories: the program
 * then says that it is missing, after the log said why. */
void fs_init(void) {
    enum err e = vfs_init(bootinfo.initrd);
    if (e) log_error("files: the root could not be filled: %s", err_text(e));
}
