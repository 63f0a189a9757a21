/* guard.c: looks at each TCP SYN before lwIP does, where lwIP alone would turn
 * clients away, and at segments that it would take wrongly.
 *
 * I1 a packet that is not wholly understood passes: lwIP judges it.
 * I2 at most HALF_OPEN_MAX connections wait for the end of their handshake, so
 *    that a flood of SYNs neither fills a listener's backlog nor the pool. */
#include "base/assert.h"
#include "base/mem.h"
#include "net/guard.h"
#include "net/glue.h"

#define ERR_OK LWIP_ERR_OK
#include "lwip/priv/tcp_priv.h"
#include "lwip/prot/ip4.h"
#include "lwip/prot/tcp.h"
#undef ERR_OK

enum { ANY_FRAGMENT = 0x3fff /* more to come, or not the first */ };

struct syn {
    u32 from, to; /* network byte order, as in lwIP's blocks */
    u16 from_port, to_port;
    u32 sequence;
};

/* A plain SYN, not a part of a fragmented packet. */
static bool read_syn(const struct pbuf *p, struct syn *out) {
    struct ip_hdr ip;
    struct tcp_hdr tcp;
    if (pbuf_copy_partial(p, &ip, sizeof ip, 0) != sizeof ip) return false;
    u16 bytes = IPH_HL_BYTES(&ip);
    if (IPH_V(&ip) != 4 || bytes < sizeof ip || IPH_PROTO(&ip) != IP_PROTO_TCP) return false;
    if (lwip_ntohs(IPH_OFFSET(&ip)) & ANY_FRAGMENT) return false;
    if (pbuf_copy_partial(p, &tcp, sizeof tcp, bytes) != sizeof tcp) return false;
    if ((TCPH_FLAGS(&tcp) & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) != TCP_SYN) return false;
    *out = (struct syn){ip.src.addr, ip.dest.addr, lwip_ntohs(tcp.src), lwip_ntohs(tcp.dest),
                        lwip_ntohl(tcp.seqno)};
    return true;
}

/* A new connection on the ports of one in TIME_WAIT, begun behind its last byte,
 * is not an old duplicate (RFC 1122, 4.2.2.13; RFC 9293, 3.10.7.4). lwIP would
 * answer RST. */
static void end_time_wait(const struct syn *s) {
    for (struct tcp_pcb *pcb = tcp_tw_pcbs; pcb; pcb = pcb->next) {
        assert(pcb->state == TIME_WAIT);
        if (pcb->remote_port != s->from_port || pcb->local_port != s->to_port ||
            ip4_addr_get_u32(ip_2_ip4(&pcb->remote_ip)) != s->from ||
            ip4_addr_get_u32(ip_2_ip4(&pcb->local_ip)) != s->to)
            continue;
        if (TCP_SEQ_GT(s->sequence, pcb->rcv_nxt)) tcp_abort(pcb);
        return;
    }
}

static void limit_half_open(void) {
    u32 count = 0;
    struct tcp_pcb *oldest = NULL;
    for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb; pcb = pcb->next) {
        if (pcb->state != SYN_RCVD) continue;
        count++;
        if (!oldest || tcp_ticks - pcb->tmr >= tcp_ticks - oldest->tmr) oldest = pcb;
    }
    /* Silently: its client, if there is one, asks again. */
    if (count >= HALF_OPEN_MAX) tcp_abandon(oldest, 0);
}

int net_ip_input(struct pbuf *p, struct netif *n) {
    struct syn s;
    if (!read_syn(p, &s)) return 0;
    end_time_wait(&s);
    limit_half_open();
    return 0;
}

/* Sequence numbers that are half of their space apart compare as smaller and as
 * larger at once: tcp_receive takes a segment of length 1 there for one that
 * begins before what it expects, and asserts. No honest peer is that far off.
 * h: in host byte order. A listener's block is shorter than pcb's type. */
int net_tcp_input(const struct tcp_pcb *pcb, const struct tcp_hdr *h) {
    bool apart = pcb->state != LISTEN && pcb->rcv_nxt - h->seqno == 1u << 31;
    return apart ? -1 : 0; /* lwIP's ERR_OK is 0 */
}
