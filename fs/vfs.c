/* vfs.c: walking and changing the tree.
 *
 * I1 a walk holds vfs_tree_lock from start to end: it sees one state.
 * I2 a walk takes at most LINUX_SYMLINKS_MAX links and LINUX_PATH_MAX bytes of
 *    path at any time, so it ends.
 * I3 what changes the tree decides everything first; the change cannot fail
 *    half-way. */
#include "fs/vfs.h"

#include "base/assert.h"
#include "base/mem.h"
#include "fs/tmpfs.h"
#include "fs/walk.h"
#include "kern/heap.h"

struct mutex vfs_tree_lock = MUTEX_INIT(vfs_tree_lock);
struct inode *vfs_root;

/* A walk in progress. rest is what is still to be walked; links are spliced
 * in front of it, in a buffer of its own. */
struct walk {
    struct inode *at, *base;
    const char *rest;
    char *spliced; /* kmalloc'ed; holds rest once a link was met */
    u32 links;
    bool beneath, nofollow;
    bool dir; /* what is found must be one: a slash is the last byte */
};

/* The next part of the path; n == 0 at its end. */
static struct bytes next_part(const char **rest) {
    const char *p = *rest;
    while (*p == '/') p++;
    const char *start = p;
    while (*p && *p != '/') p++;
    *rest = p;
    return (struct bytes){(const u8 *)start, (size_t)(p - start)};
}

static bool at_end(const char *rest) {
    while (*rest == '/') rest++;
    return !*rest;
}

static bool part_is(struct bytes part, const char *text) {
    return part.n == strlen(text) && !memcmp(part.p, text, part.n);
}

static i64 go_to_root(struct walk *w) {
    if (w->beneath) return -LINUX_EXDEV;
    w->at = vfs_root;
    return 0;
}

/* Puts a link's target before the rest of the path. */
static i64 splice(struct walk *w, struct inode *link) {
    if (++w->links > LINUX_SYMLINKS_MAX) return -LINUX_ELOOP;
    size_t rest = strlen(w->rest);
    char *path = kmalloc(LINUX_PATH_MAX + rest + 2);
    if (!path) return -LINUX_ENOMEM;
    size_t n = link->make ? link->make(link->make_arg, path, LINUX_PATH_MAX - 1) : strlen(link->target);
    if (n == 0 || n + rest + 2 > LINUX_PATH_MAX) {
        kfree(path);
        return n ? -LINUX_ENAMETOOLONG : -LINUX_ENOENT;
    }
    if (!link->make) memcpy(path, link->target, n);
    if (at_end(w->rest)) w->dir |= path[n - 1] == '/';
    memcpy(path + n, w->rest, rest + 1);
    kfree(w->spliced);
    w->rest = w->spliced = path;
    return path[0] == '/' ? go_to_root(w) : 0;
}

static i64 go_up(struct walk *w) {
    if (w->beneath && w->at == w->base) return -LINUX_EXDEV;
    if (w->at->parent) w->at = w->at->parent;
    return 0;
}

static i64 step(struct walk *w, struct bytes part) {
    if (!is_kind(w->at, LINUX_S_IFDIR)) return -LINUX_ENOTDIR;
    if (part.n > LINUX_NAME_MAX) return -LINUX_ENAMETOOLONG;
    if (part_is(part, ".")) return 0;
    if (part_is(part, "..")) return go_up(w);
    struct entry *e = dir_find(w->at, part);
    if (!e) return -LINUX_ENOENT;
    /* path_resolution(7): a trailing slash follows the last link as well. */
    bool last = !*w->rest;
    if (is_kind(e->inode, LINUX_S_IFLNK) && !(last && w->nofollow)) return splice(w, e->inode);
    w->at = e->inode;
    return 0;
}

static i64 walk_begin(struct walk *w, struct vfs_at at) {
    size_t n = strlen(at.path);
    if (n >= LINUX_PATH_MAX) return -LINUX_ENAMETOOLONG;
    if (!n && !at.empty) return -LINUX_ENOENT;
    struct inode *base = at.base ? at.base : vfs_root;
    *w = (struct walk){.at = base, .base = base, .rest = at.path, .beneath = at.beneath,
                       .nofollow = at.nofollow};
    return at.path[0] == '/' ? go_to_root(w) : 0;
}

/* Tree locked. Borrowed from the tree; valid while it stays locked. */
static i64 find(struct vfs_at at, struct inode **out) {
    struct walk w = {0};
    i64 r = walk_begin(&w, at);
    w.dir = at.path[0] && at.path[strlen(at.path) - 1] == '/';
    while (r >= 0) {
        struct bytes part = next_part(&w.rest);
        if (!part.n) break;
        r = step(&w, part);
    }
    if (r >= 0 && w.dir && !is_kind(w.at, LINUX_S_IFDIR)) r = -LINUX_ENOTDIR;
    kfree(w.spliced);
    if (r >= 0) *out = w.at;
    return r;
}

static i64 place_last(struct walk *w, struct bytes part, struct place *out, bool *done) {
    if (!is_kind(w->at, LINUX_S_IFDIR)) return -LINUX_ENOTDIR;
    if (part.n > LINUX_NAME_MAX) return -LINUX_ENAMETOOLONG;
    /* open("/", O_CREAT), mkdir("..") and the like: the name exists already. */
    if (!part.n || part_is(part, ".") || part_is(part, "..")) return -LINUX_EEXIST;
    struct entry *e = dir_find(w->at, part);
    bool follows = !w->nofollow && *w->rest != '/'; /* "link/" cannot be made a file: EISDIR */
    if (e && is_kind(e->inode, LINUX_S_IFLNK) && follows) return splice(w, e->inode);
    *out = (struct place){.dir = w->at, .entry = e, .length = (u8)part.n, .slash = *w->rest == '/'};
    memcpy(out->name, part.p, part.n);
    *done = true;
    return 0;
}

i64 vfs_find_place(struct vfs_at at, struct place *out) {
    struct walk w = {0};
    bool done = false;
    i64 r = walk_begin(&w, at);
    while (r >= 0 && !done) {
        struct bytes part = next_part(&w.rest);
        r = at_end(w.rest) ? place_last(&w, part, out, &done) : step(&w, part);
    }
    kfree(w.spliced);
    return r;
}

struct bytes vfs_place_name(const struct place *p) {
    return (struct bytes){(const u8 *)p->name, p->length};
}

i64 vfs_walk(struct vfs_at at, struct inode **out) {
    mutex_lock(&vfs_tree_lock);
    i64 r = find(at, out);
    if (r >= 0) inode_get(*out);
    mutex_unlock(&vfs_tree_lock);
    return r;
}

void inode_stat(struct inode *i, struct file_stat *out) {
    *out = (struct file_stat){i->ino, i->mode, i->nlink, i->size, i->rdev,
                              i->atime_ns, i->mtime_ns, i->ctime_ns};
    if (is_kind(i, LINUX_S_IFDIR)) out->nlink = 2, out->size = PAGE_SIZE;
    if (is_kind(i, LINUX_S_IFLNK) && i->target) out->size = strlen(i->target);
}

i64 vfs_stat(struct vfs_at at, struct file_stat *out) {
    struct inode *i;
    mutex_lock(&vfs_tree_lock);
    i64 r = find(at, &i);
    if (r >= 0) inode_stat(i, out);
    mutex_unlock(&vfs_tree_lock);
    return r;
}

/* A place where nothing is yet. Tree locked. */
static i64 new_place(struct vfs_at at, bool dir, struct place *p) {
    i64 r = vfs_find_place(at, p);
    if (r >= 0 && p->entry) r = -LINUX_EEXIST;
    if (r >= 0 && p->slash && !dir) r = -LINUX_ENOENT;
    return r >= 0 && !p->dir->nlink ? -LINUX_ENOENT : r; /* the directory was removed */
}

/* Adds a new node at a place. Tree locked; consumes the reference. */
static i64 add_node(struct vfs_at at, struct inode *i, struct inode **out) {
    struct place p;
    i64 r = new_place(at, is_kind(i, LINUX_S_IFDIR), &p);
    if (r >= 0) r = dir_add(p.dir, vfs_place_name(&p), i);
    if (r >= 0 && out) *out = inode_get(i);
    inode_put(i);
    return r;
}

/* Consumes the reference. */
static i64 make_node(struct vfs_at at, struct inode *i, struct inode **out) {
    if (!i) return -LINUX_ENOMEM;
    mutex_lock(&vfs_tree_lock);
    i64 r = add_node(at, i, out);
    mutex_unlock(&vfs_tree_lock);
    return r;
}

i64 vfs_add_node(struct vfs_at at, struct inode *i) { return make_node(at, i, NULL); }

i64 vfs_mkdir(struct vfs_at at, u32 mode) {
    at.nofollow = true;
    return make_node(at, inode_new(LINUX_S_IFDIR | (mode & 07777)), NULL);
}

i64 vfs_symlink(struct vfs_at at, const char *target) {
    size_t n = strlen(target);
    if (!n) return -LINUX_ENOENT;
    if (n >= LINUX_PATH_MAX) return -LINUX_ENAMETOOLONG;
    struct inode *i = inode_new(LINUX_S_IFLNK | 0777);
    if (!i) return -LINUX_ENOMEM;
    if (!(i->target = kmalloc(n + 1))) {
        inode_put(i);
        return -LINUX_ENOMEM;
    }
    memcpy(i->target, target, n + 1);
    at.nofollow = true;
    return make_node(at, i, NULL);
}

i64 vfs_link(struct vfs_at from, struct vfs_at to) {
    struct inode *i;
    struct place p;
    to.nofollow = true;
    mutex_lock(&vfs_tree_lock);
    i64 r = find(from, &i);
    bool dir = r >= 0 && is_kind(i, LINUX_S_IFDIR);
    if (dir && (r = new_place(to, false, &p)) >= 0) r = -LINUX_EPERM; /* said last */
    else if (r >= 0) r = add_node(to, inode_get(i), NULL);
    mutex_unlock(&vfs_tree_lock);
    return r;
}

/* open(2): with O_CREAT the node is found or made in one step. */
static i64 open_create(struct vfs_at at, u32 flags, u32 mode, struct inode **out) {
    struct place p;
    if (flags & LINUX_O_EXCL) at.nofollow = true;
    i64 r = vfs_find_place(at, &p);
    if (r == -LINUX_EEXIST && !(flags & LINUX_O_EXCL)) return -LINUX_EISDIR;
    if (r < 0) return r;
    if (p.slash) return -LINUX_EISDIR;
    if (p.entry) {
        if (flags & LINUX_O_EXCL) return -LINUX_EEXIST;
        if (is_kind(p.entry->inode, LINUX_S_IFDIR)) return -LINUX_EISDIR;
        *out = inode_get(p.entry->inode);
        return 0;
    }
    if (!p.dir->nlink) return -LINUX_ENOENT;
    struct inode *i = inode_new(LINUX_S_IFREG | (mode & 07777));
    if (!i) return -LINUX_ENOMEM;
    r = dir_add(p.dir, vfs_place_name(&p), i);
    if (r >= 0) *out = i;
    else inode_put(i);
    return r;
}

i64 vfs_open(struct vfs_at at, u32 flags, u32 mode, struct file **out) {
    struct inode *i;
    if (flags & LINUX_O_NOFOLLOW) at.nofollow = true;
    mutex_lock(&vfs_tree_lock);
    bool create = (flags & LINUX_O_CREAT) && !(flags & LINUX_O_PATH);
    i64 r = create ? open_create(at, flags, mode, &i) : find(at, &i);
    if (r >= 0 && !create) inode_get(i);
    mutex_unlock(&vfs_tree_lock);
    if (r < 0) return r;
    r = vfs_open_inode(i, flags, out);
    inode_put(i);
    return r;
}

/* What open(2) refuses by kind. */
static i64 open_check(struct inode *i, u32 flags) {
    bool write = (flags & LINUX_O_ACCMODE) != LINUX_O_RDONLY;
    if ((flags & LINUX_O_DIRECTORY) && !is_kind(i, LINUX_S_IFDIR)) return -LINUX_ENOTDIR;
    if (flags & LINUX_O_PATH) return 0;
    if (is_kind(i, LINUX_S_IFLNK)) return -LINUX_ELOOP;
    if (is_kind(i, LINUX_S_IFDIR) && write) return -LINUX_EISDIR;
    if (i->make && write) return -LINUX_EACCES;
    return is_kind(i, LINUX_S_IFREG) || is_kind(i, LINUX_S_IFDIR) || i->device ? 0 : -LINUX_ENXIO;
}

static const struct file_ops path_ops = {.kind = "path"};

static const struct file_ops *ops_of(struct inode *i, u32 flags) {
    if (flags & LINUX_O_PATH) return &path_ops;
    if (is_kind(i, LINUX_S_IFDIR)) return &directory_ops;
    return i->make ? &text_ops : &regular_ops;
}

i64 vfs_open_inode(struct inode *i, u32 flags, struct file **out) {
    i64 r = open_check(i, flags);
    if (r < 0) return r;
    u32 kept = flags & ~(u32)(LINUX_O_CREAT | LINUX_O_EXCL | LINUX_O_TRUNC | LINUX_O_NOCTTY | LINUX_O_CLOEXEC);
    if (flags & LINUX_O_PATH) kept &= LINUX_O_PATH | LINUX_O_DIRECTORY | LINUX_O_NOFOLLOW;
    struct file *f = file_new(ops_of(i, flags), NULL, kept);
    if (!f) return -LINUX_ENOMEM;
    f->inode = inode_get(i);
    if (f->ops != &path_ops && i->device) r = i->device(f);
    else if (f->ops == &text_ops) r = text_open(f, i);
    else if (f->ops == &regular_ops && (flags & LINUX_O_TRUNC) && file_writable(f))
        r = tmpfs_truncate(i, 0);
    if (r < 0) {
        f->ops = &path_ops; /* nothing was opened: nothing to close */
        file_put(f);
        return r;
    }
    *out = f;
    return 0;
}
