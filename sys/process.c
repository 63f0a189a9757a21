/* process.c: the program's threads, from start to end.
 *
 * I1 a task is in process.tasks from before it runs until task_end.
 * I2 exiting is set once; from then on every return into the program ends its
 *    thread instead (signal_leave).
 * I3 process.ended is woken after exiting is set: the init thread then ends the
 *    machine, whether or not all threads are gone. */
#include "sys/process.h"

#include "base/assert.h"
#include "base/mem.h"
#include "fs/vfs.h"
#include "kern/heap.h"
#include "kern/log.h"

struct process process = {
    .files_lock = MUTEX_INIT(process.files_lock),
    .lock = MUTEX_INIT(process.lock),
    .tasks = LIST_INIT(process.tasks),
    .umask = 022,
    .ended = WAITQ_INIT(process.ended),
};

struct task *task_current(void) {
    struct task *t = thread_current()->owner;
    assert(t);
    return t;
}

static void task_run(void *arg) {
    struct task *t = arg;
    assert(t->thread == thread_current());
    signal_leave(&t->start); /* the program may be ending already */
    arch_return(&t->start);
}

i64 task_new(const struct trap_frame *start, u64 fs_base, struct task **out) {
    struct task *t = kzalloc(sizeof *t);
    if (!t || thread_prepare("program", task_run, t, &t->thread)) {
        kfree(t);
        return -LINUX_EAGAIN; /* clone(2), pthread_create(3) */
    }
    t->start = *start;
    t->thread->owner = t;
    t->tid = t->thread->id;
    thread_set_fs_base(t->thread, fs_base);
    mutex_lock(&process.lock);
    list_push_back(&process.tasks, &t->node);
    process.task_count++;
    mutex_unlock(&process.lock);
    *out = t;
    return 0;
}

/* set_robust_list(2): marks the mutexes that the thread still holds. */
enum { ROBUST_MAX = 2048, FUTEX_WAITERS_BIT = 31, FUTEX_DIED = 1 << 30, FUTEX_TID = (1 << 30) - 1 };

static void robust_one(u64 address, u32 tid) {
    u32 word;
    if (address % 4 || !user_read(&word, address, 4) || (word & FUTEX_TID) != tid) return;
    bool waiters = word >> FUTEX_WAITERS_BIT;
    word = (word & 1u << FUTEX_WAITERS_BIT) | FUTEX_DIED;
    if (user_write(address, &word, 4) && waiters) futex_wake_address(address, 1);
}

static void robust_walk(const struct task *t) {
    u64 head[3], at, next; /* first entry, offset of the word, pending entry */
    if (!t->robust_list || !user_read(head, t->robust_list, sizeof head)) return;
    at = head[0];
    for (u32 n = 0; at != t->robust_list && n < ROBUST_MAX; n++, at = next) {
        if (!user_read(&next, at, 8)) return;
        robust_one(at + head[1], t->tid);
    }
    if (head[2]) robust_one(head[2] + head[1], t->tid);
}

static void clear_tid(const struct task *t) {
    u32 zero = 0;
    if (t->clear_tid && user_write(t->clear_tid, &zero, 4)) futex_wake_address(t->clear_tid, 1);
}

_Noreturn void task_end(int status) {
    struct task *t = task_current();
    robust_walk(t);
    clear_tid(t);
    mutex_lock(&process.lock);
    assert(process.task_count > 0 && !t->ended);
    t->ended = true;
    list_remove(&t->node);
    bool last = --process.task_count == 0;
    mutex_unlock(&process.lock);
    if (last) process_end(status);
    thread_current()->owner = NULL;
    kfree(t);
    thread_exit();
}

void process_end(int status) {
    mutex_lock(&process.lock);
    if (!process.exiting) {
        process.status = status;
        __atomic_store_n(&process.exiting, true, __ATOMIC_RELEASE);
    }
    LIST_EACH(it, &process.tasks) thread_interrupt(LIST_ENTRY(it, struct task, node)->thread);
    mutex_unlock(&process.lock);
    wait_wake_all(&process.ended);
}

/* What was refused, so that each is said once. Racy on purpose: twice is no harm. */
void refuse_once(const char *what, u64 detail) {
    static struct {
        const char *what;
        u64 detail;
    } said[128];
    static u32 count;
    for (u32 i = 0; i < count; i++)
        if (said[i].what == what && said[i].detail == detail) return;
    if (count == ARRAY_LEN(said)) return;
    said[count].what = what;
    said[count++].detail = detail;
    log_warn("program: %s (0x%llx) is not supported and was refused", what, (unsigned long long)detail);
}
