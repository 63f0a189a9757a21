/* cc.h: the compiler and the few services that lwIP asks its port for. */
#ifndef WHELK_NET_LWIP_CC_H
#define WHELK_NET_LWIP_CC_H

#include "base/assert.h"
#include "base/mem.h"
#include "base/types.h"

#define BYTE_ORDER LITTLE_ENDIAN
#define LWIP_NO_STDIO_H 1
#define LWIP_NO_STDDEF_H 0
#define LWIP_NO_INTTYPES_H 1
#define LWIP_NO_LIMITS_H 0
typedef long ssize_t;
#define LWIP_NO_UNISTD_H 1
#define LWIP_NO_CTYPE_H 1
#define LWIP_ERR_T signed char

#define X8_F "x"
#define U16_F "u"
#define S16_F "d"
#define X16_F "x"
#define U32_F "u"
#define S32_F "d"
#define X32_F "x"
#define SZT_F "zu"

/* An unpredictable number for ports, DNS and DHCP transactions (net/port.c). */
u32 net_random(void);
#define LWIP_RAND() net_random()
u32 net_isn(void);
#define LWIP_HOOK_TCP_ISN(local_ip, local_port, remote_ip, remote_port) net_isn()

/* net/guard.c: sees each IP packet first; 0: lwIP goes on with it. */
struct pbuf;
struct netif;
int net_ip_input(struct pbuf *p, struct netif *n);
#define LWIP_HOOK_IP4_INPUT(p, n) net_ip_input(p, n)
/* The same of each segment for a connection. */
struct tcp_pcb;
struct tcp_hdr;
int net_tcp_input(const struct tcp_pcb *pcb, const struct tcp_hdr *h);
#define LWIP_HOOK_TCP_INPACKET_PCB(pcb, h, optlen, opt1len, opt2, p) net_tcp_input(pcb, h)

void net_diag(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define LWIP_PLATFORM_DIAG(x) \
    do {                      \
        net_diag x;           \
    } while (0)
#define LWIP_PLATFORM_ASSERT(text) assert_fail(text, __FILE__, __LINE__)

#endif
