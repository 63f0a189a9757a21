/* port.c: the port "whelk.ctl" (dev/console.h) as a stream socket of the host:
 * control=fd:N is connected for good; control=PATH listens, one client at a time.
 *
 * I1 a connection's number (opens) is counted before anybody reads from it, and
 *    its end is told to the reader once. */
#include "base/assert.h"
#include "base/mem.h"
#include "dev/console.h"
#include "kern/bootinfo.h"
#include "kern/lock.h"
#include "kern/log.h"
#include "plat/process/process.h"

enum { AF_UNIX = 1, SOCK_STREAM = 1, SOCK_NONBLOCK = 04000, SOCK_CLOEXEC = 02000000, PATH_MAX = 108, BACKLOG = 4, F_DUPFD = 0 };

struct console_port {
    i32 listener, fd; /* -1: none */
    u32 opens;
    bool ended; /* a connection's end that the reader has not heard of */
    struct waitq wait;
    struct mutex read_lock, write_lock;
};

static struct console_port port = {.listener = -1, .fd = -1};
static bool present;

static void on_event(void *arg) { wait_wake_all(&port.wait); }

/* Takes the next client if there is none. */
static bool connect_next(struct console_port *p) {
    if (p->fd >= 0) return true;
    if (p->listener < 0) return false;
    i64 fd = host(HOST_ACCEPT4, p->listener, NULL, NULL, PROCESS_ACCEPT_FLAGS);
    if (fd < 0) return false;
    process_watch((i32)fd);
    p->opens++;
    p->fd = (i32)fd;
    return true;
}

static void hang_up(struct console_port *p) {
    i32 fd = p->fd;
    if (fd < 0) return;
    p->fd = -1;
    p->ended = true;
    process_unwatch(fd);
    host(HOST_CLOSE, fd);
    wait_wake_all(&p->wait);
}

struct console_port *console_find(const char *name, u64 deadline) {
    return present && !strcmp(name, "whelk.ctl") ? &port : NULL;
}

bool console_connected(struct console_port *p) { return p->fd >= 0; }
u32 console_generation(struct console_port *p) { return p->opens; }
struct waitq *console_queue(struct console_port *p) { return &p->wait; }

enum err console_wait_host(struct console_port *p, u64 deadline) {
    if (!wait_event(&p->wait, connect_next(p), deadline)) return ERR_AGAIN;
    return ERR_OK;
}

/* true: something to tell the reader. */
static bool try_read(struct console_port *p, void *buf, size_t cap, size_t *got, enum err *e) {
    if (p->fd < 0 || p->ended) {
        p->ended = false;
        *e = ERR_CLOSED;
        return true;
    }
    i64 n = host(HOST_READ, p->fd, buf, cap);
    if (n == -HOST_EAGAIN || n == -HOST_EINTR) return false;
    if (n > 0) {
        *got = (size_t)n;
        *e = ERR_OK;
        return true;
    }
    hang_up(p);
    p->ended = false;
    *e = ERR_CLOSED;
    return true;
}

enum err console_read(struct console_port *p, void *buf, size_t cap, size_t *got, u64 deadline) {
    assert(cap);
    enum err e = ERR_AGAIN;
    *got = 0;
    mutex_lock(&p->read_lock);
    bool told = false; /* the condition is asked again after it was true */
    wait_event(&p->wait, told || (told = try_read(p, buf, cap, got, &e)), deadline);
    mutex_unlock(&p->read_lock);
    return e;
}

/* true: all gone, or an error. */
static bool try_write(struct console_port *p, const u8 *from, size_t n, size_t *done, u32 generation, enum err *e) {
    *e = ERR_CLOSED;
    while (*done < n) {
        if (p->fd < 0 || p->opens != generation) return true;
        i64 r = host(HOST_WRITE, p->fd, from + *done, n - *done);
        if (r == -HOST_EINTR) continue;
        if (r == -HOST_EAGAIN) return false;
        if (r <= 0) {
            hang_up(p);
            return true;
        }
        *done += (size_t)r;
    }
    *e = ERR_OK;
    return true;
}

enum err console_write(struct console_port *p, const void *buf, size_t n, size_t *done, u64 deadline) {
    size_t count = 0;
    enum err e = ERR_AGAIN;
    mutex_lock(&p->write_lock);
    bool told = false;
    u32 generation = p->opens;
    wait_event(&p->wait, told || (told = try_write(p, buf, n, &count, generation, &e)), deadline);
    if (!told) e = ERR_AGAIN;
    mutex_unlock(&p->write_lock);
    if (done) *done = count;
    return e;
}

/* What the host's kernel has taken, the host has. */
enum err console_flush(struct console_port *p, u64 deadline) { return p->fd >= 0 ? ERR_OK : ERR_CLOSED; }

static i64 listen_at(const char *path) {
    struct {
        u16 family;
        char path[PATH_MAX];
    } address = {.family = AF_UNIX};
    size_t n = strlen(path);
    if (n >= PATH_MAX) return -1;
    memcpy(address.path, path, n);
    i64 fd = host(HOST_SOCKET, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    i64 e = fd < 0 ? fd : host(HOST_BIND, fd, &address, 2 + n + 1);
    if (e >= 0) e = host(HOST_LISTEN, fd, BACKLOG);
    return e < 0 ? e : fd;
}

static i32 number_of(const char *text) {
    i32 v = 0;
    for (; *text >= '0' && *text <= '9' && v < 1 << 20; text++) v = v * 10 + (*text - '0');
    return *text ? -1 : v;
}

/* The number that the next one to be opened gets: all clients', one by one. */
static i32 next_descriptor(i32 like) {
    i64 fd = host(HOST_FCNTL, like, F_DUPFD, 0);
    host(HOST_CLOSE, fd);
    return (i32)fd;
}

void port_init(void) {
    char value[PATH_MAX];
    if (!option("control", value, sizeof value)) return;
    waitq_init(&port.wait);
    mutex_init(&port.read_lock);
    mutex_init(&port.write_lock);
    if (!memcmp(value, "fd:", 3)) {
        port.fd = number_of(value + 3);
        port.opens = 1;
    } else {
        i64 fd = listen_at(value);
        if (fd < 0) log_error("control: %s: errno %d", value, (int)-fd);
        port.listener = fd < 0 ? -1 : (i32)fd;
    }
    i32 fd = port.fd >= 0 ? port.fd : port.listener;
    if (fd < 0) return;
    process_files.listener = port.listener;
    process_files.port = port.fd >= 0 ? port.fd : next_descriptor(port.listener);
    present = true;
    process_watch(fd);
    process_on_device(on_event, NULL);
}
