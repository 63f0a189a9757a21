/* options.c: ip=... parsed on a copy, given out whole. */
#include "net/options.h"

#include "base/mem.h"
#include "kern/bootinfo.h"
#include "kern/log.h"

/* Decimal of at most max; *p moves behind it. */
static bool number(const char **p, u32 max, u32 *out) {
    const char *s = *p;
    u32 v = 0;
    if (*s < '0' || *s > '9') return false;
    for (; *s >= '0' && *s <= '9'; s++)
        if ((v = v * 10 + (u32)(*s - '0')) > max) return false;
    *p = s;
    *out = v;
    return true;
}

static bool address(const char **p, u32 *out) {
    u32 a = 0, part;
    for (u32 i = 0; i < 4; i++) {
        if (i && *(*p)++ != '.') return false;
        if (!number(p, 255, &part)) return false;
        a = a << 8 | part;
    }
    *out = a;
    return true;
}

static bool word(const char **p, const char *w) {
    size_t n = strlen(w);
    if (strncmp(*p, w, n)) return false;
    *p += n;
    return true;
}

enum err net_options_parse(const char *text, struct net_options *out) {
    struct net_options o = {.mode = NET_ADDRESS_STATIC};
    const char *p = text;
    u32 bits;
    if (!strcmp(p, "off") || !strcmp(p, "dhcp")) {
        *out = (struct net_options){.mode = *p == 'o' ? NET_ADDRESS_OFF : NET_ADDRESS_DHCP};
        return ERR_OK;
    }
    if (!address(&p, &o.address) || !o.address || *p++ != '/') return ERR_MALFORMED;
    if (!number(&p, 32, &bits) || !bits) return ERR_MALFORMED;
    o.mask = ~0u << (32 - bits);
    while (*p) {
        if (word(&p, ",gw=")) {
            if (!address(&p, &o.gateway)) return ERR_MALFORMED;
        } else if (word(&p, ",dns=")) {
            if (!address(&p, &o.dns)) return ERR_MALFORMED;
        } else {
            return ERR_MALFORMED;
        }
    }
    *out = o;
    return ERR_OK;
}

void net_options(struct net_options *out) {
    char text[128];
    *out = (struct net_options){.mode = NET_ADDRESS_DHCP};
    if (option("ip=", text, sizeof text) && net_options_parse(text, out))
        log_error("ip=%s: not ADDRESS/BITS[,gw=ADDRESS][,dns=ADDRESS], dhcp or off; DHCP is used", text);
}
