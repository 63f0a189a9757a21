/* call_io.c: reading and writing through descriptors.
 *
 * I1 bytes pass through a kernel buffer: no file touches program memory, so no
 *    fault can happen under a file's lock.
 * I2 once something was moved, an error is told by a short count. */
#include "base/assert.h"
#include "base/mem.h"
#include "fs/vfs.h"
#include "kern/vm.h"
#include "sys/calls.h"

struct transfer {
    struct file *f;
    bool positioned; /* pread and pwrite: at pos, which moves */
    u64 pos;
};

static i64 read_step(struct transfer *t, void *buf, size_t n) {
    i64 r = t->positioned ? file_pread(t->f, buf, n, t->pos) : file_read(t->f, buf, n);
    if (r > 0) t->pos += (u64)r;
    return r;
}

static i64 write_step(struct transfer *t, const void *buf, size_t n) {
    i64 r = t->positioned ? file_pwrite(t->f, buf, n, t->pos) : file_write(t->f, buf, n);
    if (r > 0) t->pos += (u64)r;
    return r;
}

/* A second step on a stream must not block: the first has something to return. */
static bool may_go_on(struct file *f) { return f->ops->seekable || (file_poll(f) & LINUX_POLLIN); }

/* Of n bytes that were read, so many reached the program. A file's position is at
 * the next one; a stream gives all of them or none. */
static i64 delivered(struct transfer *t, const void *buf, i64 n, i64 reached) {
    enum { FROM_HERE = 1 };
    i64 missed = n - MAX(reached, (i64)0);
    if (missed && t->f->ops->unread) t->f->ops->unread(t->f, buf, (size_t)n);
    if (missed && !t->f->ops->seekable) return -LINUX_EFAULT;
    if (missed && !t->positioned) file_seek(t->f, -missed, FROM_HERE);
    return reached;
}

static i64 read_vector(struct transfer *t, struct vector *v, struct bounce *b) {
    u64 done = 0;
    do {
        size_t want = (size_t)MIN(v->left, (u64)b->cap);
        i64 r = read_step(t, b->p, want);
        if (r > 0) r = delivered(t, b->p, r, vector_scatter(v, b->p, (size_t)r));
        if (r < 0) return done ? (i64)done : r;
        done += (u64)r;
        if ((size_t)r < want) break;
    } while (v->left && may_go_on(t->f));
    return (i64)done;
}

/* What a stream says of bytes that are not there: whether there is a reader comes first. */
static i64 refused(struct transfer *t) {
    i64 r = write_step(t, "", 0);
    return r < 0 ? r : file_poll(t->f) & LINUX_POLLERR ? -LINUX_EPIPE : -LINUX_EFAULT;
}

static i64 write_vector(struct transfer *t, struct vector *v, struct bounce *b) {
    u64 done = 0;
    do {
        i64 want = (i64)MIN(v->left, (u64)b->cap), n = vector_gather(v, b->p, b->cap), r = n;
        if (n < want && t->f->ops->unread) return done ? (i64)done : refused(t); /* a stream takes all or nothing */
        if (n >= 0) r = write_step(t, b->p, (size_t)n);
        if (r < 0) return done ? (i64)done : r;
        done += (u64)r;
        if (r < want) break;
    } while (v->left);
    return (i64)done;
}

static i64 move(struct transfer *t, struct vector *v, bool write) {
    struct bounce b;
    if (!bounce_begin(&b, v->left)) return -LINUX_ENOMEM;
    i64 r = write ? write_vector(t, v, &b) : read_vector(t, v, &b);
    bounce_end(&b);
    if (write && r == -LINUX_EPIPE) signal_task(task_current(), SIGNAL_PIPE);
    return r;
}

/* What Linux looks at before it looks at buffers: the descriptor, whether it
 * may, and whether it has positions. The file is counted. */
static i64 begin(struct transfer *t, const struct call *c, bool write, bool positioned) {
    *t = (struct transfer){fd_file(c->a[0]), positioned, c->a[3]};
    i64 r = 0;
    if (positioned && c->a[3] > INT64_MAX) r = -LINUX_EINVAL;
    else if (!t->f) r = -LINUX_EBADF;
    else if (positioned && !t->f->ops->seekable && !t->f->ops->readdir) r = -LINUX_ESPIPE;
    else if (!(write ? file_writable(t->f) : file_readable(t->f))) r = -LINUX_EBADF;
    else if (write ? !t->f->ops->write : !t->f->ops->read) r = -LINUX_EINVAL;
    if (r < 0) file_put(t->f);
    return r;
}

static bool in_range(u64 at, u64 n) { return n <= LINUX_PROGRAM_END && at <= LINUX_PROGRAM_END - n; }

static i64 move_single(const struct call *c, bool write, bool positioned) {
    struct vector v;
    struct transfer t;
    i64 r = begin(&t, c, write, positioned);
    if (r < 0) return r;
    vector_single(&v, c->a[1], c->a[2]);
    r = in_range(c->a[1], c->a[2]) ? move(&t, &v, write) : -LINUX_EFAULT;
    file_put(t.f);
    return r;
}

static i64 move_many(const struct call *c, bool write, bool positioned) {
    struct vector v;
    struct transfer t;
    i64 r = begin(&t, c, write, positioned);
    if (r < 0) return r;
    r = vector_read(&v, c->a[1], c->a[2]);
    if (r >= 0) {
        r = v.left ? move(&t, &v, write) : 0;
        vector_free(&v);
    }
    file_put(t.f);
    return r;
}

i64 call_read(const struct call *c) { return move_single(c, false, false); }
i64 call_write(const struct call *c) { return move_single(c, true, false); }
i64 call_pread64(const struct call *c) { return move_single(c, false, true); }
i64 call_pwrite64(const struct call *c) { return move_single(c, true, true); }
i64 call_readv(const struct call *c) { return move_many(c, false, false); }
i64 call_writev(const struct call *c) { return move_many(c, true, false); }
i64 call_preadv(const struct call *c) { return move_many(c, false, true); }
i64 call_pwritev(const struct call *c) { return move_many(c, true, true); }

enum { SEEK_DATA = 3, SEEK_HOLE = 4 };

static i64 seek_data(struct file *f, i64 at, u64 whence) {
    if (!f->inode || (inode_mode(f->inode) & LINUX_S_IFMT) != LINUX_S_IFREG) return f->ops->seekable ? -LINUX_EINVAL : -LINUX_ESPIPE;
    i64 r = at < 0 ? -LINUX_ENXIO : inode_find(f->inode, (u64)at, whence == SEEK_HOLE);
    return r < 0 ? r : file_seek(f, r, LINUX_SEEK_SET);
}

/* Devices without content, and files without a name, stay at 0. */
static bool stays(const struct file *f) {
    static const char *const kinds[] = {"null", "zero", "full", "eventfd", "epoll", "timerfd"};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (!strcmp(f->ops->kind, kinds[i])) return true;
    return false;
}

i64 call_lseek(const struct call *c) {
    struct file *f = fd_file(c->a[0]);
    if (!f) return -LINUX_EBADF;
    if (c->a[2] <= SEEK_HOLE && stays(f)) return file_put(f), 0;
    i64 r = c->a[2] > SEEK_HOLE ? -LINUX_EINVAL : c->a[2] >= SEEK_DATA ? seek_data(f, (i64)c->a[1], c->a[2]) : file_seek(f, (i64)c->a[1], (int)c->a[2]);
    file_put(f);
    return r;
}

/* Reads at t->pos without moving the file; what the other side did not take is
 * read again next time. */
static i64 send_steps(struct transfer *t, struct file *out, struct bounce *b, u64 count) {
    u64 done = 0;
    while (done < count) {
        size_t want = (size_t)MIN(count - done, (u64)b->cap);
        i64 n = file_pread(t->f, b->p, want, t->pos), r = n;
        if (n > 0) r = file_write(out, b->p, (size_t)n);
        if (r < 0) return done ? (i64)done : r;
        done += (u64)r;
        t->pos += (u64)r;
        if (!n || r < n) break; /* a short read is no end: what was written may lie behind it */
    }
    return (i64)done;
}

/* Linux splices to these only. */
static bool sendable(const struct file *out) {
    if (!strcmp(out->ops->kind, "pipe")) return true;
    return !(out->flags & LINUX_O_APPEND) && strcmp(out->ops->kind, "eventfd");
}

static i64 send_between(struct file *in, struct file *out, u64 user_pos, u64 count) {
    struct transfer t = {in, true, 0};
    struct bounce b;
    i64 at = user_pos ? 0 : file_seek(in, 0, LINUX_SEEK_CUR);
    if (at < 0 || !in->ops->seekable || !in->ops->truncate) return -LINUX_EINVAL; /* a regular file */
    t.pos = (u64)at;
    if (user_pos && !user_read(&t.pos, user_pos, 8)) return -LINUX_EFAULT;
    if (t.pos > INT64_MAX || count > INT64_MAX) return -LINUX_EINVAL;
    if (!sendable(out)) return -LINUX_EINVAL;
    if (!bounce_begin(&b, count)) return -LINUX_ENOMEM;
    i64 r = send_steps(&t, out, &b, count);
    bounce_end(&b);
    if (r == -LINUX_EPIPE) signal_task(task_current(), SIGNAL_PIPE);
    if (r < 0) return r;
    if (!user_pos) return file_seek(in, (i64)t.pos, LINUX_SEEK_SET) < 0 ? -LINUX_EIO : r;
    return user_write(user_pos, &t.pos, 8) ? r : -LINUX_EFAULT;
}

i64 call_sendfile(const struct call *c) {
    struct file *out = fd_file(c->a[0]), *in = fd_file(c->a[1]);
    i64 r = out && in && file_writable(out) && file_readable(in) ? send_between(in, out, c->a[2], c->a[3]) : -LINUX_EBADF;
    file_put(in);
    file_put(out);
    return r;
}
