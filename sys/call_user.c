/* call_user.c: users, priorities and what else only the one user, root, could
 * change. What asks for what is so already succeeds; what would have to change
 * something that is not there is refused. */
#include "base/mem.h"
#include "sys/at.h"
#include "sys/calls.h"

#define CWD ((u64)(i64)AT_FDCWD)

static bool root_or_keep(u64 id) { return (u32)id == 0 || (u32)id == UINT32_MAX; }
static i64 only_root(u64 id) { return (u32)id == UINT32_MAX ? -LINUX_EINVAL : (u32)id == 0 ? 0 : -LINUX_EPERM; }
static i64 keep(bool ok) { return ok ? 0 : -LINUX_EPERM; }

i64 call_setuid(const struct call *c) { return only_root(c->a[0]); }
i64 call_setgid(const struct call *c) { return only_root(c->a[0]); }
i64 call_setreuid(const struct call *c) { return keep(root_or_keep(c->a[0]) && root_or_keep(c->a[1])); }
i64 call_setregid(const struct call *c) { return call_setreuid(c); }
i64 call_setresuid(const struct call *c) {
    return keep(root_or_keep(c->a[0]) && root_or_keep(c->a[1]) && root_or_keep(c->a[2]));
}
i64 call_setresgid(const struct call *c) { return call_setresuid(c); }
i64 call_setfsuid(const struct call *c) { return 0; } /* by definition: what it was */
i64 call_setfsgid(const struct call *c) { return 0; }

i64 call_getresuid(const struct call *c) {
    u32 id = 0;
    for (int i = 0; i < 3; i++)
        if (!user_write(c->a[i], &id, 4)) return -LINUX_EFAULT;
    return 0;
}
i64 call_getresgid(const struct call *c) { return call_getresuid(c); }

/* There are no groups to be in; an empty list is what is so. */
i64 call_setgroups(const struct call *c) {
    u32 group;
    if (c->a[0] > 65536) return -LINUX_EINVAL;
    for (u64 i = 0; i < c->a[0]; i++) {
        if (!user_read(&group, c->a[1] + 4 * i, 4)) return -LINUX_EFAULT;
        if (group) return -LINUX_EPERM;
    }
    return 0;
}

/* --- owners of files: all are root's --- */

static i64 own(u64 dirfd, u64 path, u64 owner, u64 group, u32 flags) {
    struct at at;
    struct file_stat s;
    i64 r = at_begin(&at, dirfd, path, flags);
    if (r < 0) return r;
    r = vfs_stat(at.v, &s);
    at_end(&at);
    return r < 0 ? r : keep(root_or_keep(owner) && root_or_keep(group));
}
i64 call_chown(const struct call *c) { return own(CWD, c->a[0], c->a[1], c->a[2], 0); }
i64 call_lchown(const struct call *c) { return own(CWD, c->a[0], c->a[1], c->a[2], AT_SYMLINK_NOFOLLOW); }
i64 call_fchownat(const struct call *c) {
    if (c->a[4] & ~(u64)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) return -LINUX_EINVAL;
    return own(c->a[0], c->a[1], c->a[2], c->a[3], (u32)c->a[4]);
}
i64 call_fchown(const struct call *c) {
    struct file *f = fd_file(c->a[0]);
    if (!f) return -LINUX_EBADF;
    bool named = f->inode || !strcmp(f->ops->kind, "pipe") || !strcmp(f->ops->kind, "socket");
    file_put(f);
    if (!named) return -LINUX_EOPNOTSUPP;
    return keep(root_or_keep(c->a[1]) && root_or_keep(c->a[2]));
}

/* --- scheduling: one policy, one priority --- */

enum { POLICY_OTHER = 0, POLICY_FIFO = 1, POLICY_RR = 2, POLICY_BATCH = 3, POLICY_IDLE = 5, POLICY_DEADLINE = 6, POLICY_EXT = 7 };

static bool policy_ok(u64 policy) { return policy <= POLICY_BATCH || policy == POLICY_IDLE || policy == POLICY_DEADLINE || policy == POLICY_EXT; }

static i64 task_there(u64 tid) {
    bool found = !tid;
    if ((i32)tid < 0) return -LINUX_EINVAL;
    mutex_lock(&process.lock);
    LIST_EACH(it, &process.tasks) found |= LIST_ENTRY(it, struct task, node)->tid == tid || tid == 1;
    mutex_unlock(&process.lock);
    return found ? 0 : -LINUX_ESRCH;
}

i64 call_sched_getscheduler(const struct call *c) { return task_there(c->a[0]); } /* POLICY_OTHER is 0 */
i64 call_sched_getparam(const struct call *c) {
    i32 priority = 0;
    if (!c->a[1]) return -LINUX_EINVAL;
    i64 r = task_there(c->a[0]);
    return r < 0 ? r : user_write(c->a[1], &priority, 4) ? 0 : -LINUX_EFAULT;
}

static i64 set_policy(u64 tid, u64 policy, u64 user) {
    i32 priority;
    if (!user || (i32)policy < 0 || (i32)tid < 0) return -LINUX_EINVAL;
    if (!user_read(&priority, user, 4)) return -LINUX_EFAULT;
    i64 r = task_there(tid);
    if (r < 0) return r;
    bool real_time = policy == POLICY_FIFO || policy == POLICY_RR;
    if (!policy_ok(policy) || policy >= POLICY_DEADLINE || real_time != (priority >= 1 && priority <= 99)) return -LINUX_EINVAL;
    if (!real_time && priority) return -LINUX_EINVAL;
    return keep(policy == POLICY_OTHER);
}
i64 call_sched_setscheduler(const struct call *c) { return set_policy(c->a[0], c->a[1], c->a[2]); }
i64 call_sched_setparam(const struct call *c) { return set_policy(c->a[0], POLICY_OTHER, c->a[1]); }
i64 call_sched_get_priority_max(const struct call *c) {
    if (!policy_ok(c->a[0])) return -LINUX_EINVAL;
    return c->a[0] == POLICY_FIFO || c->a[0] == POLICY_RR ? 99 : 0;
}
i64 call_sched_get_priority_min(const struct call *c) {
    if (!policy_ok(c->a[0])) return -LINUX_EINVAL;
    return c->a[0] == POLICY_FIFO || c->a[0] == POLICY_RR;
}
i64 call_sched_rr_get_interval(const struct call *c) {
    struct timespec slice = timespec_of(4000000);
    i64 r = task_there(c->a[0]);
    return r < 0 ? r : user_write(c->a[1], &slice, sizeof slice) ? 0 : -LINUX_EFAULT;
}
/* One CPU: a set that holds it is what is so. */
i64 call_sched_setaffinity(const struct call *c) {
    u8 first = 0;
    i64 r = task_there(c->a[0]);
    if ((u32)c->a[1] && !user_read(&first, c->a[2], 1)) return -LINUX_EFAULT;
    return r < 0 ? r : first & 1 ? 0 : -LINUX_EINVAL;
}

i64 call_getpriority(const struct call *c) {
    if (c->a[0] > 2) return -LINUX_EINVAL;
    return c->a[1] > 1 ? -LINUX_ESRCH : 20; /* 20 - nice */
}
i64 call_setpriority(const struct call *c) {
    if (c->a[0] > 2) return -LINUX_EINVAL;
    return c->a[1] > 1 ? -LINUX_ESRCH : keep((i32)c->a[2] == 0);
}

/* --- what nobody may change here --- */

i64 call_setpgid(const struct call *c) { return (i32)c->a[1] < 0 ? -LINUX_EINVAL : c->a[0] > 1 ? -LINUX_ESRCH : -LINUX_EPERM; }
i64 call_settimeofday(const struct call *c) { return c->a[0] || c->a[1] ? -LINUX_EPERM : 0; }
i64 call_clock_settime(const struct call *c) { return -LINUX_EPERM; }
i64 call_sethostname(const struct call *c) { return -LINUX_EPERM; }
i64 call_setdomainname(const struct call *c) { return -LINUX_EPERM; }
i64 call_personality(const struct call *c) { return (u32)c->a[0] == UINT32_MAX || (u32)c->a[0] == 0 ? 0 : -LINUX_EINVAL; }
i64 call_membarrier(const struct call *c) { return c->a[0] || c->a[1] ? -LINUX_EINVAL : 0; } /* no command is offered */
i64 call_waitid(const struct call *c) { return c->a[0] > 3 || !(c->a[3] & 14) ? -LINUX_EINVAL : -LINUX_ECHILD; }
