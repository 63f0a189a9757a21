/* futex.c: waiting on a word of memory (futex(2)).
 *
 * I1 the word is compared and the waiter enqueued under the same lock that a
 *    waker takes: no wake is lost.
 * I2 a waiter is in a bucket exactly while it is not woken; it takes the lock
 *    before it leaves, so a waker never touches a frame that is gone.
 * There is one address space: private and shared futexes are the same. */
#include "base/assert.h"
#include "kern/time.h"
#include "sys/calls.h"

enum { BUCKETS = 64 };

struct sleeper {
    struct list node;
    u64 address;
    u32 bitset;
    bool woken;
    struct waitq queue;
};

static struct mutex lock = MUTEX_INIT(lock);
static struct list buckets[BUCKETS]; /* under lock */

static struct list *bucket(u64 address) {
    struct list *b = &buckets[(address >> 2) % BUCKETS];
    if (!b->next) list_init(b);
    return b;
}

static u32 wake_locked(u64 address, u32 count, u32 bitset) {
    u32 woken = 0;
    LIST_EACH(it, bucket(address)) {
        struct sleeper *s = LIST_ENTRY(it, struct sleeper, node);
        if (woken == count) break;
        if (s->address != address || !(s->bitset & bitset)) continue;
        list_remove(&s->node);
        s->woken = true;
        wait_wake_all(&s->queue);
        woken++;
    }
    return woken;
}

static i64 wake(u64 address, u32 count, u32 bitset) {
    mutex_lock(&lock);
    u32 n = wake_locked(address, count, bitset);
    mutex_unlock(&lock);
    return n;
}

i64 futex_wake_address(u64 address, u32 count) { return wake(address, count, UINT32_MAX); }

/* Sleeps until woken; why it came back. */
static i64 sleep(struct sleeper *s, u64 deadline) {
    i64 why = 0;
    while (!s->woken && !why) {
        struct waiter w;
        wait_begin(&s->queue, &w);
        if (!s->woken && !wait_block(deadline)) why = -LINUX_ETIMEDOUT;
        else if (!s->woken && signal_waiting()) why = -LINUX_EINTR;
        wait_end(&w);
    }
    mutex_lock(&lock);
    bool woken = s->woken;
    if (!woken) list_remove(&s->node);
    mutex_unlock(&lock);
    return woken ? 0 : why;
}

static i64 wait(u64 address, u32 expected, u32 bitset, u64 deadline) {
    u32 now;
    struct sleeper s = {.address = address, .bitset = bitset};
    waitq_init(&s.queue);
    list_init(&s.node);
    mutex_lock(&lock);
    i64 r = !user_read(&now, address, 4) ? -LINUX_EFAULT : now != expected ? -LINUX_EAGAIN : 0;
    if (r == 0) list_push_back(bucket(address), &s.node);
    mutex_unlock(&lock);
    return r < 0 ? r : sleep(&s, deadline);
}

static void move_locked(u64 from, u64 to, u32 count) {
    struct list moved = LIST_INIT(moved);
    LIST_EACH(it, bucket(from)) {
        struct sleeper *s = LIST_ENTRY(it, struct sleeper, node);
        if (!count) break;
        if (s->address != from) continue;
        list_remove(&s->node);
        list_push_back(&moved, &s->node);
        s->address = to;
        count--;
    }
    for (struct list *n; (n = list_pop_front(&moved));) list_push_back(bucket(to), n);
}

static u32 count_at(u64 address) {
    u32 n = 0;
    LIST_EACH(it, bucket(address)) n += LIST_ENTRY(it, struct sleeper, node)->address == address;
    return n;
}

static i64 requeue(u64 from, u64 to, u32 wakes, u32 moves, const u32 *expected) {
    u32 now;
    mutex_lock(&lock);
    i64 r = 0;
    if (to % 4) r = -LINUX_EINVAL;
    else if (!user_read(&now, to, 4) || (expected && !user_read(&now, from, 4))) r = -LINUX_EFAULT;
    else if (expected && now != *expected) r = -LINUX_EAGAIN;
    if (r == 0) {
        r = wake_locked(from, wakes, UINT32_MAX);
        r += MIN(count_at(from), moves);
        move_locked(from, to, moves);
    }
    mutex_unlock(&lock);
    return r;
}

enum futex_op {
    OP_WAIT = 0, OP_WAKE = 1, OP_REQUEUE = 3, OP_CMP_REQUEUE = 4, OP_WAIT_BITSET = 9, OP_WAKE_BITSET = 10,
    OP_PRIVATE = 128, OP_REALTIME = 256,
};

/* WAIT: relative. WAIT_BITSET: absolute, on the clock that the flag names. */
static i64 deadline_of(u64 op, u64 user, u64 *deadline) {
    u64 ns;
    if ((op & 127) == OP_WAIT || !user) return deadline_read(user, deadline);
    i64 r = timespec_read(user, &ns);
    if (r < 0) return r;
    if (op & OP_REALTIME) {
        u64 wall = time_wall_ns();
        ns = deadline_after(ns > wall ? ns - wall : 0);
    }
    *deadline = ns;
    return 0;
}

i64 call_futex(const struct call *c) {
    u64 address = c->a[0], op = (u32)c->a[1], deadline;
    u32 value = (u32)c->a[2], expected = (u32)c->a[5];
    u64 kind = op & ~(u64)(OP_PRIVATE | OP_REALTIME);
    bool moves = kind == OP_REQUEUE || kind == OP_CMP_REQUEUE;
    bool known = moves || kind == OP_WAIT || kind == OP_WAKE || kind == OP_WAIT_BITSET || kind == OP_WAKE_BITSET;
    bool waits = kind == OP_WAIT || kind == OP_WAIT_BITSET;
    if (known && !waits && address % 4) return -LINUX_EINVAL;
    if (moves && ((i32)value < 0 || (i32)c->a[3] < 0)) return -LINUX_EINVAL;
    switch (kind) {
    case OP_WAIT:
    case OP_WAIT_BITSET: {
        u32 bitset = kind == OP_WAIT ? UINT32_MAX : (u32)c->a[5];
        i64 r = bitset ? deadline_of(op, c->a[3], &deadline) : -LINUX_EINVAL;
        if (r >= 0 && address % 4) r = -LINUX_EINVAL;
        return r < 0 ? r : wait(address, value, bitset, deadline);
    }
    case OP_WAKE: return wake(address, value, UINT32_MAX);
    case OP_WAKE_BITSET: return c->a[5] ? wake(address, value, (u32)c->a[5]) : -LINUX_EINVAL;
    case OP_REQUEUE: return requeue(address, c->a[4], value, (u32)c->a[3], NULL);
    case OP_CMP_REQUEUE: return requeue(address, c->a[4], value, (u32)c->a[3], &expected);
    default:
        refuse_once("futex operation", kind);
        return -LINUX_ENOSYS;
    }
}
