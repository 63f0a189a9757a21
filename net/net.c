/* net.c: the network thread, lwIP's one owner.
 *
 * I1 lwIP's functions are called from the network thread only: from its loop,
 *    its callbacks, and requests that others queue by net_run.
 * I2 a request lives on its caller's stack; it is not touched after done was
 *    set and the lock released.
 * I3 the loop sleeps only when there is no work: whoever makes work sets
 *    `work` first and wakes then. */
#include "base/assert.h"
#include "kern/log.h"
#include "kern/panic.h"
#include "kern/thread.h"
#include "kern/time.h"
#include "kern/wait.h"
#include "net/glue.h"
#include "net/link.h"
#include "net/sock.h"

#define ERR_OK LWIP_ERR_OK
#include "lwip/priv/memp_priv.h"
#include "lwip/stats.h"
#include "lwip/timeouts.h"
#undef ERR_OK

struct request {
    struct list node;
    i64 (*fn)(void *);
    void *arg;
    i64 result;
    bool done;
    struct waitq wait;
};

#define FINISH_STEP_NS 3000000000ull /* as net.h says */
#define FINISH_NS 30000000000ull

static struct thread *owner;
static bool work;
static struct waitq idle = WAITQ_INIT(idle);     /* the network thread sleeps here */
static struct waitq changed = WAITQ_INIT(changed); /* net_wait_up */
static struct spin requests_lock;
/* under requests_lock */ static struct list requests = LIST_INIT(requests);

void net_wake(void) {
    __atomic_store_n(&work, true, __ATOMIC_SEQ_CST);
    wait_wake_one(&idle);
}

void net_changed(void) { wait_wake_all(&changed); }

i64 net_run(i64 (*fn)(void *), void *arg) {
    if (!owner || thread_current() == owner) return owner ? fn(arg) : -NET_ENETDOWN;
    struct request r = {.fn = fn, .arg = arg};
    waitq_init(&r.wait);
    u64 flags = spin_lock(&requests_lock);
    list_push_back(&requests, &r.node);
    spin_unlock(&requests_lock, flags);
    net_wake();
    /* Not to be interrupted: it ends soon, and r must outlive it. An
     * interrupted thread's wait_block returns at once: let others run. */
    while (!__atomic_load_n(&r.done, __ATOMIC_ACQUIRE))
        if (!wait_event(&r.wait, __atomic_load_n(&r.done, __ATOMIC_ACQUIRE), WAIT_FOREVER)) thread_yield();
    flags = spin_lock(&requests_lock); /* I2: complete() has let go */
    spin_unlock(&requests_lock, flags);
    return r.result;
}

static struct request *next_request(void) {
    u64 flags = spin_lock(&requests_lock);
    struct list *node = list_pop_front(&requests);
    spin_unlock(&requests_lock, flags);
    return node ? LIST_ENTRY(node, struct request, node) : NULL;
}

static void complete(struct request *r, i64 result) {
    u64 flags = spin_lock(&requests_lock);
    assert(!r->done);
    r->result = result;
    __atomic_store_n(&r->done, true, __ATOMIC_RELEASE);
    wait_wake_all(&r->wait);
    spin_unlock(&requests_lock, flags);
}

static void run_requests(void) {
    for (struct request *r; (r = next_request());) complete(r, r->fn(r->arg));
}

/* The order matters: a close (left in the sockets) takes effect before a bind
 * (a request) that came after it. */
void net_work_once(void) {
    __atomic_store_n(&work, false, __ATOMIC_SEQ_CST);
    sockets_flush();
    run_requests();
    netif_poll_devices();
    sockets_flush();
    sys_check_timeouts();
}

static void net_thread(void *arg) {
    for (;;) {
        net_work_once();
        u32 ms = sys_timeouts_sleeptime();
        u64 deadline = ms == SYS_TIMEOUTS_SLEEPTIME_INFINITE ? WAIT_FOREVER
                                                             : time_mono_ns() + (u64)ms * 1000000;
        wait_event(&idle, __atomic_load_n(&work, __ATOMIC_SEQ_CST), deadline);
    }
}

static i64 start(void *arg) {
    netif_start_all();
    return 0;
}

void net_init(void) {
    assert(!owner);
    struct thread *t;
    lwip_init();
    if (thread_prepare("net", net_thread, NULL, &t)) {
        log_error("network: out of memory");
        return;
    }
    owner = t;
    thread_start(t);
    net_run(start, NULL);
}

static bool is_up(void) {
    struct net_config c;
    net_config(&c);
    return c.up;
}

bool net_wait_up(u64 deadline) {
    if (!netif_default) return false;
    return wait_event(&changed, is_up(), deadline);
}

static i64 finish(void *arg) { return (i64)tcp_sock_finish(); }

void net_finish(void) {
    u64 now = time_mono_ns(), end = now + FINISH_NS, patience = now + FINISH_STEP_NS;
    i64 least = INT64_MAX, left;
    if (!owner) return;
    while ((left = net_run(finish, NULL)) > 0 && now < MIN(end, patience)) {
        if (left < least) least = left, patience = now + FINISH_STEP_NS;
        thread_sleep_until(now + 1000000);
        now = time_mono_ns();
    }
    if (left > 0) log_warn("network: %llu bytes that the program sent were not taken by their peers, and are lost", (unsigned long long)left);
}

static u32 used(memp_t pool) { return (u32)memp_pools[pool]->stats->used; }

void net_stats(struct net_stats *out) {
    *out = (struct net_stats){
        .rx_dropped = link_stats.rx_dropped,
        .tx_dropped = link_stats.tx_dropped,
        .no_memory = netif_no_memory(),
        .tcp_pcbs = used(MEMP_TCP_PCB),
        .pbufs_used = used(MEMP_PBUF_POOL) + used(MEMP_PBUF),
    };
    LIST_EACH(it, &netdevs) {
        const struct netdev_stats *s = &LIST_ENTRY(it, struct netdev, node)->stats;
        out->rx_frames += s->rx_frames, out->rx_bytes += s->rx_bytes;
        out->tx_frames += s->tx_frames, out->tx_bytes += s->tx_bytes;
        out->device_errors += s->rx_errors + s->tx_dropped;
    }
    sockets_count(out);
}
