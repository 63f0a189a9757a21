/* net.c: the list of network devices. */
#include "dev/net.h"

#include "base/assert.h"

struct list netdevs = LIST_INIT(netdevs);
static u32 count;

void netdev_add(struct netdev *d) {
    assert(d->transmit && d->collect && d->poll);
    assert(count < 8);
    d->name[0] = 'e', d->name[1] = 't', d->name[2] = 'h', d->name[3] = (char)('0' + count);
    d->name[4] = 0;
    d->index = ++count;
    list_push_back(&netdevs, &d->node);
}
