/* forward.h: ports of this host that lead into a guest: [ADDRESS:]HOST:GUEST[/udp]. */
#ifndef WHELK_CLI_FORWARD_H
#define WHELK_CLI_FORWARD_H

#include "base/types.h"

struct forward {
    char address[64]; /* of this host; 127.0.0.1 if none is given */
    u16 host, guest;
    bool udp;
};
/* false, and the word is named, if it is none. */
bool forward_parse(const char *spec, struct forward *out);

#endif
