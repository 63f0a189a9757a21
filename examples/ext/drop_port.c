/* drop_port.c: drops IPv4 TCP and UDP that arrives for one port. The port is
 * set while it runs:  printf 8081 | whelk call -i - GUEST NAME  (0: drop nothing). */
#include "whelk.h"

WHELK_MODULE

enum { ETHERTYPE = 12, IP = 14, IP_FRAGMENT = 20, IP_PROTOCOL = 23, IPV4 = 0x0800, TCP = 6, UDP = 17 };

static whelk_u32 port = 9;
static whelk_u32 dropped;

WHELK_NET_RX {
    (void)length, (void)interface;
    if (!port || whelk_load16(ETHERTYPE) != IPV4) return WHELK_PASS;
    int protocol = whelk_load8(IP_PROTOCOL), header = (whelk_load8(IP) & 15) * 4;
    if (protocol != TCP && protocol != UDP) return WHELK_PASS;
    if (whelk_load16(IP_FRAGMENT) & 0x1fff) return WHELK_PASS; /* no ports in later fragments */
    if ((whelk_u32)whelk_load16(IP + header + 2) != port) return WHELK_PASS;
    dropped++;
    return WHELK_DROP;
}

/* Decimal digits to text; how many. */
static whelk_u32 digits(char *out, whelk_u32 v) {
    char reversed[10];
    whelk_u32 n = 0, i = 0;
    do reversed[n++] = (char)('0' + v % 10);
    while (v /= 10);
    for (; i < n; i++) out[i] = reversed[n - 1 - i];
    return n;
}

WHELK_CTL_CALL {
    char text[16];
    whelk_u32 value = 0, n = whelk_call_read(0, text, sizeof text);
    if (length > 5) return 1;
    for (whelk_u32 i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9') return 1;
        value = value * 10 + (whelk_u32)(text[i] - '0');
    }
    if (value > 65535) return 1;
    if (n) port = value;
    whelk_reply("port ", 5);
    whelk_reply(text, digits(text, port));
    whelk_reply(", dropped ", 10);
    whelk_reply(text, digits(text, dropped));
    whelk_reply("\n", 1);
    return 0;
}
