/* net/ under a flood: SYNs from everywhere that nobody completes, connections
 * that are never accepted, data that nobody reads. A client that comes in the
 * middle is served, and nothing is left over in the end. Runs net/ and lwIP in
 * this process (test/fuzz/net_host.c), frame by frame. */
#include <string.h>

#include "kern/bootinfo.h"
#include "dev/net.h"
#include "net/glue.h"
#include "net/link.h"
#include "test/fuzz/net_host.h"
#include "test/lib/test.h"

enum { SYN = 2, RST = 4, ACK = 16, FIN = 1, FLOOD = 5000 };

/* What the guest last sent. */
static struct {
    u8 flags, data[1460];
    u16 port;
    u32 seq, length;
} seen;
static u32 resets, spoken; /* segments with RST; with data */

static u32 get32(const u8 *p) { return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3]; }
static void put16(u8 *p, u32 v) { p[0] = (u8)(v >> 8), p[1] = (u8)v; }
static void put32(u8 *p, u32 v) { put16(p, v >> 16), put16(p + 2, v); }

static bool transmit(struct netdev *d, const struct frame *f) {
    if (f->length < 54 || f->data[12] != 8 || f->data[13] || f->data[23] != 6) return true;
    const u8 *tcp = f->data + 34;
    u32 header = (tcp[12] >> 4) * 4u, total = (u32)f->data[16] << 8 | f->data[17];
    seen.flags = tcp[13];
    seen.port = (u16)(tcp[2] << 8 | tcp[3]);
    seen.seq = get32(tcp + 4);
    seen.length = total - 20 - header;
    if (tcp[13] & RST) resets++;
    if (seen.length) spoken++;
    if (seen.length <= sizeof seen.data) memcpy(seen.data, tcp + header, seen.length);
    return true;
}
static void collect(struct netdev *d) {}
static u32 poll(struct netdev *d, u32 budget) { return 0; }
static struct netdev card = {.mtu = 1500, .transmit = transmit, .collect = collect, .poll = poll,
                             .mac = {0x52, 0x54, 0, 0x12, 0x34, 0x56}, .name = "eth0"};

static u16 sum(u32 start, const u8 *p, size_t n) {
    for (size_t i = 0; i < n; i++) start += i % 2 ? p[i] : (u32)p[i] << 8;
    while (start >> 16) start = (start & 0xffff) + (start >> 16);
    return (u16)start;
}

/* A segment from 10.0.2.HOST. */
static void segment(u8 host, u16 port, u8 flags, u32 seq, u32 ack, const char *text) {
    u8 data[FRAME_CAPACITY] = {0x52, 0x54, 0, 0x12, 0x34, 0x56, 0x52, 0x55, 10, 0, 2, 2, 8, 0, 0x45};
    u32 n = (u32)strlen(text), total = 40 + n;
    u8 *ip = data + 14, *tcp = data + 34;
    put16(ip + 2, total);
    ip[8] = 64, ip[9] = 6;
    memcpy(ip + 12, (u8[8]){10, 0, 2, host, 10, 0, 2, 15}, 8);
    put16(ip + 10, (u16)~sum(0, ip, 20));
    put16(tcp, port), put16(tcp + 2, 80);
    put32(tcp + 4, seq), put32(tcp + 8, ack);
    tcp[12] = 0x50, tcp[13] = flags;
    put16(tcp + 14, 8000);
    memcpy(tcp + 20, text, n);
    put16(tcp + 16, (u16)~sum(sum(6 + 20 + n, ip + 12, 8), tcp, 20 + n));
    struct frame f = {data, 14 + total, sizeof data, &card, net_host_now};
    link_arrived(&f);
    link_rx(&f);
    net_work_once();
}

static void arp_answer(u8 host) {
    u8 data[FRAME_CAPACITY] = {0x52, 0x54, 0, 0x12, 0x34, 0x56, 0x52, 0x55, 10, 0, 2, 2, 8, 6,
                               0, 1, 8, 0, 6, 4, 0, 2, 0x52, 0x55, 10, 0, 2, 2, 10, 0, 2, host,
                               0x52, 0x54, 0, 0x12, 0x34, 0x56, 10, 0, 2, 15};
    struct frame f = {data, 60, sizeof data, &card, net_host_now};
    link_rx(&f);
    net_work_once();
}

static void pass(u64 ms) {
    for (u64 i = 0; i < ms; i += 250) {
        net_host_now += 250000000;
        net_work_once();
    }
}

/* A whole exchange from host's port: connect, ask, answer, close. */
static bool client(struct socket *listener, u8 host, u16 port, u32 isn) {
    char buf[8] = "";
    struct socket *s = NULL;
    segment(host, port, SYN, isn, 0, "");
    if (seen.flags != (SYN | ACK) || seen.port != port) return false;
    u32 theirs = seen.seq + 1;
    segment(host, port, ACK, isn + 1, theirs, "");
    segment(host, port, ACK, isn + 1, theirs, "ask");
    while (!socket_accept(listener, NET_DONTWAIT, &s, NULL)) {
        if (socket_recv(s, buf, sizeof buf, NET_DONTWAIT, NULL, NULL) == 3) break;
        socket_close(s); /* one of the flood's */
        s = NULL;
    }
    if (!s || memcmp(buf, "ask", 3)) return false;
    socket_send(s, "answer", 6, NET_DONTWAIT, NULL);
    net_work_once();
    bool ok = seen.length == 6 && !memcmp(seen.data, "answer", 6) && seen.port == port;
    socket_close(s);
    net_work_once();
    segment(host, port, ACK | FIN, isn + 4, theirs + 7, "");
    return ok;
}

static struct socket *listen_80(void) {
    struct socket *s = NULL;
    EQUAL(socket_create(NET_AF_INET, NET_SOCK_STREAM, 0, &s), 0);
    EQUAL(socket_bind(s, (struct net_addr){0, 80}), 0);
    EQUAL(socket_listen(s, 16), 0);
    return s;
}

static void empty(void) {
    struct net_stats s;
    net_stats(&s);
    EQUAL(s.sockets, 1); /* the listener */
    EQUAL(s.tcp_pcbs, 0);
    EQUAL(s.pbufs_used, 0);
}

static void syn_flood(struct socket *l) {
    struct net_stats s;
    for (u32 i = 0; i < FLOOD; i++) {
        segment((u8)(10 + i % 200), (u16)(1024 + i), SYN, i * 77, 0, "");
        net_host_now += 1000000;
    }
    net_stats(&s);
    CHECK(s.tcp_pcbs <= 100);
    arp_answer(3);
    CHECK(client(l, 3, 5000, 1000));
    pass(60000);
    empty();
}

/* The same pair of ports again and again, in TIME_WAIT: no reset. */
static void same_port(struct socket *l) {
    u32 good = 0, before = resets;
    arp_answer(3); /* the flood has pushed it out of the table */
    for (u32 i = 0; i < 50; i++) good += client(l, 3, 6000, 100000 + i * 64);
    EQUAL(good, 50);
    EQUAL(resets, before);
    pass(10000);
    empty();
}

/* Handshakes completed, never accepted; then the program wakes up. */
static void never_accepted(struct socket *l) {
    struct net_stats s;
    arp_answer(3);
    for (u32 i = 0; i < 400; i++) {
        segment(3, (u16)(10000 + i), SYN, 5, 0, "");
        if (seen.port == 10000 + i && seen.flags == (SYN | ACK)) segment(3, (u16)(10000 + i), ACK, 6, seen.seq + 1, "x");
    }
    net_stats(&s);
    CHECK(s.tcp_pcbs <= 16 + 100);
    CHECK(s.sockets > 1);
    for (struct socket *c; !socket_accept(l, NET_DONTWAIT, &c, NULL);) socket_close(c);
    pass(500000);
    empty();
    arp_answer(3);
    CHECK(client(l, 3, 7000, 42));
    pass(10000);
    empty();
}

/* A handshake up to our answer: the number of the first byte that we shall send. */
static u32 answer_to_syn(u8 host, u16 port) {
    arp_answer(host);
    segment(host, port, SYN, 100, 0, "");
    EQUAL(seen.flags, SYN | ACK);
    return seen.seq + 1;
}

/* The connection that has asked three bytes. */
static struct socket *asked(struct socket *l) {
    struct socket *s = NULL;
    char buf[8];
    EQUAL(socket_accept(l, NET_DONTWAIT, &s, NULL), 0);
    EQUAL(socket_recv(s, buf, sizeof buf, NET_DONTWAIT, NULL, NULL), 3);
    return s;
}

/* One byte, or a FIN, from half the sequence space away: dropped. lwIP's
 * comparisons take it for the next one and its assertion ends the kernel. */
static void half_way_round(struct socket *l) {
    u32 theirs = answer_to_syn(3, 8000);
    segment(3, 8000, ACK, 101, theirs, "");
    segment(3, 8000, ACK, 101 + (1u << 31), theirs, "x");
    segment(3, 8000, ACK | FIN, 101 + (1u << 31), theirs, "");
    segment(3, 8000, ACK, 101, theirs, "ask");
    struct socket *s = asked(l);
    segment(3, 8000, ACK, 104 + (1u << 31), theirs, "x");
    socket_close(s);
    net_work_once();
    segment(3, 8000, ACK | FIN, 104, theirs + 1, "");
    segment(3, 8000, ACK, 105 + (1u << 31), theirs + 1, "x"); /* in TIME_WAIT */
    pass(10000);
    empty();
}

/* The peer has said FIN, and what we answer, FIN included, is lost: it comes again
 * until it is acknowledged, however short TIME_WAIT is, and no longer than two minutes. */
static void lost_answer(struct socket *l, bool comes_back) {
    u32 theirs = answer_to_syn(4, 9000);
    segment(4, 9000, ACK, 101, theirs, "ask");
    segment(4, 9000, ACK | FIN, 104, theirs, "");
    struct socket *s = asked(l);
    EQUAL(socket_send(s, "answer", 6, NET_DONTWAIT, NULL), 6);
    socket_close(s);
    net_work_once();
    pass(5000); /* lost, and lost again */
    spoken = 0;
    pass(15000);
    CHECK(spoken > 0 && !memcmp(seen.data, "answer", 6));
    if (comes_back) segment(4, 9000, ACK, 105, theirs + 7, "");
    else pass(150000);
    pass(1000);
    empty();
}

/* The program ends, its connection is open: what it said, and a FIN, are waited for. */
static u32 ended_with; /* the number of the answer's first byte */
static void acknowledge(void) {
    net_work_once();
    if (net_host_now % 1000000000 == 0) segment(5, 9500, ACK, 104, ended_with + 7, "");
}
static void ends(struct socket *l, bool there) {
    ended_with = answer_to_syn(5, 9500);
    segment(5, 9500, ACK, 101, ended_with, "ask");
    struct socket *s = asked(l);
    EQUAL(socket_send(s, "answer", 6, NET_DONTWAIT, NULL), 6);
    net_host_now -= net_host_now % 1000000000;
    u64 before = net_host_now;
    net_host_sleeps = there ? acknowledge : net_work_once;
    net_finish();
    net_host_sleeps = NULL;
    EQUAL((net_host_now - before) / 1000000000, there ? 1 : 3);
    CHECK(seen.flags & FIN && seen.seq + seen.length == ended_with + 6);
    EQUAL(socket_send(s, "more", 4, NET_DONTWAIT, NULL), -NET_EPIPE);
    socket_close(s);
    net_work_once();
    segment(5, 9500, RST | ACK, 104, ended_with + 7, "");
    pass(10000);
    empty();
    before = net_host_now;
    net_finish(); /* nothing is open but a listener */
    EQUAL(net_host_now, before);
}

int main(void) {
    list_push_back(&netdevs, &card.node);
    net_init();
    struct socket *l = listen_80();
    arp_answer(2);
    syn_flood(l);
    same_port(l);
    never_accepted(l);
    half_way_round(l);
    lost_answer(l, true);
    lost_answer(l, false);
    ends(l, true);
    ends(l, false);
    socket_close(l);
    return test_end("net_flood");
}
