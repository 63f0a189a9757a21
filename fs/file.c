/* file.c: what holds for open files of every kind.
 *
 * I1 f->pos moves only with f->lock held, for seekable files; streams have none.
 * I2 close runs once, after the last reference is gone and epoll has forgotten. */
#include "fs/file.h"

#include "base/assert.h"
#include "base/fault.h"
#include "fs/vfs.h"
#include "kern/heap.h"

void (*file_closing)(struct file *f), (*file_unlocking)(struct file *f);

struct file *file_new(const struct file_ops *ops, void *object, u32 flags) {
    struct file *f = kzalloc(sizeof *f);
    if (!f) return NULL;
    f->ops = ops;
    f->object = object;
    f->flags = flags;
    f->refs = 1;
    mutex_init(&f->lock);
    list_init(&f->watches);
    return f;
}

struct file *file_get(struct file *f) {
    assert(f->refs > 0);
    __atomic_add_fetch(&f->refs, 1, __ATOMIC_RELAXED);
    return f;
}

void file_put(struct file *f) {
    if (!f) return;
    assert(f->refs > 0);
    if (__atomic_sub_fetch(&f->refs, 1, __ATOMIC_ACQ_REL)) return;
    if (file_closing) file_closing(f);
    if (file_unlocking) file_unlocking(f);
    assert(list_empty(&f->watches));
    if (f->ops->close) f->ops->close(f);
    inode_put(f->inode);
    kfree(f);
}

static i64 read_at(struct file *f, void *buf, size_t n, u64 *pos) {
    if (!file_readable(f)) return -LINUX_EBADF;
    if (!f->ops->read) return -LINUX_EINVAL;
    return f->ops->read(f, buf, n, pos);
}

static i64 write_at(struct file *f, const void *buf, size_t n, u64 *pos) {
    if (!file_writable(f)) return -LINUX_EBADF;
    if (!f->ops->write) return -LINUX_EINVAL;
    return f->ops->write(f, buf, n, pos);
}

i64 file_read(struct file *f, void *buf, size_t n) {
    u64 none = 0;
    if (!f->ops->seekable) return read_at(f, buf, n, &none);
    mutex_lock(&f->lock);
    i64 r = read_at(f, buf, n, &f->pos);
    mutex_unlock(&f->lock);
    return r;
}

i64 file_write(struct file *f, const void *buf, size_t n) {
    u64 none = 0;
    if (!f->ops->seekable) return write_at(f, buf, n, &none);
    mutex_lock(&f->lock);
    i64 r = write_at(f, buf, n, &f->pos);
    mutex_unlock(&f->lock);
    return r;
}

i64 file_pread(struct file *f, void *buf, size_t n, u64 offset) {
    if (!f->ops->seekable) return f->ops->readdir ? -LINUX_EISDIR : -LINUX_ESPIPE;
    if (offset > INT64_MAX) return -LINUX_EINVAL;
    return read_at(f, buf, n, &offset);
}

i64 file_pwrite(struct file *f, const void *buf, size_t n, u64 offset) {
    if (!f->ops->seekable) return -LINUX_ESPIPE;
    if (offset > INT64_MAX) return -LINUX_EINVAL;
    return write_at(f, buf, n, &offset);
}

static i64 seek_base(struct file *f, int whence, u64 *base) {
    struct file_stat st;
    i64 r = 0;
    *base = 0;
    if (whence == LINUX_SEEK_CUR) *base = f->pos;
    else if (whence == LINUX_SEEK_END && (r = file_stat(f, &st)) >= 0) *base = st.size;
    else if (whence != LINUX_SEEK_SET && r == 0) r = -LINUX_EINVAL;
    return r;
}

i64 file_seek(struct file *f, i64 offset, int whence) {
    u64 base;
    i64 to;
    if (!f->ops->seekable && !f->ops->readdir) return -LINUX_ESPIPE;
    mutex_lock(&f->lock);
    i64 r = seek_base(f, whence, &base);
    if (r >= 0 && __builtin_add_overflow((i64)base, offset, &to)) r = -LINUX_EOVERFLOW;
    else if (r >= 0 && to < 0 && !fault(SEEK_BELOW)) r = -LINUX_EINVAL;
    else if (r >= 0) r = (i64)(f->pos = (u64)to);
    mutex_unlock(&f->lock);
    return r;
}

i64 file_truncate(struct file *f, u64 size) {
    if (!file_writable(f)) return -LINUX_EINVAL; /* ftruncate(2): EINVAL, not EBADF */
    return f->ops->truncate ? f->ops->truncate(f, size) : -LINUX_EINVAL;
}

i64 file_stat(struct file *f, struct file_stat *out) {
    *out = (struct file_stat){.nlink = 1, .mode = 0600}; /* epoll and its kin are of no type */
    if (f->ops->stat) return f->ops->stat(f, out);
    if (f->inode) inode_stat(f->inode, out);
    return 0;
}

i64 file_readdir(struct file *f, file_emit *emit, void *arg) {
    if (!f->ops->readdir) return -LINUX_ENOTDIR;
    mutex_lock(&f->lock);
    i64 r = f->ops->readdir(f, &f->pos, emit, arg);
    mutex_unlock(&f->lock);
    return r;
}

u32 file_poll(struct file *f) {
    if (f->ops->poll) return f->ops->poll(f);
    return LINUX_POLLIN | LINUX_POLLRDNORM | LINUX_POLLOUT | LINUX_POLLWRNORM;
}

i64 file_ioctl(struct file *f, u32 request, u64 arg) {
    return f->ops->ioctl ? f->ops->ioctl(f, request, arg) : -LINUX_ENOTTY;
}
