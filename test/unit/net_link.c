/* net/link and net/options: the order of tap, verdict and device; addresses. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kern/bootinfo.h"
#include "kern/log.h"
#include "net/link.h"
#include "net/netif.h"
#include "net/options.h"
#include "test/lib/test.h"

static char order[64];
static u32 rx_verdict, tx_verdict, grow;
static bool refuse;

static void note(char c) {
    size_t n = strlen(order);
    if (n + 1 < sizeof order) order[n] = c, order[n + 1] = 0;
}

void netif_receive(const struct frame *f) { note('S'); }
static bool transmit(struct netdev *d, const struct frame *f) {
    if (!refuse) note('D');
    return !refuse;
}
static void collect(struct netdev *d) { note('c'); }
static u32 poll(struct netdev *d, u32 budget) { return 0; }
static void tap(const struct frame *f, enum link_direction d) { note(d == LINK_IN ? '<' : '>'); }
static u32 rx(struct frame *f) {
    note('r');
    f->length += grow;
    return rx_verdict;
}
static u32 tx(struct frame *f) {
    note('t');
    f->length += grow;
    return tx_verdict;
}

static struct netdev dev = {.transmit = transmit, .collect = collect, .poll = poll};
static u8 data[100];

static const char *in(u32 verdict) {
    struct frame f = {data, 60, sizeof data, &dev, 0};
    order[0] = 0;
    rx_verdict = verdict;
    link_arrived(&f);
    link_rx(&f);
    return order;
}

static const char *out(u32 verdict) {
    struct frame f = {data, 60, sizeof data, &dev, 0};
    order[0] = 0;
    tx_verdict = verdict;
    link_tx(&f);
    return order;
}

static void verdicts(void) {
    EQUAL_TEXT(in(LINK_PASS), "S"); /* no hooks: passes */
    link_hooks = (struct link_hooks){rx, tx, tap};
    EQUAL_TEXT(in(LINK_PASS), "<rS");
    EQUAL_TEXT(in(LINK_DROP), "<r");
    EQUAL_TEXT(in(LINK_TX), "<rcD>");
    EQUAL_TEXT(in(77), "<rS");
    EQUAL_TEXT(out(LINK_PASS), "tcD>");
    EQUAL_TEXT(out(LINK_DROP), "t");
    refuse = true;
    EQUAL_TEXT(out(LINK_PASS), "tc"); /* not on the wire: not tapped */
    EQUAL_TEXT(in(LINK_TX), "<rc");
    refuse = false;
    grow = 41; /* longer than its buffer */
    EQUAL_TEXT(in(LINK_PASS), "<r");
    EQUAL_TEXT(out(LINK_PASS), "t");
    grow = 0;
    EQUAL(link_stats.rx_dropped, 2);
    EQUAL(link_stats.tx_dropped, 2);
    EQUAL(link_stats.tx_bounced, 1);
}

static char said[8192];
static void say(const char *format, ...) {
    va_list args;
    size_t n = strlen(said);
    va_start(args, format);
    vsnprintf(said + n, sizeof said - n, format, args);
    va_end(args);
}

/* What a panic says of the last frames: 16 of them, 64 bytes of each. */
static void report(void) {
    link_hooks = (struct link_hooks){NULL, NULL, NULL};
    for (u32 i = 1; i <= 20; i++) {
        struct frame f = {data, i + 50, sizeof data, &dev, i == 20 ? 1002003000 : 0};
        data[0] = (u8)i;
        link_arrived(&f);
    }
    link_report(say);
    CHECK(!strstr(said, " 54 bytes") && strstr(said, " 55 bytes")); /* the fifth to the twentieth */
    const char *last = strstr(said, "in, 70 bytes, [  1.002003]\n0000  14 00 ");
    CHECK(last && strstr(last, "\n0030  ") && !strstr(last, "\n0040")); /* cut at 64 */
    CHECK(strstr(said, "in, 60 bytes\n0000  0a 00 "));
}

static void good(const char *text, struct net_options want) {
    struct net_options o;
    EQUAL(net_options_parse(text, &o), ERR_OK);
    EQUAL(o.mode, want.mode);
    EQUAL(o.address, want.address);
    EQUAL(o.mask, want.mask);
    EQUAL(o.gateway, want.gateway);
    EQUAL(o.dns, want.dns);
}

static void addresses(void) {
    static const char *bad[] = {"", "10.0.2.15", "10.0.2/24", "10.0.2.256/24", "10.0.2.15/33", "10.0.2.15/0", "0.0.0.0/8",
                                "10.0.2.15/24,", "10.0.2.15/24,gw=", "10.0.2.15/24,gw=1.2.3", "10.0.2.15/24;gw=1.2.3.4",
                                "10.0.2.15/24,mtu=3", "on", "offf", "10.0.2.15/24,gw=1.2.3.4x", "99999999999.0.0.1/8"};
    good("off", (struct net_options){.mode = NET_ADDRESS_OFF});
    good("dhcp", (struct net_options){.mode = NET_ADDRESS_DHCP});
    good("10.0.2.15/24", (struct net_options){NET_ADDRESS_STATIC, 0x0a00020f, 0xffffff00, 0, 0});
    good("192.168.1.9/30,dns=8.8.4.4,gw=192.168.1.10",
         (struct net_options){NET_ADDRESS_STATIC, 0xc0a80109, 0xfffffffc, 0xc0a8010a, 0x08080404});
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct net_options o = {.dns = 7};
        EQUAL(net_options_parse(bad[i], &o), ERR_MALFORMED);
        EQUAL(o.dns, 7); /* unchanged */
    }
}

bool option(const char *key, char *text, u32 cap) { return false; }
void log_line(enum log_level level, const char *format, ...) {}

int main(void) {
    verdicts();
    report();
    addresses();
    return test_end("net_link");
}
