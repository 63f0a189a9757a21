/* sockets.h: the network's sockets, and waiting, as WASI programs see them. */
#ifndef WHELK_INIT_SOCKETS_H
#define WHELK_INIT_SOCKETS_H

#include "wasi/wasi.h"

/* Sets accept, recv, send, shutdown and poll of h. All may block. */
void sockets_wasi(struct wasi_host *h);
/* A socket that listens on a TCP port of every address; negated errno. */
i64 sockets_listen(u32 port, void **listener);

#endif
