/* fuzz_frames.c: frames from the wire into link, lwIP and sockets.
 *
 * The input is a row of {flags, length, bytes}. Frames are repaired as the
 * flags ask (addresses, checksums, the acknowledgment of our last SYN), or the
 * fuzzer would never get behind the first check. A server accepts, reads and
 * answers; all is torn down after each run, and nothing may be left over. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "dev/net.h"
#include "net/glue.h"
#include "net/link.h"
#include "test/fuzz/net_host.h"

#define ERR_OK LWIP_ERR_OK
#include "lwip/priv/tcp_priv.h"
#undef ERR_OK

int LLVMFuzzerTestOneInput(const u8 *data, size_t n);

enum { FIX_ADDRESS = 1, FIX_SUMS = 2, FIX_ACK = 4, TICK = 8, FIX_PORT = 16, FIX_ARP = 32, IDLE = 64 /* nobody accepts and reads */ };
static const u8 mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
static u32 last_sequence, frames_out;
static struct socket *listener, *udp, *raw, *child[8];

static bool transmit(struct netdev *d, const struct frame *f) {
    assert(f->length >= 14 && f->length <= FRAME_MAX);
    frames_out++;
    if (f->length >= 54 && f->data[12] == 8 && f->data[23] == 6) {
        memcpy(&last_sequence, f->data + 38, 4);
        last_sequence = lwip_htonl(lwip_ntohl(last_sequence) + 1);
    }
    return true;
}
static void collect(struct netdev *d) {}
static u32 poll(struct netdev *d, u32 budget) { return 0; }
static struct netdev card = {.mtu = 1500, .transmit = transmit, .collect = collect, .poll = poll, .name = "eth0"};

static u16 sum(u32 start, const u8 *p, size_t n) {
    for (size_t i = 0; i < n; i++) start += i % 2 ? p[i] : (u32)p[i] << 8;
    while (start >> 16) start = (start & 0xffff) + (start >> 16);
    return (u16)start;
}

static void put16(u8 *p, u16 v) { p[0] = (u8)(v >> 8), p[1] = (u8)v; }

static void fix_sums(u8 *ip, size_t n) {
    size_t header = (ip[0] & 15) * 4u;
    if (header < 20 || header > n) return;
    put16(ip + 10, 0);
    put16(ip + 10, (u16)~sum(0, ip, header));
    size_t at = ip[9] == 6 ? 16 : ip[9] == 17 ? 6 : ip[9] == 1 ? 2 : 0, rest = n - header;
    if (!at || rest < at + 2) return;
    put16(ip + header + at, 0);
    u32 pseudo = ip[9] == 1 ? 0 : (u32)sum(0, ip + 12, 8) + ip[9] + (u32)rest;
    put16(ip + header + at, (u16)~sum(pseudo, ip + header, rest));
}

static void repair(u8 *f, size_t n, u8 flags) {
    static const u8 start[14] = {0x52, 0x54, 0, 0x12, 0x34, 0x56, 0x52, 0x55, 10, 0, 2, 2, 8, 0};
    if (n < 34) return;
    if (flags & FIX_ADDRESS) {
        memcpy(f, start, sizeof start);
        f[14] = (u8)(0x40 | MAX(f[14] & 15, 5));
        put16(f + 16, (u16)(n - 14));
        memcpy(f + 26, (u8[8]){10, 0, 2, 2, 10, 0, 2, 15}, 8);
        f[20] &= 0x40; /* mostly whole packets */
    }
    size_t tcp = 14 + (f[14] & 15) * 4u;
    if (flags & FIX_PORT && tcp + 20 <= n) put16(f + tcp + 2, 80);
    if (flags & FIX_ACK && tcp + 20 <= n) memcpy(f + tcp + 8, &last_sequence, 4);
    if (flags & FIX_SUMS && n >= 34) fix_sums(f + 14, n - 14);
    if (flags & FIX_ARP && n >= 42) f[13] = 6;
}

static void serve(void) {
    u8 buf[300];
    for (size_t i = 0; i < ARRAY_LEN(child); i++) {
        if (!child[i] && socket_accept(listener, NET_DONTWAIT, &child[i], NULL)) child[i] = NULL;
        if (!child[i]) continue;
        i64 got = socket_recv(child[i], buf, sizeof buf, NET_DONTWAIT, NULL, NULL);
        if (got > 0) socket_send(child[i], buf, (size_t)got, NET_DONTWAIT, NULL);
        socket_poll(child[i]);
        if (got >= 0 && got < 2) socket_close(child[i]), child[i] = NULL;
    }
    socket_recv(udp, buf, sizeof buf, NET_DONTWAIT, NULL, NULL);
    socket_recv(raw, buf, sizeof buf, NET_DONTWAIT, NULL, NULL);
}

static void open_all(void) {
    static bool once;
    if (!once) {
        memcpy(card.mac, mac, sizeof mac);
        list_push_back(&netdevs, &card.node);
        net_init();
        once = true;
    }
    if (socket_create(NET_AF_INET, NET_SOCK_STREAM, 0, &listener) || socket_create(NET_AF_INET, NET_SOCK_DGRAM, 0, &udp) ||
        socket_create(NET_AF_INET, NET_SOCK_RAW, NET_PROTO_ICMP, &raw))
        abort();
    socket_bind(udp, (struct net_addr){0, 80});
    if (socket_bind(listener, (struct net_addr){0, 80}) || socket_listen(listener, 4)) abort();
}

/* Everything closed and all timers run out: no buffer and no block is left. */
static void close_all(void) {
    struct net_stats s;
    for (size_t i = 0; i < ARRAY_LEN(child); i++)
        if (child[i]) socket_close(child[i]), child[i] = NULL;
    socket_close(listener), socket_close(udp), socket_close(raw);
    for (u32 i = 0; i < 4000; i++) {
        net_host_now += 250000000;
        net_work_once();
        net_stats(&s);
        if (!s.sockets && !s.tcp_pcbs && !s.pbufs_used) return;
    }
    fprintf(stderr, "left over: %u sockets, %u connections, %u buffers\n", s.sockets, s.tcp_pcbs, s.pbufs_used);
    for (struct tcp_pcb *p = tcp_active_pcbs; p; p = p->next) fprintf(stderr, "connection in state %d\n", p->state);
    abort();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t n) {
    open_all();
    while (n >= 3) {
        u8 flags = data[0];
        size_t length = MIN((size_t)(data[1] | data[2] << 8) % 1515, n - 3);
        u8 *copy = malloc(FRAME_CAPACITY);
        memcpy(copy, data + 3, length);
        repair(copy, length, flags);
        data += 3 + length, n -= 3 + length;
        if (length >= 14) {
            struct frame f = {copy, (u32)length, FRAME_CAPACITY, &card, net_host_now};
            link_arrived(&f);
            link_rx(&f);
        }
        free(copy);
        if (flags & TICK) net_host_now += 260000000;
        net_work_once();
        if (!(flags & IDLE)) serve();
    }
    close_all();
    return 0;
}
