/* net_host.h: net/ in a host process. */
#ifndef WHELK_TEST_FUZZ_NET_HOST_H
#define WHELK_TEST_FUZZ_NET_HOST_H

#include "base/types.h"

extern u64 net_host_now; /* time_mono_ns */
extern void (*net_host_sleeps)(void); /* while the one thread sleeps; may be NULL */

#endif
