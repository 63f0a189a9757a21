/* call_signal.c: the calls about signals. Delivery is in signal.c. */
#include "kern/time.h"
#include "sys/calls.h"
#include "sys/signals.h"

static bool never_blocked(u32 s) { return s == SIGNAL_KILL || s == SIGNAL_STOP; }

i64 call_rt_sigaction(const struct call *c) {
    const u64 known = SIGNAL_SIGINFO | SIGNAL_NOCLDSTOP | SIGNAL_NOCLDWAIT | SIGNAL_ONSTACK | SIGNAL_RESTART |
                      SIGNAL_NODEFER | SIGNAL_RESETHAND | SIGNAL_RESTORER;
    struct signal_action now, old;
    u64 s = c->a[0];
    if (c->a[3] != 8 || s < 1 || s > SIGNAL_MAX) return -LINUX_EINVAL;
    if (c->a[1] && !user_read(&now, c->a[1], sizeof now)) return -LINUX_EFAULT;
    if (c->a[1] && (never_blocked((u32)s) || now.flags & ~known)) return -LINUX_EINVAL;
    /* Without a restorer the handler would have nowhere to return to. */
    if (c->a[1] && now.handler > 1 && !(now.flags & SIGNAL_RESTORER)) return -LINUX_EINVAL;
    mutex_lock(&process.lock);
    old = process.actions[s];
    if (c->a[1]) process.actions[s] = now, signal_action_set((int)s);
    mutex_unlock(&process.lock);
    return !c->a[2] || user_write(c->a[2], &old, sizeof old) ? 0 : -LINUX_EFAULT;
}

i64 call_rt_sigprocmask(const struct call *c) {
    enum { BLOCK, UNBLOCK, SETMASK };
    struct task *t = task_current();
    u64 set, old = t->mask;
    if (c->a[3] != 8) return -LINUX_EINVAL;
    if (c->a[1]) {
        if (!user_read(&set, c->a[1], 8)) return -LINUX_EFAULT;
        if (c->a[0] > SETMASK) return -LINUX_EINVAL;
        signal_mask(c->a[0] == BLOCK ? old | set : c->a[0] == UNBLOCK ? old & ~set : set);
    }
    return !c->a[2] || user_write(c->a[2], &old, 8) ? 0 : -LINUX_EFAULT;
}

i64 call_rt_sigpending(const struct call *c) {
    u64 set = (task_current()->pending | process.pending) & task_current()->mask;
    if (c->a[1] > 8) return -LINUX_EINVAL;
    return user_write(c->a[0], &set, c->a[1]) ? 0 : -LINUX_EFAULT;
}

static i64 wait_for_signal(void) {
    struct waitq nobody = WAITQ_INIT(nobody);
    while (!signal_waiting()) {
        struct waiter w;
        wait_begin(&nobody, &w);
        if (!signal_waiting()) wait_block(WAIT_FOREVER);
        wait_end(&w);
    }
    return -LINUX_EINTR;
}
i64 call_pause(const struct call *c) { return wait_for_signal(); }
i64 call_rt_sigsuspend(const struct call *c) {
    if (!c->a[0]) return -LINUX_EFAULT;
    i64 r = signal_mask_for_call(c->a[0], c->a[1]);
    return r < 0 ? r : wait_for_signal();
}

/* A signal of the set, or -EAGAIN at the deadline, -EINTR for another one. */
static i64 await_one(u64 set, u64 deadline) {
    struct waitq nobody = WAITQ_INIT(nobody);
    struct task *t = task_current();
    __atomic_store_n(&t->waits_for, set, __ATOMIC_SEQ_CST);
    i64 r = 0;
    while (!r && !(r = signal_take(set))) {
        struct waiter w;
        wait_begin(&nobody, &w);
        bool in_time = wait_block(deadline);
        wait_end(&w);
        if ((r = signal_take(set))) break;
        if (signal_waiting()) r = -LINUX_EINTR;
        else if (!in_time || time_mono_ns() >= deadline) r = -LINUX_EAGAIN;
    }
    __atomic_store_n(&t->waits_for, 0, __ATOMIC_SEQ_CST);
    return r;
}

i64 call_rt_sigtimedwait(const struct call *c) {
    u64 set, deadline;
    i32 info[32] = {0};
    if (c->a[3] != 8) return -LINUX_EINVAL;
    if (!user_read(&set, c->a[0], 8)) return -LINUX_EFAULT;
    i64 r = deadline_read(c->a[2], &deadline);
    if (r < 0) return r;
    set &= ~(1ull << (SIGNAL_KILL - 1) | 1ull << (SIGNAL_STOP - 1));
    if ((r = await_one(set, deadline)) <= 0 || !c->a[1]) return r;
    info[0] = (i32)r, info[2] = -6 /* SI_TKILL */, info[4] = 1; /* si_pid: the only process */
    return user_write(c->a[1], info, sizeof info) ? r : -LINUX_EFAULT;
}

struct alternate {
    u64 base;
    i32 flags, pad;
    u64 size;
};

i64 call_sigaltstack(const struct call *c) {
    enum { ONSTACK = 1, DISABLE = 2, SMALLEST = 2048 };
    struct task *t = task_current();
    struct alternate now, old = {t->altstack, t->altstack ? 0 : DISABLE, 0, t->altstack_size};
    bool inside = c->frame->rsp - t->altstack < t->altstack_size;
    if (t->altstack && inside) old.flags = ONSTACK;
    if (c->a[0]) {
        if (!user_read(&now, c->a[0], sizeof now)) return -LINUX_EFAULT;
        if (old.flags == ONSTACK) return -LINUX_EPERM;
        if (now.flags & ~DISABLE) return -LINUX_EINVAL;
        bool same = now.base == t->altstack && now.size == t->altstack_size && !now.flags;
        if (same) now.flags = t->altstack ? 0 : DISABLE;
        if (!(now.flags & DISABLE) && now.size < SMALLEST) return -LINUX_ENOMEM;
        t->altstack = now.flags & DISABLE ? 0 : now.base;
        t->altstack_size = now.flags & DISABLE ? 0 : now.size;
    }
    return !c->a[1] || user_write(c->a[1], &old, sizeof old) ? 0 : -LINUX_EFAULT;
}

i64 call_kill(const struct call *c) {
    i32 pid = (i32)c->a[0];
    if (c->a[1] > SIGNAL_MAX) return -LINUX_EINVAL;
    if (pid != 1 && pid != 0 && pid != -1) return -LINUX_ESRCH;
    if (c->a[1]) signal_process((int)c->a[1]);
    return 0;
}

static i64 to_thread(u64 tid, u64 s) {
    i64 r = -LINUX_ESRCH;
    if (s > SIGNAL_MAX || (i32)tid <= 0) return -LINUX_EINVAL;
    mutex_lock(&process.lock);
    LIST_EACH(it, &process.tasks) {
        struct task *t = LIST_ENTRY(it, struct task, node);
        if (t->tid != (u32)tid) continue;
        if (s) signal_task(t, (int)s);
        r = 0;
    }
    mutex_unlock(&process.lock);
    return r;
}
i64 call_tkill(const struct call *c) { return to_thread(c->a[0], c->a[1]); }
i64 call_tgkill(const struct call *c) {
    if ((i32)c->a[0] <= 0 || (i32)c->a[1] <= 0) return -LINUX_EINVAL;
    return c->a[0] == 1 ? to_thread(c->a[1], c->a[2]) : -LINUX_ESRCH;
}
i64 call_rt_sigreturn(const struct call *c) { return signal_return(c->frame); }
