/* slirp.c: frames of the guest to libslirp and back.
 *
 * I1 it ends when the guest's end of the socket closes, or `whelk run` does.
 * I2 a frame that the guest does not take within PATIENCE_MS is lost, as on a
 *    wire: TCP sends it again. */
#include "cli/slirp.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <slirp/libslirp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cli/backlog.h"
#include "cli/forward.h"

enum { FRAME_MAX = 65536, PATIENCE_MS = 5, BATCH = 64, SOCKET_BYTES = 4 << 20 };

struct timer {
    SlirpTimerCb call;
    void *arg;
    i64 at_ms; /* INT64_MAX: not set */
    struct timer *next;
};

struct net {
    Slirp *slirp;
    int fd;
    FILE *dump;
    struct timer *timers;
    struct pollfd *polls;
    u32 poll_count, poll_room;
};

static i64 now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (i64)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* --- the dump: a pcap file, as QEMU's filter-dump writes it --- */

static bool dump_open(struct net *n, const char *path) {
    const u32 head[6] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, FRAME_MAX, 1 /* Ethernet */};
    n->dump = fopen(path, "we");
    if (n->dump && fwrite(head, sizeof(head), 1, n->dump) == 1 && !fflush(n->dump)) return true;
    return fail("--dump %s: %s", path, strerror(errno)), false;
}

static void dump_frame(struct net *n, const void *p, size_t length) {
    struct timespec t;
    if (!n->dump) return;
    clock_gettime(CLOCK_REALTIME, &t);
    const u32 head[4] = {(u32)t.tv_sec, (u32)(t.tv_nsec / 1000), (u32)length, (u32)length};
    fwrite(head, sizeof(head), 1, n->dump);
    fwrite(p, length, 1, n->dump);
    fflush(n->dump);
}

/* --- what the library calls --- */

static ssize_t on_send(const void *p, size_t length, void *self) {
    struct net *n = self;
    dump_frame(n, p, length);
    ssize_t sent = send(n->fd, p, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) {
        struct pollfd room = {n->fd, POLLOUT, 0};
        poll(&room, 1, PATIENCE_MS);
        sent = send(n->fd, p, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    return (ssize_t)length;
}

static void on_guest_error(const char *text, void *self) {
    (void)self;
    fail("network: %s", text);
}

static i64 on_clock(void *self) {
    (void)self;
    return now_ns();
}

static void *on_timer_new(SlirpTimerCb call, void *arg, void *self) {
    struct net *n = self;
    struct timer *t = need(calloc(1, sizeof(*t)));
    *t = (struct timer){call, arg, INT64_MAX, n->timers};
    return n->timers = t;
}

static void on_timer_free(void *timer, void *self) {
    struct net *n = self;
    for (struct timer **at = &n->timers; *at; at = &(*at)->next) {
        if (*at != timer) continue;
        *at = (*at)->next;
        free(timer);
        return;
    }
}

static void on_timer_set(void *timer, i64 at_ms, void *self) {
    (void)self;
    ((struct timer *)timer)->at_ms = at_ms;
}

static void on_nothing(int fd, void *self) { (void)fd, (void)self; }
static void on_notify(void *self) { (void)self; }

static int on_add_poll(int fd, int events, void *self) {
    struct net *n = self;
    if (n->poll_count == n->poll_room) {
        n->poll_room = n->poll_room * 2 + 16;
        n->polls = need(realloc(n->polls, n->poll_room * sizeof(*n->polls)));
    }
    short wanted = (short)((events & SLIRP_POLL_IN ? POLLIN : 0) | (events & SLIRP_POLL_OUT ? POLLOUT : 0) |
                           (events & SLIRP_POLL_PRI ? POLLPRI : 0));
    n->polls[n->poll_count] = (struct pollfd){fd, wanted, 0};
    return (int)n->poll_count++;
}

static int on_events(int index, void *self) {
    const struct net *n = self;
    int got = n->polls[index].revents;
    return (got & POLLIN ? SLIRP_POLL_IN : 0) | (got & POLLOUT ? SLIRP_POLL_OUT : 0) | (got & POLLPRI ? SLIRP_POLL_PRI : 0) |
           (got & POLLERR ? SLIRP_POLL_ERR : 0) | (got & POLLHUP ? SLIRP_POLL_HUP : 0);
}

/* --- the loop --- */

static void run_timers(struct net *n, u32 *wait_ms) {
    i64 now = now_ns() / 1000000;
    for (bool again = true; again;) { /* a call may change the list */
        again = false;
        for (struct timer *t = n->timers; t && !again; t = t->next) {
            if (t->at_ms > now) continue;
            t->at_ms = INT64_MAX;
            t->call(t->arg);
            again = true;
        }
    }
    for (struct timer *t = n->timers; t; t = t->next)
        if (t->at_ms != INT64_MAX) *wait_ms = MIN(*wait_ms, (u32)MAX(t->at_ms - now, (i64)0));
}

/* false: the guest is gone. */
static bool take_frames(struct net *n) {
    static u8 frame[FRAME_MAX];
    for (u32 i = 0; i < BATCH; i++) {
        ssize_t got = recv(n->fd, frame, sizeof(frame), MSG_DONTWAIT);
        if (got < 0) return errno == EAGAIN || errno == EINTR;
        if (!got) return false;
        dump_frame(n, frame, (size_t)got);
        slirp_input(n->slirp, frame, (int)got);
    }
    return true;
}

static void serve(struct net *n) {
    for (;;) {
        u32 wait_ms = 1000;
        n->poll_count = 0;
        on_add_poll(n->fd, SLIRP_POLL_IN, n);
        slirp_pollfds_fill(n->slirp, &wait_ms, on_add_poll, n);
        run_timers(n, &wait_ms);
        int ready = poll(n->polls, n->poll_count, (int)wait_ms);
        slirp_pollfds_poll(n->slirp, ready < 0 && errno != EINTR, on_events, n);
        if (!take_frames(n)) return;
    }
}

/* --- set-up --- */

static u32 address_after(const char *text, const char *key) {
    const char *at = strstr(text, key);
    char word[INET_ADDRSTRLEN];
    struct in_addr a;
    size_t n = at ? strcspn(at + strlen(key), ",/") : 0;
    if (!n || n >= sizeof(word)) return 0;
    memcpy(word, at + strlen(key), n);
    word[n] = 0;
    return inet_pton(AF_INET, word, &a) == 1 ? ntohl(a.s_addr) : 0;
}

/* QEMU's own addresses; a fixed one of the guest moves the network to it. */
static SlirpConfig configure(const char *ip, struct in_addr *guest) {
    u32 fixed = ip && *ip >= '0' && *ip <= '9' ? address_after(ip, "") : 0;
    u32 bits = fixed ? (u32)atoi(strchr(ip, '/') + 1) : 24, mask = (u32)(~0ull << (32 - bits));
    u32 network = (fixed ? fixed : 0x0a000200) & mask, gateway = fixed ? address_after(ip, ",gw=") : 0;
    guest->s_addr = htonl(fixed);
    SlirpConfig c = {.version = 1, .in_enabled = true};
    c.vnetwork.s_addr = htonl(network);
    c.vnetmask.s_addr = htonl(mask);
    c.vhost.s_addr = htonl(gateway ? gateway : network | 2);
    c.vnameserver.s_addr = htonl(network | 3);
    c.vdhcp_start.s_addr = htonl(network | 15);
    return c;
}

static bool add_forward(struct net *n, const char *spec, struct in_addr guest) {
    struct forward f;
    struct in_addr host;
    if (!forward_parse(spec, &f)) return false;
    if (inet_pton(AF_INET, *f.address ? f.address : "0.0.0.0", &host) != 1)
        return usage("-p %s: %s is no address", spec, f.address), false;
    if (!slirp_add_hostfwd(n->slirp, f.udp, host, f.host, guest, f.guest)) return true;
    return fail("-p %s: the port cannot be had: %s", spec, strerror(errno)), false;
}

static bool set_up(struct net *n, const struct vm_options *o) {
    static const SlirpCb calls = {
        .send_packet = on_send, .guest_error = on_guest_error, .clock_get_ns = on_clock, .timer_new = on_timer_new,
        .timer_free = on_timer_free, .timer_mod = on_timer_set, .register_poll_fd = on_nothing,
        .unregister_poll_fd = on_nothing, .notify = on_notify,
    };
    struct in_addr guest;
    SlirpConfig c = configure(o->ip, &guest);
    int room = SOCKET_BYTES;
    if (setsockopt(n->fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)))
        setsockopt(n->fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    if (o->dump && !dump_open(n, o->dump)) return false;
    if (!(n->slirp = slirp_new(&c, &calls, n))) return fail("the network cannot be had"), false;
    for (u32 i = 0; i < o->ports.count; i++)
        if (!add_forward(n, o->ports.items[i], guest)) return false;
    backlog_raise(getpid());
    return true;
}

static _Noreturn void child(const struct vm_options *o, int fd, int ready) {
    struct net n = {.fd = fd};
    signal(SIGINT, SIG_IGN); /* the guest is shut down in order, with its network */
    signal(SIGTERM, SIG_DFL);
    signal(SIGPIPE, SIG_IGN); /* libslirp writes to clients that have gone */
    bool ok = set_up(&n, o);
    if (write(ready, &ok, sizeof(ok)) != sizeof(ok) || !ok) _exit(EXIT_RUN);
    close(ready);
    serve(&n);
    _exit(EXIT_OK);
}

int slirp_start(const struct vm_options *o, int ours, int theirs, pid_t *pid) {
    int ready[2];
    bool ok = false;
    if (pipe(ready)) return fail("pipe: %s", strerror(errno)), EXIT_RUN;
    pid_t parent = getpid();
    fflush(NULL);
    *pid = fork();
    if (*pid < 0) return fail("fork: %s", strerror(errno)), EXIT_RUN;
    if (!*pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(EXIT_RUN);
        close(theirs);
        close(ready[0]);
        child(o, ours, ready[1]);
    }
    close(ready[1]);
    bool told = read(ready[0], &ok, sizeof(ok)) == sizeof(ok);
    close(ready[0]);
    return told && ok ? EXIT_OK : EXIT_RUN;
}
