/* inject.c, for test/e2e/soak: frames that no network between would carry.
 *
 * A datagram for port 11 holds a frame from its Ethernet type on: it takes the place of the
 * frame that brought it, so that the stack sees any bytes at all. One for port 7 goes back
 * (UDP echo). `whelk call` answers with three u32: frames injected, datagrams that went back,
 * ICMP echo replies that the stack sent. */
#include <whelk.h>

WHELK_MODULE

enum { TYPE = 12, IP = 14, PROTOCOL = 23, FROM = 26, UDP = 34, PAYLOAD = 42, FRAME = 1514, IPV4 = 0x0800 };

static struct {
    whelk_u32 injected, echoed, replies;
} count;

/* Exchanges n bytes at `at` with the n behind them. No checksum notices. */
static void swap(whelk_u32 at, whelk_u32 n) {
    whelk_u8 a[6], b[6];
    whelk_bytes(at, a, n);
    whelk_bytes(at + n, b, n);
    whelk_store(at, b, n);
    whelk_store(at + n, a, n);
}

WHELK_NET_RX {
    static whelk_u8 bytes[FRAME];
    (void)interface;
    if (whelk_load16(TYPE) != IPV4 || whelk_load8(IP) != 0x45 || whelk_load8(PROTOCOL) != 17) return WHELK_PASS;
    if (whelk_load16(UDP + 2) == 7) {
        swap(0, 6);
        swap(FROM, 4);
        swap(UDP, 2);
        count.echoed++;
        return WHELK_TX;
    }
    if (whelk_load16(UDP + 2) != 11 || length <= PAYLOAD || length > FRAME) return WHELK_PASS;
    whelk_u32 n = whelk_bytes(PAYLOAD, bytes, length - PAYLOAD);
    if (!whelk_store(TYPE, bytes, n)) count.injected++;
    return WHELK_PASS;
}

WHELK_NET_TX {
    (void)length, (void)interface;
    if (whelk_load16(TYPE) == IPV4 && whelk_load8(PROTOCOL) == 1 && whelk_load8(UDP) == 0) count.replies++;
    return WHELK_PASS;
}

WHELK_CTL_CALL {
    (void)length;
    return !whelk_reply(&count, sizeof count);
}
