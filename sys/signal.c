/* signal.c: which signal a thread takes, and when.
 *
 * I1 a signal is taken only on the way back into the program (signal_leave), or
 *    for the fault that it causes itself (signal_fault).
 * I2 KILL and STOP are never in a mask. */
#include "sys/signals.h"

#include "base/assert.h"
#include "kern/log.h"

static u64 bit(int s) {
    assert(s >= 1 && s <= SIGNAL_MAX);
    return 1ull << (s - 1);
}

static bool ignored_by_default(int s) {
    return s == SIGNAL_CHLD || s == SIGNAL_CONT || s == SIGNAL_URG || s == SIGNAL_WINCH;
}
/* There is nobody who could continue a stopped program. */
static bool stops_by_default(int s) {
    return s == SIGNAL_STOP || s == SIGNAL_TSTP || s == SIGNAL_TTIN || s == SIGNAL_TTOU;
}

static bool ignored(int s) {
    u64 h = process.actions[s].handler;
    return h == 1 || (h == 0 && (ignored_by_default(s) || stops_by_default(s)));
}

/* sigaction(2): what becomes ignored while it is pending is gone, blocked or not. */
void signal_action_set(int s) {
    if (!ignored(s)) return;
    __atomic_and_fetch(&process.pending, ~bit(s), __ATOMIC_ACQ_REL);
    LIST_EACH(it, &process.tasks) __atomic_and_fetch(&LIST_ENTRY(it, struct task, node)->pending, ~bit(s), __ATOMIC_ACQ_REL);
}

static u64 deliverable(const struct task *t) {
    u64 set = (__atomic_load_n(&t->pending, __ATOMIC_ACQUIRE) | __atomic_load_n(&process.pending, __ATOMIC_ACQUIRE)) & ~t->mask;
    return set;
}

void signal_task(struct task *t, int s) {
    if (ignored(s) && !(t->mask & bit(s))) return;
    __atomic_or_fetch(&t->pending, bit(s), __ATOMIC_ACQ_REL);
    if (!(t->mask & bit(s)) || t->waits_for & bit(s)) thread_interrupt(t->thread);
}

/* signal(7): an ignored signal is kept while it is blocked: somebody may wait for it. */
static bool blocked_by_all(int s) {
    bool all = true;
    LIST_EACH(it, &process.tasks) all &= (LIST_ENTRY(it, struct task, node)->mask & bit(s)) != 0;
    return all;
}

void signal_process(int s) {
    mutex_lock(&process.lock);
    if (!ignored(s) || blocked_by_all(s)) {
        __atomic_or_fetch(&process.pending, bit(s), __ATOMIC_ACQ_REL);
        LIST_EACH(it, &process.tasks) {
            struct task *t = LIST_ENTRY(it, struct task, node);
            if (t->mask & bit(s) && !(t->waits_for & bit(s))) continue;
            thread_interrupt(t->thread);
            break;
        }
    }
    mutex_unlock(&process.lock);
}

bool signal_waiting(void) {
    struct task *t = task_current();
    thread_interrupted(t->thread); /* what it was told, it is asking now */
    if (__atomic_load_n(&process.exiting, __ATOMIC_ACQUIRE)) return true;
    for (u64 set = deliverable(t); set; set &= set - 1)
        if (!ignored(__builtin_ctzll(set) + 1)) return true;
    return false;
}

void signal_mask(u64 mask) { task_current()->mask = mask & ~(bit(SIGNAL_KILL) | bit(SIGNAL_STOP)); }

i64 signal_mask_for_call(u64 user, u64 size) {
    struct task *t = task_current();
    u64 mask;
    if (!user) return 0;
    if (size != 8) return -LINUX_EINVAL;
    if (!user_read(&mask, user, 8)) return -LINUX_EFAULT;
    t->mask_saved = t->mask;
    t->mask_restore = true;
    signal_mask(mask);
    return 0;
}

/* The lowest of a set that pends for the thread, else for the process, as Linux
 * does; 0: none. It is taken off. Another thread may have been faster. */
static int take(struct task *t, u64 set) {
    u64 own, all;
    while ((own = __atomic_load_n(&t->pending, __ATOMIC_ACQUIRE) & set) || (all = __atomic_load_n(&process.pending, __ATOMIC_ACQUIRE) & set)) {
        int s = __builtin_ctzll(own ? own : all) + 1;
        u64 *from = own ? &t->pending : &process.pending;
        if (__atomic_fetch_and(from, ~bit(s), __ATOMIC_ACQ_REL) & bit(s)) return s;
    }
    return 0;
}

/* For rt_sigtimedwait: blocked or not. */
int signal_take(u64 set) { return take(task_current(), set); }

static _Noreturn void die(int s) {
    log_error("program: ended by signal %d", s);
    process_end(128 + s);
    task_end(128 + s);
}

/* signal(7): calls that end with EINTR whatever SA_RESTART says. */
static bool never_restarts(u64 number) {
    switch (number) {
    case 7: case 271: case 23: case 270: case 232: case 281: /* poll, select, epoll */
    case 35: case 230: case 130: case 34:                    /* sleeping, waiting for a signal */
        return true;
    default: return false;
    }
}

static bool interrupted_call(const struct trap_frame *f) {
    return f->vector == TRAP_SYSCALL && f->rax == (u64)-LINUX_EINTR;
}

/* Back to the syscall instruction, which is two bytes long. */
static void restart(struct trap_frame *f) {
    f->rax = f->error;
    f->rip -= 2;
}

static void handle(struct trap_frame *f, struct task *t, int s, const struct signal_cause *cause) {
    mutex_lock(&process.lock);
    struct signal_action a = process.actions[s];
    if (a.flags & SIGNAL_RESETHAND) process.actions[s].handler = 0;
    mutex_unlock(&process.lock);
    if (a.handler <= 1) die(s); /* changed by another thread meanwhile */
    if (interrupted_call(f) && (a.flags & SIGNAL_RESTART) && !never_restarts(f->error)) restart(f);
    if (!signal_push(f, s, &a, cause)) die(SIGNAL_SEGV);
    t->mask_restore = false; /* sigreturn puts the saved mask back */
    signal_mask(t->mask | a.mask | (a.flags & SIGNAL_NODEFER ? 0 : bit(s)));
}

void signal_leave(struct trap_frame *f) {
    struct task *t = thread_current()->owner;
    if (!t) return;
    if (__atomic_load_n(&process.exiting, __ATOMIC_ACQUIRE)) task_end(process.status);
    for (int s; (s = take(t, ~t->mask));) {
        if (ignored(s)) continue;
        if (process.actions[s].handler == 0) die(s);
        handle(f, t, s, &(struct signal_cause){.code = -6 /* SI_TKILL */, .address = 1 /* si_pid: the only process; si_uid 0 */});
        return;
    }
    if (t->mask_restore) {
        t->mask_restore = false;
        signal_mask(t->mask_saved);
    }
    if (interrupted_call(f)) restart(f); /* nothing came of the interruption */
}

static int signal_of(u64 vector) {
    switch (vector) {
    case TRAP_DIVIDE: case TRAP_FPU: case TRAP_SIMD: return SIGNAL_FPE;
    case TRAP_ILLEGAL: return SIGNAL_ILL;
    case TRAP_DEBUG: case TRAP_BREAKPOINT: return SIGNAL_TRAP;
    case TRAP_ALIGNMENT: return SIGNAL_BUS;
    default: return SIGNAL_SEGV;
    }
}

void signal_fault(struct trap_frame *f, uptr address) {
    struct task *t = task_current();
    int s = signal_of(f->vector);
    struct signal_cause cause = {1, address, f->vector, f->error};
    u64 handler = process.actions[s].handler;
    if (handler > 1 && !(t->mask & bit(s))) {
        handle(f, t, s, &cause);
        return;
    }
    log_error("program: signal %d: vector %llu at rip 0x%llx, address 0x%llx, rsp 0x%llx", s, (unsigned long long)f->vector,
              (unsigned long long)f->rip, (unsigned long long)address, (unsigned long long)f->rsp);
    die(s);
}
