/* call_system.c: what the system says of itself. One user: root. */
#include "base/mem.h"
#include "kern/heap.h"
#include "kern/page.h"
#include "kern/random.h"
#include "kern/time.h"
#include "sys/calls.h"

i64 call_uname(const struct call *c) {
    /* The release says which Linux interface programs may expect. */
    static const struct {
        char system[65], node[65], release[65], version[65], machine[65], domain[65];
    } name = {"Linux", "whelk", "5.15.0-whelk", "Whelk", "x86_64", "(none)"};
    return user_write(c->a[0], &name, sizeof name) ? 0 : -LINUX_EFAULT;
}

i64 call_sysinfo(const struct call *c) {
    struct {
        i64 uptime;
        u64 loads[3], total, free, shared, buffer, swap_total, swap_free;
        u16 processes, pad;
        u32 pad2;
        u64 high_total, high_free;
        u32 unit, pad3;
    } info = {.uptime = (i64)(time_mono_ns() / 1000000000), .total = pages_total(), .free = pages_free(),
              .processes = (u16)process.task_count, .unit = PAGE_SIZE};
    return user_write(c->a[0], &info, sizeof info - 0) ? 0 : -LINUX_EFAULT;
}

i64 call_getrandom(const struct call *c) {
    enum { NONBLOCK = 1, RANDOM = 2, INSECURE = 4, STEP = 256 };
    u8 bytes[STEP];
    u64 n = MIN(c->a[1], (u64)INT32_MAX), done = 0;
    if (c->a[2] & ~(u64)(NONBLOCK | RANDOM | INSECURE) || (c->a[2] & RANDOM && c->a[2] & INSECURE)) return -LINUX_EINVAL;
    if ((c->a[2] & NONBLOCK) && !random_ready()) return -LINUX_EAGAIN;
    while (done < n) {
        size_t part = (size_t)MIN(n - done, (u64)STEP);
        random_bytes(bytes, part);
        if (!user_write(c->a[0] + done, bytes, part)) return done ? (i64)done : -LINUX_EFAULT;
        done += part;
    }
    return (i64)done;
}

/* What is really bounded here; all else has no bound. */
static void limit_of(u64 which, u64 out[2]) {
    enum { STACK = 3, CORE = 4, NOFILE = 7 };
    out[0] = out[1] = UINT64_MAX;
    if (which == STACK) out[0] = out[1] = 8 << 20;
    if (which == CORE) out[0] = out[1] = 0;
    if (which == NOFILE) out[0] = out[1] = FD_MAX;
}

enum { LIMITS = 16 };

i64 call_getrlimit(const struct call *c) {
    u64 limit[2];
    if (c->a[0] >= LIMITS) return -LINUX_EINVAL;
    limit_of(c->a[0], limit);
    return user_write(c->a[1], limit, sizeof limit) ? 0 : -LINUX_EFAULT;
}

/* A new limit is accepted only if it changes nothing. */
i64 call_prlimit64(const struct call *c) {
    u64 limit[2], wanted[2];
    if (c->a[0] > 1) return -LINUX_ESRCH;
    if (c->a[1] >= LIMITS) return -LINUX_EINVAL;
    limit_of(c->a[1], limit);
    if (c->a[2] && !user_read(wanted, c->a[2], sizeof wanted)) return -LINUX_EFAULT;
    if (c->a[2] && (wanted[0] != limit[0] || wanted[1] != limit[1])) {
        refuse_once("a change of resource limit", c->a[1]);
        return -LINUX_EPERM;
    }
    return !c->a[3] || user_write(c->a[3], limit, sizeof limit) ? 0 : -LINUX_EFAULT;
}

i64 call_getrusage(const struct call *c) {
    u64 usage[18] = {0}, ns = thread_cpu_ns(thread_current());
    if ((i32)c->a[0] != 0 && (i32)c->a[0] != 1 && (i32)c->a[0] != -1) return -LINUX_EINVAL;
    usage[0] = ns / 1000000000;
    usage[1] = ns % 1000000000 / 1000;
    return user_write(c->a[1], usage, sizeof usage) ? 0 : -LINUX_EFAULT;
}

i64 call_getuid(const struct call *c) { return 0; }
i64 call_getgid(const struct call *c) { return 0; }
i64 call_geteuid(const struct call *c) { return 0; }
i64 call_getegid(const struct call *c) { return 0; }
i64 call_getgroups(const struct call *c) { return 0; }
i64 call_getpgrp(const struct call *c) { return 1; }
i64 call_getpgid(const struct call *c) { return c->a[0] > 1 ? -LINUX_ESRCH : 1; }
i64 call_getsid(const struct call *c) { return c->a[0] > 1 ? -LINUX_ESRCH : 1; }
i64 call_setsid(const struct call *c) { return -LINUX_EPERM; } /* process 1 leads its group already */
