/* call_lock.c: locks on files: record locks (fcntl) and flock.
 *
 * Record locks belong to the process: there is one, so they are always to be
 * had, and nobody else ever holds one. flock's belong to an open file.
 * I1 held[] has at most one entry for a file; an entry goes with its file's last
 *    close. */
#include "sys/calls.h"

enum { LOCK_SHARED = 1, LOCK_EXCLUSIVE = 2, LOCK_NONBLOCK = 4, LOCK_UNLOCK = 8 };
enum { HELD_MAX = 128 };

static struct held {
    const struct file *file; /* NULL: free */
    const void *what;
    bool exclusive;
} held[HELD_MAX]; /* under lock */
static struct mutex lock = MUTEX_INIT(lock);
static struct waitq released = WAITQ_INIT(released);
static u32 releases; /* atomic */

static struct held *find(const struct file *f) {
    for (u32 i = 0; i < HELD_MAX; i++)
        if (held[i].file == f) return &held[i];
    return NULL;
}

static void drop(const struct file *f) {
    mutex_lock(&lock);
    struct held *h = find(f);
    if (h) *h = (struct held){0};
    mutex_unlock(&lock);
    if (!h) return;
    __atomic_add_fetch(&releases, 1, __ATOMIC_RELEASE);
    wait_wake_all(&released);
}

static void on_close(struct file *f) { drop(f); }

/* What is locked: both ends of a pipe are one thing, as two opened files of a name are. */
static const void *what_of(const struct file *f) {
    static const char anonymous;
    return f->inode ? (const void *)f->inode : f->ops->anonymous ? &anonymous : f->object;
}

static bool conflicts(const struct file *f, bool exclusive) {
    for (u32 i = 0; i < HELD_MAX; i++)
        if (held[i].file && held[i].file != f && held[i].what == what_of(f) && (exclusive || held[i].exclusive)) return true;
    return false;
}

static i64 try_lock(const struct file *f, bool exclusive) {
    if (conflicts(f, exclusive)) return -LINUX_EAGAIN;
    struct held *h = find(f);
    if (!h) h = find(NULL);
    if (!h) return -LINUX_ENOMEM;
    *h = (struct held){f, what_of(f), exclusive};
    return 0;
}

static i64 take(struct file *f, bool exclusive, bool wait) {
    for (;;) {
        mutex_lock(&lock);
        file_unlocking = on_close;
        u32 seen = releases;
        i64 r = try_lock(f, exclusive);
        mutex_unlock(&lock);
        if (r != -LINUX_EAGAIN || !wait) return r;
        struct waiter w;
        wait_begin(&released, &w);
        if (__atomic_load_n(&releases, __ATOMIC_ACQUIRE) == seen) wait_block(WAIT_FOREVER);
        wait_end(&w);
        if (signal_waiting()) return -LINUX_EINTR;
    }
}

i64 call_flock(const struct call *c) {
    u64 how = c->a[1] & ~(u64)LOCK_NONBLOCK;
    if (how != LOCK_SHARED && how != LOCK_EXCLUSIVE && how != LOCK_UNLOCK) return -LINUX_EINVAL;
    struct file *f = fd_file(c->a[0]);
    if (!f) return -LINUX_EBADF;
    i64 r = 0;
    if (how == LOCK_UNLOCK) drop(f);
    else r = take(f, how == LOCK_EXCLUSIVE, !(c->a[1] & LOCK_NONBLOCK));
    file_put(f);
    return r;
}

/* struct flock */
struct record {
    i16 type, whence;
    i32 pad;
    i64 start, length;
    i32 pid, pad2;
};
enum { READ_LOCK = 0, WRITE_LOCK = 1, UNLOCK = 2 };

static i64 record_start(struct file *f, const struct record *r, i64 *start) {
    struct file_stat s = {0};
    i64 e = r->whence == 2 ? file_stat(f, &s) : 0;
    if (e < 0) return e;
    i64 base = r->whence == 0 ? 0 : r->whence == 1 ? (i64)f->pos : (i64)s.size;
    if (r->whence < 0 || r->whence > 2 || __builtin_add_overflow(base, r->start, start) || *start < 0) return -LINUX_EINVAL;
    return r->length < 0 && *start + r->length < 0 ? -LINUX_EINVAL : 0;
}

i64 lock_record(struct file *f, u64 command, u64 user) {
    struct record r;
    i64 start;
    if (!user_read(&r, user, sizeof r)) return -LINUX_EFAULT;
    if (r.type < READ_LOCK || r.type > UNLOCK || (command == FCNTL_GETLK && r.type == UNLOCK)) return -LINUX_EINVAL;
    i64 e = record_start(f, &r, &start);
    if (e < 0) return e;
    if (command == FCNTL_GETLK) {
        r.type = UNLOCK; /* nobody is in the way */
        return user_write(user, &r, sizeof r) ? 0 : -LINUX_EFAULT;
    }
    if ((r.type == READ_LOCK && !file_readable(f)) || (r.type == WRITE_LOCK && !file_writable(f))) return -LINUX_EBADF;
    return 0;
}
