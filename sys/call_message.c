/* call_message.c: sending and receiving with addresses and vectors.
 *
 * I1 a datagram is one step; more than BOUNCE_MAX bytes are refused for it.
 * I2 a stream moves on in steps of BOUNCE_MAX; after the first, it never blocks
 *    for more. */
#include "base/mem.h"
#include "kern/vm.h"
#include "sys/calls.h"
#include "sys/local.h"
#include "sys/socket_file.h"

struct message {
    struct file *file;
    u32 flags; /* NET_* */
    const struct net_addr *to; /* sending */
    struct net_addr from;
    bool truncated;
};

static bool stream(const struct message *m) { return socket_type(file_socket(m->file)) == NET_SOCK_STREAM; }

static i64 send_steps(struct message *m, struct vector *v, struct bounce *b) {
    u64 done = 0;
    do {
        i64 want = (i64)MIN(v->left, (u64)b->cap), n = vector_gather(v, b->p, b->cap), r = n;
        if (n < want) return done ? (i64)done : -LINUX_EFAULT;
        r = socket_send(file_socket(m->file), b->p, (size_t)n, m->flags, m->to);
        if (r < 0) return done ? (i64)done : r;
        done += (u64)r;
        if (r < n) break;
    } while (v->left);
    return (i64)done;
}

static i64 send_vector(struct message *m, struct vector *v) {
    struct bounce b;
    if (!stream(m) && v->left > BOUNCE_MAX) return -LINUX_EMSGSIZE;
    if (!bounce_begin(&b, v->left)) return -LINUX_ENOMEM;
    i64 r = send_steps(m, v, &b);
    bounce_end(&b);
    if (r == -LINUX_EPIPE && !(m->flags & NET_NOSIGNAL)) signal_task(task_current(), SIGNAL_PIPE);
    return r;
}

static i64 receive_vector(struct message *m, struct vector *v) {
    struct bounce b;
    u64 done = 0;
    i64 r;
    if (!bounce_begin(&b, v->left)) return -LINUX_ENOMEM;
    do {
        size_t want = (size_t)MIN(v->left, (u64)b.cap);
        u32 flags = m->flags | (done && !(m->flags & NET_WAITALL) ? NET_DONTWAIT : 0);
        r = socket_recv(file_socket(m->file), b.p, want, flags, &m->from, &m->truncated);
        if (r < 0) break;
        size_t n = MIN((size_t)r, want); /* NET_TRUNC tells more than was had */
        i64 e = vector_scatter(v, b.p, n);
        if (e < 0) r = e;
        else done += (u64)r;
        if (r < 0 || (size_t)r != want || (m->flags & NET_PEEK)) break;
    } while (v->left && stream(m));
    bounce_end(&b);
    return done ? (i64)done : r;
}

/* Begins a call on a socket; the file is counted. */
static i64 begin(struct message *m, u64 fd, u64 flags) {
    *m = (struct message){.file = fd_file(fd)};
    if (!m->file) return -LINUX_EBADF;
    i64 r = file_socket(m->file) ? socket_flags(m->file, (u32)flags) : -LINUX_ENOTSOCK;
    if (r < 0) file_put(m->file);
    m->flags = (u32)r;
    return r;
}

/* Linux moves at most this in one call, and cuts what asks for more. */
enum { ONCE_MAX = INT32_MAX & ~4095 };
static bool in_range(u64 at, u64 n) { return at <= LINUX_PROGRAM_END - n; }

/* struct msghdr. */
struct header {
    u64 name;
    u32 name_length, pad;
    u64 vectors, count, control, control_length;
    i32 flags;
    u32 pad2;
};
_Static_assert(sizeof(struct header) == 56, "Linux ABI");

/* The same on a local socket: connected, so without addresses. false: it is none. */
static bool local_message(const struct call *c, bool send, bool header, i64 *r) {
    struct header h;
    struct vector v;
    struct file *f = fd_file(c->a[0]);
    bool local = f && local_is(f);
    u64 flags = header ? c->a[2] : c->a[3], no_length = 0;
    if (local && header && !user_read(&h, c->a[1], sizeof h)) *r = -LINUX_EFAULT;
    else if (local && !header && !in_range(c->a[1], MIN(c->a[2], (u64)ONCE_MAX))) *r = -LINUX_EFAULT;
    else if (local && header && h.count > IOVEC_MAX) *r = -LINUX_EMSGSIZE;
    else if (local && header && send && h.control_length) refuse_once("sendmsg with control data", h.control_length), *r = -LINUX_EINVAL;
    else if (local) {
        *r = header ? vector_read(&v, h.vectors, h.count) : 0;
        if (!header) vector_single(&v, c->a[1], MIN(c->a[2], (u64)ONCE_MAX));
        bool have = *r >= 0;
        if (have) *r = local_move(f, &v, send, flags);
        if (have && header) vector_free(&v);
        /* msg_namelen, msg_controllen, msg_flags: nothing of these came */
        bool told = !header || send || *r < 0 || (user_write(c->a[1] + 8, &no_length, 4) && user_write(c->a[1] + 40, &no_length, 8) && user_write(c->a[1] + 48, &no_length, 4));
        if (!told) *r = -LINUX_EFAULT;
    }
    file_put(f);
    return local;
}

i64 call_sendto(const struct call *c) {
    struct message m;
    struct vector v;
    struct net_addr to;
    i64 local;
    if (local_message(c, true, false, &local)) return local;
    u64 n = MIN(c->a[2], (u64)ONCE_MAX);
    i64 r = !in_range(c->a[1], n) ? -LINUX_EFAULT : begin(&m, c->a[0], c->a[3]);
    if (r < 0) return r;
    vector_single(&v, c->a[1], n);
    if (c->a[4] && (r = address_read(c->a[4], (u32)c->a[5], &to)) >= 0) m.to = &to;
    if (r >= 0) r = send_vector(&m, &v);
    file_put(m.file);
    return r;
}

i64 call_recvfrom(const struct call *c) {
    struct message m;
    struct vector v;
    i64 local;
    if (local_message(c, false, false, &local)) return local;
    u64 n = MIN(c->a[2], (u64)ONCE_MAX);
    i64 r = !in_range(c->a[1], n) ? -LINUX_EFAULT : begin(&m, c->a[0], c->a[3]);
    if (r < 0) return r;
    vector_single(&v, c->a[1], n);
    r = receive_vector(&m, &v);
    if (r >= 0 && c->a[4] && !stream(&m)) {
        i64 e = address_write(c->a[4], c->a[5], &m.from);
        if (e < 0) r = e;
    }
    file_put(m.file);
    return r;
}

i64 call_sendmsg(const struct call *c) {
    struct header h;
    struct message m;
    struct vector v;
    struct net_addr to;
    i64 local;
    if (local_message(c, true, true, &local)) return local;
    i64 r = begin(&m, c->a[0], c->a[2]);
    if (r < 0) return r;
    r = user_read(&h, c->a[1], sizeof h) ? 0 : -LINUX_EFAULT;
    if (r >= 0 && h.control_length) refuse_once("sendmsg with control data", h.control_length), r = -LINUX_EINVAL;
    if (r >= 0 && h.name && (r = address_read(h.name, h.name_length, &to)) >= 0) m.to = &to;
    if (r >= 0 && (r = vector_read(&v, h.vectors, h.count)) >= 0) {
        r = send_vector(&m, &v);
        vector_free(&v);
    }
    file_put(m.file);
    return r;
}

/* What recvmsg(2) writes back to the header, and the sender's address. */
static i64 finish_receive(const struct message *m, u64 user, struct header *h) {
    enum { NAME_LENGTH_AT = 8 };
    i64 r = 0;
    if (h->name && !stream(m)) r = address_write(h->name, user + NAME_LENGTH_AT, &m->from);
    if (r < 0 || !user_read(h, user, sizeof *h)) return r < 0 ? r : -LINUX_EFAULT;
    if (!h->name || stream(m)) h->name_length = 0;
    h->control_length = 0;
    h->flags = m->truncated ? NET_TRUNC : 0;
    return user_write(user, h, sizeof *h) ? 0 : -LINUX_EFAULT;
}

i64 call_recvmsg(const struct call *c) {
    struct header h;
    struct message m;
    struct vector v;
    i64 local;
    if (local_message(c, false, true, &local)) return local;
    i64 r = begin(&m, c->a[0], c->a[2]);
    if (r < 0) return r;
    r = user_read(&h, c->a[1], sizeof h) ? 0 : -LINUX_EFAULT;
    if (r >= 0 && (r = vector_read(&v, h.vectors, h.count)) >= 0) {
        r = receive_vector(&m, &v);
        vector_free(&v);
    }
    if (r >= 0) {
        i64 e = finish_receive(&m, c->a[1], &h);
        if (e < 0) r = e;
    }
    file_put(m.file);
    return r;
}
