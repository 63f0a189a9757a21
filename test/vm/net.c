/* net.c: with a network card: DHCP gives an address; loopback echoes; sockets
 * answer as Linux's do. Run with VM_ARGS of mk/30-lwip.mk. */
#include "base/mem.h"
#include "init/init.h"
#include "kern/heap.h"
#include "kern/log.h"
#include "kern/thread.h"
#include "kern/time.h"
#include "net/link.h"
#include "net/net.h"
#include "net/socket.h"
#include "test/lib/test.h"

#define SECOND 1000000000ull
#define LOOPBACK 0x7f000001u
enum { ECHO_PORT = 7, ROUNDS = 50, CLIENTS = 8, BULK = 300000 };

static u64 soon(void) { return time_mono_ns() + 60 * SECOND; }
static u32 tapped[2], finished;

static void tap(const struct frame *f, enum link_direction direction) { tapped[direction]++; }

static void dhcp(void) {
    struct net_config c;
    CHECK(net_wait_up(soon()));
    net_config(&c);
    EQUAL(c.address, 0x0a00020f);
    EQUAL(c.gateway, 0x0a000202);
    EQUAL(c.dns, 0x0a000203);
    CHECK(c.dynamic);
}

/* An echo request to the gateway and its answer: each is tapped once, with
 * whatever ARP needs, and a frame that a verdict drops is not sent. */
static void ping(bool answered) {
    /* Echo request, id 1, sequence 1; the checksum's one's complement is 0xf7fd. */
    static const u8 request[8] = {8, 0, 0xf7, 0xfd, 0, 1, 0, 1};
    u8 in[64];
    struct socket *s = NULL;
    EQUAL(socket_create(NET_AF_INET, NET_SOCK_RAW, NET_PROTO_ICMP, &s), 0);
    EQUAL(socket_setopt(s, 1, 20, &(i64[2]){answered ? 60 : 0, 300000}, 16), 0);
    EQUAL(socket_send(s, request, sizeof request, 0, &(struct net_addr){0x0a000202, 0}), 8);
    i64 n = socket_recv(s, in, sizeof in, 0, NULL, NULL);
    if (answered) EQUAL(n, 28);
    else EQUAL(n, -NET_EAGAIN);
    if (n == 28) EQUAL(in[20], 0); /* echo reply, behind the IP header */
    socket_close(s);
}

static u32 drop(struct frame *f) { return LINK_DROP; }

static void hooks(void) {
    struct net_stats a, b;
    u32 seen[2];
    preempt_disable(); /* the network's thread sends ARP of its own: both counts begin and end at once */
    link_hooks.tap = tap;
    net_stats(&a);
    preempt_enable();
    ping(true);
    preempt_disable();
    net_stats(&b);
    memcpy(seen, (const void *)tapped, sizeof seen);
    preempt_enable();
    CHECK(seen[LINK_IN] && seen[LINK_IN] == b.rx_frames - a.rx_frames);
    CHECK(seen[LINK_OUT] && seen[LINK_OUT] == b.tx_frames - a.tx_frames);
    link_hooks.tx = drop;
    ping(false);
    link_hooks.tx = NULL;
    net_stats(&a);
    EQUAL(a.tx_frames, b.tx_frames);
    EQUAL(a.tx_dropped, b.tx_dropped + 1);
    link_hooks.rx = drop;
    ping(false);
    u64 end = soon(); /* the gateway takes its time on a busy host */
    do {
        thread_sleep_until(time_mono_ns() + SECOND / 100);
        net_stats(&b);
    } while (b.rx_dropped == a.rx_dropped && time_mono_ns() < end);
    link_hooks.rx = NULL;
    CHECK(b.rx_dropped > a.rx_dropped);
    CHECK(tapped[LINK_IN] >= 2 && tapped[LINK_OUT] >= 2);
}

/* Serves one connection: echoes until its end. */
static void echo(void *arg) {
    struct socket *s = arg;
    static u8 buf[4096];
    i64 n;
    while ((n = socket_recv(s, buf, sizeof buf, 0, NULL, NULL)) > 0)
        if (socket_send(s, buf, (size_t)n, 0, NULL) != n) break;
    socket_close(s);
}

static void server(void *arg) {
    struct socket *listener = arg, *s;
    for (u32 i = 0; i < ROUNDS + CLIENTS + 1; i++) {
        if (socket_accept(listener, 0, &s, NULL) < 0) break;
        echo(s);
    }
    socket_close(listener);
    __atomic_add_fetch(&finished, 1, __ATOMIC_SEQ_CST);
}

static struct socket *stream(void) {
    struct socket *s = NULL;
    EQUAL(socket_create(NET_AF_INET, NET_SOCK_STREAM, 0, &s), 0);
    return s;
}

static void start_server(void) {
    struct socket *listener = stream();
    struct thread *t;
    EQUAL(socket_bind(listener, (struct net_addr){0, ECHO_PORT}), 0);
    EQUAL(socket_listen(listener, 128), 0);
    EQUAL(thread_create("echo", server, listener, &t), 0);
    struct socket *second = stream();
    EQUAL(socket_bind(second, (struct net_addr){0, ECHO_PORT}), -NET_EADDRINUSE);
    EQUAL(socket_bind(second, (struct net_addr){0x01020304, 80}), -NET_EADDRNOTAVAIL);
    socket_close(second);
}

static bool ask_once(void) {
    char buf[32] = "";
    struct socket *s = stream();
    bool ok = socket_connect(s, (struct net_addr){LOOPBACK, ECHO_PORT}, 0) == 0 &&
              socket_send(s, "hello", 5, 0, NULL) == 5 &&
              socket_recv(s, buf, 5, NET_WAITALL, NULL, NULL) == 5 && !strcmp(buf, "hello") &&
              socket_shutdown(s, NET_SHUT_WR) == 0 && socket_recv(s, buf, 5, 0, NULL, NULL) == 0;
    socket_close(s);
    return ok;
}

static void client(void *arg) {
    if (ask_once()) __atomic_add_fetch(&finished, 1, __ATOMIC_SEQ_CST);
}

static void many_clients(void) {
    u32 good = 0;
    for (u32 i = 0; i < ROUNDS; i++) good += ask_once();
    EQUAL(good, ROUNDS);
    for (u32 i = 0; i < CLIENTS; i++) {
        struct thread *t;
        EQUAL(thread_create("client", client, NULL, &t), 0);
    }
    u64 end = soon();
    while (__atomic_load_n(&finished, __ATOMIC_SEQ_CST) < CLIENTS && time_mono_ns() < end)
        thread_sleep_until(time_mono_ns() + SECOND / 100);
    EQUAL(finished, CLIENTS);
}

static struct socket *bulk_socket;
static void bulk_sender(void *arg) {
    static u8 out[BULK];
    for (u32 i = 0; i < BULK; i++) out[i] = (u8)(i * 7 >> 3);
    i64 r = socket_send(bulk_socket, out, BULK, 0, NULL);
    if (r == BULK && !socket_shutdown(bulk_socket, NET_SHUT_WR)) __atomic_add_fetch(&finished, 1, __ATOMIC_SEQ_CST);
}

/* More than all buffers hold: both directions must flow. */
static void bulk(void) {
    static u8 in[BULK];
    bulk_socket = stream();
    struct thread *t;
    EQUAL(socket_connect(bulk_socket, (struct net_addr){LOOPBACK, ECHO_PORT}, 0), 0);
    EQUAL(thread_create("bulk", bulk_sender, NULL, &t), 0);
    EQUAL(socket_recv(bulk_socket, in, BULK, NET_WAITALL, NULL, NULL), BULK);
    u32 wrong = 0;
    for (u32 i = 0; i < BULK; i++) wrong += in[i] != (u8)(i * 7 >> 3);
    EQUAL(wrong, 0);
    EQUAL(socket_recv(bulk_socket, in, 1, 0, NULL, NULL), 0);
    socket_close(bulk_socket);
}

static void refusals(void) {
    struct socket *s = stream();
    u8 b;
    EQUAL(socket_recv(s, &b, 1, 0, NULL, NULL), -NET_ENOTCONN);
    EQUAL(socket_send(s, &b, 1, 0, NULL), -NET_EPIPE);
    EQUAL(socket_connect(s, (struct net_addr){LOOPBACK, 9999}, 0), -NET_ECONNREFUSED);
    socket_close(s);
    EQUAL(socket_create(10, NET_SOCK_STREAM, 0, &s), -NET_EAFNOSUPPORT);
    EQUAL(socket_create(NET_AF_INET, 5, 0, &s), -NET_ESOCKTNOSUPPORT);
    EQUAL(socket_create(NET_AF_INET, NET_SOCK_STREAM, NET_PROTO_UDP, &s), -NET_EPROTONOSUPPORT);
}

static void nonblocking(void) {
    struct socket *l = stream(), *s = stream(), *c = NULL;
    struct net_addr at;
    i32 v = 0;
    u32 n = sizeof v;
    EQUAL(socket_bind(l, (struct net_addr){LOOPBACK, 0}), 0);
    EQUAL(socket_listen(l, 5), 0);
    EQUAL(socket_name(l, &at), 0);
    CHECK(at.port != 0);
    EQUAL(socket_accept(l, NET_DONTWAIT, &c, NULL), -NET_EAGAIN);
    i64 r = socket_connect(s, at, NET_DONTWAIT); /* loopback may be at once */
    CHECK(!r || r == -NET_EINPROGRESS);
    CHECK(wait_event(socket_queue(s), socket_poll(s) & NET_POLLOUT, soon()));
    EQUAL(socket_getopt(s, 1, 4, &v, &n), 0);
    EQUAL(v, 0);
    CHECK(wait_event(socket_queue(l), socket_poll(l) & NET_POLLIN, soon()));
    EQUAL(socket_accept(l, NET_DONTWAIT, &c, &at), 0);
    EQUAL(at.ip, LOOPBACK);
    EQUAL(socket_recv(c, &v, 1, NET_DONTWAIT, NULL, NULL), -NET_EAGAIN);
    EQUAL(socket_setopt(s, 6, 1, &(i32){1}, 4), 0);
    EQUAL(socket_getopt(s, 6, 1, &v, &n), 0);
    EQUAL(v, 1);
    EQUAL(socket_setopt(s, 1, 77, &(i32){1}, 4), -NET_ENOPROTOOPT);
    socket_close(s);
    CHECK(wait_event(socket_queue(c), socket_poll(c) & NET_POLLRDHUP, soon()));
    EQUAL(socket_recv(c, &v, 1, 0, NULL, NULL), 0);
    socket_close(c);
    socket_close(l);
}

static void datagrams(void) {
    struct socket *a = NULL, *b = NULL;
    struct net_addr at, from;
    char buf[8] = "";
    bool cut;
    EQUAL(socket_create(NET_AF_INET, NET_SOCK_DGRAM, 0, &a), 0);
    EQUAL(socket_create(NET_AF_INET, NET_SOCK_DGRAM, 0, &b), 0);
    EQUAL(socket_bind(a, (struct net_addr){LOOPBACK, 0}), 0);
    EQUAL(socket_name(a, &at), 0);
    EQUAL(socket_recv(a, buf, 8, NET_DONTWAIT, NULL, NULL), -NET_EAGAIN);
    EQUAL(socket_send(b, "abc", 3, 0, NULL), -NET_EDESTADDRREQ);
    EQUAL(socket_send(b, "abcdefghij", 10, 0, &at), 10);
    EQUAL(socket_recv(a, buf, 8, NET_PEEK, &from, &cut), 8);
    CHECK(cut);
    EQUAL(socket_recv(a, buf, 8, NET_TRUNC, &from, &cut), 10);
    EQUAL(socket_setopt(a, 1, 20, &(i64[2]){0, 50000}, 16), 0);
    EQUAL(socket_recv(a, buf, 8, 0, NULL, NULL), -NET_EAGAIN);
    socket_close(a);
    socket_close(b);
}

/* Everything that the test used is given back. */
static void no_leak(void) {
    struct net_stats s;
    u64 end = soon();
    do {
        thread_sleep_until(time_mono_ns() + SECOND / 10);
        net_stats(&s);
    } while ((s.sockets || s.pbufs_used || s.tcp_pcbs) && time_mono_ns() < end);
    EQUAL(s.sockets, 0);
    EQUAL(s.pbufs_used, 0);
    EQUAL(s.tcp_pcbs, 0);
}

int vm_test(void) {
    dhcp();
    hooks();
    start_server();
    many_clients();
    bulk();
    refusals();
    nonblocking();
    datagrams();
    no_leak();
    return test_end("net");
}
