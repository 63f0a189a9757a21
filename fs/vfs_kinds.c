/* vfs_kinds.c: open regular files, directories and generated texts. */
#include "base/assert.h"
#include "base/mem.h"
#include "fs/tmpfs.h"
#include "kern/heap.h"

static i64 regular_read(struct file *f, void *buf, size_t n, u64 *pos) {
    i64 r = tmpfs_read(f->inode, buf, n, *pos);
    if (r > 0) *pos += (u64)r;
    return r;
}

static i64 regular_write(struct file *f, const void *buf, size_t n, u64 *pos) {
    i64 r;
    if (f->flags & LINUX_O_APPEND) return tmpfs_append(f->inode, buf, n, pos);
    if ((r = tmpfs_write(f->inode, buf, n, *pos)) > 0) *pos += (u64)r;
    return r;
}

static i64 regular_truncate(struct file *f, u64 size) { return tmpfs_truncate(f->inode, size); }

const struct file_ops regular_ops = {
    .kind = "file",
    .seekable = true,
    .read = regular_read,
    .write = regular_write,
    .truncate = regular_truncate,
};

static i64 directory_read(struct file *f, void *buf, size_t n, u64 *pos) {
    return -LINUX_EISDIR;
}

static bool emit_text(file_emit *emit, void *arg, const char *name, struct inode *i, u64 next) {
    return emit(arg, (struct bytes){(const u8 *)name, strlen(name)}, i->ino, i->mode, next);
}

/* Positions: 0 is ".", 1 is "..", then the cookie of the entry to show next. */
static void list_entries(struct inode *dir, u64 *pos, file_emit *emit, void *arg) {
    if (*pos == 0 && emit_text(emit, arg, ".", dir, 1)) *pos = 1;
    struct inode *up = dir->parent ? dir->parent : dir;
    if (*pos == 1 && emit_text(emit, arg, "..", up, 2)) *pos = 2;
    if (*pos < 2) return;
    LIST_EACH(it, &dir->entries) {
        struct entry *e = LIST_ENTRY(it, struct entry, node);
        if (e->cookie < *pos) continue;
        struct bytes name = {(const u8 *)e->name, e->length};
        if (!emit(arg, name, e->inode->ino, e->inode->mode, e->cookie + 1)) return;
        *pos = e->cookie + 1;
    }
}

static i64 directory_readdir(struct file *f, u64 *pos, file_emit *emit, void *arg) {
    mutex_lock(&vfs_tree_lock);
    list_entries(f->inode, pos, emit, arg);
    mutex_unlock(&vfs_tree_lock);
    return 0;
}

const struct file_ops directory_ops = {
    .kind = "directory",
    .read = directory_read,
    .readdir = directory_readdir,
};

struct text {
    size_t n;
    char bytes[];
};

static i64 text_read(struct file *f, void *buf, size_t n, u64 *pos) {
    struct text *t = f->object;
    if (*pos >= t->n) return 0;
    n = MIN(n, t->n - (size_t)*pos);
    memcpy(buf, t->bytes + *pos, n);
    *pos += n;
    return (i64)n;
}

static void text_close(struct file *f) { kfree(f->object); }

const struct file_ops text_ops = {
    .kind = "generated",
    .seekable = true,
    .read = text_read,
    .close = text_close,
};

/* The text may grow between two askings: a few rounds, then it is cut. */
i64 text_open(struct file *f, struct inode *i) {
    size_t cap = 2048;
    assert(i->make);
    for (int round = 0;; round++) {
        struct text *t = kmalloc(sizeof *t + cap);
        if (!t) return -LINUX_ENOMEM;
        size_t need = i->make(i->make_arg, t->bytes, cap);
        if (need <= cap || round == 4) {
            t->n = MIN(need, cap);
            f->object = t;
            return 0;
        }
        kfree(t);
        cap = need + 1024;
    }
}
