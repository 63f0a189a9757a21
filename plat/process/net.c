/* net.c: a network device over a descriptor that carries one Ethernet frame a
 * message: a socket (net=fd:N) or a TAP interface (net=tap:NAME).
 *
 * I1 a frame is in its buffer from `collect` to its delivery, at [first, last). */
#include "dev/net.h"

#include "base/assert.h"
#include "base/mem.h"
#include "kern/bootinfo.h"
#include "kern/heap.h"
#include "kern/log.h"
#include "kern/random.h"
#include "kern/time.h"
#include "kern/wait.h"
#include "plat/process/process.h"

enum { BUFFERS = 64, ETHERNET_MIN = 14, NAME_MAX = 16, O_RDWR = 2 };
enum { TUNSETIFF = 0x400454ca, IFF_TAP = 2, IFF_NO_PI = 0x1000 };
#define TX_PATIENCE_NS 2000000ull

struct card {
    struct netdev net;
    i32 fd;
    /* network thread only */
    u32 first, last;
    struct {
        u8 *bytes;
        u32 length;
        u64 time;
    } rx[BUFFERS];
    struct waitq tx_wait;
};

static struct frame frame_of(struct card *c, u32 i) {
    return (struct frame){c->rx[i % BUFFERS].bytes, c->rx[i % BUFFERS].length, FRAME_CAPACITY, &c->net, c->rx[i % BUFFERS].time};
}

static void collect(struct netdev *n) {
    struct card *c = CONTAINER_OF(n, struct card, net);
    while (c->last - c->first < BUFFERS) {
        u32 i = c->last % BUFFERS;
        i64 got = host(HOST_READ, c->fd, c->rx[i].bytes, FRAME_CAPACITY);
        if (got == -HOST_EINTR) continue;
        if (got <= 0) return;
        if (got < ETHERNET_MIN || got > FRAME_MAX) {
            n->stats.rx_errors++;
            continue;
        }
        c->rx[i].length = (u32)got;
        c->rx[i].time = time_mono_ns();
        n->stats.rx_frames++;
        n->stats.rx_bytes += (u64)got;
        struct frame f = frame_of(c, c->last++);
        if (n->arrived) n->arrived(&f);
    }
}

static u32 poll(struct netdev *n, u32 budget) {
    struct card *c = CONTAINER_OF(n, struct card, net);
    u32 done = 0;
    for (; done < budget; done++) {
        if (c->first == c->last) collect(n);
        if (c->first == c->last) break;
        struct frame f = frame_of(c, c->first);
        if (n->deliver) n->deliver(&f);
        c->first++;
    }
    return done;
}

/* true: it is gone, or will never go. */
static bool try_send(struct card *c, const struct frame *f, bool *ok) {
    i64 r = host(HOST_WRITE, c->fd, f->data, f->length);
    if (r == -HOST_EAGAIN || r == -HOST_EINTR) return false;
    *ok = r == (i64)f->length;
    return true;
}

static bool transmit(struct netdev *n, const struct frame *f) {
    struct card *c = CONTAINER_OF(n, struct card, net);
    assert(f->length <= f->capacity);
    bool ok = false, gone = false; /* the condition is asked again after it was true */
    if (f->length >= ETHERNET_MIN && f->length <= FRAME_MAX)
        wait_event(&c->tx_wait, gone || (gone = try_send(c, f, &ok)), time_mono_ns() + TX_PATIENCE_NS);
    if (ok) {
        n->stats.tx_frames++;
        n->stats.tx_bytes += f->length;
    } else {
        n->stats.tx_dropped++;
    }
    return ok;
}

static void on_event(void *arg) {
    struct card *c = arg;
    wait_wake_all(&c->tx_wait);
    if (c->net.wake) c->net.wake();
}

/* --- set-up --- */

static i32 open_tap(const char *name) {
    struct {
        char name[NAME_MAX];
        u16 flags;
        u8 rest[22];
    } request = {.flags = IFF_TAP | IFF_NO_PI};
    if (strlen(name) >= NAME_MAX) return -1;
    memcpy(request.name, name, strlen(name));
    i64 fd = host(HOST_OPEN, "/dev/net/tun", O_RDWR, 0);
    i64 e = fd < 0 ? fd : host(HOST_IOCTL, fd, TUNSETIFF, &request);
    if (e < 0) log_error("net: tap %s: errno %d", name, (int)-e);
    return e < 0 ? -1 : (i32)fd;
}

static i32 number_of(const char *text) {
    i32 v = 0;
    for (; *text >= '0' && *text <= '9' && v < 1 << 20; text++) v = v * 10 + (*text - '0');
    return *text ? -1 : v;
}

static i32 open_net(void) {
    char value[64];
    if (!option("net", value, sizeof value)) return -1;
    if (!memcmp(value, "fd:", 3)) return number_of(value + 3);
    if (!memcmp(value, "tap:", 4)) return open_tap(value + 4);
    log_error("net: net=%s: write fd:N or tap:NAME", value);
    return -1;
}

static struct card *card_new(i32 fd) {
    struct card *c = kzalloc(sizeof *c);
    if (!c) return NULL;
    c->fd = fd;
    for (u32 i = 0; i < BUFFERS; i++)
        if (!(c->rx[i].bytes = kmalloc(FRAME_CAPACITY))) return NULL; /* at boot: the end is near anyhow */
    random_bytes(c->net.mac, sizeof c->net.mac);
    c->net.mac[0] = (u8)((c->net.mac[0] & ~1) | 2); /* local, not a group */
    c->net.mtu = 1500;
    c->net.transmit = transmit, c->net.collect = collect, c->net.poll = poll;
    waitq_init(&c->tx_wait);
    return c;
}

void net_device_init(void) {
    i32 fd = open_net();
    if (fd < 0) return;
    struct card *c = card_new(fd);
    if (!c) {
        log_error("net: no memory");
        return;
    }
    process_files.net = fd;
    process_watch(fd);
    process_on_device(on_event, c);
    netdev_add(&c->net);
}
