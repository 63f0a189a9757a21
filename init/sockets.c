/* sockets.c: see sockets.h. A socket of WASI is a struct file, as for Linux programs.
 *
 * I1 a waiter is in each file's queue before the file is asked, so a change
 *    between the question and the sleep wakes the thread. */
#include "init/sockets.h"

#include "base/assert.h"
#include "kern/heap.h"
#include "kern/time.h"
#include "sys/socket_file.h"

enum { BACKLOG = 128 };

i64 sockets_listen(u32 port, void **listener) {
    struct socket *s;
    struct file *f = NULL;
    if (port > UINT16_MAX) return -LINUX_EINVAL;
    i64 r = socket_create(NET_AF_INET, NET_SOCK_STREAM, 0, &s);
    if (r < 0) return r;
    r = socket_bind(s, (struct net_addr){0, (u16)port});
    if (r >= 0) r = socket_listen(s, BACKLOG);
    if (r < 0) {
        socket_close(s);
        return r;
    }
    r = socket_file_new(s, 0, &f);
    *listener = f;
    return r;
}

static u32 dont_wait(const struct file *f) { return f->flags & LINUX_O_NONBLOCK ? NET_DONTWAIT : 0; }

static i64 accept_one(void *self, void *listener, bool nonblock, void **file) {
    struct file *f = listener, *out = NULL;
    struct socket *s;
    if (!file_socket(f)) return -LINUX_ENOTSOCK;
    i64 r = socket_accept(file_socket(f), dont_wait(f), &s, NULL);
    if (r >= 0) r = socket_file_new(s, nonblock ? LINUX_O_NONBLOCK : 0, &out);
    *file = out;
    return r;
}

static i64 receive(void *self, void *file, void *out, size_t n, u32 flags) {
    struct file *f = file;
    if (!file_socket(f)) return -LINUX_ENOTSOCK;
    u32 net = dont_wait(f) | (flags & WASI_RECV_PEEK ? NET_PEEK : 0) | (flags & WASI_RECV_WAITALL ? NET_WAITALL : 0);
    return socket_recv(file_socket(f), out, n, net, NULL, NULL);
}

static i64 transmit(void *self, void *file, const void *p, size_t n) {
    struct file *f = file;
    if (!file_socket(f)) return -LINUX_ENOTSOCK;
    return socket_send(file_socket(f), p, n, dont_wait(f) | NET_NOSIGNAL, NULL);
}

static i64 shut(void *self, void *file, u32 how) {
    if (!file_socket(file)) return -LINUX_ENOTSOCK;
    bool in = how & WASI_SHUT_RD, out = how & WASI_SHUT_WR;
    return socket_shutdown(file_socket(file), in && out ? NET_SHUT_RDWR : out ? NET_SHUT_WR : NET_SHUT_RD);
}

/* --- waiting --- */

struct watch {
    struct waiter waiter;
    bool in_queue;
};

static void begin(const struct wasi_poll *p, struct watch *w) {
    struct file *f = p->file;
    w->in_queue = f->queue != NULL;
    if (w->in_queue) wait_begin(f->queue, &w->waiter);
}

static bool ask(struct wasi_poll *p) {
    struct file *f = p->file;
    u32 now = file_poll(f), failed = now & (LINUX_POLLERR | LINUX_POLLHUP);
    p->hangup = now & (LINUX_POLLERR | LINUX_POLLHUP | LINUX_POLLRDHUP);
    p->ready = failed || (now & (p->write ? LINUX_POLLOUT : LINUX_POLLIN));
    p->bytes = p->ready && !failed;
    if (p->ready && !p->write && file_socket(f)) p->bytes = socket_pending(file_socket(f));
    return p->ready;
}

/* How many are ready, after at most one sleep. */
static u32 one_round(struct wasi_poll *list, struct watch *w, u32 n, u64 deadline, bool *late) {
    u32 ready = 0;
    for (u32 k = 0; k < n; k++) begin(&list[k], &w[k]);
    for (u32 k = 0; k < n; k++) ready += ask(&list[k]);
    if (!ready) {
        *late = !wait_block(deadline);
        for (u32 k = 0; k < n; k++) ready += ask(&list[k]);
    }
    for (u32 k = 0; k < n; k++)
        if (w[k].in_queue) wait_end(&w[k].waiter);
    return ready;
}

static i64 wait_files(void *self, struct wasi_poll *list, u32 n, u64 deadline) {
    struct watch *w = kzalloc(n * sizeof *w);
    if (!w) return -LINUX_ENOMEM;
    u32 ready = 0;
    for (bool late = false; !ready && !late;) ready = one_round(list, w, n, deadline, &late);
    kfree(w);
    return ready;
}

void sockets_wasi(struct wasi_host *h) {
    static_assert(WAIT_FOREVER == UINT64_MAX, "wasi_host.poll's deadline");
    h->accept = accept_one;
    h->recv = receive;
    h->send = transmit;
    h->shutdown = shut;
    h->poll = wait_files;
}
