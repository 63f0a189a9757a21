/* vfs_names.c: taking names away and moving them, attributes, paths. See vfs.c
 * for the invariants. */
#include "base/assert.h"
#include "base/mem.h"
#include "fs/tmpfs.h"
#include "fs/walk.h"
#include "kern/heap.h"
#include "kern/time.h"

static i64 unlink_locked(struct vfs_at at) {
    struct place p;
    at.nofollow = true;
    i64 r = vfs_find_place(at, &p);
    if (r == -LINUX_EEXIST) return -LINUX_EISDIR;
    if (r < 0) return r;
    if (!p.entry) return -LINUX_ENOENT;
    if (is_kind(p.entry->inode, LINUX_S_IFDIR)) return -LINUX_EISDIR;
    if (p.slash) return -LINUX_ENOTDIR;
    dir_remove(p.dir, p.entry);
    return 0;
}

i64 vfs_unlink(struct vfs_at at) {
    mutex_lock(&vfs_tree_lock);
    i64 r = unlink_locked(at);
    mutex_unlock(&vfs_tree_lock);
    return r;
}

static i64 rmdir_locked(struct vfs_at at) {
    struct place p;
    at.nofollow = true;
    i64 r = vfs_find_place(at, &p);
    if (r == -LINUX_EEXIST) return -LINUX_EINVAL;
    if (r < 0) return r;
    if (!p.entry) return -LINUX_ENOENT;
    if (!is_kind(p.entry->inode, LINUX_S_IFDIR)) return -LINUX_ENOTDIR;
    if (!list_empty(&p.entry->inode->entries)) return -LINUX_ENOTEMPTY;
    dir_remove(p.dir, p.entry);
    return 0;
}

i64 vfs_rmdir(struct vfs_at at) {
    mutex_lock(&vfs_tree_lock);
    i64 r = rmdir_locked(at);
    mutex_unlock(&vfs_tree_lock);
    return r;
}

static bool below(struct inode *dir, struct inode *top) {
    for (; dir && dir != vfs_root; dir = dir->parent)
        if (dir == top) return true;
    return dir == top;
}

/* rename(2): may what is at `to` be replaced by what is at `from`? */
static i64 rename_check(const struct place *from, const struct place *to, bool no_replace) {
    if (!from->entry) return -LINUX_ENOENT;
    if (!to->dir->nlink) return -LINUX_ENOENT;
    struct inode *i = from->entry->inode;
    bool dir = is_kind(i, LINUX_S_IFDIR);
    if (no_replace && to->entry) return -LINUX_EEXIST;
    if ((from->slash || to->slash) && !dir) return -LINUX_ENOTDIR;
    if (dir && below(to->dir, i)) return -LINUX_EINVAL;
    if (!to->entry) return 0;
    struct inode *old = to->entry->inode;
    if (below(from->dir, old)) return -LINUX_ENOTEMPTY; /* from is in it */
    if (old == i) return 0; /* one name, or two of one file: nothing to do */
    bool old_dir = is_kind(old, LINUX_S_IFDIR);
    if (dir && !old_dir) return -LINUX_ENOTDIR;
    if (!dir && old_dir) return -LINUX_EISDIR;
    return old_dir && !list_empty(&old->entries) ? -LINUX_ENOTEMPTY : 0;
}

static i64 rename_locked(struct vfs_at from, struct vfs_at to, bool no_replace) {
    struct place a, b;
    from.nofollow = to.nofollow = true;
    i64 r = vfs_find_place(from, &a), s = r >= 0 || r == -LINUX_EEXIST ? vfs_find_place(to, &b) : 0;
    if (s < 0 && s != -LINUX_EEXIST) return s;
    if (r == -LINUX_EEXIST) return -LINUX_EBUSY; /* a name that is no entry */
    if (r >= 0 && s < 0) return no_replace ? -LINUX_EEXIST : -LINUX_EBUSY;
    if (r >= 0) r = rename_check(&a, &b, no_replace);
    if (r < 0) return r;
    struct inode *i = a.entry->inode;
    if (b.entry && b.entry->inode == i) return 0;
    /* The new entry first: it is the only step that can fail. Hidden twins of
     * one name exist only while the tree is locked. */
    if (b.entry) list_remove(&b.entry->node);
    r = dir_add(b.dir, vfs_place_name(&b), i);
    if (b.entry) list_push_back(&b.dir->entries, &b.entry->node);
    if (r < 0) return r;
    if (b.entry) dir_remove(b.dir, b.entry);
    dir_remove(a.dir, a.entry);
    if (is_kind(i, LINUX_S_IFDIR)) i->parent = b.dir;
    return 0;
}

i64 vfs_rename(struct vfs_at from, struct vfs_at to, bool no_replace) {
    mutex_lock(&vfs_tree_lock);
    i64 r = rename_locked(from, to, no_replace);
    mutex_unlock(&vfs_tree_lock);
    return r;
}

i64 vfs_readlink(struct vfs_at at, char *out, size_t cap) {
    struct inode *i;
    at.nofollow = true;
    i64 r = vfs_walk(at, &i);
    if (r < 0) return r;
    if (!is_kind(i, LINUX_S_IFLNK)) {
        r = -LINUX_EINVAL;
    } else if (i->make) {
        r = (i64)MIN(i->make(i->make_arg, out, cap), cap);
    } else { /* a link's target never changes */
        r = (i64)MIN(strlen(i->target), cap);
        memcpy(out, i->target, (size_t)r);
    }
    inode_put(i);
    return r;
}

i64 vfs_truncate(struct vfs_at at, u64 size) {
    struct inode *i;
    i64 r = vfs_walk(at, &i);
    if (r < 0) return r;
    if (is_kind(i, LINUX_S_IFDIR)) r = -LINUX_EISDIR;
    else if (!is_kind(i, LINUX_S_IFREG) || i->make) r = -LINUX_EINVAL;
    else r = tmpfs_truncate(i, size);
    inode_put(i);
    return r;
}

i64 vfs_chmod(struct vfs_at at, u32 mode) {
    struct inode *i;
    i64 r = vfs_walk(at, &i);
    if (r < 0) return r;
    mutex_lock(&vfs_tree_lock);
    i->mode = (i->mode & LINUX_S_IFMT) | (mode & 07777);
    i->ctime_ns = time_wall_ns();
    mutex_unlock(&vfs_tree_lock);
    inode_put(i);
    return 0;
}

i64 inode_set_times(struct inode *i, u64 atime_ns, u64 mtime_ns) {
    mutex_lock(&vfs_tree_lock);
    if (atime_ns != UINT64_MAX) i->atime_ns = atime_ns;
    if (mtime_ns != UINT64_MAX) i->mtime_ns = mtime_ns;
    i->ctime_ns = time_wall_ns();
    mutex_unlock(&vfs_tree_lock);
    return 0;
}

i64 vfs_set_times(struct vfs_at at, u64 atime_ns, u64 mtime_ns) {
    struct inode *i;
    i64 r = vfs_walk(at, &i);
    if (r < 0) return r;
    r = inode_set_times(i, atime_ns, mtime_ns);
    inode_put(i);
    return r;
}

static const struct entry *entry_of(struct inode *dir) {
    LIST_EACH(it, &dir->parent->entries) {
        const struct entry *e = LIST_ENTRY(it, struct entry, node);
        if (e->inode == dir) return e;
    }
    unreachable(); /* parent is set exactly while an entry exists */
}

/* Builds the path backwards from the end of out; returns where it starts. */
static i64 path_locked(struct inode *dir, char *out, size_t cap) {
    size_t at = cap;
    if (cap < 2) return -LINUX_ERANGE;
    out[--at] = 0;
    for (; dir != vfs_root; dir = dir->parent) {
        if (!dir->parent) return -LINUX_ENOENT;
        const struct entry *e = entry_of(dir);
        if (at < (size_t)e->length + 1) return -LINUX_ERANGE;
        at -= e->length;
        memcpy(out + at, e->name, e->length);
        out[--at] = '/';
    }
    if (at == cap - 1) out[--at] = '/';
    memmove(out, out + at, cap - at);
    return (i64)(cap - at);
}

i64 vfs_path(struct inode *dir, char *out, size_t cap) {
    mutex_lock(&vfs_tree_lock);
    i64 r = path_locked(dir, out, cap);
    mutex_unlock(&vfs_tree_lock);
    return r;
}
