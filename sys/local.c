/* local.c: see local.h. A connected socket is two ends of two pipes.
 *
 * I1 the pipes' ends never block: a socket waits on its own queue, which every wake
 *    of its pipes wakes too (watch).
 * I2 a listener is in `bound` from bind to its last close; a connection that was
 *    not accepted is in exactly one listener's list, as an open file.
 * I3 in, out, state, other and the names change under registry; once connected, in
 *    and out stay until shutdown (out) or close.
 * I4 other->other is this one, or both are NULL. */
#include "sys/local.h"

#include "base/assert.h"
#include "base/fault.h"
#include "base/mem.h"
#include "fs/pipe.h"
#include "fs/tmpfs.h"
#include "kern/heap.h"
#include "kern/time.h"
#include "sys/at.h"
#include "sys/socket_file.h"

enum { STREAM = 1, KIND = 0xf, PATH_MAX_ = 108, BACKLOG_MAX = 128, SHUT_RD = 0, SHUT_WR = 1, SHUT_RDWR = 2 };
enum local_state { FRESH, LISTENING, CONNECTED };

struct name {
    u32 n; /* bytes of path; 0: unnamed. An abstract one begins with a zero */
    char path[PATH_MAX_];
};
struct local {
    struct waitq queue;
    struct list node; /* in bound */
    enum local_state state;
    struct file *in, *out; /* NULL: shut */
    struct local *other;   /* that it is connected with, as long as that is open */
    i64 error;             /* told once: -ECONNRESET, or 0 */
    struct waiter watch_in, watch_out;
    struct name own, peer;
    struct inode *inode; /* of a bound path: counted */
    struct file *waiting[BACKLOG_MAX]; /* of a listener, oldest first */
    u32 waiting_count, backlog;
};

static struct mutex registry = MUTEX_INIT(registry);
static struct list bound = LIST_INIT(bound);

static const struct file_ops local_ops;
bool local_is(const struct file *f) { return f->ops == &local_ops; }

/* --- the two directions --- */

static void woken_in(struct waiter *w) { wait_wake_all(&CONTAINER_OF(w, struct local, watch_in)->queue); }
static void woken_out(struct waiter *w) { wait_wake_all(&CONTAINER_OF(w, struct local, watch_out)->queue); }

static void join(struct local *l, struct file *in, struct file *out) {
    l->in = in, l->out = out;
    l->state = CONNECTED;
    wait_watch(in->queue, &l->watch_in, woken_in);
    wait_watch(out->queue, &l->watch_out, woken_out);
}
static void shut_in(struct local *l) {
    if (!l->in) return;
    wait_end(&l->watch_in);
    file_put(l->in);
    l->in = NULL;
}
static void shut_out(struct local *l) {
    if (!l->out) return;
    wait_end(&l->watch_out);
    file_put(l->out);
    l->out = NULL;
}

static bool can_read(void *object) {
    struct local *l = object;
    return l->state != CONNECTED || !l->in || file_poll(l->in);
}
static bool can_write(void *object) {
    struct local *l = object;
    return l->state != CONNECTED || !l->out || file_poll(l->out);
}

static i64 take_error(struct local *l) { return __atomic_exchange_n(&l->error, 0, __ATOMIC_RELAXED); }

static i64 take_now(struct local *l, void *buf, size_t n) {
    i64 r = n ? file_read(l->in, buf, n) : 0;
    u32 ready = n ? 0 : file_poll(l->in); /* of no bytes: whether there is something */
    if (!n && !ready) return -LINUX_EAGAIN;
    return r || ready & LINUX_POLLIN ? r : take_error(l); /* behind the last byte */
}

static i64 take(struct file *f, void *buf, size_t n, bool wait) {
    struct local *l = f->object;
    for (;;) {
        if (l->state != CONNECTED) return -LINUX_EINVAL;
        i64 r = take_now(l, buf, n);
        if (r != -LINUX_EAGAIN || !wait) return r;
        if ((r = file_wait(f, can_read, l)) < 0) return r;
    }
}

static i64 give(struct file *f, const u8 *buf, size_t n, bool wait) {
    struct local *l = f->object;
    size_t done = 0;
    if (!n && l->state != CONNECTED) return -LINUX_ENOTCONN;
    if (!n && (!l->out || file_poll(l->out) & LINUX_POLLERR)) return -LINUX_EPIPE;
    while (done < n) {
        if (l->state != CONNECTED) return -LINUX_ENOTCONN;
        i64 r = l->out ? file_write(l->out, buf + done, n - done) : -LINUX_EPIPE;
        if (r == -LINUX_EAGAIN && wait) r = file_wait(f, can_write, l);
        if (r < 0) return done ? (i64)done : r;
        done += (size_t)r;
    }
    return (i64)done;
}

static bool waits(const struct file *f) { return !(f->flags & LINUX_O_NONBLOCK); }
static i64 local_read(struct file *f, void *buf, size_t n, u64 *pos) { return !n ? 0 : take(f, buf, n, waits(f)); }
static void local_unread(struct file *f, const void *buf, size_t n) {
    struct file *in = ((struct local *)f->object)->in;
    if (in) in->ops->unread(in, buf, n);
}
static i64 local_write(struct file *f, const void *buf, size_t n, u64 *pos) { return give(f, buf, n, waits(f)); }

static u32 local_poll(struct file *f) {
    struct local *l = f->object;
    if (l->state == LISTENING) return l->waiting_count ? LINUX_POLLIN | LINUX_POLLRDNORM : 0;
    if (l->state == FRESH) return LINUX_POLLOUT | LINUX_POLLWRNORM | LINUX_POLLHUP;
    u32 in = l->in ? file_poll(l->in) : LINUX_POLLHUP, out = l->out ? file_poll(l->out) : LINUX_POLLERR;
    u32 mask = (l->error ? LINUX_POLLERR : 0) | (in & (LINUX_POLLIN | LINUX_POLLRDNORM)) | (out & (LINUX_POLLOUT | LINUX_POLLWRNORM));
    if (in & LINUX_POLLHUP) mask |= LINUX_POLLIN | LINUX_POLLRDNORM | LINUX_POLLRDHUP;
    if (out & LINUX_POLLERR) mask |= LINUX_POLLOUT | LINUX_POLLWRNORM; /* a write would say EPIPE at once */
    return in & LINUX_POLLHUP && out & LINUX_POLLERR ? mask | LINUX_POLLHUP : mask;
}

static i64 local_stat(struct file *f, struct file_stat *out) {
    *out = (struct file_stat){.mode = LINUX_S_IFSOCK | 0777, .nlink = 1};
    return 0;
}

/* Tells the other side, also that it wrote what nobody read. */
static void leave(struct local *l, bool unread) {
    if (!l->other) return;
    if (unread) __atomic_store_n(&l->other->error, -LINUX_ECONNRESET, __ATOMIC_RELAXED);
    l->other->other = NULL;
}

static void local_close(struct file *f) {
    struct local *l = f->object;
    mutex_lock(&registry);
    list_remove(&l->node);
    leave(l, l->in && file_poll(l->in) & LINUX_POLLIN);
    for (u32 i = 0; i < l->waiting_count; i++) leave(l->waiting[i]->object, true);
    mutex_unlock(&registry);
    for (u32 i = 0; i < l->waiting_count; i++) file_put(l->waiting[i]);
    shut_in(l), shut_out(l);
    inode_put(l->inode);
    kfree(l);
}

/* FIONREAD: of what comes in. */
static i64 local_ioctl(struct file *f, u32 request, u64 arg) {
    struct local *l = f->object;
    enum { FIONREAD = 0x541b };
    const i32 none = 0;
    if (request != FIONREAD) return -LINUX_ENOTTY;
    if (l->in) return file_ioctl(l->in, request, arg);
    if (l->state == LISTENING) return -LINUX_EINVAL;
    return user_write(arg, &none, sizeof none) ? 0 : -LINUX_EFAULT;
}

static const struct file_ops local_ops = {.kind = "socket", .read = local_read, .write = local_write, .unread = local_unread, .poll = local_poll,
                                          .ioctl = local_ioctl, .stat = local_stat, .close = local_close};

static struct file *local_new(u32 flags) {
    struct local *l = kzalloc(sizeof *l);
    struct file *f = l ? file_new(&local_ops, l, LINUX_O_RDWR | flags) : NULL;
    if (!f) return kfree(l), NULL;
    waitq_init(&l->queue);
    list_init(&l->node);
    f->queue = &l->queue;
    return f;
}

static i64 type_ok(u64 type, u64 protocol) {
    if (type & ~(u64)(KIND | SOCKET_CLOEXEC | SOCKET_NONBLOCK) || (type & KIND) > 10) return -LINUX_EINVAL;
    if ((type & KIND) != STREAM) return -94; /* ESOCKTNOSUPPORT */
    return protocol && protocol != LOCAL_FAMILY ? -LINUX_EPROTONOSUPPORT : 0;
}
static u32 flags_of(u64 type) { return type & SOCKET_NONBLOCK ? LINUX_O_NONBLOCK : 0; }

i64 local_create(u64 type, u64 protocol) {
    i64 r = type_ok(type, protocol);
    struct file *f = r < 0 ? NULL : local_new(flags_of(type));
    return r < 0 ? r : !f ? -LINUX_ENOMEM : fd_install(f, 0, type & SOCKET_CLOEXEC);
}

/* Two pipes between a and b, which become connected. */
static i64 connect_pair(struct file *a, struct file *b) {
    struct file *one[2], *two[2];
    i64 r = pipe_open(LINUX_O_NONBLOCK, one);
    if (r < 0) return r;
    if ((r = pipe_open(LINUX_O_NONBLOCK, two)) < 0) return file_put(one[0]), file_put(one[1]), r;
    join(a->object, one[0], two[1]);
    join(b->object, two[0], one[1]);
    ((struct local *)a->object)->other = b->object;
    ((struct local *)b->object)->other = a->object;
    return 0;
}

i64 local_pair(u64 type, u64 protocol, struct file *out[2]) {
    i64 r = type_ok(type, protocol);
    if (r < 0) return r;
    out[0] = local_new(flags_of(type)), out[1] = local_new(flags_of(type));
    r = out[0] && out[1] ? connect_pair(out[0], out[1]) : -LINUX_ENOMEM;
    if (r < 0) file_put(out[0]), file_put(out[1]);
    return r;
}

/* --- names --- */

static i64 read_name(u64 user, u32 length, struct name *out) {
    struct {
        u16 family;
        char path[PATH_MAX_];
    } a = {0};
    if (length < sizeof a.family || length > sizeof a) return -LINUX_EINVAL;
    if (!user_read(&a, user, length)) return -LINUX_EFAULT;
    if (a.family != LOCAL_FAMILY) return -LINUX_EINVAL;
    u32 n = length - (u32)sizeof a.family;
    bool abstract = n && !a.path[0];
    for (u32 i = 0; !abstract && i < n; i++)
        if (!a.path[i]) n = i;
    *out = (struct name){.n = n};
    memcpy(out->path, a.path, n);
    return 0;
}

static struct vfs_at at_of(const struct name *name, char text[PATH_MAX_ + 1]) {
    memcpy(text, name->path, name->n);
    text[name->n] = 0;
    return (struct vfs_at){.base = process.cwd, .path = text};
}

/* The bound socket of that name, or NULL with *r set. registry is held. */
static struct local *find(const struct name *name, i64 *r) {
    char text[PATH_MAX_ + 1];
    struct inode *i = NULL;
    struct local *found = NULL;
    *r = name->path[0] ? vfs_walk(at_of(name, text), &i) : 0;
    if (*r < 0) return NULL;
    LIST_EACH(it, &bound) {
        struct local *l = LIST_ENTRY(it, struct local, node);
        bool same = i ? l->inode == i : !l->inode && l->own.n == name->n && !memcmp(l->own.path, name->path, name->n);
        if (same) found = l;
    }
    inode_put(i);
    *r = -LINUX_ECONNREFUSED;
    return found;
}

static i64 make_node(struct local *l, const struct name *name) {
    char text[PATH_MAX_ + 1];
    struct inode *i = inode_new(LINUX_S_IFSOCK | (0777 & ~process.umask));
    if (!i) return -LINUX_ENOMEM;
    l->inode = inode_get(i);
    struct vfs_at at = at_of(name, text);
    at.nofollow = true;
    i64 r = vfs_add_node(at, i);
    if (r < 0) inode_put(l->inode), l->inode = NULL;
    return r == -LINUX_EEXIST ? -LINUX_EADDRINUSE : r;
}

i64 local_bind(struct file *f, u64 user, u32 length) {
    struct local *l = f->object;
    struct name name;
    i64 r = read_name(user, length, &name);
    if (r < 0) return r;
    if (!name.n) return -LINUX_EINVAL; /* a name made up: not there */
    mutex_lock(&registry);
    if (l->own.n) r = -LINUX_EINVAL;
    else if (name.path[0]) r = make_node(l, &name);
    else if (find(&name, &r)) r = -LINUX_EADDRINUSE;
    else r = 0;
    if (r >= 0) {
        l->own = name;
        if (l->other) l->other->peer = name;
        list_push_back(&bound, &l->node);
    }
    mutex_unlock(&registry);
    return r;
}

i64 local_listen(struct file *f, int backlog) {
    struct local *l = f->object;
    mutex_lock(&registry);
    i64 r = !l->own.n || l->state == CONNECTED ? -LINUX_EINVAL : 0;
    if (r >= 0) l->state = LISTENING, l->backlog = (u32)MAX(1, MIN(backlog < 0 ? BACKLOG_MAX : backlog, (int)BACKLOG_MAX));
    mutex_unlock(&registry);
    return r;
}

static bool has_waiting(void *object) { return ((struct local *)object)->waiting_count; }

i64 local_accept(struct file *f, u32 flags, struct file **out) {
    struct local *l = f->object;
    if (l->state != LISTENING) return -LINUX_EINVAL;
    for (*out = NULL; !*out;) {
        mutex_lock(&registry);
        if (l->waiting_count) {
            *out = l->waiting[0];
            memmove(l->waiting, l->waiting + 1, --l->waiting_count * sizeof *l->waiting);
        }
        mutex_unlock(&registry);
        i64 r = *out ? 0 : file_wait(f, has_waiting, l);
        if (r < 0) return r;
    }
    (*out)->flags |= flags;
    wait_wake_all(&l->queue); /* room in the backlog */
    return 0;
}

/* One attempt; -EAGAIN: the listener's list is full. */
static i64 try_connect(struct file *f, const struct name *name) {
    struct local *l = f->object;
    i64 r;
    struct local *to = find(name, &r);
    if (!to || to->state != LISTENING) return to ? -LINUX_ECONNREFUSED : r;
    if (to->waiting_count >= to->backlog) return -LINUX_EAGAIN;
    if (l->state != FRESH) return l->state == CONNECTED ? -LINUX_EISCONN : -LINUX_EINVAL;
    struct file *other = local_new(0);
    if (!other) return -LINUX_ENOMEM;
    if ((r = connect_pair(f, other)) < 0) return file_put(other), r;
    struct local *o = other->object;
    l->peer = o->own = to->own;
    o->peer = l->own;
    to->waiting[to->waiting_count++] = other;
    wait_wake_all(&to->queue);
    return 0;
}

i64 local_connect(struct file *f, u64 user, u32 length) {
    struct local *l = f->object;
    struct name name;
    i64 r = read_name(user, length, &name);
    if (r < 0) return r;
    if (!name.n) return -LINUX_EINVAL;
    for (;;) {
        mutex_lock(&registry);
        r = try_connect(f, &name);
        mutex_unlock(&registry);
        if (r != -LINUX_EAGAIN || !waits(f)) break;
        thread_sleep_until(time_mono_ns() + 1000000); /* until it accepts: its queue is not ours to wait on */
        if (signal_waiting()) return -LINUX_EINTR;
    }
    if (!r) wait_wake_all(&l->queue);
    return r;
}

i64 local_shutdown(struct file *f, u64 how) {
    struct local *l = f->object;
    if (how > SHUT_RDWR) return -LINUX_EINVAL;
    if (l->state != CONNECTED) return -LINUX_ENOTCONN;
    mutex_lock(&registry);
    if (how != SHUT_WR) pipe_refuse(l->in); /* what came before can still be read */
    if (how != SHUT_RD) shut_out(l);
    mutex_unlock(&registry);
    wait_wake_all(&l->queue);
    return 0;
}

i64 local_name(struct file *f, bool peer, u64 user, u64 user_length) {
    struct local *l = f->object;
    struct {
        u16 family;
        char path[PATH_MAX_];
    } a = {LOCAL_FAMILY, {0}};
    const struct name *name = peer ? &l->peer : &l->own;
    u32 cap, n = (u32)sizeof a.family + name->n + (name->n && name->path[0] ? 1 : 0);
    if (peer && l->state != CONNECTED) return -LINUX_ENOTCONN;
    memcpy(a.path, name->path, name->n);
    if (!user_read(&cap, user_length, 4)) return -LINUX_EFAULT;
    if ((i32)cap < 0) return -LINUX_EINVAL;
    n = MIN(n, (u32)sizeof a);
    return user_write(user, &a, MIN(cap, n)) && user_write(user_length, &n, 4) ? 0 : -LINUX_EFAULT;
}

/* --- options and messages --- */

enum { SOL_SOCKET = 1, SO_REUSEADDR = 2, SO_TYPE = 3, SO_ERROR = 4, SO_PEERCRED = 17, SO_ACCEPTCONN = 30, SO_PROTOCOL = 38, SO_DOMAIN = 39 };

i64 local_getopt(struct file *f, u64 level, u64 name, u64 user, u64 user_length) {
    struct local *l = f->object;
    u32 value[3] = {0, 0, 0}, cap, n = 4;
    if (level != SOL_SOCKET) return -LINUX_EOPNOTSUPP;
    if (!user_read(&cap, user_length, 4)) return -LINUX_EFAULT;
    if ((i32)cap < 0) return -LINUX_EINVAL;
    switch (name) {
    case SO_TYPE: value[0] = STREAM; break;
    case SO_DOMAIN: value[0] = LOCAL_FAMILY; break;
    case SO_ACCEPTCONN: value[0] = l->state == LISTENING; break;
    case SO_PEERCRED: value[0] = l->state == CONNECTED, n = 12; break; /* process 1, root */
    case SO_ERROR: value[0] = (u32)-take_error(l); break;
    case SO_PROTOCOL: case SO_REUSEADDR: break;
    default: return refuse_once("getsockopt of a local socket", name), -LINUX_ENOPROTOOPT;
    }
    if (!fault(OPTION_SIZE)) n = MIN(n, cap);
    return user_write(user, value, n) && user_write(user_length, &n, 4) ? 0 : -LINUX_EFAULT;
}

i64 local_setopt(u64 level, u64 name, u64 user, u32 length) {
    i32 value;
    if (level != SOL_SOCKET) return -LINUX_EOPNOTSUPP;
    if (length < sizeof value) return -LINUX_EINVAL;
    if (!user_read(&value, user, sizeof value)) return -LINUX_EFAULT;
    if (name == SO_REUSEADDR) return 0; /* by definition: local names are never reused */
    refuse_once("setsockopt of a local socket", name);
    return -LINUX_ENOPROTOOPT;
}

/* All that came in a step reaches the program, or stays. */
static i64 receive(struct file *f, struct vector *v, struct bounce *b, size_t want, bool wait) {
    i64 r = take(f, b->p, want, wait);
    if (r <= 0 || vector_scatter(v, b->p, (size_t)r) == r) return r;
    local_unread(f, b->p, (size_t)r);
    return -LINUX_EFAULT;
}

/* Whether there is anybody is looked at before the bytes are. */
static i64 transmit(struct file *f, struct vector *v, struct bounce *b, size_t want, bool wait) {
    i64 r = give(f, b->p, 0, false);
    if (r < 0) return r;
    return vector_gather(v, b->p, want) == (i64)want ? give(f, b->p, want, wait) : -LINUX_EFAULT;
}

i64 local_move(struct file *f, struct vector *v, bool send, u64 flags) {
    const u64 known = NET_DONTWAIT | NET_NOSIGNAL | NET_MORE;
    struct bounce b;
    u64 done = 0;
    if ((u32)flags & ~known) return refuse_once("local socket call with flags", flags), -LINUX_EOPNOTSUPP;
    bool wait = waits(f) && !(flags & NET_DONTWAIT);
    if (!bounce_begin(&b, v->left)) return -LINUX_ENOMEM;
    i64 r = 0;
    do {
        size_t want = (size_t)MIN(v->left, (u64)b.cap);
        r = send ? transmit(f, v, &b, want, wait) : receive(f, v, &b, want, wait && !done);
        if (r <= 0) break;
        done += (u64)r;
        if ((size_t)r < want) break;
    } while (v->left);
    bounce_end(&b);
    if (send && r == -LINUX_EPIPE && !(flags & NET_NOSIGNAL)) signal_task(task_current(), SIGNAL_PIPE);
    return done ? (i64)done : r;
}
