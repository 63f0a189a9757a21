/* net_host.c: the little that net/ needs of a kernel, for one thread and a
 * clock that stands still until the test moves it. */
#include "test/fuzz/net_host.h"

#include <stdlib.h>
#include <string.h>

#include "kern/bootinfo.h"
#include "kern/heap.h"
#include "kern/lock.h"
#include "kern/log.h"
#include "kern/random.h"
#include "kern/thread.h"
#include "kern/time.h"
#include "kern/wait.h"

u64 net_host_now = 1000000000;
void (*net_host_sleeps)(void);
static struct thread only;

void *kmalloc(size_t n) { return malloc(n); }
void *kzalloc(size_t n) { return calloc(1, n); }
void kfree(void *p) { free(p); }

u64 spin_lock(struct spin *s) { return 0; }
void spin_unlock(struct spin *s, u64 flags) {}
void mutex_init(struct mutex *m) { memset(m, 0, sizeof *m); }
void mutex_lock(struct mutex *m) {}
void mutex_unlock(struct mutex *m) {}

void waitq_init(struct waitq *q) { list_init(&q->waiters); }
void wait_wake_all(struct waitq *q) {}
void wait_wake_one(struct waitq *q) {}
void wait_begin(struct waitq *q, struct waiter *w) {}
void wait_end(struct waiter *w) {}
bool wait_block(u64 deadline) { return false; }

struct thread *thread_current(void) { return &only; }
enum err thread_prepare(const char *name, void (*fn)(void *), void *arg, struct thread **out) {
    *out = &only;
    return ERR_OK;
}
void thread_start(struct thread *t) {}
void thread_yield(void) {}
bool thread_interrupted(struct thread *t) { return false; }

void thread_sleep_until(u64 t) {
    net_host_now = t;
    if (net_host_sleeps) net_host_sleeps();
}

u64 time_mono_ns(void) { return net_host_now; }
bool random_ready(void) { return true; }
/* Known numbers, so that a fuzzer can complete a handshake. */
void random_bytes(void *p, size_t n) { memset(p, 1, n); }

bool option(const char *key, char *out, u32 cap) {
    if (strcmp(key, "ip=")) return false;
    strcpy(out, "10.0.2.15/24,gw=10.0.2.2");
    return true;
}
void log_line(enum log_level level, const char *format, ...) {}
