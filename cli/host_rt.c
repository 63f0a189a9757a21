/* host_rt.c: see host_rt.h.
 *
 * I1 reserved space is PROT_NONE; what is committed is zeroed by the kernel. */
#include "cli/host_rt.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/assert.h"
#include "cli/host_code.h"

#ifndef sigev_notify_thread_id /* glibc before 2.38 has no name for it */
#define sigev_notify_thread_id _sigev_un._tid
#endif

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* What is large is in large pages, as far as it fills them: a compile of a megabyte
 * touches ten thousand small ones, each for the first time. */
static void *heap_alloc(void *self, size_t n) {
    enum { LARGE = 2 << 20 };
    if (n < LARGE) return malloc(n);
    void *p = aligned_alloc(LARGE, ALIGN_UP(n, (size_t)LARGE));
    if (p) madvise(p, ALIGN_DOWN(n, (size_t)LARGE), MADV_HUGEPAGE);
    return p;
}
static void heap_free(void *self, void *p, size_t n) { free(p); }
const struct arena_source host_heap = {heap_alloc, heap_free, NULL};

static void *space_reserve(void *self, size_t n) {
    void *p = mmap(NULL, n, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

static void space_release(void *self, void *p, size_t n) {
    int failed = munmap(p, n);
    assert(!failed);
}

static enum err space_commit(void *self, void *p, size_t *n, const u32 *stop) {
    return mprotect(p, *n, PROT_READ | PROT_WRITE) ? ERR_NOMEM : ERR_OK;
}

/* A fresh mapping over the old one: its pages are gone. */
static void space_decommit(void *self, void *p, size_t n) {
    void *q = mmap(p, n, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    assert(q == p);
}

static u64 now_ns(void *self) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

static void engine_lock(void *self) { pthread_mutex_lock(&mutex); }
static void engine_unlock(void *self) { pthread_mutex_unlock(&mutex); }

/* Waiting on a word of a shared memory. */

enum { SLICE_NS = 5000000, SECOND = 1000000000 };

/* On its thread's stack; in the list exactly while it is not woken. */
struct sleeper {
    struct sleeper *next;
    const void *at;
    pthread_cond_t wake;
    bool woken;
};

static pthread_mutex_t wait_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct sleeper *sleepers; /* under wait_mutex: who came first first */

static void enlist(struct sleeper *s) {
    struct sleeper **end = &sleepers;
    while (*end) end = &(*end)->next;
    *end = s;
}

static void delist(struct sleeper *s) {
    struct sleeper **p = &sleepers;
    while (*p != s) {
        assert(*p);
        p = &(*p)->next;
    }
    *p = s->next;
}

static bool still_equal(const void *at, u64 expected, u32 width) {
    if (width == 8) return __atomic_load_n((const u64 *)at, __ATOMIC_SEQ_CST) == expected;
    return __atomic_load_n((const u32 *)at, __ATOMIC_SEQ_CST) == (u32)expected;
}

/* In slices: whoever sets *stop, a signal handler perhaps, cannot wake us. */
static enum rt_wait sleep_until(struct sleeper *s, u64 deadline, const u32 *stop) {
    for (;;) {
        u64 now = now_ns(NULL), until = MIN(deadline, now + SLICE_NS);
        if (s->woken) return RT_WAIT_WOKEN;
        if (__atomic_load_n(stop, __ATOMIC_RELAXED)) return RT_WAIT_STOPPED;
        if (now >= deadline) return RT_WAIT_TIMED_OUT;
        struct timespec t = {(time_t)(until / SECOND), (long)(until % SECOND)};
        pthread_cond_timedwait(&s->wake, &wait_mutex, &t);
    }
}

static enum rt_wait word_wait(void *self, const void *at, u64 expected, u32 width, i64 ns, const u32 *stop) {
    struct sleeper s = {.at = at};
    u64 now = now_ns(NULL), deadline = ns < 0 || (u64)ns > UINT64_MAX - now ? UINT64_MAX : now + (u64)ns;
    enum rt_wait r = RT_WAIT_NOT_EQUAL;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&s.wake, &monotonic);
    pthread_mutex_lock(&wait_mutex);
    if (still_equal(at, expected, width)) {
        enlist(&s);
        r = sleep_until(&s, deadline, stop);
        if (!s.woken) delist(&s);
    }
    pthread_mutex_unlock(&wait_mutex);
    pthread_cond_destroy(&s.wake);
    pthread_condattr_destroy(&monotonic);
    return r;
}

u32 host_rt_sleepers(void) {
    u32 n = 0;
    pthread_mutex_lock(&wait_mutex);
    for (struct sleeper *s = sleepers; s; s = s->next) n++;
    pthread_mutex_unlock(&wait_mutex);
    return n;
}

static u32 word_notify(void *self, const void *at, u32 count) {
    u32 woken = 0;
    pthread_mutex_lock(&wait_mutex);
    for (struct sleeper **p = &sleepers; *p && woken < count;) {
        struct sleeper *s = *p;
        if (s->at != at) {
            p = &s->next;
            continue;
        }
        *p = s->next;
        s->woken = true;
        pthread_cond_signal(&s->wake);
        woken++;
    }
    pthread_mutex_unlock(&wait_mutex);
    return woken;
}

void host_rt_fill(struct rt_host *out) {
    *out = (struct rt_host){
        .alloc = heap_alloc, .free = heap_free,
        .reserve = space_reserve, .release = space_release,
        .commit = space_commit, .decommit = space_decommit,
        .code_place = host_code_place, .code_free = host_code_free,
        .now_ns = now_ns, .wait = word_wait, .notify = word_notify, .lock = engine_lock, .unlock = engine_unlock,
        .cpu = rt_probe_cpu(), .page = (size_t)sysconf(_SC_PAGESIZE),
    };
}

/* Faults. */

static struct rt_engine *engine; /* set before the handlers are */
static const int fault_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
static struct sigaction before[ARRAY_LEN(fault_signals)];

static struct rt_regs regs_of(const ucontext_t *uc) {
    const greg_t *g = uc->uc_mcontext.gregs;
    return (struct rt_regs){.rip = (u64)g[REG_RIP], .rsp = (u64)g[REG_RSP], .rdi = (u64)g[REG_RDI],
                            .r14 = (u64)g[REG_R14], .rax = (u64)g[REG_RAX]};
}

static void regs_back(ucontext_t *uc, const struct rt_regs *r) {
    greg_t *g = uc->uc_mcontext.gregs;
    g[REG_RIP] = (greg_t)r->rip;
    g[REG_RSP] = (greg_t)r->rsp;
    g[REG_RDI] = (greg_t)r->rdi;
}

static enum rt_fault fault_of(int signal) {
    switch (signal) {
    case SIGFPE: return RT_FAULT_DIVIDE;
    case SIGILL: return RT_FAULT_ILLEGAL;
    default: return RT_FAULT_PAGE;
    }
}

/* Not ours: put the old handler back and let the instruction fault again. */
static void pass_on(int signal) {
    for (size_t i = 0; i < ARRAY_LEN(fault_signals); i++)
        if (fault_signals[i] == signal) sigaction(signal, &before[i], NULL);
}

static void on_fault(int signal, siginfo_t *info, void *context) {
    struct rt_regs r = regs_of(context);
    if (rt_fault(engine, fault_of(signal), (u64)info->si_addr, &r)) regs_back(context, &r);
    else pass_on(signal);
}

static void on_deadline(int signal, siginfo_t *info, void *context) {
    struct host_deadline *d = info->si_value.sival_ptr;
    struct rt_regs r = regs_of(context);
    if (d->store && rt_stop(d->store, __atomic_load_n(&d->why, __ATOMIC_RELAXED), &r)) regs_back(context, &r);
}

enum err host_rt_install(struct rt_engine *e) {
    struct sigaction fault = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    struct sigaction late = {.sa_sigaction = on_deadline, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
    bool again = engine != NULL; /* a test starts engines one after the other */
    engine = e;
    for (size_t i = 0; i < ARRAY_LEN(fault_signals) && !again; i++)
        if (sigaction(fault_signals[i], &fault, &before[i])) return ERR_IO;
    if (sigaction(SIGRTMIN, &late, NULL)) return ERR_IO;
    return host_rt_thread();
}

enum err host_rt_thread(void) {
    static _Thread_local bool done __attribute__((tls_model("initial-exec"))); /* the library may be part of a shared object */
    enum { SIZE = 128 * 1024 };
    if (done) return ERR_OK;
    void *p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return ERR_NOMEM;
    stack_t s = {.ss_sp = p, .ss_size = SIZE};
    if (sigaltstack(&s, NULL)) {
        munmap(p, SIZE);
        return ERR_IO;
    }
    done = true;
    return ERR_OK;
}

/* Deadlines. */

enum err host_deadline_start(struct host_deadline *d, struct rt_store *s, u64 ns) {
    struct sigevent ev = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN,
                          .sigev_value.sival_ptr = d};
    ev.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
    d->store = s;
    d->why = ABI_TRAP_DEADLINE;
    if (timer_create(CLOCK_MONOTONIC, &ev, &d->timer)) return ERR_IO;
    ns = MAX(ns, (u64)1); /* 0 would disarm it */
    struct itimerspec when = {
        .it_value = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)},
        .it_interval = {0, 1000000},
    };
    if (!timer_settime(d->timer, 0, &when, NULL)) return ERR_OK;
    timer_delete(d->timer);
    return ERR_IO;
}

void host_deadline_now(struct host_deadline *d) {
    struct itimerspec when = {.it_value = {0, 1}, .it_interval = {0, 1000000}};
    __atomic_store_n(&d->why, ABI_TRAP_INTERRUPTED, __ATOMIC_RELAXED);
    int failed = timer_settime(d->timer, 0, &when, NULL);
    assert(!failed);
}

void host_deadline_end(struct host_deadline *d) {
    timer_delete(d->timer);
    d->store = NULL;
}
