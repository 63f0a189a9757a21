/* host_wasi.h: struct wasi_host on Linux. Paths are resolved with openat2 and
 * RESOLVE_BENEATH: neither ".." nor a link leads out of a preopened directory. */
#ifndef WHELK_CLI_HOST_WASI_H
#define WHELK_CLI_HOST_WASI_H

#include "wasi/wasi.h"

extern const struct wasi_host host_wasi;

/* A directory for wasi_config.preopens, or NULL (errno says why). */
void *host_wasi_dir(const char *path);

/* An open descriptor, for wasi_config.listeners. It is closed with the rest. */
void *host_wasi_file(int fd);

/* A stream on a descriptor of this process; it is not closed. */
struct wasi_stream host_wasi_stream(int fd);

#endif
