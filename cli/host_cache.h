/* host_cache.h: a directory that keeps compiled code (struct rt_cache), a file for each
 * module, and never more than so many bytes.
 *
 * Threads and processes may share a directory: files are complete before they have their
 * name. Nothing that goes wrong with it is an error: then code is compiled. */
#ifndef WHELK_CLI_HOST_CACHE_H
#define WHELK_CLI_HOST_CACHE_H

#include "rt/rt.h"

/* Those that were used longest ago go when there are more bytes. */
#define HOST_CACHE_LIMIT (256ull << 20)

struct host_cache {
    struct rt_cache cache; /* for struct rt_host */
    int dir;               /* of the files */
    u64 limit;
};

/* False: there is no such directory and it cannot be made. */
bool host_cache_open(struct host_cache *c, const char *dir, u64 limit);
/* In $XDG_CACHE_HOME/whelk, or $HOME/.cache/whelk. */
bool host_cache_open_default(struct host_cache *c);
void host_cache_close(struct host_cache *c);

#endif
