/* options.h: the network's part of the command line. */
#ifndef WHELK_NET_OPTIONS_H
#define WHELK_NET_OPTIONS_H

#include "base/err.h"
#include "base/types.h"

enum net_address_mode { NET_ADDRESS_DHCP, NET_ADDRESS_STATIC, NET_ADDRESS_OFF };

struct net_options {
    enum net_address_mode mode;
    u32 address, mask, gateway, dns; /* host byte order; 0: none */
};

/* "10.0.2.15/24[,gw=A][,dns=A]", "dhcp" or "off". ERR_MALFORMED: *out is unchanged. */
enum err net_options_parse(const char *text, struct net_options *out);
/* From ip= on the command line; DHCP when it is absent or malformed (logged). */
void net_options(struct net_options *out);

#endif
