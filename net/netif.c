/* netif.c: lwIP's interfaces on our devices.
 *
 * I1 one struct netif for each device, in netdev.stack, for ever.
 * I2 lwIP sends from one thread, so that one buffer serves all frames. */
#include "net/netif.h"

#include "base/assert.h"
#include "base/fmt.h"
#include "kern/heap.h"
#include "kern/log.h"
#include "kern/time.h"
#include "net/glue.h"
#include "net/link.h"
#include "net/options.h"

#define ERR_OK LWIP_ERR_OK
#include "lwip/dhcp.h"
#include "lwip/dns.h"
#include "lwip/etharp.h"
#include "netif/ethernet.h"
#undef ERR_OK

enum { POLL_BUDGET = 64 };
static u64 no_memory;
static u8 out_buffer[FRAME_CAPACITY];

u64 netif_no_memory(void) { return no_memory; }

void netif_receive(const struct frame *f) {
    struct netif *n = f->dev->stack;
    assert(n);
    /* No checksum in the frame and 14 bytes of header at least: the driver's I3. */
    struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16)f->length, PBUF_POOL);
    if (!p) {
        no_memory++;
        return;
    }
    pbuf_take(p, f->data, (u16)f->length);
    if (n->input(p, n)) pbuf_free(p);
}

/* lwIP's way out: a chain of pbufs becomes one frame. */
static err_t send_frame(struct netif *n, struct pbuf *p) {
    if (p->tot_len > FRAME_MAX) return ERR_BUF;
    struct frame f = {out_buffer, p->tot_len, sizeof out_buffer, n->state, 0};
    pbuf_copy_partial(p, out_buffer, p->tot_len, 0);
    f.time = time_mono_ns();
    /* A lost frame is the wire's business, not the stack's. */
    link_tx(&f);
    return ERR_OK;
}

static err_t set_up(struct netif *n) {
    struct netdev *d = n->state;
    n->name[0] = 'e', n->name[1] = 't';
    n->hwaddr_len = sizeof d->mac;
    memcpy(n->hwaddr, d->mac, sizeof d->mac);
    n->mtu = d->mtu;
    n->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP;
    n->output = etharp_output;
    n->linkoutput = send_frame;
    netif_set_hostname(n, "whelk");
    return ERR_OK;
}

static unsigned mask_bits(u32 mask) {
    unsigned n = 0;
    for (; mask; mask <<= 1) n++;
    return n;
}

static void show(const struct netif *n) {
    const struct netdev *d = n->state;
    u32 a = ip_host(&n->ip_addr), g = ip_host(&n->gw), s = ip_host(dns_getserver(0));
    unsigned bits = mask_bits(ip_host(&n->netmask));
    log_info("%s: %u.%u.%u.%u/%u, gateway %u.%u.%u.%u, dns %u.%u.%u.%u", d->name, a >> 24, a >> 16 & 255,
             a >> 8 & 255, a & 255, bits, g >> 24, g >> 16 & 255, g >> 8 & 255, g & 255, s >> 24,
             s >> 16 & 255, s >> 8 & 255, s & 255);
}

static void on_status(struct netif *n) {
    if (ip_addr_isany(&n->ip_addr)) return;
    show(n);
    net_changed();
}

static void give_address(struct netif *n, const struct net_options *o, bool first) {
    if (!first || o->mode == NET_ADDRESS_DHCP) {
        if (dhcp_start(n)) log_error("%s: DHCP does not start", ((struct netdev *)n->state)->name);
        return;
    }
    ip_addr_t dns = ip_of(o->dns), a = ip_of(o->address), mask = ip_of(o->mask), gw = ip_of(o->gateway);
    dns_setserver(0, &dns);
    netif_set_addr(n, &a, &mask, &gw);
}

void netif_start_all(void) {
    struct net_options o;
    net_options(&o);
    if (o.mode == NET_ADDRESS_OFF) return;
    bool first = true;
    LIST_EACH(it, &netdevs) {
        struct netdev *d = LIST_ENTRY(it, struct netdev, node);
        struct netif *n = kzalloc(sizeof *n);
        if (!n) return log_error("%s: out of memory", d->name);
        if (!netif_add(n, NULL, NULL, NULL, d, set_up, ethernet_input)) return;
        d->stack = n;
        d->arrived = link_arrived, d->deliver = link_rx, d->wake = net_wake;
        netif_set_status_callback(n, on_status);
        if (first) netif_set_default(n);
        netif_set_up(n);
        give_address(n, &o, first);
        first = false;
    }
}

void netif_poll_devices(void) {
    LIST_EACH(it, &netdevs) {
        struct netdev *d = LIST_ENTRY(it, struct netdev, node);
        if (d->stack && d->poll(d, POLL_BUDGET) == POLL_BUDGET) net_wake();
    }
    netif_poll_all();
}

bool netif_owns(u32 ip) {
    const struct netif *n;
    NETIF_FOREACH(n) {
        if (ip_host(&n->ip_addr) == ip) return true;
    }
    return false;
}

void net_config(struct net_config *out) {
    *out = (struct net_config){0};
    struct netif *n = netif_default;
    if (!n) return;
    memcpy(out->mac, n->hwaddr, sizeof out->mac);
    out->address = ip_host(&n->ip_addr);
    out->mask = ip_host(&n->netmask);
    out->gateway = ip_host(&n->gw);
    out->dns = ip_host(dns_getserver(0));
    out->up = out->address != 0;
    out->dynamic = dhcp_supplied_address(n);
}
