/* kernel.c: stand-ins for kern/; see kernel.h. */
#include "test/ext/kernel.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "base/fmt.h"
#include "kern/heap.h"
#include "kern/lock.h"
#include "kern/log.h"
#include "kern/page.h"
#include "kern/program.h"
#include "kern/random.h"
#include "kern/thread.h"
#include "kern/time.h"
#include "kern/vm.h"
#include "kern/wait.h"

bool (*kernel_pump)(void);
char kernel_log[512];
u32 kernel_log_lines, kernel_preempt;
u64 kernel_heap_bytes;
void (*kernel_thread)(void *);
static struct thread only = {.id = 1, .name = "test"};

void preempt_disable(void) { kernel_preempt++; }
void preempt_enable(void) {
    assert(kernel_preempt);
    kernel_preempt--;
}

/* A mutex may block: never with preemption off. */
void mutex_lock(struct mutex *m) {
    assert(!m->owner && !kernel_preempt);
    m->owner = &only;
}
void mutex_unlock(struct mutex *m) {
    assert(m->owner);
    m->owner = NULL;
}

void wait_wake_all(struct waitq *q) {}
void wait_wake_one(struct waitq *q) {}
void wait_begin(struct waitq *q, struct waiter *w) {}
void wait_end(struct waiter *w) {}
bool wait_block(u64 deadline) {
    assert(!kernel_preempt);
    /* Else it would hang for ever. A round in vain is none: it may have thrown away
     * what waited for an extension in quarantine. */
    static u32 vain;
    assert(kernel_pump);
    vain = kernel_pump() ? 0 : vain + 1;
    assert(vain < 1000);
    return true;
}

void *kmalloc(size_t n) {
    void *p = malloc(n);
    if (p) kernel_heap_bytes++;
    return p;
}
void *kzalloc(size_t n) {
    void *p = calloc(1, n);
    if (p) kernel_heap_bytes++;
    return p;
}
void kfree(void *p) {
    if (p) kernel_heap_bytes--;
    free(p);
}
static void *take(void *self, size_t n) { return kmalloc(n); }
static void give(void *self, void *p, size_t n) { kfree(p); }
const struct arena_source kernel_heap = {take, give, NULL};

void log_line(enum log_level level, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vfmt(kernel_log, sizeof kernel_log, format, args);
    va_end(args);
    kernel_log_lines++;
}

u64 time_mono_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}
u64 time_wall_ns(void) { return 1700000000000000000; }

struct thread *thread_current(void) { return &only; }
u64 thread_cpu_ns(struct thread *t) { return time_mono_ns(); }
void *thread_vector_state(struct thread *t) { return t; }
void thread_vector_load(struct thread *t) {}
enum err thread_create(const char *name, void (*fn)(void *), void *arg, struct thread **out) {
    *out = &only;
    kernel_thread = fn;
    return ERR_OK;
}

/* The program's memory: 8 bytes from 0x1000 on. */
size_t user_peek(void *to, uptr from, size_t n) {
    if (from < 0x1000 || from >= 0x1008) return 0;
    size_t done = MIN(n, 0x1008 - from);
    memset(to, 0x55, done);
    return done;
}

static void *kernel_thread_arg;
enum err thread_prepare(const char *name, void (*fn)(void *), void *arg, struct thread **out) {
    kernel_thread_arg = arg;
    return thread_create(name, fn, arg, out);
}
void thread_start(struct thread *t) {}
void mutex_init(struct mutex *m) { *m = (struct mutex)MUTEX_INIT(*m); }
void kernel_run_thread(void) { kernel_thread(kernel_thread_arg); }
bool thread_may_block(void) { return !kernel_preempt; }

bool random_ready(void) { return false; }
void random_bytes(void *p, size_t n) {}
size_t pages_total(void) { return 1000; }
u64 kernel_pages_free = 6000;
size_t pages_free(void) { return kernel_pages_free; }
size_t pages_recount(void) { return 600; }
size_t vm_recount_tables(void) { return 7; }
