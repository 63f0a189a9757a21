/* call_thread.c: threads, and the processes that cannot be. */
#include "kern/log.h"
#include "sys/calls.h"

enum clone_flags {
    CLONE_VM = 0x100, CLONE_FS = 0x200, CLONE_FILES = 0x400, CLONE_SIGHAND = 0x800, CLONE_VFORK = 0x4000,
    CLONE_THREAD = 0x10000, CLONE_SYSVSEM = 0x40000, CLONE_SETTLS = 0x80000, CLONE_PARENT_SETTID = 0x100000,
    CLONE_CHILD_CLEARTID = 0x200000, CLONE_DETACHED = 0x400000, CLONE_CHILD_SETTID = 0x1000000,
};

static i64 no_process(const char *call) {
    static bool said;
    if (!said) log_error("program: %s: Whelk runs one process: there is no fork and no exec; use threads (ENOSYS)", call);
    said = true;
    return -LINUX_ENOSYS;
}
i64 call_fork(const struct call *c) { return no_process("fork"); }
i64 call_vfork(const struct call *c) { return no_process("vfork"); }
i64 call_execve(const struct call *c) { return no_process("execve"); }
i64 call_execveat(const struct call *c) { return no_process("execveat"); }
/* glibc and musl fall back to clone. */
i64 call_clone3(const struct call *c) { return -LINUX_ENOSYS; }
i64 call_wait4(const struct call *c) {
    const u64 known = 1 | 2 | 8 | 0xe0000000; /* WNOHANG WUNTRACED WCONTINUED __WNOTHREAD __WALL __WCLONE */
    return (u32)c->a[2] & ~known ? -LINUX_EINVAL : -LINUX_ECHILD;
}

static i64 check_clone(u64 flags) {
    const u64 thread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
    const u64 known = thread | CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID |
                      CLONE_DETACHED | CLONE_CHILD_SETTID | 0xff;
    if (!(flags & CLONE_VM) || !(flags & CLONE_THREAD)) return no_process("clone without CLONE_VM and CLONE_THREAD");
    if ((flags & thread) == thread && !(flags & ~known)) return 0;
    refuse_once("clone with flags", flags & ~known);
    return -LINUX_EINVAL;
}

/* clone(2): flags, stack, parent_tid, child_tid, tls. */
i64 call_clone(const struct call *c) {
    u64 flags = c->a[0], tls = c->a[4];
    struct task *t;
    i64 r = check_clone(flags);
    if (r < 0) return r;
    struct trap_frame start = *c->frame;
    start.rax = 0;
    start.vector = TRAP_SYSCALL_FULL;
    start.rcx = start.rip;
    if (c->a[1]) start.rsp = c->a[1];
    r = task_new(&start, flags & CLONE_SETTLS ? tls : thread_fs_base(thread_current()), &t);
    if (r < 0) return r;
    t->mask = task_current()->mask;
    if (flags & CLONE_CHILD_CLEARTID) t->clear_tid = c->a[3];
    u32 tid = t->tid;
    /* As Linux: a bad address for the number is not an error of the call. */
    if (flags & CLONE_PARENT_SETTID) user_write(c->a[2], &tid, 4);
    if (flags & CLONE_CHILD_SETTID) user_write(c->a[3], &tid, 4);
    thread_start(t->thread);
    return tid;
}

static int exit_status(u64 code) { return (int)(code & 0xff); }

i64 call_exit(const struct call *c) { task_end(exit_status(c->a[0])); }
i64 call_exit_group(const struct call *c) {
    process_end(exit_status(c->a[0]));
    task_end(exit_status(c->a[0]));
}

enum { PROCESS_ID = 1 };
i64 call_getpid(const struct call *c) { return PROCESS_ID; }
i64 call_getppid(const struct call *c) { return 0; }
i64 call_gettid(const struct call *c) { return task_current()->tid; }

i64 call_set_tid_address(const struct call *c) {
    task_current()->clear_tid = c->a[0];
    return task_current()->tid;
}

i64 call_set_robust_list(const struct call *c) {
    if (c->a[1] != 24) return -LINUX_EINVAL;
    task_current()->robust_list = c->a[0];
    task_current()->robust_length = c->a[1];
    return 0;
}

i64 call_arch_prctl(const struct call *c) {
    enum { SET_GS = 0x1001, SET_FS, GET_FS, GET_GS };
    u64 base;
    switch (c->a[0]) {
    case SET_FS:
        if (c->a[1] >> 47) return -LINUX_EPERM; /* not canonical, or the kernel's half */
        thread_set_fs_base(thread_current(), c->a[1]);
        return 0;
    case GET_FS:
        base = thread_fs_base(thread_current());
        return user_write(c->a[1], &base, 8) ? 0 : -LINUX_EFAULT;
    case SET_GS: /* GS is the kernel's own */
    case GET_GS:
        refuse_once("arch_prctl", c->a[0]);
        return -LINUX_EINVAL;
    default: return -LINUX_EINVAL; /* CET and the like: probed, absent */
    }
}

i64 call_sched_yield(const struct call *c) {
    thread_yield();
    return 0;
}

i64 call_sched_getaffinity(const struct call *c) {
    u64 cpus = 1;
    if ((u32)c->a[1] < 8 || (u32)c->a[1] % 8) return -LINUX_EINVAL;
    return user_write(c->a[2], &cpus, 8) ? 8 : -LINUX_EFAULT;
}

i64 call_getcpu(const struct call *c) {
    u32 zero = 0;
    bool ok = (!c->a[0] || user_write(c->a[0], &zero, 4)) && (!c->a[1] || user_write(c->a[1], &zero, 4));
    return ok ? 0 : -LINUX_EFAULT;
}

i64 call_prctl(const struct call *c) {
    enum { SET_NAME = 15, GET_NAME = 16, NAME = 16 };
    char name[NAME] = {0};
    struct thread *t = thread_current();
    switch (c->a[0]) {
    case SET_NAME:
        if (user_read_string(name, c->a[1], NAME) == -1) return -LINUX_EFAULT;
        name[NAME - 1] = 0;
        for (int i = 0; i < NAME; i++) t->name[i] = name[i];
        return 0;
    case GET_NAME: return user_write(c->a[1], t->name, NAME) ? 0 : -LINUX_EFAULT;
    default:
        refuse_once("prctl", c->a[0]);
        return -LINUX_EINVAL;
    }
}

/* Restartable sequences: a program asks, and does without. */
i64 call_rseq(const struct call *c) { return -LINUX_ENOSYS; }
