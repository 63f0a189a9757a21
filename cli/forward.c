#include "cli/forward.h"

#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

static bool port_ok(const char *p, const char *end, u16 *out) {
    char *stop;
    unsigned long n = strtoul(p, &stop, 10);
    *out = (u16)n;
    return p != end && stop == end && *p >= '0' && *p <= '9' && n >= 1 && n <= 65535;
}

bool forward_parse(const char *spec, struct forward *out) {
    const char *slash = strchr(spec, '/'), *end = slash ? slash : spec + strlen(spec);
    const char *guest = memrchr(spec, ':', (size_t)(end - spec));
    const char *host = guest ? memrchr(spec, ':', (size_t)(guest - spec)) : NULL;
    const char *number = host ? host + 1 : spec;
    size_t n = host ? (size_t)(host - spec) : 0;
    bool udp = slash && !strcmp(slash, "/udp");
    struct forward f = {.address = "127.0.0.1", .udp = udp};
    if (!guest || !port_ok(guest + 1, end, &f.guest) || !port_ok(number, guest, &f.host) ||
        (slash && !udp && strcmp(slash, "/tcp")) || n >= sizeof(f.address) || strchr(spec, ',')) {
        usage("-p %s: write [ADDRESS:]HOST:GUEST[/udp], as in 8080:80", spec);
        return false;
    }
    if (host) memcpy(f.address, spec, n), f.address[n] = 0;
    *out = f;
    return true;
}
