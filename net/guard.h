/* guard.h: limits on connections that are not open yet. */
#ifndef WHELK_NET_GUARD_H
#define WHELK_NET_GUARD_H

/* lwIP counts a listener's half-open connections in its backlog: that one is
 * made larger by as many as guard.c lets wait. */
enum { HALF_OPEN_MAX = 96 };

#endif
